//! Every operation's requests and answers, as `transcript.txt` has them, on one fresh inventory.
//!
//! A request is a form on a line of its own; what follows it up to an empty line is the answer: the members
//! of the result, or a code, a status and a message. Identifiers are numbered in the order in which they
//! first appear, so that `sg-2` is the same group everywhere in the transcript.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use control::ec2::Run;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::{Control, ManualClock, NoPlane, Parts, SequentialIds, Settings};
use regex::Regex;

use super::OPERATIONS;
use crate::indented::indented;
use crate::query;

const TRANSCRIPT: &str = include_str!("transcript.txt");

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let control = inventory().await;
    let mut names = Names::new();
    for step in steps() {
        let input = query::decode(names.restore_ids(step.request).as_bytes()).expect(step.request);
        let action = input.text("Action").expect(step.request);
        let answer = match OPERATIONS.call(&control, action, &input).await {
            Ok(xml) => indented(xml.as_str()),
            Err(error) => format!("{} {} {}", error.code, error.status, error.message),
        };
        let answer = names.name_ids(&answer);
        assert!(
            answer == step.answer,
            "the answer to\n{}\n\nis\n\n{answer}\n\nand the transcript has\n\n{}",
            step.request,
            step.answer
        );
    }
}

/// These have refusals alone: what is there from the first start on cannot be made, and a network interface
/// goes together with its owner.
const ALWAYS_REFUSED: &[&str] = &[
    "CreateDefaultSubnet",
    "CreateDefaultVpc",
    "DeleteNetworkInterface",
    "DetachNetworkInterface",
];

#[test]
fn every_operation_has_an_answer_and_a_refusal_in_the_transcript() {
    let (mut answered, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for step in steps() {
        let action = step.request.strip_prefix("Action=").expect(step.request);
        let action = action.split('&').next().expect("a part before the first &");
        match step.answer.starts_with('<') {
            true => answered.insert(action),
            false => refused.insert(action),
        };
    }
    for name in OPERATIONS.served.iter().map(|operation| operation.name) {
        assert!(
            answered.contains(name) || ALWAYS_REFUSED.contains(&name),
            "{name} has no answer in transcript.txt"
        );
        assert!(
            refused.contains(name),
            "{name} has no refusal in transcript.txt"
        );
    }
}

/// One request of the transcript.
struct Step {
    request: &'static str,
    answer: &'static str,
}

fn steps() -> Vec<Step> {
    let blocks = TRANSCRIPT
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty());
    let steps = blocks.filter(|block| !block.starts_with('#')).map(|block| {
        let (request, answer) = block.split_once('\n').expect(block);
        Step { request, answer }
    });
    steps.collect()
}

/// A control plane with the inventory of the first start and one load balancer, `shop`.
async fn inventory() -> Control {
    let parts = Parts {
        store: Arc::new(store::Memory::new()),
        plane: Arc::new(NoPlane),
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(control::SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(control::NoObjects),
        issuer: None,
        settings: Settings::default(),
    };
    let control = Control::open(parts)
        .await
        .expect("the defaults are in order");
    let subnets = control
        .ec2(Run::Wet)
        .describe_subnets(&Default::default())
        .expect("no filter");
    let request = CreateLoadBalancer {
        name: "shop".to_owned(),
        subnets: subnets
            .items
            .iter()
            .map(|it| it.subnet.id.to_string())
            .collect(),
        ..Default::default()
    };
    control
        .create_load_balancer(request)
        .await
        .expect("the request is in order");
    control
}

/// Identifiers and the names they have in the transcript.
struct Names {
    pattern: Regex,
    ids: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Names {
    fn new() -> Self {
        // A prefix with 17 digits, or the id at the end of the full name of a load balancer.
        let pattern = r"\b(?<prefix>[a-z][a-z-]*[-/])(?<digits>[0-9a-f]{16,17})\b";
        Self {
            pattern: Regex::new(pattern).expect("a valid expression"),
            ids: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn name_ids(&mut self, text: &str) -> String {
        let name = |captures: &regex::Captures<'_>| {
            let (id, prefix) = (&captures[0], &captures["prefix"]);
            if captures["digits"].starts_with("0000000") {
                return id.to_owned();
            }
            if let Some((name, _)) = self.ids.iter().find(|(_, known)| *known == id) {
                return name.clone();
            }
            let count = self.counts.entry(prefix.to_owned()).or_default();
            *count += 1;
            let name = format!("{prefix}{count}");
            self.ids.insert(name.clone(), id.to_owned());
            name
        };
        self.pattern.replace_all(text, name).into_owned()
    }

    fn restore_ids(&self, request: &str) -> String {
        let values = request.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!(
                "{name}={}",
                self.ids.get(value).map_or(value, String::as_str)
            )
        });
        values.collect::<Vec<_>>().join("&")
    }
}

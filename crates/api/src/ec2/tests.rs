//! Every operation's requests and answers, as `transcript.txt` has them, on one fresh inventory.
//!
//! A request is a form on a line of its own; what follows it up to an empty line is the answer: the members
//! of the result, or a code, a status and a message. Identifiers are numbered in the order in which they
//! first appear, so that `sg-2` is the same group everywhere in the transcript.

use std::collections::BTreeMap;
use std::sync::Arc;

use control::ec2::Run;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::{Control, ManualClock, NoPlane, Parts, SequentialIds, Settings};
use regex::Regex;

use super::OPERATIONS;
use crate::golden;
use crate::indented::indented;
use crate::query;

const TRANSCRIPT: &str = "ec2/transcript.txt";

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let control = inventory().await;
    let mut names = Names::new();
    let answers = golden::answered(TRANSCRIPT, async |request| {
        let input = query::decode(names.restore_ids(request).as_bytes()).expect(request);
        let action = input.text("Action").expect(request);
        let answer = match OPERATIONS.call(&control, action, &input).await {
            Ok(xml) => indented(xml.as_str()),
            Err(error) => format!("{} {} {}", error.code, error.status, error.message),
        };
        names.name_ids(&answer)
    });
    golden::check(TRANSCRIPT, &answers.await);
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
    let served: Vec<_> = OPERATIONS.served.iter().map(|it| it.name).collect();
    golden::check_operations(TRANSCRIPT, &served, ALWAYS_REFUSED);
}

/// What `ec2_filters.py` wrote: an operation, and one of the filters that EC2 documents for it.
const FILTERS: &str = include_str!("../../tests/vectors/ec2_filters.txt");

#[tokio::test]
async fn every_documented_filter_is_known() {
    let control = inventory().await;
    let mut unknown = Vec::new();
    for line in FILTERS.lines() {
        let (operation, filter) = line.split_once(' ').expect(line);
        let needed = match operation {
            "GetSecurityGroupsForVpc" => "&VpcId=vpc-12345678",
            _ => "",
        };
        let form = format!("Action={operation}&Filter.1.Name={filter}&Filter.1.Value.1=x{needed}");
        let input = query::decode(form.as_bytes()).expect(&form);
        let outcome = OPERATIONS.call(&control, operation, &input).await;
        let error = outcome
            .err()
            .filter(|error| error.message.starts_with("The filter"));
        unknown.extend(error.map(|error| format!("{operation}: {}", error.message)));
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
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

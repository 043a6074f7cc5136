//! Every operation's requests and answers, as `transcript.txt` has them, on one fresh control plane; and
//! every member of the API's model.
//!
//! A request is the name of an operation and its input on a line of its own; what follows it up to an empty
//! line is the answer: its JSON, or a code, a status and a message. `@name` in an input is the file of that
//! name in `tests/certificates` in base64. Encrypted keys are
//! left out. The ids of certificates are numbered in the order in which they
//! first appear. `(certificates are issued)` stands for what goes on in the background.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use control::Control;
use regex::Regex;

use super::OPERATIONS;
use crate::signed::{control_plane, pem};
use crate::{golden, json};

const ISSUING: &str = "(certificates are issued)";
const TRANSCRIPT: &str = "acm/transcript.txt";
/// What `tests/vectors/json_members.py` wrote.
const MEMBERS: &str = include_str!("../../tests/vectors/acm_members.txt");

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let control = control_plane().await;
    let mut ids: Vec<String> = Vec::new();
    let mut actual = String::new();
    for block in golden::transcript(TRANSCRIPT).trim().split("\n\n") {
        let request = block.lines().next().unwrap_or_default();
        if block.starts_with("# ") {
            actual += &format!("{block}\n\n");
            continue;
        }
        if request == ISSUING {
            let issued = control.issue_certificates().await;
            issued.expect("the store is in memory");
            actual += &format!("{request}\n\n");
            continue;
        }
        let answer = ask(&control, &restore(&ids, request)).await;
        actual += &format!("{request}\n{}\n\n", name(&mut ids, &answer));
    }
    golden::check(TRANSCRIPT, &actual);
}

#[test]
fn every_operation_has_an_answer_and_a_refusal_in_the_transcript() {
    let transcript = golden::transcript(TRANSCRIPT);
    let (mut answered, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for block in transcript.split("\n\n") {
        let (request, answer) = block.trim().split_once('\n').unwrap_or_default();
        let operation = request.split(' ').next().unwrap_or_default();
        match answer.starts_with('{') || answer == "(nothing)" {
            true => answered.insert(operation),
            false => refused.insert(operation),
        };
    }
    for name in OPERATIONS.served.iter().map(|operation| operation.name) {
        assert!(
            answered.contains(name),
            "{name} has no answer in transcript.txt"
        );
        assert!(
            refused.contains(name),
            "{name} has no refusal in transcript.txt"
        );
    }
}

/// A member that nobody reads would be accepted and dropped.
#[test]
fn every_member_of_the_model_is_read() {
    for line in MEMBERS.lines() {
        let (name, input) = line.split_once(' ').expect(line);
        let input = json::decode(input.as_bytes()).expect(line);
        if let Some(operation) = OPERATIONS
            .served
            .iter()
            .find(|operation| operation.name == name)
        {
            assert_eq!((operation.ignored)(&input), [""; 0], "{name} reads these");
        }
    }
}

async fn ask(control: &Control, request: &str) -> String {
    let (operation, input) = request.split_once(' ').expect(request);
    let file = Regex::new("@([a-z0-9.-]+)").expect("an expression");
    let input = file.replace_all(input, |found: &regex::Captures<'_>| {
        certificate_file(&found[1])
    });
    let outcome = match json::decode(input.as_bytes()) {
        Ok(input) => OPERATIONS.call(control, operation, &input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(Some(value)) => serde_json::to_string_pretty(&value).expect("JSON is text"),
        Ok(None) => "(nothing)".to_owned(),
        Err(error) => {
            let error = json::translate(error.code, error);
            format!("{} {} {}", error.code, error.status, error.message)
        }
    }
}

/// A file of `tests/certificates` in base64.
fn certificate_file(name: &str) -> String {
    STANDARD.encode(pem(name))
}

fn name(ids: &mut Vec<String>, text: &str) -> String {
    let key =
        Regex::new("(-----BEGIN ENCRYPTED PRIVATE KEY-----).*(-----END)").expect("an expression");
    let text = &*key.replace(text, "$1(other bytes each time)$2");
    let pattern = Regex::new("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("an expression");
    let number = |found: &regex::Captures<'_>| {
        let at = ids.iter().position(|known| *known == found[0]);
        let at = at.unwrap_or_else(|| {
            ids.push(found[0].to_owned());
            ids.len() - 1
        });
        format!("#{}", at + 1)
    };
    pattern.replace_all(text, number).into_owned()
}

fn restore(ids: &[String], text: &str) -> String {
    let pattern = Regex::new("#([0-9]+)").expect("an expression");
    let id = |found: &regex::Captures<'_>| {
        let at: usize = found[1].parse().expect("digits");
        ids[at - 1].clone()
    };
    pattern.replace_all(text, id).into_owned()
}

#[tokio::test]
async fn a_statement_has_a_bound_however_deep_its_filters_are() {
    let control = control_plane().await;
    let filter = r#"{"Filter":{"AcmCertificateMetadataFilter":{"InUse":true}}}"#;
    let statement = |times: usize| {
        let any = format!(r#"{{"Or":[{}]}}"#, [filter; 10].join(","));
        let all = vec![any; times].join(",");
        format!(r#"SearchCertificates {{"FilterStatement":{{"And":[{all}]}}}}"#)
    };
    assert!(
        !ask(&control, &statement(10))
            .await
            .contains("ValidationException")
    );
    let refused = "ValidationException 400 A statement has at most 100 filters, not 110.";
    assert_eq!(ask(&control, &statement(11)).await, refused);
}

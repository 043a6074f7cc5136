//! Every operation's requests and answers, as `transcript.txt` has them, on one fresh control plane, and every error of
//! its model, as `refusals.txt` has those that are not there, on one with lower limits; and every member of the model.
//!
//! A request is the name of an operation and its input on a line of its own; what follows it up to an empty
//! line is the answer: its JSON, or a code, a status and a message. `@name` in an input is the file of that
//! name in `tests/certificates` in base64. Encrypted keys are
//! left out. The ids of certificates are numbered in the order in which they
//! first appear. `(certificates are issued)` stands for what goes on in the background, and `(a listener shows ARN)` for
//! the making of a load balancer. A request that begins with `read-only ` is signed with such a key, and one that begins
//! with `throttled ` comes when the bucket of the operation is empty.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use control::ec2::Run;
use control::elb::create_listener::CreateListener;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::input::{
    Action, ActionType, CertificateSetting, FixedResponseConfig, TlsSettings,
};
use control::{Control, Limits, ManualClock, Settings};
use model::protocol::Protocol;
use regex::Regex;

use super::OPERATIONS;
use super::unreachable::UNREACHABLE;
use crate::ApiError;
use crate::golden::{self, NOTHING, Numbers};
use crate::json;
use crate::query::Node;
use crate::service::Service;
use crate::signed::{NOW_MILLIS, control_plane, control_plane_with, pem, read_only};
use crate::throttle::{Called, Throttle};

const ISSUING: &str = "(certificates are issued)";
const TRANSCRIPT: &str = "acm/transcript.txt";
const REFUSALS: &str = "acm/refusals.txt";
/// What `tests/vectors/errors.py` wrote.
const ERRORS: &str = include_str!("../../tests/vectors/acm_errors.txt");
/// What `tests/vectors/json_members.py` wrote.
const MEMBERS: &str = include_str!("../../tests/vectors/acm_members.txt");
const ID: &str = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let answers = answers(&control_plane().await, TRANSCRIPT).await;
    golden::check(TRANSCRIPT, &answers);
}

#[tokio::test]
async fn requests_get_the_errors_of_the_refusals() {
    let limits = Limits {
        imported_certificates: 2,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let clock = Arc::new(ManualClock::at(NOW_MILLIS));
    let control = control_plane_with(clock, settings).await;
    golden::check(REFUSALS, &answers(&control, REFUSALS).await);
}

#[test]
fn every_error_of_the_model_is_told_or_cannot_be_reached() {
    let told = golden::errors(&[TRANSCRIPT, REFUSALS], golden::operation);
    golden::check_errors(ERRORS, &served(), &told, &UNREACHABLE);
}

/// What the requests in a transcript are answered.
async fn answers(control: &Control, transcript: &str) -> String {
    let mut numbers = Numbers::of(ID);
    let key = "(-----BEGIN ENCRYPTED PRIVATE KEY-----).*(-----END)";
    let key = Regex::new(key).expect("an expression");
    golden::answered(transcript, async |request| {
        let request = numbers.restore(request);
        if request == ISSUING {
            let issued = control.issue_certificates().await;
            issued.expect("the store is in memory");
            return String::new();
        }
        if let Some(arn) = request.strip_prefix("(a listener shows ") {
            show(control, arn.trim_end_matches(')')).await;
            return String::new();
        }
        let answer = ask(control, &request).await;
        numbers.name(&key.replace(&answer, "$1(other bytes each time)$2"))
    })
    .await
}

/// Makes a load balancer with a listener that shows this certificate.
async fn show(control: &Control, certificate: &str) {
    let subnets = control.ec2(Run::Wet).describe_subnets(&Default::default());
    let subnets = subnets.expect("no filter").items.into_iter();
    let input = CreateLoadBalancer {
        name: "shop".to_owned(),
        subnets: subnets.map(|it| it.subnet.id.to_string()).collect(),
        ..CreateLoadBalancer::default()
    };
    let created = control.create_load_balancer(input).await;
    let input = CreateListener {
        load_balancer_arn: created.expect("a name").load_balancer.arn.to_string(),
        protocol: Some(Protocol::Https),
        port: Some(443),
        default_actions: vec![Action {
            fixed_response_config: Some(FixedResponseConfig {
                status_code: "200".to_owned(),
                ..FixedResponseConfig::default()
            }),
            ..Action::new(ActionType::FixedResponse)
        }],
        tls: TlsSettings {
            certificates: vec![CertificateSetting {
                certificate_arn: Some(certificate.to_owned()),
                is_default: None,
            }],
            ..TlsSettings::default()
        },
        ..CreateListener::default()
    };
    control.create_listener(input).await.expect("a certificate");
}

#[test]
fn every_operation_has_an_answer_and_a_refusal_in_the_transcript() {
    golden::check_operations(TRANSCRIPT, &served(), &[]);
}

fn served() -> Vec<&'static str> {
    OPERATIONS.served.iter().map(|it| it.name).collect()
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
    let (before, request) = match request.split_once(' ') {
        Some((before @ ("read-only" | "throttled"), request)) => (before, request),
        _ => ("", request),
    };
    let (operation, input) = request.split_once(' ').expect(request);
    let file = Regex::new("@([a-z0-9.-]+)").expect("an expression");
    let input = file.replace_all(input, |found: &regex::Captures<'_>| {
        certificate_file(&found[1])
    });
    let outcome = match json::decode(input.as_bytes()) {
        Ok(input) if let Some(error) = refusal(control, before, operation, &input) => Err(error),
        Ok(input) => OPERATIONS.call(control, operation, &input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(Some(value)) => serde_json::to_string_pretty(&value).expect("JSON is text"),
        Ok(None) => NOTHING.to_owned(),
        Err(error) => {
            let error = json::translate(error.code, error);
            format!("{} {} {}", error.code, error.status, error.message)
        }
    }
}

/// The error of a request that is signed with a read-only key, or comes too often.
fn refusal(control: &Control, before: &str, operation: &str, input: &Node) -> Option<ApiError> {
    let operation = OPERATIONS.find(operation).ok()?.name;
    let is_read = OPERATIONS.reads.contains(&operation);
    match before {
        "read-only" => {
            let place = &control.settings().place;
            let allowed = read_only().authorize(place, Service::Acm, operation, is_read, input);
            allowed.err()
        }
        "throttled" => {
            let throttle = Throttle::default();
            let called = Called {
                account: "123456789012",
                service: Service::Acm,
                operation,
                is_read,
                input,
            };
            (0..100).find_map(|_| throttle.take(called, 0).err())
        }
        _ => None,
    }
}

/// A file of `tests/certificates` in base64.
fn certificate_file(name: &str) -> String {
    STANDARD.encode(pem(name))
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

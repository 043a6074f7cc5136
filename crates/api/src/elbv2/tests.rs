//! Every operation's requests and answers, as `transcript.txt` has them, on one fresh control plane, and every error of
//! its model, as `refusals.txt` has those that are not there, on one with lower limits; and every member of the model.
//!
//! A request is a form on a line of its own; what follows it up to an empty line is the answer: the
//! members of the result, or a code, a status and a message. Random parts of identifiers are numbered in
//! the order in which they first appear: `#1` is the same everywhere in the transcript. A request that
//! begins with `ec2 ` goes to the inventory, and of its answer only the identifiers are told, as of one that begins with
//! `made `; one that begins with `import ` imports the certificate of that name in `tests/certificates`. `(51 tags)`
//! stands for as many of them.

use std::sync::Arc;

use control::acm::import_certificate::ImportCertificate;
use control::{
    CognitoUserPool, Control, Limits, ManualClock, NoPlane, Parts, SequentialIds, Settings,
};
use regex::Regex;
use testkit::CertificateObjects;

use super::OPERATIONS;
use super::unreachable::UNREACHABLE;
use crate::golden::{self, NOTHING, Numbers};
use crate::indented::indented;
use crate::query;

const TRANSCRIPT: &str = "elbv2/transcript.txt";
const REFUSALS: &str = "elbv2/refusals.txt";
/// What `tests/vectors/errors.py` wrote.
const ERRORS: &str = include_str!("../../tests/vectors/elbv2_errors.txt");
/// What `tests/vectors/elbv2_members.py` wrote.
const MEMBERS: &str = include_str!("../../tests/vectors/elbv2_members.txt");
/// The ends of ARNs, of EC2 identifiers, and of the first label of DNS names.
const ID: &str =
    r"\b(?:([0-9a-f]{16,17}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|([0-9]{9,10})\.us)\b";

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let control = control_plane(Limits::default()).await;
    golden::check(TRANSCRIPT, &answers(&control, TRANSCRIPT).await);
}

#[tokio::test]
async fn requests_get_the_errors_of_the_refusals() {
    let control = control_plane(low_limits()).await;
    golden::check(REFUSALS, &answers(&control, REFUSALS).await);
}

#[test]
fn every_error_of_the_model_is_told_or_cannot_be_reached() {
    let told = golden::errors(&[TRANSCRIPT, REFUSALS], golden::operation);
    golden::check_errors(ERRORS, &served(), &told, &UNREACHABLE);
}

/// What the requests in a transcript are answered.
async fn answers(control: &Control, name: &str) -> String {
    let mut numbers = Numbers::of(ID);
    // Signatures follow from the identifiers.
    let signature = Regex::new("signature=[0-9a-f]{64}").expect("an expression");
    golden::answered(name, async |request| {
        let answer = ask(control, &numbers.restore(request)).await;
        let answer = numbers.name(&answer);
        let answer = signature.replace_all(&answer, "signature=…").into_owned();
        let is_brief = ["ec2 ", "made "].iter().any(|it| request.starts_with(it));
        match is_brief && answer.starts_with('<') {
            true => identifiers(&answer),
            false => answer,
        }
    })
    .await
}

/// Accounts share nothing, so that these have nothing to do.
pub(crate) const NEVER_ANSWERED: [&str; 2] =
    ["DeleteSharedTrustStoreAssociation", "GetResourcePolicy"];

#[test]
fn every_operation_has_an_answer_and_a_refusal_in_the_transcript() {
    golden::check_operations(TRANSCRIPT, &served(), &NEVER_ANSWERED);
}

fn served() -> Vec<&'static str> {
    OPERATIONS.served.iter().map(|it| it.name).collect()
}

/// A member that nobody reads would be accepted and dropped.
#[test]
fn every_member_of_the_model_is_read() {
    for form in MEMBERS.lines() {
        let input = query::decode(form.as_bytes()).expect(form);
        let action = input.text("Action").expect(form);
        if let Some(operation) = OPERATIONS
            .served
            .iter()
            .find(|operation| operation.name == action)
        {
            assert_eq!((operation.ignored)(&input), [""; 0], "{action} reads these");
        }
    }
}

/// So low that the refusals meet them.
fn low_limits() -> Limits {
    Limits {
        load_balancers: 2,
        target_groups: 6,
        listeners_per_load_balancer: 3,
        rules_per_load_balancer: 2,
        certificates_per_load_balancer: 1,
        target_groups_per_load_balancer: 2,
        targets_per_target_group: 3,
        targets_per_load_balancer: 3,
        registrations_per_target_id: 2,
        trust_stores: 1,
        revocation_lists_per_trust_store: 1,
        ..Limits::default()
    }
}

async fn control_plane(limits: Limits) -> Control {
    let parts = Parts {
        store: Arc::new(store::Memory::new()),
        plane: Arc::new(NoPlane),
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(control::SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(CertificateObjects),
        issuer: None,
        settings: Settings {
            cognito_user_pools: vec![CognitoUserPool {
                arn: "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_aBc123"
                    .to_owned(),
                client_id: "shop".to_owned(),
                client_secret: "hush".into(),
                endpoint: None,
            }],
            limits,
            ..Settings::default()
        },
    };
    Control::open(parts)
        .await
        .expect("the defaults are in order")
}

async fn ask(control: &Control, request: &str) -> String {
    if let Some(name) = request.strip_prefix("import ") {
        return import(control, name).await;
    }
    let request = &request.replace("(51 tags)", &too_many_tags());
    let form = request.strip_prefix("made ").unwrap_or(request);
    let form = form.strip_prefix("ec2 ").unwrap_or(form);
    let input = query::decode(form.as_bytes()).expect(request);
    let action = input.text("Action").expect(request);
    let answer = match request.starts_with("ec2 ") {
        true => crate::ec2::OPERATIONS.call(control, action, &input).await,
        false => OPERATIONS.call(control, action, &input).await,
    };
    match answer {
        Ok(xml) if xml.as_str().is_empty() => NOTHING.to_owned(),
        Ok(xml) => indented(xml.as_str()),
        Err(error) => format!("{} {} {}", error.code, error.status, error.message),
    }
}

/// One more than a resource can have.
fn too_many_tags() -> String {
    let tag = |at| format!("Tags.member.{at}.Key=key-{at}&Tags.member.{at}.Value=x");
    (1..=51).map(tag).collect::<Vec<_>>().join("&")
}

/// The ARN of a certificate that is imported.
async fn import(control: &Control, name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/certificates");
    let pem = |name: &str| std::fs::read(format!("{directory}/{name}.pem")).expect(name);
    let input = ImportCertificate {
        certificate: pem(name),
        private_key: pem(&format!("{name}.key")),
        ..ImportCertificate::default()
    };
    let imported = control.import_certificate(input).await;
    imported.expect(name).to_string()
}

/// The identifiers in an answer, each once.
fn identifiers(answer: &str) -> String {
    let pattern =
        Regex::new("arn:aws:elasticloadbalancing:[^<]+|[a-z-]+-#[0-9]+").expect("an expression");
    let mut found: Vec<&str> = Vec::new();
    for id in pattern.find_iter(answer).map(|found| found.as_str()) {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found.join(" ")
}

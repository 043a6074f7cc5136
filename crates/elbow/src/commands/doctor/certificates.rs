//! Findings about the certificates of listeners.

use super::super::inventory::Listener;
use super::super::inventory::rules::{Action, Rule};
use super::finding::Finding;
use super::names::{fits, overlap};
use super::surroundings::{Certificate, Surroundings};

/// How long before its end a certificate is found to be about to end: as long as AWS's own reminders begin before.
const EXPIRY_WARNING_DAYS: i64 = 30;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Everything that is wrong with the certificates of a listener at this time, in seconds since 1970; `subject` is the
/// listener.
pub(super) fn findings(
    subject: &str,
    listener: &Listener,
    surroundings: &Surroundings,
    now_seconds: i64,
) -> Vec<Finding> {
    let Some(own) = surroundings.listener_certificates.get(&listener.arn) else {
        return Vec::new();
    };
    let known = |arn| Some((arn, surroundings.certificates.get(arn)?));
    let default = [&own.default].into_iter().filter_map(known);
    let additional = own.additional.iter().filter_map(known);
    let ends = default.chain(additional.clone());
    let ends = ends.filter_map(|it| ends_soon(subject, it, now_seconds));
    let idle = additional.filter_map(|it| serves_nobody(subject, listener, it));
    let unfit = listener.rules.iter().filter_map(|rule| {
        let all = [&own.default].into_iter().chain(&own.additional);
        has_no_certificate(subject, listener, rule, all.map(known))
    });
    ends.chain(idle).chain(unfit).collect()
}

/// A rule for hosts that no certificate is for. What a certificate that is not told, or has no names, is for is not known:
/// then nothing is found.
fn has_no_certificate<'a>(
    subject: &str,
    listener: &Listener,
    rule: &Rule,
    all: impl Iterator<Item = Option<(&'a String, &'a Certificate)>>,
) -> Option<Finding> {
    let all: Vec<_> = all.collect::<Option<_>>()?;
    if all.iter().any(|(_, it)| it.names.is_empty()) {
        return None;
    }
    let names = || all.iter().flat_map(|(_, certificate)| &certificate.names);
    let is_host = |value: &&String| !value.starts_with("regex:") && !value.contains(['*', '?']);
    let conditions = rule.conditions.iter();
    let hosts = conditions
        .filter(|condition| condition.field == "host-header")
        .flat_map(|condition| condition.values.iter().filter(is_host));
    let bare: Vec<_> = hosts
        .filter(|host| !names().any(|name| fits(name, host)))
        .map(String::as_str)
        .collect();
    (!bare.is_empty()).then(|| {
        Finding::warning(
            format!("rule {} of {subject}", rule.priority),
            &rule.arn,
            format!(
                "No certificate of the listener is for {}: clients that go there are shown one they refuse.",
                bare.join(", ")
            ),
            format!(
                "Add one: aws acm request-certificate --domain-name {}, and aws elbv2 add-listener-certificates \
                 --listener-arn {} --certificates CertificateArn=ARN",
                bare[0], listener.arn
            ),
        )
    })
}

/// A certificate beside the default one for whose names the listener has nothing but an error.
fn serves_nobody(
    subject: &str,
    listener: &Listener,
    (arn, certificate): (&String, &Certificate),
) -> Option<Finding> {
    let names = &certificate.names;
    if names.is_empty() || listener.rules.iter().any(|rule| may_serve(rule, names)) {
        return None;
    }
    Some(Finding::warning(
        name(subject, certificate),
        arn,
        format!("No rule of the listener serves {}.", names.join(", ")),
        format!(
            "Remove it: aws elbv2 remove-listener-certificates --listener-arn {listener} --certificates CertificateArn={arn}; \
             or add a rule for its host: aws elbv2 create-rule --listener-arn {listener} --conditions Field=host-header,Values=HOST --priority PRIORITY --actions ACTIONS",
            listener = listener.arn
        ),
    ))
}

/// Whether a request for one of these names can get more from a rule than the error that stands for "no such site".
fn may_serve(rule: &Rule, names: &[String]) -> bool {
    // What a regular expression matches cannot be compared with names.
    let may_be = |value: &String| {
        value.starts_with("regex:") || names.iter().any(|name| overlap(name, value))
    };
    let is_error = |action: &Action| matches!(action, Action::FixedResponse { status: 400.. });
    match &*rule.priority {
        "default" => !rule.actions.iter().any(is_error),
        _ => rule.conditions.iter().all(|condition| {
            condition.field != "host-header" || condition.values.iter().any(may_be)
        }),
    }
}

fn name(subject: &str, certificate: &Certificate) -> String {
    let name = certificate.names.first().map_or("", String::as_str);
    format!("certificate {name} of {subject}")
}

fn ends_soon(
    subject: &str,
    (arn, certificate): (&String, &Certificate),
    now_seconds: i64,
) -> Option<Finding> {
    let left = certificate.not_after_seconds.saturating_sub(now_seconds);
    let subject = name(subject, certificate);
    let remedy = match certificate.is_issued {
        true => format!(
            "Its renewal is overdue; see in RenewalSummary why it failed: aws acm describe-certificate --certificate-arn {arn}"
        ),
        false => format!(
            "Import the renewed one: aws acm import-certificate --certificate-arn {arn} --certificate fileb://CERTIFICATE --private-key fileb://KEY"
        ),
    };
    match left {
        ..0 => Some(Finding::error(
            subject,
            arn,
            "It has expired: clients refuse it.".to_owned(),
            remedy,
        )),
        left if left < EXPIRY_WARNING_DAYS * DAY_SECONDS => {
            let days = left / DAY_SECONDS;
            let wrong = format!("It expires soon; whole days that are left: {days}.");
            Some(Finding::warning(subject, arn, wrong, remedy))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::rules::Condition;
    use super::super::surroundings::ListenerCertificates;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn the_end_of_a_certificate_is_told_with_who_renews_it() {
        let import = "aws acm import-certificate --certificate-arn arn:x ";
        let describe = "aws acm describe-certificate --certificate-arn arn:x";
        for (days, is_issued, expected) in [
            (
                -1,
                false,
                Some(("It has expired: clients refuse it.", import)),
            ),
            (
                29,
                false,
                Some(("It expires soon; whole days that are left: 29.", import)),
            ),
            (
                29,
                true,
                Some(("It expires soon; whole days that are left: 29.", describe)),
            ),
            (30, false, None),
            (30, true, None),
        ] {
            let certificate = Certificate {
                not_after_seconds: NOW + days * DAY_SECONDS,
                is_issued,
                ..Certificate::default()
            };
            let found = ends_soon("listener", (&"arn:x".to_owned(), &certificate), NOW);
            let found = found.map(|it| (it.wrong, it.remedy));
            assert_eq!(found.is_some(), expected.is_some(), "{days}");
            if let (Some((wrong, remedy)), Some(expected)) = (found, expected) {
                assert_eq!(wrong, expected.0);
                assert!(remedy.contains(expected.1), "{remedy}");
            }
        }
    }

    /// What is found of a certificate for `shop.example` at a listener with these rules.
    fn found(is_default: bool, rules: Vec<Rule>) -> Option<String> {
        let certificate = Certificate {
            names: vec!["shop.example".to_owned(), "*.shop.example".to_owned()],
            not_after_seconds: i64::MAX,
            is_issued: false,
        };
        let mut own = ListenerCertificates::default();
        match is_default {
            true => own.default = "arn:x".to_owned(),
            false => own.additional = ["arn:x".to_owned()].into(),
        }
        let surroundings = Surroundings {
            certificates: [("arn:x".to_owned(), certificate)].into(),
            listener_certificates: [("arn:listener".to_owned(), own)].into(),
            ..Surroundings::default()
        };
        let listener = Listener {
            arn: "arn:listener".to_owned(),
            rules,
            ..Listener::default()
        };
        let found = findings("listener", &listener, &surroundings, NOW);
        let of_certificate = found.into_iter().find(|finding| finding.id == "arn:x");
        of_certificate.map(|finding| finding.wrong)
    }

    #[test]
    fn a_certificate_is_idle_if_no_rule_can_serve_its_names() {
        let idle = "No rule of the listener serves shop.example, *.shop.example.";
        let host = |value| ("host-header", value);
        let error = Action::FixedResponse { status: 404 };
        let fixed = Action::FixedResponse { status: 200 };
        let forward = Action::Forward {
            target_groups: Vec::new(),
        };
        for (is_default, (field, value), default, expected) in [
            (false, host("other.example"), &error, Some(idle)),
            (false, host("www.shop.example"), &error, None),
            (false, host("regex:^other"), &error, None),
            // Rules without a host and the default rule serve every host.
            (false, ("path-pattern", "/a"), &error, None),
            (false, host("other.example"), &forward, None),
            (false, host("other.example"), &fixed, None),
            // A listener cannot be without a default certificate.
            (true, host("other.example"), &error, None),
        ] {
            let rule = Rule {
                priority: "1".to_owned(),
                conditions: vec![Condition {
                    field: field.to_owned(),
                    header: None,
                    values: vec![value.to_owned()],
                }],
                actions: vec![forward.clone()],
                ..Rule::default()
            };
            let last = Rule {
                priority: "default".to_owned(),
                actions: vec![default.clone()],
                ..Rule::default()
            };
            let found = found(is_default, vec![rule, last]);
            assert_eq!(found.as_deref(), expected, "{value} {default}");
        }
    }
    #[test]
    fn a_rule_for_a_host_needs_a_certificate() {
        let named = |name: &str| Certificate {
            names: Vec::from_iter((!name.is_empty()).then(|| name.to_owned())),
            ..Certificate::default()
        };
        let arns = ["arn:a".to_owned(), "arn:b".to_owned()];
        for (names, hosts, expected) in [
            (
                ["a.example", "*.b.example"],
                &["a.example", "www.b.example"][..],
                None,
            ),
            (
                ["a.example", "*.b.example"],
                &["A.example", "b.example"],
                Some("b.example"),
            ),
            (
                ["a.example", "*.b.example"],
                &["x", "y.a.example"],
                Some("x, y.a.example"),
            ),
            // What a pattern matches depends on who asks.
            (["a.example", "a.example"], &["*.x", "?.x", "regex:x"], None),
            // The other one may be for anybody.
            (["a.example", ""], &["x"], None),
        ] {
            let [first, second] = names.map(named);
            let all = [(&arns[0], &first), (&arns[1], &second)].map(Some);
            let rule = Rule {
                priority: "1".to_owned(),
                conditions: vec![Condition {
                    field: "host-header".to_owned(),
                    header: None,
                    values: hosts.iter().map(|host| (*host).to_owned()).collect(),
                }],
                ..Rule::default()
            };
            let listener = Listener::default();
            let found = has_no_certificate("it", &listener, &rule, all.into_iter());
            let expected = expected.map(|hosts| {
                format!("No certificate of the listener is for {hosts}: clients that go there are shown one they refuse.")
            });
            assert_eq!(found.map(|it| it.wrong), expected, "{hosts:?}");
            let unknown = has_no_certificate("it", &listener, &rule, [None].into_iter());
            assert_eq!(unknown, None);
        }
    }
}

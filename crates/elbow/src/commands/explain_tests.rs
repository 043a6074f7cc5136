use super::*;
use crate::explain::{Certificate, RuleStep};

fn rule(priority: &str, failed: &[&str]) -> RuleStep {
    RuleStep {
        priority: priority.to_owned(),
        arn: format!("arn:rule/{priority}"),
        failed: failed.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn target(name: &str, state: &str, is_eligible: bool, reason: &str) -> Target {
    Target {
        target: name.to_owned(),
        state: state.to_owned(),
        is_eligible,
        is_out_of_reach: false,
        reason: reason.to_owned(),
    }
}

fn forwarded() -> Answer {
    let group = TargetGroup {
        name: "web".to_owned(),
        arn: "arn:group/web".to_owned(),
        weight: 3,
        weights: 4,
        refusal: None,
        algorithm: "round_robin".to_owned(),
        fails_open: false,
        stickiness: None,
        cookie: None,
        next: Some("10.0.0.1:80".to_owned()),
        targets: vec![
            target("10.0.0.1:80", "healthy", true, ""),
            target(
                "10.0.0.2:8080",
                "unhealthy",
                false,
                "Target.Timeout: Request timed out",
            ),
        ],
    };
    Answer {
        load_balancer: "arn:lb".to_owned(),
        listener: Some("arn:listener".to_owned()),
        address: "127.65.1.10:443".to_owned(),
        zone: Some("us-east-1a".to_owned()),
        from: [127, 0, 0, 1].into(),
        security_groups: vec!["sg-1".to_owned()],
        is_admitted: Some(true),
        certificate: Some(Certificate {
            arn: "arn:certificate".to_owned(),
            server_name: Some("shop.example".to_owned()),
            is_default: false,
            names: vec!["shop.example".to_owned()],
            is_for_name: true,
        }),
        mutual_tls: None,
        desync: None,
        rules: vec![
            rule("10", &["path-pattern /api/* does not match /x"]),
            rule("20", &[]),
        ],
        before_action: vec!["rate limit: 1 requests".to_owned()],
        outcome: Outcome::Forward {
            host: None,
            url: Some("/y".to_owned()),
            target_groups: vec![group],
            cookie: None,
            stickiness: None,
            mirror: None,
        },
    }
}

fn target_groups_of(answer: &mut Answer) -> &mut Vec<TargetGroup> {
    match &mut answer.outcome {
        Outcome::Forward { target_groups, .. } => target_groups,
        other => unreachable!("it is forwarded, not {other:?}"),
    }
}

#[test]
fn a_forward_is_told_from_the_connection_to_the_target() {
    let expected = "\
load balancer    arn:lb
listener         arn:listener
address          127.65.1.10:443 in us-east-1a
security groups  sg-1 admit 127.0.0.1
certificate      arn:certificate (chosen for shop.example)
rule 10: path-pattern /api/* does not match /x
rule 20 matches: arn:rule/20
rate limit: 1 requests
url rewritten: /y
forward to web  3 of 4 requests
  10.0.0.1:80    healthy    eligible
  10.0.0.2:8080  unhealthy  not eligible  Target.Timeout: Request timed out
  next by round_robin: 10.0.0.1:80
";
    assert_eq!(text(&forwarded()), expected);
}

#[test]
fn a_cookie_is_told_with_whether_it_counts() {
    let cookie = |name: &str, fault: Option<&str>| {
        Some(Cookie {
            name: name.to_owned(),
            fault: fault.map(str::to_owned),
        })
    };
    for (of_group, of_target, expected) in [
        (
            None,
            None,
            &[
                "forward to web  because of the cookie AWSALBTG",
                "  stays with 10.0.0.1:80 because of the cookie AWSALB",
            ][..],
        ),
        (
            Some("it has expired"),
            Some("it has expired"),
            &[
                "the cookie AWSALBTG does not count: it has expired",
                "forward to web  3 of 4 requests",
                "  the cookie AWSALB does not count: it has expired",
                "  next by round_robin: 10.0.0.1:80",
            ],
        ),
    ] {
        let mut answer = forwarded();
        target_groups_of(&mut answer)[0].cookie = cookie("AWSALB", of_target);
        if let Outcome::Forward { cookie: own, .. } = &mut answer.outcome {
            *own = cookie("AWSALBTG", of_group);
        }
        let text = text(&answer);
        let is_about_it = |line: &&str| {
            let words = ["cookie", "forward to", "next by"];
            words.iter().any(|it| line.contains(it))
        };
        let lines: Vec<_> = text.lines().filter(is_about_it).collect();
        assert_eq!(lines, expected);
        target_groups_of(&mut answer)[0].weight = 0;
        target_groups_of(&mut answer)[0].refusal = Some("503: no target".to_owned());
        assert_eq!(is_served(&answer.outcome), of_group.is_some());
    }
}

#[test]
fn a_certificate_is_told_with_whether_it_fits() {
    for (name, is_default, is_for_name, expected) in [
        (
            Some("a.example"),
            true,
            true,
            "the default, shown for a.example",
        ),
        (
            Some("a.example"),
            true,
            false,
            "the default, shown for a.example, which its names do not include: clients refuse it",
        ),
        (
            None,
            true,
            false,
            "the default, for a client that names no host",
        ),
        (Some("a.example"), false, true, "chosen for a.example"),
    ] {
        let mut answer = forwarded();
        answer.certificate = Some(Certificate {
            arn: "arn:certificate".to_owned(),
            server_name: name.map(str::to_owned),
            is_default,
            names: Vec::new(),
            is_for_name,
        });
        let text = text(&answer);
        let line = text.lines().find(|line| line.starts_with("certificate"));
        let line = line.expect("there is a certificate");
        assert!(
            line.ends_with(&format!("arn:certificate ({expected})")),
            "{line}"
        );
    }
}

#[test]
fn where_nothing_listens_is_told_without_a_listener() {
    let mut answer = forwarded();
    (answer.listener, answer.zone, answer.is_admitted) = (None, None, None);
    (answer.certificate, answer.rules, answer.before_action) = Default::default();
    answer.outcome = Outcome::NoConnection {
        reason: "no listener is on port 81".to_owned(),
    };
    let expected = "\
load balancer    arn:lb
address          127.65.1.10:443
no connection: no listener is on port 81
";
    assert_eq!(text(&answer), expected);
}

#[test]
fn the_status_tells_whether_the_request_would_be_served() {
    let mut answer = forwarded();
    assert!(is_served(&answer.outcome));
    target_groups_of(&mut answer)[0].refusal = Some("503: no target".to_owned());
    assert!(!is_served(&answer.outcome));
    let reason = String::new();
    assert!(!is_served(&Outcome::NoConnection {
        reason: reason.clone()
    }));
    assert!(!is_served(&Outcome::Refused {
        status: 400,
        reason
    }));
    assert!(is_served(&Outcome::FixedResponse { status: 404 }));
}

//! `elbow explain`: what would become of a request, step by step. No request is sent for it.

use std::path::PathBuf;
use std::process::ExitCode;

use proxy::explain::PeerCertificates;

use super::{CommandError, columns};
use crate::cli::ExplainArgs;
use crate::explain::mutual_tls::{Mode, MutualTls};
use crate::explain::{Answer, Asked, Cookie, Outcome, Question, Target, TargetGroup};

/// Prints what would become of a request. The status is 1 if it would get an error from elbow, or no answer.
///
/// # Errors
/// Elbow is not there, or the question is about nothing that there is.
pub(crate) async fn run(args: ExplainArgs) -> Result<ExitCode, CommandError> {
    let client = super::client(args.client)?;
    let question = Question {
        method: args.method,
        url: args.url,
        headers: args.headers,
        from: args.from,
        listener: args.listener,
        address: args.address,
        client_certificate: args.client_certificate.map(read_certificates).transpose()?,
        is_http2: args.http2,
    };
    let asked = Asked::Request(question);
    let answer = client.explain(serde_json::to_string(&asked)?).await?;
    let answer: Answer = serde_json::from_str(&answer)?;
    if args.json {
        super::print_json(&answer)?;
    } else {
        super::print(&text(&answer))?;
    }
    Ok(super::status(is_served(&answer.outcome)))
}

/// The certificates of a PEM file, without the private key that may be in it too.
fn read_certificates(path: PathBuf) -> Result<String, CommandError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(CommandError::File { path, source }),
    };
    match PeerCertificates::from_pem(&text) {
        Ok(certificates) => Ok(certificates.chain_pem()),
        Err(source) => Err(CommandError::ClientCertificate { path, source }),
    }
}

/// Whether an action answers the request, or a target of it may get it.
fn is_served(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::NoConnection { .. } | Outcome::Refused { .. } => false,
        Outcome::Redirect { .. }
        | Outcome::FixedResponse { .. }
        | Outcome::LoginCallback { .. } => true,
        Outcome::Forward {
            target_groups,
            cookie,
            ..
        } => {
            let stays = cookie.as_ref().is_some_and(|it| it.fault.is_none());
            let mut chosen = target_groups.iter().filter(|it| stays || it.weight > 0);
            chosen.all(|group| group.refusal.is_none())
        }
    }
}

fn text(answer: &Answer) -> String {
    let mut out = format!("load balancer    {}\n", answer.load_balancer);
    if let Some(listener) = &answer.listener {
        out += &format!("listener         {listener}\n");
    }
    out += &format!("address          {}", answer.address);
    if let Some(zone) = &answer.zone {
        out += &format!(" in {zone}");
    }
    out.push('\n');
    if let Some(is_admitted) = answer.is_admitted {
        let groups = answer.security_groups.join(", ");
        let verb = if is_admitted { "admit" } else { "do not admit" };
        out += &format!("security groups  {groups} {verb} {}\n", answer.from);
    }
    if let Some(certificate) = &answer.certificate {
        let name = certificate.server_name.as_deref();
        let why = match (certificate.is_for_name, name) {
            (false, Some(name)) => {
                format!(
                    "the default, shown for {name}, which its names do not include: clients refuse it"
                )
            }
            (true, Some(name)) if certificate.is_default => {
                format!("the default, shown for {name}")
            }
            (_, None) => "the default, for a client that names no host".to_owned(),
            (true, Some(name)) => format!("chosen for {name}"),
        };
        out += &format!("certificate      {} ({why})\n", certificate.arn);
    }
    if let Some(mutual_tls) = &answer.mutual_tls {
        out += &format!("mutual TLS       {}\n", client_certificate(mutual_tls));
    }
    if let Some(desync) = &answer.desync {
        out += &format!("desync           {desync}\n");
    }
    for (place, rule) in (1..).zip(&answer.rules) {
        // The walk ends at the rule that matches; a request that is refused before it has none.
        if place == answer.rules.len() {
            out += &format!("rule {} matches: {}\n", rule.priority, rule.arn);
            continue;
        }
        for failed in &rule.failed {
            out += &format!("rule {}: {failed}\n", rule.priority);
        }
    }
    for line in &answer.before_action {
        out += &format!("{line}\n");
    }
    out + &outcome(&answer.outcome)
}

fn client_certificate(mutual_tls: &MutualTls) -> String {
    let trust_store = mutual_tls.trust_store.as_deref().unwrap_or_default();
    match (mutual_tls.mode, mutual_tls.has_certificate, &mutual_tls.fault) {
        (Mode::Verify, false, _) => format!(
            "{trust_store} has to verify the client's certificate, and the client has none"
        ),
        (Mode::Verify, true, Some(fault)) => {
            format!("{trust_store} refuses the client's certificate ({fault})")
        }
        (Mode::Verify, true, None) => format!("{trust_store} verifies the client's certificate"),
        (Mode::Passthrough, true, _) => {
            "passthrough: the target gets the client's certificate unverified".to_owned()
        }
        (Mode::Passthrough, false, _) => {
            "passthrough: a certificate of the client would go to the target unverified; it has none"
                .to_owned()
        }
        (Mode::Off, ..) => "off: the client is not asked for its certificate".to_owned(),
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NoConnection { reason } => format!("no connection: {reason}\n"),
        Outcome::Refused { status, reason } => format!("answer {status}: {reason}\n"),
        Outcome::Redirect { status, location } => format!("redirect {status} to {location}\n"),
        Outcome::FixedResponse { status } => format!("fixed response {status}\n"),
        Outcome::LoginCallback { issuers } => format!(
            "login callback: if the login began here, {} is asked for the user and the client sent back to where it \
             began; else the answer is 401\n",
            issuers.join(" or ")
        ),
        Outcome::Forward {
            host,
            url,
            target_groups,
            cookie,
            stickiness,
            mirror,
        } => {
            let line = |label: &str, text: &Option<String>| {
                let text = text.as_ref();
                text.map_or(String::new(), |text| format!("{label}: {text}\n"))
            };
            let mut out = line("host rewritten", host) + &line("url rewritten", url);
            let stays_by = match cookie {
                Some(Cookie { name, fault: None }) => Some(&**name),
                Some(Cookie {
                    name,
                    fault: Some(fault),
                }) => {
                    out += &format!("the cookie {name} does not count: {fault}\n");
                    None
                }
                None => None,
            };
            for group in target_groups {
                out += &target_group(group, stays_by);
            }
            out + &line("stickiness", stickiness) + &line("mirror", mirror)
        }
    }
}

/// `stays_by`: the cookie because of which the request goes to this group.
fn target_group(group: &TargetGroup, stays_by: Option<&str>) -> String {
    let share = match (stays_by, group.weight, group.weights) {
        (Some(cookie), ..) => format!("  because of the cookie {cookie}"),
        (None, weight, weights) if weight == weights => String::new(),
        (None, weight, weights) => format!("  {weight} of {weights} requests"),
    };
    let mut out = format!("forward to {}{share}\n", group.name);
    if group.fails_open {
        out += "  fails open: too few targets are healthy, requests go to all\n";
    }
    let row = |target: &Target| {
        let verdict = if target.is_eligible {
            "eligible"
        } else {
            "not eligible"
        };
        let cells = [&target.target, &target.state, verdict, &target.reason];
        cells.map(str::to_owned).to_vec()
    };
    let rows: Vec<_> = group.targets.iter().map(row).collect();
    out += &columns::lines("  ", &rows);
    if let Some(stickiness) = &group.stickiness {
        out += &format!("  stickiness: {stickiness}\n");
    }
    let cookie = group.cookie.as_ref();
    if let Some((cookie, fault)) = cookie.and_then(|it| Some((&it.name, it.fault.as_ref()?))) {
        out += &format!("  the cookie {cookie} does not count: {fault}\n");
    }
    let stays_by = cookie.filter(|it| it.fault.is_none());
    out += &match (&group.refusal, &group.next, stays_by) {
        (Some(refusal), ..) => format!("  answer {refusal}\n"),
        (None, Some(next), Some(cookie)) => {
            format!(
                "  stays with {next} because of the cookie {}\n",
                cookie.name
            )
        }
        (None, Some(next), None) => format!("  next by {}: {next}\n", group.algorithm),
        (None, None, _) => format!("  one of the eligible by {}\n", group.algorithm),
    };
    out
}

#[cfg(test)]
mod tests {
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
}

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
#[path = "explain_tests.rs"]
mod tests;

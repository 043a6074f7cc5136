//! The side of the server: which listener a question is about, and what the data plane says to it.

use std::net::IpAddr;
use std::time::SystemTime;

use control::{Control, State};
use engine::{Authentication, Frontend, Routing, Snapshot};
use model::id::LoadBalancerId;
use model::listener::Listener;
use model::rule::{Rule, RulePriority};
use proxy::CookieKey;
use proxy::explain::{self, Explanation, RequestSubject, Routed};
use serde::Serialize;

use super::mutual_tls::MutualTls;
use super::node::{Ends, Node, Nothing, Place};
use super::targets::{group_name, target_groups};
use super::url::Url;
use super::{Answer, Asked, Certificate, Cookie, Outcome, Question, QuestionError, RuleStep};
use crate::commands::inventory::rules::Condition;

/// Answers a question in JSON from what is live, in JSON. Nothing is touched by it.
///
/// # Errors
/// `QuestionError` if it is about nothing that there is.
pub(crate) async fn answer(
    control: &Control,
    snapshot: &Snapshot,
    cookie_key: CookieKey,
    question: &[u8],
) -> Result<String, QuestionError> {
    match serde_json::from_slice(question)? {
        Asked::Request(question) => answer_request(control, snapshot, cookie_key, question).await,
        Asked::DroppedConnections => Ok(json(&control.dropped_connections(None))),
    }
}

async fn answer_request(
    control: &Control,
    snapshot: &Snapshot,
    cookie_key: CookieKey,
    question: Question,
) -> Result<String, QuestionError> {
    let state = control.read(State::clone);
    let url = Url::parse(&question.url)?;
    if question.client_certificate.is_some() && !url.is_https {
        return Err(QuestionError::ClearText);
    }
    let now = SystemTime::now();
    let ends = Ends::of(&question, &url)?;
    let node = match Place::find(snapshot, &state, &question, &url, ends)? {
        Place::Node(node) => node,
        Place::Nothing(nothing) => return Ok(json(&nowhere(&state, ends, nothing))),
    };
    let frontend = node.frontend;
    let listener = &node.listener;
    let is_admitted = frontend.admission.admits(ends.from);
    let mut answer = Answer {
        load_balancer: listener.arn.load_balancer.to_string(),
        listener: Some(listener.arn.to_string()),
        address: node.address.to_string(),
        zone: Some(node.zone.to_string()),
        from: ends.from,
        security_groups: security_groups(&state, listener.arn.load_balancer.id),
        is_admitted: Some(is_admitted),
        certificate: None,
        mutual_tls: None,
        desync: None,
        rules: Vec::new(),
        before_action: Vec::new(),
        outcome: Outcome::NoConnection {
            reason: "no security group of the load balancer admits the client".to_owned(),
        },
    };
    if !is_admitted {
        return Ok(json(&answer));
    }
    if let Some(reason) = mismatch(frontend, &question, &url) {
        answer.outcome = Outcome::NoConnection { reason };
        return Ok(json(&answer));
    }
    answer.certificate = certificate(frontend, &url, now)?;
    answer.mutual_tls = MutualTls::of(frontend, listener, &question, now)?;
    if let Some(reason) = answer.mutual_tls.as_ref().and_then(MutualTls::refusal) {
        answer.outcome = Outcome::NoConnection { reason };
        return Ok(json(&answer));
    }
    let head = head(&question, &url)?;
    let asked = explain::Question {
        frontend,
        source: ends.from,
        head: &head,
        is_http2: question.is_http2,
        cookie_key,
        now,
    };
    let rules = state.elb.rules_of(listener.arn.id);
    let mut steps = Ok(Vec::new());
    let Explanation { desync, routed } = explain::explain(&asked, |subject| {
        steps = rules.iter().map(|rule| step(rule, subject)).collect();
    });
    answer.desync = desync.map(|it| {
        let closes = if it.closes {
            ", the connection is closed after the response"
        } else {
            ""
        };
        format!("{} ({}){closes}", it.class, it.reason)
    });
    match routed {
        Err(refusal) => answer.outcome = refused(refusal),
        Ok(routed) => {
            answer.rules = up_to_match(steps?, &routed, listener);
            answer.before_action = before(&routed);
            answer.outcome = outcome(control, &state, &node, routed).await?;
        }
    }
    Ok(json(&answer))
}

/// The answer where the client finds nothing to connect to.
fn nowhere(state: &State, ends: Ends, nothing: Nothing) -> Answer {
    let balancer = state.elb.load_balancers.get(&nothing.load_balancer);
    Answer {
        load_balancer: balancer.map_or_else(String::new, |it| it.arn.to_string()),
        listener: nothing.listener,
        address: nothing.address,
        zone: None,
        from: ends.from,
        security_groups: security_groups(state, nothing.load_balancer),
        is_admitted: None,
        certificate: None,
        mutual_tls: None,
        desync: None,
        rules: Vec::new(),
        before_action: Vec::new(),
        outcome: Outcome::NoConnection {
            reason: nothing.reason,
        },
    }
}

fn security_groups(state: &State, balancer: LoadBalancerId) -> Vec<String> {
    let balancer = state.elb.load_balancers.get(&balancer);
    let groups = balancer.map_or(&[][..], |it| &it.security_groups);
    groups.iter().map(ToString::to_string).collect()
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("the keys of all maps are text")
}

/// Why the client and the listener do not understand each other.
fn mismatch(frontend: &Frontend, question: &Question, url: &Url<'_>) -> Option<String> {
    let text = match (&frontend.tls, url.is_https) {
        (Some(_), false) => "the listener speaks HTTPS, and the URL says http",
        (None, true) => "the listener speaks HTTP, and the URL says https",
        (None, false) if question.is_http2 => "the listener speaks HTTP, and HTTP/2 needs HTTPS",
        (Some(_), true) if question.is_http2 && !frontend.http.offers_http2 => {
            "the load balancer does not offer HTTP/2"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn certificate(
    frontend: &Frontend,
    url: &Url<'_>,
    now: SystemTime,
) -> Result<Option<Certificate>, QuestionError> {
    let Some(tls) = &frontend.tls else {
        return Ok(None);
    };
    // RFC 6066 section 3: an address is no server name.
    let server_name = url.host.parse::<IpAddr>().is_err().then_some(url.host);
    let shown = explain::certificate_for(tls, server_name, now)?;
    let arn = &shown.certificate.name;
    Ok(Some(Certificate {
        arn: arn.to_string(),
        server_name: server_name.map(str::to_owned),
        is_default: *arn == tls.default_certificate.name,
        names: shown.names,
        is_for_name: shown.is_for_name,
    }))
}

/// The head of the request as a client would send it.
fn head(question: &Question, url: &Url<'_>) -> Result<Vec<u8>, QuestionError> {
    let is_broken = |text: &str| text.contains(['\r', '\n', '\0']);
    if is_broken(&question.method) || is_broken(&url.target) || is_broken(url.authority) {
        return Err(QuestionError::Url(question.url.clone()));
    }
    let mut head = format!("{} {} HTTP/1.1\r\n", question.method, url.target);
    let has_host = question
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host {
        head += &format!("Host: {}\r\n", url.authority);
    }
    for (name, value) in &question.headers {
        if is_broken(name) || is_broken(value) {
            return Err(QuestionError::Header(name.clone()));
        }
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    Ok(head.into_bytes())
}

fn step(
    rule: &Rule,
    subject: &dyn RequestSubject,
) -> Result<RuleStep, engine::router::CompileError> {
    let failed = subject.failed(&rule.conditions)?.into_iter();
    let sentence = |at: usize| {
        let condition = &rule.conditions[at];
        let words = Condition::from(condition);
        match subject.subject_of(condition) {
            Some(subject) => format!("{words} does not match {subject}"),
            None => format!("{words} does not match: the request has none"),
        }
    };
    Ok(RuleStep {
        priority: rule.priority.to_string(),
        arn: rule.arn.to_string(),
        failed: failed.map(sentence).collect(),
    })
}

/// The rules before the one that `route` has found, and that one.
fn up_to_match(steps: Vec<RuleStep>, routed: &Routed<'_>, listener: &Listener) -> Vec<RuleStep> {
    let priority = match routed.priority {
        0 => RulePriority::Default.to_string(),
        number => number.to_string(),
    };
    let mut shown = Vec::new();
    for step in steps {
        let is_match = step.priority == priority;
        shown.push(step);
        if is_match {
            return shown;
        }
    }
    shown.push(RuleStep {
        priority,
        arn: listener.default_rule().arn.to_string(),
        failed: Vec::new(),
    });
    shown
}

fn before(routed: &Routed<'_>) -> Vec<String> {
    let action = routed.action;
    let limiter = action
        .extensions
        .as_ref()
        .and_then(|it| it.rate_limiter.as_ref());
    let limit = limiter.map(|limiter| {
        let limit = limiter.limit();
        let key = match &limit.key {
            engine::extension::RateLimitKey::SourceIp => "source address".to_owned(),
            engine::extension::RateLimitKey::Field(name) => format!("value of {name}"),
        };
        format!(
            "rate limit: {} requests each {} s, {} at once, for each {key}; more are answered with 429",
            limit.requests, limit.period_seconds, limit.burst
        )
    });
    // What ends a login needs none.
    let authentication = action
        .authentication
        .as_ref()
        .filter(|_| !routed.is_callback);
    let authentication = authentication.map(|it| match it {
        Authentication::Oidc(oidc) => format!(
            "authentication: without a session cookie the client is asked for a login at {} ({})",
            oidc.authorization_endpoint, oidc.on_unauthenticated_request
        ),
        Authentication::Jwt(jwt) => format!(
            "authentication: without a valid bearer token of {} the answer is 401",
            jwt.issuer
        ),
    });
    limit.into_iter().chain(authentication).collect()
}

fn refused(refusal: explain::Refusal) -> Outcome {
    Outcome::Refused {
        status: refusal.status,
        reason: refusal.reason.to_owned(),
    }
}

async fn outcome(
    control: &Control,
    state: &State,
    node: &Node<'_>,
    routed: Routed<'_>,
) -> Result<Outcome, QuestionError> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let outcome = match routed.outcome {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(refused(refusal)),
    };
    Ok(match (outcome, &routed.action.routing) {
        (explain::Outcome::Forward(forwarded), Routing::Forward(forward)) => {
            let target_groups = target_groups(control, state, node, forward, &forwarded).await?;
            let mirror = routed
                .action
                .extensions
                .as_ref()
                .and_then(|it| it.mirror.as_ref());
            let seconds = forward.stickiness.map(|duration| duration.as_secs());
            Outcome::Forward {
                host: forwarded.host.map(text),
                url: forwarded.url.map(text),
                target_groups,
                cookie: forwarded.pool_cookie.map(|cookie| Cookie {
                    name: cookie.name.to_owned(),
                    fault: cookie.named.err().map(|fault| fault.to_string()),
                }),
                stickiness: seconds
                    .map(|seconds| format!("a cookie AWSALBTG keeps a client for {seconds} s")),
                mirror: mirror.map(|it| {
                    format!(
                        "{}% are copied to {}",
                        it.percentage,
                        group_name(state, &it.pool)
                    )
                }),
            }
        }
        (explain::Outcome::Redirect(location), Routing::Redirect(redirect)) => Outcome::Redirect {
            status: redirect.status,
            location: text(location),
        },
        (explain::Outcome::LoginCallback { issuers }, _) => Outcome::LoginCallback { issuers },
        (_, Routing::FixedResponse(fixed)) => Outcome::FixedResponse {
            status: fixed.status,
        },
        _ => unreachable!("the outcome is that of the routing"),
    })
}

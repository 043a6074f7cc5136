//! The side of the server: which listener a question is about, and what the data plane says to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use control::elb::describe_target_health::{DescribeTargetHealth, TargetHealthDescription};
use control::{Control, State};
use engine::{Action, Algorithm, Authentication, Forward, Frontend, Pool, Snapshot, Stickiness};
use model::id::{ListenerId, TargetGroupId};
use model::listener::Listener;
use model::rule::{Rule, RulePriority};
use proxy::explain::{self, Explanation, RequestSubject, Routed};

use super::{Answer, Certificate, Outcome, Question, QuestionError, RuleStep, Target, TargetGroup};
use crate::commands::inventory::rules::Condition;

/// Answers a question in JSON from what is live, in JSON. Nothing is touched by it.
///
/// # Errors
/// `QuestionError` if it is about nothing that there is.
pub(crate) async fn answer(
    control: &Control,
    snapshot: &Snapshot,
    question: &[u8],
) -> Result<String, QuestionError> {
    let question: Question = serde_json::from_slice(question)?;
    let state = control.read(State::clone);
    let url = Url::parse(&question.url)?;
    let node = Node::find(snapshot, &state, &question, &url)?;
    let frontend = node.frontend;
    let listener = &node.listener;
    let load_balancer = state.elb.load_balancers.get(&listener.arn.load_balancer.id);
    let groups = load_balancer.map_or(&[][..], |it| &it.security_groups);
    let mut answer = Answer {
        load_balancer: listener.arn.load_balancer.to_string(),
        listener: listener.arn.to_string(),
        address: node.address.to_string(),
        zone: node.zone.to_string(),
        from: question.from,
        security_groups: groups.iter().map(ToString::to_string).collect(),
        is_admitted: frontend.admission.admits(question.from),
        certificate: None,
        desync: None,
        rules: Vec::new(),
        before_action: Vec::new(),
        outcome: Outcome::NoConnection {
            reason: "no security group of the load balancer admits the client".to_owned(),
        },
    };
    if !answer.is_admitted {
        return Ok(json(&answer));
    }
    if let Some(reason) = mismatch(frontend, &question, &url) {
        answer.outcome = Outcome::NoConnection { reason };
        return Ok(json(&answer));
    }
    answer.certificate = certificate(frontend, &url)?;
    let head = head(&question, &url)?;
    let asked = explain::Question {
        frontend,
        source: question.from.to_canonical(),
        head: &head,
        is_http2: question.is_http2,
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
            answer.before_action = before(routed.action);
            answer.outcome = outcome(control, &state, &node, routed).await?;
        }
    }
    Ok(json(&answer))
}

fn json(answer: &Answer) -> String {
    serde_json::to_string(answer).expect("the keys of all maps are text")
}

/// The parts of a URL.
struct Url<'u> {
    is_https: bool,
    /// Without brackets.
    host: &'u str,
    /// Host and port as they stand there.
    authority: &'u str,
    port: u16,
    /// Path and query.
    target: String,
}

impl<'u> Url<'u> {
    fn parse(text: &'u str) -> Result<Self, QuestionError> {
        Self::read(text).ok_or_else(|| QuestionError::Url(text.to_owned()))
    }

    fn read(text: &'u str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match &*scheme.to_ascii_lowercase() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let slash = if target.starts_with('/') { "" } else { "/" };
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if port.is_empty() && is_https => 443,
            None if port.is_empty() => 80,
            None => return None,
        };
        let is_plain = !host.is_empty() && !authority.contains('@');
        is_plain.then(|| Self {
            is_https,
            host,
            authority,
            port,
            target: format!("{slash}{target}"),
        })
    }
}

/// Where the client connects to.
struct Node<'s> {
    frontend: &'s Frontend,
    listener: Arc<Listener>,
    address: SocketAddr,
    zone: Arc<str>,
}

impl<'s> Node<'s> {
    fn find(
        snapshot: &'s Snapshot,
        state: &State,
        question: &Question,
        url: &Url<'_>,
    ) -> Result<Self, QuestionError> {
        let wanted = question.address.or_else(|| url.host.parse().ok());
        let has_address =
            |frontend: &Frontend, ip| frontend.addresses.iter().any(|it| it.ip() == ip);
        let frontend = if let Some(arn) = &question.listener {
            let of_arn = state
                .elb
                .listeners
                .values()
                .find(|it| it.arn.to_string() == *arn);
            let id = of_arn.map(|listener| engine::FrontendId(listener.arn.id.0));
            let found = id.and_then(|id| snapshot.frontend(id));
            found.ok_or_else(|| QuestionError::NoListener(arn.clone()))?
        } else {
            let is_its = |frontend: &&Arc<Frontend>| match wanted {
                Some(ip) => has_address(frontend, ip),
                None => frontend.dns_name.eq_ignore_ascii_case(url.host),
            };
            let own: Vec<_> = snapshot.frontends.iter().filter(is_its).collect();
            if own.is_empty() && !exists_without_listeners(state, wanted, url.host) {
                let host = wanted.map_or(url.host.to_owned(), |ip| ip.to_string());
                return Err(QuestionError::NoLoadBalancer { host });
            }
            let found = own.iter().find(|frontend| frontend.port() == url.port);
            *found.ok_or_else(|| no_port(&own, url, wanted))?
        };
        let listener = state.elb.listeners.get(&ListenerId(frontend.id.0));
        let unknown = || QuestionError::NoListener(format!("{:x}", frontend.id.0));
        let listener = Arc::clone(listener.ok_or_else(unknown)?);
        let out = snapshot.zones_out_of_dns(&frontend.dns_name);
        let nodes = || frontend.addresses.iter().zip(&frontend.zones);
        // A client that has asked DNS comes to a zone that is in the answer.
        let is_wanted = |(address, zone): &(&SocketAddr, &Arc<str>)| match wanted {
            Some(ip) => address.ip() == ip,
            None => !out.contains(zone),
        };
        let node = nodes().find(is_wanted);
        let (address, zone) = node.ok_or_else(|| match wanted {
            // With --listener the URL may have an address of something in front of the load balancer.
            Some(ip) => QuestionError::NoLoadBalancer {
                host: ip.to_string(),
            },
            None => QuestionError::NoAddress(listener.arn.to_string()),
        })?;
        Ok(Self {
            frontend,
            address: *address,
            zone: Arc::clone(zone),
            listener,
        })
    }
}

fn exists_without_listeners(state: &State, wanted: Option<IpAddr>, host: &str) -> bool {
    state
        .elb
        .load_balancers
        .values()
        .any(|balancer| match wanted {
            Some(ip) => balancer
                .zones
                .iter()
                .any(|zone| IpAddr::from(zone.address) == ip),
            None => balancer.dns_name.eq_ignore_ascii_case(host),
        })
}

fn no_port(own: &[&Arc<Frontend>], url: &Url<'_>, wanted: Option<IpAddr>) -> QuestionError {
    let ports: Vec<_> = own
        .iter()
        .map(|frontend| frontend.port().to_string())
        .collect();
    QuestionError::NoPort {
        address: wanted.map_or(url.host.to_owned(), |ip| ip.to_string()),
        port: url.port,
        listeners: match ports.len() {
            0 => "The load balancer has no listeners".to_owned(),
            _ => format!("The load balancer has listeners on {}", ports.join(", ")),
        },
    }
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

fn certificate(frontend: &Frontend, url: &Url<'_>) -> Result<Option<Certificate>, QuestionError> {
    let Some(tls) = &frontend.tls else {
        return Ok(None);
    };
    // RFC 6066 section 3: an address is no server name.
    let server_name = url.host.parse::<IpAddr>().is_err().then_some(url.host);
    let chosen = explain::certificate_for(tls, server_name, SystemTime::now())?;
    Ok(Some(Certificate {
        arn: chosen.name.to_string(),
        server_name: server_name.map(str::to_owned),
        is_default: chosen.name == tls.default_certificate.name,
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

fn before(action: &Action) -> Vec<String> {
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
    let authentication = action.authentication.as_ref().map(|it| match it {
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
    let unsuited = match (outcome, &routed.action.routing) {
        (
            explain::Outcome::Forward {
                host,
                url,
                unsuited,
            },
            engine::Routing::Forward(forward),
        ) => {
            let groups = target_groups(control, state, node, forward, &unsuited).await?;
            let mirror = routed
                .action
                .extensions
                .as_ref()
                .and_then(|it| it.mirror.as_ref());
            let seconds = forward.stickiness.map(|duration| duration.as_secs());
            return Ok(Outcome::Forward {
                host: host.map(text),
                url: url.map(text),
                target_groups: groups,
                stickiness: seconds.map(|seconds| {
                    format!("a cookie AWSALBTG of elbow, not looked into here, keeps a client for {seconds} s")
                }),
                mirror: mirror.map(|it| {
                    format!("{}% are copied to {}", it.percentage, group_name(state, &it.pool))
                }),
            });
        }
        (explain::Outcome::Redirect(location), engine::Routing::Redirect(redirect)) => {
            Outcome::Redirect {
                status: redirect.status,
                location: text(location),
            }
        }
        (_, engine::Routing::FixedResponse(fixed)) => Outcome::FixedResponse {
            status: fixed.status,
        },
        _ => unreachable!("the outcome is that of the routing"),
    };
    Ok(unsuited)
}

fn group_name(state: &State, pool: &Pool) -> String {
    let group = state.elb.target_groups.get(&TargetGroupId(pool.id.0));
    group.map_or_else(String::new, |group| group.name().to_owned())
}

async fn target_groups(
    control: &Control,
    state: &State,
    node: &Node<'_>,
    forward: &Forward,
    unsuited: &[engine::PoolId],
) -> Result<Vec<TargetGroup>, QuestionError> {
    let weights: u32 = forward.weighted_pools().map(|(_, weight)| weight).sum();
    let mut groups = Vec::new();
    for (pool, weight) in forward.weighted_pools() {
        let arn = state.elb.target_groups.get(&TargetGroupId(pool.id.0));
        let arn = arn.map_or_else(String::new, |group| group.arn.to_string());
        let targets = targets(control, pool, &arn, &node.zone).await?;
        let next = pool.peek_target(Some(&node.zone));
        let next = next.and_then(|next| {
            Some(
                targets
                    .iter()
                    .find(|(key, _)| *key == next.key)?
                    .1
                    .target
                    .clone(),
            )
        });
        let fails_open = targets
            .iter()
            .any(|(_, it)| it.is_eligible && it.state != "healthy");
        let refusal = if unsuited.contains(&pool.id) {
            Some("464: its targets speak a version of HTTP that the request does not go with")
        } else if targets.iter().all(|(_, it)| !it.is_eligible) {
            Some("503: it has no target that can get requests")
        } else {
            None
        };
        groups.push(TargetGroup {
            name: group_name(state, pool),
            arn,
            weight,
            weights,
            refusal: refusal.map(str::to_owned),
            algorithm: algorithm(pool.settings.algorithm).to_owned(),
            fails_open,
            stickiness: stickiness(&pool.settings.stickiness),
            next,
            targets: targets.into_iter().map(|(_, target)| target).collect(),
        });
    }
    Ok(groups)
}

/// The targets of a group with their keys.
async fn targets(
    control: &Control,
    pool: &Pool,
    arn: &str,
    zone: &str,
) -> Result<Vec<(u64, Target)>, QuestionError> {
    let described = control.describe_target_health(DescribeTargetHealth {
        target_group_arn: arn.to_owned(),
        ..DescribeTargetHealth::default()
    });
    let candidates = pool.candidates_in(Some(zone));
    let target = |description: TargetHealthDescription| {
        let id = description.target.id;
        let port = description
            .target
            .port
            .and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_default();
        let key = control::endpoint_key(TargetGroupId(pool.id.0), &id, port);
        let candidate = candidates.iter().find(|it| it.key == key);
        let endpoint = pool.endpoints.iter().find(|it| it.key == key);
        let is_eligible = candidate.is_some_and(|it| !it.state.is_draining());
        let health = description.health;
        let is_in_reach = endpoint.is_none_or(|it| {
            pool.settings.is_cross_zone || it.zone.as_deref().is_none_or(|its| its == zone)
        });
        let is_shifted = endpoint.is_some_and(|it| {
            pool.settings.shifted_zone.is_some() && it.zone == pool.settings.shifted_zone
        });
        let reason = match (&health.reason, &health.description) {
            (Some(reason), Some(text)) => format!("{reason}: {text}"),
            (Some(reason), None) => reason.to_string(),
            _ if is_eligible => String::new(),
            _ if !is_in_reach => {
                format!("it is not in {zone}, and the target group is not cross-zone")
            }
            _ if is_shifted => "traffic is shifted away from its zone".to_owned(),
            _ => "it has just become healthy".to_owned(),
        };
        let target = Target {
            target: format!("{id}:{port}"),
            state: health.state.to_string(),
            is_eligible,
            reason,
        };
        (key, target)
    };
    Ok(described.await?.into_iter().map(target).collect())
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RoundRobin { .. } => "round_robin",
        Algorithm::LeastOutstandingRequests => "least_outstanding_requests",
        Algorithm::WeightedRandom { .. } => "weighted_random",
    }
}

fn stickiness(stickiness: &Stickiness) -> Option<String> {
    let (cookie, duration) = match stickiness {
        Stickiness::Off => return None,
        Stickiness::LoadBalancerCookie { duration } => ("AWSALB".to_owned(), duration),
        Stickiness::ApplicationCookie { name, duration } => {
            (format!("AWSALBAPP-0 beside {name}"), duration)
        }
    };
    let seconds = duration.as_secs();
    Some(format!(
        "a cookie {cookie}, not looked into here, keeps a client for {seconds} s"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_target() {
        for (text, expected) in [
            ("http://a", Some((false, "a", 80, "/"))),
            ("https://a/b?c#d", Some((true, "a", 443, "/b?c"))),
            ("HTTP://a.b:81?c", Some((false, "a.b", 81, "/?c"))),
            ("http://[::1]:8080/x", Some((false, "::1", 8080, "/x"))),
            ("http://[::1]/", Some((false, "::1", 80, "/"))),
            ("ftp://a/", None),
            ("a/b", None),
            ("http:///b", None),
            ("http://a:x/", None),
            ("http://user@a/", None),
        ] {
            let read = Url::parse(text).ok();
            let read = read.map(|url| (url.is_https, url.host, url.port, url.target));
            let expected =
                expected.map(|(s, host, port, target)| (s, host, port, target.to_owned()));
            assert_eq!(read, expected, "{text}");
        }
    }
}

//! What is done with a request, whatever version of HTTP it came in: an answer from here, or a pool.
//!
//! One synchronous step over the parsed head. Reading requests and writing answers and heads is the work of
//! each version's own module.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use auth::Step;
use engine::action::RedirectSubject;
use engine::{
    Action, Extensions, Forward, Frontend, HttpVersion, Pool, Redirect, RequestFacts, Routing,
};

use crate::counters::Counters;
use crate::forwarded::has_too_many_addresses;
use crate::http1::Version;
use crate::http1::field::Field;
use crate::http1::request::RequestHead;
use crate::logins::{self, Ask, User};
use crate::rate_limit;
use crate::respond::Answer;
use crate::rewrite::Rewritten;
use crate::sticky::{self, Stay};
use crate::tls_facts::TlsFacts;
use crate::trace_id::TraceId;
use crate::worker::Worker;

/// What is known of the connection a request came on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionFacts<'c> {
    pub(crate) peer: SocketAddr,
    /// `None`: the connection is in clear text.
    pub(crate) tls: Option<&'c TlsFacts>,
}

impl ConnectionFacts<'_> {
    /// The scheme of the URIs that are requested on the connection.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// What happens to a request.
#[derive(Debug)]
pub(crate) enum Decision<'f> {
    /// It is answered here. The answer has been counted.
    Answer(Answer<'f>),
    /// It goes to a target.
    Forward(Route<'f>),
    /// Somebody else has to be asked who sends it. Decide again with the outcome.
    Ask(Ask),
}

/// Where a request goes, and what the target gets beside what the client sent.
#[derive(Debug)]
pub(crate) struct Route<'f> {
    pub(crate) pool: Arc<Pool>,
    pub(crate) trace_id: TraceId,
    pub(crate) stay: Stay,
    pub(crate) rewritten: Rewritten,
    pub(crate) user: User,
    /// What the rule does beyond AWS.
    pub(crate) extensions: Option<&'f Arc<Extensions>>,
}

/// Finds the rule of a request and what it means for this one.
///
/// `asked` is what came of the question that an earlier call for the same request had.
pub(crate) fn decide<'f>(
    worker: &Worker,
    frontend: &'f Frontend,
    connection: ConnectionFacts<'_>,
    head: &RequestHead<'_, '_>,
    asked: Option<auth::Outcome>,
) -> Decision<'f> {
    let counters = &worker.counters;
    let drops_invalid_fields = frontend.http.drops_invalid_fields;
    let has_invalid_fields = head.fields.values(Field::InvalidName).next().is_some();
    if has_invalid_fields && asked.is_none() {
        if drops_invalid_fields {
            counters.requests_with_dropped_fields.increment();
        } else {
            counters.requests_with_invalid_fields.increment();
        }
    }
    let source_ip = connection.peer.ip().to_canonical();
    let facts = Facts {
        head,
        drops_invalid_fields,
        source_ip,
    };
    let (_, action) = frontend.router.route(&facts);
    let answer_here = |answer: Answer<'f>| {
        count_own(counters, answer.status());
        Decision::Answer(answer.of_rule(action.extensions.as_deref()))
    };
    if asked.is_none()
        && let Some(refusal) = rate_limit::refuse(worker, action, source_ip, head)
    {
        return answer_here(refusal);
    }
    let outcome = match asked {
        Some(outcome) => Ok(Some(outcome)),
        None => logins::authenticate(worker, frontend, action, head),
    };
    let answer = match outcome {
        Err(ask) => return Decision::Ask(ask),
        Ok(None) => act(worker, frontend, action, connection, head, User::default()),
        Ok(Some(outcome)) => {
            if let Some(metric) = outcome.metric {
                logins::count(metric, counters);
            }
            let reason = outcome.reason.map(auth::Reason::name);
            tracing::debug!(peer = %connection.peer, reason, "request authenticated");
            let set_cookies = outcome.set_cookies;
            match outcome.step {
                Step::Forward(fields) => {
                    let user = User {
                        fields: Some(fields),
                        set_cookies,
                    };
                    act(worker, frontend, action, connection, head, user)
                }
                Step::Redirect(location) => Err(Answer::Redirect {
                    status: 302,
                    location: location.into_bytes(),
                }
                .with_cookies(set_cookies)),
                Step::Refuse(status) => Err(Answer::Page(status).with_cookies(set_cookies)),
            }
        }
    };
    match answer {
        Ok(route) => Decision::Forward(route),
        Err(answer) => answer_here(answer),
    }
}

/// Carries out the routing of an action for a user who may pass.
///
/// # Errors
/// The answer, if the request goes to no target.
fn act<'f>(
    worker: &Worker,
    frontend: &Frontend,
    action: &'f Action,
    connection: ConnectionFacts<'_>,
    head: &RequestHead<'_, '_>,
    user: User,
) -> Result<Route<'f>, Answer<'f>> {
    let counters = &worker.counters;
    let answer = match &action.routing {
        Routing::FixedResponse(fixed) => {
            counters.fixed_responses.increment();
            Answer::Fixed(fixed)
        }
        Routing::Redirect(redirect) => {
            answer_redirect(redirect, frontend, connection, head, counters)
        }
        Routing::Forward(forward) => match choose_pool(worker, forward, head) {
            Some(pool) => {
                let is_tls = connection.tls.is_some();
                let stay = Stay::of(worker, forward, pool, head.fields, is_tls);
                let passes = check(pool, head);
                match passes.and_then(|()| rewrite(worker, action, frontend, head)) {
                    Ok(rewritten) => {
                        let trace_id = TraceId::new(
                            worker.date().seconds(),
                            [worker.random(), worker.random(), worker.random()],
                        );
                        return Ok(Route {
                            pool: Arc::clone(pool),
                            trace_id,
                            stay,
                            rewritten,
                            user,
                            extensions: action.extensions.as_ref(),
                        });
                    }
                    Err(status) => Answer::Page(status).with_cookies(stay.pool_cookies(worker)),
                }
            }
            None => Answer::Page(503),
        },
    };
    Err(answer.with_cookies(user.set_cookies))
}

/// The pool for a request; `None` if no pool has a weight.
fn choose_pool<'f>(
    worker: &Worker,
    forward: &'f Forward,
    head: &RequestHead<'_, '_>,
) -> Option<&'f Arc<Pool>> {
    match sticky::pool_of(worker, forward, head.fields) {
        Some(pool) => Some(pool),
        None if forward.is_single() => forward.choose_pool(0),
        None => forward.choose_pool(worker.random()),
    }
}

/// Looks whether targets of this pool can be sent a request.
///
/// # Errors
/// The status to answer with: 463 for too many forwarding proxies, 464 for a version of HTTP that the targets
/// do not go with.
fn check(pool: &Pool, head: &RequestHead<'_, '_>) -> Result<(), u16> {
    if !goes_with(head, pool.settings.protocol.version) {
        return Err(464);
    }
    if has_too_many_addresses(head.fields) {
        return Err(463);
    }
    Ok(())
}

/// What the action makes of the request for a target.
///
/// # Errors
/// 500 if a transform fails.
fn rewrite(
    worker: &Worker,
    action: &Action,
    frontend: &Frontend,
    head: &RequestHead<'_, '_>,
) -> Result<Rewritten, u16> {
    Rewritten::of(&action.transforms, head, frontend, &worker.counters).ok_or(500)
}

/// Whether targets that speak `targets` can be sent this request.
///
/// Source: ALB guide, "Target groups", "Protocol version"; "Troubleshoot your Application Load Balancers",
/// HTTP 464.
pub(crate) fn goes_with(head: &RequestHead<'_, '_>, targets: HttpVersion) -> bool {
    match (targets, head.version) {
        (HttpVersion::Http1, Version::Http2) => !is_grpc(head),
        (HttpVersion::Http1, _) | (HttpVersion::Http2, Version::Http2) => true,
        (HttpVersion::Grpc, Version::Http2) => head.method == "POST",
        (HttpVersion::Http2 | HttpVersion::Grpc, _) => false,
    }
}

fn is_grpc(head: &RequestHead<'_, '_>) -> bool {
    head.fields.iter().any(|(_, name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with(b"application/grpc")
    })
}

fn answer_redirect<'f>(
    redirect: &Redirect,
    frontend: &Frontend,
    connection: ConnectionFacts<'_>,
    head: &RequestHead<'_, '_>,
    counters: &Counters,
) -> Answer<'f> {
    let Some(location) = location(redirect, frontend, connection.scheme(), head) else {
        counters.redirects_too_long.increment();
        return Answer::Page(507);
    };
    counters.redirects.increment();
    Answer::Redirect {
        status: redirect.status,
        location,
    }
}

/// Where a redirect sends the client; `None` if that is too long to be sent.
pub(crate) fn location(
    redirect: &Redirect,
    frontend: &Frontend,
    scheme: &'static str,
    head: &RequestHead<'_, '_>,
) -> Option<Vec<u8>> {
    let subject = RedirectSubject {
        protocol: scheme,
        host: head
            .host
            .map_or(frontend.dns_name.as_bytes(), |host| host.name),
        port: frontend.port(),
        path: head.path,
        query: head.query.unwrap_or_default(),
    };
    let mut location = Vec::new();
    redirect.write_location(&subject, &mut location);
    (location.len() <= Redirect::LOCATION_BYTES_MAX).then_some(location)
}

/// Counts a response that was made here.
pub(crate) fn count_own(counters: &Counters, status: u16) {
    match status {
        300..400 => counters.own_responses_3xx.increment(),
        400..500 => counters.own_responses_4xx.increment(),
        500..600 => counters.own_responses_5xx.increment(),
        _ => {}
    }
    match status {
        502 => counters.bad_gateway.increment(),
        503 => counters.service_unavailable.increment(),
        504 => counters.gateway_timeouts.increment(),
        _ => {}
    }
}

/// The request as the rules see it.
pub(crate) struct Facts<'h, 'a, 'b> {
    pub(crate) head: &'h RequestHead<'a, 'b>,
    pub(crate) drops_invalid_fields: bool,
    pub(crate) source_ip: IpAddr,
}

impl RequestFacts for Facts<'_, '_, '_> {
    fn method(&self) -> &[u8] {
        self.head.method.as_bytes()
    }

    fn host(&self) -> &[u8] {
        self.head.host.map_or(&[], |host| host.name)
    }

    fn path(&self) -> &[u8] {
        self.head.path
    }

    fn query(&self) -> &[u8] {
        self.head.query.unwrap_or_default()
    }

    fn any_field(&self, name: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.head.fields.iter().any(|(kind, field, value)| {
            let is_there = kind != Field::InvalidName || !self.drops_invalid_fields;
            is_there && field.as_bytes().eq_ignore_ascii_case(name) && visit(value)
        })
    }

    fn source_ip(&self) -> IpAddr {
        self.source_ip
    }
}

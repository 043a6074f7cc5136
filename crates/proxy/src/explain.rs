//! What would become of a request, found out by the code that serves requests and without serving one: no counter,
//! no turn, no token and no connection is touched.

mod client_certificate;
mod forwarded;

use std::net::IpAddr;
use std::time::SystemTime;

use auth::oidc::{CALLBACK_PATH, Callback};
use auth::{Reason, Step};
use engine::http::DesyncMitigation;
use engine::router::{CompileError, failed_conditions};
use engine::tls::Certificate;
use engine::{Action, Authentication, Frontend, RequestFacts, Routing, Tls};
use model::condition::Condition;

use crate::cookie_seal::{CookieKey, CookieSeal};
use crate::counters::Counters;
use crate::date::HttpDate;
use crate::decide::{Facts, location};
use crate::desync::Treatment;
use crate::exchange::{count_refused_head, inspect};
use crate::forwarded::has_too_many_addresses;
use crate::http1::field::Field;
use crate::http1::request::RequestHead;
use crate::http1::scan::{REQUEST_LIMITS, Scan, Scanner};
use crate::http1::{FieldStorage, Version};
use crate::rewrite::Rewritten;
use crate::stickiness_cookie::Opener;
use crate::tls_configs::{TlsErrorReason, identity};

pub use self::client_certificate::{ClientCertificate, client_certificate};
pub use self::forwarded::Forwarded;
pub use crate::stickiness_cookie::{StickinessCookie, Unusable};
pub use tls::{PeerCertificates, PeerCertificatesError};

/// A request that nobody has sent.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The listener it would come to.
    pub frontend: &'q Frontend,
    /// Where it would come from.
    pub source: IpAddr,
    /// A whole head of HTTP/1.1, with its empty line.
    pub head: &'q [u8],
    /// Whether the client would speak HTTP/2; the listener offers it.
    pub is_http2: bool,
    /// That of the data plane.
    pub cookie_key: CookieKey,
    /// When it would come.
    pub now: SystemTime,
}

/// What would become of it.
#[derive(Debug)]
pub struct Explanation<'q> {
    /// What is wrong with the request by the standards of the desync mitigation mode; `None`: nothing.
    pub desync: Option<Desync>,
    /// The rule that matches, and what follows from it.
    pub routed: Result<Routed<'q>, Refusal>,
}

/// How far a request would be trusted.
///
/// Source: ALB guide, "Desync mitigation mode".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desync {
    /// `Acceptable`, `Ambiguous` or `Severe`.
    pub class: &'static str,
    /// The name of the reason in the access log.
    pub reason: &'static str,
    /// Whether the connection would be closed after the response.
    pub closes: bool,
}

/// An answer that is made here because of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// Why.
    pub reason: &'static str,
}

/// The rule of a request.
#[derive(Debug)]
pub struct Routed<'q> {
    /// 0: the default.
    pub priority: u32,
    /// What the rule does.
    pub action: &'q Action,
    /// Whether the request is to the path of login callbacks, and a rule of the listener has logins: then what follows is
    /// none of the action's doing but for its rate limit.
    pub is_callback: bool,
    /// What comes of it for this request, once it has passed an authentication and a rate limit of the action.
    pub outcome: Result<Outcome<'q>, Refusal>,
}

/// What an action makes of one request.
#[derive(Clone, Debug)]
pub enum Outcome<'q> {
    /// A target group of `action` gets it.
    Forward(Forwarded<'q>),
    /// The client is sent there.
    Redirect(Vec<u8>),
    /// The fixed response of `action`.
    FixedResponse,
    /// It ends a login that began here: the identity provider is asked for a session, and the client sent back to where
    /// it began. One that did not begin here is refused with 401.
    LoginCallback {
        /// The identity providers whose logins the listener's rules have.
        issuers: Vec<String>,
    },
}

/// The certificate that a client is shown.
#[derive(Debug)]
pub struct Shown<'t> {
    /// One of the listener's.
    pub certificate: &'t Certificate,
    /// The names it is for, in lower case.
    pub names: Vec<String>,
    /// Whether one of them is what the client asks for.
    pub is_for_name: bool,
}

/// Says what would become of a request.
///
/// `visit` is called with the request as the rules see it, if it comes so far.
pub fn explain<'q>(
    question: &Question<'q>,
    visit: impl FnOnce(&dyn RequestSubject),
) -> Explanation<'q> {
    let frontend = question.frontend;
    // These are nobody's: what is counted here is forgotten.
    let counters = Counters::default();
    let refused = |status, reason| Explanation {
        desync: None,
        routed: Err(Refusal { status, reason }),
    };
    if let Scan::Refused(refusal) = Scanner::default().scan(question.head, &REQUEST_LIMITS) {
        let status = match question.is_http2 {
            // A section of fields has no request line: there is one limit, for all of it.
            true => 413,
            false => count_refused_head(&counters, refusal),
        };
        return refused(
            status,
            "the request line, a field or the whole head is too long",
        );
    }
    let mut storage = FieldStorage::new();
    // What can be read in two ways is a matter of HTTP/1.
    let mode = match question.is_http2 {
        true => DesyncMitigation::Monitor,
        false => frontend.http.desync_mitigation,
    };
    let (desync, inspected) = inspect(question.head, &mut storage, mode);
    let (mut head, treatment) = match inspected {
        Ok(inspected) => inspected,
        Err(bad) => return refused(bad.status, bad.reason),
    };
    let desync = desync.filter(|_| !question.is_http2);
    let desync = desync.map(|verdict| Desync {
        class: verdict.class.name(),
        reason: verdict.reason.name(),
        closes: treatment == Treatment::PassAndClose,
    });
    if question.is_http2 {
        head.version = Version::Http2;
    }
    let facts = Facts {
        head: &head,
        drops_invalid_fields: frontend.http.drops_invalid_fields,
        source_ip: question.source,
    };
    visit(&facts);
    let (priority, action) = frontend.router.route(&facts);
    let refuse = |status, reason| Err(Refusal { status, reason });
    let scheme = if frontend.tls.is_some() {
        "https"
    } else {
        "http"
    };
    if let Some(outcome) = callback(frontend, &head) {
        return Explanation {
            desync,
            routed: Ok(Routed {
                priority,
                action,
                is_callback: true,
                outcome,
            }),
        };
    }
    let outcome = match &action.routing {
        Routing::FixedResponse(_) => Ok(Outcome::FixedResponse),
        Routing::Redirect(redirect) => match location(redirect, frontend, scheme, &head) {
            Some(location) => Ok(Outcome::Redirect(location)),
            None => refuse(507, "the location of the redirect is too long"),
        },
        Routing::Forward(forward) => {
            let opener = Opener {
                seal: &CookieSeal::new(question.cookie_key),
                now_seconds: HttpDate::at(question.now).seconds(),
            };
            let forwarded = Forwarded::of(forward, &head, opener);
            let possible = forwarded.possible_pools(forward);
            if possible.is_empty() {
                refuse(503, "every target group of the action has the weight 0")
            } else if possible
                .iter()
                .all(|pool| forwarded.unsuited.contains(&pool.id))
            {
                // The 464 comes before whatever else is wrong with the request.
                Ok(Outcome::Forward(forwarded))
            } else if has_too_many_addresses(head.fields) {
                refuse(463, "X-Forwarded-For has too many addresses")
            } else {
                match Rewritten::of(&action.transforms, &head, frontend, &counters) {
                    Some(Rewritten { host, url }) => Ok(Outcome::Forward(Forwarded {
                        host,
                        url,
                        ..forwarded
                    })),
                    None => refuse(500, "a transform of the rule fails"),
                }
            }
        }
    };
    Explanation {
        desync,
        routed: Ok(Routed {
            priority,
            action,
            is_callback: false,
            outcome,
        }),
    }
}

/// What becomes of a request to the path of callbacks. `None`: it is to another one, or no rule of the listener has
/// logins, so that the path is one like any other.
fn callback<'q>(
    frontend: &Frontend,
    head: &RequestHead<'_, '_>,
) -> Option<Result<Outcome<'q>, Refusal>> {
    if head.path != CALLBACK_PATH.as_bytes() {
        return None;
    }
    let issuer = |action: &Action| match action.authentication.as_ref()? {
        Authentication::Oidc(oidc) => Some(oidc.issuer.clone()),
        Authentication::Jwt(_) => None,
    };
    let mut issuers: Vec<_> = frontend.router.actions().filter_map(issuer).collect();
    issuers.sort();
    issuers.dedup();
    if issuers.is_empty() {
        return None;
    }
    let cookies: Vec<_> = head.fields.values(Field::Cookie).collect();
    let read = Callback::read(head.query.unwrap_or_default(), &cookies);
    Some(match read {
        Ok(_) => Ok(Outcome::LoginCallback { issuers }),
        Err(refused) => Err(Refusal {
            status: match refused.step {
                Step::Refuse(status) => status,
                Step::Forward(_) | Step::Redirect(_) => unreachable!("what is missing is refused"),
            },
            reason: match refused.reason {
                Some(Reason::AuthMissingNonce) => {
                    "it is the callback of logins, without the cookie AWSALBAuthNonce of one"
                }
                Some(Reason::AuthMissingState) => {
                    "it is the callback of logins, without the state of one in its query"
                }
                Some(Reason::AuthMissingCode) => {
                    "it is the callback of logins, without a code in its query"
                }
                _ => "it is the callback of logins, with an error of the identity provider",
            },
        }),
    })
}

/// What the conditions of rules are compared with in one request.
pub trait RequestSubject {
    /// Which of these conditions it does not meet, by their places; see `failed_conditions`.
    ///
    /// # Errors
    /// A regular expression cannot be compiled.
    fn failed(&self, conditions: &[Condition]) -> Result<Vec<usize>, CompileError>;

    /// What a condition looks at, in words; `None`: the request does not have it.
    fn subject_of(&self, condition: &Condition) -> Option<String>;
}

impl RequestSubject for Facts<'_, '_, '_> {
    fn failed(&self, conditions: &[Condition]) -> Result<Vec<usize>, CompileError> {
        failed_conditions(conditions, self)
    }

    fn subject_of(&self, condition: &Condition) -> Option<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let present = |bytes: &[u8]| (!bytes.is_empty()).then(|| text(bytes));
        match condition {
            Condition::HostHeader(_) => present(self.host()),
            Condition::PathPattern(_) => present(self.path()),
            Condition::HttpHeader { name, .. } => {
                let mut values = Vec::new();
                self.any_field(name.to_ascii_lowercase().as_bytes(), &mut |value| {
                    values.push(text(value));
                    false
                });
                (!values.is_empty()).then(|| values.join(", "))
            }
            Condition::HttpRequestMethod(_) => present(self.method()),
            Condition::QueryString(_) => present(self.query()),
            Condition::SourceIp(_) => Some(self.source_ip().to_string()),
        }
    }
}

/// The certificate that a client which asks for `name` is shown, if it can verify every kind of key. `None` as the
/// name: it asks for none.
///
/// # Errors
/// A certificate of the listener cannot be used.
pub fn certificate_for<'t>(
    tls: &'t Tls,
    name: Option<&str>,
    now: SystemTime,
) -> Result<Shown<'t>, TlsErrorReason> {
    let additional = tls.additional_certificates.iter();
    let all: Vec<_> = [&tls.default_certificate]
        .into_iter()
        .chain(additional)
        .collect();
    let identities = all.iter().map(|certificate| identity(certificate));
    let identities = identities.collect::<Result<Vec<_>, _>>()?;
    let chosen = name.and_then(|name| tls::identity_for(&identities, name, now));
    let shown = chosen.unwrap_or(0);
    Ok(Shown {
        certificate: all[shown],
        names: identities[shown].names().to_vec(),
        is_for_name: chosen.is_some(),
    })
}

//! What is known of a call. It is gathered on the way to the answer, so that a refusal knows what was refused, and is
//! written to the audit log in one place.

use std::net::SocketAddr;

use hyper::header::USER_AGENT;
use hyper::http::request;
use time::OffsetDateTime;

use super::{Answer, Members, Parts};
use crate::audit::{Event, Outcome};
use crate::caller::Actor;
use crate::json::Target;
use crate::query::Node;
use crate::rest_json;
use crate::service::{Protocol, Service};
use crate::sigv4::{self, Claim, Credential};
use crate::{ApiError, RequestId};

pub(super) struct Facts {
    /// The service that answers.
    pub(super) service: Service,
    /// Who is said to have signed it, and for which service.
    credential: Option<Credential>,
    /// Who signed it, and in which account they act; `None` until the signature is verified.
    pub(super) actor: Option<Actor>,
    /// The name of the operation, as the caller says it.
    pub(super) operation: String,
    /// Whether it is the question what would become of a request, which no service has among its operations.
    pub(super) is_question: bool,
    pub(super) input: Node,
    source: Option<SocketAddr>,
    user_agent: String,
}

impl Facts {
    /// What the head of a request and its claim say.
    pub(super) fn of(head: &request::Parts, service: Service, claim: Option<&Claim>) -> Self {
        let user_agent = head.headers.get(USER_AGENT);
        let user_agent = user_agent.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        Self {
            service,
            credential: claim.map(|claim| claim.credential.clone()),
            actor: None,
            operation: String::new(),
            is_question: false,
            input: Node::default(),
            source: head.extensions.get().copied(),
            user_agent: user_agent.unwrap_or_default(),
        }
    }

    /// Notes the operation of a request that is not verified, if it is one that elbow serves: other names could be
    /// anything. The input of such a request is nobody's.
    pub(super) fn note_unverified(&mut self, request: &sigv4::Request<'_>) {
        let name = match self.service.protocol() {
            Protocol::Query(_) => super::parameters(request)
                .ok()
                .and_then(|input| input.text("Action").map(str::to_owned)),
            Protocol::Json(..) => Target::of(request.headers).map(|it| it.operation.to_owned()),
            Protocol::RestJson(routes, _) => {
                let route = rest_json::route(routes, (request.method, request.path));
                route.map(|route| route.name.to_owned())
            }
        };
        let served = name.filter(|name| self.service.is_read(name).is_some());
        self.operation = served.unwrap_or_default();
    }

    /// Appends what happened to the audit log, if there is one.
    pub(super) fn write(
        &self,
        parts: &Parts,
        at: OffsetDateTime,
        request_id: RequestId,
        answer: &Result<Answer, ApiError>,
    ) {
        let Some(log) = &parts.audit else {
            return;
        };
        let credential = self.credential.as_ref();
        let verified = credential.filter(|_| self.actor.is_some());
        let signed_for = verified.map(|it| it.service.as_str());
        // What nobody has signed is about no account, and the log has to name one.
        let account = match &self.actor {
            Some(actor) => &actor.account,
            None => parts.accounts.first(),
        };
        let event = Event {
            place: &account.settings().place,
            at,
            request_id,
            event_id: parts.request_ids.next(),
            service: self.service,
            foreign_service: signed_for.filter(|it| *it != self.service.signing_name()),
            operation: &self.operation,
            is_read: match self.is_question {
                true => Some(true),
                false => self.service.is_read(&self.operation),
            },
            caller: match &self.actor {
                Some(actor) => Ok(&actor.caller),
                None => Err(credential.map(|it| it.access_key_id.as_str())),
            },
            input: &self.input,
            source: self.source.map(|source| source.ip()),
            user_agent: &self.user_agent,
            outcome: match answer {
                Ok(answer) => Ok(match &answer.result {
                    Members::Xml(members) => Outcome::Xml(members),
                    Members::Json(members) => Outcome::Json(members.as_ref()),
                }),
                Err(error) => Err(error),
            },
        };
        log.append(event.line());
    }
}

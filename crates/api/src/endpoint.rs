//! One request to the endpoint of all services: authenticate it, find its service and operation, perform
//! it, print the answer.

mod facts;
mod pages;
mod print;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use control::{Accounts, Clock, Control};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::request;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use time::OffsetDateTime;

use crate::caller::{Actor, Caller};
use crate::elbv2::downloads;
use crate::json::{self, Target};
use crate::operation::{Call, Operations};
use crate::query::{self, Node, QueryError};
use crate::rest_json::{self, Route};
use crate::service::{Protocol, Service};
use crate::sigv4::{self, AccessKey, Claim, SignatureError};
use crate::throttle::{Called, Throttle};
use crate::xml::Xml;
use crate::{ApiError, AuditLog, RequestId, RequestIds};
use facts::Facts;
use print::{print, response};

/// Where anybody may ask whether the process answers.
pub const HEALTH_PATH: &str = "/_elbow/health";
/// Where anybody may read the metrics, in Prometheus's text format: scrapers cannot sign.
pub const METRICS_PATH: &str = "/_elbow/metrics";
/// Under this path anybody may read the public keys of what targets are told about users, by the key's id.
///
/// Source: ALB guide, "User claims encoding and signature verification"; there it is a site of its own.
pub const PUBLIC_KEYS_PATH: &str = "/_elbow/public-keys/";

/// What would become of a request, for who may call the APIs: a POST signed for Elastic Load Balancing, whose body and
/// answer are those of `elbow explain`.
pub const EXPLAIN_PATH: &str = "/_elbow/explain";

/// The field in which who signs with the root key says in which account to act. It has to be signed.
pub const ACCOUNT_FIELD: &str = "x-elbow-account";

/// What an endpoint is made of.
pub struct Parts {
    /// What performs the operations, for each account.
    pub accounts: Accounts,
    /// The key that may do everything, in every account; the others are those of the accounts.
    pub root_key: AccessKey,
    /// Tells the time of day, which signatures are compared with.
    pub clock: Arc<dyn Clock>,
    /// Names the requests.
    pub request_ids: Arc<dyn RequestIds>,
    /// The public keys that targets verify the claims of users with: PEM, by the key's id.
    pub public_keys: HashMap<String, String>,
    /// Where each call is noted; `None`: nowhere.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// How often operations may be called; `None`: without limit.
    pub throttle: Option<Arc<Throttle>>,
    /// Writes the metrics of this process, in Prometheus's text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Says what would become of a request.
    pub explain: Arc<Explain>,
}

/// Answers the question in the body of a request to `EXPLAIN_PATH` for somebody in this account; an error says what is
/// wrong with the question.
pub type Explain = dyn Fn(Control, Bytes) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>>
    + Send
    + Sync;

/// The endpoint. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Endpoint(Arc<Parts>);

/// What an operation has to say: the members of its result.
struct Answer {
    status: StatusCode,
    result: Members,
}

/// The members of a result, as the protocol of the service spells them.
enum Members {
    Xml(Xml),
    /// `None` if the operation has no result.
    Json(Option<Value>),
}

impl Endpoint {
    /// An endpoint made of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The first account behind it.
    #[cfg(test)]
    pub(crate) fn control(&self) -> &Control {
        self.0.accounts.first()
    }

    /// Answers a request. The answers of the services have a request id. The extension `SocketAddr` of the request
    /// is where it comes from.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        match request.uri().path() {
            HEALTH_PATH => {
                let text = "{\"status\":\"ok\"}\n".to_owned();
                response(StatusCode::OK, "application/json", text)
            }
            METRICS_PATH => {
                let text = (self.0.metrics)();
                response(StatusCode::OK, "text/plain; version=0.0.4", text)
            }
            path if path.starts_with(PUBLIC_KEYS_PATH) => {
                match self.0.public_keys.get(&path[PUBLIC_KEYS_PATH.len()..]) {
                    Some(pem) => response(StatusCode::OK, "application/x-pem-file", pem.clone()),
                    None => {
                        let text = "there is no key with this id\n".to_owned();
                        response(StatusCode::NOT_FOUND, "text/plain", text)
                    }
                }
            }
            path if path.starts_with(downloads::PATH) => {
                let path = &path[downloads::PATH.len()..];
                let query = request.uri().query().unwrap_or("");
                self.answer_download(path, query)
            }
            _ => {
                // A caller that goes away does not stop a change half way, so it must not keep the call out of the
                // audit log either.
                let endpoint = self.clone();
                let task = tokio::spawn(async move {
                    match request.uri().path() {
                        EXPLAIN_PATH => endpoint.answer_explain(request).await,
                        _ => endpoint.answer_service(request).await,
                    }
                });
                match task.await {
                    Ok(response) => response,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                }
            }
        }
    }

    async fn answer_service(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let request = sigv4::Request::of(&head, &body);
        let claim = sigv4::claim(&request);
        let guess = || Service::guess(&head, parameters(&request).ok().as_ref());
        let service = claimed_service(claim.as_ref()).unwrap_or_else(guess);
        let mut facts = Facts::of(&head, service, claim.as_ref().ok());
        let answer = self.perform(&request, claim, &mut facts).await;
        if facts.actor.is_none() {
            facts.note_unverified(&request);
        }
        self.finish(&facts, answer.map_err(|error| service.translate(error)))
    }

    /// An answer for a request of which no more than the head could be read.
    pub fn refuse(&self, head: &request::Parts, error: ApiError) -> Response<Full<Bytes>> {
        let nothing = Bytes::new();
        let claim = sigv4::claim(&sigv4::Request::of(head, &nothing));
        let guess = || Service::guess(head, None);
        let service = claimed_service(claim.as_ref()).unwrap_or_else(guess);
        let answer = Err(service.translate(error));
        self.finish(&Facts::of(head, service, None), answer)
    }

    fn finish(&self, facts: &Facts, answer: Result<Answer, ApiError>) -> Response<Full<Bytes>> {
        let id = self.note(facts, &answer);
        print(facts, id, answer)
    }

    /// Notes what became of a call, before it is answered so that who has the answer finds it in the log, and gives
    /// it an id.
    fn note(&self, facts: &Facts, answer: &Result<Answer, ApiError>) -> RequestId {
        let id = self.0.request_ids.next();
        facts.write(&self.0, self.now(), id, answer);
        id
    }

    async fn perform(
        &self,
        request: &sigv4::Request<'_>,
        claim: Result<Claim, SignatureError>,
        facts: &mut Facts,
    ) -> Result<Answer, ApiError> {
        let service = self.authenticate(request, claim, facts)?;
        match service.protocol() {
            Protocol::Query(operations) => self.perform_query(operations, request, facts).await,
            Protocol::Json(prefix, operations) => {
                self.perform_json((prefix, operations), request, facts)
                    .await
            }
            Protocol::RestJson(routes, operations) => {
                self.perform_rest_json((routes, operations), request, facts)
                    .await
            }
        }
    }

    /// The service that a request is signed for by somebody whose key this is.
    fn authenticate(
        &self,
        request: &sigv4::Request<'_>,
        claim: Result<Claim, SignatureError>,
        facts: &mut Facts,
    ) -> Result<Service, ApiError> {
        let claim = claim?;
        let signed = self.verify(&claim, request)?;
        // Who signed is known from here on, even if they may not act where they want to.
        let actor = facts.actor.insert(signed);
        if let Some(id) = claim.signed_value(request, ACCOUNT_FIELD)? {
            *actor = actor.clone().moved_to(&self.0.accounts, id)?;
        }
        signed_service(&claim)
    }

    /// The one who signed a request, in their own account.
    fn verify(&self, claim: &Claim, request: &sigv4::Request<'_>) -> Result<Actor, ApiError> {
        let Parts {
            root_key, accounts, ..
        } = &*self.0;
        let id = &claim.credential.access_key_id;
        let found = if id == root_key.id() {
            let root = Actor {
                caller: Caller::Root(id.clone()),
                account: accounts.first().clone(),
            };
            Some((root_key.clone(), root))
        } else {
            let found = accounts.find_access_key(id).map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a key is of no use"
                );
                ApiError::internal("The access key cannot be read; the cause is in the log.")
            })?;
            found.map(|(account, key, secret)| {
                let signing = AccessKey::new(&*key.id, secret.reveal());
                let caller = Caller::User(key);
                (signing, Actor { caller, account })
            })
        };
        let key = found.as_ref().map(|(key, _)| key);
        // All accounts are in one Region.
        let region = &accounts.first().settings().place.region;
        sigv4::verify(claim, request, region, key, self.now())?;
        let (_, actor) = found.ok_or(SignatureError::UnknownKey)?;
        Ok(actor)
    }

    async fn perform_json(
        &self,
        (prefix, operations): (&str, &Operations<Option<Value>>),
        request: &sigv4::Request<'_>,
        facts: &mut Facts,
    ) -> Result<Answer, ApiError> {
        check_address(request)?;
        let target = Target::of(request.headers).filter(|target| target.prefix == prefix);
        let operation = target.ok_or_else(json::unknown_target)?.operation;
        operation.clone_into(&mut facts.operation);
        facts.input = json::decode(request.body)?;
        let result = self.call(operations, facts).await?;
        Ok(Answer {
            status: StatusCode::OK,
            result: Members::Json(result),
        })
    }

    async fn perform_rest_json(
        &self,
        (routes, operations): (&[Route], &Operations<Option<Value>>),
        request: &sigv4::Request<'_>,
        facts: &mut Facts,
    ) -> Result<Answer, ApiError> {
        let query = url_parameters(request)?;
        let address = (request.method, request.path);
        let (route, input) = rest_json::decode(routes, address, &query, request.body)?;
        route.name.clone_into(&mut facts.operation);
        facts.input = input;
        let result = self.call(operations, facts).await?;
        Ok(Answer {
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
            result: Members::Json(result),
        })
    }

    async fn perform_query(
        &self,
        operations: &Operations<Xml>,
        request: &sigv4::Request<'_>,
        facts: &mut Facts,
    ) -> Result<Answer, ApiError> {
        check_address(request)?;
        facts.input = parameters(request)?;
        let action = match facts.input.text("Action") {
            Some(action) if !action.is_empty() => action,
            _ => {
                return Err(ApiError::sender(
                    "MissingAction",
                    "The request must contain the parameter Action",
                ));
            }
        };
        action.clone_into(&mut facts.operation);
        let version = facts.input.text("Version");
        operations.service.check_version(action, version)?;
        let result = self.call(operations, facts).await?;
        Ok(Answer {
            status: StatusCode::OK,
            result: Members::Xml(result),
        })
    }

    /// Performs the operation if its caller may.
    async fn call<R>(&self, operations: &Operations<R>, facts: &Facts) -> Result<R, ApiError> {
        let name = &*facts.operation;
        let operation = operations.find(name)?;
        // Who calls is verified before anything is looked for.
        let actor = facts.actor.as_ref().ok_or(SignatureError::Missing)?;
        let Actor { caller, account } = actor;
        let place = &account.settings().place;
        let is_read = operations.reads.contains(&name);
        if let Some(throttle) = &self.0.throttle {
            let called = Called {
                account: &place.account,
                service: operations.service,
                operation: operation.name,
                is_read,
                input: &facts.input,
            };
            throttle.take(called, self.0.clock.now_millis())?;
        }
        caller.authorize(place, operations.service, name, is_read, &facts.input)?;
        let call = Call {
            control: account,
            accounts: &self.0.accounts,
            caller,
            input: &facts.input,
        };
        (operation.handler)(call).await
    }

    fn now(&self) -> OffsetDateTime {
        let nanos = i128::from(self.0.clock.now_millis()) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The service that a request claims to be signed for, if it is one that is served.
fn claimed_service(claim: Result<&Claim, &SignatureError>) -> Option<Service> {
    signed_service(claim.ok()?).ok()
}

fn signed_service(claim: &Claim) -> Result<Service, ApiError> {
    Service::signed_for(&claim.credential.service)
}

/// The parameters of URL and body, without those of the signature.
fn parameters(request: &sigv4::Request<'_>) -> Result<Node, QueryError> {
    let mut input = url_parameters(request)?;
    if request.method == Method::POST.as_str() {
        input.merge(request.body)?;
    }
    Ok(input)
}

/// The parameters of the URL, without those of the signature.
fn url_parameters(request: &sigv4::Request<'_>) -> Result<Node, QueryError> {
    let of_url: Vec<_> = request
        .query
        .split('&')
        .filter(|pair| !pair.starts_with("X-Amz-"))
        .collect();
    query::decode(of_url.join("&").as_bytes())
}

fn check_address(request: &sigv4::Request<'_>) -> Result<(), ApiError> {
    if request.path != "/" {
        let message = format!(
            "There is no operation at the path '{}'; send it to '/'.",
            request.path
        );
        return Err(ApiError::sender("InvalidAction", message));
    }
    if request.method != Method::POST.as_str() && request.method != Method::GET.as_str() {
        let message = format!(
            "Operations are called with GET or POST, not with {}.",
            request.method
        );
        return Err(ApiError::new("InvalidAction", 405, message));
    }
    Ok(())
}

#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod tests;

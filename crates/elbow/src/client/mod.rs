//! A client of the public API, for the commands of this binary that talk to a running elbow.
//!
//! It uses what every other client uses: signed requests to the endpoint, and nothing else.

pub(crate) mod call;
pub(crate) mod sign;
pub(crate) mod xml;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::account::AccountId;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::net::TcpStream;

use crate::contact::Contact;
use call::{Call, Service};
use xml::Element;

/// Longest answer that is read, in bytes; a page of 400 load balancers is well below it.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the requests say of who sends them, for the audit log.
const USER_AGENT: &str = concat!("elbow/", env!("CARGO_PKG_VERSION"));

/// How long a call may take, the connection included.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls the APIs of one elbow with its root key.
#[derive(Debug)]
pub(crate) struct Client {
    contact: Contact,
    account: Option<AccountId>,
}

/// What a process tells about itself.
#[derive(Clone, Debug)]
pub(crate) struct SelfReport {
    /// In Prometheus's text format; see `metrics`.
    pub(crate) metrics: String,
    /// What time it has, in whole seconds.
    pub(crate) date: Option<OffsetDateTime>,
}

/// A request that is to be signed.
struct Post {
    /// In the signature's scope.
    service: &'static str,
    path: &'static str,
    content_type: &'static str,
    /// The operation, where the body does not name it.
    target: Option<String>,
    body: String,
}

/// A call brought no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("elbow does not answer at {address}; is `elbow serve` running?")]
    Unreachable {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the connection to elbow broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("elbow did not answer within {} seconds", CALL_TIMEOUT.as_secs())]
    TimedOut,
    #[error("{action}: {message} ({code}, status {status})")]
    Refused {
        action: &'static str,
        status: u16,
        code: String,
        message: String,
    },
    #[error("{0}")]
    NoAnswer(String),
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    #[error(transparent)]
    NotXml(#[from] xml::NotXml),
}

impl Client {
    /// A client for the elbow at `contact`, in this account or in that of its configuration.
    pub(crate) fn new(contact: Contact, account: Option<AccountId>) -> Self {
        Self { contact, account }
    }

    /// Makes the call. The result element of the answer, or the whole answer where there is none (EC2).
    ///
    /// # Errors
    /// Elbow is not there, or refuses the call.
    pub(crate) async fn call(&self, call: &Call) -> Result<Element, CallError> {
        let (status, text) = self
            .post(Post {
                service: call.service().signing_name(),
                path: "/",
                content_type: sign::CONTENT_TYPE,
                target: None,
                body: call.form(),
            })
            .await?;
        let answer = Element::parse(&text)?;
        match status.is_success() {
            true => Ok(result(call.action(), answer)),
            false => Err(refusal(call.action(), status, &answer)),
        }
    }

    /// Calls an operation of ACM, which speaks JSON; the members of its result.
    ///
    /// # Errors
    /// Elbow is not there, or refuses the call.
    pub(crate) async fn call_acm(
        &self,
        action: &'static str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let (status, text) = self
            .post(Post {
                service: "acm",
                path: "/",
                content_type: "application/x-amz-json-1.1",
                target: Some(format!("CertificateManager.{action}")),
                body: input.to_string(),
            })
            .await?;
        let answer: Value = serde_json::from_str(&text).map_err(CallError::NotJson)?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        match status.is_success() {
            false => Err(CallError::Refused {
                action,
                status: status.as_u16(),
                code: text("__type"),
                message: text("message"),
            }),
            true => Ok(answer),
        }
    }

    /// What the process tells about itself, and what time it has.
    ///
    /// # Errors
    /// Elbow is not there.
    pub(crate) async fn self_report(&self) -> Result<SelfReport, CallError> {
        let address = self.contact.endpoint.address.to_string();
        let request = Request::get(api::METRICS_PATH)
            .header("host", address)
            .header("user-agent", USER_AGENT)
            .body(Full::default())
            .expect("an address is a valid header value");
        let response = self.send(request).await?;
        let date = response
            .headers()
            .get("date")
            .and_then(|it| it.to_str().ok());
        Ok(SelfReport {
            date: date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()),
            metrics: response.into_body(),
        })
    }

    /// Asks what would become of a request; question and answer are JSON, see `explain`.
    ///
    /// # Errors
    /// Elbow is not there, or has no answer to the question.
    pub(crate) async fn explain(&self, question: String) -> Result<String, CallError> {
        let (status, text) = self
            .post(Post {
                service: Service::Elbv2.signing_name(),
                path: api::EXPLAIN_PATH,
                content_type: "application/json",
                target: None,
                body: question,
            })
            .await?;
        match (status.is_success(), Element::parse(&text)) {
            (true, _) => Ok(text),
            (false, Ok(answer)) => Err(refusal("explain", status, &answer)),
            (false, Err(_)) => Err(CallError::NoAnswer(text.trim_end().to_owned())),
        }
    }

    async fn post(&self, post: Post) -> Result<(StatusCode, String), CallError> {
        let endpoint = &self.contact.endpoint;
        let account = self.account.as_ref().map(AccountId::as_str);
        let fields = [
            (sign::TARGET, post.target.as_deref()),
            (api::ACCOUNT_FIELD, account),
        ];
        let fields = fields.into_iter();
        let fields: Vec<_> = fields
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let signed = sign::Signed::new(
            &self.contact.key,
            [&endpoint.region, post.service],
            [&endpoint.address.to_string(), post.path],
            &sign::Content {
                content_type: post.content_type,
                fields: &fields,
                body: &post.body,
            },
            OffsetDateTime::now_utc(),
        );
        let mut request = Request::post(post.path)
            .header("host", endpoint.address.to_string())
            .header("user-agent", USER_AGENT)
            .header("content-type", post.content_type)
            .header("x-amz-date", signed.date)
            .header("authorization", signed.authorization);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(post.body)))
            .expect("all parts are valid header values");
        let response = self.send(request).await?;
        Ok((response.status(), response.into_body()))
    }

    /// Sends a request, and waits for the whole answer.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<String>, CallError> {
        let exchange = tokio::time::timeout(CALL_TIMEOUT, self.exchange(request));
        exchange.await.map_err(|_| CallError::TimedOut)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<String>, CallError> {
        let endpoint = &self.contact.endpoint;
        let stream = TcpStream::connect(endpoint.address)
            .await
            .map_err(|source| CallError::Unreachable {
                address: endpoint.address,
                source,
            })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // Ends by itself when the sender is dropped.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX);
        let bytes = body.collect().await.map_err(CallError::Broken)?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Response::from_parts(head, text))
    }
}

fn broken(source: hyper::Error) -> CallError {
    CallError::Broken(Box::new(source))
}

fn result(action: &str, answer: Element) -> Element {
    match answer.find(&format!("{action}Result")) {
        Some(result) => result.clone(),
        None => answer,
    }
}

/// Query services answer `ErrorResponse/Error`, EC2 answers `Response/Errors/Error`.
fn refusal(action: &'static str, status: StatusCode, answer: &Element) -> CallError {
    let error = answer.find("Error").or_else(|| answer.find("Errors/Error"));
    let text = |name| error.map_or(String::new(), |error| error.text_at(name).to_owned());
    CallError::Refused {
        action,
        status: status.as_u16(),
        code: text("Code"),
        message: text("Message"),
    }
}

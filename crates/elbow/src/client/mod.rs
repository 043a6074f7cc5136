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
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use tokio::net::TcpStream;

use crate::contact::Contact;
use call::{Call, Service};
use xml::Element;

/// Longest answer that is read, in bytes; a page of 400 load balancers is well below it.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a call may take, the connection included.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls the APIs of one elbow with its root key.
#[derive(Debug)]
pub(crate) struct Client {
    contact: Contact,
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
    #[error(transparent)]
    NotXml(#[from] xml::NotXml),
}

impl Client {
    /// A client for the elbow at `contact`.
    pub(crate) fn new(contact: Contact) -> Self {
        Self { contact }
    }

    /// Makes the call. The result element of the answer, or the whole answer where there is none (EC2).
    ///
    /// # Errors
    /// Elbow is not there, or refuses the call.
    pub(crate) async fn call(&self, call: &Call) -> Result<Element, CallError> {
        let exchange = tokio::time::timeout(CALL_TIMEOUT, self.exchange(call));
        let (status, text) = exchange.await.map_err(|_| CallError::TimedOut)??;
        let answer = Element::parse(&text)?;
        match status.is_success() {
            true => Ok(result(call.action(), answer)),
            false => Err(refusal(call.action(), status, &answer)),
        }
    }

    /// What the process tells about itself, in Prometheus's text format; see `metrics`.
    ///
    /// # Errors
    /// Elbow is not there.
    pub(crate) async fn metrics(&self) -> Result<String, CallError> {
        let address = self.contact.endpoint.address.to_string();
        let request = Request::get(api::METRICS_PATH)
            .header("host", address)
            .body(Full::default())
            .expect("an address is a valid header value");
        let exchange = tokio::time::timeout(CALL_TIMEOUT, self.send(request));
        let (_, text) = exchange.await.map_err(|_| CallError::TimedOut)??;
        Ok(text)
    }

    /// Asks what would become of a request; question and answer are JSON, see `explain`.
    ///
    /// # Errors
    /// Elbow is not there, or has no answer to the question.
    pub(crate) async fn explain(&self, question: String) -> Result<String, CallError> {
        let service = Service::Elbv2.signing_name();
        let exchange = self.post(service, api::EXPLAIN_PATH, "application/json", question);
        let exchange = tokio::time::timeout(CALL_TIMEOUT, exchange);
        let (status, text) = exchange.await.map_err(|_| CallError::TimedOut)??;
        match (status.is_success(), Element::parse(&text)) {
            (true, _) => Ok(text),
            (false, Ok(answer)) => Err(refusal("explain", status, &answer)),
            (false, Err(_)) => Err(CallError::NoAnswer(text.trim_end().to_owned())),
        }
    }

    async fn exchange(&self, call: &Call) -> Result<(StatusCode, String), CallError> {
        let service = call.service().signing_name();
        self.post(service, "/", sign::CONTENT_TYPE, call.form())
            .await
    }

    async fn post(
        &self,
        service: &str,
        path: &str,
        content_type: &str,
        body: String,
    ) -> Result<(StatusCode, String), CallError> {
        let endpoint = &self.contact.endpoint;
        let signed = sign::Signed::new(
            &self.contact.key,
            [&endpoint.region, service],
            [&endpoint.address.to_string(), path],
            (content_type, &body),
            OffsetDateTime::now_utc(),
        );
        let request = Request::post(path)
            .header("host", endpoint.address.to_string())
            .header("content-type", content_type)
            .header("x-amz-date", signed.date)
            .header("authorization", signed.authorization)
            .body(Full::new(Bytes::from(body)))
            .expect("all parts are valid header values");
        self.send(request).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, String), CallError> {
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
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let bytes = body.collect().await.map_err(CallError::Broken)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
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

//! Calls to identity providers and JWKS endpoints: short, rare and bounded in every direction.
//!
//! Each call has a connection of its own. Logins are rare beside requests, and a connection that is kept
//! would belong to the event loop of one worker while the next call comes from another.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::endpoint::Endpoint;
use crate::refreshes::Refreshes;

/// What a [`Client`] is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificates in PEM that are trusted beside those of the system, for providers with a CA of their
    /// own. Default none.
    pub extra_roots_pem: Option<Vec<u8>>,
    /// How long one call may take, from looking up the name to the last byte. Default 5 s.
    /// Source: ALB guide, "HTTP 500: Internal server error" and "JWT verification".
    pub timeout: Duration,
    /// How many calls are under way at once. Further ones wait, within their `timeout`. Default 256.
    pub concurrent_calls: NonZeroUsize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            extra_roots_pem: None,
            timeout: Duration::from_secs(5),
            concurrent_calls: const { NonZeroUsize::new(256).unwrap() },
        }
    }
}

/// Longest response head, in bytes. It is room for the cookies that providers like to set.
const RESPONSE_HEAD_MAX: usize = 64 * 1024;

/// Makes the calls. One for the process: its bounds are for all workers together.
#[derive(Debug)]
pub struct Client {
    tls: TlsConfig,
    timeout: Duration,
    permits: Semaphore,
    counters: Counters,
    pub(crate) refreshes: Refreshes,
}

/// Why a [`Client`] cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The extra certificates are not PEM.
    #[error("the extra CA certificates cannot be read; give one or more certificates in PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The extra certificates hold none.
    #[error("the extra CA certificates hold no certificate; give one or more certificates in PEM")]
    NoCertificate,
    /// One of them is no certificate.
    #[error("one of the extra CA certificates is damaged; replace it")]
    Certificate(#[source] rustls::Error),
}

/// How often the bounds were met, since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Calls begun.
    pub calls: AtomicU64,
    /// Calls that had to wait because as many as allowed were under way.
    pub waits: AtomicU64,
    /// Calls that took too long.
    pub timeouts: AtomicU64,
    /// Calls that failed to connect, in the TLS handshake, or halfway.
    pub unreachable: AtomicU64,
    /// Responses that were too large.
    pub too_large: AtomicU64,
}

/// One request to an endpoint.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) method: hyper::Method,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: String,
    /// Largest response body, in bytes.
    pub(crate) response_max: usize,
}

/// The answer to a [`Call`]. A redirect is an answer like any other.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: hyper::StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    Timeout,
    Unreachable,
    TooLarge,
}

impl Client {
    /// A client that trusts the certificates of the system and the extra ones.
    ///
    /// # Errors
    /// If the extra certificates cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            tls: TlsConfig(tls(settings.extra_roots_pem.as_deref())?),
            timeout: settings.timeout,
            permits: Semaphore::new(settings.concurrent_calls.get().min(Semaphore::MAX_PERMITS)),
            counters: Counters::default(),
            refreshes: Refreshes::default(),
        })
    }

    /// How often the bounds were met.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let counters = &self.counters;
        counters.calls.fetch_add(1, Ordering::Relaxed);
        let url = call.endpoint.as_str().to_owned();
        let result = match tokio::time::timeout(self.timeout, self.attempt(call)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Timeout),
        };
        if let Err(error) = result {
            let counter = match error {
                CallError::Timeout => &counters.timeouts,
                CallError::Unreachable => &counters.unreachable,
                CallError::TooLarge => &counters.too_large,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(url, ?error, "a call to an identity provider failed");
        }
        result
    }

    async fn attempt(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let _permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                self.counters.waits.fetch_add(1, Ordering::Relaxed);
                let permit = self.permits.acquire().await;
                permit.expect("the semaphore is never closed")
            }
        };
        let stream = connect(call.endpoint).await?;
        if !call.endpoint.is_tls() {
            return converse(stream, call).await;
        }
        let name = ServerName::try_from(call.endpoint.host().to_owned())
            .map_err(|error| unreachable(call.endpoint, &error))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls.0))
            .connect(name, stream)
            .await
            .map_err(|error| unreachable(call.endpoint, &error))?;
        converse(stream, call).await
    }
}

/// Has a name of its own because the configuration prints pages of itself.
struct TlsConfig(Arc<ClientConfig>);

impl std::fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsConfig")
    }
}

fn tls(extra_roots_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, ClientError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    // Some systems carry certificates that nobody can read; the others are trusted all the same.
    roots.add_parsable_certificates(native.certs);
    if let Some(pem) = extra_roots_pem {
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(ClientError::Pem)?;
            roots.add(certificate).map_err(ClientError::Certificate)?;
            count += 1;
        }
        if count == 0 {
            return Err(ClientError::NoCertificate);
        }
    }
    if roots.is_empty() {
        tracing::warn!(
            errors = ?native.errors,
            "the system has no CA certificates, so no identity provider can be trusted; \
             install the package ca-certificates or give certificates of your own"
        );
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc has the ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Tries the addresses of the endpoint in turn, those of IPv4 first: AWS reaches endpoints over IPv4 only.
async fn connect(endpoint: &Endpoint) -> Result<TcpStream, CallError> {
    let found = tokio::net::lookup_host((endpoint.host(), endpoint.port()))
        .await
        .map_err(|error| unreachable(endpoint, &error))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                unreachable(endpoint, &error);
            }
        }
    }
    Err(CallError::Unreachable)
}

async fn converse<S>(stream: S, call: Call<'_>) -> Result<Reply, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: &hyper::Error| unreachable(call.endpoint, error);
    let mut request = Request::new(Full::new(Bytes::from(call.body)));
    *request.method_mut() = call.method;
    *request.uri_mut() = call
        .endpoint
        .target()
        .parse()
        .map_err(|error: hyper::http::uri::InvalidUri| unreachable(call.endpoint, &error))?;
    let host = HeaderValue::from_str(call.endpoint.authority())
        .map_err(|error| unreachable(call.endpoint, &error))?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, HeaderValue::from_static("elbow"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(call.headers);

    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(RESPONSE_HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), call.response_max)
            .collect()
            .await
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => CallError::TooLarge,
                None => unreachable(call.endpoint, &*error),
            })?
            .to_bytes();
        Ok(Reply { status, body })
    };
    // The connection moves bytes only while it is polled. It may end before the body has been taken.
    let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        result = &mut exchange => return result,
        _ = &mut connection => {}
    }
    exchange.await
}

fn unreachable(endpoint: &Endpoint, error: &(dyn std::error::Error + 'static)) -> CallError {
    tracing::debug!(
        url = endpoint.as_str(),
        error,
        "no answer of an identity provider"
    );
    CallError::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_certificates_that_cannot_be_used_are_refused() {
        let new = |pem: &str| {
            let settings = Settings {
                extra_roots_pem: Some(pem.as_bytes().to_vec()),
                ..Settings::default()
            };
            Client::new(&settings)
        };
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        assert!(matches!(new(""), Err(ClientError::NoCertificate)));
        assert!(matches!(new("text"), Err(ClientError::NoCertificate)));
        assert!(matches!(new(begin), Err(ClientError::Pem(_))));
        let damaged = format!("{begin}AAAA\n{end}");
        assert!(matches!(new(&damaged), Err(ClientError::Certificate(_))));
        let good = rcgen::generate_simple_self_signed(["idp.example.com".to_owned()]);
        let good = good.expect("a certificate can be made").cert.pem();
        assert!(new(&good).is_ok());
        assert!(matches!(
            new(&format!("{good}{damaged}")),
            Err(ClientError::Certificate(_))
        ));
    }
}

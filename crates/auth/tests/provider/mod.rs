//! An identity provider in this process, on a free port, over real TLS, that answers as it is told.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use auth::{Client, Settings};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// What the provider does when a path is asked for.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Answers.
    Status(u16, String),
    /// Answers with a redirect to another path of its own.
    Redirect(&'static str),
    /// Takes the request and never answers. Stops the clock, so that it jumps to the next timeout.
    Never,
    /// Closes the connection.
    Close,
    /// Answers once for each permit that it is given.
    When(Arc<Semaphore>, String),
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Answer>,
    seen: Vec<Seen>,
}

pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: String,
    script: Arc<Mutex<Script>>,
    scheme: &'static str,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .expect("a certificate can be made");
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der())
            .expect("the key is PKCS#8");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("the key is that of the certificate");
        let ca_pem = certified.cert.pem();
        Self::listen(ca_pem, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    pub(crate) async fn start_plain() -> Self {
        Self::listen(String::new(), None).await
    }

    async fn listen(ca_pem: String, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let script = Arc::<Mutex<Script>>::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&script)));
                    let http = http1::Builder::new();
                    // Tests cut connections; the client's side of it is what they look at.
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                let _ = http.serve_connection(TokioIo::new(stream), service).await;
                            }
                        }
                        None => {
                            let _ = http.serve_connection(TokioIo::new(stream), service).await;
                        }
                    }
                });
            }
        });
        Self {
            address,
            ca_pem,
            script,
            scheme,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.address.port())
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        let mut script = self.script.lock().expect("no test panics with it");
        script.answers.insert(path.to_owned(), answer);
    }

    pub(crate) fn answer_json(&self, path: &str, json: &serde_json::Value) {
        self.answer(path, Answer::Status(200, json.to_string()));
    }

    /// The requests since the last call of this.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.script.lock().expect("no test panics with it").seen)
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(&mut Settings)) -> Client {
        let mut settings = Settings::default();
        if !self.ca_pem.is_empty() {
            settings.extra_roots_pem = Some(self.ca_pem.clone().into_bytes());
        }
        change(&mut settings);
        Client::new(&settings).expect("the settings are good")
    }
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("the client sends its body");
    let path = parts.uri.path().to_owned();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let seen = Seen {
        method: parts.method.to_string(),
        path: path.clone(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body: text(&body.to_bytes()),
    };
    let answer = {
        let mut script = script.lock().expect("no test panics with it");
        script.seen.push(seen);
        script.answers.get(&path).cloned()
    };
    let respond = |status: u16, body: String| {
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status.try_into().expect("a status");
        Ok(response)
    };
    match answer {
        None => respond(404, String::new()),
        Some(Answer::Status(status, body)) => respond(status, body),
        Some(Answer::Redirect(to)) => {
            let mut response = respond(302, String::new())?;
            let location = to.try_into().expect("a path");
            response.headers_mut().insert("location", location);
            Ok(response)
        }
        Some(Answer::Never) => {
            tokio::time::pause();
            std::future::pending().await
        }
        Some(Answer::Close) => Err(std::io::Error::other("closed")),
        Some(Answer::When(told, body)) => {
            told.acquire().await.expect("never closed").forget();
            respond(200, body)
        }
    }
}

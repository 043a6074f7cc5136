//! Buckets of a service that speaks the protocol of S3: `GetObject`, path style, signed.
//!
//! Source: S3 API, `GetObject`; "Authenticating Requests: Using the Authorization Header".

use std::sync::Arc;
use std::time::Duration;

use control::{ObjectError, ObjectFuture, ObjectName, ObjectStore};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use tokio::net::TcpStream;

use crate::client::sign;
use crate::config::s3::S3Endpoint;

/// How long the whole read of one object may take.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same, for keys, whose slashes stay.
const RESERVED_IN_KEYS: &AsciiSet = &RESERVED.remove(b'/');

const SIGNED_HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";

/// A service of buckets.
#[derive(Debug)]
pub(super) struct Endpoint(Arc<S3Endpoint>);

impl Endpoint {
    /// The one at this place.
    pub(super) fn at(endpoint: S3Endpoint) -> Self {
        Self(Arc::new(endpoint))
    }
}

impl ObjectStore for Endpoint {
    fn read(&self, name: ObjectName, bytes_max: usize) -> ObjectFuture<'_> {
        let endpoint = Arc::clone(&self.0);
        Box::pin(async move {
            let request = request(&endpoint, &name, OffsetDateTime::now_utc());
            let exchange = exchange(&endpoint, request, bytes_max);
            let answer = tokio::time::timeout(READ_TIMEOUT, exchange).await;
            answer.unwrap_or_else(|_| {
                Err(unavailable(&endpoint, "has not answered within 30 seconds"))
            })
        })
    }
}

async fn exchange(
    endpoint: &S3Endpoint,
    request: Request<Empty<Bytes>>,
    bytes_max: usize,
) -> Result<Vec<u8>, ObjectError> {
    let failed = |error: &dyn std::error::Error| unavailable(endpoint, &format!("failed: {error}"));
    let address = match endpoint.authority.contains(':') {
        true => endpoint.authority.clone(),
        false => format!("{}:80", endpoint.authority),
    };
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    // Ends by itself when the sender is dropped.
    tokio::spawn(connection);
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(&error))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(ObjectError::NotFound),
        StatusCode::FORBIDDEN => {
            return Err(unavailable(
                endpoint,
                "answered 403; check the access key in [s3], and that it may read the object",
            ));
        }
        status => return Err(unavailable(endpoint, &format!("answered {status}"))),
    }
    let body = Limited::new(response.into_body(), bytes_max)
        .collect()
        .await;
    match body {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(ObjectError::TooLarge { bytes_max }),
        Err(error) => Err(failed(&*error)),
    }
}

fn unavailable(endpoint: &S3Endpoint, what: &str) -> ObjectError {
    ObjectError::Unavailable(format!("the S3 at {} {what}", endpoint.authority))
}

/// `GetObject`, signed at this time.
fn request(endpoint: &S3Endpoint, name: &ObjectName, now: OffsetDateTime) -> Request<Empty<Bytes>> {
    let path = format!(
        "/{}/{}",
        utf8_percent_encode(&name.bucket, RESERVED),
        utf8_percent_encode(&name.key, RESERVED_IN_KEYS)
    );
    let version = name.version.as_deref();
    let query = version.map(|id| format!("versionId={}", utf8_percent_encode(id, RESERVED)));
    let query = query.unwrap_or_default();
    let date = sign::date(now);
    let empty = sign::hash(b"");
    let host = &endpoint.authority;
    let canonical_request = format!(
        "GET\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{date}\n\n\
         {SIGNED_HEADERS}\n{empty}"
    );
    let authorization = sign::authorization(
        &endpoint.key,
        [&endpoint.region, "s3"],
        &date,
        SIGNED_HEADERS,
        &canonical_request,
    );
    let separator = if query.is_empty() { "" } else { "?" };
    Request::get(format!("{path}{separator}{query}"))
        .header("host", host)
        .header("x-amz-content-sha256", empty)
        .header("x-amz-date", date)
        .header("authorization", authorization)
        .body(Empty::new())
        .expect("all parts are encoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::RootKey;
    use time::macros::datetime;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn endpoint() -> S3Endpoint {
        S3Endpoint {
            authority: "localhost:9000".to_owned(),
            region: "us-east-1".to_owned(),
            key: RootKey {
                access_key_id: "KEY".to_owned(),
                secret_access_key: "secret".to_owned(),
            },
        }
    }

    /// The expected signature is what botocore's `S3SigV4Auth` makes of the same request.
    #[test]
    fn the_signature_is_botocores() {
        let name = ObjectName {
            bucket: "bucket".to_owned(),
            key: "a b/ä+c.pem".to_owned(),
            version: Some("v/1".to_owned()),
        };
        let request = request(&endpoint(), &name, datetime!(2026-01-02 03:04:05 UTC));
        assert_eq!(
            request.uri(),
            "/bucket/a%20b/%C3%A4%2Bc.pem?versionId=v%2F1"
        );
        assert_eq!(request.headers()["authorization"], EXPECTED);
    }

    const EXPECTED: &str = "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/s3/aws4_request, \
                            SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                            Signature=239f154e8feb19d342edf82150560ac5556f369cada242f7e818acf6d5be7ab2";

    /// What a service that gives this answer to one request is understood as.
    async fn understood(answer: &'static str) -> Result<Vec<u8>, ObjectError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let service = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let store = Endpoint::at(S3Endpoint {
            authority,
            ..endpoint()
        });
        let name = ObjectName {
            bucket: "bucket".to_owned(),
            key: "key".to_owned(),
            version: None,
        };
        let outcome = store.read(name, 4).await;
        service.await.unwrap();
        outcome
    }

    #[tokio::test]
    async fn answers_are_understood() {
        let text = understood("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntext").await;
        assert_eq!(text.unwrap(), b"text");
        let long = understood("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntexts").await;
        assert_eq!(long, Err(ObjectError::TooLarge { bytes_max: 4 }));
        let gone = understood("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(gone, Err(ObjectError::NotFound));
        for (answer, said) in [
            (
                "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
                "access key",
            ),
            ("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n", "503"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nte", "failed"),
        ] {
            match understood(answer).await {
                Err(ObjectError::Unavailable(text)) => assert!(text.contains(said), "{text}"),
                other => panic!("{answer}: {other:?}"),
            }
        }
    }
}

//! The head of a request for a target that speaks HTTP/2.

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};

use crate::buffer::Buffer;
use crate::head_sink::{HeadSink, RequestLine};

/// A head under construction.
#[derive(Debug)]
pub(super) struct TargetHead {
    is_tls: bool,
    method: Option<Method>,
    target: Option<PathAndQuery>,
    authority: Option<Authority>,
    fields: HeaderMap,
    /// Whether some part of it cannot stand in a request as the `h2` crate makes them.
    is_unfit: bool,
    value: Buffer,
}

/// What a target of HTTP/2 is sent, as often as it takes.
#[derive(Clone, Debug)]
pub(super) struct TargetRequest(Request<()>);

impl TargetRequest {
    pub(super) fn authority(&self) -> Option<&str> {
        self.0.uri().authority().map(Authority::as_str)
    }

    /// Source: gRPC over HTTP/2, "Requests".
    pub(super) fn is_grpc(&self) -> bool {
        let content_type = self.0.headers().get(http::header::CONTENT_TYPE);
        content_type.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
    }

    pub(super) fn to_send(&self) -> Request<()> {
        self.0.clone()
    }
}

impl TargetHead {
    pub(super) fn new(is_tls: bool) -> Self {
        Self {
            is_tls,
            method: None,
            target: None,
            authority: None,
            fields: HeaderMap::new(),
            is_unfit: false,
            value: Buffer::default(),
        }
    }

    /// The request; `None` if its path or a field is nothing that the target could be sent.
    pub(super) fn into_request(self) -> Option<TargetRequest> {
        let scheme = if self.is_tls {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(self.authority?)
            .path_and_query(self.target?)
            .build()
            .ok()?;
        let mut request = Request::new(());
        *request.version_mut() = Version::HTTP_2;
        *request.method_mut() = self.method?;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.fields;
        let mut request = TargetRequest(request);
        if request.is_grpc() {
            // Source: gRPC over HTTP/2, "Requests": it shows that no proxy on the way drops trailers.
            let trailers = HeaderValue::from_static("trailers");
            request.0.headers_mut().insert(http::header::TE, trailers);
        }
        (!self.is_unfit).then_some(request)
    }

    fn put(&mut self, name: &str, value: &[u8]) {
        let name = HeaderName::from_bytes(name.as_bytes());
        match (name, HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => self.is_unfit |= self.fields.try_append(name, value).is_err(),
            _ => self.is_unfit = true,
        }
    }
}

impl HeadSink for TargetHead {
    fn request_line(&mut self, line: &RequestLine<'_>) {
        self.method = Method::from_bytes(line.method.as_bytes()).ok();
        let mut target = line.path.to_vec();
        if let Some(query) = line.query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        // The type would cut off what follows.
        self.is_unfit |= target.contains(&b'#');
        self.target = PathAndQuery::from_maybe_shared(bytes::Bytes::from(target)).ok();
    }

    fn host(&mut self, write: impl FnOnce(&mut Buffer)) {
        let mut host = Buffer::default();
        write(&mut host);
        self.authority = Authority::try_from(host.filled()).ok();
    }

    /// Targets are sent requests only.
    fn status_line(&mut self, _: u16, _: &str) {
        debug_assert!(false, "targets are sent no responses");
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        self.put(name, value);
    }

    fn field_of(&mut self, name: &str, write: impl FnOnce(&mut Buffer)) {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        write(&mut value);
        self.put(name, value.filled());
        self.value = value;
    }

    fn hop_field(&mut self, _: &str, _: &[u8]) {}

    fn end(&mut self) {}
}

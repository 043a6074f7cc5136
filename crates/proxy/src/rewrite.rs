//! What the transforms of a rule make of a request.

use engine::{Frontend, TransformStatus, Transforms};

use crate::buffer::Buffer;
use crate::counters::Counters;
use crate::forwarded::put_host;
use crate::http1::request::RequestHead;

/// What stands in the head for a target in place of what the client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// `Host`, or `:authority`.
    pub(crate) host: Option<Vec<u8>>,
    /// The path with the query.
    pub(crate) url: Option<Vec<u8>>,
}

impl Rewritten {
    /// Applies `transforms` to a request. `None` if one of them fails: the request is answered with 500.
    ///
    /// The host is rewritten as the target would have got it, but for its port, which stays: a pattern that ends with
    /// the name is right on every port. A result with a port of its own has that.
    pub(crate) fn of(
        transforms: &Transforms,
        request: &RequestHead<'_, '_>,
        frontend: &Frontend,
        counters: &Counters,
    ) -> Option<Self> {
        let mut rewritten = Self::default();
        if transforms.host.is_some() {
            let (mut host, mut result) = (Buffer::default(), Vec::new());
            put_host(&mut host, request, frontend);
            let (name, port) = split_port(host.filled());
            let status = transforms.write_host(name, &mut result);
            if split_port(&result).1.is_empty() {
                result.extend_from_slice(port);
            }
            rewritten.host = counted(status, result, counters)?;
        }
        if transforms.url.is_some() {
            let (mut url, mut result) = (request.path.to_vec(), Vec::new());
            if let Some(query) = request.query {
                url.push(b'?');
                url.extend_from_slice(query);
            }
            let status = transforms.write_url(&url, &mut result);
            rewritten.url = counted(status, result, counters)?;
        }
        Some(rewritten)
    }

    /// The path and the query of `url`.
    pub(crate) fn target(&self) -> Option<(&[u8], Option<&[u8]>)> {
        let url = self.url.as_deref()?;
        Some(match memchr::memchr(b'?', url) {
            Some(mark) => (&url[..mark], Some(&url[mark + 1..])),
            None => (url, None),
        })
    }
}

/// A host in two: the name, and the port with its colon, if there is one.
fn split_port(host: &[u8]) -> (&[u8], &[u8]) {
    let digits = host.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    match host[..host.len() - digits].strip_suffix(b":") {
        Some(name) => host.split_at(name.len()),
        None => (host, &[]),
    }
}

/// The result of a transform whose pattern matched; the outer `None`: it failed.
fn counted(
    status: Option<TransformStatus>,
    result: Vec<u8>,
    counters: &Counters,
) -> Option<Option<Vec<u8>>> {
    let Some(status) = status else {
        return Some(None);
    };
    match status {
        TransformStatus::Success => &counters.transforms_applied,
        TransformStatus::BufferTooSmall => &counters.transforms_too_long,
        TransformStatus::InvalidHost => &counters.transforms_to_invalid_host,
        TransformStatus::InvalidPath => &counters.transforms_to_invalid_path,
        TransformStatus::ReplaceError => &counters.transforms_not_replaced,
    }
    .increment();
    (status == TransformStatus::Success).then_some(Some(result))
}

//! Request heads as targets get them: hop-by-hop fields removed, forwarding fields added, one framing.

use std::net::{IpAddr, SocketAddr};

use auth::USER_FIELDS;
use engine::Frontend;
use engine::http::ForwardedFor;

use crate::buffer::Buffer;
use crate::changed_fields::ChangedFields;
use crate::decide::{ConnectionFacts, Route};
use crate::head_sink::{HeadSink, RequestLine};
use crate::http1::field::Field;
use crate::http1::host::Host;
use crate::http1::request::RequestHead;
use crate::http1::{Fields, Framing, Version, list_members};
use crate::outgoing::{Nominated, put_address, put_number, write_content_length};
use crate::tls_fields::{is_tls_field, passes_for, write_tls_fields};
use crate::trace_id;

/// Addresses in `X-Forwarded-For` that a request may bring; with more it is answered with 463.
///
/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 463.
const FORWARDED_ADDRESSES_MAX: usize = 30;

/// A request on its way to a target.
#[derive(Clone, Copy)]
pub(crate) struct Forwarded<'h, 'a, 'b> {
    pub(crate) request: &'h RequestHead<'a, 'b>,
    pub(crate) frontend: &'h Frontend,
    pub(crate) connection: ConnectionFacts<'h>,
    pub(crate) route: &'h Route<'h>,
}

impl Forwarded<'_, '_, '_> {
    /// Writes the head for a target, without the body that may follow it.
    pub(crate) fn write_head(&self, sink: &mut impl HeadSink) {
        match self.route.extensions {
            Some(extensions) if !extensions.request_fields.is_empty() => {
                let changes = &extensions.request_fields;
                self.write(&mut ChangedFields::new(sink, changes, &[]));
            }
            _ => self.write(sink),
        }
    }

    fn write(&self, sink: &mut impl HeadSink) {
        let request = self.request;
        let Route {
            trace_id,
            rewritten,
            user,
            ..
        } = self.route;
        let (path, query) = rewritten.target().unwrap_or((request.path, request.query));
        sink.request_line(&RequestLine {
            method: request.method,
            path,
            query,
        });
        sink.host(|out| match &rewritten.host {
            Some(host) => out.put(host),
            None => put_host(out, request, self.frontend),
        });
        self.write_fields(sink);
        match request.framing {
            Framing::Length(length) => write_content_length(sink, length),
            Framing::Chunked => sink.hop_field("Transfer-Encoding", b"chunked"),
            // A client that said 0 means that the body is empty, which some targets want to know.
            Framing::None if request.fields.values(Field::ContentLength).next().is_some() => {
                write_content_length(sink, 0);
            }
            Framing::None | Framing::UntilClose => {}
        }
        if let Some(protocol) = request.upgrade {
            sink.hop_field("Connection", b"Upgrade");
            sink.hop_field("Upgrade", protocol);
        }
        self.write_forwarded_for(sink);
        sink.field("X-Forwarded-Proto", self.connection.scheme().as_bytes());
        sink.field_of("X-Forwarded-Port", |out| {
            put_number(out, u64::from(self.frontend.port()));
        });
        if let Some(tls) = self.connection.tls {
            write_tls_fields(sink, &self.frontend.http, tls);
        }
        sink.field_of("X-Amzn-Trace-Id", |out| {
            let received = request.fields.values(Field::TraceId).next();
            let received = received.filter(|_| request.size <= trace_id::REQUEST_HEAD_BYTES_MAX);
            trace_id.write(received, |bytes| out.put(bytes));
        });
        for (name, value) in user.fields.iter().flatten() {
            sink.field(name, value.as_bytes());
        }
        sink.end();
    }

    /// The fields that the target gets as the client sent them.
    fn write_fields(&self, sink: &mut impl HeadSink) {
        let options = &self.frontend.http;
        let fields = self.request.fields;
        let nominated = Nominated::of(fields);
        let is_tls = self.connection.tls.is_some();
        let asks_who = self.route.user.fields.is_some();
        let is_forged = |name: &str| {
            (is_tls && is_tls_field(&options.tls_fields, name))
                || (asks_who && USER_FIELDS.iter().any(|own| passes_for(name, own)))
        };
        for (kind, name, value) in fields.iter() {
            let passes = match kind {
                Field::Other => !is_forged(name),
                Field::InvalidName if options.drops_invalid_fields => false,
                Field::InvalidName => !is_forged(name),
                Field::ForwardedFor => options.forwarded_for == ForwardedFor::Preserve,
                Field::Cookie | Field::Date => true,
                _ => false,
            };
            if !passes || nominated.holds(name) {
                continue;
            }
            if kind == Field::Cookie && self.request.version == Version::Http2 {
                write_joined_cookie(sink, name, value, fields);
            } else {
                sink.field(name, value);
            }
        }
    }

    /// Source: ALB guide, "HTTP headers and Application Load Balancers", "X-Forwarded-For".
    fn write_forwarded_for(&self, sink: &mut impl HeadSink) {
        let ForwardedFor::Append { client_port } = self.frontend.http.forwarded_for else {
            return;
        };
        sink.field_of("X-Forwarded-For", |out| {
            for value in self.request.fields.values(Field::ForwardedFor) {
                if !value.is_empty() {
                    out.put(value);
                    out.put(b", ");
                }
            }
            put_peer(out, self.connection.peer, client_port);
        });
    }
}

/// The host in lower case, or as the client sent it. In lower case the port is left out on listener ports 80
/// and 443 and stands there on others.
///
/// Source: ALB guide, "Host header preservation".
pub(crate) fn put_host(out: &mut Buffer, request: &RequestHead<'_, '_>, frontend: &Frontend) {
    if frontend.http.preserves_host {
        return put_preserved_host(out, request, frontend);
    }
    match request.host {
        None => out.put(frontend.dns_name.as_bytes()),
        Some(host) => put_lower_case(out, host.name),
    }
    let listener_port = frontend.port();
    if matches!(listener_port, 80 | 443) {
        return;
    }
    out.put(b":");
    match request.host.and_then(|host| host.port) {
        Some(port) => out.put(port),
        None => put_number(out, u64::from(listener_port)),
    }
}

/// The `Host` field even where an absolute target outweighs it; in HTTP/2 the `:authority`.
fn put_preserved_host(out: &mut Buffer, request: &RequestHead<'_, '_>, frontend: &Frontend) {
    let field = request.fields.values(Field::Host).next();
    match (field, request.host) {
        (Some(value), _) => out.put(value),
        (None, Some(Host { name, port })) => {
            out.put(name);
            if let Some(port) = port {
                out.put(b":");
                out.put(port);
            }
        }
        (None, None) => out.put(frontend.dns_name.as_bytes()),
    }
}

pub(crate) fn put_lower_case(out: &mut Buffer, text: &[u8]) {
    for part in text.chunks(64) {
        let mut lower = [0; 64];
        let lower = &mut lower[..part.len()];
        lower.copy_from_slice(part);
        lower.make_ascii_lowercase();
        out.put(lower);
    }
}

/// RFC 9113 section 8.2.3: the pieces into which HTTP/2 cuts the cookies are joined at the first of them.
fn write_joined_cookie(sink: &mut impl HeadSink, name: &str, value: &[u8], fields: Fields<'_, '_>) {
    let mut pieces = fields.values(Field::Cookie);
    if pieces
        .next()
        .is_some_and(|first| std::ptr::eq(first, value))
    {
        sink.field_of(name, |out| {
            out.put(value);
            for piece in pieces {
                out.put(b"; ");
                out.put(piece);
            }
        });
    }
}

/// Whether `X-Forwarded-For` has more addresses than a request may bring.
pub(crate) fn has_too_many_addresses(fields: Fields<'_, '_>) -> bool {
    let values = fields.values(Field::ForwardedFor);
    values.flat_map(list_members).count() > FORWARDED_ADDRESSES_MAX
}

/// The address of a peer, and its port: an IPv6 address has brackets only in front of a port.
fn put_peer(out: &mut Buffer, peer: SocketAddr, with_port: bool) {
    let ip = peer.ip().to_canonical();
    if !with_port {
        return put_address(out, ip);
    }
    match ip {
        IpAddr::V4(_) => put_address(out, ip),
        IpAddr::V6(_) => {
            out.put(b"[");
            put_address(out, ip);
            out.put(b"]");
        }
    }
    out.put(b":");
    put_number(out, u64::from(peer.port()));
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;

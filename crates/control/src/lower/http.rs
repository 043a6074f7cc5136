//! From the attributes of a load balancer and of a listener to what is done to their messages.

use engine::http::{DesyncMitigation, ErrorPage, ErrorPages, ForwardedFor, TlsFields};
use engine::{HttpOptions, ResponseCompression};
use model::attributes::Attribute;
use model::extension::{error_page, response_compression};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::{listener_attributes, load_balancer_attributes};

/// What is done to all messages of `listener`.
pub(super) fn options(load_balancer: &LoadBalancer, listener: &Listener) -> HttpOptions {
    let value = |attribute: &Attribute| load_balancer.attributes.value(attribute);
    let is_on = |attribute: &Attribute| value(attribute) == "true";
    let response_fields = listener_attributes::response_fields(&listener.attributes);
    HttpOptions {
        offers_http2: is_on(&load_balancer_attributes::HTTP2),
        desync_mitigation: match value(&load_balancer_attributes::DESYNC_MITIGATION_MODE) {
            "monitor" => DesyncMitigation::Monitor,
            "strictest" => DesyncMitigation::Strictest,
            _ => DesyncMitigation::Defensive,
        },
        drops_invalid_fields: is_on(&load_balancer_attributes::DROP_INVALID_HEADER_FIELDS),
        preserves_host: is_on(&load_balancer_attributes::PRESERVE_HOST_HEADER),
        forwarded_for: match value(&load_balancer_attributes::XFF_HEADER_PROCESSING_MODE) {
            "preserve" => ForwardedFor::Preserve,
            "remove" => ForwardedFor::Remove,
            _ => ForwardedFor::Append {
                client_port: is_on(&load_balancer_attributes::XFF_CLIENT_PORT),
            },
        },
        tls_fields: tls_fields(listener),
        sends_tls_version_and_cipher: is_on(
            &load_balancer_attributes::TLS_VERSION_AND_CIPHER_SUITE,
        ),
        sends_server: listener.attributes.value(&listener_attributes::SERVER) == "true",
        response_fields: response_fields
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        error_pages: error_pages(listener),
        response_compression: response_compression(listener),
    }
}

fn response_compression(listener: &Listener) -> Option<ResponseCompression> {
    let asked = response_compression::asked(&listener.attributes)?;
    let content_types = asked.content_types.into_iter();
    Some(ResponseCompression {
        content_types: content_types.map(Into::into).collect(),
        minimum_bytes: asked.minimum_bytes,
    })
}

fn error_pages(listener: &Listener) -> ErrorPages {
    let mut pages = ErrorPages::default();
    for page in error_page::pages(&listener.attributes) {
        let class = page.status.strip_suffix("xx").unwrap_or(page.status);
        let lowered = ErrorPage {
            content_type: with_charset(page.content_type),
            body: page.body.into(),
        };
        pages.insert(class.parse().expect("the table has numbers"), lowered);
    }
    pages
}

/// ALB adds the charset to text and to nothing else.
pub(super) fn with_charset(content_type: &str) -> Box<str> {
    let is_text = content_type.starts_with("text/");
    let charset = if is_text { "; charset=utf-8" } else { "" };
    format!("{content_type}{charset}").into_boxed_str()
}

fn tls_fields(listener: &Listener) -> TlsFields {
    let name = |attribute: &Attribute| listener.attributes.value(attribute).into();
    TlsFields {
        client_certificate: name(&listener_attributes::CLIENT_CERTIFICATE),
        client_certificate_serial_number: name(
            &listener_attributes::CLIENT_CERTIFICATE_SERIAL_NUMBER,
        ),
        client_certificate_issuer: name(&listener_attributes::CLIENT_CERTIFICATE_ISSUER),
        client_certificate_subject: name(&listener_attributes::CLIENT_CERTIFICATE_SUBJECT),
        client_certificate_validity: name(&listener_attributes::CLIENT_CERTIFICATE_VALIDITY),
        client_certificate_leaf: name(&listener_attributes::CLIENT_CERTIFICATE_LEAF),
        version: name(&listener_attributes::TLS_VERSION),
        cipher_suite: name(&listener_attributes::TLS_CIPHER_SUITE),
    }
}

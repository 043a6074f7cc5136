//! The fields that tell a target about the TLS connection of its client.
//!
//! Source: ALB guide, "HTTP headers and mutual TLS" and "Load balancer attributes",
//! `routing.http.x_amzn_tls_version_and_cipher_suite.enabled`.

use engine::HttpOptions;
use engine::http::TlsFields;

use crate::buffer::Buffer;
use crate::head_sink::HeadSink;
use crate::tls_facts::{ClientCertificate, TlsFacts};

/// Whether a field of a client bears one of the names, and would pass for what only we may say. Some targets
/// take an underscore for a hyphen (RFC 3875 section 4.1.18).
pub(crate) fn is_tls_field(names: &TlsFields, name: &str) -> bool {
    let TlsFields {
        client_certificate,
        client_certificate_serial_number,
        client_certificate_issuer,
        client_certificate_subject,
        client_certificate_validity,
        client_certificate_leaf,
        version,
        cipher_suite,
    } = names;
    [
        client_certificate,
        client_certificate_serial_number,
        client_certificate_issuer,
        client_certificate_subject,
        client_certificate_validity,
        client_certificate_leaf,
        version,
        cipher_suite,
    ]
    .iter()
    .any(|own| passes_for(name, own))
}

/// Whether a target may take `name` for `own`.
pub(crate) fn passes_for(name: &str, own: &str) -> bool {
    let is_same = |(a, b): (u8, u8)| {
        a.eq_ignore_ascii_case(&b) || (matches!(a, b'-' | b'_') && matches!(b, b'-' | b'_'))
    };
    name.len() == own.len() && name.bytes().zip(own.bytes()).all(is_same)
}

/// Writes what the target is told of the connection.
pub(crate) fn write_tls_fields(sink: &mut impl HeadSink, options: &HttpOptions, tls: &TlsFacts) {
    let names = &options.tls_fields;
    if options.sends_tls_version_and_cipher {
        sink.field(&names.version, tls.version.as_bytes());
        sink.field(&names.cipher_suite, tls.cipher_suite.as_bytes());
    }
    match &tls.client_certificate {
        ClientCertificate::Off => {}
        ClientCertificate::Passthrough { chain_pem } => {
            sink.field_of(&names.client_certificate, |out| {
                put_url_encoded(out, chain_pem.as_bytes());
            });
        }
        ClientCertificate::Verified {
            serial_number,
            issuer,
            subject,
            validity,
            leaf_pem,
        } => {
            for (name, value) in [
                (&names.client_certificate_serial_number, serial_number),
                (&names.client_certificate_issuer, issuer),
                (&names.client_certificate_subject, subject),
                (&names.client_certificate_validity, validity),
            ] {
                sink.field_of(name, |out| put_name(out, value.as_bytes()));
            }
            sink.field_of(&names.client_certificate_leaf, |out| {
                put_url_encoded(out, leaf_pem.as_bytes());
            });
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes all but unreserved characters and `+`, `=`, `/`, which the guide calls safe.
fn put_url_encoded(out: &mut Buffer, text: &[u8]) {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+=/".contains(b);
    put_escaped(out, text, is_plain, b'%');
}

/// Text of a certificate, whose author is the client: what would end the field is written as the hexadecimal
/// pair of RFC 2253 section 2.4.
fn put_name(out: &mut Buffer, text: &[u8]) {
    put_escaped(out, text, |b| !b.is_ascii_control(), b'\\');
}

fn put_escaped(out: &mut Buffer, text: &[u8], is_plain: impl Fn(&u8) -> bool, mark: u8) {
    for part in text.chunk_by(|a, b| is_plain(a) && is_plain(b)) {
        match part {
            [byte] if !is_plain(byte) => {
                let [high, low] = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
                out.put(&[mark, high, low]);
            }
            _ => out.put(part),
        }
    }
}

//! What a certificate says, in the words in which it is logged and handed to targets.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Tag, ToDer};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The facts of one certificate.
///
/// Source: ALB guide, "Mutual authentication with TLS", "X-Amzn-Mtls-Clientcert" headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject as a name of RFC 2253: `CN=rootcamtls.com,OU=rootCA,O=mTLS,C=US`.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The serial number in upper-case hexadecimal: `03A5B1`.
    pub serial_number: String,
    /// The first second at which it is valid.
    pub not_before: SystemTime,
    /// The last second at which it is valid.
    pub not_after: SystemTime,
    /// `NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z`.
    pub validity: String,
}

impl CertificateFacts {
    /// The facts of a certificate in DER; `None` if it is not one.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self::of(&certificate))
    }

    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        let mut serial_number = String::new();
        // The first byte is zero where the number would otherwise read as a negative one (X.690 section 8.3).
        let digits = match certificate.raw_serial() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            digits => digits,
        };
        for byte in digits {
            let _ = write!(serial_number, "{byte:02X}");
        }
        Self {
            subject: distinguished_name(certificate.subject()),
            issuer: distinguished_name(certificate.issuer()),
            serial_number,
            not_before: system_time(validity.not_before),
            not_after: system_time(validity.not_after),
            validity: format!(
                "NotBefore={};NotAfter={}",
                timestamp(validity.not_before),
                timestamp(validity.not_after)
            ),
        }
    }
}

fn system_time(time: ASN1Time) -> SystemTime {
    // Certificates from before 1970 are as expired as those of 1970.
    UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))
}

fn timestamp(time: ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// A name as RFC 2253 section 2 writes it: the last part first.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for relative in name.iter_rdn() {
        let attributes: Vec<String> = relative.iter().map(attribute).collect();
        parts.push(attributes.join("+"));
    }
    parts.reverse();
    parts.join(",")
}

/// The names of RFC 2253 section 2.3, and those that OpenSSL adds to them.
const ATTRIBUTE_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let name = ATTRIBUTE_NAMES.iter().find(|(known, _)| *known == oid);
    match (name, text(attribute)) {
        (Some((_, name)), Some(value)) => format!("{name}={}", escaped(&value)),
        // Section 2.4: a value without a text form is written as its encoding.
        _ => {
            let mut hex = String::new();
            for byte in attribute.attr_value().to_der_vec().unwrap_or_default() {
                let _ = write!(hex, "{byte:02X}");
            }
            format!("{oid}=#{hex}")
        }
    }
}

fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let value = attribute.attr_value();
    let bytes = value.as_bytes();
    match value.header.tag() {
        Tag::BmpString => {
            let units = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            String::from_utf16(&units.collect::<Vec<_>>()).ok()
        }
        // Nearly always Latin-1 in truth.
        Tag::T61String => Some(bytes.iter().copied().map(char::from).collect()),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// RFC 2253 section 2.4. What would break a line of a log or of a header is written as its bytes.
fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let is_at_edge = (index == 0 && matches!(c, ' ' | '#')) || (index == last && c == ' ');
        if c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(escaped, "\\{byte:02X}");
            }
        } else {
            if is_at_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_as_rfc_2253_section_2_4_says() {
        let check = |value: &str, expected: &str| assert_eq!(escaped(value), expected);
        check("Steve Kille", "Steve Kille");
        check("Sue, Grabbit and Runn", r"Sue\, Grabbit and Runn");
        check(" # ", r"\ #\ ");
        check("#1", r"\#1");
        check("a+b\"c\\d<e>f;g", r#"a\+b\"c\\d\<e\>f\;g"#);
        check("Before\rAfter", r"Before\0DAfter");
        check("Lučić", "Lučić");
        check("", "");
    }
}

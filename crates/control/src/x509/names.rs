//! Who is named in a certificate, part by part.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName as ParsedName;
use x509_parser::x509::X509Name;

/// A distinguished name: the attributes in their order, each with its object identifier.
///
/// Source: RFC 5280 section 4.1.2.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName {
    /// Object identifiers such as `2.5.4.3`, and values.
    pub attributes: Vec<(String, String)>,
}

/// One of the names of a subject.
///
/// Source: RFC 5280 section 4.2.1.6; ACM API, `GeneralName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// `DirectoryName`.
    Directory(DistinguishedName),
    /// `DnsName`.
    Dns(String),
    /// `IpAddress`.
    Ip(IpAddr),
    /// `OtherName`: an object identifier, and the value in DER.
    Other(String, Vec<u8>),
    /// `RegisteredId`.
    RegisteredId(String),
    /// `Rfc822Name`.
    Mail(String),
    /// `UniformResourceIdentifier`.
    Uri(String),
}

/// The names in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `Subject`.
    pub subject: DistinguishedName,
    /// `Issuer`.
    pub issuer: DistinguishedName,
    /// `SubjectAlternativeNames`.
    pub alternative: Vec<GeneralName>,
}

/// RFC 5280 appendix A.1, `id-at-commonName`.
const COMMON_NAME: &str = "2.5.4.3";

impl DistinguishedName {
    /// The last common name, which is the most specific one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        let mut attributes = self.attributes.iter().rev();
        let common_name = attributes.find(|(oid, _)| oid == COMMON_NAME);
        common_name.map(|(_, value)| value.as_str())
    }
}

/// The names in a certificate.
pub(crate) fn of_certificate(certificate: &X509Certificate<'_>) -> Names {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let alternative = extension.map(|it| it.value.general_names.iter());
    Names {
        subject: distinguished(certificate.subject()),
        issuer: distinguished(certificate.issuer()),
        alternative: alternative
            .into_iter()
            .flatten()
            .filter_map(general)
            .collect(),
    }
}

/// Values that are no text are left out.
fn distinguished(name: &X509Name<'_>) -> DistinguishedName {
    let attributes = name.iter_attributes().filter_map(|attribute| {
        let value = attribute.as_str().ok()?;
        Some((attribute.attr_type().to_id_string(), value.to_owned()))
    });
    DistinguishedName {
        attributes: attributes.collect(),
    }
}

/// `None` for kinds that ACM does not have.
fn general(name: &ParsedName<'_>) -> Option<GeneralName> {
    Some(match name {
        ParsedName::DirectoryName(name) => GeneralName::Directory(distinguished(name)),
        ParsedName::DNSName(name) => GeneralName::Dns((*name).to_owned()),
        ParsedName::IPAddress(bytes) => GeneralName::Ip(address(bytes)?),
        ParsedName::OtherName(oid, value) => GeneralName::Other(oid.to_id_string(), value.to_vec()),
        ParsedName::RegisteredID(oid) => GeneralName::RegisteredId(oid.to_id_string()),
        ParsedName::RFC822Name(name) => GeneralName::Mail((*name).to_owned()),
        ParsedName::URI(uri) => GeneralName::Uri((*uri).to_owned()),
        _ => return None,
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let ipv4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    let ipv6 = || <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into());
    ipv4.or_else(|_| ipv6()).ok()
}

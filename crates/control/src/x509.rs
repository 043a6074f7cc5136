//! Certificates as X.509 has them: who signed whom, which key belongs to which, what is written in them.
//!
//! The only module that knows the libraries for it. Source: RFC 5280, RFC 8017, RFC 5915, RFC 5958.

pub(crate) mod names;

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair};
use model::certificate::{
    CertificateFacts, ExtendedKeyUsage, ExtendedKeyUsageName, KeyAlgorithm, KeyUsage,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name, X509Version};

use crate::pem::Block;

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableKey {
    /// It is protected by a passphrase.
    Encrypted,
    /// It is not a key of a kind that is supported, or is damaged.
    Unsupported,
    /// It belongs to another certificate.
    Mismatch,
}

/// The certificate in DER.
pub(crate) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}

/// The kind of key a certificate is for, if it is one of AWS's.
pub(crate) fn key_algorithm(certificate: &X509Certificate<'_>) -> Option<KeyAlgorithm> {
    let key = certificate.public_key();
    match key.parsed().ok()? {
        PublicKey::RSA(rsa) => match rsa.key_size() {
            1024 => Some(KeyAlgorithm::Rsa1024),
            2048 => Some(KeyAlgorithm::Rsa2048),
            3072 => Some(KeyAlgorithm::Rsa3072),
            4096 => Some(KeyAlgorithm::Rsa4096),
            _ => None,
        },
        PublicKey::EC(_) => match curve(key)?.as_str() {
            P256 => Some(KeyAlgorithm::EcPrime256v1),
            P384 => Some(KeyAlgorithm::EcSecp384r1),
            P521 => Some(KeyAlgorithm::EcSecp521r1),
            _ => None,
        },
        _ => None,
    }
}

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

fn curve(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let parameters = key.algorithm.parameters.as_ref()?;
    Some(parameters.as_oid().ok()?.to_id_string())
}

/// Checks that `block` holds the private key of the certificate.
pub(crate) fn check_key(
    certificate: &X509Certificate<'_>,
    algorithm: KeyAlgorithm,
    block: &Block,
) -> Result<(), UnusableKey> {
    if block.has_headers || block.label == "ENCRYPTED PRIVATE KEY" {
        return Err(UnusableKey::Encrypted);
    }
    let is_known = matches!(
        block.label.as_str(),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"
    );
    let public = is_known
        .then(|| public_key_of(&block.contents, algorithm))
        .flatten();
    match public {
        Some(public) if public == *certificate.public_key().subject_public_key.data => Ok(()),
        Some(_) => Err(UnusableKey::Mismatch),
        None if is_known && is_any_key(&block.contents) => Err(UnusableKey::Mismatch),
        None => Err(UnusableKey::Unsupported),
    }
}

/// The public key that belongs to a private key, as certificates hold it, if the private key is of this
/// kind.
fn public_key_of(private: &[u8], algorithm: KeyAlgorithm) -> Option<Vec<u8>> {
    let curve: &'static EcdsaSigningAlgorithm = match algorithm {
        KeyAlgorithm::EcPrime256v1 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        KeyAlgorithm::EcSecp384r1 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyAlgorithm::EcSecp521r1 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        KeyAlgorithm::Rsa1024
        | KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096 => {
            let pair =
                rsa::KeyPair::from_pkcs8(private).or_else(|_| rsa::KeyPair::from_der(private));
            return Some(pair.ok()?.public_key().as_ref().to_vec());
        }
    };
    let pair = EcdsaKeyPair::from_private_key_der(curve, private).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Whether it is a private key of any kind that is supported.
fn is_any_key(private: &[u8]) -> bool {
    let mut kinds = KeyAlgorithm::ALL.iter();
    kinds.any(|&kind| public_key_of(private, kind).is_some())
}

/// Whether `issuer` signed what `signed` is: by name and by signature.
pub(crate) fn is_signed_by(signed: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    signed.issuer() == issuer.subject()
        && verify(
            issuer.public_key(),
            &signed.signature_algorithm.algorithm,
            &signed.signature_value.data,
            signed.tbs_certificate.as_ref(),
        )
        .unwrap_or_else(|| signed.verify_signature(Some(issuer.public_key())).is_ok())
}

/// Checks the signatures that the parser's library does not know; `None` for the others.
fn verify(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &Oid<'_>,
    value: &[u8],
    message: &[u8],
) -> Option<bool> {
    let curve = curve(key);
    let verification: &dyn signature::VerificationAlgorithm =
        match (curve.as_deref(), algorithm.to_id_string().as_str()) {
            (Some(P256), ECDSA_SHA512) => &signature::ECDSA_P256_SHA512_ASN1,
            (Some(P384), ECDSA_SHA512) => &signature::ECDSA_P384_SHA512_ASN1,
            (Some(P521), ECDSA_SHA256) => &signature::ECDSA_P521_SHA256_ASN1,
            (Some(P521), ECDSA_SHA384) => &signature::ECDSA_P521_SHA384_ASN1,
            (Some(P521), ECDSA_SHA512) => &signature::ECDSA_P521_SHA512_ASN1,
            _ => return None,
        };
    let key = signature::UnparsedPublicKey::new(verification, &key.subject_public_key.data);
    Some(key.verify(message, value).is_ok())
}

const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";

/// What is written in a certificate for a key of this kind.
pub(crate) fn facts(
    certificate: &X509Certificate<'_>,
    key_algorithm: KeyAlgorithm,
) -> CertificateFacts {
    let names = alternative_names(certificate);
    let common_name = common_name(certificate.subject());
    let domain_name = common_name.or_else(|| names.first().cloned());
    let names = match names.is_empty() {
        true => domain_name.iter().cloned().collect(),
        false => names,
    };
    CertificateFacts {
        domain_name,
        subject_alternative_names: names,
        serial: certificate.raw_serial_as_string(),
        subject: name_text(certificate.subject()),
        issuer: issuer_text(certificate.issuer()),
        signature_algorithm: signature_name(&certificate.signature_algorithm.algorithm),
        key_algorithm,
        not_before_millis: certificate.validity().not_before.timestamp() * 1000,
        not_after_millis: certificate.validity().not_after.timestamp() * 1000,
        key_usages: key_usages(certificate),
        extended_key_usages: extended_key_usages(certificate),
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension
        .into_iter()
        .flat_map(|it| it.value.general_names.iter());
    let dns = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.collect()
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let last = name.iter_common_name().last()?;
    Some(last.as_str().ok()?.to_owned()).filter(|name| !name.is_empty())
}

/// In the order of the certificate, as ACM shows it: `C=US,O=Example,CN=www.example.com`.
fn name_text(name: &X509Name<'_>) -> String {
    name.to_string().replace(", ", ",")
}

fn issuer_text(name: &X509Name<'_>) -> String {
    let organisation = || {
        let found = name.iter_organization().next()?;
        Some(found.as_str().ok()?.to_owned())
    };
    organisation()
        .or_else(|| common_name(name))
        .unwrap_or_else(|| name_text(name))
}

/// As ACM names them. Source: ACM API, `CertificateDetail`, `SignatureAlgorithm`.
fn signature_name(algorithm: &Oid<'_>) -> String {
    let oid = algorithm.to_id_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.4" => "MD5WITHRSA",
        "1.2.840.113549.1.1.5" => "SHA1WITHRSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.10045.4.1" => "SHA1WITHECDSA",
        ECDSA_SHA256 => "SHA256WITHECDSA",
        ECDSA_SHA384 => "SHA384WITHECDSA",
        ECDSA_SHA512 => "SHA512WITHECDSA",
        other => other,
    };
    name.to_owned()
}

fn key_usages(certificate: &X509Certificate<'_>) -> Vec<KeyUsage> {
    let Ok(Some(extension)) = certificate.key_usage() else {
        return vec![KeyUsage::Any];
    };
    let usage = extension.value;
    let all = [
        (usage.digital_signature(), KeyUsage::DigitalSignature),
        (usage.non_repudiation(), KeyUsage::NonRepudiation),
        (usage.key_encipherment(), KeyUsage::KeyEncipherment),
        (usage.data_encipherment(), KeyUsage::DataEncipherment),
        (usage.key_agreement(), KeyUsage::KeyAgreement),
        (usage.key_cert_sign(), KeyUsage::CertificateSigning),
        (usage.crl_sign(), KeyUsage::CrlSigning),
        (usage.encipher_only(), KeyUsage::EncipherOnly),
        (usage.decipher_only(), KeyUsage::DecipherOnly),
    ];
    let set = all.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, usage)| usage).collect()
}

fn extended_key_usages(certificate: &X509Certificate<'_>) -> Vec<ExtendedKeyUsage> {
    use ExtendedKeyUsageName as Name;
    let mut extensions = certificate.extensions().iter();
    let found = extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
        _ => None,
    });
    let Some(usage) = found else {
        return Vec::new();
    };
    let known = [
        (usage.any, Name::Any, "2.5.29.37.0"),
        (
            usage.server_auth,
            Name::TlsWebServerAuthentication,
            "1.3.6.1.5.5.7.3.1",
        ),
        (
            usage.client_auth,
            Name::TlsWebClientAuthentication,
            "1.3.6.1.5.5.7.3.2",
        ),
        (usage.code_signing, Name::CodeSigning, "1.3.6.1.5.5.7.3.3"),
        (
            usage.email_protection,
            Name::EmailProtection,
            "1.3.6.1.5.5.7.3.4",
        ),
        (usage.time_stamping, Name::TimeStamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, Name::OcspSigning, "1.3.6.1.5.5.7.3.9"),
    ];
    let known = known.into_iter().filter(|(is_set, ..)| *is_set);
    let known = known.map(|(_, name, oid)| (name, oid.to_owned()));
    let other = usage.other.iter().map(|oid| {
        let oid = oid.to_id_string();
        let name = match oid.as_str() {
            "1.3.6.1.5.5.7.3.5" => Name::IpsecEndSystem,
            "1.3.6.1.5.5.7.3.6" => Name::IpsecTunnel,
            "1.3.6.1.5.5.7.3.7" => Name::IpsecUser,
            _ => Name::Custom,
        };
        (name, oid)
    });
    let all = known.chain(other);
    all.map(|(name, oid)| ExtendedKeyUsage { name, oid })
        .collect()
}

/// Whether it is the certificate of an authority. RFC 5280 section 4.2.1.9.
pub(crate) fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() == X509Version::V3 && certificate.is_ca()
}

/// Whether it is for a key that clients are verified with: RSA with 2048 to 8192 bits, or ECDSA over one of
/// AWS's curves.
pub(crate) fn has_strong_key(certificate: &X509Certificate<'_>) -> bool {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => (2048..=8192).contains(&rsa.key_size()),
        Ok(PublicKey::EC(_)) => key_algorithm(certificate).is_some(),
        _ => false,
    }
}

/// RFC 5280 section 5.2.4.
const DELTA_INDICATOR: &str = "2.5.29.27";
/// RFC 5280 sections 5.2.3 and 5.2.1.
const CRL_NUMBER: &str = "2.5.29.20";
const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";

/// Checks a list of revoked certificates and counts its entries.
///
/// # Errors
/// What is wrong with it: it is none, it says nothing of which list it is (RFC 5280 section 5.2), it is a part
/// of one (sections 5.2.4 and 5.2.5), or none of `authorities` signed it.
pub(crate) fn check_revocation_list<'a>(
    list: &[u8],
    authorities: impl IntoIterator<Item = &'a [u8]>,
) -> Result<usize, &'static str> {
    let parsed = CertificateRevocationList::from_der(list).ok();
    let parsed = parsed.filter(|(rest, _)| rest.is_empty());
    let (_, list) = parsed.ok_or("it is not a certificate revocation list")?;
    let names_itself = |oid: &Oid<'_>| {
        let oid = oid.to_id_string();
        oid == CRL_NUMBER || oid == AUTHORITY_KEY_IDENTIFIER
    };
    let mut extensions = list.extensions().iter();
    // Such is a list of version 1, with which the data plane cannot verify.
    if !extensions.any(|extension| names_itself(&extension.oid)) {
        return Err(
            "it has neither a CRL number nor an authority key identifier, which RFC 5280 section 5.2 requires; \
             have the authority issue it with both",
        );
    }
    for extension in list.extensions() {
        if extension.oid.to_id_string() == DELTA_INDICATOR {
            return Err("it is a delta list");
        }
        if let ParsedExtension::IssuingDistributionPoint(point) = extension.parsed_extension()
            && point.indirect_crl
        {
            return Err("it is an indirect list");
        }
    }
    let has_signed = |authority: &[u8]| {
        let authority = parse(authority);
        authority.is_some_and(|it| it.subject() == list.issuer() && signed_list(&list, &it))
    };
    match authorities.into_iter().any(has_signed) {
        true => Ok(list.iter_revoked_certificates().count()),
        false => Err("none of the authorities in the trust store signed it"),
    }
}

fn signed_list(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    let key = authority.public_key();
    verify(
        key,
        &list.signature_algorithm.algorithm,
        &list.signature_value.data,
        list.tbs_cert_list.as_ref(),
    )
    .unwrap_or_else(|| list.verify_signature(key).is_ok())
}

//! A certificate authority of this elbow's own: a root, and certificates that it signs directly.
//!
//! Who runs elbow is the authority: no ownership of a domain is checked, and clients trust the certificates
//! once they trust the root. Source: RFC 5280; ACM guide, "Certificate characteristics", for what is in them.

use std::sync::Arc;

use model::certificate::KeyAlgorithm;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, RsaKeySize, SerialNumber,
};
use time::{Duration, OffsetDateTime, Time};

use super::{IssueError, IssueFuture, IssuedCertificate, Issuer, Order, Signature};
use crate::{pem, x509};

/// How long a certificate is valid, the first and the last day included.
///
/// Source: AWS, "AWS Certificate Manager updates default certificate validity", February 2026.
const VALIDITY: Duration = Duration::days(198);

/// How long the root is valid. Its key does not leave the data directory; a new one has to be brought to all
/// clients.
const ROOT_VALIDITY: Duration = Duration::days(10 * 365);

/// The organisation in the names of roots.
const ORGANISATION: &str = "elbow";

/// Bytes of a serial number. RFC 5280 section 4.1.2.2 allows 20; 16 random ones are never drawn twice.
const SERIAL_BYTES: usize = 16;

/// Signs certificates under a root of its own. Clones are the same authority.
#[derive(Clone)]
pub struct LocalAuthority(Arc<Root>);

struct Root {
    certificate: String,
    not_after: OffsetDateTime,
    signature: Signature,
    signer: rcgen::Issuer<'static, KeyPair>,
}

/// An authority can be neither made nor read.
#[derive(Debug, thiserror::Error)]
pub enum LocalAuthorityError {
    /// The library has not made it.
    #[error("the authority cannot be made")]
    Library(#[from] rcgen::Error),
    /// The operating system gives no random numbers.
    #[error("there are no random numbers")]
    Random,
    /// The text is not a private key with the certificate of a root.
    #[error("the text is not a private key with the certificate that belongs to it")]
    Damaged,
}

impl LocalAuthority {
    /// A new authority, and the text that [`Self::from_pem`] reads: its private key and its certificate.
    ///
    /// # Errors
    /// `LocalAuthorityError` if there are no random numbers.
    pub fn generate(now_millis: u64) -> Result<(Self, String), LocalAuthorityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let serial = serial().ok_or(LocalAuthorityError::Random)?;
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (root.not_before, root.not_after) = validity(now_millis, ROOT_VALIDITY);
        let name = &mut root.distinguished_name;
        *name = DistinguishedName::new();
        name.push(DnType::OrganizationName, ORGANISATION);
        // Roots have names of their own: a client that trusts two of them finds the right one.
        let digits: String = serial[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        name.push(
            DnType::CommonName,
            format!("elbow local authority {digits}"),
        );
        root.serial_number = Some(SerialNumber::from_slice(&serial));
        let certificate = root.self_signed(&key)?.pem();
        let text = format!("{}{certificate}", key.serialize_pem());
        Ok((Self::from_pem(&text)?, text))
    }

    /// The authority in a text of [`Self::generate`].
    ///
    /// # Errors
    /// `LocalAuthorityError` if it is none.
    pub fn from_pem(text: &str) -> Result<Self, LocalAuthorityError> {
        let blocks = pem::blocks(text.as_bytes()).map_err(|_| LocalAuthorityError::Damaged)?;
        let [private, root] = blocks.as_slice() else {
            return Err(LocalAuthorityError::Damaged);
        };
        let parsed = x509::parse(&root.contents).ok_or(LocalAuthorityError::Damaged)?;
        let key_algorithm = KeyAlgorithm::EcPrime256v1;
        if !x509::is_authority(&parsed) || x509::check_key(&parsed, key_algorithm, private).is_err()
        {
            return Err(LocalAuthorityError::Damaged);
        }
        let not_after = parsed.validity().not_after.to_datetime();
        // It has signed itself as it signs the others.
        let facts = x509::facts(&parsed, key_algorithm);
        let signature = Signature {
            issuer: facts.issuer,
            algorithm: facts.signature_algorithm,
        };
        let key = KeyPair::from_pem(&pem::encode(&private.label, &private.contents))?;
        let certificate = pem::encode(&root.label, &root.contents);
        let signer = rcgen::Issuer::from_ca_cert_pem(&certificate, key)?;
        Ok(Self(Arc::new(Root {
            certificate,
            not_after,
            signature,
            signer,
        })))
    }

    /// The certificate of the root in PEM, for clients to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.0.certificate
    }
}

impl Issuer for LocalAuthority {
    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn issue(&self, order: Order) -> IssueFuture<'_> {
        let root = Arc::clone(&self.0);
        Box::pin(async move {
            // To find the primes of an RSA key takes long enough to hold up whoever waits for this thread.
            let work = tokio::task::spawn_blocking(move || root.issue(&order));
            work.await
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        })
    }
}

impl Root {
    fn issue(&self, order: &Order) -> Result<IssuedCertificate, IssueError> {
        let unavailable = |error: rcgen::Error| {
            IssueError::Unavailable(format!("the certificate cannot be made: {error}"))
        };
        let key = key(order.key_algorithm).map_err(unavailable)?;
        let mut leaf = CertificateParams::new(order.names.clone()).map_err(unavailable)?;
        (leaf.not_before, leaf.not_after) = validity(order.now_millis, VALIDITY);
        if leaf.not_after > self.not_after {
            return Err(IssueError::Unavailable(format!(
                "the root of the local authority is valid until {}, which is too short; stop elbow, remove the \
                 file local-authority from its data directory and have clients trust the new root",
                self.not_after.date()
            )));
        }
        let name = &mut leaf.distinguished_name;
        *name = DistinguishedName::new();
        name.push(DnType::CommonName, order.names[0].as_str());
        leaf.key_usages = match order.key_algorithm {
            KeyAlgorithm::EcPrime256v1 | KeyAlgorithm::EcSecp384r1 | KeyAlgorithm::EcSecp521r1 => {
                vec![KeyUsagePurpose::DigitalSignature]
            }
            KeyAlgorithm::Rsa1024
            | KeyAlgorithm::Rsa2048
            | KeyAlgorithm::Rsa3072
            | KeyAlgorithm::Rsa4096 => vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyEncipherment,
            ],
        };
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.use_authority_key_identifier_extension = true;
        let serial = serial()
            .ok_or_else(|| IssueError::Unavailable("there are no random numbers".to_owned()))?;
        leaf.serial_number = Some(SerialNumber::from_slice(&serial));
        let certificate = leaf.signed_by(&key, &self.signer).map_err(unavailable)?;
        Ok(IssuedCertificate {
            certificate: certificate.pem(),
            chain: self.certificate.clone(),
            private_key: key.serialize_pem(),
        })
    }
}

/// A new key.
fn key(algorithm: KeyAlgorithm) -> Result<KeyPair, rcgen::Error> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    match algorithm {
        // Nobody makes keys as short as this any more.
        KeyAlgorithm::Rsa1024 => Err(rcgen::Error::UnsupportedSignatureAlgorithm),
        KeyAlgorithm::Rsa2048 => rsa(RsaKeySize::_2048),
        KeyAlgorithm::Rsa3072 => rsa(RsaKeySize::_3072),
        KeyAlgorithm::Rsa4096 => rsa(RsaKeySize::_4096),
        KeyAlgorithm::EcPrime256v1 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyAlgorithm::EcSecp384r1 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        KeyAlgorithm::EcSecp521r1 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
    }
}

/// From the first second of the day to the last one of another: clients whose clocks are behind are served,
/// and the end is the end of a day, as with ACM.
fn validity(now_millis: u64, length: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let seconds = i64::try_from(now_millis / 1000).unwrap_or(i64::MAX);
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let start = now.replace_time(Time::MIDNIGHT);
    (start, start + length - Duration::SECOND)
}

/// A positive number of its whole length. RFC 5280 section 4.1.2.2.
fn serial() -> Option<[u8; SERIAL_BYTES]> {
    let mut bytes = [0; SERIAL_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000_000;

    fn order(days: u64) -> Order {
        Order {
            names: vec![
                "shop.example.com".to_owned(),
                "*.shop.example.com".to_owned(),
            ],
            key_algorithm: KeyAlgorithm::EcPrime256v1,
            now_millis: START + days * 24 * 3600 * 1000,
        }
    }

    #[test]
    fn an_authority_is_read_as_it_was_made() {
        let (made, text) = LocalAuthority::generate(START).unwrap();
        let read = LocalAuthority::from_pem(&text).unwrap();
        assert_eq!(read.certificate_pem(), made.certificate_pem());
        let issued = read.0.issue(&order(0)).unwrap();
        let blocks = pem::blocks(issued.certificate.as_bytes()).unwrap();
        let root = pem::blocks(made.certificate_pem().as_bytes()).unwrap();
        let leaf = x509::parse(&blocks[0].contents).unwrap();
        assert!(x509::is_signed_by(
            &leaf,
            &x509::parse(&root[0].contents).unwrap()
        ));
        assert!(!x509::is_authority(&leaf));
        let (other, _) = LocalAuthority::generate(START).unwrap();
        assert_ne!(other.certificate_pem(), made.certificate_pem());
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        let (made, text) = LocalAuthority::generate(START).unwrap();
        let (_, other) = LocalAuthority::generate(START).unwrap();
        let certificate = made.certificate_pem();
        let key = text.strip_suffix(certificate).unwrap();
        let issued = made.0.issue(&order(0)).unwrap();
        let leaf = issued.private_key + &issued.certificate;
        let mixed = other
            .split("-----BEGIN CERTIFICATE")
            .next()
            .unwrap()
            .to_owned()
            + certificate;
        for text in [
            "",
            key,
            certificate,
            &leaf,
            &mixed,
            &format!("{text}{certificate}"),
        ] {
            assert!(LocalAuthority::from_pem(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_certificate_outlives_the_root() {
        let (made, _) = LocalAuthority::generate(START).unwrap();
        let last = 3650 - 198;
        assert!(made.0.issue(&order(last)).is_ok());
        let refused = made.0.issue(&order(last + 1)).err();
        let Some(IssueError::Unavailable(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(why.contains("remove the file local-authority"), "{why}");
    }
}

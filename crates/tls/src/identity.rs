//! A certificate with its chain and its private key, and what the choice among several needs to know of it.

use std::time::SystemTime;

use s2n_tls::cert_chain;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::certificate::CertificateFacts;
use crate::library;

/// What a server shows to prove who it is.
#[derive(Clone)]
pub struct Identity {
    pub(crate) chain: Chain,
    pub(crate) leaf: Vec<u8>,
    names: Vec<String>,
    key_type: KeyType,
    signature_hash: SignatureHash,
    facts: CertificateFacts,
}

/// Both in PEM, as the library reads them.
#[derive(Clone)]
pub(crate) struct Chain {
    certificates: Box<str>,
    private_key: Box<str>,
}

impl Chain {
    /// Loads both into the library, marked with the identity's place in its configuration.
    pub(crate) fn load(
        &self,
        index: IdentityIndex,
    ) -> Result<cert_chain::CertificateChain<'static>, s2n_tls::error::Error> {
        // An error of it is reported by the configuration, which nothing can be used without.
        let _ = library::prepare();
        let mut builder = cert_chain::Builder::new()?;
        builder.load_pem(self.certificates.as_bytes(), self.private_key.as_bytes())?;
        builder.set_application_context(index)?;
        builder.build()
    }
}

/// The place of an identity in its configuration; 0 is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdentityIndex(pub(crate) usize);

/// The public key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// RSA, with the bits of its modulus.
    Rsa(u32),
    /// ECDSA.
    Ecdsa(Curve),
}

/// The curve of an ECDSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl KeyType {
    /// The bits of the key, which compare within one type only.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Rsa(bits) => bits,
            Self::Ecdsa(Curve::P256) => 256,
            Self::Ecdsa(Curve::P384) => 384,
            Self::Ecdsa(Curve::P521) => 521,
        }
    }
}

/// The hash in the signature of a certificate, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureHash {
    /// MD5, or one that is not known.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256, SHA-384 or SHA-512.
    Sha2,
}

/// Why a certificate and its key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No certificate in the chain.
    #[error("the certificate has no PEM block 'CERTIFICATE'")]
    NoCertificate,
    /// A block of the chain is broken.
    #[error("the PEM of the certificate chain cannot be read: {0}")]
    ChainPem(String),
    /// A certificate of the chain is broken.
    #[error("certificate {position} of the chain cannot be read: {reason}")]
    Certificate {
        /// Counted from 1, the leaf.
        position: usize,
        /// What the parser says.
        reason: String,
    },
    /// No private key.
    #[error(
        "the private key has no PEM block 'PRIVATE KEY', 'RSA PRIVATE KEY' or 'EC PRIVATE KEY'"
    )]
    NoPrivateKey,
    /// A private key that needs a passphrase.
    #[error("the private key is encrypted; remove the passphrase before it is imported")]
    EncryptedPrivateKey,
    /// A block of the private key is broken.
    #[error("the PEM of the private key cannot be read: {0}")]
    PrivateKeyPem(String),
    /// A type of key that no policy has ciphers for.
    #[error(
        "the certificate's key is {0}; RSA of 2048 to 4096 bits and ECDSA with P-256, P-384 or P-521 are supported"
    )]
    KeyUnsupported(String),
    /// The key is that of another certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The library refuses them.
    #[error("the certificate and its private key cannot be loaded: {0}")]
    Library(String),
}

/// The bits of RSA keys that may be used.
///
/// Source: ALB guide, "SSL certificates for your Application Load Balancer".
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

impl Identity {
    /// Reads a certificate, the certificates that lead to its root, and the private key of the first.
    ///
    /// # Errors
    /// `IdentityError` says which of them is wrong, and how.
    pub fn from_pem(chain: &str, private_key: &str) -> Result<Self, IdentityError> {
        let mut leaf = None;
        let mut position = 0;
        for block in Pem::iter_from_buffer(chain.as_bytes()) {
            let block = block.map_err(|error| IdentityError::ChainPem(error.to_string()))?;
            if block.label != "CERTIFICATE" {
                continue;
            }
            position += 1;
            X509Certificate::from_der(&block.contents).map_err(|error| {
                IdentityError::Certificate {
                    position,
                    reason: error.to_string(),
                }
            })?;
            leaf.get_or_insert(block.contents);
        }
        let leaf = leaf.ok_or(IdentityError::NoCertificate)?;
        check_private_key(private_key)?;
        let (_, certificate) =
            X509Certificate::from_der(&leaf).map_err(|error| IdentityError::Certificate {
                position: 1,
                reason: error.to_string(),
            })?;
        let key_type = key_type(&certificate)?;
        let identity = Self {
            chain: Chain {
                certificates: chain.into(),
                private_key: private_key.into(),
            },
            names: names(&certificate),
            key_type,
            signature_hash: signature_hash(&certificate),
            facts: CertificateFacts::of(&certificate),
            leaf,
        };
        // That the key is the certificate's is for the library to say.
        identity
            .chain
            .load(IdentityIndex(0))
            .map_err(|error| match error.name() {
                "S2N_ERR_KEY_MISMATCH" => IdentityError::KeyMismatch,
                _ => IdentityError::Library(error.message().to_owned()),
            })?;
        Ok(identity)
    }

    /// The names it is for, in lower case: host names, and wildcards such as `*.example.com`. From the subject
    /// alternative names and the common name.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The type of its key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The hash in its signature.
    #[must_use]
    pub fn signature_hash(&self) -> SignatureHash {
        self.signature_hash
    }

    /// What the certificate says of itself.
    #[must_use]
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// Whether its last day is over.
    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        now > self.facts.not_after
    }
}

impl std::fmt::Debug for Identity {
    // The private key stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

fn check_private_key(private_key: &str) -> Result<(), IdentityError> {
    // The headers of an old encrypted key are not part of PEM as RFC 7468 has it.
    if private_key.contains("ENCRYPTED") {
        return Err(IdentityError::EncryptedPrivateKey);
    }
    for block in Pem::iter_from_buffer(private_key.as_bytes()) {
        let block = block.map_err(|error| IdentityError::PrivateKeyPem(error.to_string()))?;
        if block.label.ends_with("PRIVATE KEY") {
            return Ok(());
        }
    }
    Err(IdentityError::NoPrivateKey)
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names);
    let alternative = alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let common = certificate
        .subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok());
    let mut names: Vec<String> = alternative
        .chain(common)
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn key_type(certificate: &X509Certificate<'_>) -> Result<KeyType, IdentityError> {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let bits = u32::try_from(rsa.key_size()).unwrap_or(u32::MAX);
            if RSA_BITS.contains(&bits) {
                Ok(KeyType::Rsa(bits))
            } else {
                Err(IdentityError::KeyUnsupported(format!("RSA of {bits} bits")))
            }
        }
        Ok(PublicKey::EC(_)) => {
            let curve = key
                .algorithm
                .parameters
                .as_ref()
                .and_then(|value| value.as_oid().ok());
            let curve = curve.map(|oid| oid.to_id_string()).unwrap_or_default();
            match curve.as_str() {
                "1.2.840.10045.3.1.7" => Ok(KeyType::Ecdsa(Curve::P256)),
                "1.3.132.0.34" => Ok(KeyType::Ecdsa(Curve::P384)),
                "1.3.132.0.35" => Ok(KeyType::Ecdsa(Curve::P521)),
                other => Err(IdentityError::KeyUnsupported(format!(
                    "of the curve {other}"
                ))),
            }
        }
        _ => {
            let algorithm = key.algorithm.algorithm.to_id_string();
            Err(IdentityError::KeyUnsupported(format!(
                "of the algorithm {algorithm}"
            )))
        }
    }
}

fn signature_hash(certificate: &X509Certificate<'_>) -> SignatureHash {
    match certificate
        .signature_algorithm
        .algorithm
        .to_id_string()
        .as_str()
    {
        // RSA with SHA-1 and ECDSA with SHA-1.
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => SignatureHash::Sha1,
        // RSA with MD5.
        "1.2.840.113549.1.1.4" => SignatureHash::Md5,
        _ => SignatureHash::Sha2,
    }
}

//! Whether the certificate of a client is accepted.
//!
//! The library could verify chains itself, but it neither reads lists of revoked certificates nor leaves only
//! the expiry out, and it tells few reasons apart. `webpki` does all of it, and is what rustls verifies with.
//! Source: ALB guide, "Mutual authentication with TLS in Application Load Balancer".

use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
    anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

/// The authorities that may vouch for clients, and what they have revoked.
pub struct TrustStore {
    /// As given, for the names that are told to clients.
    pub(crate) authorities: Box<str>,
    anchors: Vec<TrustAnchor<'static>>,
    revocation_lists: Vec<CertRevocationList<'static>>,
}

/// Why a trust store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustStoreError {
    /// No authority at all: nobody could be verified.
    #[error("the trust store has no PEM block 'CERTIFICATE'")]
    NoAuthority,
    /// A block of the authorities is broken.
    #[error("the PEM of the trust store cannot be read: {0}")]
    Pem(String),
    /// A certificate is broken.
    #[error("certificate {position} of the trust store cannot be read: {reason}")]
    Authority {
        /// Counted from 1.
        position: usize,
        /// What the parser says.
        reason: String,
    },
    /// A list without a list in it.
    #[error("revocation list {position} has no PEM block 'X509 CRL'")]
    NoRevocationList {
        /// The list, counted from 1.
        position: usize,
    },
    /// A list is broken, or of a kind that is not supported.
    #[error(
        "revocation list {position} cannot be used: {reason}; full lists in PEM are supported, delta lists are not"
    )]
    RevocationList {
        /// The list, counted from 1.
        position: usize,
        /// What the parser says.
        reason: String,
    },
}

/// Why a client's certificate is refused.
///
/// Source: ALB guide, "Connection logs for your Application Load Balancer", "Error reason codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificateFault {
    /// The chain has more than `CHAIN_CERTIFICATES_MAX` certificates.
    MaxChainDepthExceeded,
    /// The certificate has more than `CLIENT_CERTIFICATE_BYTES_MAX` bytes.
    MaxSizeExceeded,
    /// It is on a revocation list.
    CrlHit,
    /// The revocation list of its issuer cannot be used.
    CrlProcessingError,
    /// No authority of the trust store has issued it.
    Untrusted,
    /// Its first day is to come.
    NotYetValid,
    /// Its last day is over.
    Expired,
    /// Its key or its signature is of an unsupported type.
    TypeUnsupported,
    /// It cannot be read.
    Invalid,
    /// It is not for the authentication of clients.
    PurposeInvalid,
    /// Any other reason.
    Rejected,
}

/// Certificates in a verified chain, from the client's to that of the trust store, both included.
pub const CHAIN_CERTIFICATES_MAX: usize = 4;

/// Bytes of a client's certificate in DER.
pub const CLIENT_CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

impl TrustStore {
    /// Reads the certificates of the authorities, and the lists of what they have revoked, all in PEM.
    ///
    /// # Errors
    /// `TrustStoreError` says which of them is wrong, and how.
    pub fn from_pem<L: AsRef<str>>(
        authorities: &str,
        revocation_lists: &[L],
    ) -> Result<Self, TrustStoreError> {
        let mut anchors = Vec::new();
        for block in Pem::iter_from_buffer(authorities.as_bytes()) {
            let block = block.map_err(|error| TrustStoreError::Pem(error.to_string()))?;
            if block.label != "CERTIFICATE" {
                continue;
            }
            let certificate = CertificateDer::from(block.contents);
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|error| {
                TrustStoreError::Authority {
                    position: anchors.len() + 1,
                    reason: error.to_string(),
                }
            })?;
            anchors.push(anchor.to_owned());
        }
        if anchors.is_empty() {
            return Err(TrustStoreError::NoAuthority);
        }
        let mut lists = Vec::new();
        for (index, list) in revocation_lists.iter().enumerate() {
            lists.extend(read_revocation_lists(list.as_ref(), index + 1)?);
        }
        Ok(Self {
            authorities: authorities.into(),
            anchors,
            revocation_lists: lists,
        })
    }

    /// Verifies the certificates that a client has shown, its own first.
    ///
    /// Dates of revocation lists do not count: an old list still says what was revoked. A certificate whose
    /// issuer has no list here is not revoked.
    ///
    /// # Errors
    /// The first reason for which it is refused.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        ignores_expiry: bool,
        now: SystemTime,
    ) -> Result<(), ClientCertificateFault> {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Err(ClientCertificateFault::Untrusted);
        };
        if leaf.len() > CLIENT_CERTIFICATE_BYTES_MAX {
            return Err(ClientCertificateFault::MaxSizeExceeded);
        }
        check_key_usage(leaf)?;
        let mut time = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        // As many as a chain has dates.
        for _ in 0..=CHAIN_CERTIFICATES_MAX {
            match self.verify_at(leaf, intermediates, UnixTime::since_unix_epoch(time)) {
                // Seen from the last second of the certificate, everything else must be in order.
                Err(Error::CertExpired { not_after, .. }) if ignores_expiry => {
                    time = std::time::Duration::from_secs(not_after.as_secs());
                }
                Err(error) => return Err(fault(&error)),
                Ok(certificates) if certificates > CHAIN_CERTIFICATES_MAX => {
                    return Err(ClientCertificateFault::MaxChainDepthExceeded);
                }
                Ok(_) => return Ok(()),
            }
        }
        Err(ClientCertificateFault::Expired)
    }

    /// The number of certificates in the chain that was found.
    fn verify_at(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        time: UnixTime,
    ) -> Result<usize, Error> {
        let certificate = EndEntityCert::try_from(leaf)?;
        let lists: Vec<&CertRevocationList<'_>> = self.revocation_lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
                .build()
        });
        let path = certificate.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &self.anchors,
            intermediates,
            time,
            KeyUsage::client_auth(),
            revocation,
            None,
        )?;
        Ok(path.intermediate_certificates().count() + 2)
    }
}

impl std::fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustStore")
            .field("authorities", &self.anchors.len())
            .field("revocation_lists", &self.revocation_lists.len())
            .finish_non_exhaustive()
    }
}

fn read_revocation_lists(
    pem: &str,
    position: usize,
) -> Result<Vec<CertRevocationList<'static>>, TrustStoreError> {
    let broken = |reason: String| TrustStoreError::RevocationList { position, reason };
    let mut lists = Vec::new();
    for block in Pem::iter_from_buffer(pem.as_bytes()) {
        let block = block.map_err(|error| broken(error.to_string()))?;
        if block.label != "X509 CRL" {
            continue;
        }
        let list = OwnedCertRevocationList::from_der(&block.contents)
            .map_err(|error| broken(error.to_string()))?;
        lists.push(CertRevocationList::from(list));
    }
    if lists.is_empty() {
        return Err(TrustStoreError::NoRevocationList { position });
    }
    Ok(lists)
}

/// A key that is not for signatures cannot sign a handshake (RFC 5280 section 4.2.1.3). `webpki` looks only at
/// the extended key usage.
fn check_key_usage(leaf: &CertificateDer<'_>) -> Result<(), ClientCertificateFault> {
    let (_, certificate) =
        X509Certificate::from_der(leaf).map_err(|_| ClientCertificateFault::Invalid)?;
    let usage = certificate
        .key_usage()
        .map_err(|_| ClientCertificateFault::Invalid)?;
    match usage {
        Some(usage) if !usage.value.digital_signature() => {
            Err(ClientCertificateFault::PurposeInvalid)
        }
        _ => Ok(()),
    }
}

fn fault(error: &Error) -> ClientCertificateFault {
    use ClientCertificateFault as Fault;
    match error {
        Error::CertExpired { .. } => Fault::Expired,
        Error::CertNotValidYet { .. } => Fault::NotYetValid,
        Error::CertRevoked => Fault::CrlHit,
        Error::UnknownIssuer
        | Error::CertDistrusted
        | Error::InvalidSignatureForPublicKey
        | Error::NameConstraintViolation => Fault::Untrusted,
        Error::MaximumPathDepthExceeded | Error::PathLenConstraintViolated => {
            Fault::MaxChainDepthExceeded
        }
        Error::RequiredEkuNotFoundContext(_)
        | Error::EmptyEkuExtension
        | Error::CaUsedAsEndEntity
        | Error::EndEntityUsedAsCa => Fault::PurposeInvalid,
        Error::BadDer
        | Error::BadDerTime
        | Error::ExtensionValueInvalid
        | Error::InvalidCertValidity
        | Error::InvalidSerialNumber
        | Error::MalformedExtensions
        | Error::TrailingData(_) => Fault::Invalid,
        Error::UnsupportedCertVersion
        | Error::UnsupportedCriticalExtension
        | Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Fault::TypeUnsupported,
        Error::InvalidCrlNumber
        | Error::InvalidCrlSignatureForPublicKey
        | Error::IssuerNotCrlSigner
        | Error::UnsupportedCrlIssuingDistributionPoint
        | Error::UnsupportedCrlVersion
        | Error::UnsupportedDeltaCrl
        | Error::UnsupportedIndirectCrl
        | Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
            Fault::CrlProcessingError
        }
        _ => Fault::Rejected,
    }
}

//! A server certificate in AWS Certificate Manager: imported, or requested and issued later.
//!
//! Source: ACM API, `CertificateDetail`; ACM guide, "Certificate and key format for importing".

mod account;
mod facts;
mod request;

pub use account::{AcmAccount, Configured};
pub use facts::{CertificateFacts, ExtendedKeyUsage, ExtendedKeyUsageName, KeyAlgorithm, KeyUsage};
pub use request::{
    CertificateExport, CertificateManagedBy, CertificateRequest, DomainStatus, DomainValidation,
    FailureReason, InvalidDomains, Renewal, RenewalStatus, RequestPhase, RevocationReason,
    TransparencyLogging, VALIDATION_TIMEOUT_MILLIS, ValidationMethod, ValidationMigration,
};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arn::{InvalidArn, Place};
pub use crate::id::CertificateId;
use crate::secret::SealedSecret;
use crate::tag::Tags;
use crate::text_enum;

/// `arn:aws:acm:REGION:ACCOUNT:certificate/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateArn {
    /// Whose it is.
    pub place: Place,
    /// The last part.
    pub id: CertificateId,
}

text_enum! {
    /// Whether a certificate can be used.
    ///
    /// Source: ACM API, `CertificateStatus`.
    pub enum CertificateStatus {
        /// Its domains are not validated yet.
        PendingValidation = "PENDING_VALIDATION",
        /// It can be used.
        Issued = "ISSUED",
        /// It cannot be used for now.
        Inactive = "INACTIVE",
        /// Its time is over.
        Expired = "EXPIRED",
        /// Its domains were not validated in time.
        ValidationTimedOut = "VALIDATION_TIMED_OUT",
        /// It was called back.
        Revoked = "REVOKED",
        /// It could not be issued.
        Failed = "FAILED",
    }
}

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateMaterial {
    /// PEM: the certificate alone.
    pub body: String,
    /// PEM: the certificates that lead to the root, each signed by the next.
    pub chain: Option<String>,
    /// The private key, sealed under the secret key of this elbow.
    pub sealed_private_key: SealedSecret,
    /// What is written in `body`.
    pub facts: CertificateFacts,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateOrigin {
    /// Somebody else issued it.
    Imported {
        /// What was imported.
        material: CertificateMaterial,
        /// When it was last imported, in milliseconds since 1970.
        at_millis: u64,
    },
    /// It was requested.
    Requested(CertificateRequest),
}

/// A certificate, or the request for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Holds the id.
    pub arn: CertificateArn,
    /// What there is of it.
    pub origin: CertificateOrigin,
    /// When it was first imported or was requested, in milliseconds since 1970.
    pub created_at_millis: u64,
    /// Its tags.
    pub tags: Tags,
}

impl Certificate {
    /// Whether it can be used at this time.
    #[must_use]
    pub fn status(&self, now_millis: u64) -> CertificateStatus {
        let issued = |material: &CertificateMaterial| {
            let now = i64::try_from(now_millis).unwrap_or(i64::MAX);
            match now > material.facts.not_after_millis {
                true => CertificateStatus::Expired,
                false => CertificateStatus::Issued,
            }
        };
        let request = match &self.origin {
            CertificateOrigin::Imported { material, .. } => return issued(material),
            CertificateOrigin::Requested(request) => request,
        };
        match &request.phase {
            RequestPhase::PendingValidation
                if now_millis >= self.created_at_millis + VALIDATION_TIMEOUT_MILLIS =>
            {
                CertificateStatus::ValidationTimedOut
            }
            RequestPhase::PendingValidation => CertificateStatus::PendingValidation,
            RequestPhase::Failed { .. } => CertificateStatus::Failed,
            RequestPhase::Issued { material, .. } => issued(material),
            RequestPhase::Revoked { .. } => CertificateStatus::Revoked,
        }
    }

    /// The request for it, if it was not imported.
    #[must_use]
    pub fn request(&self) -> Option<&CertificateRequest> {
        match &self.origin {
            CertificateOrigin::Imported { .. } => None,
            CertificateOrigin::Requested(request) => Some(request),
        }
    }

    /// The certificate with its key, if it has been issued.
    #[must_use]
    pub fn material(&self) -> Option<&CertificateMaterial> {
        match &self.origin {
            CertificateOrigin::Imported { material, .. } => Some(material),
            CertificateOrigin::Requested(request) => request.material(),
        }
    }

    /// What is written in it, if it has been issued.
    #[must_use]
    pub fn facts(&self) -> Option<&CertificateFacts> {
        self.material().map(|material| &material.facts)
    }

    /// The name it is for; an imported one may have none.
    #[must_use]
    pub fn domain_name(&self) -> Option<&str> {
        match &self.origin {
            CertificateOrigin::Imported { material, .. } => material.facts.domain_name.as_deref(),
            CertificateOrigin::Requested(request) => Some(request.domain_name()),
        }
    }

    /// All names it is for, the domain name among them.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match &self.origin {
            CertificateOrigin::Imported { material, .. } => {
                let names = material.facts.subject_alternative_names.iter();
                names.map(String::as_str).collect()
            }
            CertificateOrigin::Requested(request) => request.names().collect(),
        }
    }

    /// What kind of key it is for.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        match &self.origin {
            CertificateOrigin::Imported { material, .. } => material.facts.key_algorithm,
            CertificateOrigin::Requested(request) => request.key_algorithm,
        }
    }

    /// Whether its private key may leave elbow.
    #[must_use]
    pub fn export(&self) -> CertificateExport {
        self.request()
            .map_or(CertificateExport::Disabled, |request| request.export)
    }
}

impl fmt::Display for CertificateArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            partition,
            region,
            account,
        } = &self.place;
        write!(
            f,
            "arn:{partition}:acm:{region}:{account}:certificate/{}",
            self.id
        )
    }
}

impl FromStr for CertificateArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let parsed = match parts[..] {
            ["arn", partition, "acm", region, account, resource] => resource
                .strip_prefix("certificate/")
                .and_then(|id| id.parse().ok())
                .map(|id| Self {
                    place: Place {
                        partition: partition.to_owned(),
                        region: region.to_owned(),
                        account: account.to_owned(),
                    },
                    id,
                }),
            _ => None,
        };
        parsed.ok_or_else(|| InvalidArn {
            text: text.to_owned(),
            kind: "certificate",
        })
    }
}

impl TryFrom<String> for CertificateArn {
    type Error = InvalidArn;

    fn try_from(text: String) -> Result<Self, InvalidArn> {
        text.parse()
    }
}

impl From<CertificateArn> for String {
    fn from(arn: CertificateArn) -> Self {
        arn.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str =
        "arn:aws:acm:us-east-1:123456789012:certificate/6d4f1c58-0c3a-4f3b-9a8e-1f2e3d4c5b6a";

    #[test]
    fn an_arn_is_printed_as_it_is_parsed() {
        assert_eq!(ARN.parse::<CertificateArn>().unwrap().to_string(), ARN);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "shop",
            "arn:aws:iam::123456789012:server-certificate/shop",
            "arn:aws:acm:us-east-1:123456789012:certificate/6d4f1c58",
            "arn:aws:acm:us-east-1:123456789012:certificate/6D4F1C58-0c3a-4f3b-9a8e-1f2e3d4c5b6a",
            "arn:aws:acm:us-east-1:123456789012:certificate/6d4f1c580c3a-4f3b-9a8e-1f2e-3d4c5b6a",
        ] {
            assert!(text.parse::<CertificateArn>().is_err(), "{text}");
        }
    }
}

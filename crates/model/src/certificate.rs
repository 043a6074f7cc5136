//! A server certificate in AWS Certificate Manager: what was imported, and what is written in it.
//!
//! Source: ACM API, `CertificateDetail`; ACM guide, "Certificate and key format for importing".

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
    /// What kind of key a certificate is for.
    ///
    /// Source: ACM API, `KeyAlgorithm`.
    pub enum KeyAlgorithm {
        /// RSA with 1024 bits, which cannot be imported.
        Rsa1024 = "RSA_1024",
        /// RSA with 2048 bits.
        Rsa2048 = "RSA_2048",
        /// RSA with 3072 bits.
        Rsa3072 = "RSA_3072",
        /// RSA with 4096 bits.
        Rsa4096 = "RSA_4096",
        /// ECDSA over P-256.
        EcPrime256v1 = "EC_prime256v1",
        /// ECDSA over P-384.
        EcSecp384r1 = "EC_secp384r1",
        /// ECDSA over P-521.
        EcSecp521r1 = "EC_secp521r1",
    }
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

text_enum! {
    /// What a key may be used for. Source: ACM API, `KeyUsageName`; RFC 5280 section 4.2.1.3.
    pub enum KeyUsage {
        /// Signatures other than on certificates and lists.
        DigitalSignature = "DIGITAL_SIGNATURE",
        /// Signatures that cannot be denied.
        NonRepudiation = "NON_REPUDIATION",
        /// Encryption of keys.
        KeyEncipherment = "KEY_ENCIPHERMENT",
        /// Encryption of data.
        DataEncipherment = "DATA_ENCIPHERMENT",
        /// Agreement on keys.
        KeyAgreement = "KEY_AGREEMENT",
        /// Signatures on certificates.
        CertificateSigning = "CERTIFICATE_SIGNING",
        /// Signatures on lists of revoked certificates.
        CrlSigning = "CRL_SIGNING",
        /// Agreement for encryption only.
        EncipherOnly = "ENCIPHER_ONLY",
        /// Agreement for decryption only.
        DecipherOnly = "DECIPHER_ONLY",
        /// Anything: the certificate does not say.
        Any = "ANY",
        /// Something else.
        Custom = "CUSTOM",
    }
}

text_enum! {
    /// What a certificate may be used for.
    ///
    /// Source: ACM API, `ExtendedKeyUsageName`; RFC 5280 section 4.2.1.12.
    pub enum ExtendedKeyUsageName {
        /// As the server of TLS.
        TlsWebServerAuthentication = "TLS_WEB_SERVER_AUTHENTICATION",
        /// As the client of TLS.
        TlsWebClientAuthentication = "TLS_WEB_CLIENT_AUTHENTICATION",
        /// Signatures on programs.
        CodeSigning = "CODE_SIGNING",
        /// Mail.
        EmailProtection = "EMAIL_PROTECTION",
        /// Signatures on times.
        TimeStamping = "TIME_STAMPING",
        /// Signatures on answers about revocation.
        OcspSigning = "OCSP_SIGNING",
        /// IPsec.
        IpsecEndSystem = "IPSEC_END_SYSTEM",
        /// IPsec.
        IpsecTunnel = "IPSEC_TUNNEL",
        /// IPsec.
        IpsecUser = "IPSEC_USER",
        /// Anything.
        Any = "ANY",
        /// Nothing: the certificate does not say.
        None = "NONE",
        /// Something else.
        Custom = "CUSTOM",
    }
}

/// An extended key usage with its object identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedKeyUsage {
    /// `Custom` for an identifier without a name.
    pub name: ExtendedKeyUsageName,
    /// Such as `1.3.6.1.5.5.7.3.1`.
    pub oid: String,
}

/// What is written in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// The common name of the subject; without one the first alternative name, if there is any.
    pub domain_name: Option<String>,
    /// The DNS names it is for, in the order of the certificate; without any, the domain name.
    pub subject_alternative_names: Vec<String>,
    /// Hexadecimal in pairs with colons between.
    pub serial: String,
    /// Such as `C=US,O=Example,CN=www.example.com`.
    pub subject: String,
    /// The name of who signed it: the organisation, else the common name, else all of it.
    pub issuer: String,
    /// Such as `SHA256WITHRSA`.
    pub signature_algorithm: String,
    /// What kind of key it is for.
    pub key_algorithm: KeyAlgorithm,
    /// Milliseconds since 1970 before which it is not valid.
    pub not_before_millis: i64,
    /// Milliseconds since 1970 after which it is not valid.
    pub not_after_millis: i64,
    /// What the key may be used for.
    pub key_usages: Vec<KeyUsage>,
    /// What it may be used for; empty: it does not say.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
}

/// An imported certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Holds the id.
    pub arn: CertificateArn,
    /// PEM: the certificate alone.
    pub body: String,
    /// PEM: the certificates that lead to the root, each signed by the next.
    pub chain: Option<String>,
    /// The private key, sealed under the secret key of this elbow.
    pub sealed_private_key: SealedSecret,
    /// What is written in `body`.
    pub facts: CertificateFacts,
    /// When it was first imported, in milliseconds since 1970.
    pub created_at_millis: u64,
    /// When it was last imported, in milliseconds since 1970.
    pub imported_at_millis: u64,
    /// Its tags.
    pub tags: Tags,
}

impl Certificate {
    /// Whether it can be used at this time.
    #[must_use]
    pub fn status(&self, now_millis: u64) -> CertificateStatus {
        let is_over = i64::try_from(now_millis).is_ok_and(|now| now > self.facts.not_after_millis);
        match is_over {
            true => CertificateStatus::Expired,
            false => CertificateStatus::Issued,
        }
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

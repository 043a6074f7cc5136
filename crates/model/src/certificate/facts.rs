//! What is written in a certificate, in the words of ACM.
//!
//! Source: ACM API, `CertificateDetail`; RFC 5280 sections 4.1 and 4.2.

use serde::{Deserialize, Serialize};

use crate::text_enum;

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

//! What a listener needs to know to terminate TLS, as plain values. `proxy` compiles them once for each
//! snapshot that changes them.

use std::fmt;
use std::sync::Arc;

use model::listener::MutualAuthentication;

/// How a listener speaks TLS.
#[derive(Debug)]
pub struct Tls {
    /// The security policy: the protocol versions and ciphers that are accepted.
    pub policy: Box<str>,
    /// Shown to clients that name no host, or one that no certificate is for.
    pub default_certificate: Arc<Certificate>,
    /// Shown to clients that name a host they are for.
    pub additional_certificates: Vec<Arc<Certificate>>,
    /// Whether clients show certificates too.
    pub client_authentication: ClientAuthentication,
}

/// A certificate with its chain and its private key.
pub struct Certificate {
    /// Names it in logs.
    pub name: Box<str>,
    /// PEM: the certificate, and after it the certificates that lead to the root.
    pub chain: Box<str>,
    /// PEM, not encrypted.
    pub private_key: Box<str>,
}

impl fmt::Debug for Certificate {
    // The private key stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether clients show certificates, with the trust store itself.
pub type ClientAuthentication = MutualAuthentication<Arc<TrustStore>>;

/// The authorities that may vouch for clients.
#[derive(Debug)]
pub struct TrustStore {
    /// PEM: the certificates of the authorities.
    pub authorities: Box<str>,
    /// PEM: the lists of revoked certificates.
    pub revocation_lists: Vec<Box<str>>,
}

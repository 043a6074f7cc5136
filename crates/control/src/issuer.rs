//! Who issues the certificates that are requested, as the control plane sees it.
//!
//! `LocalAuthority` is an authority of this elbow's own. One that asks somebody else can take its place: it may
//! take its time, and say that it has to be asked again.

mod local;

use std::future::Future;
use std::pin::Pin;

use model::certificate::{FailureReason, KeyAlgorithm};

pub use local::{LocalAuthority, LocalAuthorityError};

/// A future of an order.
pub type IssueFuture<'a> =
    Pin<Box<dyn Future<Output = Result<IssuedCertificate, IssueError>> + Send + 'a>>;

/// What a certificate is ordered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The DNS names, in lower case, the first of them for the subject; there is at least one.
    pub names: Vec<String>,
    /// The kind of key to make.
    pub key_algorithm: KeyAlgorithm,
    /// The time, in milliseconds since 1970.
    pub now_millis: u64,
}

/// A certificate with a key that nobody had before.
#[derive(Clone)]
pub struct IssuedCertificate {
    /// PEM: the certificate alone.
    pub certificate: String,
    /// PEM: the certificates that lead to the root, each signed by the next.
    pub chain: String,
    /// PEM: the private key, as PKCS#8.
    pub private_key: String,
}

/// An order brought no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The authority does not issue it, now or later.
    #[error("the authority refuses to issue it: {0}")]
    Refused(FailureReason),
    /// It may be ordered again later; says why.
    #[error("{0}")]
    Unavailable(String),
}

/// What its certificates say of an authority, in the words of `model::certificate::CertificateFacts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of who signs.
    pub issuer: String,
    /// Such as `SHA256WITHECDSA`.
    pub algorithm: String,
}

/// Issues certificates.
pub trait Issuer: Send + Sync + 'static {
    /// How the certificates are going to be signed.
    fn signature(&self) -> &Signature;

    /// Makes a key and has a certificate issued for it.
    fn issue(&self, order: Order) -> IssueFuture<'_>;
}

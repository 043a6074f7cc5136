//! TLS of listeners and of connections to targets, over s2n-tls.
//!
//! The crate knows of AWS only the names of security policies, and nothing of HTTP. Configurations are built from
//! plain values, once, and shared; connections are driven by polling.

mod certificate;
mod client;
mod client_hello;
mod handshake;
mod identity;
mod library;
mod peer_certificates;
mod selection;
mod server;
mod stream;
mod ticket_keys;
mod trust_store;

pub use certificate::CertificateFacts;
pub use client::ClientConfig;
pub use handshake::{HandshakeError, HandshakeFailure};
pub use identity::{Curve, Identity, IdentityError, KeyType, SignatureHash};
pub use library::{LibraryError, prepare};
pub use peer_certificates::{PeerCertificates, PeerCertificatesError};
pub use selection::identity_for;
pub use server::{ClientAuthentication, ConfigError, ServerConfig, ServerOptions};
pub use stream::TlsStream;
pub use ticket_keys::{CONFIG_LIFE, TICKET_KEY_PERIOD, TicketKeys};
pub use trust_store::{
    CHAIN_CERTIFICATES_MAX, CLIENT_CERTIFICATE_BYTES_MAX, ClientCertificateFault, TrustStore,
    TrustStoreError,
};

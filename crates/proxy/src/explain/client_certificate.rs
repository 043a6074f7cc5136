//! Whether a client gets through the handshake of a listener with mutual TLS.

use std::time::SystemTime;

use engine::Tls;
use tls::{ClientAuthentication, HandshakeFailure, PeerCertificates};

use crate::tls_configs::{TlsErrorReason, client_authentication};

/// What a listener makes of the certificate of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It does not ask for one.
    NotAsked,
    /// Targets get it as it is.
    Passthrough,
    /// The trust store vouches for it.
    Verified,
    /// The handshake fails for this reason, an error reason code of a connection log such as `ClientCertExpired`.
    Refused(&'static str),
}

/// Says what a listener makes of the certificates that a client shows; `None`: it has none. That the client has the
/// private key is taken for granted.
///
/// # Errors
/// The trust store of the listener cannot be used.
pub fn client_certificate(
    tls: &Tls,
    shown: Option<&PeerCertificates>,
    now: SystemTime,
) -> Result<ClientCertificate, TlsErrorReason> {
    Ok(match client_authentication(&tls.client_authentication)? {
        ClientAuthentication::Off => ClientCertificate::NotAsked,
        ClientAuthentication::Passthrough => ClientCertificate::Passthrough,
        ClientAuthentication::Verify {
            trust_store,
            ignores_expiry,
            advertises_names: _,
        } => {
            let ders = shown.map_or(&[][..], PeerCertificates::ders);
            let ders: Vec<_> = ders.iter().map(|der| der.as_slice().into()).collect();
            match trust_store.verify(&ders, ignores_expiry, now) {
                Ok(()) => ClientCertificate::Verified,
                Err(fault) => ClientCertificate::Refused(HandshakeFailure::from(fault).code()),
            }
        }
    })
}

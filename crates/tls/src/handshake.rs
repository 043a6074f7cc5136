//! Why a handshake has failed.

use s2n_tls::error::{Error, ErrorType};

use crate::peer_certificates::PeerCertificates;
use crate::server::Refused;
use crate::trust_store::ClientCertificateFault;

/// A handshake that has come to nothing.
#[derive(Debug, thiserror::Error)]
#[error("the TLS handshake has failed ({}): {detail}", failure.code())]
pub struct HandshakeError {
    failure: HandshakeFailure,
    detail: &'static str,
    certificates: Option<PeerCertificates>,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The client's certificate was refused.
    ClientCertificate(ClientCertificateFault),
    /// The client's certificate does not fit the security policy.
    ClientCertificateIncompatible,
    /// The two sides have no protocol, cipher or signature in common.
    NothingInCommon,
    /// The peer has closed the connection.
    Closed,
    /// The peer has sent an alert (RFC 8446 section 6.2): it does not accept what it was shown or offered.
    Alert,
    /// What the peer sent is not TLS, or breaks its rules.
    Protocol,
    /// The connection has failed below TLS.
    Io,
    /// Anything else.
    Other,
}

impl HandshakeFailure {
    /// The error reason code of a connection log.
    ///
    /// Source: ALB guide, "Connection logs for your Application Load Balancer", "Error reason codes".
    #[must_use]
    pub fn code(self) -> &'static str {
        use ClientCertificateFault as Fault;
        match self {
            Self::ClientCertificate(fault) => match fault {
                Fault::MaxChainDepthExceeded => "ClientCertMaxChainDepthExceeded",
                Fault::MaxSizeExceeded => "ClientCertMaxSizeExceeded",
                Fault::CrlHit => "ClientCertCrlHit",
                Fault::CrlProcessingError => "ClientCertCrlProcessingError",
                Fault::Untrusted => "ClientCertUntrusted",
                Fault::NotYetValid => "ClientCertNotYetValid",
                Fault::Expired => "ClientCertExpired",
                Fault::TypeUnsupported => "ClientCertTypeUnsupported",
                Fault::Invalid => "ClientCertInvalid",
                Fault::PurposeInvalid => "ClientCertPurposeInvalid",
                Fault::Rejected => "ClientCertRejected",
            },
            Self::ClientCertificateIncompatible => "ClientCertIncompatible",
            Self::NothingInCommon
            | Self::Closed
            | Self::Alert
            | Self::Protocol
            | Self::Io
            | Self::Other => "UnmappedConnectionError",
        }
    }
}

impl HandshakeError {
    /// What was wrong.
    #[must_use]
    pub fn failure(&self) -> HandshakeFailure {
        self.failure
    }

    /// What the client has shown, if that was refused.
    #[must_use]
    pub fn certificates(&self) -> Option<&PeerCertificates> {
        self.certificates.as_ref()
    }

    pub(crate) fn refused(refused: Refused) -> Self {
        Self {
            failure: HandshakeFailure::ClientCertificate(refused.fault),
            detail: "the client's certificate is refused",
            certificates: PeerCertificates::new(refused.chain),
        }
    }

    pub(crate) fn without_certificate() -> Self {
        Self {
            failure: HandshakeFailure::ClientCertificate(ClientCertificateFault::Untrusted),
            detail: "the client has shown no certificate",
            certificates: None,
        }
    }

    /// With a client.
    pub(crate) fn of_client(error: &Error) -> Self {
        use ClientCertificateFault as Fault;
        let failure = match error.name() {
            "S2N_ERR_CERT_TYPE_UNSUPPORTED" => {
                HandshakeFailure::ClientCertificate(Fault::TypeUnsupported)
            }
            "S2N_ERR_CERT_INVALID" | "S2N_ERR_DECODE_CERTIFICATE" => {
                HandshakeFailure::ClientCertificate(Fault::Invalid)
            }
            "S2N_ERR_SECURITY_POLICY_INCOMPATIBLE_CERT" => {
                HandshakeFailure::ClientCertificateIncompatible
            }
            _ => failure(error),
        };
        Self {
            failure,
            detail: error.message(),
            certificates: None,
        }
    }

    /// With a target.
    pub(crate) fn of_target(error: &Error) -> Self {
        Self {
            failure: failure(error),
            detail: error.message(),
            certificates: None,
        }
    }
}

fn failure(error: &Error) -> HandshakeFailure {
    match error.name() {
        "S2N_ERR_CIPHER_NOT_SUPPORTED"
        | "S2N_ERR_NO_SUPPORTED_LIBCRYPTO_API"
        | "S2N_ERR_PROTOCOL_VERSION_UNSUPPORTED"
        | "S2N_ERR_NO_VALID_SIGNATURE_SCHEME"
        | "S2N_ERR_ECDHE_UNSUPPORTED_CURVE" => return HandshakeFailure::NothingInCommon,
        _ => {}
    }
    match error.kind() {
        ErrorType::ConnectionClosed => HandshakeFailure::Closed,
        ErrorType::Alert => HandshakeFailure::Alert,
        ErrorType::ProtocolError => HandshakeFailure::Protocol,
        ErrorType::IOError => HandshakeFailure::Io,
        _ => HandshakeFailure::Other,
    }
}

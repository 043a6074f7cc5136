//! Mutual TLS in an answer: which certificate the listener wants of the client, and whether it has that.

use std::time::SystemTime;

use engine::Frontend;
use model::listener::Listener;
use proxy::explain::{ClientCertificate, PeerCertificates, client_certificate};
use serde::{Deserialize, Serialize};

use super::{Question, QuestionError};

/// What a listener makes of the certificate of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MutualTls {
    pub(crate) mode: Mode,
    /// The ARN of the trust store that has to verify the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trust_store: Option<String>,
    /// Whether the client has one.
    pub(crate) has_certificate: bool,
    /// Why the handshake fails, an error reason code of a connection log such as `ClientCertExpired`; absent: it does
    /// not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
}

/// The mode, as the API calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    Off,
    Passthrough,
    Verify,
}

impl MutualTls {
    /// `None`: the listener asks for no certificate, and the client has none.
    ///
    /// # Errors
    /// `QuestionError` if the PEM of the question or the trust store cannot be used.
    pub(super) fn of(
        frontend: &Frontend,
        listener: &Listener,
        question: &Question,
        now: SystemTime,
    ) -> Result<Option<Self>, QuestionError> {
        let shown = question.client_certificate.as_deref();
        let shown = shown.map(PeerCertificates::from_pem).transpose()?;
        let Some(tls) = &frontend.tls else {
            return Ok(None);
        };
        let (mode, fault) = match client_certificate(tls, shown.as_ref(), now)? {
            ClientCertificate::NotAsked if shown.is_none() => return Ok(None),
            ClientCertificate::NotAsked => (Mode::Off, None),
            ClientCertificate::Passthrough => (Mode::Passthrough, None),
            ClientCertificate::Verified => (Mode::Verify, None),
            ClientCertificate::Refused(fault) => (Mode::Verify, Some(fault.to_owned())),
        };
        let trust_store = listener.tls.as_ref().and_then(|tls| tls.trust_store());
        Ok(Some(Self {
            mode,
            trust_store: trust_store.map(ToString::to_string),
            has_certificate: shown.is_some(),
            fault,
        }))
    }

    /// Why there is no connection; `None`: there is one.
    pub(super) fn refusal(&self) -> Option<String> {
        let fault = self.fault.as_ref()?;
        let advice = match self.has_certificate {
            true => "",
            false => "; --client-certificate says which certificate the client has",
        };
        Some(format!("the TLS handshake fails ({fault}){advice}"))
    }
}

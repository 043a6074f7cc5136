//! `GetTrustStoreCaCertificatesBundle` and `GetTrustStoreRevocationContent`: leave to download what a trust
//! store was made of, for a while and for whoever has it.
//!
//! A leave is nothing that is stored: it says what, until when, and is signed, as a pre-signed URL of S3 is.

use model::id::TrustStoreId;
use model::trust_store::RevocationKey;

use super::trust_store_revocations::found;
use super::{ElbError, find};
use crate::Control;

/// How long a download may start. Source: ELB API, `GetTrustStoreCaCertificatesBundle`.
const LEAVE_SECONDS: u64 = 600;

/// Source: ELB API, `GetTrustStoreCaCertificatesBundle`.
#[derive(Clone, Debug, Default)]
pub struct GetTrustStoreCaCertificatesBundle {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
}

/// Source: ELB API, `GetTrustStoreRevocationContent`.
#[derive(Clone, Debug, Default)]
pub struct GetTrustStoreRevocationContent {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `RevocationId`.
    pub revocation_id: i64,
}

/// What can be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustStoreContent {
    /// The certificates of the authorities.
    Bundle(TrustStoreId),
    /// A list of revoked certificates.
    Revocation(RevocationKey),
}

/// Leave to download something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadLeave {
    /// What.
    pub content: TrustStoreContent,
    /// Until when, in seconds since 1970.
    pub expires_at: u64,
    /// What only the control plane can make of the other two, in hexadecimal digits.
    pub signature: String,
}

/// Nothing is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// It was not signed here, or was changed.
    #[error("the signature of this URL is not valid; use the Location as it was given")]
    NotSigned,
    /// The time is over.
    #[error("this URL has expired; ask for the Location again")]
    Expired,
    /// It has been removed since.
    #[error("the content has been removed")]
    Gone,
}

impl Control {
    /// Leave to download the certificates of the authorities of a trust store.
    ///
    /// # Errors
    /// `TrustStoreNotFound`, `Validation`.
    pub async fn get_trust_store_ca_certificates_bundle(
        &self,
        input: GetTrustStoreCaCertificatesBundle,
    ) -> Result<DownloadLeave, ElbError> {
        let id = self.read(|state| {
            let trust_store = find::trust_store(state, &input.trust_store_arn)?;
            Ok::<_, ElbError>(trust_store.arn.id)
        })?;
        Ok(self.leave(TrustStoreContent::Bundle(id)))
    }

    /// Leave to download a list of revoked certificates.
    ///
    /// # Errors
    /// `RevocationIdNotFound`, `TrustStoreNotFound`, `Validation`.
    pub async fn get_trust_store_revocation_content(
        &self,
        input: GetTrustStoreRevocationContent,
    ) -> Result<DownloadLeave, ElbError> {
        let key = self.read(|state| {
            let trust_store = find::trust_store(state, &input.trust_store_arn)?;
            Ok::<_, ElbError>(found(state, trust_store, input.revocation_id)?.key)
        })?;
        Ok(self.leave(TrustStoreContent::Revocation(key)))
    }

    /// What somebody has leave to download: PEM.
    ///
    /// # Errors
    /// If the leave is not one of this control plane, is over, or its content has been removed.
    pub fn download(&self, leave: &DownloadLeave) -> Result<String, DownloadError> {
        let text = signed_text(leave.content, leave.expires_at);
        if !self
            .inner
            .parts
            .secret_key
            .has_signed(&text, &leave.signature)
        {
            return Err(DownloadError::NotSigned);
        }
        if self.now_millis() / 1000 >= leave.expires_at {
            return Err(DownloadError::Expired);
        }
        let found = self.read(|state| match leave.content {
            TrustStoreContent::Bundle(id) => {
                let trust_store = state.elb.trust_stores.get(&id);
                trust_store.map(|it| it.authorities.clone())
            }
            TrustStoreContent::Revocation(key) => {
                let revocation = state.elb.revocations.get(&key);
                revocation.map(|it| it.content.clone())
            }
        });
        found.ok_or(DownloadError::Gone)
    }

    fn leave(&self, content: TrustStoreContent) -> DownloadLeave {
        let expires_at = self.now_millis() / 1000 + LEAVE_SECONDS;
        let text = signed_text(content, expires_at);
        DownloadLeave {
            content,
            expires_at,
            signature: self.inner.parts.secret_key.sign(&text),
        }
    }
}

fn signed_text(content: TrustStoreContent, expires_at: u64) -> String {
    match content {
        TrustStoreContent::Bundle(id) => format!("trust store bundle {id} until {expires_at}"),
        TrustStoreContent::Revocation(key) => {
            format!("trust store revocation {key} until {expires_at}")
        }
    }
}

//! `DeleteSharedTrustStoreAssociation` and `GetResourcePolicy`: no account shares a trust store with another, so that
//! none has a policy.

use model::arn::ListenerArn;

use super::trust_stores::users;
use super::{ElbError, find};
use crate::Control;

/// Source: ELB API, `DeleteSharedTrustStoreAssociation`.
#[derive(Clone, Debug, Default)]
pub struct DeleteSharedTrustStoreAssociation {
    /// `TrustStoreArn`.
    pub trust_store_arn: String,
    /// `ResourceArn`.
    pub resource_arn: String,
}

/// Source: ELB API, `GetResourcePolicy`.
#[derive(Clone, Debug, Default)]
pub struct GetResourcePolicy {
    /// `ResourceArn`.
    pub resource_arn: String,
}

impl Control {
    /// Says which association it is that another account does not have.
    ///
    /// # Errors
    /// `DeleteAssociationSameAccount` for a listener that relies on the trust store, `AssociationNotFound` for
    /// anything else, `TrustStoreNotFound`, `Validation`.
    pub async fn delete_shared_trust_store_association(
        &self,
        input: DeleteSharedTrustStoreAssociation,
    ) -> Result<(), ElbError> {
        let resource = &input.resource_arn;
        self.read(|state| {
            let trust_store = find::trust_store(state, &input.trust_store_arn)?;
            let is_named = |listener: &ListenerArn| listener.to_string() == *resource;
            Err(match users(state, &trust_store.arn).iter().any(is_named) {
                true => ElbError::DeleteAssociationSameAccount(format!(
                    "The association of '{resource}' is in the same account as the trust store; modify the \
                     listener instead"
                )),
                false => ElbError::AssociationNotFound(format!(
                    "The trust store is not associated with '{resource}'"
                )),
            })
        })
    }

    /// Says that there is no policy.
    ///
    /// # Errors
    /// `ResourceNotFound`, `Validation` if the ARN is not that of a trust store.
    pub async fn get_resource_policy(&self, input: GetResourcePolicy) -> Result<(), ElbError> {
        let arn = &input.resource_arn;
        self.read(|state| match find::trust_store(state, arn) {
            Ok(_) => Err(ElbError::ResourceNotFound(format!(
                "The trust store '{arn}' has no resource policy: it is not shared"
            ))),
            Err(ElbError::TrustStoreNotFound(message)) => Err(ElbError::ResourceNotFound(message)),
            Err(error) => Err(error),
        })
    }
}

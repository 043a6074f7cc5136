//! The code and the status of every error of the load balancing operations.

use control::elb::ElbError;

use crate::ApiError;

impl From<ElbError> for ApiError {
    fn from(error: ElbError) -> Self {
        let message = error.to_string();
        let (code, status) = match &error {
            ElbError::Validation(_) => ("ValidationError", 400),
            ElbError::AssociationNotFound(_) => ("AssociationNotFound", 400),
            ElbError::CertificateNotFound(_) => ("CertificateNotFound", 400),
            ElbError::DeleteAssociationSameAccount(_) => ("DeleteAssociationSameAccount", 400),
            ElbError::DuplicateListener(_) => ("DuplicateListener", 400),
            ElbError::DuplicateLoadBalancerName(_) => ("DuplicateLoadBalancerName", 400),
            ElbError::DuplicateTagKeys(_) => ("DuplicateTagKeys", 400),
            ElbError::DuplicateTargetGroupName(_) => ("DuplicateTargetGroupName", 400),
            ElbError::IncompatibleProtocols(_) => ("IncompatibleProtocols", 400),
            ElbError::InvalidConfigurationRequest(_) => ("InvalidConfigurationRequest", 400),
            ElbError::InvalidLoadBalancerAction(_) => ("InvalidLoadBalancerAction", 400),
            ElbError::InvalidScheme(_) => ("InvalidScheme", 400),
            ElbError::InvalidSecurityGroup(_) => ("InvalidSecurityGroup", 400),
            ElbError::InvalidSubnet(_) => ("InvalidSubnet", 400),
            ElbError::InvalidTarget(_) => ("InvalidTarget", 400),
            ElbError::ListenerNotFound(_) => ("ListenerNotFound", 400),
            ElbError::LoadBalancerNotFound(_) => ("LoadBalancerNotFound", 400),
            ElbError::OperationNotPermitted(_) => ("OperationNotPermitted", 400),
            ElbError::PriorityInUse(_) => ("PriorityInUse", 400),
            ElbError::ResourceInUse(_) => ("ResourceInUse", 400),
            ElbError::ResourceNotFound(_) => ("ResourceNotFound", 400),
            ElbError::RuleNotFound(_) => ("RuleNotFound", 400),
            ElbError::SslPolicyNotFound(_) => ("SSLPolicyNotFound", 400),
            ElbError::SubnetNotFound(_) => ("SubnetNotFound", 400),
            ElbError::TargetGroupAssociationLimit(_) => ("TargetGroupAssociationLimit", 400),
            ElbError::TargetGroupNotFound(_) => ("TargetGroupNotFound", 400),
            ElbError::TooManyActions(_) => ("TooManyActions", 400),
            ElbError::TooManyCertificates(_) => ("TooManyCertificates", 400),
            ElbError::TooManyListeners(_) => ("TooManyListeners", 400),
            ElbError::TooManyLoadBalancers(_) => ("TooManyLoadBalancers", 400),
            ElbError::TooManyRegistrationsForTargetId(_) => {
                ("TooManyRegistrationsForTargetId", 400)
            }
            ElbError::TooManyRules(_) => ("TooManyRules", 400),
            ElbError::TooManyTags(_) => ("TooManyTags", 400),
            ElbError::TooManyTargetGroups(_) => ("TooManyTargetGroups", 400),
            ElbError::TooManyTargets(_) => ("TooManyTargets", 400),
            ElbError::TooManyUniqueTargetGroupsPerLoadBalancer(_) => {
                ("TooManyUniqueTargetGroupsPerLoadBalancer", 400)
            }
            ElbError::CaCertificatesBundleNotFound(_) => ("CaCertificatesBundleNotFound", 400),
            ElbError::DuplicateTrustStoreName(_) => ("DuplicateTrustStoreName", 400),
            ElbError::InvalidCaCertificatesBundle(_) => ("InvalidCaCertificatesBundle", 400),
            ElbError::InvalidRevocationContent(_) => ("InvalidRevocationContent", 400),
            ElbError::RevocationContentNotFound(_) => ("RevocationContentNotFound", 400),
            ElbError::RevocationIdNotFound(_) => ("RevocationIdNotFound", 400),
            ElbError::TooManyTrustStoreRevocationEntries(_) => {
                ("TooManyTrustStoreRevocationEntries", 400)
            }
            ElbError::TooManyTrustStores(_) => ("TooManyTrustStores", 400),
            ElbError::TrustStoreInUse(_) => ("TrustStoreInUse", 400),
            ElbError::TrustStoreNotFound(_) => ("TrustStoreNotFound", 400),
            ElbError::UnsupportedCertificate(_) => ("UnsupportedCertificate", 400),
            ElbError::UnsupportedProtocol(_) => ("UnsupportedProtocol", 400),
            ElbError::Internal(source) => {
                tracing::error!(
                    error = source as &dyn std::error::Error,
                    "a change could not be saved"
                );
                ("InternalFailure", 500)
            }
        };
        ApiError::new(code, status, message)
    }
}

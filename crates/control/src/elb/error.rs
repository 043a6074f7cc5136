//! Why an operation of Elastic Load Balancing did nothing.

use crate::CommitError;

/// An error of the ELB API. Variants are named for their codes, and hold the message.
///
/// Source: ELB API, "Errors" of each operation and "Common Errors". Status 400 except for `Internal` and
/// `HealthUnavailable`.
#[derive(Debug, thiserror::Error)]
pub enum ElbError {
    /// `ValidationError`: a parameter is missing, malformed or out of range.
    #[error("{0}")]
    Validation(String),
    /// The trust store is not associated with the resource.
    #[error("{0}")]
    AssociationNotFound(String),
    /// There is no such certificate, or it is not one that can be used.
    #[error("{0}")]
    CertificateNotFound(String),
    /// The association is in the trust store's own account.
    #[error("{0}")]
    DeleteAssociationSameAccount(String),
    /// The port has a listener with other settings.
    #[error("{0}")]
    DuplicateListener(String),
    /// The name is used by a load balancer with other settings.
    #[error("{0}")]
    DuplicateLoadBalancerName(String),
    /// A tag key occurs twice.
    #[error("{0}")]
    DuplicateTagKeys(String),
    /// The name is used by a target group with other settings.
    #[error("{0}")]
    DuplicateTargetGroupName(String),
    /// The target group does not fit the listener.
    #[error("{0}")]
    IncompatibleProtocols(String),
    /// The settings contradict each other or the resource, or ask for what elbow does not do.
    #[error("{0}")]
    InvalidConfigurationRequest(String),
    /// The action cannot be used with this listener.
    #[error("{0}")]
    InvalidLoadBalancerAction(String),
    /// The scheme does not fit the other settings.
    #[error("{0}")]
    InvalidScheme(String),
    /// A security group is missing or in another VPC.
    #[error("{0}")]
    InvalidSecurityGroup(String),
    /// A subnet has too few free addresses, or the VPC of an internet-facing load balancer has no internet gateway.
    #[error("{0}")]
    InvalidSubnet(String),
    /// A target is missing, not running, or not one this group can have.
    #[error("{0}")]
    InvalidTarget(String),
    /// There is no such listener.
    #[error("{0}")]
    ListenerNotFound(String),
    /// There is no such load balancer.
    #[error("{0}")]
    LoadBalancerNotFound(String),
    /// The default rule, or deletion protection, forbids it.
    #[error("{0}")]
    OperationNotPermitted(String),
    /// Another rule of the listener has the priority.
    #[error("{0}")]
    PriorityInUse(String),
    /// Something still refers to it.
    #[error("{0}")]
    ResourceInUse(String),
    /// There is no such resource, or it has no policy.
    #[error("{0}")]
    ResourceNotFound(String),
    /// There is no such rule.
    #[error("{0}")]
    RuleNotFound(String),
    /// There is no such security policy.
    #[error("{0}")]
    SslPolicyNotFound(String),
    /// There is no such subnet.
    #[error("{0}")]
    SubnetNotFound(String),
    /// The target group belongs to another load balancer.
    #[error("{0}")]
    TargetGroupAssociationLimit(String),
    /// There is no such target group.
    #[error("{0}")]
    TargetGroupNotFound(String),
    /// More actions than a rule may have.
    #[error("{0}")]
    TooManyActions(String),
    /// The load balancer has its limit of certificates.
    #[error("{0}")]
    TooManyCertificates(String),
    /// The load balancer has its limit of listeners.
    #[error("{0}")]
    TooManyListeners(String),
    /// The account has its limit of load balancers.
    #[error("{0}")]
    TooManyLoadBalancers(String),
    /// One target id is registered too often with a load balancer.
    #[error("{0}")]
    TooManyRegistrationsForTargetId(String),
    /// The load balancer has its limit of rules.
    #[error("{0}")]
    TooManyRules(String),
    /// More than 50 tags.
    #[error("{0}")]
    TooManyTags(String),
    /// The account has its limit of target groups.
    #[error("{0}")]
    TooManyTargetGroups(String),
    /// The target group or the load balancer has its limit of targets.
    #[error("{0}")]
    TooManyTargets(String),
    /// The load balancer forwards to its limit of target groups.
    #[error("{0}")]
    TooManyUniqueTargetGroupsPerLoadBalancer(String),
    /// The bundle of authorities cannot be read.
    #[error("{0}")]
    CaCertificatesBundleNotFound(String),
    /// The name is used by another trust store.
    #[error("{0}")]
    DuplicateTrustStoreName(String),
    /// The bundle of authorities is malformed, or not of authorities.
    #[error("{0}")]
    InvalidCaCertificatesBundle(String),
    /// The list of revoked certificates is malformed, or not of the trust store's authorities.
    #[error("{0}")]
    InvalidRevocationContent(String),
    /// The list of revoked certificates cannot be read.
    #[error("{0}")]
    RevocationContentNotFound(String),
    /// There is no such list of revoked certificates.
    #[error("{0}")]
    RevocationIdNotFound(String),
    /// The trust store has its limit of revoked certificates.
    #[error("{0}")]
    TooManyTrustStoreRevocationEntries(String),
    /// The account has its limit of trust stores.
    #[error("{0}")]
    TooManyTrustStores(String),
    /// A listener relies on the trust store.
    #[error("{0}")]
    TrustStoreInUse(String),
    /// There is no such trust store.
    #[error("{0}")]
    TrustStoreNotFound(String),
    /// The certificate is not one that listeners can show.
    #[error("{0}")]
    UnsupportedCertificate(String),
    /// elbow does not speak the protocol yet.
    #[error("{0}")]
    UnsupportedProtocol(String),
    /// `InternalFailure`, status 500: the change could not be stored; the cause belongs in the log.
    #[error("the change could not be saved and nothing was changed; the request may be repeated")]
    Internal(#[source] store::TransactError),
}

impl From<CommitError> for ElbError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Rules(error) => Self::Validation(format!(
                "The regular expression '{}' is not valid: {}",
                error.pattern, error.source
            )),
            CommitError::Secret(error) => Self::InvalidConfigurationRequest(error.to_string()),
            CommitError::Bind(error) => Self::InvalidConfigurationRequest(error.to_string()),
            CommitError::Store(error) => Self::Internal(error),
        }
    }
}

impl From<model::arn::InvalidArn> for ElbError {
    fn from(error: model::arn::InvalidArn) -> Self {
        Self::Validation(error.to_string())
    }
}

impl From<model::tag::InvalidTag> for ElbError {
    fn from(error: model::tag::InvalidTag) -> Self {
        use model::tag::InvalidTag as Invalid;
        let message = error.to_string();
        match error {
            Invalid::Duplicate(_) => Self::DuplicateTagKeys(message),
            Invalid::TooMany(_) => Self::TooManyTags(message),
            Invalid::KeyLength(_)
            | Invalid::ValueLength(_)
            | Invalid::Characters(_)
            | Invalid::Reserved(_)
            | Invalid::Extension(_) => Self::Validation(message),
        }
    }
}

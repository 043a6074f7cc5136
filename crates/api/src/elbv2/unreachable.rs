//! Errors that the model of ELB names and no call gets from elbow, with the reasons.

use crate::golden::Unreachable;

const LISTENERS: &[&str] = &["CreateListener", "ModifyListener"];

pub(super) const UNREACHABLE: [Unreachable; 23] = [
    (
        "ALPNPolicyNotFound",
        LISTENERS,
        "only Network Load Balancers have such policies; on others every one is a ValidationError",
    ),
    (
        "TooManyCertificates",
        LISTENERS,
        "a listener is given one certificate, which counts toward no limit; two are a ValidationError",
    ),
    (
        "TrustStoreNotReady",
        LISTENERS,
        "a trust store is ready when it has been created",
    ),
    (
        "DuplicateListener",
        &["ModifyListener"],
        "a port that is taken is a ValidationError, as AWS says it of a change",
    ),
    (
        "TooManyListeners",
        &["ModifyListener"],
        "a change makes no listener",
    ),
    (
        "UnsupportedProtocol",
        &[
            "CreateListener",
            "CreateRule",
            "DescribeListeners",
            "DescribeRules",
            "ModifyListener",
            "ModifyRule",
        ],
        "a protocol that Application Load Balancers do not have is a ValidationError, so that no listener has one",
    ),
    (
        "TooManyTargetGroups",
        &["CreateRule"],
        "too many in one action are a ValidationError, in all rules TooManyUniqueTargetGroupsPerLoadBalancer",
    ),
    (
        "AllocationIdNotFound",
        &["CreateLoadBalancer", "SetSubnets"],
        "Application Load Balancers take no Elastic IP addresses; naming one is a ValidationError",
    ),
    (
        "AvailabilityZoneNotSupported",
        &["CreateLoadBalancer", "SetSubnets"],
        "every zone of the topology can have load balancers",
    ),
    (
        "InvalidScheme",
        &["CreateLoadBalancer"],
        "what is no scheme is a ValidationError, and load balancers can have both schemes",
    ),
    (
        "OperationNotPermitted",
        &["CreateLoadBalancer"],
        "no account is kept from creating load balancers",
    ),
    (
        "ResourceInUse",
        &["CreateLoadBalancer", "DeleteListener", "DeleteLoadBalancer"],
        "no other service relies on load balancers or listeners",
    ),
    (
        "LoadBalancerNotFound",
        &["DeleteLoadBalancer"],
        "one that does not exist is deleted already, as on AWS",
    ),
    (
        "CapacityReservationPending",
        &["ModifyCapacityReservation", "SetSubnets"],
        "capacity cannot be reserved",
    ),
    (
        "CapacityDecreaseRequestLimitExceeded",
        &["ModifyCapacityReservation"],
        "capacity cannot be reserved",
    ),
    (
        "CapacityUnitsLimitExceeded",
        &["ModifyCapacityReservation"],
        "capacity cannot be reserved",
    ),
    (
        "InsufficientCapacity",
        &["ModifyCapacityReservation"],
        "capacity cannot be reserved",
    ),
    (
        "OperationNotPermitted",
        &["ModifyCapacityReservation"],
        "capacity cannot be reserved",
    ),
    (
        "PriorRequestNotComplete",
        &["ModifyCapacityReservation"],
        "capacity cannot be reserved",
    ),
    (
        "HealthUnavailable",
        &["DescribeTargetHealth"],
        "the health of targets is in the memory of the process that is asked",
    ),
    (
        "InvalidConfigurationRequest",
        &["ModifyTargetGroup"],
        "what does not fit the group is a ValidationError",
    ),
    (
        "InvalidSubnet",
        &["SetIpAddressType"],
        "the subnets stay; one without a block of IPv6 is a ValidationError, as on AWS",
    ),
    (
        "TooManyTags",
        &["RemoveTags"],
        "there are fewer tags afterwards",
    ),
];

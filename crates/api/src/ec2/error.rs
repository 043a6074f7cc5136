//! The code and the status of every error of the inventory.
//!
//! Source: EC2 API, "Error codes for the Amazon EC2 API".

use control::ec2::Ec2Error;
use control::ec2::absent::AbsentKind;
use model::ec2::{
    InstanceId, NetworkInterfaceId, PrefixListId, RouteTableAssociationId, RouteTableId,
    SecurityGroupId, SecurityGroupRuleId,
};

use crate::ApiError;

impl From<Ec2Error> for ApiError {
    fn from(error: Ec2Error) -> Self {
        let message = error.to_string();
        let code = match &error {
            Ec2Error::MalformedId(invalid) => malformed_id(invalid.prefix),
            Ec2Error::VpcNotFound(_) => "InvalidVpcID.NotFound",
            Ec2Error::SubnetNotFound(_) => "InvalidSubnetID.NotFound",
            Ec2Error::SecurityGroupNotFound(_)
            | Ec2Error::GroupNameNotFound(_)
            | Ec2Error::DifferentNetworks => "InvalidGroup.NotFound",
            Ec2Error::SecurityGroupRuleNotFound(_) => "InvalidSecurityGroupRuleId.NotFound",
            Ec2Error::InstancesNotFound(_) => "InvalidInstanceID.NotFound",
            Ec2Error::NetworkInterfaceNotFound(_) => "InvalidNetworkInterfaceID.NotFound",
            Ec2Error::InternetGatewayNotFound(_) => "InvalidInternetGatewayID.NotFound",
            Ec2Error::InstanceTypesNotFound(_) => "InvalidInstanceType",
            Ec2Error::GroupOfOtherVpc { .. } => "InvalidParameter",
            Ec2Error::IncorrectInstanceState { .. } | Ec2Error::InstanceNotStopped(_) => {
                "IncorrectInstanceState"
            }
            Ec2Error::NotBurstable(_) => "InstanceCreditSpecification.NotSupported",
            Ec2Error::ProtectedInstance { .. } => "OperationNotPermitted",
            Ec2Error::ZoneOfSubnet { .. } => "InvalidParameterValue",
            Ec2Error::GatewayNotFound(_) => "InvalidGatewayID.NotFound",
            Ec2Error::RouteTableNotFound(_) => "InvalidRouteTableID.NotFound",
            Ec2Error::NetworkAclNotFound(_) => "InvalidNetworkAclID.NotFound",
            Ec2Error::AbsentNotFound { kind, .. } => absent(*kind),
            Ec2Error::AllocationNotFound(_) => "InvalidAllocationID.NotFound",
            Ec2Error::AddressNotFound(_) | Ec2Error::NotInBorderGroup { .. } => {
                "InvalidAddress.NotFound"
            }
            Ec2Error::PoolNotFound(_) => "InvalidPublicIpv4PoolID.NotFound",
            Ec2Error::TooManyAddresses(_) => "AddressLimitExceeded",
            Ec2Error::NoAddressLeft => "InsufficientAddressCapacity",
            Ec2Error::AttachmentNotFound(_) => "InvalidAttachmentID.NotFound",
            Ec2Error::InterfaceInUse(_) => "InvalidParameterValue",
            Ec2Error::NotYourInterface(_) => "AuthFailure",
            Ec2Error::NotYourAttachment | Ec2Error::OnlyInterface => "OperationNotPermitted",
            Ec2Error::PrefixListNotFound(_) => "InvalidPrefixListID.NotFound",
            Ec2Error::TooManyPrefixLists(_) => "PrefixListLimitExceeded",
            Ec2Error::TooManyEntries(_) => "PrefixListMaxEntriesExceeded",
            Ec2Error::PrefixListVersion => "PrefixListVersionMismatch",
            Ec2Error::AssociationNotFound(_) => "InvalidAssociationID.NotFound",
            Ec2Error::ResourceNotFound(_) => "InvalidID",
            Ec2Error::ZoneNotFound(_)
            | Ec2Error::RegionNotFound { .. }
            | Ec2Error::InvalidFilter(_)
            | Ec2Error::InvalidMaxResults { .. }
            | Ec2Error::InvalidNextToken(_)
            | Ec2Error::InvalidValue { .. }
            | Ec2Error::ReservedGroupName(_)
            | Ec2Error::GroupNameLikeId(_)
            | Ec2Error::InvalidGroupText(_)
            | Ec2Error::InvalidTraffic(_)
            | Ec2Error::MalformedBlock(_)
            | Ec2Error::RepeatedPermission
            | Ec2Error::AddressOutsideSubnet { .. }
            | Ec2Error::AddressReserved(_)
            | Ec2Error::EntryNotFound(_)
            | Ec2Error::EntryAddedAndRemoved(_)
            | Ec2Error::TooManyEntriesInRequest(_)
            | Ec2Error::TooManyValues { .. }
            | Ec2Error::VpcHasGateway(_)
            | Ec2Error::RouteInsideVpc(_)
            | Ec2Error::NoRouteToReplace(_)
            | Ec2Error::LocalRoute { .. }
            | Ec2Error::OtherNetwork { .. }
            | Ec2Error::MainAssociation(_)
            | Ec2Error::InvalidTag(_) => "InvalidParameterValue",
            Ec2Error::TooManyFilterValues(_) => "FilterLimitExceeded",
            Ec2Error::TooManyInstanceIds { .. } => "InvalidRequest",
            Ec2Error::IdsWithMaxResults(_)
            | Ec2Error::InvalidCombination(_)
            | Ec2Error::NotOnePeer => "InvalidParameterCombination",
            Ec2Error::MissingParameter(_) | Ec2Error::NoPermission(_) => "MissingParameter",
            Ec2Error::InstanceLimit { .. } => "InstanceLimitExceeded",
            Ec2Error::InsufficientFreeAddresses(_) => "InsufficientFreeAddressesInSubnet",
            Ec2Error::NoDefaultSubnet(_) => "MissingInput",
            Ec2Error::VpcRange(_) => "InvalidVpc.Range",
            Ec2Error::TooManyVpcs(_) => "VpcLimitExceeded",
            Ec2Error::DefaultVpcExists => "DefaultVpcAlreadyExists",
            Ec2Error::DefaultSubnetExists { .. } => "DefaultSubnetAlreadyExistsInAvailabilityZone",
            Ec2Error::TooManyInternetGateways(_) => "InternetGatewayLimitExceeded",
            Ec2Error::GatewayAttached { .. } | Ec2Error::AlreadyAssociated(_) => {
                "Resource.AlreadyAssociated"
            }
            Ec2Error::GatewayNotAttached { .. } => "Gateway.NotAttached",
            Ec2Error::TooManyRouteTables(_) => "RouteTableLimitExceeded",
            Ec2Error::TooManyRoutes(_) => "RouteLimitExceeded",
            Ec2Error::RouteExists(_) => "RouteAlreadyExists",
            Ec2Error::RouteNotFound { .. } => "InvalidRoute.NotFound",
            Ec2Error::SubnetConflict { .. }
            | Ec2Error::SubnetIpv6Conflict(_)
            | Ec2Error::SubnetOfAnotherAccount(_) => "InvalidSubnet.Conflict",
            Ec2Error::SubnetRange(_) | Ec2Error::SubnetIpv6Range(_) => "InvalidSubnet.Range",
            Ec2Error::TooManySubnets(_) => "SubnetLimitExceeded",
            Ec2Error::SubnetHasIpv6Block { .. } | Ec2Error::VpcIpv6Range(_) => {
                "InvalidParameterValue"
            }
            Ec2Error::TooManyVpcIpv6Blocks(_) => "CidrLimitExceeded",
            Ec2Error::VpcCidrAssociationNotFound(_) => {
                "InvalidVpcCidrBlockAssociationIdError.NotFound"
            }
            Ec2Error::SubnetCidrAssociationNotFound(_) => {
                "InvalidSubnetCidrBlockAssociationID.NotFound"
            }
            Ec2Error::VpcIpv6BlockInUse { .. } | Ec2Error::SubnetIpv6BlockInUse { .. } => {
                "InvalidCidrBlock.InUse"
            }
            Ec2Error::HasDependencies(..)
            | Ec2Error::PublicAddressesMapped(_)
            | Ec2Error::GroupInUse(_) => "DependencyViolation",
            Ec2Error::DefaultVpc(_)
            | Ec2Error::DefaultSubnet(_)
            | Ec2Error::ConfiguredIpv6Block(_) => "OperationNotPermitted",
            Ec2Error::DuplicateGroup { .. } => "InvalidGroup.Duplicate",
            Ec2Error::DefaultGroup(_) => "CannotDelete",
            Ec2Error::TooManyGroups(_) => "SecurityGroupLimitExceeded",
            Ec2Error::TooManyGroupsOnInstance(_) => "SecurityGroupsPerInstanceLimitExceeded",
            Ec2Error::TooManyRules(_) => "RulesPerSecurityGroupLimitExceeded",
            Ec2Error::DuplicatePermission(_) => "InvalidPermission.Duplicate",
            Ec2Error::PermissionNotFound => "InvalidPermission.NotFound",
            Ec2Error::AddressInUse(_) => "InvalidIPAddress.InUse",
            Ec2Error::TokenMismatch(_) => "IdempotentParameterMismatch",
            Ec2Error::TooManyTags(_) => "TagLimitExceeded",
            Ec2Error::Internal(source) => {
                let source: &dyn std::error::Error = &**source;
                tracing::error!(
                    error = source,
                    "a change of the inventory could not be made"
                );
                return Self::new("InternalError", 500, message);
            }
            Ec2Error::DryRun => return Self::new("DryRunOperation", 412, message),
        };
        Self::sender(code, message)
    }
}

/// What EC2 says where an id names nothing of a kind that elbow never has.
fn absent(kind: AbsentKind) -> &'static str {
    match kind {
        AbsentKind::DhcpOptions => "InvalidDhcpOptionID.NotFound",
        AbsentKind::EgressOnlyInternetGateway => "InvalidGatewayID.NotFound",
        AbsentKind::Image => "InvalidAMIID.NotFound",
        AbsentKind::KeyPair => "InvalidKeyPair.NotFound",
        AbsentKind::NatGateway => "NatGatewayNotFound",
        AbsentKind::ServicePrefixList => "InvalidPrefixListID.NotFound",
        AbsentKind::Snapshot => "InvalidSnapshot.NotFound",
        AbsentKind::Volume => "InvalidVolume.NotFound",
        AbsentKind::VpcEndpoint => "InvalidVpcEndpointId.NotFound",
        AbsentKind::VpcPeeringConnection => "InvalidVpcPeeringConnectionID.NotFound",
        AbsentKind::VpnGateway => "InvalidVpnGatewayID.NotFound",
    }
}

/// The kinds of ids whose form EC2 checks before it looks for them.
fn malformed_id(prefix: &str) -> &'static str {
    match prefix {
        InstanceId::PREFIX => "InvalidInstanceID.Malformed",
        SecurityGroupId::PREFIX => "InvalidGroupId.Malformed",
        SecurityGroupRuleId::PREFIX => "InvalidSecurityGroupRuleId.Malformed",
        RouteTableId::PREFIX => "InvalidRouteTableId.Malformed",
        RouteTableAssociationId::PREFIX => "InvalidAssociationID.Malformed",
        PrefixListId::PREFIX => "InvalidPrefixListId.Malformed",
        NetworkInterfaceId::PREFIX => "InvalidNetworkInterfaceId.Malformed",
        _ => "InvalidParameterValue",
    }
}

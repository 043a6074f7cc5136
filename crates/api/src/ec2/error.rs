//! The code and the status of every error of the inventory.
//!
//! Source: EC2 API, "Error codes for the Amazon EC2 API".

use control::ec2::Ec2Error;
use model::ec2::{InstanceId, NetworkInterfaceId, SecurityGroupId, SecurityGroupRuleId};

use crate::ApiError;

impl From<Ec2Error> for ApiError {
    fn from(error: Ec2Error) -> Self {
        let message = error.to_string();
        let code = match &error {
            Ec2Error::MalformedId(invalid) => malformed_id(invalid.prefix),
            Ec2Error::VpcNotFound(_) => "InvalidVpcID.NotFound",
            Ec2Error::SubnetNotFound(_) => "InvalidSubnetID.NotFound",
            Ec2Error::SecurityGroupNotFound(_) | Ec2Error::GroupNameNotFound(_) => {
                "InvalidGroup.NotFound"
            }
            Ec2Error::SecurityGroupRuleNotFound(_) => "InvalidSecurityGroupRuleId.NotFound",
            Ec2Error::InstancesNotFound(_) => "InvalidInstanceID.NotFound",
            Ec2Error::NetworkInterfaceNotFound(_) => "InvalidNetworkInterfaceID.NotFound",
            Ec2Error::InternetGatewayNotFound(_) => "InvalidInternetGatewayID.NotFound",
            Ec2Error::ResourceNotFound(_) => "InvalidID",
            Ec2Error::ZoneNotFound(_)
            | Ec2Error::RegionNotFound(_)
            | Ec2Error::InvalidFilter(_)
            | Ec2Error::FilterWithoutValue(_)
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
            | Ec2Error::InvalidTag(_) => "InvalidParameterValue",
            Ec2Error::TooManyFilterValues(_) => "FilterLimitExceeded",
            Ec2Error::IdsWithMaxResults(_)
            | Ec2Error::InvalidCombination(_)
            | Ec2Error::NotOneInstance => "InvalidParameterCombination",
            Ec2Error::MissingParameter(_)
            | Ec2Error::NoPermission(_)
            | Ec2Error::AddressMissing => "MissingParameter",
            Ec2Error::SubnetConflict(_) | Ec2Error::SubnetIpv6Conflict(_) => {
                "InvalidSubnet.Conflict"
            }
            Ec2Error::SubnetRange(_) => "InvalidSubnet.Range",
            Ec2Error::SubnetIpv6Range(_)
            | Ec2Error::SubnetHasIpv6Block { .. }
            | Ec2Error::VpcIpv6Range(_) => "InvalidParameterValue",
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
            Ec2Error::SubnetInUse(_) | Ec2Error::GroupInUse(_) => "DependencyViolation",
            Ec2Error::DefaultSubnet(_) => "OperationNotPermitted",
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

/// The kinds of ids whose form EC2 checks before it looks for them.
fn malformed_id(prefix: &str) -> &'static str {
    match prefix {
        InstanceId::PREFIX => "InvalidInstanceID.Malformed",
        SecurityGroupId::PREFIX => "InvalidGroupId.Malformed",
        SecurityGroupRuleId::PREFIX => "InvalidSecurityGroupRuleId.Malformed",
        NetworkInterfaceId::PREFIX => "InvalidNetworkInterfaceId.Malformed",
        _ => "InvalidParameterValue",
    }
}

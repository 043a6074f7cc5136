//! What can be wrong with a request to the inventory.
//!
//! The texts are those of EC2 wherever it says something; where elbow is narrower, they say so.

use std::net::IpAddr;

use model::Cidr;
use model::ec2::security_group::InvalidTraffic;
use model::ec2::{InvalidId, SecurityGroupId, SubnetCidrAssociationId, SubnetId, VpcId};

use crate::CommitError;

/// Why an operation of the inventory did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Ec2Error {
    /// The identifier does not have the form of its kind.
    #[error(transparent)]
    MalformedId(#[from] InvalidId),
    /// No such VPC.
    #[error("The vpc ID '{0}' does not exist")]
    VpcNotFound(String),
    /// No such subnet.
    #[error("The subnet ID '{0}' does not exist")]
    SubnetNotFound(String),
    /// No such security group, by id.
    #[error("The security group '{0}' does not exist")]
    SecurityGroupNotFound(String),
    /// No such rule of a security group.
    #[error("The security group rule ID '{0}' does not exist")]
    SecurityGroupRuleNotFound(String),
    /// No such instances, one or more.
    #[error("{}", instances_not_found(.0))]
    InstancesNotFound(Vec<String>),
    /// No such network interface.
    #[error("The networkInterface ID '{0}' does not exist")]
    NetworkInterfaceNotFound(String),
    /// No such internet gateway.
    #[error("The internetGateway ID '{0}' does not exist")]
    InternetGatewayNotFound(String),
    /// No such zone.
    #[error("Invalid availability zone: [{0}]")]
    ZoneNotFound(String),
    /// No such region.
    #[error("Invalid region: [{0}]; this elbow serves one region, the one of its configuration")]
    RegionNotFound(String),
    /// The identifier names no resource that can be tagged.
    #[error("The ID '{0}' is not valid")]
    ResourceNotFound(String),

    /// A name of a filter that the operation does not have.
    #[error("The filter '{0}' is invalid")]
    InvalidFilter(String),
    /// A filter without a value.
    #[error("The filter '{0}' has no value; give it at least one")]
    FilterWithoutValue(String),
    /// More values than one call may have.
    #[error("The maximum number of filter values specified on a single call is {0}")]
    TooManyFilterValues(usize),
    /// A page size below or above the bounds.
    #[error("Value ( {value} ) for parameter maxResults is invalid. {expectation}")]
    InvalidMaxResults {
        /// What was asked for.
        value: i64,
        /// The bound that it breaks.
        expectation: &'static str,
    },
    /// A page size together with a list of ids.
    #[error("The parameter {0} cannot be used with the parameter maxResults")]
    IdsWithMaxResults(&'static str),
    /// A token that no answer has had.
    #[error("Value ( {0} ) for parameter NextToken is invalid. The token is invalid.")]
    InvalidNextToken(String),

    /// A required parameter is absent.
    #[error("The request must contain the parameter {0}")]
    MissingParameter(&'static str),
    /// A value outside what a parameter takes.
    #[error("Value ({value}) for parameter {parameter} is invalid. {expectation}")]
    InvalidValue {
        /// The parameter, as the API calls it.
        parameter: &'static str,
        /// What was given.
        value: String,
        /// What would be valid.
        expectation: String,
    },
    /// Parameters that exclude each other, or of which one is needed.
    #[error("{0}")]
    InvalidCombination(&'static str),

    /// The block overlaps that of another subnet.
    #[error("The CIDR '{0}' conflicts with another subnet")]
    SubnetConflict(Cidr),
    /// The block is not inside that of its VPC, or not /16 to /28.
    #[error("The CIDR '{0}' is invalid.")]
    SubnetRange(Cidr),
    /// The IPv6 block overlaps that of another subnet.
    #[error("The IPv6 CIDR '{0}' conflicts with another subnet")]
    SubnetIpv6Conflict(Cidr),
    /// The IPv6 block is not inside one of its VPC, or not /44 to /64 in steps of 4.
    #[error(
        "The IPv6 CIDR '{0}' is invalid: it must be /44 to /64 in steps of 4, inside an IPv6 CIDR block of the VPC."
    )]
    SubnetIpv6Range(Cidr),
    /// A subnet has one IPv6 block.
    #[error(
        "The subnet '{subnet_id}' already has the IPv6 CIDR block {cidr}; disassociate it first"
    )]
    SubnetHasIpv6Block {
        /// The subnet.
        subnet_id: SubnetId,
        /// The block that it has.
        cidr: Cidr,
    },
    /// The block cannot be one of a VPC.
    #[error(
        "The IPv6 CIDR '{0}' is invalid: a block of a VPC is /44 to /60 in steps of 4, of unique local or global unicast addresses, and overlaps no other."
    )]
    VpcIpv6Range(Cidr),
    /// More IPv6 blocks than `VPC_IPV6_BLOCKS_MAX`.
    #[error("The maximum number of IPv6 CIDR blocks for the VPC has been reached: {0}.")]
    TooManyVpcIpv6Blocks(usize),
    /// No VPC has an IPv6 block with this association.
    #[error("The vpc CIDR block association ID '{0}' does not exist")]
    VpcCidrAssociationNotFound(String),
    /// No subnet has an IPv6 block with this association.
    #[error("The subnet CIDR block with association ID '{0}' does not exist")]
    SubnetCidrAssociationNotFound(String),
    /// A subnet has a part of the block.
    #[error("The vpc {vpc_id} currently has a subnet within CIDR block {cidr}")]
    VpcIpv6BlockInUse {
        /// The VPC.
        vpc_id: VpcId,
        /// The block.
        cidr: Cidr,
    },
    /// An instance or a load balancer has an address in the block.
    #[error(
        "The subnet IPv6 CIDR block with association ID {id} may not be disassociated, because addresses of it are in use: {addresses}"
    )]
    SubnetIpv6BlockInUse {
        /// The association.
        id: SubnetCidrAssociationId,
        /// Those of instances and load balancers.
        addresses: String,
    },
    /// Something has an address in the subnet.
    #[error("The subnet '{0}' has dependencies and cannot be deleted.")]
    SubnetInUse(SubnetId),
    /// Later starts of elbow would make it again.
    #[error(
        "The subnet '{0}' is the default of its zone and belongs to the configuration; it cannot be deleted."
    )]
    DefaultSubnet(SubnetId),

    /// The VPC has a group of that name.
    #[error("The security group '{name}' already exists for VPC '{vpc_id}'")]
    DuplicateGroup {
        /// The name.
        name: String,
        /// The VPC.
        vpc_id: VpcId,
    },
    /// `default` is the name of the group that every VPC has.
    #[error("Cannot use reserved security group name: {0}")]
    ReservedGroupName(String),
    /// A name that looks like an id.
    #[error("Invalid value '{0}' for groupName: Group names may not be in the format sg-*")]
    GroupNameLikeId(String),
    /// The group called `default` stays.
    #[error("the specified group: \"{0}\" name: \"default\" cannot be deleted by a user")]
    DefaultGroup(SecurityGroupId),
    /// An instance, a load balancer or a rule of another group needs the group.
    #[error("resource {0} has a dependent object")]
    GroupInUse(SecurityGroupId),
    /// More groups than `SECURITY_GROUPS_MAX`.
    #[error("The maximum number of security groups has been reached: {0}.")]
    TooManyGroups(usize),
    /// The text of a group or a rule is too long, or has other characters than it may.
    #[error("{0}")]
    InvalidGroupText(String),
    /// No group of that name in the default VPC.
    #[error("The security group '{0}' does not exist in the default VPC")]
    GroupNameNotFound(String),
    /// A request that names no rule, or says nothing about whom a rule allows.
    #[error("{0}")]
    NoPermission(&'static str),
    /// One rule twice in a request.
    #[error("The same permission must not appear multiple times")]
    RepeatedPermission,
    /// More groups on an instance than `GROUPS_PER_INSTANCE_MAX`.
    #[error("The maximum number of security groups per instance has been reached: {0}.")]
    TooManyGroupsOnInstance(usize),
    /// More rules in one direction than `RULES_MAX`.
    #[error(
        "The maximum number of rules per security group has been reached: {0} in each direction."
    )]
    TooManyRules(usize),
    /// Protocol or ports of a rule.
    #[error(transparent)]
    InvalidTraffic(#[from] InvalidTraffic),
    /// The source of a rule is not a block, or of the wrong family.
    #[error("CIDR block {0} is malformed")]
    MalformedBlock(String),
    /// The group allows that already.
    #[error("the specified rule \"{0}\" already exists")]
    DuplicatePermission(String),
    /// The group has no such rule.
    #[error("The specified rule does not exist in this security group.")]
    PermissionNotFound,

    /// An instance without an address.
    #[error(
        "The request must contain the parameter PrivateIpAddress: elbow registers a machine that runs \
         already, by its address; it does not start machines yet"
    )]
    AddressMissing,
    /// More than one instance with one address.
    #[error(
        "MinCount and MaxCount must be 1: a request registers the one machine at PrivateIpAddress"
    )]
    NotOneInstance,
    /// The address belongs to another instance or to a load balancer.
    #[error("Address {0} is in use.")]
    AddressInUse(IpAddr),
    /// The address is in no subnet, or not in the one given.
    #[error("Address {address} does not fall within the subnet's address range: {subnets}")]
    AddressOutsideSubnet {
        /// What was given.
        address: IpAddr,
        /// The block of the subnet that was given, or those of all subnets.
        subnets: String,
    },
    /// The address is one of those that a subnet keeps for itself.
    #[error("Address {0} is in subnet's reserved address range")]
    AddressReserved(IpAddr),
    /// The same token, but another request.
    #[error(
        "The client token '{0}' was used in a request with other parameters; choose another token"
    )]
    TokenMismatch(String),

    /// The key or the value of a tag.
    #[error("{0}")]
    InvalidTag(String),
    /// More tags than `TAGS_MAX`.
    #[error("The maximum number of Tags for a resource has been reached: {0}.")]
    TooManyTags(usize),

    /// The change could not be stored or served; the cause belongs in the log.
    #[error("The change could not be made and nothing was changed; the request may be repeated.")]
    Internal(#[source] Box<CommitError>),

    /// The request would have done what it says.
    #[error("Request would have succeeded, but DryRun flag is set.")]
    DryRun,
}

impl From<CommitError> for Ec2Error {
    fn from(error: CommitError) -> Self {
        Self::Internal(Box::new(error))
    }
}

fn instances_not_found(ids: &[String]) -> String {
    match ids {
        [id] => format!("The instance ID '{id}' does not exist"),
        ids => format!("The instance IDs '{}' do not exist", ids.join(", ")),
    }
}

//! What can be wrong with a request to the inventory.
//!
//! The texts are those of EC2 wherever it says something; where elbow is narrower, they say so.

use std::net::{IpAddr, Ipv4Addr};

use model::Cidr;
use model::ec2::security_group::InvalidTraffic;
use model::ec2::{
    InstanceId, InternetGatewayId, InvalidId, NetworkInterfaceId, RouteTableAssociationId,
    RouteTableId, SecurityGroupId, SubnetCidrAssociationId, SubnetId, VpcId,
};

use crate::CommitError;
use crate::ec2::absent::AbsentKind;

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
    /// No instance has such a type, one or more.
    #[error("The following supplied instance types do not exist: [{}]", .0.join(", "))]
    InstanceTypesNotFound(Vec<String>),
    /// No such network interface.
    #[error("The networkInterface ID '{0}' does not exist")]
    NetworkInterfaceNotFound(String),
    /// No such hold on a network interface.
    #[error("The attachment ID '{0}' does not exist")]
    AttachmentNotFound(String),
    /// The network interface goes together with its owner.
    #[error("Network interface '{0}' is currently in use.")]
    InterfaceInUse(NetworkInterfaceId),
    /// The network interface is that of a load balancer.
    #[error(
        "You do not have permission to access the specified resource: {0} is that of a load balancer"
    )]
    NotYourInterface(NetworkInterfaceId),
    /// The same of a load balancer's hold on it.
    #[error("You are not allowed to manage 'ela-attach' attachments.")]
    NotYourAttachment,
    /// An instance has one network interface.
    #[error("The network interface at device index 0 cannot be detached.")]
    OnlyInterface,
    /// No such internet gateway.
    #[error("The internetGateway ID '{0}' does not exist")]
    InternetGatewayNotFound(String),
    /// No such gateway that a route could lead to.
    #[error("The gateway ID '{0}' does not exist")]
    GatewayNotFound(String),
    /// No such route table.
    #[error("The routeTable ID '{0}' does not exist")]
    RouteTableNotFound(String),
    /// No such association of a route table, or of an Elastic IP address.
    #[error("The association ID '{0}' does not exist")]
    AssociationNotFound(String),
    /// No such Elastic IP address, by id.
    #[error("The allocation ID '{0}' does not exist")]
    AllocationNotFound(String),
    /// No such Elastic IP address.
    #[error("Address '{0}' not found.")]
    AddressNotFound(String),
    /// No such pool of addresses.
    #[error("The public IPv4 pool '{0}' does not exist")]
    PoolNotFound(String),
    /// The Elastic IP address is in another group of zones than the request says.
    #[error("Address '{address}' not found in the network border group '{group}'; it is in {own}.")]
    NotInBorderGroup {
        /// The address.
        address: Ipv4Addr,
        /// The group of the request.
        group: String,
        /// The group of the address.
        own: String,
    },
    /// No such prefix list.
    #[error("The prefix list ID '{0}' does not exist")]
    PrefixListNotFound(String),
    /// Something of which there is none.
    #[error("{message}")]
    AbsentNotFound {
        /// What it would be.
        kind: AbsentKind,
        /// What EC2 says of it.
        message: String,
    },
    /// No such network ACL.
    #[error("The networkAcl ID '{0}' does not exist")]
    NetworkAclNotFound(String),
    /// No such zone.
    #[error("Invalid availability zone: [{0}]")]
    ZoneNotFound(String),
    /// No such region.
    #[error("Invalid Region: [{named}]; this elbow serves one region, {own}")]
    RegionNotFound {
        /// The region of the request.
        named: String,
        /// The one that is served.
        own: String,
    },
    /// The identifier names no resource that can be tagged.
    #[error("The ID '{0}' is not valid")]
    ResourceNotFound(String),

    /// A name of a filter that the operation does not have.
    #[error("The filter '{0}' is invalid")]
    InvalidFilter(String),
    /// More values than one call may have.
    #[error("The maximum number of filter values specified on a single call is {0}")]
    TooManyFilterValues(usize),
    /// A list longer than it may be.
    #[error("{parameter} cannot contain over {max} values.")]
    TooManyValues {
        /// The parameter, as the API calls it.
        parameter: &'static str,
        /// How many it may have.
        max: usize,
    },
    /// More instances than a request may name.
    #[error(
        "{count} exceeds the maximum number of instance IDs that can be specified ({max}). Please specify fewer than \
         {max} instance IDs."
    )]
    TooManyInstanceIds {
        /// How many it names.
        count: usize,
        /// How many it may name.
        max: usize,
    },
    /// A page size below or above the bounds.
    #[error("Value ( {value} ) for parameter maxResults is invalid. {expectation}")]
    InvalidMaxResults {
        /// What was asked for.
        value: i64,
        /// The bound that it breaks.
        expectation: String,
    },
    /// A page size together with a list of ids.
    #[error("The parameter {0} cannot be used with the parameter maxResults")]
    IdsWithMaxResults(&'static str),
    /// A token that no answer to the operation has had.
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

    /// The block of a VPC is not /16 to /28.
    #[error("The CIDR '{0}' is invalid.")]
    VpcRange(Cidr),
    /// More VPCs than the account may have.
    #[error("The maximum number of VPCs has been reached: {0}.")]
    TooManyVpcs(usize),
    /// Later starts of elbow would make it again.
    #[error(
        "The vpc '{0}' is the default one and belongs to the configuration; it cannot be deleted."
    )]
    DefaultVpc(VpcId),
    /// There is one from the first start on.
    #[error("A Default VPC already exists for this account in this region.")]
    DefaultVpcExists,
    /// The zone has one from the first start on.
    #[error("'{subnet_id}' is already the default subnet in {zone}.")]
    DefaultSubnetExists {
        /// The subnet.
        subnet_id: SubnetId,
        /// The name of the zone.
        zone: String,
    },
    /// Something else needs it.
    #[error("The {0} '{1}' has dependencies and cannot be deleted.")]
    HasDependencies(&'static str, String),

    /// More internet gateways than the account may have.
    #[error("The maximum number of internet gateways has been reached: {0}.")]
    TooManyInternetGateways(usize),
    /// The gateway is attached to this VPC, or to another one.
    #[error("resource {gateway_id} is already attached to network {vpc_id}")]
    GatewayAttached {
        /// The gateway.
        gateway_id: InternetGatewayId,
        /// Where it is attached.
        vpc_id: VpcId,
    },
    /// Another gateway is attached to the VPC.
    #[error("Network {0} already has an internet gateway attached")]
    VpcHasGateway(VpcId),
    /// The gateway is not attached to this VPC.
    #[error("resource {gateway_id} is not attached to network {vpc_id}")]
    GatewayNotAttached {
        /// The gateway.
        gateway_id: InternetGatewayId,
        /// The VPC of the request.
        vpc_id: String,
    },
    /// Something in the VPC faces the internet.
    #[error(
        "Network {0} has some mapped public address(es). Please unmap those public address(es) before \
         detaching the gateway."
    )]
    PublicAddressesMapped(VpcId),

    /// More route tables in a VPC than it may have.
    #[error("The maximum number of route tables has been reached: {0}.")]
    TooManyRouteTables(usize),
    /// More routes in a table than it may have.
    #[error("The maximum number of routes has been reached: {0}.")]
    TooManyRoutes(usize),
    /// The table has a route to that block.
    #[error("The route identified by {0} already exists.")]
    RouteExists(Cidr),
    /// A gateway is no way to a part of the VPC.
    #[error(
        "The destination CIDR block {0} is equal to or more specific than one of this VPC's CIDR blocks. \
         This route can target only an interface or an instance."
    )]
    RouteInsideVpc(Cidr),
    /// The table has no such route to replace.
    #[error("There is no route defined for '{0}' in the route table. Use CreateRoute instead.")]
    NoRouteToReplace(Cidr),
    /// The table has no such route.
    #[error("no route with destination-cidr-block {destination} in route table {table_id}")]
    RouteNotFound {
        /// The block.
        destination: Cidr,
        /// The table.
        table_id: RouteTableId,
    },
    /// The route to the VPC itself stays.
    #[error("cannot remove local route {destination} in route table {table_id}")]
    LocalRoute {
        /// The block.
        destination: Cidr,
        /// The table.
        table_id: RouteTableId,
    },
    /// A route table and something of another VPC.
    #[error("route table {table_id} and {with} belong to different networks")]
    OtherNetwork {
        /// The table.
        table_id: RouteTableId,
        /// The other thing, with its kind.
        with: String,
    },
    /// The subnet follows another table.
    #[error("the specified association for route table {0} conflicts with an existing association")]
    AlreadyAssociated(RouteTableId),
    /// Every VPC has a main table; another one can take its place.
    #[error("cannot disassociate the main route table association {0}")]
    MainAssociation(RouteTableAssociationId),

    /// More Elastic IP addresses than the account may have.
    #[error("The maximum number of addresses has been reached: {0}.")]
    TooManyAddresses(usize),
    /// Every address of the block is allocated, or there is no block.
    #[error(
        "There is no address left to allocate; configure a larger block as topology.elastic_cidr"
    )]
    NoAddressLeft,
    /// More prefix lists than the account may have.
    #[error("The maximum number of prefix lists has been reached: {0}.")]
    TooManyPrefixLists(usize),
    /// More entries in a prefix list than it was made for.
    #[error("You've reached the maximum number of entries for the prefix list: {0}.")]
    TooManyEntries(usize),
    /// More entries than a request may add or remove.
    #[error("The number of entries per request cannot exceeds limit ({0}).")]
    TooManyEntriesInRequest(usize),
    /// One block in both lists of a request.
    #[error(
        "Request cannot contain Cidr {0} in both AddPrefixListEntries and RemovePrefixListEntries"
    )]
    EntryAddedAndRemoved(Cidr),
    /// The list has no such entry to remove.
    #[error("The CIDR '{0}' is not an entry of the prefix list")]
    EntryNotFound(Cidr),
    /// Somebody else has changed the list.
    #[error("The prefix list has the incorrect version number.")]
    PrefixListVersion,

    /// More subnets in a VPC than it may have.
    #[error("The maximum number of subnets has been reached: {0}.")]
    TooManySubnets(usize),
    /// The block overlaps that of another subnet.
    #[error(
        "The CIDR '{block}' conflicts with another subnet: {other}, in {vpc_id}; all VPCs share the network \
         of this machine"
    )]
    SubnetConflict {
        /// The block.
        block: Cidr,
        /// The subnet that overlaps it.
        other: SubnetId,
        /// The VPC of that subnet.
        vpc_id: VpcId,
    },
    /// The block overlaps addresses of another account.
    #[error(
        "The CIDR '{0}' conflicts with addresses of another account; all accounts share the network of this machine"
    )]
    SubnetOfAnotherAccount(Cidr),
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
    /// More IPv6 blocks than a VPC may have.
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
    /// Later starts of elbow would make it again.
    #[error(
        "The subnet '{0}' is the default of its zone and belongs to the configuration; it cannot be deleted."
    )]
    DefaultSubnet(SubnetId),
    /// Later starts of elbow would make it again.
    #[error(
        "The CIDR block '{0}' belongs to the configuration; take it out of the configuration and restart elbow before \
         you disassociate it."
    )]
    ConfiguredIpv6Block(Cidr),

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
    /// More groups than the account may have.
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
    /// More groups on an instance than it may carry.
    #[error("The maximum number of security groups per instance has been reached: {0}.")]
    TooManyGroupsOnInstance(usize),
    /// More rules in one direction than a group may have.
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
    /// A rule that would allow none, or several.
    #[error(
        "A rule has exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId; give one"
    )]
    NotOnePeer,
    /// The group has no such rule.
    #[error("The specified rule does not exist in this security group.")]
    PermissionNotFound,

    /// More instances than a request may register.
    #[error("You have requested more instances ({requested}) than one request may launch: {max}.")]
    InstanceLimit {
        /// How many it wants at least.
        requested: usize,
        /// `RUN_COUNT_MAX`.
        max: usize,
    },
    /// Fewer addresses are free than instances want one.
    #[error(
        "There are not enough free addresses in subnet '{0}' to satisfy the requested number of instances."
    )]
    InsufficientFreeAddresses(SubnetId),
    /// The request names no subnet, and the zone has no default one.
    #[error("No default subnet for availability zone: '{0}'.")]
    NoDefaultSubnet(String),
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
    /// The address is in another zone than the request says.
    #[error("The subnet '{subnet_id}' is in the availability zone {zone}")]
    ZoneOfSubnet {
        /// The subnet that has the address.
        subnet_id: SubnetId,
        /// The name of its zone.
        zone: String,
    },
    /// A group and the subnet of an instance, in another VPC.
    #[error("Security group {group_id} and subnet {subnet_id} belong to different networks.")]
    GroupOfOtherVpc {
        /// The group.
        group_id: SecurityGroupId,
        /// Where the instance is, or would be.
        subnet_id: SubnetId,
    },
    /// A rule of one VPC's group that names a group of another one.
    #[error("You have specified two resources that belong to different networks.")]
    DifferentNetworks,
    /// The instance is terminated.
    #[error("This instance '{id}' is not in a state from which it can be {step}.")]
    IncorrectInstanceState {
        /// The instance.
        id: InstanceId,
        /// What was to be done.
        step: &'static str,
    },
    /// What only instances of burstable types have.
    #[error("The instance '{0}' is not of a burstable performance type.")]
    NotBurstable(InstanceId),
    /// What is possible with a stopped instance only.
    #[error("The instance '{0}' is not in the 'stopped' state.")]
    InstanceNotStopped(InstanceId),
    /// Its owner has protected the instance.
    #[error(
        "The instance '{id}' may not be {step}. Modify its '{attribute}' instance attribute and try again."
    )]
    ProtectedInstance {
        /// The instance.
        id: InstanceId,
        /// What was to be done.
        step: &'static str,
        /// The attribute that protects it.
        attribute: &'static str,
    },
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

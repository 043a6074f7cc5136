//! CreateVpc, DeleteVpc, DescribeVpcAttribute, ModifyVpcAttribute; CreateDefaultVpc, which never has to do
//! anything.
//!
//! VPCs are records over the one network of this machine: they may overlap, but no two subnets do, and a
//! listener can be made where the machine can bind the address.

use std::sync::Arc;

use model::Cidr;
use model::ec2::security_group::DEFAULT_GROUP_NAME;
use model::ec2::{
    Association, Direction, InternetGatewayId, Peer, Route, RouteTable, RouteTableAssociation,
    RouteTableAssociationId, RouteTableId, SecurityGroup, SecurityGroupId, SecurityGroupRule,
    SecurityGroupRuleId, Tags, Traffic, Vpc, VpcDns, VpcId,
};

use crate::ec2::ipv6_blocks::{self, NewIpv6Block};
use crate::ec2::subnets::{has_usable_size, parse_block};
use crate::ec2::{Ec2, Ec2Error, Ec2State, TagSpecification, lookups, names, tags};
use crate::state::{Draft, State};

/// A new VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateVpc {
    /// Its block; host bits are cleared, as EC2 does.
    pub cidr_block: Option<String>,
    /// An IPv6 block for it as well.
    pub ipv6_block: NewIpv6Block,
    /// `default`, the only one that elbow has.
    pub instance_tenancy: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// What can be asked about a VPC beside its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VpcAttribute {
    /// Whether queries for names are answered inside it.
    EnableDnsSupport,
    /// Whether what has a public address has a public name.
    EnableDnsHostnames,
    /// Whether the use of its addresses is counted. Never.
    EnableNetworkAddressUsageMetrics,
}

impl VpcAttribute {
    /// Every attribute with the name EC2 gives it.
    pub const ALL: [(&'static str, Self); 3] = [
        ("enableDnsSupport", Self::EnableDnsSupport),
        ("enableDnsHostnames", Self::EnableDnsHostnames),
        (
            "enableNetworkAddressUsageMetrics",
            Self::EnableNetworkAddressUsageMetrics,
        ),
    ];

    fn of(self, vpc: &Vpc) -> bool {
        match self {
            Self::EnableDnsSupport => vpc.dns.is_supported,
            Self::EnableDnsHostnames => vpc.dns.has_hostnames,
            Self::EnableNetworkAddressUsageMetrics => false,
        }
    }
}

/// Which attribute of which VPC to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeVpcAttribute {
    /// The VPC.
    pub vpc_id: String,
    /// The name of the attribute.
    pub attribute: String,
}

/// An attribute of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcAttributeDescription {
    /// The VPC.
    pub vpc_id: VpcId,
    /// The name of the attribute.
    pub name: &'static str,
    /// Whether it is on.
    pub is_on: bool,
}

/// New values for attributes of a VPC; EC2 takes one in a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifyVpcAttribute {
    /// The VPC.
    pub vpc_id: String,
    /// `EnableDnsSupport`.
    pub enable_dns_support: Option<bool>,
    /// `EnableDnsHostnames`.
    pub enable_dns_hostnames: Option<bool>,
    /// Whether `EnableNetworkAddressUsageMetrics` is to be off, as it always is.
    pub is_without_usage_metrics: bool,
}

impl Ec2<'_> {
    /// Makes a VPC with its security group `default` and its main route table.
    ///
    /// # Errors
    /// `MissingParameter`, `InvalidValue`, `InvalidCombination`, `VpcRange`, `VpcIpv6Range`, `TooManyVpcs`, and those
    /// of tags.
    pub async fn create_vpc(&self, request: CreateVpc) -> Result<Arc<Vpc>, Ec2Error> {
        self.change(move |draft| create(draft, &request)).await
    }

    /// Removes the VPC with this id, its group `default` and its main route table.
    ///
    /// # Errors
    /// `VpcNotFound`, `DefaultVpc`, and `HasDependencies` while it has something else.
    pub async fn delete_vpc(&self, vpc_id: String) -> Result<(), Ec2Error> {
        self.change(move |draft| delete(draft, &vpc_id)).await
    }

    /// Refuses: the default VPC is there from the first start on.
    ///
    /// # Errors
    /// `DefaultVpcExists`.
    pub fn create_default_vpc(&self) -> Result<Arc<Vpc>, Ec2Error> {
        Err(Ec2Error::DefaultVpcExists)
    }

    /// One attribute of a VPC.
    ///
    /// # Errors
    /// `VpcNotFound`, `InvalidValue` for a name that is none of `VpcAttribute::ALL`.
    pub fn describe_vpc_attribute(
        &self,
        request: &DescribeVpcAttribute,
    ) -> Result<VpcAttributeDescription, Ec2Error> {
        self.show(|it| describe_attribute(it.state, request))
    }

    /// Sets attributes of a VPC.
    ///
    /// # Errors
    /// `VpcNotFound`, `InvalidCombination`.
    pub async fn modify_vpc_attribute(&self, request: ModifyVpcAttribute) -> Result<(), Ec2Error> {
        self.change(move |draft| modify_attribute(draft, &request))
            .await
    }
}

/// The VPC with this id.
///
/// # Errors
/// `VpcNotFound`.
pub(crate) fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<Vpc>, Ec2Error> {
    lookups::vpc(ec2, id).ok_or_else(|| Ec2Error::VpcNotFound(id.to_owned()))
}

fn create(draft: &mut Draft, request: &CreateVpc) -> Result<Arc<Vpc>, Ec2Error> {
    let text = request
        .cidr_block
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("cidrBlock"))?;
    let cidr = parse_block("cidrBlock", text)?;
    if !has_usable_size(cidr) {
        return Err(Ec2Error::VpcRange(cidr));
    }
    if let Some(tenancy) = request
        .instance_tenancy
        .as_ref()
        .filter(|it| *it != "default")
    {
        return Err(Ec2Error::InvalidValue {
            parameter: "instanceTenancy",
            value: tenancy.clone(),
            expectation: "elbow dedicates no hardware; use default.".to_owned(),
        });
    }
    let max = draft.settings().limits.ec2.vpcs;
    if draft.state().ec2.vpcs.len() >= max {
        return Err(Ec2Error::TooManyVpcs(max));
    }
    let ipv6_cidr = request.ipv6_block.resolve(draft)?;
    let tags = tags::specified(&request.tag_specifications, "vpc")?;
    let vpc = Vpc {
        id: names::fresh(draft, VpcId::from_bits, &draft.state().ec2.vpcs),
        cidr,
        ipv6_blocks: Vec::new(),
        is_default: false,
        internet_gateway: None,
        dns: VpcDns::of_other_vpcs(),
        tags,
    };
    let vpc = draft.put(vpc);
    let group = default_security_group(draft, &vpc.id, &[]);
    draft.put(group);
    let table = main_route_table(draft, &vpc.id, None);
    draft.put(table);
    match ipv6_cidr {
        // After the default group, which is told about the block.
        Some(cidr) => {
            let is_provided = request.ipv6_block.is_provided;
            Ok(ipv6_blocks::add_to_vpc(draft, &vpc, cidr, is_provided)?.0)
        }
        None => Ok(vpc),
    }
}

/// The group that load balancers and instances of a VPC carry if they name no other: it admits its members
/// and, with a description for each, `admitted`.
pub(crate) fn default_security_group(
    draft: &Draft,
    vpc_id: &VpcId,
    admitted: &[(Cidr, &str)],
) -> SecurityGroup {
    let id = names::fresh(
        draft,
        SecurityGroupId::from_bits,
        &draft.state().ec2.security_groups,
    );
    let rule = |direction, peer, description: Option<&str>| SecurityGroupRule {
        id: SecurityGroupRuleId::from_bits(draft.draw()),
        direction,
        traffic: Traffic::All,
        peer,
        description: description.map(str::to_owned),
        tags: Tags::new(),
    };
    let mut rules = vec![
        rule(Direction::Ingress, Peer::Members(id.clone()), None),
        rule(Direction::Egress, Peer::Block(Cidr::ANY_IPV4), None),
    ];
    for (block, description) in admitted {
        let peer = Peer::Block(*block);
        rules.push(rule(Direction::Ingress, peer, Some(description)));
    }
    SecurityGroup {
        id,
        name: DEFAULT_GROUP_NAME.to_owned(),
        description: "default VPC security group".to_owned(),
        vpc_id: vpc_id.clone(),
        rules,
        tags: Tags::new(),
    }
}

/// The table that the subnets of a VPC follow unless they have another, with a route to the internet through
/// `gateway_id`.
pub(crate) fn main_route_table(
    draft: &Draft,
    vpc_id: &VpcId,
    gateway_id: Option<InternetGatewayId>,
) -> RouteTable {
    let to_internet = gateway_id.map(|gateway_id| Route {
        destination: Cidr::ANY_IPV4,
        gateway_id,
    });
    RouteTable {
        id: names::fresh(
            draft,
            RouteTableId::from_bits,
            &draft.state().ec2.route_tables,
        ),
        vpc_id: vpc_id.clone(),
        routes: to_internet.into_iter().collect(),
        associations: vec![RouteTableAssociation {
            id: RouteTableAssociationId::from_bits(draft.draw()),
            with: Association::Main,
        }],
        client_token: None,
        request_digest: None,
        tags: Tags::new(),
    }
}

fn delete(draft: &mut Draft, vpc_id: &str) -> Result<(), Ec2Error> {
    let vpc = Arc::clone(find(&draft.state().ec2, vpc_id)?);
    if vpc.is_default {
        return Err(Ec2Error::DefaultVpc(vpc.id.clone()));
    }
    if has_dependencies(draft.state(), &vpc.id) {
        return Err(Ec2Error::HasDependencies("vpc", vpc.id.to_string()));
    }
    let ec2 = &draft.state().ec2;
    let groups = ec2.security_groups.values();
    let groups: Vec<_> = groups
        .filter(|group| group.vpc_id == vpc.id)
        .map(|group| group.id.clone())
        .collect();
    let tables = ec2.route_tables.values();
    let tables: Vec<_> = tables
        .filter(|table| table.vpc_id == vpc.id)
        .map(|table| table.id.clone())
        .collect();
    for id in groups {
        draft.remove::<SecurityGroup>(&id);
    }
    for id in tables {
        draft.remove::<RouteTable>(&id);
    }
    draft.remove::<Vpc>(&vpc.id);
    Ok(())
}

/// Whether something is in the VPC beside the group and the route table that every VPC has.
///
/// Target groups count as well, other than on AWS, so that none is left whose VPC is gone.
fn has_dependencies(state: &State, vpc_id: &VpcId) -> bool {
    let ec2 = &state.ec2;
    ec2.subnets.values().any(|it| it.vpc_id == *vpc_id)
        || ec2
            .internet_gateways
            .values()
            .any(|it| it.vpc_id.as_ref() == Some(vpc_id))
        || ec2
            .security_groups
            .values()
            .any(|it| it.vpc_id == *vpc_id && it.name != DEFAULT_GROUP_NAME)
        || ec2
            .route_tables
            .values()
            .any(|it| it.vpc_id == *vpc_id && !it.is_main())
        || state
            .elb
            .target_groups
            .values()
            .any(|it| it.vpc_id == *vpc_id)
}

fn describe_attribute(
    state: &State,
    request: &DescribeVpcAttribute,
) -> Result<VpcAttributeDescription, Ec2Error> {
    let vpc = find(&state.ec2, &request.vpc_id)?;
    let mut known = VpcAttribute::ALL.into_iter();
    let Some((name, attribute)) = known.find(|(name, _)| *name == request.attribute) else {
        return Err(Ec2Error::InvalidValue {
            parameter: "attribute",
            value: request.attribute.clone(),
            expectation: format!(
                "A VPC has {}.",
                VpcAttribute::ALL.map(|(name, _)| name).join(", ")
            ),
        });
    };
    Ok(VpcAttributeDescription {
        vpc_id: vpc.id.clone(),
        name,
        is_on: attribute.of(vpc),
    })
}

fn modify_attribute(draft: &mut Draft, request: &ModifyVpcAttribute) -> Result<(), Ec2Error> {
    let vpc = find(&draft.state().ec2, &request.vpc_id)?;
    let dns = match (request.enable_dns_support, request.enable_dns_hostnames) {
        (Some(_), Some(_)) => {
            return Err(Ec2Error::InvalidCombination(
                "The parameters EnableDnsSupport and EnableDnsHostnames cannot be used together",
            ));
        }
        (Some(is_supported), None) => VpcDns {
            is_supported,
            ..vpc.dns
        },
        (None, Some(has_hostnames)) => VpcDns {
            has_hostnames,
            ..vpc.dns
        },
        (None, None) if request.is_without_usage_metrics => vpc.dns,
        (None, None) => return Err(Ec2Error::InvalidCombination("No attributes specified.")),
    };
    if dns.has_hostnames && !dns.is_supported {
        return Err(Ec2Error::InvalidCombination(
            "enableDnsHostnames can be on only while enableDnsSupport is on",
        ));
    }
    if dns != vpc.dns {
        let changed = Vpc {
            dns,
            ..Vpc::clone(vpc)
        };
        draft.put(changed);
    }
    Ok(())
}

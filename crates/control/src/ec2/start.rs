//! The inventory that is there before anybody asks for it: the default VPC and what belongs to it.
//!
//! Runs at every start and makes what is missing, so that the first start, a zone added to the
//! configuration and a start that was cut short are one path.

use std::sync::Arc;

use model::Cidr;
use model::ec2::{
    InternetGateway, InternetGatewayId, SecurityGroup, Subnet, SubnetId, Tags, Vpc, VpcDns, VpcId,
    Zone,
};

use crate::ec2::topology::ZoneTopology;
use crate::ec2::{ipv6_blocks, lookups, names, subnets, vpcs};
use crate::state::Draft;

/// What the default security group says about the rule that EC2's does not have.
pub const OWN_ADDRESSES_DESCRIPTION: &str =
    "Made by elbow so that a first load balancer can be reached from this machine and its VPC";

/// Why the configuration and the stored inventory do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The VPC's block differs.
    #[error(
        "the VPC was made with the block {stored}, the configuration says {configured}; configure \
         {stored} or choose another data directory"
    )]
    VpcBlock {
        /// The block of the state.
        stored: Cidr,
        /// The block of the configuration.
        configured: Cidr,
    },
    /// The block of a zone's default subnet differs.
    #[error(
        "the subnet of zone {zone} was made with the block {stored}, the configuration says \
         {configured}; configure {stored} or choose another data directory"
    )]
    SubnetBlock {
        /// The name of the zone.
        zone: String,
        /// The block of the state.
        stored: Cidr,
        /// The block of the configuration.
        configured: Cidr,
    },
    /// A zone of the state is not configured any more.
    #[error(
        "the subnet {subnet} is in zone {zone}, which the configuration does not have; add the zone or \
         choose another data directory"
    )]
    ZoneGone {
        /// The name of the zone.
        zone: String,
        /// A subnet in it.
        subnet: SubnetId,
    },
    /// A zone has another id than before: the region changed, or the order of the zones.
    #[error(
        "the zone {zone} was {stored}, in the configuration it is {configured}; keep the region and the \
         order of the zones, with new ones at the end, or choose another data directory"
    )]
    ZoneRenumbered {
        /// The name of the zone.
        zone: String,
        /// Its id in the state.
        stored: String,
        /// Its id in the configuration.
        configured: String,
    },
    /// A block of the configuration cannot be that of a subnet or of the VPC.
    #[error(
        "the block {0} of the configuration cannot be used: a VPC or a subnet is IPv4 and /16 to /28, and \
         a subnet lies in the VPC and overlaps no other subnet, of other accounts neither"
    )]
    UnusableBlock(Cidr),
    /// An IPv6 block of the configuration cannot be that of a subnet or of the VPC.
    #[error(
        "the IPv6 block {0} of the configuration cannot be used: a VPC has /44 to /60, a subnet a part of it, /44 \
         to /64, both in steps of 4, and no two overlap"
    )]
    UnusableIpv6Block(Cidr),
    /// A block of the configuration has addresses of another account.
    #[error(
        "the block {0} of the configuration has addresses of another account; configure the one it was before, or \
         one that is free"
    )]
    BlockOfAnotherAccount(Cidr),
    /// The configuration names one zone twice.
    #[error("the configuration has the zone {0} twice")]
    RepeatedZone(String),
}

/// Makes what is missing of the inventory that the configuration describes.
///
/// # Errors
/// `InventoryError` if the stored inventory contradicts the configuration; nothing may be stored then.
pub fn ensure_inventory(draft: &mut Draft) -> Result<(), InventoryError> {
    check_blocks(draft)?;
    let vpc = ensure_vpc(draft)?;
    release_gateway(draft, &vpc);
    ensure_route_table(draft, &vpc);
    if lookups::default_security_group(&draft.state().ec2, vpc.as_str()).is_none() {
        let group = default_security_group(&vpc, draft);
        draft.put(group);
    }
    // After the default group, which is told about the block.
    ensure_vpc_ipv6(&vpc, draft)?;
    ensure_subnets(&vpc, draft)
}

/// What the configuration sets aside may have changed since other accounts were made.
fn check_blocks(draft: &Draft) -> Result<(), InventoryError> {
    let topology = &draft.settings().topology;
    let mut blocks = [Some(topology.vpc), topology.vpc_ipv6, topology.elastic]
        .into_iter()
        .flatten();
    match blocks.find(|block| draft.is_block_of_another_account(block)) {
        Some(block) => Err(InventoryError::BlockOfAnotherAccount(block)),
        None => Ok(()),
    }
}

fn ensure_vpc(draft: &mut Draft) -> Result<VpcId, InventoryError> {
    let configured = draft.settings().topology.vpc;
    if let Some(vpc) = lookups::default_vpc(&draft.state().ec2) {
        return match vpc.cidr {
            stored if stored == configured => Ok(vpc.id.clone()),
            stored => Err(InventoryError::VpcBlock { stored, configured }),
        };
    }
    if !subnets::has_usable_size(configured) {
        return Err(InventoryError::UnusableBlock(configured));
    }
    let vpc = Vpc {
        id: names::fresh(draft, VpcId::from_bits, &draft.state().ec2.vpcs),
        cidr: configured,
        ipv6_blocks: Vec::new(),
        is_default: true,
        internet_gateway: None,
        dns: VpcDns::of_default_vpc(),
        tags: Tags::new(),
    };
    let id = draft.put(vpc).id.clone();
    draft.put(InternetGateway {
        id: InternetGatewayId::from_bits(draft.draw()),
        vpc_id: Some(id.clone()),
        tags: Tags::new(),
    });
    Ok(id)
}

/// Blocks that the configuration does not have, its owner may have given to the VPC by the API.
fn ensure_vpc_ipv6(vpc_id: &VpcId, draft: &mut Draft) -> Result<(), InventoryError> {
    let Some(configured) = draft.settings().topology.vpc_ipv6 else {
        return Ok(());
    };
    let vpc = Arc::clone(&draft.state().ec2.vpcs[vpc_id]);
    if vpc.ipv6_blocks.iter().any(|block| block.cidr == configured) {
        return Ok(());
    }
    let added = ipv6_blocks::add_to_vpc(draft, &vpc, configured, false);
    added.map_err(|_| InventoryError::UnusableIpv6Block(configured))?;
    Ok(())
}

/// Gives the gateway that a VPC of version 1 holds a record of its own.
fn release_gateway(draft: &mut Draft, vpc_id: &VpcId) {
    let mut vpc = Vpc::clone(&draft.state().ec2.vpcs[vpc_id]);
    if let Some(gateway) = vpc.internet_gateway.take() {
        draft.put(InternetGateway {
            id: gateway.id,
            vpc_id: Some(vpc.id.clone()),
            tags: gateway.tags,
        });
        draft.put(vpc);
    }
}

/// Makes the main route table, with a route to the internet as in every default VPC.
fn ensure_route_table(draft: &mut Draft, vpc_id: &VpcId) {
    let ec2 = &draft.state().ec2;
    let mut tables = ec2.route_tables.values();
    if tables.any(|table| table.vpc_id == *vpc_id && table.is_main()) {
        return;
    }
    let gateway = lookups::internet_gateway_of(ec2, vpc_id).map(|gateway| gateway.id.clone());
    let table = vpcs::main_route_table(draft, vpc_id, gateway);
    draft.put(table);
}

/// The group `default` of the default VPC.
///
/// On AWS it admits its own members alone, so that a load balancer made without naming a group answers
/// nobody. Here it has one more rule, visible and revocable like any other: everything from the VPC and
/// from this machine. Groups made later are exactly as on AWS.
fn default_security_group(vpc_id: &VpcId, draft: &Draft) -> SecurityGroup {
    let own = own_addresses(draft.settings().topology.vpc);
    let admitted: Vec<(Cidr, &str)> = own
        .into_iter()
        .map(|block| (block, OWN_ADDRESSES_DESCRIPTION))
        .collect();
    vpcs::default_security_group(draft, vpc_id, &admitted)
}

/// The addresses of the VPC and those a process of this machine connects from.
fn own_addresses(vpc: Cidr) -> Vec<Cidr> {
    let loopback = Cidr::new([127, 0, 0, 0].into(), 8).expect("8 is a length of IPv4");
    if loopback.covers(&vpc) {
        vec![loopback]
    } else {
        vec![loopback, vpc]
    }
}

fn ensure_subnets(vpc_id: &VpcId, draft: &mut Draft) -> Result<(), InventoryError> {
    let settings = draft.settings().clone();
    let topology = &settings.topology;
    let zones: Vec<Zone> = topology.ec2_zones(&settings.place.region).collect();
    for (index, zone) in zones.iter().enumerate() {
        if zones[..index].iter().any(|other| other.name == zone.name) {
            return Err(InventoryError::RepeatedZone(zone.name.clone()));
        }
    }
    for subnet in draft.state().ec2.subnets.values() {
        check_zone(subnet, &zones)?;
    }
    for (zone, configured) in zones.into_iter().zip(&topology.zones) {
        if let Some(block) = configured.subnet {
            let subnet = ensure_subnet(vpc_id, zone, block, draft)?;
            ensure_subnet_ipv6(&subnet, configured, draft)?;
        }
    }
    Ok(())
}

/// The zone of a stored subnet has to be configured, with the id it had.
fn check_zone(subnet: &Subnet, zones: &[Zone]) -> Result<(), InventoryError> {
    match zones.iter().find(|zone| zone.name == subnet.zone.name) {
        Some(zone) if zone.id == subnet.zone.id => Ok(()),
        Some(zone) => Err(InventoryError::ZoneRenumbered {
            zone: zone.name.clone(),
            stored: subnet.zone.id.clone(),
            configured: zone.id.clone(),
        }),
        None => Err(InventoryError::ZoneGone {
            zone: subnet.zone.name.clone(),
            subnet: subnet.id.clone(),
        }),
    }
}

fn ensure_subnet(
    vpc_id: &VpcId,
    zone: Zone,
    configured: Cidr,
    draft: &mut Draft,
) -> Result<Arc<Subnet>, InventoryError> {
    let ec2 = &draft.state().ec2;
    let is_default = |subnet: &&Arc<Subnet>| {
        subnet.is_default_for_zone && subnet.zone == zone && subnet.vpc_id == *vpc_id
    };
    if let Some(subnet) = ec2.subnets.values().find(is_default) {
        return match subnet.cidr {
            stored if stored == configured => Ok(Arc::clone(subnet)),
            stored => Err(InventoryError::SubnetBlock {
                zone: zone.name,
                stored,
                configured,
            }),
        };
    }
    let overlaps = ec2
        .subnets
        .values()
        .any(|subnet| subnet.cidr.overlaps(&configured))
        || draft.is_block_of_another_account(&configured);
    let vpc_block = draft.settings().topology.vpc;
    if overlaps || !subnets::has_usable_size(configured) || !vpc_block.covers(&configured) {
        return Err(InventoryError::UnusableBlock(configured));
    }
    let subnet = Subnet {
        id: names::fresh(draft, SubnetId::from_bits, &ec2.subnets),
        vpc_id: vpc_id.clone(),
        cidr: configured,
        ipv6_block: None,
        zone,
        is_default_for_zone: true,
        maps_public_address: true,
        tags: Tags::new(),
    };
    Ok(draft.put(subnet))
}

fn ensure_subnet_ipv6(
    subnet: &Arc<Subnet>,
    zone: &ZoneTopology,
    draft: &mut Draft,
) -> Result<(), InventoryError> {
    let Some(configured) = zone.subnet_ipv6 else {
        return Ok(());
    };
    match &subnet.ipv6_block {
        Some(block) if block.cidr == configured => return Ok(()),
        Some(block) => {
            return Err(InventoryError::SubnetBlock {
                zone: zone.name.clone(),
                stored: block.cidr,
                configured,
            });
        }
        None => {}
    }
    let vpc = &draft.state().ec2.vpcs[&subnet.vpc_id];
    let block = ipv6_blocks::of_subnet(draft, vpc, configured);
    let block = block.map_err(|_| InventoryError::UnusableIpv6Block(configured))?;
    draft.put(Subnet {
        ipv6_block: Some(block),
        ..Subnet::clone(subnet)
    });
    Ok(())
}

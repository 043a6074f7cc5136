//! Which addresses are in use, and by what. Derived from instances and load balancers; tags alone are stored.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::ec2::{
    InstanceId, InstanceIpv6Address, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags, VpcId,
    Zone,
};

/// The hold of one instance, or of one load balancer in one zone, on a private address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Names it; the same as long as its owner and its subnet are.
    pub id: NetworkInterfaceId,
    /// What it belongs to.
    pub kind: InterfaceKind,
    /// The address.
    pub private_address: Ipv4Addr,
    /// The address of IPv6, if there is one.
    pub ipv6_address: Option<InstanceIpv6Address>,
    /// The subnet that holds the address.
    pub subnet_id: SubnetId,
    /// The VPC of the subnet.
    pub vpc_id: VpcId,
    /// The zone of the subnet.
    pub zone: Zone,
    /// The security groups of its owner.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its tags.
    pub tags: Tags,
}

/// What is stored of a network interface that has tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterfaceTags {
    /// Names the interface.
    pub id: NetworkInterfaceId,
    /// Its tags, one or more.
    pub tags: Tags,
}

/// What a network interface belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// An instance.
    Instance {
        /// Which one.
        id: InstanceId,
        /// When it was registered, in milliseconds since 1970-01-01 00:00 UTC.
        attached_at_millis: u64,
    },
    /// A load balancer.
    LoadBalancer {
        /// What stands after `loadbalancer/` in its ARN, such as `app/shop/50dc6c495c0c9188`.
        full_name: String,
    },
}

impl NetworkInterface {
    /// What EC2 shows as the description: for a load balancer `ELB` and its full name.
    #[must_use]
    pub fn description(&self) -> String {
        match &self.kind {
            InterfaceKind::Instance { .. } => String::new(),
            InterfaceKind::LoadBalancer { full_name } => format!("ELB {full_name}"),
        }
    }

    /// The identifier for what `owner` holds in `subnet_id`: always the same one for the same two.
    #[must_use]
    pub fn derived_id(owner: &str, subnet_id: &SubnetId) -> NetworkInterfaceId {
        // FNV-1a, 64 bits: the identifier has to be stable and spread, not secret.
        let bytes = owner.bytes().chain([0]).chain(subnet_id.as_str().bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        NetworkInterfaceId::from_bits(hash)
    }

    /// The hardware address that is shown of the interface with this identifier: made of it, and one of those that are
    /// administered locally, because elbow does not know the machine's own.
    ///
    /// Source: IEEE 802, "Universal or local administration": the bit 0x02 of the first byte; 0x01 is that of groups.
    #[must_use]
    pub fn mac_address(id: &NetworkInterfaceId) -> String {
        let digits = id.as_str().trim_start_matches(NetworkInterfaceId::PREFIX);
        let bits = u128::from_str_radix(digits, 16).expect("an identifier ends in digits");
        let [.., first, b, c, d, e, f] = bits.to_be_bytes();
        let first = (first & 0xfc) | 0x02;
        format!("{first:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_local_ones_of_single_interfaces() {
        for (id, address) in [
            ("eni-0123456789abcdef0", "56:78:9a:bc:de:f0"),
            ("eni-0ffffffffffffffff", "fe:ff:ff:ff:ff:ff"),
            ("eni-00000000000000000", "02:00:00:00:00:00"),
        ] {
            let id = id.parse().expect(id);
            assert_eq!(NetworkInterface::mac_address(&id), address, "{id}");
        }
    }
}

//! `LoadBalancer`, its zones and the subnets that choose them.

use control::elb::LoadBalancerDescription;
use control::elb::input::SubnetMapping;
use model::load_balancer::LoadBalancerZone;

use crate::input::{Fields, OneOf, TEXT};
use crate::xml::{self, Xml};

/// `SubnetMappings`.
pub(crate) fn read_subnet_mappings(fields: &Fields<'_>) -> Vec<SubnetMapping> {
    fields.structures("SubnetMappings", |mapping| SubnetMapping {
        subnet_id: mapping.optional("SubnetId", TEXT),
        allocation_id: mapping.optional("AllocationId", TEXT),
        private_ipv4_address: mapping.optional("PrivateIPv4Address", TEXT),
        ipv6_address: mapping.optional("IPv6Address", TEXT),
        source_nat_ipv6_prefix: mapping.optional("SourceNatIpv6Prefix", TEXT),
    })
}

/// A member that is `on` or `off`.
pub(crate) fn read_switch(fields: &Fields<'_>, name: &'static str) -> Option<String> {
    fields
        .optional(name, OneOf(&["on", "off"]))
        .map(str::to_owned)
}

pub(crate) fn print_all(xml: &mut Xml, descriptions: &[LoadBalancerDescription]) {
    xml.list("LoadBalancers", descriptions, print);
}

fn print(xml: &mut Xml, description: &LoadBalancerDescription) {
    let load_balancer = &description.load_balancer;
    xml.text("LoadBalancerArn", &load_balancer.arn);
    xml.text("DNSName", &load_balancer.dns_name);
    xml.text(
        "CanonicalHostedZoneId",
        description.canonical_hosted_zone_id,
    );
    xml.text(
        "CreatedTime",
        xml::timestamp(load_balancer.created_at_millis),
    );
    xml.text("LoadBalancerName", load_balancer.name());
    xml.text("Scheme", load_balancer.scheme);
    xml.text("VpcId", &load_balancer.vpc_id);
    xml.element("State", |xml| xml.text("Code", description.state));
    xml.text("Type", load_balancer.arn.kind);
    print_zones(xml, &load_balancer.zones);
    xml.texts("SecurityGroups", &load_balancer.security_groups);
    xml.text("IpAddressType", load_balancer.ip_address_type);
    // A matter of Network Load Balancers, and on AWS in the answers about all.
    xml.text("EnablePrefixForIpv6SourceNat", "off");
}

/// The addresses are those of a Network Load Balancer only; here the list is empty, as on AWS.
pub(crate) fn print_zones(xml: &mut Xml, zones: &[LoadBalancerZone]) {
    xml.list("AvailabilityZones", zones, |xml, zone| {
        xml.text("ZoneName", &zone.zone);
        xml.text("SubnetId", &zone.subnet_id);
        xml.texts("LoadBalancerAddresses", [""; 0]);
    });
}

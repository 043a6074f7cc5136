//! `CreateLoadBalancer`.

use control::Control;
use control::elb::ElbError;
use control::elb::create_load_balancer::CreateLoadBalancer;
use model::load_balancer::{LoadBalancerType, Scheme};
use model::protocol::IpAddressType;

use super::shapes::{load_balancer, tag};
use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> CreateLoadBalancer {
    CreateLoadBalancer {
        name: fields.required("Name", TEXT),
        subnets: fields.list("Subnets", TEXT),
        subnet_mappings: load_balancer::read_subnet_mappings(fields),
        security_groups: fields.list("SecurityGroups", TEXT),
        scheme: fields.optional("Scheme", OneOf(Scheme::ALL)),
        tags: tag::read(fields),
        load_balancer_type: fields.optional("Type", OneOf(LoadBalancerType::ALL)),
        ip_address_type: fields.optional("IpAddressType", OneOf(IpAddressType::ALL)),
        customer_owned_ipv4_pool: fields.optional("CustomerOwnedIpv4Pool", TEXT.at_most(256)),
        enable_prefix_for_ipv6_source_nat: load_balancer::read_switch(
            fields,
            "EnablePrefixForIpv6SourceNat",
        ),
        ipv4_ipam_pool_id: fields.structure("IpamPools", |pools| {
            pools
                .optional("Ipv4IpamPoolId", TEXT.at_most(1000))
                .unwrap_or_default()
        }),
    }
}

pub(super) async fn call(control: &Control, input: CreateLoadBalancer) -> Result<Xml, ElbError> {
    let description = control.create_load_balancer(input).await?;
    let mut xml = Xml::new(Lists::Member);
    load_balancer::print_all(&mut xml, &[description]);
    Ok(xml)
}

//! Elastic Compute Cloud, version 2016-11-15: the inventory.
//!
//! An operation is a function that reads its input, one that runs it and prints the answer, and one line
//! in [`OPERATIONS`].

mod absent;
mod cpu_credits;
mod elastic_addresses;
mod error;
mod input;
mod instance_attributes;
mod instance_states;
mod instance_types;
mod instances;
mod internet_gateways;
mod ipv6_blocks;
mod network_acls;
mod network_interface_changes;
mod network_interfaces;
mod networks;
mod permissions;
mod prefix_lists;
mod refused;
mod route_tables;
mod routes;
mod security_group_changes;
mod security_group_relations;
mod security_group_rules;
mod security_groups;
mod shapes;
mod subnets;
mod tags;
#[cfg(test)]
mod tests;
mod vpcs;

#[cfg(test)]
use crate::ApiError;
use crate::operation::{Operation, Operations};
#[cfg(test)]
use crate::query::Node;
use crate::service::Service;
use crate::xml::Xml;

macro_rules! operations {
    ($($name:literal => $read:path, $call:path;)+) => {
        const SERVED: &[Operation<Xml>] = &[$(Operation {
            name: $name,
            handler: |call| Box::pin(async move {
                let (run, request) = input::decode(call.input, $read)?;
                Ok($call(&call.control.ec2(run), request).await?)
            }),
            // A parameter that is not read is an error.
            #[cfg(test)]
            ignored: |_| Vec::new(),
        }),+];

        /// Reads the input of an operation that is served.
        #[cfg(test)]
        pub(crate) fn read(operation: &str, input: &Node) -> Result<(), ApiError> {
            match operation {
                $($name => input::decode(input, $read).map(|_| ()),)+
                other => panic!("{other} is not served"),
            }
        }
    };
}

operations! {
    "AllocateAddress" => elastic_addresses::read_allocate, elastic_addresses::allocate;
    "AssociateRouteTable" => route_tables::read_associate, route_tables::associate;
    "AssociateSubnetCidrBlock" => ipv6_blocks::read_associate_subnet, ipv6_blocks::associate_subnet;
    "AssociateVpcCidrBlock" => ipv6_blocks::read_associate_vpc, ipv6_blocks::associate_vpc;
    "AttachInternetGateway" => internet_gateways::read_attachment, internet_gateways::attach;
    "AuthorizeSecurityGroupEgress" => security_group_rules::read_authorize_egress, security_group_rules::authorize;
    "AuthorizeSecurityGroupIngress" => security_group_rules::read_authorize_ingress, security_group_rules::authorize;
    "CreateDefaultSubnet" => subnets::read_create_default, subnets::create_default;
    "CreateDefaultVpc" => vpcs::read_create_default, vpcs::create_default;
    "CreateInternetGateway" => internet_gateways::read_create, internet_gateways::create;
    "CreateManagedPrefixList" => prefix_lists::read_create, prefix_lists::create;
    "CreateRoute" => routes::read_create, routes::create;
    "CreateRouteTable" => route_tables::read_create, route_tables::create;
    "CreateSecurityGroup" => security_groups::read_create, security_groups::create;
    "CreateSubnet" => subnets::read_create, subnets::create;
    "CreateTags" => tags::read_create, tags::create;
    "CreateVpc" => vpcs::read_create, vpcs::create;
    "DeleteInternetGateway" => internet_gateways::read_delete, internet_gateways::delete;
    "DeleteManagedPrefixList" => prefix_lists::read_delete, prefix_lists::delete;
    "DeleteNetworkInterface" => network_interface_changes::read_delete, network_interface_changes::delete;
    "DeleteRoute" => routes::read_reference, routes::delete;
    "DeleteRouteTable" => route_tables::read_delete, route_tables::delete;
    "DeleteSecurityGroup" => security_groups::read_group, security_groups::delete;
    "DeleteSubnet" => subnets::read_delete, subnets::delete;
    "DeleteTags" => tags::read_delete, tags::delete;
    "DeleteVpc" => vpcs::read_delete, vpcs::delete;
    "DescribeAccountAttributes" => networks::read_account_attributes, networks::describe_account_attributes;
    "DescribeAddresses" => elastic_addresses::read_describe, elastic_addresses::describe;
    "DescribeAddressesAttribute" => elastic_addresses::read_attribute, elastic_addresses::describe_attribute;
    "DescribeAvailabilityZones" => networks::read_availability_zones, networks::describe_availability_zones;
    "DescribeDhcpOptions" => absent::dhcp_options, absent::describe;
    "DescribeEgressOnlyInternetGateways" => absent::egress_only_internet_gateways, absent::describe;
    "DescribeImages" => absent::images, absent::describe;
    "DescribeInstanceAttribute" => instance_attributes::read_describe, instance_attributes::describe;
    "DescribeInstanceCreditSpecifications" => cpu_credits::read, cpu_credits::describe;
    "DescribeInstanceStatus" => instances::read_status, instances::describe_status;
    "DescribeInstanceTypeOfferings" => instance_types::read_offerings, instance_types::describe_offerings;
    "DescribeInstanceTypes" => instance_types::read, instance_types::describe;
    "DescribeInstances" => instances::read_describe, instances::describe;
    "DescribeInternetGateways" => internet_gateways::read_describe, internet_gateways::describe;
    "DescribeKeyPairs" => absent::key_pairs, absent::describe;
    "DescribeManagedPrefixLists" => prefix_lists::read_describe, prefix_lists::describe;
    "DescribeNatGateways" => absent::nat_gateways, absent::describe;
    "DescribeNetworkAcls" => network_acls::read, network_acls::describe;
    "DescribeNetworkInterfaces" => network_interfaces::read, network_interfaces::describe;
    "DescribePrefixLists" => absent::prefix_lists, absent::describe;
    "DescribeRegions" => networks::read_regions, networks::describe_regions;
    "DescribeRouteTables" => route_tables::read_describe, route_tables::describe;
    "DescribeSecurityGroupReferences" => security_group_relations::read_references, security_group_relations::references;
    "DescribeSecurityGroupRules" => security_group_rules::read_describe, security_group_rules::describe;
    "DescribeSecurityGroups" => security_groups::read_describe, security_groups::describe;
    "DescribeSnapshots" => absent::snapshots, absent::describe;
    "DescribeStaleSecurityGroups" => security_group_relations::read_stale, security_group_relations::stale;
    "DescribeSubnets" => subnets::read_describe, subnets::describe;
    "DescribeTags" => tags::read_describe, tags::describe;
    "DescribeVolumes" => absent::volumes, absent::describe;
    "DescribeVpcAttribute" => vpcs::read_describe_attribute, vpcs::describe_attribute;
    "DescribeVpcEndpoints" => absent::vpc_endpoints, absent::describe;
    "DescribeVpcPeeringConnections" => absent::vpc_peering_connections, absent::describe;
    "DescribeVpcs" => networks::read_vpcs, networks::describe_vpcs;
    "DescribeVpnGateways" => absent::vpn_gateways, absent::describe;
    "DetachInternetGateway" => internet_gateways::read_attachment, internet_gateways::detach;
    "DetachNetworkInterface" => network_interface_changes::read_detach, network_interface_changes::detach;
    "DisassociateRouteTable" => route_tables::read_disassociate, route_tables::disassociate;
    "DisassociateSubnetCidrBlock" => ipv6_blocks::read_association, ipv6_blocks::disassociate_subnet;
    "DisassociateVpcCidrBlock" => ipv6_blocks::read_association, ipv6_blocks::disassociate_vpc;
    "GetManagedPrefixListAssociations" => prefix_lists::read_associations, prefix_lists::associations;
    "GetManagedPrefixListEntries" => prefix_lists::read_entries, prefix_lists::entries;
    "GetSecurityGroupsForVpc" => security_group_relations::read_for_vpc, security_group_relations::for_vpc;
    "ModifyInstanceAttribute" => instance_attributes::read_modify, instance_attributes::modify;
    "ModifyManagedPrefixList" => prefix_lists::read_modify, prefix_lists::modify;
    "ModifyNetworkInterfaceAttribute" => network_interface_changes::read_modify, network_interface_changes::modify;
    "ModifySecurityGroupRules" => security_group_changes::read_modify, security_group_changes::modify;
    "ModifySubnetAttribute" => subnets::read_modify, subnets::modify;
    "ModifyVpcAttribute" => vpcs::read_modify_attribute, vpcs::modify_attribute;
    "ReleaseAddress" => elastic_addresses::read_release, elastic_addresses::release;
    "ReplaceRoute" => routes::read_replace, routes::replace;
    "ReplaceRouteTableAssociation" => route_tables::read_replace_association, route_tables::replace_association;
    "RevokeSecurityGroupEgress" => security_group_rules::read_revoke_egress, security_group_rules::revoke;
    "RevokeSecurityGroupIngress" => security_group_rules::read_revoke_ingress, security_group_rules::revoke;
    "RunInstances" => instances::read_run, instances::run;
    "StartInstances" => instance_states::read_start, instance_states::start;
    "StopInstances" => instance_states::read_stop, instance_states::stop;
    "TerminateInstances" => instance_states::read_terminate, instance_states::terminate;
    "UpdateSecurityGroupRuleDescriptionsEgress" => security_group_changes::read_update_egress, security_group_changes::update;
    "UpdateSecurityGroupRuleDescriptionsIngress" => security_group_changes::read_update_ingress, security_group_changes::update;
}

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::Ec2,
    served: SERVED,
    reads: &[
        "DescribeAccountAttributes",
        "DescribeAddresses",
        "DescribeAddressesAttribute",
        "DescribeAvailabilityZones",
        "DescribeDhcpOptions",
        "DescribeEgressOnlyInternetGateways",
        "DescribeImages",
        "DescribeInstanceAttribute",
        "DescribeInstanceCreditSpecifications",
        "DescribeInstanceStatus",
        "DescribeInstanceTypeOfferings",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeInternetGateways",
        "DescribeKeyPairs",
        "DescribeManagedPrefixLists",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribePrefixLists",
        "DescribeRegions",
        "DescribeRouteTables",
        "DescribeSecurityGroupReferences",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeStaleSecurityGroups",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVolumes",
        "DescribeVpcAttribute",
        "DescribeVpcEndpoints",
        "DescribeVpcPeeringConnections",
        "DescribeVpcs",
        "DescribeVpnGateways",
        "GetManagedPrefixListAssociations",
        "GetManagedPrefixListEntries",
        "GetSecurityGroupsForVpc",
    ],
    refused: refused::REFUSED,
};

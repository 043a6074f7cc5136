//! Elastic Compute Cloud, version 2016-11-15: the inventory.
//!
//! An operation is a function that reads its input, one that runs it and prints the answer, and one line
//! in [`OPERATIONS`].

mod error;
mod input;
mod instances;
mod ipv6_blocks;
mod network_interfaces;
mod networks;
mod permissions;
mod refused;
mod security_group_rules;
mod security_groups;
mod shapes;
mod subnets;
mod tags;
#[cfg(test)]
mod tests;

use crate::operation::{Operation, Operations};
use crate::service::Service;
use crate::xml::Xml;

macro_rules! operations {
    ($($name:literal => $read:path, $call:path;)+) => {
        &[$(Operation {
            name: $name,
            handler: |control, input| Box::pin(async move {
                let (run, request) = input::decode(input, $read)?;
                Ok($call(&control.ec2(run), request).await?)
            }),
            // A parameter that is not read is an error.
            #[cfg(test)]
            ignored: |_| Vec::new(),
        }),+]
    };
}

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::Ec2,
    served: operations! {
        "AssociateSubnetCidrBlock" => ipv6_blocks::read_associate_subnet, ipv6_blocks::associate_subnet;
        "AssociateVpcCidrBlock" => ipv6_blocks::read_associate_vpc, ipv6_blocks::associate_vpc;
        "AuthorizeSecurityGroupEgress" => security_group_rules::read_authorize_egress, security_group_rules::authorize;
        "AuthorizeSecurityGroupIngress" => security_group_rules::read_authorize_ingress, security_group_rules::authorize;
        "CreateSecurityGroup" => security_groups::read_create, security_groups::create;
        "CreateSubnet" => subnets::read_create, subnets::create;
        "CreateTags" => tags::read_create, tags::create;
        "DeleteSecurityGroup" => security_groups::read_group, security_groups::delete;
        "DeleteSubnet" => subnets::read_delete, subnets::delete;
        "DeleteTags" => tags::read_delete, tags::delete;
        "DescribeAccountAttributes" => networks::read_account_attributes, networks::describe_account_attributes;
        "DescribeAvailabilityZones" => networks::read_availability_zones, networks::describe_availability_zones;
        "DescribeInstanceStatus" => instances::read_status, instances::describe_status;
        "DescribeInstances" => instances::read_describe, instances::describe;
        "DescribeInternetGateways" => networks::read_internet_gateways, networks::describe_internet_gateways;
        "DescribeNetworkInterfaces" => network_interfaces::read, network_interfaces::describe;
        "DescribeRegions" => networks::read_regions, networks::describe_regions;
        "DescribeSecurityGroupRules" => security_group_rules::read_describe, security_group_rules::describe;
        "DescribeSecurityGroups" => security_groups::read_describe, security_groups::describe;
        "DescribeSubnets" => subnets::read_describe, subnets::describe;
        "DescribeTags" => tags::read_describe, tags::describe;
        "DescribeVpcs" => networks::read_vpcs, networks::describe_vpcs;
        "DisassociateSubnetCidrBlock" => ipv6_blocks::read_association, ipv6_blocks::disassociate_subnet;
        "DisassociateVpcCidrBlock" => ipv6_blocks::read_association, ipv6_blocks::disassociate_vpc;
        "RevokeSecurityGroupEgress" => security_group_rules::read_revoke_egress, security_group_rules::revoke;
        "RevokeSecurityGroupIngress" => security_group_rules::read_revoke_ingress, security_group_rules::revoke;
        "RunInstances" => instances::read_run, instances::run;
        "TerminateInstances" => instances::read_terminate, instances::terminate;
    },
    refused: refused::REFUSED,
};

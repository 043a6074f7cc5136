//! Every limit of the inventory, set to what the first start makes: that stays, and nothing is added to it.

use std::sync::Arc;

use control::ec2::elastic_addresses::AllocateAddress;
use control::ec2::internet_gateways::DescribeInternetGateways;
use control::ec2::ipv6_blocks::{AssociateVpcCidrBlock, NewIpv6Block};
use control::ec2::prefix_lists::CreateManagedPrefixList;
use control::ec2::route_tables::{CreateRouteTable, DescribeRouteTables};
use control::ec2::routes::{PutRoute, RouteReference};
use control::ec2::security_group_rules::{AuthorizeSecurityGroup, IpPermission, IpRange};
use control::ec2::security_groups::{CreateSecurityGroup, GroupReference};
use control::ec2::subnets::CreateSubnet;
use control::ec2::vpcs::CreateVpc;
use control::{Ec2Limits, Limits, Settings};
use model::ec2::Direction;
use store::Memory;

use crate::support::{Fixture, at, open, refused};

async fn full() -> Fixture {
    let ec2 = Ec2Limits {
        vpcs: 1,
        subnets_per_vpc: 2,
        ipv6_blocks_per_vpc: 0,
        internet_gateways: 1,
        route_tables_per_vpc: 1,
        routes_per_route_table: 1,
        elastic_addresses: 0,
        prefix_lists: 0,
        entries_per_prefix_list: 6,
        security_groups: 1,
        rules_per_security_group: 2,
        security_groups_per_network_interface: 0,
    };
    let settings = Settings {
        limits: Limits {
            ec2,
            ..Limits::default()
        },
        ..Settings::default()
    };
    open(Arc::new(Memory::new()), settings).await.unwrap()
}

#[tokio::test]
async fn networks() {
    let fixture = full().await;
    let ec2 = fixture.ec2();
    let vpc_id = fixture.subnets()[0].vpc_id.to_string();
    let vpc = CreateVpc {
        cidr_block: Some("10.9.0.0/16".to_owned()),
        ..Default::default()
    };
    refused(
        ec2.create_vpc(vpc).await,
        "number of VPCs has been reached: 1",
    );
    let subnet = CreateSubnet {
        vpc_id: Some(vpc_id.clone()),
        cidr_block: Some("127.65.9.0/24".to_owned()),
        ..Default::default()
    };
    refused(
        ec2.create_subnet(subnet).await,
        "number of subnets has been reached: 2",
    );
    let block = AssociateVpcCidrBlock {
        vpc_id: Some(vpc_id),
        block: NewIpv6Block {
            cidr_block: None,
            is_provided: true,
        },
    };
    refused(
        ec2.associate_vpc_cidr_block(block).await,
        "IPv6 CIDR blocks for the VPC has been reached: 0",
    );
    refused(
        ec2.allocate_address(AllocateAddress::default()).await,
        "number of addresses has been reached: 0",
    );
}

#[tokio::test]
async fn routes() {
    let fixture = full().await;
    let ec2 = fixture.ec2();
    refused(
        ec2.create_internet_gateway(vec![]).await,
        "number of internet gateways has been reached: 1",
    );
    let table = CreateRouteTable {
        vpc_id: fixture.subnets()[0].vpc_id.to_string(),
        ..Default::default()
    };
    refused(
        ec2.create_route_table(table).await,
        "number of route tables has been reached: 1",
    );
    let gateways = DescribeInternetGateways::default();
    let gateways = ec2.describe_internet_gateways(&gateways).unwrap().items;
    let tables = DescribeRouteTables::default();
    let tables = ec2.describe_route_tables(&tables).unwrap().items;
    let route = PutRoute {
        route: RouteReference {
            route_table_id: tables[0].table.id.to_string(),
            ipv4_block: Some("198.51.100.0/24".to_owned()),
            ..Default::default()
        },
        gateway_id: Some(gateways[0].id.to_string()),
    };
    refused(
        ec2.create_route(route).await,
        "number of routes has been reached: 1",
    );
}

#[tokio::test]
async fn prefix_lists() {
    let fixture = full().await;
    let list = |entries_max| CreateManagedPrefixList {
        name: "offices".to_owned(),
        family: "IPv4".to_owned(),
        entries_max: Some(entries_max),
        ..Default::default()
    };
    for (entries_max, part) in [
        (7, "It is from 1 to 6."),
        (6, "number of prefix lists has been reached: 0"),
    ] {
        let ec2 = fixture.ec2();
        let outcome = ec2.create_managed_prefix_list(list(entries_max)).await;
        refused(outcome, part);
    }
}

#[tokio::test]
async fn security_groups() {
    let fixture = full().await;
    let ec2 = fixture.ec2();
    let group = CreateSecurityGroup {
        group_name: Some("web".to_owned()),
        description: Some("for the web".to_owned()),
        ..Default::default()
    };
    refused(
        ec2.create_security_group(group).await,
        "number of security groups has been reached: 1",
    );
    let rule = AuthorizeSecurityGroup {
        group: GroupReference {
            group_name: Some("default".to_owned()),
            ..Default::default()
        },
        direction: Direction::Ingress,
        permissions: vec![IpPermission {
            protocol: Some("-1".to_owned()),
            ipv4_ranges: vec![IpRange {
                cidr: "10.0.0.0/8".to_owned(),
                description: None,
            }],
            ..Default::default()
        }],
        tag_specifications: vec![],
    };
    refused(
        ec2.authorize_security_group(rule).await,
        "rules per security group has been reached: 2 in each direction",
    );
    refused(
        ec2.run_instances(at("127.65.1.77")).await,
        "security groups per instance has been reached: 0",
    );
}

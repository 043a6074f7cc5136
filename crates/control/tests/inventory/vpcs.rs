//! Several VPCs, their gateways, and what a store of an earlier elbow becomes.

use std::sync::Arc;

use control::Settings;
use control::ec2::internet_gateways::{DescribeInternetGateways, InternetGatewayAttachment};
use control::ec2::route_tables::DescribeRouteTables;
use control::ec2::run_instances::RunInstances;
use control::ec2::subnets::CreateSubnet;
use control::ec2::vpcs::CreateVpc;
use control::elb::create_load_balancer::CreateLoadBalancer;
use store::{Memory, Store, Transaction};

use crate::support::{Fixture, fixture, open, refused};

/// A VPC with a subnet in each zone; their ids.
async fn second_vpc(fixture: &Fixture) -> (String, Vec<String>) {
    let request = CreateVpc {
        cidr_block: Some("10.9.0.0/16".to_owned()),
        ..Default::default()
    };
    let vpc = fixture.ec2().create_vpc(request).await.unwrap();
    let vpc_id = vpc.id.to_string();
    let mut subnets = Vec::new();
    for (zone, block) in [("us-east-1a", "10.9.1.0/24"), ("us-east-1b", "10.9.2.0/24")] {
        let request = CreateSubnet {
            vpc_id: Some(vpc_id.clone()),
            cidr_block: Some(block.to_owned()),
            availability_zone: Some(zone.to_owned()),
            ..Default::default()
        };
        let subnet = fixture.ec2().create_subnet(request).await.unwrap();
        subnets.push(subnet.subnet.id.to_string());
    }
    (vpc_id, subnets)
}

#[tokio::test]
async fn a_load_balancer_that_faces_the_internet_needs_a_gateway_in_its_vpc() {
    let fixture = fixture().await;
    let (vpc_id, subnets) = second_vpc(&fixture).await;
    let request = || CreateLoadBalancer {
        name: "shop".to_owned(),
        subnets: subnets.clone(),
        ..Default::default()
    };
    let error = fixture.control.create_load_balancer(request()).await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, format!("VPC {vpc_id} has no internet gateway"));

    let ec2 = fixture.ec2();
    let gateway = ec2.create_internet_gateway(vec![]).await.unwrap();
    let attachment = || InternetGatewayAttachment {
        internet_gateway_id: gateway.id.to_string(),
        vpc_id: vpc_id.clone(),
    };
    ec2.attach_internet_gateway(attachment()).await.unwrap();
    let made = fixture
        .control
        .create_load_balancer(request())
        .await
        .unwrap();
    assert_eq!(made.load_balancer.vpc_id.to_string(), vpc_id);
    refused(
        ec2.detach_internet_gateway(attachment()).await,
        "some mapped public address(es)",
    );
}

#[tokio::test]
async fn an_instance_cannot_carry_a_group_of_another_vpc() {
    let fixture = fixture().await;
    let (_, subnets) = second_vpc(&fixture).await;
    let group = fixture.create_group("web").await.id.clone();
    let request = RunInstances {
        min_count: Some(1),
        max_count: Some(1),
        subnet_id: Some(subnets[0].clone()),
        security_group_ids: vec![group.to_string()],
        ..Default::default()
    };
    refused(
        fixture.ec2().run_instances(request).await,
        &format!(
            "Security group {group} and subnet {} belong to different networks.",
            subnets[0]
        ),
    );
}

#[tokio::test]
async fn vpcs_may_overlap_but_subnets_may_not() {
    let fixture = fixture().await;
    let (first, _) = second_vpc(&fixture).await;
    let request = CreateVpc {
        cidr_block: Some("10.9.0.0/16".to_owned()),
        ..Default::default()
    };
    let second = fixture.ec2().create_vpc(request).await.unwrap();
    let overlapping = CreateSubnet {
        vpc_id: Some(second.id.to_string()),
        cidr_block: Some("10.9.1.128/25".to_owned()),
        ..Default::default()
    };
    refused(
        fixture.ec2().create_subnet(overlapping).await,
        &format!("in {first}; all VPCs share the network of this machine"),
    );
}

#[tokio::test]
async fn a_subnet_that_goes_lets_go_of_its_route_table() {
    let fixture = fixture().await;
    let (_, subnets) = second_vpc(&fixture).await;
    let tables = || {
        let all = DescribeRouteTables::default();
        let page = fixture.ec2().describe_route_tables(&all).unwrap();
        page.items
    };
    let of_vpc = tables()
        .into_iter()
        .find(|it| it.routes.len() == 1)
        .unwrap();
    let request = control::ec2::route_table_associations::AssociateRouteTable {
        route_table_id: of_vpc.table.id.to_string(),
        subnet_id: subnets[0].clone(),
    };
    fixture.ec2().associate_route_table(request).await.unwrap();
    let count = || {
        let associations = tables().into_iter().map(|it| it.table.associations.len());
        associations.sum::<usize>()
    };
    assert_eq!(count(), 3, "two main tables, and the subnet");
    fixture
        .ec2()
        .delete_subnet(subnets[0].clone())
        .await
        .unwrap();
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn the_gateway_that_a_vpc_of_version_1_holds_gets_a_record_of_its_own() {
    let store = Arc::new(Memory::new());
    let vpc = r#"{"version":1,"record":{
        "id":"vpc-00000000000000001",
        "cidr":"127.65.0.0/16",
        "is_default":true,
        "internet_gateway":{"id":"igw-00000000000000002","tags":{"Name":"out"}},
        "tags":{}}}"#;
    let write = Transaction::new().put("ec2/vpc/vpc-00000000000000001", vpc.as_bytes());
    store.transact(write).unwrap();
    let fixture = open(store, Settings::default()).await.unwrap();
    let all = DescribeInternetGateways::default();
    let gateways = fixture.ec2().describe_internet_gateways(&all).unwrap();
    let [gateway] = &gateways.items[..] else {
        panic!("one gateway")
    };
    assert_eq!(gateway.id.as_str(), "igw-00000000000000002");
    assert_eq!(gateway.tags["Name"], "out");
    assert_eq!(
        gateway.vpc_id.as_ref().map(|id| id.as_str()),
        Some("vpc-00000000000000001")
    );
    let tables = DescribeRouteTables::default();
    let tables = fixture.ec2().describe_route_tables(&tables).unwrap().items;
    assert_eq!(tables.len(), 1);
    let routes = tables[0]
        .routes
        .iter()
        .map(|route| (route.destination.to_string(), route.gateway()));
    assert_eq!(
        routes.collect::<Vec<_>>(),
        [
            ("127.65.0.0/16".to_owned(), "local"),
            ("0.0.0.0/0".to_owned(), "igw-00000000000000002")
        ]
    );

    let before = fixture.store.range("", None).unwrap();
    let again = open(fixture.store, Settings::default()).await.unwrap();
    assert_eq!(again.store.range("", None).unwrap(), before);
}

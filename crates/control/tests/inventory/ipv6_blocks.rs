//! The IPv6 blocks of VPCs and subnets, and the addresses of instances in them.

use std::sync::Arc;

use control::ec2::describe_instances::DescribeInstances;
use control::ec2::ipv6_blocks::{AssociateSubnetCidrBlock, AssociateVpcCidrBlock, NewIpv6Block};
use control::ec2::networks::DescribeVpcs;
use control::ec2::run_instances::RunInstances;
use control::ec2::security_group_rules::RevokeSecurityGroup;
use control::ec2::security_groups::GroupReference;
use control::ec2::subnets::{CreateSubnet, DescribeSubnets};
use control::ec2::vpcs::CreateVpc;
use control::{Ec2Limits, Settings};
use model::ec2::{Direction, Peer, SecurityGroup};

use crate::support::{Fixture, at, filter, fixture, open, refused};

const PROVIDED: NewIpv6Block = NewIpv6Block {
    cidr_block: None,
    is_provided: true,
};

fn chosen(cidr: &str) -> NewIpv6Block {
    NewIpv6Block {
        cidr_block: Some(cidr.to_owned()),
        is_provided: false,
    }
}

impl Fixture {
    fn vpc_id(&self) -> String {
        self.subnets()[0].vpc_id.to_string()
    }

    fn vpc_block(&self, cidr: &str) -> AssociateVpcCidrBlock {
        AssociateVpcCidrBlock {
            vpc_id: Some(self.vpc_id()),
            block: chosen(cidr),
        }
    }

    fn subnet_block(&self, index: usize, cidr: &str) -> AssociateSubnetCidrBlock {
        AssociateSubnetCidrBlock {
            subnet_id: Some(self.subnets()[index].id.to_string()),
            ipv6_cidr_block: Some(cidr.to_owned()),
        }
    }

    /// A VPC with fd65::/56, whose first subnet has the /64 number 1; their associations.
    async fn with_ipv6(&self) -> (String, String) {
        let ec2 = self.ec2();
        let vpc = self.vpc_block("fd65::/56");
        let (_, vpc) = ec2.associate_vpc_cidr_block(vpc).await.unwrap();
        let subnet = self.subnet_block(0, "fd65:0:0:1::/64");
        let (_, subnet) = ec2.associate_subnet_cidr_block(subnet).await.unwrap();
        (vpc.id.to_string(), subnet.id.to_string())
    }
}

/// The blocks of rules in one direction.
fn blocks(group: &SecurityGroup, direction: Direction) -> Vec<String> {
    let rules = group.rules.iter();
    let rules = rules.filter(|rule| rule.direction == direction);
    let block = |peer: &Peer| match peer {
        Peer::Block(block) => Some(block.to_string()),
        Peer::Members(_) | Peer::PrefixList(_) => None,
    };
    rules.filter_map(|rule| block(&rule.peer)).collect()
}

#[tokio::test]
async fn a_block_is_given_and_taken() {
    let fixture = fixture().await;
    let (vpc_block, subnet_block) = fixture.with_ipv6().await;
    let ec2 = fixture.ec2();
    let in_use = ec2.disassociate_vpc_cidr_block(vpc_block.clone()).await;
    let vpc_id = fixture.vpc_id();
    let part = format!("The vpc {vpc_id} currently has a subnet within CIDR block fd65::/56");
    refused(in_use, &part);
    ec2.disassociate_subnet_cidr_block(subnet_block.clone())
        .await
        .unwrap();
    assert_eq!(fixture.subnets()[0].ipv6_block, None);
    refused(
        ec2.disassociate_subnet_cidr_block(subnet_block).await,
        "The subnet CIDR block with association ID",
    );
    ec2.disassociate_vpc_cidr_block(vpc_block.clone())
        .await
        .unwrap();
    refused(
        ec2.disassociate_vpc_cidr_block(vpc_block).await,
        "The vpc CIDR block association ID",
    );
}

#[tokio::test]
async fn a_provided_block_is_of_unique_local_addresses() {
    let fixture = fixture().await;
    let request = AssociateVpcCidrBlock {
        vpc_id: Some(fixture.vpc_id()),
        block: PROVIDED,
    };
    let (vpc, block) = fixture
        .ec2()
        .associate_vpc_cidr_block(request)
        .await
        .unwrap();
    assert_eq!(vpc.ipv6_blocks.first(), Some(&block));
    assert!(block.is_provided);
    assert_eq!(block.cidr.prefix_length(), 56);
    assert!(block.cidr.to_string().starts_with("fd"), "{}", block.cidr);
}

#[tokio::test]
async fn a_vpc_can_have_a_block_from_its_creation_on() {
    let fixture = fixture().await;
    let request = |ipv6_block| CreateVpc {
        cidr_block: Some("10.9.0.0/16".to_owned()),
        ipv6_block,
        ..Default::default()
    };
    let create = async |block| fixture.ec2().create_vpc(request(block)).await;
    let provided = create(PROVIDED).await.unwrap();
    assert!(provided.ipv6_blocks[0].is_provided);
    let chosen_one = create(chosen("fd65::/56")).await.unwrap();
    assert_eq!(chosen_one.ipv6_blocks[0].cidr.to_string(), "fd65::/56");
    refused(create(chosen("fd65::/56")).await, "overlaps no other");
    let vpcs = fixture.control.read(|state| state.ec2.vpcs.len());
    assert_eq!(vpcs, 3, "what was refused made no VPC");
}

#[tokio::test]
async fn blocks_that_a_vpc_cannot_have_are_refused() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    fixture.with_ipv6().await;
    for (cidr, part) in [
        ("fd65::/56", "overlaps no other"),
        ("fd65::/48", "overlaps no other"),
        ("fd66::/64", "/44 to /60"),
        ("fd66::/50", "steps of 4"),
        ("fe80::/56", "unique local or global unicast"),
        ("::/56", "unique local or global unicast"),
        ("10.0.0.0/16", "not a valid IPv6 CIDR block"),
        ("x", "not a valid IPv6 CIDR block"),
    ] {
        let outcome = ec2.associate_vpc_cidr_block(fixture.vpc_block(cidr)).await;
        refused(outcome, part);
    }
    for block in [
        NewIpv6Block {
            is_provided: true,
            ..chosen("fd66::/56")
        },
        NewIpv6Block::default(),
    ] {
        let request = AssociateVpcCidrBlock {
            block,
            ..fixture.vpc_block("")
        };
        let outcome = ec2.associate_vpc_cidr_block(request).await;
        refused(outcome, "Exactly one of");
    }
    for number in 1..Ec2Limits::default().ipv6_blocks_per_vpc {
        let request = fixture.vpc_block(&format!("2001:db8:{number}::/56"));
        ec2.associate_vpc_cidr_block(request).await.unwrap();
    }
    let one_more = fixture.vpc_block("2001:db8:ffff::/56");
    refused(
        ec2.associate_vpc_cidr_block(one_more).await,
        "The maximum number of IPv6 CIDR blocks",
    );
}

#[tokio::test]
async fn blocks_that_a_subnet_cannot_have_are_refused() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    fixture.with_ipv6().await;
    for (index, cidr, part) in [
        (0, "fd65:0:0:2::/64", "already has the IPv6 CIDR block"),
        (1, "fd65:0:0:1::/64", "conflicts with another subnet"),
        (1, "fd66:0:0:1::/64", "inside an IPv6 CIDR block of the VPC"),
        (1, "fd65:0:0:2::/66", "/44 to /64"),
        (1, "127.65.9.0/24", "not a valid IPv6 CIDR block"),
    ] {
        let request = fixture.subnet_block(index, cidr);
        refused(ec2.associate_subnet_cidr_block(request).await, part);
    }
    let create = |cidr: &str| CreateSubnet {
        vpc_id: Some(fixture.vpc_id()),
        cidr_block: Some("127.65.9.0/24".to_owned()),
        ipv6_cidr_block: Some(cidr.to_owned()),
        ..Default::default()
    };
    let taken = create("fd65:0:0:1::/64");
    refused(ec2.create_subnet(taken).await, "conflicts with another");
    let made = ec2.create_subnet(create("fd65:0:0:9::7/64")).await.unwrap();
    let block = made.subnet.ipv6_block.clone().unwrap();
    assert_eq!(
        block.cidr.to_string(),
        "fd65:0:0:9::/64",
        "host bits are cleared"
    );
}

#[tokio::test]
async fn blocks_can_be_filtered_by() {
    let fixture = fixture().await;
    let (vpc_block, subnet_block) = fixture.with_ipv6().await;
    let ec2 = fixture.ec2();
    let vpcs = |name: &str, value: &str| {
        let request = DescribeVpcs {
            filters: vec![filter(name, value)],
            ..Default::default()
        };
        ec2.describe_vpcs(&request).unwrap().items.len()
    };
    let subnets = |name: &str, value: &str| {
        let request = DescribeSubnets {
            filters: vec![filter(name, value)],
            ..Default::default()
        };
        ec2.describe_subnets(&request).unwrap().items.len()
    };
    for (name, value, other) in [
        ("association-id", &*vpc_block, "vpc-cidr-assoc-1"),
        ("ipv6-cidr-block", "fd65::/56", "fd66::/56"),
        ("state", "associated", "associating"),
    ] {
        let name = format!("ipv6-cidr-block-association.{name}");
        assert_eq!((vpcs(&name, value), vpcs(&name, other)), (1, 0), "{name}");
    }
    let pool = "ipv6-cidr-block-association.ipv6-pool";
    assert_eq!(vpcs(pool, "Amazon"), 0, "the block was chosen");
    for (name, value, other) in [
        ("association-id", &*subnet_block, "subnet-cidr-assoc-1"),
        ("ipv6-cidr-block", "fd65:0:0:1::/64", "fd65::/64"),
        ("state", "associated", "associating"),
    ] {
        let name = format!("ipv6-cidr-block-association.{name}");
        let found = (subnets(&name, value), subnets(&name, other));
        assert_eq!(found, (1, 0), "{name}");
    }
}

#[tokio::test]
async fn blocks_of_the_configuration_are_taken_after_they_have_left_it() {
    let mut settings = Settings::default();
    settings.topology.vpc_ipv6 = Some("fd65::/56".parse().unwrap());
    settings.topology.zones[0].subnet_ipv6 = Some("fd65:0:0:1::/64".parse().unwrap());
    let store = Arc::default();
    let configured = open(Arc::clone(&store), settings.clone()).await.unwrap();
    let ec2 = configured.ec2();
    let associations = |fixture: &Fixture| {
        let vpcs = fixture.ec2().describe_vpcs(&DescribeVpcs::default());
        let vpc = vpcs.unwrap().items[0].ipv6_blocks[0].id.to_string();
        let subnet = fixture.subnets()[0].ipv6_block.clone().unwrap();
        (vpc, subnet.id.to_string())
    };
    let (vpc, subnet) = associations(&configured);
    refused(
        ec2.disassociate_subnet_cidr_block(subnet.clone()).await,
        "The CIDR block 'fd65:0:0:1::/64' belongs to the configuration",
    );
    refused(
        ec2.disassociate_vpc_cidr_block(vpc.clone()).await,
        "The CIDR block 'fd65::/56' belongs to the configuration",
    );
    let again = open(Arc::clone(&store), settings).await.unwrap();
    assert_eq!(associations(&again), (vpc.clone(), subnet.clone()));

    let without = open(store, Settings::default()).await.unwrap();
    let ec2 = without.ec2();
    ec2.disassociate_subnet_cidr_block(subnet).await.unwrap();
    ec2.disassociate_vpc_cidr_block(vpc).await.unwrap();
}

#[tokio::test]
async fn the_default_group_admits_the_block_as_it_admits_that_of_ipv4() {
    let fixture = fixture().await;
    let (_, subnet_block) = fixture.with_ipv6().await;
    let group = fixture.group("default");
    assert_eq!(blocks(&group, Direction::Egress), ["0.0.0.0/0", "::/0"]);
    assert_eq!(
        blocks(&group, Direction::Ingress),
        ["127.0.0.0/8", "::1/128", "fd65::/56"]
    );
    let made = fixture.create_group("later").await;
    assert_eq!(blocks(&made, Direction::Egress), ["0.0.0.0/0", "::/0"]);
    assert_eq!(blocks(&made, Direction::Ingress), [""; 0]);

    let ec2 = fixture.ec2();
    ec2.disassociate_subnet_cidr_block(subnet_block)
        .await
        .unwrap();
    let [vpc] = &ec2.describe_vpcs(&DescribeVpcs::default()).unwrap().items[..] else {
        panic!("there is one VPC");
    };
    let block = vpc.ipv6_blocks[0].id.to_string();
    ec2.disassociate_vpc_cidr_block(block).await.unwrap();
    let group = fixture.group("default");
    assert_eq!(
        blocks(&group, Direction::Ingress),
        ["127.0.0.0/8", "::1/128"]
    );
}

#[tokio::test]
async fn what_was_revoked_for_ipv4_is_not_granted_for_ipv6() {
    let fixture = fixture().await;
    let group = fixture.group("default");
    let request = |direction: Direction| RevokeSecurityGroup {
        group: GroupReference {
            group_id: Some(group.id.to_string()),
            group_name: None,
        },
        direction,
        permissions: Vec::new(),
        rule_ids: group
            .rules
            .iter()
            .filter(|rule| rule.direction == direction)
            .map(|rule| rule.id.to_string())
            .collect(),
    };
    let ec2 = fixture.ec2();
    for direction in [Direction::Ingress, Direction::Egress] {
        ec2.revoke_security_group(request(direction)).await.unwrap();
    }
    fixture.with_ipv6().await;
    assert_eq!(fixture.group("default").rules, []);
}

#[tokio::test]
async fn an_instance_has_an_address_of_the_block() {
    let fixture = fixture().await;
    let (_, subnet_block) = fixture.with_ipv6().await;
    let ec2 = fixture.ec2();
    let with = |address: &str, ipv6: &[&str]| RunInstances {
        ipv6_addresses: ipv6.iter().map(|text| (*text).to_owned()).collect(),
        has_primary_ipv6: true,
        ..at(address)
    };
    for (request, part) in [
        (with("127.65.1.77", &[]), "EnablePrimaryIpv6"),
        (
            with("127.65.1.77", &["fd65:0:0:1::7", "fd65:0:0:1::8"]),
            "elbow keeps one IPv6 address",
        ),
        (with("127.65.1.77", &["127.65.1.78"]), "ipv6Addresses"),
        (
            with("127.65.1.77", &["fd65:0:0:1::3"]),
            "Address fd65:0:0:1::3 is in subnet's reserved address range",
        ),
        (
            with("127.65.1.77", &["fd65:0:0:2::7"]),
            "Address fd65:0:0:2::7 does not fall within the subnet's address range: fd65:0:0:1::/64",
        ),
        (
            with("127.65.2.77", &["fd65:0:0:1::7"]),
            "the subnet has no IPv6 block",
        ),
    ] {
        refused(ec2.run_instances(request).await, part);
    }
    let request = || RunInstances {
        client_token: Some("once".to_owned()),
        ..with("127.65.1.77", &["fd65:0:0:1::77"])
    };
    let made = fixture.launch(request()).await;
    let again = fixture.launch(request()).await;
    assert_eq!(again.instance.id, made.instance.id);
    refused(
        ec2.run_instances(RunInstances {
            has_primary_ipv6: false,
            ..request()
        })
        .await,
        "other parameters",
    );
    refused(
        ec2.run_instances(with("127.65.1.78", &["fd65:0:0:1::77"]))
            .await,
        "Address fd65:0:0:1::77 is in use.",
    );
    let found = |name: &str, value: &str| {
        let request = DescribeInstances {
            filters: vec![filter(name, value)],
            ..Default::default()
        };
        ec2.describe_instances(&request).unwrap().items.len()
    };
    for (name, value) in [
        ("ipv6-address", "fd65:0:0:1::77"),
        ("network-interface.ipv6-address", "fd65:0:0:1::77"),
        (
            "network-interface.ipv6-addresses.ipv6-address",
            "fd65:0:0:1::77",
        ),
        ("network-interface.ipv6-addresses.is-primary-ipv6", "true"),
    ] {
        assert_eq!((found(name, value), found(name, "no")), (1, 0), "{name}");
    }
    refused(
        ec2.disassociate_subnet_cidr_block(subnet_block.clone())
            .await,
        "because addresses of it are in use: fd65:0:0:1::77",
    );
    let id = made.instance.id.to_string();
    ec2.stop_instances(vec![id.clone()]).await.unwrap();
    assert_eq!(
        found("ipv6-address", "fd65:0:0:1::77"),
        1,
        "a stopped instance keeps its address"
    );
    ec2.terminate_instances(vec![id]).await.unwrap();
    ec2.disassociate_subnet_cidr_block(subnet_block)
        .await
        .unwrap();
}

//! What is there after the first start, and what later starts make of a changed configuration.

use std::sync::Arc;

use control::Settings;
use control::ec2::networks::{DescribeAvailabilityZones, DescribeVpcs};
use control::ec2::{Topology, ZoneTopology};
use model::ec2::Peer;
use store::{Memory, Store};

use crate::support::{Fixture, fixture, open, texts};

fn shown(fixture: &Fixture) -> Vec<String> {
    let describe = |subnet: &Arc<model::ec2::Subnet>| {
        format!("{} {} {}", subnet.cidr, subnet.zone.name, subnet.zone.id)
    };
    fixture.subnets().iter().map(describe).collect()
}

#[tokio::test]
async fn the_first_start_makes_a_vpc_with_a_subnet_per_zone() {
    let fixture = fixture().await;
    let vpcs = fixture
        .ec2()
        .describe_vpcs(&DescribeVpcs::default())
        .unwrap()
        .items;
    assert_eq!(vpcs.len(), 1);
    assert!(vpcs[0].is_default);
    assert_eq!(vpcs[0].cidr.to_string(), "127.65.0.0/16");
    assert_eq!(
        shown(&fixture),
        [
            "127.65.1.0/24 us-east-1a use1-az1",
            "127.65.2.0/24 us-east-1b use1-az2"
        ]
    );
    assert!(
        fixture
            .subnets()
            .iter()
            .all(|subnet| subnet.is_default_for_zone)
    );
}

#[tokio::test]
async fn the_default_group_admits_its_members_and_this_machine() {
    let fixture = fixture().await;
    let group = fixture.group("default");
    let rules: Vec<String> = group
        .rules
        .iter()
        .map(|rule| {
            let peer = match &rule.peer {
                Peer::Block(block) => block.to_string(),
                Peer::Members(id) if *id == group.id => "itself".to_owned(),
                Peer::Members(id) => id.to_string(),
                Peer::PrefixList(id) => id.to_string(),
            };
            format!("{:?} {} {peer}", rule.direction, rule.traffic.protocol())
        })
        .collect();
    assert_eq!(
        rules,
        [
            "Ingress -1 itself",
            "Egress -1 0.0.0.0/0",
            "Ingress -1 127.0.0.0/8"
        ]
    );
    assert!(
        group.rules[2].description.is_some(),
        "the rule that EC2 does not make says why"
    );
}

#[tokio::test]
async fn on_other_addresses_the_default_group_admits_the_vpc_as_well() {
    let settings = settings("10.0.0.0/16", &[("us-east-1a", "10.0.1.0/24")]);
    let fixture = open(Arc::new(Memory::new()), settings).await.unwrap();
    let group = fixture.group("default");
    let blocks = group.rules[2..].iter().map(|rule| rule.peer.clone());
    let expected = ["127.0.0.0/8", "10.0.0.0/16"].map(|block| Peer::Block(block.parse().unwrap()));
    assert_eq!(blocks.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let first = fixture().await;
    let before = first.store.range("", None).unwrap();
    let second = open(first.store, Settings::default()).await.unwrap();
    assert_eq!(second.store.range("", None).unwrap(), before);
}

#[tokio::test]
async fn a_zone_added_to_the_configuration_gets_its_subnet() {
    let first = fixture().await;
    let zones = [
        ("us-east-1a", "127.65.1.0/24"),
        ("us-east-1b", "127.65.2.0/24"),
        ("us-east-1c", "127.65.3.0/24"),
    ];
    let second = open(first.store, settings("127.65.0.0/16", &zones))
        .await
        .unwrap();
    assert_eq!(
        shown(&second).last().unwrap(),
        "127.65.3.0/24 us-east-1c use1-az3"
    );
}

#[tokio::test]
async fn a_configuration_that_contradicts_the_state_is_refused_and_changes_nothing() {
    let a = ("us-east-1a", "127.65.1.0/24");
    let b = ("us-east-1b", "127.65.2.0/24");
    for (vpc, zones, part) in [
        (
            "127.0.0.0/8",
            vec![a, b],
            "made with the block 127.65.0.0/16",
        ),
        (
            "127.66.0.0/16",
            vec![a, b],
            "made with the block 127.65.0.0/16",
        ),
        ("127.65.0.0/16", vec![a], "is in zone us-east-1b"),
        (
            "127.65.0.0/16",
            vec![b, a],
            "keep the region and the order of the zones",
        ),
        (
            "127.65.0.0/16",
            vec![a, ("us-east-1b", "127.65.9.0/24")],
            "made with the block 127.65.2.0/24",
        ),
        (
            "127.65.0.0/16",
            vec![a, b, ("us-east-1c", "127.65.2.0/28")],
            "127.65.2.0/28",
        ),
        (
            "127.65.0.0/16",
            vec![a, b, ("us-east-1c", "127.70.2.0/24")],
            "127.70.2.0/24",
        ),
        (
            "127.65.0.0/16",
            vec![a, b, ("us-east-1c", "127.65.3.0/29")],
            "127.65.3.0/29",
        ),
        ("127.65.0.0/16", vec![a, b, a], "the zone us-east-1a twice"),
    ] {
        let first = fixture().await;
        let store = Arc::clone(&first.store);
        let before = store.range("", None).unwrap();
        let Err(error) = open(first.store, settings(vpc, &zones)).await else {
            panic!("{vpc} {zones:?} was taken");
        };
        assert!(error.to_string().contains(part), "{vpc} {zones:?}: {error}");
        assert_eq!(store.range("", None).unwrap(), before, "{vpc} {zones:?}");
    }
}

fn settings(vpc: &str, zones: &[(&str, &str)]) -> Settings {
    let zone = |(name, subnet): &(&str, &str)| ZoneTopology {
        name: (*name).to_owned(),
        subnet: Some(subnet.parse().unwrap()),
        subnet_ipv6: None,
    };
    let topology = Topology {
        vpc: vpc.parse().unwrap(),
        vpc_ipv6: None,
        elastic: None,
        zones: zones.iter().map(zone).collect(),
    };
    Settings {
        topology,
        ..Settings::default()
    }
}

#[tokio::test]
async fn zones_are_those_of_the_configuration() {
    let fixture = fixture().await;
    let names = |request: &DescribeAvailabilityZones| {
        let zones = fixture.ec2().describe_availability_zones(request);
        zones.map(|zones| zones.into_iter().map(|zone| zone.name).collect::<Vec<_>>())
    };
    let all = DescribeAvailabilityZones::default();
    assert_eq!(names(&all).unwrap(), ["us-east-1a", "us-east-1b"]);
    let second = DescribeAvailabilityZones {
        zone_ids: texts(&["use1-az2"]),
        ..all.clone()
    };
    assert_eq!(names(&second).unwrap(), ["us-east-1b"]);
    let unknown = DescribeAvailabilityZones {
        zone_names: texts(&["us-east-1z"]),
        ..all
    };
    let error = names(&unknown).unwrap_err();
    assert_eq!(error.to_string(), "Invalid availability zone: [us-east-1z]");
}

/// The default settings with these IPv6 blocks of the VPC and of the first zone.
fn settings_with_ipv6(vpc: &str, subnet: &str) -> Settings {
    let mut settings = Settings::default();
    settings.topology.vpc_ipv6 = vpc.parse().ok();
    settings.topology.zones[0].subnet_ipv6 = subnet.parse().ok();
    settings
}

#[tokio::test]
async fn ipv6_blocks_of_the_configuration_are_given_once() {
    let settings = || settings_with_ipv6("fd65::/56", "fd65:0:0:1::/64");
    let first = fixture().await;
    let given = open(first.store, settings()).await.unwrap();
    let block = given.subnets()[0].ipv6_block.clone().expect("it has one");
    assert_eq!(block.cidr.to_string(), "fd65:0:0:1::/64");
    assert_eq!(given.subnets()[1].ipv6_block, None);
    let stored = given.store.range("", None).unwrap();
    let again = open(given.store, settings()).await.unwrap();
    assert_eq!(again.store.range("", None).unwrap(), stored);
    let without = open(again.store, Settings::default()).await.unwrap();
    assert_eq!(
        without.store.range("", None).unwrap(),
        stored,
        "what the configuration does not have, the API may have given"
    );
}

#[tokio::test]
async fn ipv6_blocks_that_do_not_fit_are_refused_at_the_start() {
    for (vpc, subnet, part) in [
        (
            "fd65::/64",
            "",
            "the IPv6 block fd65::/64 of the configuration",
        ),
        ("fe80::/56", "", "the IPv6 block fe80::/56"),
        ("fd65::/56", "fd66::/64", "the IPv6 block fd66::/64"),
        ("", "fd65::/64", "the IPv6 block fd65::/64"),
    ] {
        let store = fixture().await.store;
        let Err(error) = open(store, settings_with_ipv6(vpc, subnet)).await else {
            panic!("{vpc} {subnet} was taken");
        };
        assert!(error.to_string().contains(part), "{vpc} {subnet}: {error}");
    }
    let settings = settings_with_ipv6("fd65::/56", "fd65:0:0:1::/64");
    let given = open(fixture().await.store, settings).await.unwrap();
    let other = settings_with_ipv6("fd65::/56", "fd65:0:0:2::/64");
    let Err(error) = open(given.store, other).await else {
        panic!("another block was taken");
    };
    let part = "the subnet of zone us-east-1a was made with the block fd65:0:0:1::/64";
    assert!(error.to_string().contains(part), "{error}");
}

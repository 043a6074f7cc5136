//! RunInstances without an address: elbow draws one for each instance.

use std::sync::Arc;

use control::ec2::TagSpecification;
use control::ec2::describe_instances::DescribeInstances;
use control::ec2::network_interfaces::DescribeNetworkInterfaces;
use control::ec2::run_instances::{RequestedZone, RunInstances};
use control::ec2::subnets::CreateSubnet;
use model::ec2::Subnet;

use crate::instances::found;
use crate::support::{Fixture, at, filter, fixture, refused, texts};

/// A subnet with 11 usable addresses.
async fn small_subnet(fixture: &Fixture) -> Arc<Subnet> {
    let request = CreateSubnet {
        vpc_id: Some(fixture.subnets()[0].vpc_id.to_string()),
        cidr_block: Some("127.65.9.0/28".to_owned()),
        ..CreateSubnet::default()
    };
    let made = fixture.ec2().create_subnet(request).await;
    made.expect("the block is free").subnet
}

/// A request for so many instances in a subnet, or wherever elbow chooses, at addresses that are drawn.
fn drawn(subnet: Option<&str>, counts: (i64, i64)) -> RunInstances {
    RunInstances {
        min_count: Some(counts.0),
        max_count: Some(counts.1),
        subnet_id: subnet.map(str::to_owned),
        ..RunInstances::default()
    }
}

#[tokio::test]
async fn a_machine_without_an_address_gets_a_free_one_of_its_subnet() {
    let fixture = fixture().await;
    fixture.create_load_balancer("shop", &[]).await;
    let small = small_subnet(&fixture).await;
    fixture.run("127.65.9.7").await;
    let mut addresses = vec!["127.65.9.7".parse().unwrap()];
    for _ in 0..10 {
        let made = fixture.launch(drawn(Some(small.id.as_str()), (1, 1))).await;
        assert_eq!(made.instance.subnet_id, small.id);
        addresses.push(made.instance.private_address);
    }
    assert!(!addresses.is_sorted(), "they are drawn: {addresses:?}");
    addresses.sort();
    let usable: Vec<_> = small.usable_addresses().collect();
    assert_eq!(addresses, usable, "nobody gets an address twice");
    refused(
        fixture
            .ec2()
            .run_instances(drawn(Some(small.id.as_str()), (1, 1)))
            .await,
        &format!(
            "There are not enough free addresses in subnet '{}'",
            small.id
        ),
    );
}

#[tokio::test]
async fn a_request_gets_as_many_instances_as_there_is_room_for() {
    let fixture = fixture().await;
    let small = small_subnet(&fixture).await;
    let ec2 = fixture.ec2();
    let run = async |counts| {
        ec2.run_instances(drawn(Some(small.id.as_str()), counts))
            .await
    };
    assert_eq!(run((2, 3)).await.unwrap().len(), 3);
    refused(run((9, 9)).await, "not enough free addresses");
    let rest = run((2, 20)).await.unwrap();
    assert_eq!(rest.len(), 8, "11 addresses are usable");
    let indexes: Vec<u32> = rest.iter().map(|it| it.instance.launch_index).collect();
    assert_eq!(indexes, (0..8).collect::<Vec<_>>());
    let reservation = &rest[0].instance.reservation_id;
    assert!(
        rest.iter()
            .all(|it| it.instance.reservation_id == *reservation)
    );
    let shown = ec2.describe_instances(&DescribeInstances {
        filters: vec![filter("reservation-id", reservation.as_str())],
        ..DescribeInstances::default()
    });
    assert_eq!(shown.unwrap().items, rest, "in the order of their indexes");
    assert_eq!(found(&fixture, &[("launch-index", "2")]).len(), 2);
}

#[tokio::test]
async fn counts_that_mean_nothing_are_refused() {
    let fixture = fixture().await;
    for (counts, part) in [
        ((1, 0), "Value (0) for parameter maxCount is invalid."),
        ((-1, 1), "Value (-1) for parameter minCount is invalid."),
        ((2, 1), "MaxCount must not be less than MinCount"),
        (
            (1001, 2000),
            "more instances (1001) than one request may launch: 1000.",
        ),
    ] {
        refused(fixture.ec2().run_instances(drawn(None, counts)).await, part);
    }
    let ipv6 = RunInstances {
        ipv6_addresses: texts(&["fd65::7"]),
        ..drawn(None, (1, 2))
    };
    refused(
        fixture.ec2().run_instances(ipv6).await,
        "An address can be given to one instance only",
    );
}

#[tokio::test]
async fn without_a_subnet_a_default_one_is_chosen() {
    let fixture = fixture().await;
    let zone = |name: &str| RunInstances {
        zone: RequestedZone {
            name: Some(name.to_owned()),
            id: None,
        },
        ..drawn(None, (1, 1))
    };
    let mut zones = Vec::new();
    for _ in 0..4 {
        zones.push(
            fixture
                .launch(drawn(None, (1, 1)))
                .await
                .instance
                .zone
                .name
                .clone(),
        );
    }
    assert_eq!(
        zones,
        ["us-east-1a", "us-east-1b", "us-east-1a", "us-east-1b"],
        "the one with the most room"
    );
    for _ in 0..2 {
        let made = fixture.launch(zone("us-east-1b")).await;
        assert_eq!(made.instance.subnet_id, fixture.subnets()[1].id);
    }
    refused(
        fixture.ec2().run_instances(zone("us-west-1a")).await,
        "Invalid availability zone: [us-west-1a]",
    );
}

#[tokio::test]
async fn a_repeated_request_for_drawn_addresses_shows_what_it_made() {
    let fixture = fixture().await;
    let with_token = |subnet: Option<&str>, counts| RunInstances {
        client_token: Some("once".to_owned()),
        ..drawn(subnet, counts)
    };
    let ec2 = fixture.ec2();
    let first = ec2.run_instances(with_token(None, (2, 3))).await.unwrap();
    assert_eq!(first.len(), 3);
    let again = ec2.run_instances(with_token(None, (2, 3))).await.unwrap();
    assert_eq!(
        again, first,
        "also when another subnet has more room by now"
    );
    let subnet = first[0].instance.subnet_id.to_string();
    for other in [
        with_token(None, (2, 4)),
        with_token(Some(&subnet), (2, 3)),
        RunInstances {
            client_token: Some("once".to_owned()),
            ..at("127.65.1.78")
        },
    ] {
        refused(
            ec2.run_instances(other).await,
            "The client token 'once' was used",
        );
    }
    assert_eq!(found(&fixture, &[]).len(), 3);
}

#[tokio::test]
async fn tags_at_launch_are_for_instances_and_their_interfaces() {
    let fixture = fixture().await;
    let tagged = |resource_type: &str, value: &str| TagSpecification {
        resource_type: resource_type.to_owned(),
        tags: vec![("Name".to_owned(), value.to_owned())],
    };
    let request = |tag_specifications| RunInstances {
        tag_specifications,
        client_token: Some("once".to_owned()),
        ..drawn(None, (2, 2))
    };
    let both = || {
        vec![
            tagged("instance", "web"),
            tagged("network-interface", "front"),
        ]
    };
    let ec2 = fixture.ec2();
    let made = ec2.run_instances(request(both())).await.unwrap();
    for it in &made {
        assert_eq!(it.instance.tags["Name"], "web");
        assert_eq!(it.interface_tags["Name"], "front");
    }
    assert_eq!(
        ec2.run_instances(request(both())).await.unwrap(),
        made,
        "a repetition makes nothing"
    );
    refused(
        ec2.run_instances(request(vec![tagged("instance", "web")]))
            .await,
        "The client token 'once' was used",
    );
    let interfaces = |filters| {
        let request = DescribeNetworkInterfaces {
            filters,
            ..DescribeNetworkInterfaces::default()
        };
        ec2.describe_network_interfaces(&request)
            .unwrap()
            .items
            .len()
    };
    assert_eq!(interfaces(vec![filter("tag:Name", "front")]), 2);
    assert_eq!(
        found(&fixture, &[("network-interface.tag-value", "front")]).len(),
        2
    );
    assert_eq!(found(&fixture, &[("tag:Name", "front")]).len(), 0);
    let with_volume = |value: &str| RunInstances {
        tag_specifications: vec![tagged("instance", "web"), tagged("volume", value)],
        client_token: Some("with a volume".to_owned()),
        ..drawn(None, (1, 1))
    };
    let made = ec2.run_instances(with_volume("root")).await.unwrap();
    assert_eq!(made[0].instance.tags["Name"], "web");
    refused(
        ec2.run_instances(with_volume("data")).await,
        "The client token 'with a volume' was used",
    );
    refused(
        ec2.run_instances(with_volume(&"x".repeat(257))).await,
        "Tag value exceeds the maximum length",
    );
    let spot = RunInstances {
        tag_specifications: vec![tagged("spot-instances-request", "web")],
        ..drawn(None, (1, 1))
    };
    refused(
        ec2.run_instances(spot).await,
        "Value (spot-instances-request) for parameter TagSpecification.ResourceType is invalid. elbow makes no such \
         thing with an instance, so that there is nothing to tag; give tags for instance, network-interface, volume.",
    );
}

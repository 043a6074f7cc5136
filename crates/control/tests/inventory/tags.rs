//! CreateTags, DeleteTags, DescribeTags, and tags given at creation.

use control::ec2::TagSpecification;
use control::ec2::internet_gateways::DescribeInternetGateways;
use control::ec2::network_interfaces::{DescribeNetworkInterfaces, NetworkInterfaceDescription};
use control::ec2::networks::DescribeVpcs;
use control::ec2::route_tables::DescribeRouteTables;
use control::ec2::run_instances::RunInstances;
use control::ec2::tags::{CreateTags, DeleteTags, DescribeTags};
use control::{CommitError, Settings};

use control::elb::delete_load_balancer::DeleteLoadBalancer;
use model::ec2::{NetworkInterfaceId, NetworkInterfaceTags};
use store::Store;

use crate::support::{Fixture, at, filter, fixture, open, refused, texts};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn shown(fixture: &Fixture, filters: &[(&str, &str)]) -> Vec<String> {
    let request = DescribeTags {
        filters: filters
            .iter()
            .map(|(name, value)| filter(name, value))
            .collect(),
        ..Default::default()
    };
    let tags = fixture.ec2().describe_tags(&request).unwrap().items;
    let mut shown: Vec<String> = tags
        .iter()
        .map(|tag| format!("{} {}={}", tag.resource_type, tag.key, tag.value))
        .collect();
    shown.sort();
    shown
}

/// One of each kind that can be tagged.
async fn everything(fixture: &Fixture) -> Vec<String> {
    let vpc = fixture
        .ec2()
        .describe_vpcs(&DescribeVpcs::default())
        .unwrap()
        .items;
    let gateways = DescribeInternetGateways::default();
    let gateway = fixture
        .ec2()
        .describe_internet_gateways(&gateways)
        .unwrap()
        .items;
    let tables = DescribeRouteTables::default();
    let tables = fixture.ec2().describe_route_tables(&tables).unwrap().items;
    let group = fixture.group("default");
    vec![
        vpc[0].id.to_string(),
        gateway[0].id.to_string(),
        fixture.subnets()[0].id.to_string(),
        group.id.to_string(),
        group.rules[0].id.to_string(),
        fixture.run("127.65.1.77").await,
        tables[0].table.id.to_string(),
    ]
}

#[tokio::test]
async fn everything_that_is_stored_can_be_tagged() {
    let fixture = fixture().await;
    let resources = everything(&fixture).await;
    let tags = pairs(&[("Owner", "TeamA"), ("Empty", "")]);
    fixture
        .ec2()
        .create_tags(CreateTags {
            resources: resources.clone(),
            tags,
        })
        .await
        .unwrap();
    assert_eq!(
        shown(&fixture, &[("key", "Owner")]),
        [
            "instance Owner=TeamA",
            "internet-gateway Owner=TeamA",
            "route-table Owner=TeamA",
            "security-group Owner=TeamA",
            "security-group-rule Owner=TeamA",
            "subnet Owner=TeamA",
            "vpc Owner=TeamA",
        ]
    );
    assert_eq!(
        shown(
            &fixture,
            &[("tag:Owner", "Team*"), ("resource-type", "vpc")]
        )
        .len(),
        1
    );
    assert_eq!(shown(&fixture, &[("resource-id", &resources[5])]).len(), 2);
    assert_eq!(shown(&fixture, &[("value", "")]).len(), 7);
}

#[tokio::test]
async fn the_tags_of_network_interfaces_are_stored_and_forgotten_with_them() {
    let fixture = fixture().await;
    let machine = fixture.run("127.65.1.77").await;
    fixture
        .create_load_balancer("shop", &[&*fixture.group("default")])
        .await;
    let interfaces = |fixture: &Fixture, filters: &[(&str, &str)]| {
        let filters = filters.iter().map(|(name, value)| filter(name, value));
        let request = DescribeNetworkInterfaces {
            filters: filters.collect(),
            ..Default::default()
        };
        let page = fixture.ec2().describe_network_interfaces(&request).unwrap();
        page.items
    };
    let all = interfaces(&fixture, &[]);
    let request = |all: &[NetworkInterfaceDescription]| CreateTags {
        resources: all.iter().map(|it| it.interface.id.to_string()).collect(),
        tags: pairs(&[("team", "blue")]),
    };
    fixture.ec2().create_tags(request(&all)).await.unwrap();

    let fixture = open(fixture.store, Settings::default()).await.unwrap();
    let blue = "network-interface team=blue";
    assert_eq!(shown(&fixture, &[]), [blue; 3]);
    let tagged = interfaces(&fixture, &[("tag:team", "blue")]);
    assert_eq!(tagged.len(), 3);
    let stop = fixture.ec2().stop_instances(vec![machine.clone()]).await;
    stop.unwrap();
    assert_eq!(shown(&fixture, &[]), [blue; 3], "it keeps its address");
    let terminate = fixture.ec2().terminate_instances(vec![machine]).await;
    terminate.unwrap();
    assert_eq!(shown(&fixture, &[]), [blue; 2]);
    let balancer = fixture.control.read(|state| {
        let mut balancers = state.elb.load_balancers.values();
        balancers.next().unwrap().arn.to_string()
    });
    let delete = DeleteLoadBalancer {
        load_balancer_arn: balancer,
    };
    fixture.control.delete_load_balancer(delete).await.unwrap();
    assert_eq!(shown(&fixture, &[]), [""; 0]);
    let left = fixture.store.range("ec2/network-interface/", None).unwrap();
    assert!(left.records.is_empty());
    let one = all[0].interface.id.to_string();
    refused(
        fixture.ec2().create_tags(request(&all[..1])).await,
        &format!("The networkInterface ID '{one}' does not exist"),
    );
}

/// Each change of any service ends with the look for interfaces that are gone, so that it must not look at all there are:
/// tags for an interface that no change has taken away stay, even though nothing has it.
#[tokio::test]
async fn a_change_looks_for_the_interfaces_that_it_takes_away_alone() {
    let fixture = fixture().await;
    let machine = fixture.run("127.65.1.77").await;
    let unowned = NetworkInterfaceTags {
        id: NetworkInterfaceId::from_bits(1),
        tags: [("team".to_owned(), "blue".to_owned())].into(),
    };
    let put = fixture.control.transact(move |draft| {
        draft.put(unowned);
        Ok::<_, CommitError>(())
    });
    put.await.unwrap();
    let terminate = fixture.ec2().terminate_instances(vec![machine]).await;
    terminate.unwrap();
    let left = fixture.store.range("ec2/network-interface/", None).unwrap();
    assert_eq!(left.records.len(), 1);
}

#[tokio::test]
async fn a_tag_is_removed_by_key_or_by_key_and_value() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    let tags = pairs(&[("a", "1"), ("b", "2"), ("c", "3")]);
    fixture
        .ec2()
        .create_tags(CreateTags {
            resources: vec![id.clone()],
            tags,
        })
        .await
        .unwrap();
    let delete = |tags: &[(&str, Option<&str>)]| {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)));
        DeleteTags {
            resources: vec![id.clone()],
            tags: tags.collect(),
        }
    };
    fixture
        .ec2()
        .delete_tags(delete(&[("a", None), ("b", Some("other")), ("d", None)]))
        .await
        .unwrap();
    assert_eq!(shown(&fixture, &[]), ["instance b=2", "instance c=3"]);
    fixture
        .ec2()
        .delete_tags(delete(&[("b", Some("2"))]))
        .await
        .unwrap();
    assert_eq!(shown(&fixture, &[]), ["instance c=3"]);
    fixture.ec2().delete_tags(delete(&[])).await.unwrap();
    assert_eq!(shown(&fixture, &[]), [""; 0]);
}

#[tokio::test]
async fn tags_that_break_a_rule_change_nothing() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
    let many: Vec<String> = (0..51).map(|number| format!("key {number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (&**key, "")).collect();
    let create = async |resources: &[&str], tags: &[(&str, &str)]| {
        let request = CreateTags {
            resources: texts(resources),
            tags: pairs(tags),
        };
        fixture.ec2().create_tags(request).await
    };
    for (resources, tags, part) in [
        (
            vec![&*id],
            vec![("aws:x", "1")],
            "reserved for internal use",
        ),
        (
            vec![&*id],
            vec![("AWS:x", "1")],
            "reserved for internal use",
        ),
        (vec![&*id], vec![("", "1")], "cannot be empty"),
        (vec![&*id], vec![(&*long_key, "1")], "maximum length of 128"),
        (
            vec![&*id],
            vec![("a", &*long_value)],
            "maximum length of 256",
        ),
        (
            vec![&*id],
            vec![("a", "1"), ("a", "2")],
            "Duplicate tag key 'a'",
        ),
        (vec![&*id], many, "has been reached: 50"),
        (
            vec![&*id, "i-00000000000000000"],
            vec![("a", "1")],
            "The instance ID 'i-00000000000000000' does not exist",
        ),
        (
            vec!["ami-00000000000000000"],
            vec![("a", "1")],
            "The image id '[ami-00000000000000000]' does not exist",
        ),
        (
            vec!["volume-00000000000000000"],
            vec![("a", "1")],
            "The ID 'volume-00000000000000000' is not valid",
        ),
        (vec![], vec![("a", "1")], "parameter resourceIdSet"),
        (vec![&*id], vec![], "parameter tagSet"),
    ] {
        refused(create(&resources, &tags).await, part);
    }
    assert_eq!(shown(&fixture, &[]), [""; 0]);
    create(
        &[&id],
        &[("any 'character' is fine: ÄÖ*", "{\"json\": true}")],
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_request_names_1000_resources_and_tags_at_most() {
    let fixture = fixture().await;
    let group = fixture.group("default").id.to_string();
    let ec2 = fixture.ec2();
    let create = |count: usize| CreateTags {
        resources: vec![group.clone(); count],
        tags: pairs(&[("team", "blue")]),
    };
    let delete = |resources: usize, tags: usize| DeleteTags {
        resources: vec![group.clone(); resources],
        tags: vec![("team".to_owned(), None); tags],
    };
    let many_resources = "Resources cannot contain over 1000 values.";
    refused(ec2.create_tags(create(1001)).await, many_resources);
    refused(ec2.delete_tags(delete(1001, 1)).await, many_resources);
    refused(
        ec2.delete_tags(delete(1, 1001)).await,
        "Tags cannot contain over 1000 values.",
    );
    ec2.create_tags(create(1000)).await.unwrap();
    ec2.delete_tags(delete(1000, 1000)).await.unwrap();
}

#[tokio::test]
async fn tags_at_creation_are_for_what_is_created() {
    let fixture = fixture().await;
    let run = |resource_type: &str| RunInstances {
        tag_specifications: vec![TagSpecification {
            resource_type: resource_type.to_owned(),
            tags: pairs(&[("Name", "web")]),
        }],
        ..at("127.65.1.77")
    };
    refused(
        fixture.ec2().run_instances(run("subnet")).await,
        "Value (subnet) for parameter TagSpecification.ResourceType is invalid.",
    );
    fixture.launch(run("instance")).await;
    assert_eq!(shown(&fixture, &[]), ["instance Name=web"]);
}

//! RunInstances, TerminateInstances, DescribeInstances, DescribeInstanceStatus, and the network interfaces
//! that follow from them.

use std::time::Duration;

use control::ec2::PageRequest;
use control::ec2::cpu_credits::DescribeInstanceCreditSpecifications;
use control::ec2::describe_instances::{DescribeInstanceStatus, DescribeInstances};
use control::ec2::instance_types::DescribeInstanceTypes;
use control::ec2::network_interfaces::DescribeNetworkInterfaces;
use control::ec2::run_instances::{RequestedZone, RunInstances};
use model::ec2::{CpuCredits, InstanceState};
use store::Store;

use crate::support::{Fixture, at, filter, fixture, refused, texts};

pub(crate) fn found(fixture: &Fixture, filters: &[(&str, &str)]) -> Vec<String> {
    let request = DescribeInstances {
        filters: filters
            .iter()
            .map(|(name, value)| filter(name, value))
            .collect(),
        ..Default::default()
    };
    let page = fixture.ec2().describe_instances(&request).unwrap();
    let mut addresses: Vec<String> = page
        .items
        .iter()
        .map(|it| it.instance.private_address.to_string())
        .collect();
    addresses.sort();
    addresses
}

#[tokio::test]
async fn a_machine_is_registered_by_its_address() {
    let fixture = fixture().await;
    let request = RunInstances {
        image_id: Some("ami-1".to_owned()),
        instance_type: Some("t3.micro".to_owned()),
        zone: RequestedZone {
            name: Some("us-east-1b".to_owned()),
            id: Some("use1-az2".to_owned()),
        },
        ..at("127.65.2.77")
    };
    let made = fixture.launch(request).await;
    let instance = &made.instance;
    assert_eq!(
        instance.zone.name, "us-east-1b",
        "the zone follows from the address"
    );
    assert_eq!(instance.subnet_id, fixture.subnets()[1].id);
    assert_eq!(instance.state, InstanceState::Running);
    assert_eq!(instance.image_id.as_deref(), Some("ami-1"));
    assert_eq!(instance.instance_type.as_deref(), Some("t3.micro"));
    assert_eq!(instance.launched_at_millis, 1_700_000_000_000);
    assert_eq!(
        made.groups,
        [(fixture.group("default").id.clone(), "default".to_owned())]
    );
}

#[tokio::test]
async fn machines_that_cannot_be_registered_are_refused() {
    let fixture = fixture().await;
    fixture.run("127.65.1.77").await;
    fixture.create_load_balancer("shop", &[]).await;
    let interfaces = DescribeNetworkInterfaces {
        filters: vec![filter("requester-id", "amazon-elb")],
        ..Default::default()
    };
    let held = fixture
        .ec2()
        .describe_network_interfaces(&interfaces)
        .unwrap();
    let held = held.items[0].interface.private_address.to_string();
    let before = fixture.store.revision().unwrap();
    let second_subnet = fixture.subnets()[1].id.to_string();
    let good = || at("127.65.1.78");
    let groups = |ids: &[&str]| RunInstances {
        security_group_ids: texts(ids),
        ..good()
    };
    for (request, part) in [
        (
            at("not an address"),
            "Value (not an address) for parameter privateIpAddress is invalid.",
        ),
        (
            at("10.0.0.1"),
            "Address 10.0.0.1 does not fall within the subnet's address range: 127.65.1.0/24",
        ),
        (
            at("127.65.1.0"),
            "Address 127.65.1.0 is in subnet's reserved address range",
        ),
        (at("127.65.1.3"), "reserved"),
        (at("127.65.1.255"), "reserved"),
        (at("127.65.1.77"), "Address 127.65.1.77 is in use."),
        (at(&held), "is in use."),
        (
            RunInstances {
                max_count: Some(2),
                ..good()
            },
            "An address can be given to one instance only",
        ),
        (
            RunInstances {
                min_count: Some(0),
                ..good()
            },
            "Value (0) for parameter minCount is invalid. It must be at least 1.",
        ),
        (
            RunInstances {
                min_count: None,
                ..good()
            },
            "The request must contain the parameter MinCount",
        ),
        (
            RunInstances {
                subnet_id: Some(second_subnet),
                ..good()
            },
            "does not fall within the subnet's address range: 127.65.2.0/24",
        ),
        (
            RunInstances {
                subnet_id: Some("subnet-1".into()),
                ..good()
            },
            "The subnet ID 'subnet-1' does not exist",
        ),
        (
            RunInstances {
                zone: RequestedZone {
                    name: Some("us-east-1a".to_owned()),
                    id: Some("use1-az2".to_owned()),
                },
                ..good()
            },
            "is in the availability zone us-east-1a",
        ),
        (
            groups(&["sg-00000000000000000"]),
            "The security group 'sg-00000000000000000' does not exist",
        ),
        (groups(&["web"]), "Invalid id: \"web\""),
        (
            RunInstances {
                security_group_names: texts(&["web"]),
                ..good()
            },
            "The security group 'web' does not exist in the default VPC",
        ),
        (
            RunInstances {
                security_group_names: texts(&["default"]),
                subnet_id: Some(fixture.subnets()[0].id.to_string()),
                ..good()
            },
            "The parameter groupName cannot be used with the parameter subnet",
        ),
        (
            RunInstances {
                cpu_credits: Some(CpuCredits::Unlimited),
                instance_type: Some("t30.micro".to_owned()),
                ..good()
            },
            "The parameter CreditSpecification can be used with an InstanceType",
        ),
        (
            RunInstances {
                cpu_credits: Some(CpuCredits::Unlimited),
                ..good()
            },
            "The parameter CreditSpecification can be used with an InstanceType",
        ),
    ] {
        refused(fixture.ec2().run_instances(request).await, part);
    }
    assert_eq!(
        fixture.store.revision().unwrap(),
        before,
        "a refusal leaves no trace"
    );
}

#[tokio::test]
async fn a_request_names_100_instance_types_at_most() {
    let fixture = fixture().await;
    let named = |count: usize| DescribeInstanceTypes {
        names: vec!["t3.micro".to_owned(); count],
        ..DescribeInstanceTypes::default()
    };
    refused(
        fixture.ec2().describe_instance_types(&named(101)),
        "InstanceTypes cannot contain over 100 values.",
    );
    let found = fixture.ec2().describe_instance_types(&named(100)).unwrap();
    assert_eq!(found.items.len(), 1, "one type, however often it is named");
}

#[tokio::test]
async fn a_request_names_so_many_instances_at_most() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    let status = |count: usize| DescribeInstanceStatus {
        instance_ids: vec![id.clone(); count],
        ..DescribeInstanceStatus::default()
    };
    let ec2 = fixture.ec2();
    refused(
        ec2.describe_instance_status(&status(101)),
        "101 exceeds the maximum number of instance IDs that can be specified (100).",
    );
    ec2.describe_instance_status(&status(100)).unwrap();
    refused(
        ec2.terminate_instances(vec![id.clone(); 1001]).await,
        "1001 exceeds the maximum number of instance IDs",
    );
    ec2.terminate_instances(vec![id.clone(); 1000])
        .await
        .unwrap();
}

#[tokio::test]
async fn an_instance_carries_five_groups_at_most() {
    let fixture = fixture().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(
            fixture
                .create_group(&format!("group {number}"))
                .await
                .id
                .to_string(),
        );
    }
    let with = |ids: Vec<String>| RunInstances {
        security_group_ids: ids,
        ..at("127.65.1.77")
    };
    refused(
        fixture.ec2().run_instances(with(ids.clone())).await,
        "per instance has been reached: 5",
    );
    ids[5] = ids[0].clone();
    let made = fixture.launch(with(ids)).await;
    assert_eq!(made.groups.len(), 5, "a repetition does not count");
}

#[tokio::test]
async fn a_repeated_request_registers_nothing() {
    let fixture = fixture().await;
    let request = || RunInstances {
        client_token: Some("once".to_owned()),
        ..at("127.65.1.77")
    };
    let first = fixture.ec2().run_instances(request()).await.unwrap();
    let second = fixture.ec2().run_instances(request()).await.unwrap();
    assert_eq!(first, second);
    let other = RunInstances {
        client_token: Some("once".to_owned()),
        ..at("127.65.1.78")
    };
    refused(
        fixture.ec2().run_instances(other).await,
        "The client token 'once' was used",
    );
}

#[tokio::test]
async fn a_token_has_up_to_64_ascii_characters() {
    let fixture = fixture().await;
    let with = |token: String| RunInstances {
        client_token: Some(token),
        ..at("127.65.1.77")
    };
    for token in ["x".repeat(65), "é".to_owned()] {
        refused(
            fixture.ec2().run_instances(with(token)).await,
            "for parameter clientToken is invalid. A token has up to 64 ASCII characters.",
        );
    }
    fixture.launch(with("x".repeat(64))).await;
}

#[tokio::test]
async fn instances_of_burstable_types_have_cpu_credits() {
    use CpuCredits::{Standard, Unlimited};
    let fixture = fixture().await;
    let mut ids = Vec::new();
    for (host, instance_type, given, shown) in [
        (10, "t2.micro", None, Some(Standard)),
        (11, "t3.micro", None, Some(Unlimited)),
        (12, "t3a.micro", Some(Standard), Some(Standard)),
        (13, "t4g.micro", Some(Unlimited), Some(Unlimited)),
        (14, "m7g.large", None, None),
    ] {
        let request = RunInstances {
            instance_type: Some(instance_type.to_owned()),
            cpu_credits: given,
            ..at(&format!("127.65.1.{host}"))
        };
        let id = fixture.launch(request).await.instance.id.to_string();
        let one = DescribeInstanceCreditSpecifications {
            instance_ids: vec![id.clone()],
            ..Default::default()
        };
        let outcome = fixture.ec2().describe_instance_credit_specifications(&one);
        match shown {
            Some(credits) => assert_eq!(outcome.unwrap().items[0].1, credits, "{instance_type}"),
            None => refused(outcome, "is not of a burstable performance type"),
        }
        ids.push(id);
    }
    let all = DescribeInstanceCreditSpecifications::default();
    let all = fixture.ec2().describe_instance_credit_specifications(&all);
    let all: Vec<String> = all
        .unwrap()
        .items
        .iter()
        .map(|it| it.0.id.to_string())
        .collect();
    let mut unlimited = vec![ids[1].clone(), ids[3].clone()];
    unlimited.sort();
    assert_eq!(all, unlimited);
    let types = DescribeInstanceTypes {
        filters: vec![filter("burstable-performance-supported", "false")],
        ..Default::default()
    };
    let types = fixture.ec2().describe_instance_types(&types).unwrap().items;
    let names: Vec<&str> = types.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["m7g.large"]);
}

#[tokio::test]
async fn a_terminated_instance_lets_go_of_its_address_and_is_shown_for_an_hour() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    let id = fixture.run("127.65.1.77").await;
    let [change] = &ec2.terminate_instances(vec![id.clone()]).await.unwrap()[..] else {
        panic!()
    };
    assert_eq!(
        (change.previous.name(), change.current.name()),
        ("running", "terminated")
    );
    let again = ec2
        .terminate_instances(vec![id.clone(), id.clone()])
        .await
        .unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].previous.name(), "terminated");

    fixture.run("127.65.1.77").await;
    assert_eq!(
        found(&fixture, &[("instance-state-name", "terminated")]).len(),
        1
    );
    assert_eq!(
        found(&fixture, &[("private-ip-address", "127.65.1.77")]).len(),
        1
    );
    fixture.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        found(&fixture, &[("instance-state-name", "terminated")]).len(),
        0
    );
    refused(
        ec2.terminate_instances(vec![id.clone()]).await,
        &format!("The instance ID '{id}' does not exist"),
    );
    let records = || {
        fixture
            .store
            .range("ec2/instance/", None)
            .unwrap()
            .records
            .len()
    };
    assert_eq!(records(), 2);
    fixture.run("127.65.1.78").await;
    assert_eq!(records(), 2, "the next change forgets it");
}

#[tokio::test]
async fn either_all_instances_are_terminated_or_none() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    let missing = ["i-00000000000000000", "i-00000001"];
    for (ids, part) in [
        (
            vec![&*id, missing[0], missing[1]],
            "The instance IDs 'i-00000000000000000, i-00000001' do not exist",
        ),
        (
            vec![&*id, "i-x"],
            "Invalid id: \"i-x\" (expecting \"i-...\")",
        ),
        (vec![], "parameter InstanceId"),
    ] {
        refused(fixture.ec2().terminate_instances(texts(&ids)).await, part);
    }
    assert_eq!(
        found(&fixture, &[("instance-state-name", "running")]).len(),
        1
    );
}

#[tokio::test]
async fn instances_are_found_by_filter() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let first = RunInstances {
        security_group_ids: vec![web.id.to_string()],
        image_id: Some("ami-1".to_owned()),
        ..at("127.65.1.77")
    };
    let first = fixture.launch(first).await;
    fixture.run("127.65.2.77").await;
    for (name, value) in [
        ("instance-id", first.instance.id.as_str()),
        ("reservation-id", first.instance.reservation_id.as_str()),
        ("private-ip-address", "127.65.1.*"),
        ("availability-zone", "us-east-1a"),
        ("subnet-id", first.instance.subnet_id.as_str()),
        ("instance.group-id", web.id.as_str()),
        ("instance.group-name", "w*"),
        ("image-id", "ami-?"),
    ] {
        assert_eq!(
            found(&fixture, &[(name, value)]),
            ["127.65.1.77"],
            "{name}={value}"
        );
    }
    assert_eq!(found(&fixture, &[("instance-state-code", "16")]).len(), 2);
    assert_eq!(found(&fixture, &[("platform", "windows")]).len(), 0);
}

#[tokio::test]
async fn instances_come_in_pages_but_not_together_with_ids() {
    let fixture = fixture().await;
    let mut ids = Vec::new();
    for number in 10..17 {
        ids.push(fixture.run(&format!("127.65.1.{number}")).await);
    }
    let page = |next_token| PageRequest {
        max_results: Some(5),
        next_token,
    };
    let first = DescribeInstances {
        page: page(None),
        ..Default::default()
    };
    let first = fixture.ec2().describe_instances(&first).unwrap();
    assert_eq!(first.items.len(), 5);
    let of_others = DescribeInstanceStatus {
        page: page(first.next_token.clone()),
        ..Default::default()
    };
    refused(
        fixture.ec2().describe_instance_status(&of_others),
        "parameter NextToken is invalid",
    );
    let second = DescribeInstances {
        page: page(first.next_token),
        ..Default::default()
    };
    let second = fixture.ec2().describe_instances(&second).unwrap();
    assert_eq!((second.items.len(), second.next_token), (2, None));
    let both = DescribeInstances {
        instance_ids: ids,
        page: page(None),
        ..Default::default()
    };
    refused(
        fixture.ec2().describe_instances(&both),
        "The parameter instancesSet cannot be used with the parameter maxResults",
    );
}

#[tokio::test]
async fn the_status_is_shown_of_running_instances_unless_all_are_asked_for() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    fixture.run("127.65.1.78").await;
    fixture.ec2().terminate_instances(vec![id]).await.unwrap();
    for (include_all, count) in [(false, 1), (true, 2)] {
        let request = DescribeInstanceStatus {
            include_all,
            ..Default::default()
        };
        let shown = fixture
            .ec2()
            .describe_instance_status(&request)
            .unwrap()
            .items;
        assert_eq!(shown.len(), count, "{include_all}");
    }
}

#[tokio::test]
async fn every_address_in_use_has_a_network_interface() {
    let fixture = fixture().await;
    let id = fixture.run("127.65.1.77").await;
    fixture.create_load_balancer("shop", &[]).await;
    let found = |filters: &[(&str, &str)]| {
        let request = DescribeNetworkInterfaces {
            filters: filters
                .iter()
                .map(|(name, value)| filter(name, value))
                .collect(),
            ..Default::default()
        };
        fixture
            .ec2()
            .describe_network_interfaces(&request)
            .unwrap()
            .items
    };
    assert_eq!(found(&[]).len(), 3);
    let [of_instance] = &found(&[("attachment.instance-id", &id)])[..] else {
        panic!("one interface")
    };
    assert_eq!(
        of_instance.interface.private_address.to_string(),
        "127.65.1.77"
    );
    assert_eq!(of_instance.requester_id(), None);
    let of_load_balancer = found(&[
        ("description", "ELB app/shop/*"),
        ("requester-managed", "true"),
    ]);
    assert_eq!(of_load_balancer.len(), 2, "one in each zone");
    assert_eq!(found(&[]), found(&[]), "their ids are the same each time");
    fixture.ec2().terminate_instances(vec![id]).await.unwrap();
    assert_eq!(found(&[]).len(), 2);

    let by_id = |id: &str| DescribeNetworkInterfaces {
        network_interface_ids: texts(&[id]),
        ..Default::default()
    };
    let known = of_load_balancer[0].interface.id.to_string();
    let shown = fixture
        .ec2()
        .describe_network_interfaces(&by_id(&known))
        .unwrap()
        .items;
    assert_eq!(shown, of_load_balancer[..1]);
    refused(
        fixture
            .ec2()
            .describe_network_interfaces(&by_id("eni-00000000000000000")),
        "The networkInterface ID 'eni-00000000000000000' does not exist",
    );
}

//! CreateSecurityGroup, DeleteSecurityGroup, DescribeSecurityGroups.

use control::CommitError;
use control::ec2::Run;
use control::ec2::run_instances::RunInstances;
use control::ec2::security_groups::{CreateSecurityGroup, DescribeSecurityGroups, GroupReference};
use model::ec2::{Direction, Peer, SecurityGroup, SecurityGroupId};
use store::Store;

use crate::support::{Fixture, at, filter, fixture, refused, texts};

fn named(name: &str) -> CreateSecurityGroup {
    CreateSecurityGroup {
        group_name: Some(name.to_owned()),
        description: Some("for a test".to_owned()),
        ..Default::default()
    }
}

fn by_id(group: &SecurityGroup) -> GroupReference {
    GroupReference {
        group_id: Some(group.id.to_string()),
        group_name: None,
    }
}

#[tokio::test]
async fn a_new_group_lets_everything_out_and_nothing_in() {
    let fixture = fixture().await;
    let group = fixture.create_group("web").await;
    let [rule] = &group.rules[..] else {
        panic!("one rule")
    };
    assert_eq!(rule.direction, Direction::Egress);
    assert_eq!(rule.peer, Peer::Block("0.0.0.0/0".parse().unwrap()));
    assert_eq!(fixture.group("web"), group);
}

#[tokio::test]
async fn groups_that_break_a_rule_are_refused() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let before = fixture.store.revision().unwrap();
    let long = "x".repeat(256);
    let description = |text: &str| CreateSecurityGroup {
        description: Some(text.into()),
        ..named("a")
    };
    for (request, part) in [
        (
            named("web"),
            format!(
                "The security group 'web' already exists for VPC '{}'",
                web.vpc_id
            ),
        ),
        (
            named("WEB "),
            "The security group 'WEB' already exists".into(),
        ),
        (
            named("default"),
            "Cannot use reserved security group name: default".into(),
        ),
        (
            named("Default "),
            "Cannot use reserved security group name: Default".into(),
        ),
        (
            named("sg-web"),
            "Group names may not be in the format sg-*".into(),
        ),
        (named(""), "parameter groupName".into()),
        (named("  "), "parameter groupName".into()),
        (named(&long), "less than 256 characters".into()),
        (named("naïve"), "Invalid security group name".into()),
        (
            description("a\nb"),
            "Invalid security group description".into(),
        ),
        (
            CreateSecurityGroup {
                description: None,
                ..named("a")
            },
            "groupDescription".into(),
        ),
        (
            CreateSecurityGroup {
                group_name: None,
                ..named("a")
            },
            "groupName".into(),
        ),
        (
            CreateSecurityGroup {
                vpc_id: Some("vpc-1".into()),
                ..named("a")
            },
            "The vpc ID 'vpc-1' does not exist".into(),
        ),
    ] {
        refused(fixture.ec2().create_security_group(request).await, &part);
    }
    assert_eq!(
        fixture.store.revision().unwrap(),
        before,
        "a refusal leaves no trace"
    );
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_changes_nothing() {
    let fixture = fixture().await;
    let before = fixture.store.revision().unwrap();
    let dry = fixture.control.ec2(Run::Dry);
    refused(
        dry.create_security_group(named("web")).await,
        "DryRun flag is set",
    );
    refused(
        dry.create_security_group(named("default")).await,
        "reserved",
    );
    refused(
        dry.describe_security_groups(&DescribeSecurityGroups::default()),
        "DryRun flag is set",
    );
    assert_eq!(fixture.store.revision().unwrap(), before);
}

async fn check_in_use(fixture: &Fixture, group: &SecurityGroup) {
    let outcome = fixture.ec2().delete_security_group(by_id(group)).await;
    refused(
        outcome,
        &format!("resource {} has a dependent object", group.id),
    );
}

#[tokio::test]
async fn a_group_goes_when_nothing_carries_it() {
    let fixture = fixture().await;
    let on_instance = fixture.create_group("instance").await;
    let on_load_balancer = fixture.create_group("load balancer").await;
    let unused = fixture.create_group("unused").await;
    let request = RunInstances {
        security_group_ids: vec![on_instance.id.to_string()],
        ..at("127.65.1.77")
    };
    let instance = fixture.launch(request).await;
    fixture
        .create_load_balancer("shop", &[&on_load_balancer])
        .await;

    check_in_use(&fixture, &on_load_balancer).await;
    check_in_use(&fixture, &on_instance).await;
    fixture
        .ec2()
        .terminate_instances(vec![instance.instance.id.to_string()])
        .await
        .unwrap();
    for group in [on_instance, unused] {
        assert_eq!(
            fixture
                .ec2()
                .delete_security_group(by_id(&group))
                .await
                .unwrap(),
            group.id
        );
        let gone = format!("The security group '{}' does not exist", group.id);
        refused(
            fixture.ec2().delete_security_group(by_id(&group)).await,
            &gone,
        );
    }
}

#[tokio::test]
async fn groups_are_deleted_by_name_as_well() {
    let fixture = fixture().await;
    fixture.create_group("web").await;
    let by_name = |name: &str| GroupReference {
        group_id: None,
        group_name: Some(name.into()),
    };
    fixture
        .ec2()
        .delete_security_group(by_name("WEB "))
        .await
        .unwrap();
    for (reference, part) in [
        (
            by_name("web"),
            "The security group 'web' does not exist in the default VPC",
        ),
        (
            by_name("default"),
            "name: \"default\" cannot be deleted by a user",
        ),
        (GroupReference::default(), "parameter groupId"),
        (
            GroupReference {
                group_id: Some("web".into()),
                group_name: None,
            },
            "Invalid id: \"web\" (expecting \"sg-...\")",
        ),
    ] {
        refused(fixture.ec2().delete_security_group(reference).await, part);
    }
}

/// Stores from before names were compared without their case have groups whose names are the same today.
#[tokio::test]
async fn of_groups_with_the_same_name_it_is_the_one_called_exactly_so() {
    let fixture = fixture().await;
    let first = fixture.create_group("first").await;
    let mut ids = vec![first.id.clone()];
    for name in ["second", "third"] {
        ids.push(fixture.create_group(name).await.id.clone());
    }
    let store = |id: &SecurityGroupId, name: &str| SecurityGroup {
        id: id.clone(),
        name: name.to_owned(),
        ..(*first).clone()
    };
    ids.sort();
    let [upper, spaced, lower] =
        [(0, "Web"), (1, "web "), (2, "web")].map(|(at, name)| store(&ids[at], name));
    let stored = [upper.clone(), spaced.clone(), lower.clone()];
    fixture
        .control
        .transact(move |draft| {
            for group in stored {
                draft.put(group);
            }
            Ok::<_, CommitError>(())
        })
        .await
        .unwrap();
    for (name, expected) in [
        ("web", &lower),
        ("web ", &spaced),
        ("Web", &upper),
        ("WEB", &upper),
    ] {
        assert_eq!(*fixture.group(name), *expected, "{name:?}");
    }
    for group in [lower, upper] {
        let deleted = fixture.ec2().delete_security_group(by_id(&group)).await;
        deleted.expect("nothing carries it");
    }
    assert_eq!(*fixture.group("Web"), spaced, "its spaces do not count");
    let again = fixture.ec2().create_security_group(named("web")).await;
    refused(again, "The security group 'web' already exists");
}

#[tokio::test]
async fn groups_are_found_by_what_they_are_and_allow() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let default = fixture.group("default");
    let found = |filters: &[(&str, &str)]| {
        let request = DescribeSecurityGroups {
            filters: filters
                .iter()
                .map(|(name, value)| filter(name, value))
                .collect(),
            ..Default::default()
        };
        let page = fixture.ec2().describe_security_groups(&request).unwrap();
        page.items
            .iter()
            .map(|group| group.name.clone())
            .collect::<Vec<_>>()
    };
    for (name, value) in [
        ("group-id", web.id.as_str()),
        ("group-name", "w?b"),
        ("description", "for a *"),
    ] {
        assert_eq!(found(&[(name, value)]), ["web"], "{name}={value}");
    }
    for (name, value) in [
        ("ip-permission.cidr", "127.0.0.0/8"),
        ("ip-permission.group-id", default.id.as_str()),
        ("ip-permission.protocol", "-1"),
        ("ip-permission.user-id", "123456789012"),
    ] {
        assert_eq!(found(&[(name, value)]), ["default"], "{name}={value}");
    }
    assert_eq!(
        found(&[("egress.ip-permission.cidr", "0.0.0.0/0")]).len(),
        2
    );
    assert_eq!(found(&[("ip-permission.prefix-list-id", "*")]), [""; 0]);
    assert_eq!(
        found(&[("vpc-id", web.vpc_id.as_str()), ("owner-id", "1*")]).len(),
        2
    );
    let missing = DescribeSecurityGroups {
        group_ids: texts(&["sg-00000000000000000"]),
        ..Default::default()
    };
    refused(
        fixture.ec2().describe_security_groups(&missing),
        "The security group 'sg-00000000000000000' does not exist",
    );
}

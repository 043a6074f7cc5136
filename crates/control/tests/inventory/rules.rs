//! Authorize and Revoke of security group rules, DescribeSecurityGroupRules.

use std::sync::Arc;

use control::ec2::security_group_rules::{
    AuthorizeSecurityGroup, DescribeSecurityGroupRules, GroupPair, IpPermission, IpRange,
    RevokeSecurityGroup,
};
use control::ec2::security_groups::{CreateSecurityGroup, DescribeSecurityGroups, GroupReference};
use control::ec2::vpcs::CreateVpc;
use control::ec2::{Ec2Error, TagSpecification};
use model::ec2::{Direction, Peer, SecurityGroup, SecurityGroupRule};

use crate::support::{Fixture, filter, fixture, refused, texts};

/// The default of `rules_per_security_group`.
const RULES_MAX: i64 = 60;

fn tcp(port: i64, blocks: &[&str]) -> IpPermission {
    let range = |block: &&str| IpRange {
        cidr: (*block).to_owned(),
        description: None,
    };
    IpPermission {
        protocol: Some("tcp".to_owned()),
        from_port: Some(port),
        to_port: Some(port),
        ipv4_ranges: blocks.iter().map(range).collect(),
        ..Default::default()
    }
}

fn from_group(group: &SecurityGroup) -> IpPermission {
    let pair = GroupPair {
        group: reference(group),
        ..Default::default()
    };
    IpPermission {
        groups: vec![pair],
        ..tcp(80, &[])
    }
}

fn reference(group: &SecurityGroup) -> GroupReference {
    GroupReference {
        group_id: Some(group.id.to_string()),
        group_name: None,
    }
}

fn authorize(group: &SecurityGroup, permissions: Vec<IpPermission>) -> AuthorizeSecurityGroup {
    AuthorizeSecurityGroup {
        group: reference(group),
        direction: Direction::Ingress,
        permissions,
        tag_specifications: vec![],
    }
}

fn revoke(
    group: &SecurityGroup,
    permissions: Vec<IpPermission>,
    rule_ids: &[&str],
) -> RevokeSecurityGroup {
    RevokeSecurityGroup {
        group: reference(group),
        direction: Direction::Ingress,
        permissions,
        rule_ids: texts(rule_ids),
    }
}

async fn add(
    fixture: &Fixture,
    group: &SecurityGroup,
    permissions: Vec<IpPermission>,
) -> Result<Vec<String>, Ec2Error> {
    let rules = fixture
        .ec2()
        .authorize_security_group(authorize(group, permissions))
        .await?;
    Ok(rules.iter().map(|it| it.rule.id.to_string()).collect())
}

#[tokio::test]
async fn a_permission_becomes_a_rule_for_each_peer() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let ids = add(
        &fixture,
        &web,
        vec![tcp(80, &["10.1.2.3/8", "11.0.0.0/8"]), from_group(&web)],
    )
    .await
    .unwrap();
    assert_eq!(ids.len(), 3);
    let group = fixture.group("web");
    assert_eq!(group.rules.len(), 4, "the egress rule is still there");
    assert_eq!(
        format!("{:?}", group.rules[1].peer),
        "Block(Cidr { network: 10.0.0.0, prefix_length: 8 })"
    );
}

#[tokio::test]
async fn permissions_that_break_a_rule_change_nothing() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    add(&fixture, &web, vec![tcp(80, &["10.0.0.0/8"])])
        .await
        .unwrap();
    let before = fixture.group("web");
    let without = |protocol: Option<&str>| IpPermission {
        protocol: protocol.map(str::to_owned),
        ..tcp(81, &["10.0.0.0/8"])
    };
    let other_account = IpPermission {
        groups: vec![GroupPair {
            group: reference(&web),
            user_id: Some("999999999999".to_owned()),
            ..Default::default()
        }],
        ..tcp(81, &[])
    };
    let v6_as_v4 = tcp(81, &["2001:db8::/32"]);
    let many = (0..=RULES_MAX).map(|port| tcp(port, &["12.0.0.0/8"]));
    for (permissions, part) in [
        (
            vec![tcp(81, &["10.0.0.0/8"]), tcp(80, &["10.9.9.9/8"])],
            "the specified rule \"peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW\" already exists",
        ),
        (
            vec![tcp(81, &["10.0.0.0/8", "10.1.1.1/8"])],
            "must not appear multiple times",
        ),
        (
            vec![tcp(81, &["10.0.0.0"])],
            "CIDR block 10.0.0.0 is malformed",
        ),
        (vec![v6_as_v4], "CIDR block 2001:db8::/32 is malformed"),
        (vec![tcp(65_536, &["10.0.0.0/8"])], "'65536' for portRange"),
        (vec![tcp(81, &[])], "Missing source specification"),
        (vec![without(None)], "parameter ipProtocol"),
        (vec![without(Some("sctp?"))], "Unknown protocol"),
        (vec![other_account], "does not exist"),
        (vec![], "parameter ipPermissions"),
        (many.collect(), "60 in each direction"),
    ] {
        refused(add(&fixture, &web, permissions).await, part);
    }
    assert_eq!(fixture.group("web"), before);
}

#[tokio::test]
async fn the_limit_counts_each_direction_by_itself() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let full = (0..RULES_MAX).map(|port| tcp(port, &["12.0.0.0/8"]));
    add(&fixture, &web, full.collect()).await.unwrap();
    refused(
        add(&fixture, &web, vec![tcp(99, &["12.0.0.0/8"])]).await,
        "60 in each direction",
    );
    let egress = AuthorizeSecurityGroup {
        direction: Direction::Egress,
        ..authorize(&web, vec![tcp(99, &["12.0.0.0/8"])])
    };
    fixture
        .ec2()
        .authorize_security_group(egress)
        .await
        .unwrap();
}

#[tokio::test]
async fn rules_are_revoked_by_what_they_allow_or_by_id() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let ids = add(&fixture, &web, vec![tcp(80, &["10.0.0.0/8", "11.0.0.0/8"])])
        .await
        .unwrap();
    let described = IpPermission {
        ipv4_ranges: vec![IpRange {
            cidr: "10.0.0.0/8".to_owned(),
            description: Some("another one".to_owned()),
        }],
        ..tcp(80, &[])
    };
    let request = revoke(&web, vec![described], &[&ids[1]]);
    let revoked = fixture.ec2().revoke_security_group(request).await.unwrap();
    let removed = revoked.removed.iter().map(|it| it.rule.id.to_string());
    assert_eq!(removed.collect::<Vec<_>>(), ids);
    assert_eq!(revoked.unknown, []);
    assert_eq!(fixture.group("web").rules.len(), 1);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_revoked() {
    let fixture = fixture().await;
    let web = group_of_another_vpc(&fixture).await;
    let ids = add(&fixture, &web, vec![tcp(80, &["10.0.0.0/8"])])
        .await
        .unwrap();
    let now = || {
        let request = DescribeSecurityGroups {
            group_ids: vec![web.id.to_string()],
            ..DescribeSecurityGroups::default()
        };
        let page = fixture.ec2().describe_security_groups(&request).unwrap();
        page.items[0].clone()
    };
    let before = now();
    let egress = before.rules[0].id.to_string();
    let there = tcp(80, &["10.0.0.0/8"]);
    for (permissions, rule_ids, part) in [
        (
            vec![tcp(81, &["10.0.0.0/8"])],
            vec![],
            "The specified rule does not exist in this security group.",
        ),
        (
            vec![there.clone(), tcp(80, &["11.0.0.0/8"])],
            vec![],
            "does not exist in this security group",
        ),
        (
            vec![there.clone()],
            vec![&*ids[0]],
            "The security group rule ID",
        ),
        (
            vec![],
            vec!["sgr-00000000000000000"],
            "ID 'sgr-00000000000000000' does not exist",
        ),
        (vec![], vec!["sgr-x"], "Invalid id"),
        (vec![], vec![&*egress], "does not exist"),
        (
            vec![],
            vec![],
            "Either 'ipPermissions' or 'securityGroupRuleIds'",
        ),
    ] {
        let outcome = fixture
            .ec2()
            .revoke_security_group(revoke(&web, permissions, &rule_ids))
            .await;
        refused(outcome, part);
    }
    assert_eq!(now(), before);
}

async fn group_of_another_vpc(fixture: &Fixture) -> Arc<SecurityGroup> {
    let vpc = CreateVpc {
        cidr_block: Some("10.9.0.0/16".to_owned()),
        ..CreateVpc::default()
    };
    let vpc = fixture.ec2().create_vpc(vpc).await.unwrap();
    let group = CreateSecurityGroup {
        group_name: Some("web".to_owned()),
        description: Some("for the web".to_owned()),
        vpc_id: Some(vpc.id.to_string()),
        ..CreateSecurityGroup::default()
    };
    fixture.ec2().create_security_group(group).await.unwrap()
}

#[tokio::test]
async fn what_a_group_of_the_default_vpc_does_not_allow_is_left_out() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let allowed = tcp(80, &["10.0.0.0/8"]);
    let ids = add(&fixture, &web, vec![allowed.clone()]).await.unwrap();
    let both = vec![tcp(81, &["11.0.0.0/8"]), allowed];
    let request = revoke(&web, both.clone(), &[]);
    let revoked = fixture.ec2().revoke_security_group(request).await.unwrap();
    let removed = revoked.removed.iter().map(|it| it.rule.id.to_string());
    assert_eq!(removed.collect::<Vec<_>>(), ids);
    let unknown = |rule: &SecurityGroupRule| (rule.traffic.range(), rule.peer.clone());
    let block = |text: &str| Peer::Block(text.parse().unwrap());
    let other = (Some((81, 81)), block("11.0.0.0/8"));
    let unknown: Vec<_> = revoked.unknown.iter().map(unknown).collect();
    assert_eq!(unknown, [other]);
    let request = revoke(&web, both, &[]);
    let again = fixture.ec2().revoke_security_group(request).await.unwrap();
    assert_eq!((again.removed.len(), again.unknown.len()), (0, 2));
    let by_id = revoke(&web, vec![], &[&ids[0]]);
    refused(
        fixture.ec2().revoke_security_group(by_id).await,
        "The security group rule ID",
    );
}

#[tokio::test]
async fn a_group_that_another_one_names_stays() {
    let fixture = fixture().await;
    let (web, app) = (
        fixture.create_group("web").await,
        fixture.create_group("app").await,
    );
    add(&fixture, &web, vec![from_group(&web)]).await.unwrap();
    add(&fixture, &app, vec![from_group(&web)]).await.unwrap();
    let delete = async || fixture.ec2().delete_security_group(reference(&web)).await;
    refused(delete().await, "has a dependent object");
    let request = revoke(&app, vec![from_group(&web)], &[]);
    fixture.ec2().revoke_security_group(request).await.unwrap();
    delete().await.expect("its own rule does not hold it");
}

#[tokio::test]
async fn rules_are_described_by_group_and_tag() {
    let fixture = fixture().await;
    let web = fixture.create_group("web").await;
    let tagged = AuthorizeSecurityGroup {
        tag_specifications: vec![TagSpecification {
            resource_type: "security-group-rule".to_owned(),
            tags: vec![("Name".to_owned(), "in".to_owned())],
        }],
        ..authorize(&web, vec![tcp(80, &["10.0.0.0/8"])])
    };
    let made = fixture
        .ec2()
        .authorize_security_group(tagged)
        .await
        .unwrap();
    let found = |name: &str, value: &str| {
        let request = DescribeSecurityGroupRules {
            filters: vec![filter(name, value)],
            ..Default::default()
        };
        fixture
            .ec2()
            .describe_security_group_rules(&request)
            .map(|page| page.items)
    };
    assert_eq!(found("group-id", web.id.as_str()).unwrap().len(), 2);
    assert_eq!(found("tag:Name", "in").unwrap(), made);
    assert_eq!(
        found("security-group-rule-id", made[0].rule.id.as_str()).unwrap(),
        made
    );
    refused(found("vpc-id", "*"), "The filter 'vpc-id' is invalid");
}

//! Security groups toward targets: what of a change reaches the data plane, and that what it does not touch stays.

use std::sync::Arc;

use control::ec2::Run;
use control::ec2::instance_attributes::{InstanceChange, ModifyInstanceAttribute};
use control::ec2::prefix_lists::{CreateManagedPrefixList, EntryInput, ModifyManagedPrefixList};
use control::ec2::security_group_rules::{
    AuthorizeSecurityGroup, DescribeSecurityGroupRules, GroupPair, IpPermission,
    PrefixListReference, RevokeSecurityGroup,
};
use control::ec2::security_groups::CreateSecurityGroup;
use control::elb::set_security_groups::SetSecurityGroups;
use engine::Reach;
use model::ec2::Direction;
use model::id::TargetGroupId;
use model::load_balancer::LoadBalancer;
use model::target_group::TargetType;

use crate::support::{Fixture, fixed, fixture, forward, group_reference, permission};

const NOTHING: Reach = Reach {
    admits_requests: false,
    admits_checks: false,
};

/// A load balancer with a group of its own, and a target group of one instance with a group of its own: requests go to
/// port 8080, checks to 8081.
struct Scene {
    fixture: Fixture,
    load_balancer: Arc<LoadBalancer>,
    web: String,
    app: String,
    instance: String,
}

impl Scene {
    async fn new() -> Self {
        let fixture = fixture().await;
        let (web, app) = (group(&fixture, "web").await, group(&fixture, "app").await);
        let mut input = fixture.load_balancer_input("shop");
        input.security_groups = vec![web.clone()];
        let made = fixture.control.create_load_balancer(input).await.unwrap();
        let instance = fixture.instance("127.65.1.77").await;
        let mut input = fixture.target_group_input("app");
        input.health_check.port = Some("8081".to_owned());
        let made_group = fixture.control.create_target_group(input).await.unwrap();
        let target_group = made_group.target_group.arn.to_string();
        fixture.register(&target_group, &[&instance]).await.unwrap();
        fixture
            .listener(&made.load_balancer, 80, forward(&target_group))
            .await;
        let scene = Self {
            fixture,
            load_balancer: made.load_balancer,
            web,
            app,
            instance,
        };
        scene.carry(&scene.app).await;
        scene
    }

    /// Has the instance carry this group alone.
    async fn carry(&self, group: &str) {
        let request = ModifyInstanceAttribute {
            instance_id: self.instance.clone(),
            change: InstanceChange::Groups(vec![group.to_owned()]),
        };
        let ec2 = self.fixture.control.ec2(Run::Wet);
        ec2.modify_instance_attribute(request).await.unwrap();
    }

    async fn allow(&self, group: &str, direction: Direction, permissions: Vec<IpPermission>) {
        let request = AuthorizeSecurityGroup {
            group: group_reference(group),
            direction,
            permissions,
            tag_specifications: vec![],
        };
        let ec2 = self.fixture.control.ec2(Run::Wet);
        ec2.authorize_security_group(request).await.unwrap();
    }

    /// Takes away all rules of a group for one direction.
    async fn deny(&self, group: &str, direction: Direction) {
        let ec2 = self.fixture.control.ec2(Run::Wet);
        let rules = ec2.describe_security_group_rules(&DescribeSecurityGroupRules::default());
        let rules = rules.unwrap().items.into_iter();
        let its =
            rules.filter(|it| it.group_id.as_str() == group && it.rule.direction == direction);
        let request = RevokeSecurityGroup {
            group: group_reference(group),
            direction,
            permissions: vec![],
            rule_ids: its.map(|it| it.rule.id.to_string()).collect(),
        };
        ec2.revoke_security_group(request).await.unwrap();
    }

    /// That of the only target of the first pool.
    fn reach(&self) -> Reach {
        self.fixture.plane.live().pools[0].endpoints[0].reach
    }
}

async fn group(fixture: &Fixture, name: &str) -> String {
    let request = CreateSecurityGroup {
        group_name: Some(name.to_owned()),
        description: Some("for a test".to_owned()),
        ..CreateSecurityGroup::default()
    };
    let ec2 = fixture.control.ec2(Run::Wet);
    let made = ec2.create_security_group(request).await.unwrap();
    made.id.to_string()
}

/// TCP to `port` for the members of `group`.
fn members(port: i64, group: &str) -> Vec<IpPermission> {
    let mut permissions = permission(port, "0.0.0.0/0");
    permissions[0].ipv4_ranges.clear();
    permissions[0].groups = vec![GroupPair {
        group: group_reference(group),
        ..GroupPair::default()
    }];
    permissions
}

#[tokio::test]
async fn requests_and_checks_are_judged_by_their_ports() {
    let scene = Scene::new().await;
    assert_eq!(scene.reach(), NOTHING, "a new group lets nobody in");
    let ingress = Direction::Ingress;
    let by_group = members(8081, &scene.web);
    scene.allow(&scene.app, ingress, by_group).await;
    let checks_only = Reach {
        admits_requests: false,
        admits_checks: true,
    };
    assert_eq!(scene.reach(), checks_only);
    let by_address = permission(8080, "127.65.0.0/16");
    scene.allow(&scene.app, ingress, by_address).await;
    assert_eq!(scene.reach(), Reach::FULL);
    let again = scene.fixture.restart().await;
    assert_eq!(
        again.plane.live().pools[0].endpoints[0].reach,
        Reach::FULL,
        "after a restart"
    );
    scene.deny(&scene.web, Direction::Egress).await;
    assert_eq!(scene.reach(), NOTHING, "nothing goes out");
    let out = members(8080, &scene.app);
    scene.allow(&scene.web, Direction::Egress, out).await;
    let requests_only = Reach {
        admits_requests: true,
        admits_checks: false,
    };
    assert_eq!(scene.reach(), requests_only);
}

#[tokio::test]
async fn the_groups_that_both_sides_carry_count_at_once() {
    let scene = Scene::new().await;
    let front = group(&scene.fixture, "front").await;
    let by_group = members(8080, &front);
    scene.allow(&scene.app, Direction::Ingress, by_group).await;
    assert!(!scene.reach().admits_requests);
    let input = |groups: &[&String]| SetSecurityGroups {
        load_balancer_arn: scene.load_balancer.arn.to_string(),
        security_groups: groups.iter().map(|group| (*group).clone()).collect(),
        enforce_on_private_link_traffic: None,
    };
    let control = &scene.fixture.control;
    control
        .set_security_groups(input(&[&scene.web, &front]))
        .await
        .unwrap();
    assert!(scene.reach().admits_requests);
    scene.carry(&scene.web).await;
    assert!(!scene.reach().admits_requests);
    scene.carry(&scene.app).await;
    assert!(scene.reach().admits_requests);
}

#[tokio::test]
async fn a_prefix_list_counts_with_its_present_entries() {
    let scene = Scene::new().await;
    let control = &scene.fixture.control;
    let entry = || EntryInput {
        cidr: "127.65.0.0/16".to_owned(),
        description: None,
    };
    let request = CreateManagedPrefixList {
        name: "inside".to_owned(),
        family: "IPv4".to_owned(),
        entries_max: Some(5),
        ..CreateManagedPrefixList::default()
    };
    let ec2 = control.ec2(Run::Wet);
    let list = ec2.create_managed_prefix_list(request).await.unwrap();
    let mut by_list = permission(8080, "0.0.0.0/0");
    by_list[0].ipv4_ranges.clear();
    by_list[0].prefix_lists = vec![PrefixListReference {
        id: list.id.to_string(),
        description: None,
    }];
    scene.allow(&scene.app, Direction::Ingress, by_list).await;
    assert!(!scene.reach().admits_requests);
    let change = |add, remove, version| ModifyManagedPrefixList {
        prefix_list_id: list.id.to_string(),
        current_version: Some(version),
        add,
        remove,
        ..ModifyManagedPrefixList::default()
    };
    let added = change(vec![entry()], vec![], 1);
    ec2.modify_managed_prefix_list(added).await.unwrap();
    assert!(scene.reach().admits_requests);
    let removed = change(vec![], vec![entry().cidr], 2);
    ec2.modify_managed_prefix_list(removed).await.unwrap();
    assert!(!scene.reach().admits_requests);
}

#[tokio::test]
async fn what_is_dropped_is_told_once_for_all_targets_that_are_alike() {
    let scene = Scene::new().await;
    let control = &scene.fixture.control;
    let told = || {
        let dropped = control.dropped_connections(None);
        let mut told: Vec<_> = dropped
            .iter()
            .map(|it| {
                let uses = (it.is_for_requests, it.is_for_checks);
                (it.port, uses, it.denied_by, it.targets.len())
            })
            .collect();
        told.sort_by_key(|it| it.0);
        told
    };
    let (requests, checks) = ((true, false), (false, true));
    let target_group = scene.fixture.plane.live().pools[0].id.0;
    let target_group = control.dropped_connections(Some(TargetGroupId(target_group)))[0]
        .target_group
        .to_string();
    for last in 80..84 {
        let instance = scene.fixture.instance(&format!("127.65.1.{last}")).await;
        let request = ModifyInstanceAttribute {
            instance_id: instance.clone(),
            change: InstanceChange::Groups(vec![scene.app.clone()]),
        };
        let ec2 = control.ec2(Run::Wet);
        ec2.modify_instance_attribute(request).await.unwrap();
        scene
            .fixture
            .register(&target_group, &[&instance])
            .await
            .unwrap();
    }
    let ingress = Direction::Ingress;
    assert_eq!(
        told(),
        [(8080, requests, ingress, 5), (8081, checks, ingress, 5)]
    );
    let by_group = members(8081, &scene.web);
    scene.allow(&scene.app, ingress, by_group).await;
    assert_eq!(told(), [(8080, requests, ingress, 5)]);
    scene.deny(&scene.web, Direction::Egress).await;
    let out = permission(8080, "127.65.1.80/30");
    scene.allow(&scene.web, Direction::Egress, out).await;
    let dropped = control.dropped_connections(None);
    let by = |direction, port| {
        let mut its = dropped
            .iter()
            .filter(|it| (it.denied_by, it.port) == (direction, port));
        its.next().map(|it| it.targets.len())
    };
    assert_eq!(by(Direction::Egress, 8080), Some(1));
    assert_eq!(by(ingress, 8080), Some(4));
    assert_eq!(by(Direction::Egress, 8081), Some(5));
    assert_eq!(dropped.len(), 3);
    let elsewhere = control.dropped_connections(Some(TargetGroupId(1)));
    assert_eq!(elsewhere, [], "of another target group");
}

#[tokio::test]
async fn an_address_has_the_groups_of_the_instance_that_has_it() {
    let scene = Scene::new().await;
    let fixture = &scene.fixture;
    let mut input = fixture.target_group_input("addresses");
    input.target_type = Some(TargetType::Ip);
    let made = fixture.control.create_target_group(input).await.unwrap();
    let addresses = made.target_group.arn.to_string();
    fixture
        .register(&addresses, &["127.65.2.50"])
        .await
        .unwrap();
    let shop = &scene.load_balancer;
    fixture.listener(shop, 81, forward(&addresses)).await;
    let reach = || {
        let snapshot = fixture.plane.live();
        let endpoints = snapshot.pools.iter().flat_map(|pool| &pool.endpoints);
        let mut its = endpoints.filter(|it| it.address.ip().to_string() == "127.65.2.50");
        its.next().expect("it is a target").reach
    };
    assert_eq!(reach(), Reach::FULL, "it is no instance");
    let instance = fixture.instance("127.65.2.50").await;
    assert_eq!(reach(), Reach::FULL, "the default group admits its VPC");
    let request = ModifyInstanceAttribute {
        instance_id: instance.clone(),
        change: InstanceChange::Groups(vec![scene.app.clone()]),
    };
    let ec2 = fixture.control.ec2(Run::Wet);
    ec2.modify_instance_attribute(request).await.unwrap();
    assert_eq!(reach(), NOTHING);
    ec2.terminate_instances(vec![instance]).await.unwrap();
    assert_eq!(reach(), Reach::FULL, "it is no instance any more");
}

#[tokio::test]
async fn what_rules_do_not_change_is_taken_over() {
    let scene = Scene::new().await;
    let fixture = &scene.fixture;
    let (quiet, other) = (fixture.load_balancer("quiet").await, "127.65.1.88");
    let group = fixture.group("quiet").await;
    let instance = fixture.instance(other).await;
    fixture.register(&group, &[&instance]).await.unwrap();
    fixture.listener(&quiet, 80, forward(&group)).await;
    fixture.listener(&quiet, 81, fixed("200")).await;
    let before = fixture.plane.live();
    let in_from_web = members(8080, &scene.web);
    scene
        .allow(&scene.app, Direction::Ingress, in_from_web)
        .await;
    let after = fixture.plane.live();
    let kept = |at: usize| Arc::ptr_eq(&before.pools[at], &after.pools[at]);
    let touched = after.pools.iter().position(|pool| {
        let address = pool.endpoints[0].address.ip();
        address.to_string() == "127.65.1.77"
    });
    let touched = touched.expect("the pool of the first load balancer");
    assert!(!kept(touched) && kept(1 - touched));
    let (old, new) = (&before.pools[touched], &after.pools[touched]);
    assert!(
        Arc::ptr_eq(&old.endpoints[0].state, &new.endpoints[0].state),
        "what is known about the target stays"
    );
    let rebuilt = before.frontends.iter().zip(&after.frontends);
    let rebuilt = rebuilt.filter(|(old, new)| !Arc::ptr_eq(old, new));
    assert_eq!(rebuilt.count(), 1, "the frontend that forwards to the pool");
    // A rule that nobody's packets need.
    let useless = permission(9, "10.0.0.0/8");
    scene.allow(&scene.app, Direction::Ingress, useless).await;
    let last = fixture.plane.live();
    let mut pools = after.pools.iter().zip(&last.pools);
    assert!(pools.all(|(old, new)| Arc::ptr_eq(old, new)));
}

//! A change of the inventory that load balancers depend on is live when the call returns.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use control::ec2::Run;
use control::ec2::instance_attributes::{InstanceChange, ModifyInstanceAttribute};
use control::ec2::prefix_lists::{CreateManagedPrefixList, EntryInput, ModifyManagedPrefixList};
use control::ec2::security_group_rules::{
    AuthorizeSecurityGroup, GroupPair, IpPermission, IpRange, PrefixListReference,
    RevokeSecurityGroup,
};
use control::ec2::security_groups::GroupReference;
use control::elb::create_listener::CreateListener;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::input::{Action, ActionType, TargetDescription};
use control::elb::register_targets::RegisterTargets;
use control::{BindError, Control, DataPlane, PlaneFuture, Settings};
use engine::{Admission, Snapshot};
use model::ec2::{Direction, SecurityGroup};
use model::protocol::Protocol;
use model::target_group::TargetType;

use crate::support::{Fixture, at, open_with, refused, texts};

/// Remembers what it serves.
#[derive(Default)]
struct Recorder(Mutex<Arc<Snapshot>>);

impl DataPlane for Recorder {
    fn prepare(&self, _: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        Box::pin(async { Ok(()) })
    }

    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        *self.0.lock().unwrap() = snapshot;
        Box::pin(async {})
    }

    fn cut(&self, _: Vec<u64>) -> PlaneFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Recorder {
    /// Who may connect to the only listener.
    fn admission(&self) -> Admission {
        self.0.lock().unwrap().frontends[0].admission.clone()
    }

    /// The targets of the only target group.
    fn targets(&self) -> Vec<SocketAddr> {
        let snapshot = Arc::clone(&self.0.lock().unwrap());
        snapshot.pools[0]
            .endpoints
            .iter()
            .map(|endpoint| endpoint.address)
            .collect()
    }
}

/// A listener on port 80 that forwards to port 8080 of `instance`; its load balancer carries `group`, or
/// the default group.
async fn listener(control: &Control, group: Option<&SecurityGroup>, instance: &str) {
    let ec2 = control.ec2(Run::Wet);
    let subnets = ec2.describe_subnets(&Default::default()).unwrap().items;
    let load_balancer = CreateLoadBalancer {
        name: "shop".to_owned(),
        subnets: subnets.iter().map(|it| it.subnet.id.to_string()).collect(),
        security_groups: group.iter().map(|group| group.id.to_string()).collect(),
        ..Default::default()
    };
    let load_balancer = control.create_load_balancer(load_balancer).await.unwrap();
    let target_group = CreateTargetGroup {
        name: "web".to_owned(),
        protocol: Some(Protocol::Http),
        port: Some(8080),
        vpc_id: Some(subnets[0].subnet.vpc_id.to_string()),
        target_type: Some(TargetType::Instance),
        ..Default::default()
    };
    let target_group = control.create_target_group(target_group).await.unwrap();
    let target_group_arn = target_group.target_group.arn.to_string();
    let targets = RegisterTargets {
        target_group_arn: target_group_arn.clone(),
        targets: vec![TargetDescription {
            id: instance.to_owned(),
            ..Default::default()
        }],
    };
    control.register_targets(targets).await.unwrap();
    let forward = Action {
        target_group_arn: Some(target_group_arn),
        ..Action::new(ActionType::Forward)
    };
    let listener = CreateListener {
        load_balancer_arn: load_balancer.load_balancer.arn.to_string(),
        protocol: Some(Protocol::Http),
        port: Some(80),
        default_actions: vec![forward],
        ..Default::default()
    };
    control.create_listener(listener).await.unwrap();
}

async fn fixture() -> (Fixture, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let plane = Arc::clone(&recorder) as Arc<dyn DataPlane>;
    let fixture = open_with(Arc::default(), plane, Settings::default())
        .await
        .unwrap();
    (fixture, recorder)
}

fn only(blocks: &[&str]) -> Admission {
    Admission::Only(blocks.iter().map(|block| block.parse().unwrap()).collect())
}

fn permission(block: Option<&str>, group: Option<&SecurityGroup>) -> Vec<IpPermission> {
    let range = |block: &str| IpRange {
        cidr: block.to_owned(),
        description: None,
    };
    let pair = |group: &SecurityGroup| GroupPair {
        group: reference(group),
        ..Default::default()
    };
    vec![IpPermission {
        protocol: Some("tcp".to_owned()),
        from_port: Some(80),
        to_port: Some(80),
        ipv4_ranges: block.map(range).into_iter().collect(),
        groups: group.map(pair).into_iter().collect(),
        ..Default::default()
    }]
}

fn reference(group: &SecurityGroup) -> GroupReference {
    GroupReference {
        group_id: Some(group.id.to_string()),
        group_name: None,
    }
}

async fn authorize(fixture: &Fixture, group: &SecurityGroup, permissions: Vec<IpPermission>) {
    let request = AuthorizeSecurityGroup {
        group: reference(group),
        direction: Direction::Ingress,
        permissions,
        tag_specifications: vec![],
    };
    fixture
        .ec2()
        .authorize_security_group(request)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_first_load_balancer_can_be_reached_from_this_machine() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    listener(&fixture.control, None, &instance).await;
    let admission = plane.admission();
    assert!(admission.admits("127.0.0.1".parse().unwrap()));
    assert!(!admission.admits("10.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn the_rules_of_a_group_reach_its_listeners() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    let web = fixture.create_group("web").await;
    listener(&fixture.control, Some(&web), &instance).await;
    assert_eq!(plane.admission(), only(&[]));

    authorize(&fixture, &web, permission(Some("10.0.0.0/8"), None)).await;
    assert_eq!(plane.admission(), only(&["10.0.0.0/8"]));

    authorize(&fixture, &web, permission(Some("0.0.0.0/0"), None)).await;
    assert_eq!(plane.admission(), only(&["0.0.0.0/0"]));

    let revoke = RevokeSecurityGroup {
        group: reference(&web),
        direction: Direction::Ingress,
        permissions: permission(Some("0.0.0.0/0"), None),
        rule_ids: vec![],
    };
    fixture.ec2().revoke_security_group(revoke).await.unwrap();
    assert_eq!(plane.admission(), only(&["10.0.0.0/8"]));
}

#[tokio::test]
async fn a_group_in_a_rule_follows_its_members() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    let (web, clients) = (
        fixture.create_group("web").await,
        fixture.create_group("clients").await,
    );
    listener(&fixture.control, Some(&web), &instance).await;
    authorize(&fixture, &web, permission(None, Some(&clients))).await;
    assert_eq!(plane.admission(), only(&[]));

    let mut client = at("127.65.2.50");
    client.security_group_ids = vec![clients.id.to_string()];
    let client = fixture.launch(client).await;
    assert_eq!(plane.admission(), only(&["127.65.2.50/32"]));

    let id = client.instance.id.to_string();
    fixture.ec2().terminate_instances(vec![id]).await.unwrap();
    assert_eq!(plane.admission(), only(&[]));
}

#[tokio::test]
async fn a_terminated_instance_is_a_target_no_longer() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    listener(&fixture.control, None, &instance).await;
    assert_eq!(plane.targets(), ["127.65.1.77:8080".parse().unwrap()]);
    fixture
        .ec2()
        .terminate_instances(vec![instance])
        .await
        .unwrap();
    assert_eq!(plane.targets(), []);
}

#[tokio::test]
async fn a_stopped_instance_is_a_target_again_when_it_is_started() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    listener(&fixture.control, None, &instance).await;
    let target = ["127.65.1.77:8080".parse().unwrap()];
    assert_eq!(plane.targets(), target);
    let ids = || vec![instance.clone()];
    fixture.ec2().stop_instances(ids()).await.unwrap();
    assert_eq!(plane.targets(), []);
    fixture.ec2().start_instances(ids()).await.unwrap();
    assert_eq!(plane.targets(), target);
}

#[tokio::test]
async fn a_group_follows_what_an_instance_carries() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    let (web, clients) = (
        fixture.create_group("web").await,
        fixture.create_group("clients").await,
    );
    listener(&fixture.control, Some(&web), &instance).await;
    authorize(&fixture, &web, permission(None, Some(&clients))).await;
    let request = ModifyInstanceAttribute {
        instance_id: instance,
        change: InstanceChange::Groups(vec![clients.id.to_string()]),
    };
    fixture
        .ec2()
        .modify_instance_attribute(request)
        .await
        .unwrap();
    assert_eq!(plane.admission(), only(&["127.65.1.77/32"]));
}

#[tokio::test]
async fn a_prefix_list_in_a_rule_stands_for_its_blocks() {
    let (fixture, plane) = fixture().await;
    let instance = fixture.run("127.65.1.77").await;
    let web = fixture.create_group("web").await;
    listener(&fixture.control, Some(&web), &instance).await;
    let entry = |cidr: &str| EntryInput {
        cidr: cidr.to_owned(),
        description: None,
    };
    let create = CreateManagedPrefixList {
        name: "offices".to_owned(),
        family: "IPv4".to_owned(),
        entries_max: Some(5),
        entries: vec![entry("192.0.2.0/24"), entry("198.51.100.7/32")],
        ..Default::default()
    };
    let list = fixture
        .ec2()
        .create_managed_prefix_list(create)
        .await
        .unwrap();
    let mut permissions = permission(None, None);
    permissions[0].prefix_lists = vec![PrefixListReference {
        id: list.id.to_string(),
        description: None,
    }];
    authorize(&fixture, &web, permissions).await;
    assert_eq!(
        plane.admission(),
        only(&["192.0.2.0/24", "198.51.100.7/32"])
    );

    let modify = |current_version, add: &[&str], remove: &[&str]| ModifyManagedPrefixList {
        prefix_list_id: list.id.to_string(),
        current_version: Some(current_version),
        add: add.iter().map(|cidr| entry(cidr)).collect(),
        remove: texts(remove),
        ..Default::default()
    };
    let ec2 = fixture.ec2();
    let change = modify(1, &["203.0.113.0/24"], &["192.0.2.0/24"]);
    ec2.modify_managed_prefix_list(change).await.unwrap();
    assert_eq!(
        plane.admission(),
        only(&["198.51.100.7/32", "203.0.113.0/24"])
    );

    let change = modify(2, &["0.0.0.0/0"], &[]);
    ec2.modify_managed_prefix_list(change).await.unwrap();
    assert_eq!(plane.admission(), only(&["0.0.0.0/0"]));

    let larger = ModifyManagedPrefixList {
        prefix_list_id: list.id.to_string(),
        entries_max: Some(61),
        ..Default::default()
    };
    refused(
        ec2.modify_managed_prefix_list(larger).await,
        "The maximum number of rules per security group has been reached: 60",
    );
}

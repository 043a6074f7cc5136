//! Several accounts in one process: each sees its own resources alone, no two share an address, the data plane
//! serves all of them, and a restart finds them again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use control::access::CreateAccessKey;
use control::accounts::{AccountError, CreateAccount};
use control::ec2::subnets::{CreateSubnet, DescribeSubnets};
use control::ec2::vpcs::CreateVpc;
use control::ec2::{Ec2Error, Run};
use control::elb::create_listener::CreateListener;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::input::{Action, ActionType, TargetDescription};
use control::elb::register_targets::RegisterTargets;
use control::{
    Accounts, BindError, Control, DataPlane, ManualClock, NoPlane, OpenError, Parts, PlaneFuture,
    SecretKey, SequentialIds, Settings,
};
use engine::Snapshot;
use model::Cidr;
use model::access_key::Access;
use model::protocol::Protocol;
use model::target_group::TargetType;
use store::{Memory, Store, Transaction};

const OTHER: &str = "210987654321";

/// Remembers the last snapshot that was published.
#[derive(Default)]
struct Published(Mutex<Arc<Snapshot>>);

impl DataPlane for Published {
    fn prepare(&self, _snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        Box::pin(async { Ok(()) })
    }

    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        *self.0.lock().unwrap() = snapshot;
        Box::pin(async {})
    }

    fn cut(&self, _endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn parts(store: &Arc<Memory>, plane: Arc<dyn DataPlane>) -> Parts {
    Parts {
        store: Arc::clone(store) as Arc<dyn Store>,
        plane,
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(control::NoObjects),
        issuer: None,
        settings: Settings::default(),
    }
}

async fn open(store: &Arc<Memory>) -> Accounts {
    let opened = Accounts::open(parts(store, Arc::new(NoPlane))).await;
    opened.expect("the defaults are in order")
}

fn account(id: &str) -> CreateAccount {
    CreateAccount {
        account_id: id.to_owned(),
        ..Default::default()
    }
}

fn within(id: &str, vpc: &str) -> CreateAccount {
    CreateAccount {
        vpc_cidr: Some(vpc.to_owned()),
        ..account(id)
    }
}

/// The blocks of the subnets, in their order.
fn subnets(control: &Control) -> Vec<String> {
    let page = control
        .ec2(Run::Wet)
        .describe_subnets(&DescribeSubnets::default())
        .unwrap();
    let mut blocks: Vec<Cidr> = page.items.iter().map(|it| it.subnet.cidr).collect();
    blocks.sort();
    blocks.iter().map(ToString::to_string).collect()
}

async fn load_balancer(control: &Control, name: &str) -> String {
    let page = control
        .ec2(Run::Wet)
        .describe_subnets(&DescribeSubnets::default())
        .unwrap();
    let ids = page.items.iter().map(|it| it.subnet.id.to_string());
    let input = CreateLoadBalancer {
        name: name.to_owned(),
        subnets: ids.collect(),
        ..Default::default()
    };
    let made = control.create_load_balancer(input).await.unwrap();
    made.load_balancer.arn.to_string()
}

fn names(control: &Control) -> Vec<String> {
    let names = |state: &control::State| {
        let balancers = state.elb.load_balancers.values();
        balancers.map(|it| it.arn.name.clone()).collect()
    };
    control.read(names)
}

#[tokio::test]
async fn accounts_have_resources_and_addresses_of_their_own() {
    let plane = Arc::new(Published::default());
    let store = Arc::new(Memory::new());
    let accounts = Accounts::open(parts(&store, plane.clone())).await.unwrap();
    let made = accounts.create(account(OTHER)).await.unwrap();
    assert_eq!(made.vpc_cidr.to_string(), "127.67.0.0/16");
    assert_eq!(made.elastic_cidr.unwrap().to_string(), "127.66.1.0/24");
    let (first, other) = (accounts.first(), accounts.of(OTHER).unwrap());
    assert_eq!(subnets(first), ["127.65.1.0/24", "127.65.2.0/24"]);
    assert_eq!(subnets(&other), ["127.67.1.0/24", "127.67.2.0/24"]);
    let of_first = load_balancer(first, "shop").await;
    // The same name is no conflict.
    let of_other = load_balancer(&other, "shop").await;
    load_balancer(&other, "docs").await;
    assert!(of_first.contains(":123456789012:loadbalancer/app/shop/"));
    assert!(of_other.contains(":210987654321:loadbalancer/app/shop/"));
    assert_eq!(names(first), ["shop"]);
    assert_eq!(names(&other).len(), 2);
    // Each has two addresses, and the data plane has those of all.
    assert_eq!(plane.0.lock().unwrap().addresses.len(), 6);
    load_balancer(first, "more").await;
    assert_eq!(plane.0.lock().unwrap().addresses.len(), 8);
}

#[tokio::test]
async fn a_restart_finds_every_account_again() {
    let store = Arc::new(Memory::new());
    let accounts = open(&store).await;
    accounts.create(account(OTHER)).await.unwrap();
    let other = accounts.of(OTHER).unwrap();
    load_balancer(accounts.first(), "shop").await;
    load_balancer(&other, "docs").await;
    let input = CreateAccessKey {
        user_name: Some("ci".to_owned()),
        access: Access::Full,
    };
    let (key, secret) = other.create_access_key(input).await.unwrap();
    let stored = store.range("", None).unwrap();
    let plane = Arc::new(Published::default());
    let again = Accounts::open(parts(&store, plane.clone())).await.unwrap();
    assert_eq!(store.range("", None).unwrap().records, stored.records);
    assert_eq!(again.list(), accounts.list());
    assert_eq!(names(again.first()), ["shop"]);
    assert_eq!(names(&again.of(OTHER).unwrap()), ["docs"]);
    assert_eq!(plane.0.lock().unwrap().addresses.len(), 4);
    let (holder, found, opened) = again.find_access_key(&key.id).unwrap().expect("kept");
    assert_eq!((found, opened), (key, secret));
    assert_eq!(holder.settings().place.account, OTHER);
}

#[tokio::test]
async fn a_subnet_is_never_in_addresses_of_another_account() {
    let accounts = open(&Arc::new(Memory::new())).await;
    accounts.create(account(OTHER)).await.unwrap();
    let other = accounts.of(OTHER).unwrap();
    // Of the first account: its VPC, whether or not a subnet has them, and its Elastic IP addresses.
    for block in ["127.65.1.0/24", "127.65.200.0/24", "127.66.0.128/25"] {
        let vpc = CreateVpc {
            cidr_block: Some(format!("{}/16", block.split('/').next().unwrap())),
            ..Default::default()
        };
        let vpc = other.ec2(Run::Wet).create_vpc(vpc).await.unwrap();
        let request = CreateSubnet {
            vpc_id: Some(vpc.id.to_string()),
            cidr_block: Some(block.to_owned()),
            ..Default::default()
        };
        let refused = other.ec2(Run::Wet).create_subnet(request).await;
        let refused = refused.expect_err(block).to_string();
        assert!(refused.contains("of another account"), "{refused}");
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_are_refused() {
    let store = Arc::new(Memory::new());
    let accounts = open(&store).await;
    accounts.create(account(OTHER)).await.unwrap();
    let before = store.range("", None).unwrap();
    for (input, reason) in [
        (account("12345"), "exactly 12 digits"),
        (account(OTHER), "an account 210987654321 already"),
        (account("123456789012"), "an account 123456789012 already"),
        (within("111111111111", "nowhere"), "'nowhere' cannot be"),
        (within("111111111111", "127.70.0.0/8"), "/16 to /28"),
        (within("111111111111", "fd65::/56"), "/16 to /28"),
        (within("111111111111", "127.65.9.0/24"), "overlaps"),
        (within("111111111111", "127.67.9.0/24"), "overlaps"),
        (within("111111111111", "127.66.1.0/24"), "overlaps"),
        (within("111111111111", "10.1.0.0/16"), "not in 127.0.0.0/8"),
        (within("111111111111", "127.70.0.0/28"), "too small"),
        (
            CreateAccount {
                elastic_cidr: Some("127.70.0.0/24".to_owned()),
                ..within("111111111111", "127.70.0.0/16")
            },
            "overlaps",
        ),
    ] {
        let refused = accounts.create(input.clone()).await.expect_err(reason);
        assert!(!matches!(refused, AccountError::Internal(_)), "{refused:?}");
        assert!(refused.to_string().contains(reason), "{input:?}: {refused}");
    }
    assert_eq!(store.range("", None).unwrap(), before);
    assert!(matches!(
        accounts.of("111111111111"),
        Err(AccountError::NoSuchEntity(_))
    ));
}

#[tokio::test]
async fn only_its_owner_knows_what_is_free_outside_of_loopback() {
    let mut parts = parts(&Arc::new(Memory::new()), Arc::new(NoPlane));
    let topology = &mut parts.settings.topology;
    topology.vpc = "10.65.0.0/16".parse().unwrap();
    topology.elastic = None;
    for (number, zone) in (1..).zip(&mut topology.zones) {
        zone.subnet = format!("10.65.{number}.0/24").parse().ok();
    }
    let accounts = Accounts::open(parts).await.unwrap();
    let refused = accounts.create(account(OTHER)).await.unwrap_err();
    assert!(refused.to_string().contains("needs a VpcCidr"), "{refused}");
    let made = accounts
        .create(within(OTHER, "10.66.0.0/20"))
        .await
        .unwrap();
    assert_eq!(made.elastic_cidr, None);
    let blocks = subnets(&accounts.of(OTHER).unwrap());
    assert_eq!(blocks, ["10.66.0.16/28", "10.66.0.32/28"]);
}

#[tokio::test]
async fn a_zone_that_comes_later_has_no_default_subnet_in_accounts_that_were_there() {
    let store = Arc::new(Memory::new());
    open(&store).await.create(account(OTHER)).await.unwrap();
    let mut parts = parts(&store, Arc::new(NoPlane));
    let mut third = parts.settings.topology.zones[1].clone();
    third.name = "us-east-1c".to_owned();
    third.subnet = "127.65.3.0/24".parse().ok();
    parts.settings.topology.zones.push(third);
    let accounts = Accounts::open(parts).await.unwrap();
    assert_eq!(subnets(accounts.first()).len(), 3);
    let other = accounts.of(OTHER).unwrap();
    assert_eq!(subnets(&other), ["127.67.1.0/24", "127.67.2.0/24"]);
    let ec2 = other.ec2(Run::Wet);
    let zone = || Some("us-east-1c".to_owned());
    let made = ec2.create_default_subnet(zone(), None).await.unwrap();
    assert!(made.subnet.is_default_for_zone);
    assert_eq!(made.subnet.cidr.to_string(), "127.67.3.0/24");
    let again = ec2.create_default_subnet(zone(), None).await;
    assert!(matches!(again, Err(Ec2Error::DefaultSubnetExists { .. })));
}

/// What is in `store` but for the records of all accounts beside the first, as after a crash right behind the record.
fn without_other_accounts(store: &Memory) -> Arc<Memory> {
    let records = store.range("", None).unwrap().records;
    let kept = records
        .into_iter()
        .filter(|it| !it.key.starts_with("account/"));
    let put = |all: Transaction, it: store::Record| all.put(it.key, it.value);
    let crashed = Arc::new(Memory::new());
    crashed
        .transact(kept.fold(Transaction::new(), put))
        .unwrap();
    crashed
}

#[tokio::test]
async fn an_account_that_was_only_recorded_is_made_at_the_next_start() {
    let store = Arc::new(Memory::new());
    let accounts = open(&store).await;
    accounts.create(account(OTHER)).await.unwrap();
    let again = open(&without_other_accounts(&store)).await;
    let other = again.of(OTHER).unwrap();
    assert_eq!(subnets(&other), ["127.67.1.0/24", "127.67.2.0/24"]);
}

#[tokio::test]
async fn accounts_that_are_made_at_once_have_blocks_of_their_own() {
    let store = Arc::new(Memory::new());
    let accounts = open(&store).await;
    let (one, other) = tokio::join!(
        accounts.create(account(OTHER)),
        accounts.create(account("111111111111"))
    );
    assert_ne!(one.unwrap().vpc_cidr, other.unwrap().vpc_cidr);
    assert_eq!(open(&without_other_accounts(&store)).await.all().len(), 3);
}

#[tokio::test]
async fn the_configuration_cannot_take_the_blocks_of_another_account() {
    let store = Arc::new(Memory::new());
    open(&store).await.create(account(OTHER)).await.unwrap();
    let mut parts = parts(&store, Arc::new(NoPlane));
    parts.settings.topology.elastic = "127.67.200.0/24".parse().ok();
    let refused = Accounts::open(parts).await.err().expect("it is taken");
    assert!(
        refused.to_string().contains("addresses of another account"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_is_known_of_targets_is_not_mixed_up() {
    let plane = Arc::new(Published::default());
    let parts = parts(&Arc::new(Memory::new()), plane.clone());
    let accounts = Accounts::open(parts).await.unwrap();
    accounts.create(account(OTHER)).await.unwrap();
    for control in accounts.all() {
        let balancer = load_balancer(&control, "shop").await;
        let vpc = control.read(|state| state.ec2.vpcs.keys().next().cloned().unwrap());
        let group = CreateTargetGroup {
            name: "shop".to_owned(),
            protocol: Some(Protocol::Http),
            port: Some(8080),
            vpc_id: Some(vpc.to_string()),
            target_type: Some(TargetType::Ip),
            ..Default::default()
        };
        let group = control.create_target_group(group).await.unwrap();
        let group = group.target_group.arn.to_string();
        let targets = RegisterTargets {
            target_group_arn: group.clone(),
            targets: vec![TargetDescription {
                id: "10.0.0.1".to_owned(),
                availability_zone: Some("all".to_owned()),
                ..Default::default()
            }],
        };
        control.register_targets(targets).await.unwrap();
        let forward = Action {
            target_group_arn: Some(group),
            ..Action::new(ActionType::Forward)
        };
        let listener = CreateListener {
            load_balancer_arn: balancer,
            protocol: Some(Protocol::Http),
            port: Some(80),
            default_actions: vec![forward],
            ..Default::default()
        };
        control.create_listener(listener).await.unwrap();
    }
    let snapshot = Arc::clone(&plane.0.lock().unwrap());
    let endpoints = snapshot.pools.iter().flat_map(|pool| &pool.endpoints);
    let ids: BTreeSet<u64> = endpoints.map(|it| it.state.id()).collect();
    assert_eq!((snapshot.frontends.len(), ids.len()), (2, 2));
}

#[tokio::test]
async fn the_account_of_the_configuration_is_not_one_of_the_others() {
    let store = Arc::new(Memory::new());
    open(&store).await.create(account(OTHER)).await.unwrap();
    let mut parts = parts(&store, Arc::new(NoPlane));
    parts.settings.place.account = OTHER.to_owned();
    let refused = Accounts::open(parts).await.err().expect("it is both");
    assert!(matches!(refused, OpenError::AccountTwice(_)), "{refused}");
}

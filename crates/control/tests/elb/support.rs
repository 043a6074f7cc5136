//! A control plane with two zones, two instances and a data plane that notes what it is told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::tls_listeners::{secure, tls};
use control::ec2::Run;
use control::ec2::run_instances::RunInstances;
use control::ec2::security_group_rules::{AuthorizeSecurityGroup, IpPermission, IpRange};
use control::ec2::security_groups::GroupReference;
use control::ec2::subnets::DescribeSubnets;
use control::elb::create_listener::CreateListener;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::create_rule::CreateRule;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::describe_target_health::DescribeTargetHealth;
use control::elb::input::{
    Action, ActionType, FixedResponseConfig, PatternConfig, RuleCondition, TargetDescription,
};
use control::elb::register_targets::RegisterTargets;
use control::elb::{ElbError, TargetGroupDescription};
use control::{
    BindError, Clock, Control, DataPlane, IssueError, IssueFuture, Issuer, LocalAuthority,
    ManualClock, Order, Parts, PlaneFuture, SequentialIds, Settings, Signature,
};
use engine::Snapshot;
use model::ec2::Direction;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::protocol::Protocol;
use model::rule::Rule;
use store::{Memory, Range, ReadError, Revision, Store, TransactError, Transaction, Watch};
use testkit::CertificateObjects;

pub(crate) struct Fixture {
    pub(crate) control: Control,
    pub(crate) plane: Arc<Plane>,
    pub(crate) store: Arc<FragileStore>,
    pub(crate) clock: Arc<SharedClock>,
    pub(crate) issuer: Option<Arc<Authority>>,
    pub(crate) subnets: Vec<String>,
    pub(crate) vpc: String,
}

#[derive(Debug, Default)]
pub(crate) struct SharedClock(pub(crate) ManualClock);

impl control::Clock for SharedClock {
    fn now_millis(&self) -> u64 {
        self.0.now_millis()
    }
}

/// Notes what it is told, and refuses to bind while it has a reason to.
#[derive(Default)]
pub(crate) struct Plane {
    pub(crate) refusal: Mutex<Option<io::ErrorKind>>,
    refuses_once: AtomicBool,
    published: Mutex<Vec<Arc<Snapshot>>>,
    cut: Mutex<Vec<u64>>,
}

impl Plane {
    /// The snapshot that is served.
    pub(crate) fn live(&self) -> Arc<Snapshot> {
        let published = self.published.lock().unwrap();
        Arc::clone(published.last().expect("the start publishes"))
    }

    pub(crate) fn cut_ids(&self) -> Vec<u64> {
        self.cut.lock().unwrap().clone()
    }

    /// Refuses to bind what it is told next.
    pub(crate) fn refuse_once(&self, kind: io::ErrorKind) {
        self.refuse(Some(kind));
        self.refuses_once.store(true, Ordering::SeqCst);
    }

    pub(crate) fn refuse(&self, kind: Option<io::ErrorKind>) {
        *self.refusal.lock().unwrap() = kind;
    }
}

impl DataPlane for Plane {
    fn prepare(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, Result<(), BindError>> {
        let refusal = match self.refuses_once.swap(false, Ordering::SeqCst) {
            true => self.refusal.lock().unwrap().take(),
            false => *self.refusal.lock().unwrap(),
        };
        let address = snapshot
            .frontends
            .iter()
            .flat_map(|it| it.addresses.clone())
            .next();
        let mut unused = snapshot.addresses.iter().filter(|it| it.is_ipv6());
        let address = address.or(unused.next().map(|ip| SocketAddr::new(*ip, 0)));
        Box::pin(async move {
            match (refusal, address) {
                (Some(kind), Some(address)) => Err(BindError {
                    address,
                    source: io::Error::new(kind, "refused by the test"),
                }),
                _ => Ok(()),
            }
        })
    }

    fn publish(&self, snapshot: Arc<Snapshot>) -> PlaneFuture<'_, ()> {
        self.published.lock().unwrap().push(snapshot);
        Box::pin(async {})
    }

    fn cut(&self, endpoint_ids: Vec<u64>) -> PlaneFuture<'_, ()> {
        self.cut.lock().unwrap().extend(endpoint_ids);
        Box::pin(async {})
    }
}

/// The local authority, which can be made to fail.
pub(crate) struct Authority {
    local: LocalAuthority,
    failure: Mutex<Option<IssueError>>,
    orders: AtomicUsize,
}

impl Authority {
    fn new(now_millis: u64) -> Self {
        let (local, _) = LocalAuthority::generate(now_millis).expect("there are random numbers");
        Self {
            local,
            failure: Mutex::default(),
            orders: AtomicUsize::default(),
        }
    }

    pub(crate) fn fail(&self, failure: Option<IssueError>) {
        *self.failure.lock().unwrap() = failure;
    }

    /// How often it was asked.
    pub(crate) fn order_count(&self) -> usize {
        self.orders.load(Ordering::SeqCst)
    }
}

impl Issuer for Authority {
    fn signature(&self) -> &Signature {
        self.local.signature()
    }

    fn issue(&self, order: Order) -> IssueFuture<'_> {
        self.orders.fetch_add(1, Ordering::SeqCst);
        match self.failure.lock().unwrap().clone() {
            Some(failure) => Box::pin(async { Err(failure) }),
            None => self.local.issue(order),
        }
    }
}

/// A store in memory that can be made to fail.
#[derive(Default)]
pub(crate) struct FragileStore {
    memory: Memory,
    pub(crate) fails: AtomicBool,
}

impl Store for FragileStore {
    fn revision(&self) -> Result<Revision, ReadError> {
        self.memory.revision()
    }

    fn range(&self, prefix: &str, at: Option<Revision>) -> Result<Range, ReadError> {
        self.memory.range(prefix, at)
    }

    fn transact(&self, transaction: Transaction) -> Result<Revision, TransactError> {
        match self.fails.load(Ordering::SeqCst) {
            true => Err(TransactError::Storage("the disk is full".into())),
            false => self.memory.transact(transaction),
        }
    }

    fn watch(&self, after: Revision) -> Result<Watch, store::Compacted> {
        self.memory.watch(after)
    }
}

/// After the first start, with settings of the test.
pub(crate) async fn fixture_with(change: impl FnOnce(&mut Settings)) -> Fixture {
    let mut settings = Settings::default();
    change(&mut settings);
    let clock = SharedClock(ManualClock::at(1_700_000_000_000));
    let issuer = Authority::new(clock.0.now_millis());
    let (store, issuer) = (Arc::default(), Some(Arc::new(issuer)));
    start(store, Arc::new(clock), issuer, settings, 0).await
}

/// After the first start with the default settings.
pub(crate) async fn fixture() -> Fixture {
    fixture_with(|_| {}).await
}

async fn start(
    store: Arc<FragileStore>,
    clock: Arc<SharedClock>,
    issuer: Option<Arc<Authority>>,
    settings: Settings,
    ids_before: u64,
) -> Fixture {
    let plane = Arc::new(Plane::default());
    let ids = SequentialIds::default();
    for _ in 0..ids_before {
        control::Ids::draw(&ids);
    }
    let parts = Parts {
        store: Arc::clone(&store) as Arc<dyn Store>,
        plane: Arc::clone(&plane) as Arc<dyn DataPlane>,
        clock: Arc::clone(&clock) as Arc<dyn control::Clock>,
        ids: Arc::new(ids),
        secret_key: Arc::new(control::SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(CertificateObjects),
        issuer: issuer.clone().map(|it| it as Arc<dyn Issuer>),
        settings,
    };
    let control = Control::open(parts)
        .await
        .expect("the state can be taken up");
    let subnets = control
        .ec2(Run::Wet)
        .describe_subnets(&DescribeSubnets::default())
        .unwrap();
    let mut subnets = subnets.items;
    subnets.sort_by_key(|described| described.subnet.cidr);
    Fixture {
        control,
        plane,
        store,
        clock,
        issuer,
        vpc: subnets[0].subnet.vpc_id.to_string(),
        subnets: subnets
            .iter()
            .map(|described| described.subnet.id.to_string())
            .collect(),
    }
}

impl Fixture {
    /// The same store and time under another process.
    pub(crate) async fn restart(&self) -> Fixture {
        self.restart_with(self.issuer.clone()).await
    }

    /// The same store and time under another process, with this issuer of certificates.
    pub(crate) async fn restart_with(&self, issuer: Option<Arc<Authority>>) -> Fixture {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        start(store, clock, issuer, self.control.settings().clone(), 1000).await
    }

    /// The same store and time under another process, with other settings.
    pub(crate) async fn restart_changed(&self, change: impl FnOnce(&mut Settings)) -> Fixture {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let mut settings = self.control.settings().clone();
        change(&mut settings);
        start(store, clock, self.issuer.clone(), settings, 1000).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.0.advance(Duration::from_secs(seconds));
    }

    /// Everything that is stored.
    pub(crate) fn stored(&self) -> BTreeMap<String, String> {
        let range = self.store.range("", None).unwrap();
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        range
            .records
            .iter()
            .map(|it| (it.key.clone(), text(&it.value)))
            .collect()
    }

    pub(crate) fn load_balancer_input(&self, name: &str) -> CreateLoadBalancer {
        CreateLoadBalancer {
            name: name.to_owned(),
            subnets: self.subnets.clone(),
            ..CreateLoadBalancer::default()
        }
    }

    pub(crate) async fn load_balancer(&self, name: &str) -> Arc<LoadBalancer> {
        let input = self.load_balancer_input(name);
        self.control
            .create_load_balancer(input)
            .await
            .unwrap()
            .load_balancer
    }

    pub(crate) fn target_group_input(&self, name: &str) -> CreateTargetGroup {
        CreateTargetGroup {
            name: name.to_owned(),
            protocol: Some(Protocol::Http),
            port: Some(8080),
            vpc_id: Some(self.vpc.clone()),
            ..CreateTargetGroup::default()
        }
    }

    pub(crate) async fn target_group(&self, name: &str) -> TargetGroupDescription {
        self.control
            .create_target_group(self.target_group_input(name))
            .await
            .unwrap()
    }

    /// The ARN of a new target group.
    pub(crate) async fn group(&self, name: &str) -> String {
        self.target_group(name).await.target_group.arn.to_string()
    }

    pub(crate) async fn listener(
        &self,
        owner: &LoadBalancer,
        port: i32,
        action: Action,
    ) -> Arc<Listener> {
        self.control
            .create_listener(listener_input(owner, port, action))
            .await
            .unwrap()
    }

    /// A listener that speaks HTTPS, with a certificate of its own.
    pub(crate) async fn https_listener(&self, owner: &LoadBalancer, port: i32) -> Arc<Listener> {
        let certificate = self.certificate("shop").await;
        let input = secure(owner, port, tls(&certificate));
        self.control.create_listener(input).await.unwrap()
    }

    pub(crate) async fn rule(&self, listener: &Listener, priority: i32, path: &str) -> Arc<Rule> {
        let input = rule_input(listener, priority, path);
        self.control.create_rule(input).await.unwrap()
    }

    /// The id of a new instance with this address.
    pub(crate) async fn instance(&self, address: &str) -> String {
        let request = RunInstances {
            min_count: Some(1),
            max_count: Some(1),
            private_address: Some(address.to_owned()),
            ..RunInstances::default()
        };
        let reservation = self
            .control
            .ec2(Run::Wet)
            .run_instances(request)
            .await
            .unwrap();
        reservation[0].instance.id.to_string()
    }

    /// Lets in what `permissions` say.
    pub(crate) async fn authorize(&self, group: &str, permissions: Vec<IpPermission>) {
        let request = AuthorizeSecurityGroup {
            group: group_reference(group),
            direction: Direction::Ingress,
            permissions,
            tag_specifications: vec![],
        };
        let ec2 = self.control.ec2(Run::Wet);
        ec2.authorize_security_group(request).await.unwrap();
    }

    pub(crate) async fn register(&self, group: &str, ids: &[&str]) -> Result<(), ElbError> {
        let input = RegisterTargets {
            target_group_arn: group.to_owned(),
            targets: ids.iter().map(|id| target(id)).collect(),
        };
        self.control.register_targets(input).await
    }

    /// `state reason` of each target of a group.
    pub(crate) async fn health(&self, group: &str) -> Vec<String> {
        let input = DescribeTargetHealth {
            target_group_arn: group.to_owned(),
            ..DescribeTargetHealth::default()
        };
        let described = self.control.describe_target_health(input).await.unwrap();
        let line = |it: &control::elb::describe_target_health::TargetHealthDescription| {
            let reason = it
                .health
                .reason
                .map(|reason| reason.to_string())
                .unwrap_or_default();
            format!("{} {reason}", it.health.state).trim().to_owned()
        };
        described.iter().map(line).collect()
    }
}

pub(crate) fn group_reference(id: &str) -> GroupReference {
    GroupReference {
        group_id: Some(id.to_owned()),
        group_name: None,
    }
}

/// What comes from `block` to TCP port `port`.
pub(crate) fn permission(port: i64, block: &str) -> Vec<IpPermission> {
    let range = IpRange {
        cidr: block.to_owned(),
        description: None,
    };
    vec![IpPermission {
        protocol: Some("tcp".to_owned()),
        from_port: Some(port),
        to_port: Some(port),
        ipv4_ranges: vec![range],
        ..IpPermission::default()
    }]
}

pub(crate) fn target(id: &str) -> TargetDescription {
    TargetDescription {
        id: id.to_owned(),
        ..TargetDescription::default()
    }
}

pub(crate) fn listener_input(owner: &LoadBalancer, port: i32, action: Action) -> CreateListener {
    CreateListener {
        load_balancer_arn: owner.arn.to_string(),
        protocol: Some(Protocol::Http),
        port: Some(port),
        default_actions: vec![action],
        ..CreateListener::default()
    }
}

pub(crate) fn rule_input(listener: &Listener, priority: i32, path: &str) -> CreateRule {
    CreateRule {
        listener_arn: listener.arn.to_string(),
        conditions: vec![path_condition(&[path])],
        priority,
        actions: vec![fixed("404")],
        ..CreateRule::default()
    }
}

pub(crate) fn path_condition(paths: &[&str]) -> RuleCondition {
    RuleCondition {
        field: Some("path-pattern".to_owned()),
        path_pattern_config: Some(PatternConfig {
            values: paths.iter().map(|path| (*path).to_owned()).collect(),
            regex_values: Vec::new(),
        }),
        ..RuleCondition::default()
    }
}

pub(crate) fn fixed(status: &str) -> Action {
    Action {
        fixed_response_config: Some(FixedResponseConfig {
            status_code: status.to_owned(),
            ..FixedResponseConfig::default()
        }),
        ..Action::new(ActionType::FixedResponse)
    }
}

pub(crate) fn forward(group: &str) -> Action {
    Action {
        target_group_arn: Some(group.to_owned()),
        ..Action::new(ActionType::Forward)
    }
}

/// `Code: message` of an error.
pub(crate) fn error<T: Debug>(outcome: Result<T, ElbError>) -> String {
    let error = outcome.expect_err("the request is refused");
    let debug = format!("{error:?}");
    let code = debug.split('(').next().unwrap_or_default();
    format!("{code}: {error}")
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

//! A control plane on a fresh store, and short ways to ask it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use control::ec2::describe_instances::InstanceDescription;
use control::ec2::run_instances::RunInstances;
use control::ec2::security_groups::{CreateSecurityGroup, DescribeSecurityGroups};
use control::ec2::subnets::DescribeSubnets;
use control::ec2::{Ec2, Ec2Error, Filter, Run};
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::{
    Control, DataPlane, ManualClock, NoPlane, OpenError, Parts, SequentialIds, Settings,
};
use model::ec2::{SecurityGroup, Subnet};
use store::{Memory, Store};

/// A control plane and what the test can turn.
pub(crate) struct Fixture {
    pub(crate) control: Control,
    pub(crate) store: Arc<Memory>,
    pub(crate) clock: Arc<SharedClock>,
}

/// The same clock for the control plane and for the test.
#[derive(Debug, Default)]
pub(crate) struct SharedClock(ManualClock);

impl SharedClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

impl control::Clock for SharedClock {
    fn now_millis(&self) -> u64 {
        self.0.now_millis()
    }
}

/// A control plane after its first start with the default settings.
pub(crate) async fn fixture() -> Fixture {
    open(Arc::new(Memory::new()), Settings::default())
        .await
        .expect("the defaults are in order")
}

/// Starts on what `store` holds.
pub(crate) async fn open(store: Arc<Memory>, settings: Settings) -> Result<Fixture, OpenError> {
    open_with(store, Arc::new(NoPlane), settings).await
}

/// Starts on what `store` holds, with a data plane of the test.
pub(crate) async fn open_with(
    store: Arc<Memory>,
    plane: Arc<dyn DataPlane>,
    settings: Settings,
) -> Result<Fixture, OpenError> {
    let clock = Arc::new(SharedClock(ManualClock::at(1_700_000_000_000)));
    let parts = Parts {
        store: Arc::clone(&store) as Arc<dyn Store>,
        plane,
        clock: Arc::clone(&clock) as Arc<dyn control::Clock>,
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(control::SecretKey::new(&[7; control::SECRET_KEY_BYTES])),
        objects: Arc::new(control::NoObjects),
        issuer: None,
        settings,
    };
    Ok(Fixture {
        control: Control::open(parts).await?,
        store,
        clock,
    })
}

impl Fixture {
    pub(crate) fn ec2(&self) -> Ec2<'_> {
        self.control.ec2(Run::Wet)
    }

    /// The subnets, in the order of their blocks.
    pub(crate) fn subnets(&self) -> Vec<Arc<Subnet>> {
        let page = self
            .ec2()
            .describe_subnets(&DescribeSubnets::default())
            .unwrap();
        let mut subnets: Vec<_> = page.items.into_iter().map(|it| it.subnet).collect();
        subnets.sort_by_key(|subnet| subnet.cidr);
        subnets
    }

    /// The group of the default VPC with this name.
    pub(crate) fn group(&self, name: &str) -> Arc<SecurityGroup> {
        let request = DescribeSecurityGroups {
            group_names: vec![name.to_owned()],
            ..Default::default()
        };
        let page = self.ec2().describe_security_groups(&request).unwrap();
        page.items.into_iter().next().expect("the group exists")
    }

    pub(crate) async fn create_group(&self, name: &str) -> Arc<SecurityGroup> {
        let request = CreateSecurityGroup {
            group_name: Some(name.to_owned()),
            description: Some("for a test".to_owned()),
            ..Default::default()
        };
        self.ec2()
            .create_security_group(request)
            .await
            .expect("the name is free")
    }

    /// Registers the machine at `address`; gives its id.
    pub(crate) async fn run(&self, address: &str) -> String {
        self.launch(at(address)).await.instance.id.to_string()
    }

    /// The one instance that a request registers.
    pub(crate) async fn launch(&self, request: RunInstances) -> InstanceDescription {
        let launched = self.ec2().run_instances(request).await;
        let [instance] = <[_; 1]>::try_from(launched.expect("the request is in order"))
            .expect("it asks for one instance");
        instance
    }

    /// Creates a load balancer in all zones that carries these groups.
    pub(crate) async fn create_load_balancer(&self, name: &str, groups: &[&SecurityGroup]) {
        let request = CreateLoadBalancer {
            name: name.to_owned(),
            subnets: self
                .subnets()
                .iter()
                .map(|subnet| subnet.id.to_string())
                .collect(),
            security_groups: groups.iter().map(|group| group.id.to_string()).collect(),
            ..Default::default()
        };
        self.control
            .create_load_balancer(request)
            .await
            .expect("the request is in order");
    }
}

/// A request to register the machine at `address`.
pub(crate) fn at(address: &str) -> RunInstances {
    RunInstances {
        min_count: Some(1),
        max_count: Some(1),
        private_address: Some(address.to_owned()),
        ..Default::default()
    }
}

pub(crate) fn filter(name: &str, value: &str) -> Filter {
    Filter {
        name: name.to_owned(),
        values: vec![value.to_owned()],
    }
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Checks that an operation failed, and that its error says `part`.
#[track_caller]
pub(crate) fn refused<T: Debug>(outcome: Result<T, Ec2Error>, part: &str) {
    match outcome {
        Ok(answer) => panic!("expected a refusal that says {part:?}, got {answer:?}"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(part), "expected {part:?} in {text:?}");
        }
    }
}

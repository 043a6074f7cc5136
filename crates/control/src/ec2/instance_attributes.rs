//! DescribeInstanceAttribute, ModifyInstanceAttribute.

use std::sync::Arc;

use model::ec2::{Instance, InstanceId, InstanceState, SecurityGroupId};

use crate::ec2::describe_instances::{InstanceDescription, describe_instance, is_shown};
use crate::ec2::instance_type_names::require_type;
use crate::ec2::{Ec2, Ec2Error, security_groups};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// What can be asked about an instance beside its description.
///
/// Source: EC2 API, `DescribeInstanceAttribute`, `Attribute`.
pub const ATTRIBUTES: &[Attribute] = &[
    ("blockDeviceMapping", |_| AttributeValue::NoItems),
    ("disableApiStop", |it| {
        AttributeValue::Switch(it.instance.protection.from_stop)
    }),
    ("disableApiTermination", |it| {
        AttributeValue::Switch(it.instance.protection.from_termination)
    }),
    ("ebsOptimized", |_| AttributeValue::Switch(false)),
    ("enaSupport", |_| AttributeValue::Text(None)),
    ("groupSet", |it| AttributeValue::Groups(it.groups.clone())),
    ("instanceInitiatedShutdownBehavior", |_| {
        AttributeValue::Text(None)
    }),
    ("instanceType", |it| {
        AttributeValue::Text(it.instance.instance_type.clone())
    }),
    ("kernel", |_| AttributeValue::Text(None)),
    ("productCodes", |_| AttributeValue::NoItems),
    ("ramdisk", |_| AttributeValue::Text(None)),
    ("rootDeviceName", |_| AttributeValue::Text(None)),
    ("sourceDestCheck", |_| AttributeValue::Switch(true)),
    ("sriovNetSupport", |_| AttributeValue::Text(None)),
    ("userData", |_| AttributeValue::Text(None)),
];

/// The name of an attribute, and how its value is read.
pub type Attribute = (&'static str, fn(&InstanceDescription) -> AttributeValue);

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// On or off.
    Switch(bool),
    /// A text; `None` for what machines that EC2 starts have, and registered ones do not.
    Text(Option<String>),
    /// A list of which registered machines have nothing.
    NoItems,
    /// Groups with their names.
    Groups(Vec<(SecurityGroupId, String)>),
}

/// Which attribute of which instance to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceAttribute {
    /// The instance.
    pub instance_id: String,
    /// The name of the attribute.
    pub attribute: String,
}

/// An attribute of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceAttribute {
    /// The instance.
    pub instance: Arc<Instance>,
    /// The name of the attribute.
    pub name: &'static str,
    /// What it is.
    pub value: AttributeValue,
}

/// A new value for one attribute of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyInstanceAttribute {
    /// The instance.
    pub instance_id: String,
    /// The attribute with its value.
    pub change: InstanceChange,
}

/// What can be changed about an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceChange {
    /// The groups it carries, by id, instead of all that it did.
    Groups(Vec<String>),
    /// `disableApiTermination`.
    ProtectFromTermination(bool),
    /// `disableApiStop`.
    ProtectFromStop(bool),
    /// The note of its type, while it is stopped.
    InstanceType(String),
    /// An attribute that has one value for every instance, such as `sourceDestCheck`, asked to have it.
    AsItIs,
}

impl Ec2<'_> {
    /// One attribute of an instance.
    ///
    /// # Errors
    /// `MalformedId`, `InstancesNotFound`, `InvalidValue` for a name that is not in `ATTRIBUTES`.
    pub fn describe_instance_attribute(
        &self,
        request: &DescribeInstanceAttribute,
    ) -> Result<InstanceAttribute, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, it.now_millis, request))
    }

    /// Changes an instance. Listeners obey changed groups when this returns.
    ///
    /// # Errors
    /// `MalformedId`, `InstancesNotFound`, `IncorrectInstanceState`, and those of groups.
    pub async fn modify_instance_attribute(
        &self,
        request: ModifyInstanceAttribute,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| {
            let instance = find(draft.state(), draft.now_millis(), &request.instance_id)?;
            modify(draft, &instance, &request.change)
        })
        .await
    }
}

/// The instance with this id, if it is still shown.
fn find(state: &State, now_millis: u64, id: &str) -> Result<Arc<Instance>, Ec2Error> {
    let id: InstanceId = id.parse()?;
    let found = state.ec2.instances.get(&id);
    let found = found.filter(|instance| is_shown(instance, now_millis));
    found
        .cloned()
        .ok_or_else(|| Ec2Error::InstancesNotFound(vec![id.to_string()]))
}

fn describe(
    state: &State,
    settings: &Settings,
    now_millis: u64,
    request: &DescribeInstanceAttribute,
) -> Result<InstanceAttribute, Ec2Error> {
    let instance = find(state, now_millis, &request.instance_id)?;
    let (name, value) = named(&request.attribute)?;
    Ok(InstanceAttribute {
        name,
        value: value(&describe_instance(state, settings, &instance)),
        instance,
    })
}

/// Refuses what no attribute of an instance is called.
///
/// # Errors
/// `InvalidValue`.
pub fn require_attribute(name: &str) -> Result<(), Ec2Error> {
    named(name).map(|_| ())
}

fn named(name: &str) -> Result<&'static Attribute, Ec2Error> {
    let mut attributes = ATTRIBUTES.iter();
    attributes.find(|(its, _)| *its == name).ok_or_else(|| {
        let known: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| *name).collect();
        Ec2Error::InvalidValue {
            parameter: "attribute",
            value: name.to_owned(),
            expectation: format!("An instance has {}.", known.join(", ")),
        }
    })
}

/// Writes `instance` with `change`.
pub(crate) fn modify(
    draft: &mut Draft,
    instance: &Instance,
    change: &InstanceChange,
) -> Result<(), Ec2Error> {
    if !instance.holds_address() {
        return Err(Ec2Error::IncorrectInstanceState {
            id: instance.id.clone(),
            step: "modified",
        });
    }
    let mut changed = instance.clone();
    match change {
        InstanceChange::Groups(ids) => {
            let site = (&instance.subnet_id, &instance.vpc_id);
            changed.security_groups = security_groups::of_instance(draft, ids, &[], site)?;
        }
        InstanceChange::ProtectFromTermination(is_on) => {
            changed.protection.from_termination = *is_on;
        }
        InstanceChange::ProtectFromStop(is_on) => changed.protection.from_stop = *is_on,
        InstanceChange::InstanceType(name) => {
            require_type(name)?;
            if !matches!(instance.state, InstanceState::Stopped { .. }) {
                return Err(Ec2Error::InstanceNotStopped(instance.id.clone()));
            }
            changed.instance_type = Some(name.clone());
        }
        InstanceChange::AsItIs => {}
    }
    if changed != *instance {
        draft.put(changed);
    }
    Ok(())
}

//! `StartInstances`, `StopInstances`, `TerminateInstances`.

use control::ec2::instance_states::InstanceStateChange;
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::print_instance_state;
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

const MACHINE: &str = "it does not stop the machine; leave it out";

pub(super) fn read_start(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    fields.refuse(&["AdditionalInfo"], "it does not start the machine")?;
    fields.texts("InstanceId")
}

pub(super) async fn start(ec2: &Ec2<'_>, ids: Vec<String>) -> Result<Xml, Ec2Error> {
    Ok(print(&ec2.start_instances(ids).await?))
}

pub(super) fn read_stop(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    read_ending(fields, &["Hibernate", "SkipOsShutdown"])
}

pub(super) async fn stop(ec2: &Ec2<'_>, ids: Vec<String>) -> Result<Xml, Ec2Error> {
    Ok(print(&ec2.stop_instances(ids).await?))
}

pub(super) fn read_terminate(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    read_ending(fields, &["SkipOsShutdown"])
}

pub(super) async fn terminate(ec2: &Ec2<'_>, ids: Vec<String>) -> Result<Xml, Ec2Error> {
    Ok(print(&ec2.terminate_instances(ids).await?))
}

/// `Force` leaves the machine no way to object. It has none here: elbow does not ask it.
fn read_ending(fields: &Fields<'_>, refused: &[&'static str]) -> Result<Vec<String>, ApiError> {
    fields.refuse_true(refused, MACHINE)?;
    fields.boolean("Force")?;
    fields.texts("InstanceId")
}

fn print(changes: &[InstanceStateChange]) -> Xml {
    let mut xml = Xml::new(Lists::Flat);
    xml.list("instancesSet", changes, |xml, change| {
        xml.text("instanceId", &change.instance_id);
        print_instance_state(xml, "currentState", change.current);
        print_instance_state(xml, "previousState", change.previous);
    });
    xml
}

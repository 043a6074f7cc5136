//! `DescribeTargetHealth`: what is known about each target.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_target_health::{DescribeTargetHealth, TargetHealthDescription};

use super::shapes::target;
use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeTargetHealth {
    DescribeTargetHealth {
        target_group_arn: fields.required("TargetGroupArn", TEXT),
        targets: fields.structures("Targets", target::read),
        include: fields
            .list("Include", OneOf(&["AnomalyDetection", "All"]))
            .into_iter()
            .map(str::to_owned)
            .collect(),
    }
}

pub(super) async fn call(control: &Control, input: DescribeTargetHealth) -> Result<Xml, ElbError> {
    let descriptions = control.describe_target_health(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("TargetHealthDescriptions", &descriptions, print);
    Ok(xml)
}

fn print(xml: &mut Xml, description: &TargetHealthDescription) {
    target::print(xml, &description.target);
    xml.optional("HealthCheckPort", description.health_check_port.as_ref());
    xml.element("TargetHealth", |xml| {
        xml.text("State", description.health.state);
        xml.optional("Reason", description.health.reason);
        xml.optional("Description", description.health.description.as_ref());
    });
    if let Some(anomaly) = &description.anomaly_detection {
        let result = if anomaly.is_anomalous {
            "anomalous"
        } else {
            "normal"
        };
        let mitigation = if anomaly.is_mitigating { "yes" } else { "no" };
        xml.element("AnomalyDetection", |xml| {
            xml.text("Result", result);
            xml.text("MitigationInEffect", mitigation);
        });
    }
    xml.element("AdministrativeOverride", |xml| {
        let of_target = description.administrative_override;
        xml.text("State", of_target.state());
        xml.text("Reason", of_target.reason());
        xml.text("Description", of_target.description());
    });
}

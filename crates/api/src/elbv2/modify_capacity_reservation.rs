//! `ModifyCapacityReservation`: a reset, for nothing can be reserved.

use control::Control;
use control::elb::ElbError;
use control::elb::capacity_reservations::ModifyCapacityReservation;

use crate::input::{BOOLEAN, Fields, INTEGER, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyCapacityReservation {
    ModifyCapacityReservation {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        capacity_units: fields.structure("MinimumLoadBalancerCapacity", |capacity| {
            capacity.optional("CapacityUnits", INTEGER)
        }),
        is_reset: fields
            .optional("ResetCapacityReservation", BOOLEAN)
            .unwrap_or(false),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ModifyCapacityReservation,
) -> Result<Xml, ElbError> {
    control.modify_capacity_reservation(input).await?;
    Ok(Xml::new(Lists::Member))
}

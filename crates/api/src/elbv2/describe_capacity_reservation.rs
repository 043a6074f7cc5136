//! `DescribeCapacityReservation`: an answer without members says that nothing is reserved.

use control::Control;
use control::elb::ElbError;
use control::elb::capacity_reservations::DescribeCapacityReservation;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeCapacityReservation {
    DescribeCapacityReservation {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
    }
}

pub(super) async fn call(
    control: &Control,
    input: DescribeCapacityReservation,
) -> Result<Xml, ElbError> {
    control.describe_capacity_reservation(input).await?;
    Ok(Xml::new(Lists::Member))
}

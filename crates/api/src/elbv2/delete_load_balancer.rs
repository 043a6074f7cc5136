//! `DeleteLoadBalancer`: its listeners and rules go with it.

use control::Control;
use control::elb::ElbError;
use control::elb::delete_load_balancer::DeleteLoadBalancer;

use crate::input::{Fields, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DeleteLoadBalancer {
    DeleteLoadBalancer {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
    }
}

pub(super) async fn call(control: &Control, input: DeleteLoadBalancer) -> Result<Xml, ElbError> {
    control.delete_load_balancer(input).await?;
    Ok(Xml::new(Lists::Member))
}

//! `DeleteLoadBalancer`: with its listeners, its rules and its zonal shift; target groups and their targets stay.

use model::arn::LoadBalancerArn;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::load_balancer_attributes::DELETION_PROTECTION;

use super::{ElbError, delete_listener};
use crate::{Control, Draft, zonal_shift};

/// Source: ELB API, `DeleteLoadBalancer`.
#[derive(Clone, Debug, Default)]
pub struct DeleteLoadBalancer {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: String,
}

impl Control {
    /// Deletes a load balancer. One that does not exist is deleted already.
    ///
    /// # Errors
    /// `OperationNotPermitted` while deletion protection is on, `Validation`.
    pub async fn delete_load_balancer(&self, input: DeleteLoadBalancer) -> Result<(), ElbError> {
        self.transact(move |draft| delete(draft, &input.load_balancer_arn))
            .await
    }
}

fn delete(draft: &mut Draft, text: &str) -> Result<(), ElbError> {
    let arn: LoadBalancerArn = text.parse()?;
    let found = draft
        .state()
        .find::<LoadBalancer>(&arn.id)
        .filter(|it| it.arn == arn);
    let Some(load_balancer) = found.cloned() else {
        return Ok(());
    };
    if load_balancer.attributes.value(&DELETION_PROTECTION) == "true" {
        return Err(ElbError::OperationNotPermitted(format!(
            "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )));
    }
    let listeners = draft.state().elb.listeners_of(arn.id);
    let listeners: Vec<_> = listeners
        .into_iter()
        .map(|it: &std::sync::Arc<Listener>| it.arn.id)
        .collect();
    for listener in listeners {
        delete_listener::remove(draft, listener);
    }
    zonal_shift::state::release(draft, arn.id);
    draft.remove::<LoadBalancer>(&arn.id);
    Ok(())
}

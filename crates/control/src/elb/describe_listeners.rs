//! `DescribeListeners`: those of a load balancer, or those that are named.

use std::sync::Arc;

use model::listener::Listener;

use super::page::{Page, Paging};
use super::{ElbError, find};
use crate::{Control, State};

/// Source: ELB API, `DescribeListeners`.
#[derive(Clone, Debug, Default)]
pub struct DescribeListeners {
    /// `LoadBalancerArn`.
    pub load_balancer_arn: Option<String>,
    /// `ListenerArns`.
    pub listener_arns: Vec<String>,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

impl Control {
    /// Describes listeners, by port.
    ///
    /// # Errors
    /// `ListenerNotFound` or `LoadBalancerNotFound` if one that is named does not exist, `Validation`.
    pub async fn describe_listeners(
        &self,
        input: DescribeListeners,
    ) -> Result<Page<Arc<Listener>>, ElbError> {
        self.read(|state| select(state, &input))
    }
}

fn select(state: &State, input: &DescribeListeners) -> Result<Page<Arc<Listener>>, ElbError> {
    match (&input.load_balancer_arn, input.listener_arns.as_slice()) {
        (Some(arn), []) => {
            let owner = find::load_balancer(state, arn)?;
            let listeners = state.elb.listeners_of(owner.arn.id).into_iter().cloned();
            input.paging.page(
                "listeners",
                listeners,
                |it: &Arc<Listener>| it.port,
                |marker| marker.parse().ok(),
            )
        }
        (None, arns) if !arns.is_empty() => {
            let found = arns.iter().map(|arn| find::listener(state, arn).cloned());
            Ok(Page {
                items: found.collect::<Result<_, _>>()?,
                next_marker: None,
            })
        }
        _ => Err(ElbError::Validation(
            "You must specify either listener ARNs or a load balancer ARN".to_owned(),
        )),
    }
}

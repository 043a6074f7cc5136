//! From security groups to who may connect to each listener.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use engine::Admission;
use model::ec2::SecurityGroupId;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;

use super::frontends::LoweredFrontend;
use crate::ec2::{Holding, lookups};
use crate::state::State;

/// Who may connect to listeners. What many listeners have in common is worked out once.
pub(super) struct Admissions<'a> {
    state: &'a State,
    /// Whether those of the state before still hold, for listeners whose ports are what they were.
    holds: bool,
    /// What load balancers hold in subnets, once somebody has asked.
    holdings: Option<Vec<Holding>>,
    known: HashMap<(&'a [SecurityGroupId], u16), Admission>,
}

impl<'a> Admissions<'a> {
    /// Those of `state`, after `old`.
    pub(super) fn new(state: &'a State, old: &State) -> Self {
        Self {
            state,
            holds: state.ec2 == old.ec2 && state.elb.load_balancers == old.elb.load_balancers,
            holdings: None,
            known: HashMap::new(),
        }
    }

    /// Who may connect to `listener`; `before` is what it was lowered to in the state before.
    pub(super) fn of(
        &mut self,
        load_balancer: &'a LoadBalancer,
        listener: &Listener,
        before: Option<&LoweredFrontend>,
    ) -> Admission {
        let still_holds =
            |before: &&LoweredFrontend| self.holds && before.listener.port == listener.port;
        if let Some(before) = before.filter(still_holds) {
            return before.admission.clone();
        }
        let groups = &load_balancer.security_groups;
        let state = self.state;
        match self.known.entry((groups, listener.port)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let holdings = self.holdings.get_or_insert_with(|| state.elb.holdings());
                let sources = lookups::allowed_sources(&state.ec2, groups, listener.port, holdings);
                place.insert(sources).clone()
            }
        }
    }
}

//! The stored certificates in memory, and who uses them.

use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::certificate::{Certificate, CertificateArn, CertificateId};

use crate::record::{Record, Table};
use crate::state::State;

/// Certificates.
#[derive(Clone, Debug, Default)]
pub struct AcmState {
    /// By id.
    pub certificates: Table<CertificateId, Certificate>,
}

impl Record for Certificate {
    const KIND: &'static str = "acm/certificate";
    type Key = CertificateId;

    fn key(&self) -> CertificateId {
        self.arn.id
    }

    fn table(state: &State) -> &Table<CertificateId, Self> {
        &state.acm.certificates
    }

    fn table_mut(state: &mut State) -> &mut Table<CertificateId, Self> {
        &mut state.acm.certificates
    }
}

/// The load balancers with a listener that shows this certificate, each once.
pub(super) fn users(state: &State, certificate: &CertificateArn) -> Vec<LoadBalancerArn> {
    let shows_it = |listener: &&Arc<model::listener::Listener>| {
        let mut shown = listener.tls.iter().flat_map(|tls| tls.all_certificates());
        shown.any(|shown| shown == certificate)
    };
    let listeners = state.elb.listeners.values().filter(shows_it);
    let mut users: Vec<_> = listeners
        .map(|listener| listener.arn.load_balancer.clone())
        .collect();
    users.sort_unstable();
    users.dedup();
    users
}

//! The stored certificates in memory, and who uses them.

use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::certificate::{
    AcmAccount, Certificate, CertificateArn, CertificateId, CertificateStatus, RequestPhase,
};
use model::listener::Listener;
use serde_json::{Value, json};

use crate::record::{Table, record};
use crate::state::State;

/// Certificates.
#[derive(Clone, Debug, Default)]
pub struct AcmState {
    /// By id.
    pub certificates: Table<CertificateId, Certificate>,
    /// By account: the one of this elbow, once it has a certificate.
    pub accounts: Table<String, AcmAccount>,
}

record!(Certificate, CertificateId, "acm/certificate" version 2, acm.certificates, it => it.arn.id, {
    /// Version 1 had imported certificates only, all in one.
    fn migrate(from: u32, record: Value) -> Value {
        let Value::Object(mut record) = record else {
            return record;
        };
        if from == 1 {
            let mut taken = |name: &str| record.remove(name).unwrap_or_default();
            let material = json!({
                "body": taken("body"),
                "chain": taken("chain"),
                "sealed_private_key": taken("sealed_private_key"),
                "facts": taken("facts"),
            });
            let at_millis = taken("imported_at_millis");
            let imported = json!({ "material": material, "at_millis": at_millis });
            record.insert("origin".to_owned(), json!({ "Imported": imported }));
        }
        Value::Object(record)
    }
});
record!(AcmAccount, String, "acm/account", acm.accounts, it => it.account.clone());

/// The load balancers with a listener that shows this certificate, each once.
pub(super) fn users(state: &State, certificate: &CertificateArn) -> Vec<LoadBalancerArn> {
    let mut users: Vec<_> = showing(state, certificate)
        .map(|listener| listener.arn.load_balancer.clone())
        .collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// Whether a listener shows this certificate.
pub(super) fn is_in_use(state: &State, certificate: &CertificateArn) -> bool {
    showing(state, certificate).next().is_some()
}

/// The listeners that show this certificate.
fn showing<'a>(
    state: &'a State,
    certificate: &'a CertificateArn,
) -> impl Iterator<Item = &'a Arc<Listener>> {
    let shows_it = move |listener: &&Arc<Listener>| {
        let mut shown = listener.tls.iter().flat_map(|tls| tls.all_certificates());
        shown.any(|shown| shown == certificate)
    };
    state.elb.listeners.values().filter(shows_it)
}

/// Whether ACM would renew it. Source: ACM guide, "Managed certificate renewal".
pub(super) fn is_renewable(certificate: &Certificate, is_in_use: bool, now_millis: u64) -> bool {
    let Some(request) = certificate.request() else {
        return false;
    };
    let RequestPhase::Issued { is_exported, .. } = request.phase else {
        return false;
    };
    certificate.status(now_millis) == CertificateStatus::Issued && (is_in_use || is_exported)
}

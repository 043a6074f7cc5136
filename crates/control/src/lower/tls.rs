//! From certificates and trust stores to what the data plane needs to speak TLS.
//!
//! What has not changed is taken over from the time before, so that a listener is compiled again when its
//! certificate or its trust store changes and at no other time.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Tls;
use engine::tls;
use model::certificate::{Certificate, CertificateArn, CertificateId};
use model::listener::{Listener, ListenerTls};
use model::trust_store::{TrustStore, TrustStoreRevocation};

use crate::secrets::{SealedError, SecretKey};
use crate::state::State;

/// The certificates that some listener shows, with what they were made from.
pub(super) type Certificates = BTreeMap<CertificateId, (Arc<Certificate>, Arc<tls::Certificate>)>;

/// What a listener needs to speak TLS, with everything it was made from.
pub(super) struct LoweredTls {
    settings: ListenerTls,
    certificates: Vec<Arc<tls::Certificate>>,
    trust_store: Option<Arc<TrustStore>>,
    revocations: Vec<Arc<TrustStoreRevocation>>,
    pub(super) tls: Arc<Tls>,
}

/// Whether both are the very same.
pub(super) fn is_same(some: Option<&LoweredTls>, other: Option<&LoweredTls>) -> bool {
    match (some, other) {
        (Some(some), Some(other)) => Arc::ptr_eq(&some.tls, &other.tls),
        (None, None) => true,
        _ => false,
    }
}

/// Opens the private keys of the certificates that some listener shows.
///
/// # Errors
/// `SealedError` if one does not open.
pub(super) fn lower_certificates(
    state: &State,
    before: &Certificates,
    secret_key: &SecretKey,
) -> Result<Certificates, SealedError> {
    let mut certificates = Certificates::new();
    let settings = state
        .elb
        .listeners
        .values()
        .filter_map(|it| it.tls.as_ref());
    for arn in settings.flat_map(ListenerTls::all_certificates) {
        if certificates.contains_key(&arn.id) {
            continue;
        }
        let certificate = state.acm.certificates.get(&arn.id);
        let certificate = certificate.expect("a certificate in use cannot be deleted");
        let known = before
            .get(&arn.id)
            .filter(|(known, _)| Arc::ptr_eq(known, certificate));
        let lowered = match known {
            Some((_, lowered)) => Arc::clone(lowered),
            None => Arc::new(lower_certificate(certificate, secret_key)?),
        };
        certificates.insert(arn.id, (Arc::clone(certificate), lowered));
    }
    Ok(certificates)
}

fn lower_certificate(
    certificate: &Certificate,
    secret_key: &SecretKey,
) -> Result<tls::Certificate, SealedError> {
    let name = certificate.arn.to_string();
    let material = certificate.material();
    let material = material.expect("only a certificate that is issued can be shown");
    let private_key = secret_key.open(&name, &material.sealed_private_key)?;
    let chain = material.chain.as_deref().unwrap_or_default();
    Ok(tls::Certificate {
        chain: format!("{}{chain}", material.body).into(),
        private_key: private_key.into(),
        name: name.into(),
    })
}

/// What `listener` needs to speak TLS, or what it was before if nothing of it has changed.
pub(super) fn lower_tls(
    state: &State,
    certificates: &Certificates,
    listener: &Listener,
    before: Option<&LoweredTls>,
) -> Option<LoweredTls> {
    let settings = listener.tls.clone()?;
    let lowered = |arn: &CertificateArn| Arc::clone(&certificates[&arn.id].1);
    let all: Vec<_> = settings.all_certificates().map(lowered).collect();
    let trust_store = settings.trust_store().map(|arn| {
        let found = state.elb.trust_stores.get(&arn.id);
        Arc::clone(found.expect("a trust store in use cannot be deleted"))
    });
    let revocations: Vec<_> = trust_store
        .iter()
        .flat_map(|trust_store| state.elb.revocations_of(trust_store.arn.id))
        .cloned()
        .collect();
    let known = before.filter(|before| {
        before.settings == settings
            && super::same(&before.certificates, &all)
            && super::same(before.trust_store.as_slice(), trust_store.as_slice())
            && super::same(&before.revocations, &revocations)
    });
    let vouching = trust_store.as_deref();
    let tls = match known {
        Some(known) => Arc::clone(&known.tls),
        None => Arc::new(Tls {
            policy: settings.policy.as_str().into(),
            default_certificate: Arc::clone(&all[0]),
            additional_certificates: all[1..].to_vec(),
            client_authentication: settings
                .mutual_authentication
                .map(|_| lower_trust_store(vouching, &revocations)),
        }),
    };
    Some(LoweredTls {
        settings,
        certificates: all,
        trust_store,
        revocations,
        tls,
    })
}

fn lower_trust_store(
    trust_store: Option<&TrustStore>,
    revocations: &[Arc<TrustStoreRevocation>],
) -> Arc<tls::TrustStore> {
    let trust_store = trust_store.expect("who verifies names a trust store");
    let lists = revocations.iter();
    Arc::new(tls::TrustStore {
        authorities: trust_store.authorities.as_str().into(),
        revocation_lists: lists.map(|list| list.content.as_str().into()).collect(),
    })
}

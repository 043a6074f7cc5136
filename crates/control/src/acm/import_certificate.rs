//! `ImportCertificate`: a certificate with its private key, new or in place of another.

use std::sync::Arc;

use model::certificate::{Certificate, CertificateArn, CertificateId};
use model::tag::Tags;

use super::check::{Checked, check};
use super::{AcmError, find};
use crate::elb::input::Pairs;
use crate::{Control, Draft};

/// Most certificates in the account. Source: ACM guide, "Quotas", imported certificates.
const CERTIFICATES_MAX: usize = 2500;

/// Source: ACM API, `ImportCertificate`.
#[derive(Clone, Default)]
pub struct ImportCertificate {
    /// `CertificateArn`: the certificate to replace.
    pub certificate_arn: Option<String>,
    /// `Certificate`, PEM.
    pub certificate: Vec<u8>,
    /// `PrivateKey`, PEM.
    pub private_key: Vec<u8>,
    /// `CertificateChain`, PEM.
    pub certificate_chain: Option<Vec<u8>>,
    /// `Tags`.
    pub tags: Pairs,
}

impl Control {
    /// Imports a certificate. One that replaces another is shown by the same listeners at once.
    ///
    /// # Errors
    /// `InvalidArn`, `InvalidTag`, `LimitExceeded`, `ResourceNotFound`, `TooManyTags`, `Validation`.
    pub async fn import_certificate(
        &self,
        input: ImportCertificate,
    ) -> Result<CertificateArn, AcmError> {
        self.transact(move |draft| import(draft, &input)).await
    }
}

fn import(draft: &mut Draft, input: &ImportCertificate) -> Result<CertificateArn, AcmError> {
    let replaced = match &input.certificate_arn {
        Some(text) => Some(Arc::clone(find(draft.state(), text)?)),
        None => None,
    };
    let checked = check(
        &input.certificate,
        &input.private_key,
        input.certificate_chain.as_deref(),
        draft.now_millis(),
    )?;
    let certificate = match replaced {
        Some(replaced) => replace(draft, &replaced, checked, &input.tags)?,
        None => create(draft, checked, &input.tags)?,
    };
    Ok(draft.put(certificate).arn.clone())
}

fn create(draft: &Draft, checked: Checked, tags: &Pairs) -> Result<Certificate, AcmError> {
    let tags = Tags::default().with(tags)?;
    if draft.state().acm.certificates.len() >= CERTIFICATES_MAX {
        return Err(AcmError::LimitExceeded(format!(
            "Error: you have reached your limit of {CERTIFICATES_MAX} certificates. Delete certificates that are \
             not in use."
        )));
    }
    let arn = CertificateArn {
        place: draft.place(),
        id: new_id(draft),
    };
    Ok(Certificate {
        body: checked.body,
        chain: checked.chain,
        sealed_private_key: draft
            .secret_key()
            .seal(&arn.to_string(), &checked.private_key),
        facts: checked.facts,
        created_at_millis: draft.now_millis(),
        imported_at_millis: draft.now_millis(),
        tags,
        arn,
    })
}

/// Source: ACM guide, "Reimport a certificate".
fn replace(
    draft: &Draft,
    replaced: &Certificate,
    checked: Checked,
    tags: &Pairs,
) -> Result<Certificate, AcmError> {
    let refused = |message: &str| Err(AcmError::Validation(message.to_owned()));
    if !tags.is_empty() {
        return refused("Tagging is not permitted on re-import.");
    }
    let (old, new) = (&replaced.facts, &checked.facts);
    if new.key_algorithm != old.key_algorithm {
        return refused("The key type and size of a certificate cannot be changed on re-import.");
    }
    if new.domain_name.is_none() && old.domain_name.is_some() {
        return refused("All domain names cannot be removed from a certificate on re-import.");
    }
    let keeps_usages = old
        .key_usages
        .iter()
        .all(|usage| new.key_usages.contains(usage));
    if !keeps_usages {
        return refused("Key usages cannot be removed from a certificate on re-import.");
    }
    let mut extended = old.extended_key_usages.iter();
    if !extended.all(|usage| new.extended_key_usages.contains(usage)) {
        return refused("Extended key usages cannot be removed from a certificate on re-import.");
    }
    Ok(Certificate {
        arn: replaced.arn.clone(),
        body: checked.body,
        chain: checked.chain,
        sealed_private_key: draft
            .secret_key()
            .seal(&replaced.arn.to_string(), &checked.private_key),
        facts: checked.facts,
        created_at_millis: replaced.created_at_millis,
        imported_at_millis: draft.now_millis(),
        tags: replaced.tags.clone(),
    })
}

fn new_id(draft: &Draft) -> CertificateId {
    loop {
        let id = CertificateId::from_random(draft.draw(), draft.draw());
        if draft.state().find::<Certificate>(&id).is_none() {
            return id;
        }
    }
}

//! `ImportCertificate`: a certificate with its private key, new or in place of another.

use std::sync::Arc;

use model::certificate::{
    Certificate, CertificateArn, CertificateId, CertificateMaterial, CertificateOrigin,
};
use model::tag::Tags;

use super::account::{self, Added};
use super::check::{Checked, check};
use super::{AcmError, find, tags};
use crate::elb::input::Pairs;
use crate::{Control, Draft};

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

fn create(draft: &mut Draft, checked: Checked, tags: &Pairs) -> Result<Certificate, AcmError> {
    let tags = tags::with(&Tags::default(), tags)?;
    account::count(draft, Added::Imported)?;
    let arn = CertificateArn {
        place: draft.place(),
        id: new_id(draft),
    };
    Ok(Certificate {
        origin: CertificateOrigin::Imported {
            material: checked.seal(draft, &arn),
            at_millis: draft.now_millis(),
        },
        created_at_millis: draft.now_millis(),
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
    let CertificateOrigin::Imported { material, .. } = &replaced.origin else {
        return refused("Only a certificate that was imported can be replaced by an import.");
    };
    let (old, new) = (&material.facts, &checked.facts);
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
        origin: CertificateOrigin::Imported {
            material: checked.seal(draft, &replaced.arn),
            at_millis: draft.now_millis(),
        },
        ..replaced.clone()
    })
}

impl Checked {
    /// What is stored of it, under the name of the certificate it is for.
    pub(super) fn seal(self, draft: &Draft, arn: &CertificateArn) -> CertificateMaterial {
        CertificateMaterial {
            sealed_private_key: draft.secret_key().seal(&arn.to_string(), &self.private_key),
            body: self.body,
            chain: self.chain,
            facts: self.facts,
        }
    }
}

pub(super) fn new_id(draft: &Draft) -> CertificateId {
    loop {
        let id = CertificateId::from_random(draft.draw(), draft.draw());
        if draft.state().find::<Certificate>(&id).is_none() {
            return id;
        }
    }
}

//! `UpdateCertificateOptions`: what can be changed of a request after it was made.

use model::certificate::{
    Certificate, CertificateOrigin, CertificateRequest, CertificateStatus, ValidationMethod,
    ValidationMigration,
};

use super::request_certificate::CertificateOptions;
use super::{AcmError, find};
use crate::{Control, Draft};

/// Source: ACM API, `UpdateCertificateOptions`.
#[derive(Clone, Debug, Default)]
pub struct UpdateCertificateOptions {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `Options`.
    pub options: CertificateOptions,
}

impl Control {
    /// Changes the preference about logs, and the validation method from mail to DNS.
    ///
    /// # Errors
    /// `InvalidArn`, `InvalidState`, `ResourceNotFound`, `Validation`.
    pub async fn update_certificate_options(
        &self,
        input: UpdateCertificateOptions,
    ) -> Result<(), AcmError> {
        self.transact(move |draft| update(draft, &input)).await
    }
}

fn update(draft: &mut Draft, input: &UpdateCertificateOptions) -> Result<(), AcmError> {
    let now = draft.now_millis();
    let present = Certificate::clone(find(draft.state(), &input.certificate_arn)?);
    let Some(request) = present.request() else {
        return Err(AcmError::Validation(format!(
            "Certificate {} was imported and has no options.",
            present.arn
        )));
    };
    let status = present.status(now);
    if status != CertificateStatus::Issued {
        return Err(AcmError::InvalidState(format!(
            "The options of certificate {} cannot be changed: its status is {status}.",
            present.arn
        )));
    }
    let changed = changed(request, input.options, now)?;
    if changed != *request {
        draft.put(Certificate {
            origin: CertificateOrigin::Requested(changed),
            ..present
        });
    }
    Ok(())
}

fn changed(
    request: &CertificateRequest,
    options: CertificateOptions,
    now_millis: u64,
) -> Result<CertificateRequest, AcmError> {
    let refused = |message: &str| Err(AcmError::Validation(message.to_owned()));
    if options == CertificateOptions::default() {
        return refused("No option is given.");
    }
    if options
        .export
        .is_some_and(|export| export != request.export)
    {
        return refused("The option Export cannot be changed after the request.");
    }
    let mut request = request.clone();
    if let Some(logging) = options.transparency_logging {
        request.transparency_logging = logging;
    }
    match (request.validation_method, options.validation_method) {
        (_, None) => {}
        (from, Some(to)) if from == to => {}
        (ValidationMethod::Email, Some(ValidationMethod::Dns)) => {
            request.migration = Some(ValidationMigration {
                from: ValidationMethod::Email,
                at_millis: now_millis,
            });
            request.validation_method = ValidationMethod::Dns;
        }
        (_, Some(_)) => {
            return refused("The validation method can only be changed from EMAIL to DNS.");
        }
    }
    Ok(request)
}

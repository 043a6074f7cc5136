//! `ListCertificateDomainValidations`: the domains of one certificate, in pages.

use super::describe_certificate::{CertificateDescription, DomainChallenge, describe};
use super::{AcmError, find};
use crate::Control;

/// Most domains on a page, and the number without `MaxItems`.
const PAGE_MAX: usize = 1000;

/// Source: ACM API, `ListCertificateDomainValidations`.
#[derive(Clone, Debug, Default)]
pub struct ListDomainValidations {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `NextToken` of the page before.
    pub next_token: Option<String>,
    /// `MaxItems`, 1 to 1,000. Default 1,000.
    pub max_items: Option<i32>,
}

/// Some of the domains.
#[derive(Clone, Debug)]
pub struct DomainValidationPage {
    /// The certificate.
    pub described: CertificateDescription,
    /// `DomainValidationSummaryList`.
    pub items: Vec<DomainChallenge>,
    /// `NextToken`, if there are more.
    pub next_token: Option<String>,
}

impl Control {
    /// Lists the domains of a certificate in the order of the request; an imported one has none.
    ///
    /// # Errors
    /// `InvalidArgs`, `ResourceNotFound`.
    pub async fn list_domain_validations(
        &self,
        input: ListDomainValidations,
    ) -> Result<DomainValidationPage, AcmError> {
        let now = self.now_millis();
        let described = self.read(|state| {
            let certificate = find(state, &input.certificate_arn);
            let certificate = certificate.map_err(|error| match error {
                AcmError::InvalidArn(message) => AcmError::InvalidArgs(message),
                other => other,
            })?;
            Ok::<_, AcmError>(describe(state, certificate, now))
        })?;
        let start = match &input.next_token {
            None => 0,
            Some(token) => {
                let start = token.parse::<usize>().ok();
                let start = start.filter(|&start| start < described.challenges.len());
                start.ok_or_else(|| {
                    AcmError::InvalidArgs(format!(
                        "The token '{token}' is not valid; use the NextToken of an answer to the same request"
                    ))
                })?
            }
        };
        let size = input.max_items.and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let rest = &described.challenges[start..];
        let items = rest[..rest.len().min(size)].to_vec();
        let end = start + items.len();
        Ok(DomainValidationPage {
            next_token: (end < described.challenges.len()).then(|| end.to_string()),
            items,
            described,
        })
    }
}

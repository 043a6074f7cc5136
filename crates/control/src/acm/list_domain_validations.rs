//! `ListCertificateDomainValidations`: the domains of one certificate, in pages.

use super::describe_certificate::{CertificateDescription, DomainChallenge, describe};
use super::page::{LIST_PAGE_MAX, Paging};
use super::{AcmError, find};
use crate::Control;

/// Source: ACM API, `ListCertificateDomainValidations`.
#[derive(Clone, Debug, Default)]
pub struct ListDomainValidations {
    /// `CertificateArn`.
    pub certificate_arn: String,
    /// `NextToken` and `MaxItems`.
    pub paging: Paging,
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
        let numbered = (1..).zip(described.challenges.iter().cloned());
        let count = described.challenges.len();
        let parse = |token: &str| token.parse().ok().filter(|&shown| shown < count);
        let page = input.paging.page(
            LIST_PAGE_MAX,
            "domain validations",
            numbered,
            |(number, _)| *number,
            usize::to_string,
            parse,
        )?;
        Ok(DomainValidationPage {
            items: page.items.into_iter().map(|(_, it)| it).collect(),
            next_token: page.next_token,
            described,
        })
    }
}

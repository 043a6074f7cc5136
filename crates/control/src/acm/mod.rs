//! What the operations of AWS Certificate Manager mean, for certificates that are imported or requested.
//!
//! Each operation has a file with its input, its answer and the method of `Control` that performs it.
//!
//! | operation | input | answer |
//! |---|---|---|
//! | import_certificate | `ImportCertificate` | `CertificateArn` |
//! | request_certificate | `RequestCertificate` | `CertificateArn` |
//! | describe_certificate | `DescribeCertificate` | `CertificateDescription` |
//! | get_certificate | `GetCertificate` | `Arc<Certificate>` |
//! | list_certificates | `ListCertificates` | `Page<CertificateDescription>` |
//! | search_certificates | `SearchCertificates` | `Page<FoundCertificate>` |
//! | list_domain_validations | `ListDomainValidations` | `DomainValidationPage` |
//! | export_certificate | `ExportCertificate` | `ExportedCertificate` |
//! | renew_certificate | `RenewCertificate` | `()` |
//! | revoke_certificate | `RevokeCertificate` | `CertificateArn` |
//! | update_certificate_options | `UpdateCertificateOptions` | `()` |
//! | put_account_configuration | `PutAccountConfiguration` | `()` |
//! | delete_certificate | `DeleteCertificate` | `()` |
//! | add_tags_to_certificate, remove_tags_from_certificate | `…Certificate` | `()` |
//! | list_tags_for_certificate | `ListTagsForCertificate` | `Tags` |
//!
//! Every method is `async fn(&self, input) -> Result<answer, AcmError>`.

mod account;
pub mod account_configuration;
mod check;
pub mod delete_certificate;
pub mod describe_certificate;
mod domains;
pub mod error;
pub mod export_certificate;
pub mod import_certificate;
pub(crate) mod issuing;
pub mod list_certificates;
pub mod list_domain_validations;
pub mod page;
pub mod renew_certificate;
pub mod request_certificate;
pub mod revoke_certificate;
pub mod search_certificates;
pub mod search_filter;
pub mod state;
pub mod tags;
pub mod update_certificate_options;

pub(crate) use account::DAY_MILLIS;
pub use domains::{DomainValidationOption, ResourceRecord};
pub use error::AcmError;
pub use page::{Page, Paging};
pub use state::AcmState;

use std::sync::Arc;

use model::certificate::{Certificate, CertificateArn};

use crate::State;

/// The certificate with this ARN.
fn find<'a>(state: &'a State, text: &str) -> Result<&'a Arc<Certificate>, AcmError> {
    let arn: CertificateArn = text.parse().map_err(|_| {
        AcmError::InvalidArn(format!("The ARN '{text}' is not that of a certificate"))
    })?;
    let found = state.acm.certificates.get(&arn.id);
    found
        .filter(|found| found.arn == arn)
        .ok_or_else(|| AcmError::ResourceNotFound(format!("Could not find certificate {arn}.")))
}

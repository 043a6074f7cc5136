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
//! | list_certificates | `ListCertificates` | `CertificatePage` |
//! | delete_certificate | `DeleteCertificate` | `()` |
//! | add_tags_to_certificate, remove_tags_from_certificate | `…Certificate` | `()` |
//! | list_tags_for_certificate | `ListTagsForCertificate` | `Tags` |
//!
//! Every method is `async fn(&self, input) -> Result<answer, AcmError>`.

mod account;
mod check;
pub mod delete_certificate;
pub mod describe_certificate;
mod domains;
pub mod error;
pub mod import_certificate;
mod issuing;
pub mod list_certificates;
pub mod request_certificate;
pub mod state;
pub mod tags;

pub use domains::{DomainValidationOption, ResourceRecord};
pub use error::AcmError;
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

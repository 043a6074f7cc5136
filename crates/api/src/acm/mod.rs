//! AWS Certificate Manager, version 2015-12-08.
//!
//! An operation is a file with two functions, `read` and `call`, and one line in [`OPERATIONS`].

use serde_json::Value;

use crate::operation::{Operations, operations};
use crate::service::Service;

mod add_tags_to_certificate;
mod delete_certificate;
mod describe_certificate;
mod error;
mod get_certificate;
mod import_certificate;
mod list_certificates;
mod list_tags_for_certificate;
mod remove_tags_from_certificate;
mod request_certificate;
mod shapes;
#[cfg(test)]
mod tests;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Option<Value>> = Operations {
    service: Service::Acm,
    served: operations! {
        "AddTagsToCertificate" => add_tags_to_certificate,
        "DeleteCertificate" => delete_certificate,
        "DescribeCertificate" => describe_certificate,
        "GetCertificate" => get_certificate,
        "ImportCertificate" => import_certificate,
        "ListCertificates" => list_certificates,
        "ListTagsForCertificate" => list_tags_for_certificate,
        "RemoveTagsFromCertificate" => remove_tags_from_certificate,
        "RequestCertificate" => request_certificate,
    },
    refused: &[
        "CreateAcmeDomainValidation",
        "CreateAcmeEndpoint",
        "CreateAcmeExternalAccountBinding",
        "DeleteAcmeDomainValidation",
        "DeleteAcmeEndpoint",
        "DeleteAcmeExternalAccountBinding",
        "DescribeAcmeAccount",
        "DescribeAcmeDomainValidation",
        "DescribeAcmeEndpoint",
        "DescribeAcmeExternalAccountBinding",
        "ExportCertificate",
        "GetAccountConfiguration",
        "GetAcmeExternalAccountBindingCredentials",
        "ListAcmeAccounts",
        "ListAcmeDomainValidations",
        "ListAcmeEndpoints",
        "ListAcmeExternalAccountBindings",
        "ListCertificateDomainValidations",
        "ListTagsForResource",
        "PutAccountConfiguration",
        "RenewCertificate",
        "ResendValidationEmail",
        "RevokeAcmeAccount",
        "RevokeAcmeExternalAccountBinding",
        "RevokeCertificate",
        "SearchCertificates",
        "TagResource",
        "UntagResource",
        "UpdateAcmeDomainValidation",
        "UpdateAcmeEndpoint",
        "UpdateCertificateOptions",
    ],
};

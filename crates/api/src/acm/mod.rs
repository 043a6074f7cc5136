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
mod export_certificate;
mod get_account_configuration;
mod get_certificate;
mod import_certificate;
mod list_certificate_domain_validations;
mod list_certificates;
mod list_tags_for_certificate;
mod put_account_configuration;
mod remove_tags_from_certificate;
mod renew_certificate;
mod request_certificate;
mod revoke_certificate;
mod search_certificates;
mod shapes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unreachable;
mod update_certificate_options;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Option<Value>> = Operations {
    service: Service::Acm,
    served: operations! {
        "AddTagsToCertificate" => add_tags_to_certificate,
        "DeleteCertificate" => delete_certificate,
        "DescribeCertificate" => describe_certificate,
        "ExportCertificate" => export_certificate,
        "GetAccountConfiguration" => get_account_configuration,
        "GetCertificate" => get_certificate,
        "ImportCertificate" => import_certificate,
        "ListCertificateDomainValidations" => list_certificate_domain_validations,
        "ListCertificates" => list_certificates,
        "ListTagsForCertificate" => list_tags_for_certificate,
        "PutAccountConfiguration" => put_account_configuration,
        "RemoveTagsFromCertificate" => remove_tags_from_certificate,
        "RenewCertificate" => renew_certificate,
        "RequestCertificate" => request_certificate,
        "RevokeCertificate" => revoke_certificate,
        "SearchCertificates" => search_certificates,
        "UpdateCertificateOptions" => update_certificate_options,
    },
    reads: &[
        "DescribeCertificate",
        "GetAccountConfiguration",
        "GetCertificate",
        "ListCertificateDomainValidations",
        "ListCertificates",
        "ListTagsForCertificate",
        "SearchCertificates",
    ],
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
        "GetAcmeExternalAccountBindingCredentials",
        "ListAcmeAccounts",
        "ListAcmeDomainValidations",
        "ListAcmeEndpoints",
        "ListAcmeExternalAccountBindings",
        "ListTagsForResource",
        "ResendValidationEmail",
        "RevokeAcmeAccount",
        "RevokeAcmeExternalAccountBinding",
        "TagResource",
        "UntagResource",
        "UpdateAcmeDomainValidation",
        "UpdateAcmeEndpoint",
    ],
};

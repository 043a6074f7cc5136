//! AWS Certificate Manager, version 2015-12-08.
//!
//! An operation is a file with two functions, `read` and `call`, and one line in [`OPERATIONS`]. What
//! happens in between stands here once: the input is decoded, the operation runs, its error gets a code.

use std::future::Future;
use std::pin::Pin;

use control::Control;
use serde_json::Value;

use crate::ApiError;
use crate::input;
use crate::query::Node;

mod add_tags_to_certificate;
mod delete_certificate;
mod describe_certificate;
mod error;
mod get_certificate;
mod import_certificate;
mod list_certificates;
mod list_tags_for_certificate;
mod remove_tags_from_certificate;
mod shapes;
#[cfg(test)]
mod tests;

/// Decodes the input of an operation and performs it. What has no members has no result.
type Handler = for<'a> fn(&'a Control, &'a Node) -> Answer<'a>;
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Value>, ApiError>> + Send + 'a>>;

/// An operation that is supported.
struct Operation {
    name: &'static str,
    handler: Handler,
    /// The members that the operation does not read.
    #[cfg(test)]
    ignored: fn(&Node) -> Vec<String>,
}

macro_rules! operations {
    ($($name:literal => $module:ident,)+) => {
        &[$(Operation {
            name: $name,
            handler: |control, input| Box::pin(async move {
                let input = input::decode(input, $module::read)?;
                Ok($module::call(control, input).await?)
            }),
            #[cfg(test)]
            ignored: |input| input::ignored(input, $module::read),
        }),+]
    };
}

/// Every operation that is supported.
const OPERATIONS: &[Operation] = operations! {
    "AddTagsToCertificate" => add_tags_to_certificate,
    "DeleteCertificate" => delete_certificate,
    "DescribeCertificate" => describe_certificate,
    "GetCertificate" => get_certificate,
    "ImportCertificate" => import_certificate,
    "ListCertificates" => list_certificates,
    "ListTagsForCertificate" => list_tags_for_certificate,
    "RemoveTagsFromCertificate" => remove_tags_from_certificate,
};

/// The rest of the API's operations, which are refused by name.
const NOT_YET: &[&str] = &[
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
    "RequestCertificate",
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
];

/// Performs an operation.
pub(crate) async fn call(
    control: &Control,
    name: &str,
    input: &Node,
) -> Result<Option<Value>, ApiError> {
    match OPERATIONS.iter().find(|operation| operation.name == name) {
        Some(operation) => (operation.handler)(control, input).await,
        None if NOT_YET.contains(&name) => Err(ApiError::sender(
            "UnknownOperationException",
            format!("elbow does not support the operation {name} yet; nothing was done."),
        )),
        None => Err(ApiError::sender(
            "UnknownOperationException",
            format!("AWS Certificate Manager has no operation {name}."),
        )),
    }
}

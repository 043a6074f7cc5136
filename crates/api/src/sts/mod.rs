//! Security Token Service, version 2011-06-15: who is asking.

use model::arn::Place;

use crate::ApiError;
use crate::query::Lists;
use crate::service::{Service, unknown_operation};
use crate::xml::Xml;

/// Performs an operation for the root user of `place`'s account, the only user there is.
pub(crate) fn call(place: &Place, action: &str) -> Result<Xml, ApiError> {
    match action {
        "GetCallerIdentity" => Ok(get_caller_identity(place)),
        _ if NOT_YET.contains(&action) => Err(ApiError::sender(
            "InvalidAction",
            format!("elbow does not support the operation {action} yet; sign with the root key."),
        )),
        _ => Err(unknown_operation(action, Service::Sts.version())),
    }
}

const NOT_YET: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetSessionToken",
    "GetWebIdentityToken",
];

/// Source: STS API, `GetCallerIdentity`.
fn get_caller_identity(place: &Place) -> Xml {
    let Place {
        partition, account, ..
    } = place;
    let mut xml = Xml::new(Lists::Member);
    xml.text("UserId", account);
    xml.text("Account", account);
    xml.text("Arn", format_args!("arn:{partition}:iam::{account}:root"));
    xml
}

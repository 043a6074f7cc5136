//! Security Token Service, version 2011-06-15: who is asking.

use model::arn::Place;

use crate::operation::{Operation, Operations};
use crate::query::Lists;
use crate::service::Service;
use crate::xml::Xml;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::Sts,
    served: &[Operation {
        name: "GetCallerIdentity",
        handler: |control, _| Box::pin(async { Ok(caller_identity(&control.settings().place)) }),
        // There are none.
        #[cfg(test)]
        ignored: |_| Vec::new(),
    }],
    refused: &[
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
    ],
};

/// The root user of `place`'s account, the only user there is.
///
/// Source: STS API, `GetCallerIdentity`.
fn caller_identity(place: &Place) -> Xml {
    let Place {
        partition, account, ..
    } = place;
    let mut xml = Xml::new(Lists::Member);
    xml.text("UserId", account);
    xml.text("Account", account);
    xml.text("Arn", format_args!("arn:{partition}:iam::{account}:root"));
    xml
}

//! Security Token Service, version 2011-06-15: who is asking.

use crate::operation::{Call, Operation, Operations};
use crate::query::Lists;
use crate::service::Service;
use crate::xml::Xml;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::Sts,
    served: &[Operation {
        name: "GetCallerIdentity",
        handler: |call| Box::pin(async move { Ok(caller_identity(call)) }),
        // There are none.
        #[cfg(test)]
        ignored: |_| Vec::new(),
    }],
    reads: &["GetCallerIdentity"],
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

/// Source: STS API, `GetCallerIdentity`.
fn caller_identity(call: Call<'_>) -> Xml {
    let place = &call.control.settings().place;
    let mut xml = Xml::new(Lists::Member);
    xml.text("UserId", call.caller.user_id(place));
    xml.text("Account", &place.account);
    xml.text("Arn", call.caller.arn(place));
    xml
}

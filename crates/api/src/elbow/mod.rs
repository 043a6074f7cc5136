//! The access keys of elbow: operations in the form of IAM's, in a service of elbow's own, because IAM says what a
//! key may do by users and policies, which elbow does not have.

mod error;
#[cfg(test)]
mod tests;

use control::access::CreateAccessKey;
use model::access_key::{Access, AccessKey};

use crate::ApiError;
use crate::input::{self, Fields, OneOf, TEXT};
use crate::operation::{Call, Operation, Operations};
use crate::query::Lists;
use crate::service::Service;
use crate::xml::{Xml, timestamp};

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Xml> = Operations {
    service: Service::Elbow,
    served: &[
        Operation {
            name: "CreateAccessKey",
            handler: |call| Box::pin(create(call)),
            #[cfg(test)]
            ignored: |input| input::ignored(input, read_create),
        },
        Operation {
            name: "DeleteAccessKey",
            handler: |call| Box::pin(delete(call)),
            #[cfg(test)]
            ignored: |input| input::ignored(input, read_delete),
        },
        Operation {
            name: "ListAccessKeys",
            handler: |call| Box::pin(async move { Ok(list(call)) }),
            // There are none.
            #[cfg(test)]
            ignored: |_| Vec::new(),
        },
    ],
    reads: &["ListAccessKeys"],
    refused: &[],
};

fn read_create(fields: &Fields<'_>) -> CreateAccessKey {
    let access = fields.optional("Access", OneOf(Access::ALL));
    CreateAccessKey {
        user_name: fields.optional("UserName", TEXT),
        access: access.unwrap_or(Access::Full),
    }
}

async fn create(call: Call<'_>) -> Result<Xml, ApiError> {
    let input = input::decode(call.input, read_create)?;
    let (key, secret) = call.control.create_access_key(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.element("AccessKey", |xml| {
        print(xml, &key);
        xml.text("SecretAccessKey", secret.reveal());
    });
    Ok(xml)
}

fn read_delete(fields: &Fields<'_>) -> String {
    fields.required("AccessKeyId", TEXT)
}

async fn delete(call: Call<'_>) -> Result<Xml, ApiError> {
    let id = input::decode(call.input, read_delete)?;
    // Only the root user gets here.
    if id == call.caller.access_key_id() {
        return Err(ApiError::new(
            "DeleteConflict",
            409,
            "The root key cannot be revoked. Remove the file 'credentials' in the data directory while elbow is \
             stopped to have a new one made at the next start.",
        ));
    }
    call.control.delete_access_key(id).await?;
    Ok(Xml::new(Lists::Member))
}

fn list(call: Call<'_>) -> Xml {
    let mut xml = Xml::new(Lists::Member);
    xml.list(
        "AccessKeyMetadata",
        call.control.list_access_keys(),
        |xml, key| print(xml, &key),
    );
    xml
}

fn print(xml: &mut Xml, key: &AccessKey) {
    xml.text("UserName", &key.user_name);
    xml.text("AccessKeyId", &key.id);
    xml.text("Access", key.access);
    xml.text("CreateDate", timestamp(key.created_at_millis));
}

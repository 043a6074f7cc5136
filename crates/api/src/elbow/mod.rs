//! The accounts and access keys of elbow: operations in the form of those of Organizations and IAM, in a service of
//! elbow's own, because IAM says what a key may do by users and policies, which elbow does not have.

mod error;
#[cfg(test)]
mod tests;

use control::Control;
use control::access::CreateAccessKey;
use control::accounts::CreateAccount;
use model::access_key::{Access, AccessKey};
use model::account::Account;

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
            name: "CreateAccount",
            handler: |call| Box::pin(create_account(call)),
            #[cfg(test)]
            ignored: |input| input::ignored(input, read_create_account),
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
        Operation {
            name: "ListAccounts",
            handler: |call| Box::pin(async move { Ok(list_accounts(call)) }),
            // There are none.
            #[cfg(test)]
            ignored: |_| Vec::new(),
        },
    ],
    reads: &["ListAccessKeys", "ListAccounts"],
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
        print(xml, call.control, &key);
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
    let holder = call.accounts.all().into_iter();
    let mut holder = holder.filter(|control| control.has_access_key(&id));
    let holder = holder.next().unwrap_or_else(|| call.control.clone());
    holder.delete_access_key(id).await?;
    Ok(Xml::new(Lists::Member))
}

/// Those of all accounts.
fn list(call: Call<'_>) -> Xml {
    let keys = call.accounts.all().into_iter().flat_map(|control| {
        let keys = control.list_access_keys().into_iter();
        keys.map(move |key| (control.clone(), key))
    });
    let mut xml = Xml::new(Lists::Member);
    xml.list("AccessKeyMetadata", keys, |xml, (control, key)| {
        print(xml, &control, &key);
    });
    xml
}

fn read_create_account(fields: &Fields<'_>) -> CreateAccount {
    CreateAccount {
        account_id: fields.required("AccountId", TEXT),
        vpc_cidr: fields.optional("VpcCidr", TEXT),
        elastic_cidr: fields.optional("ElasticCidr", TEXT),
    }
}

async fn create_account(call: Call<'_>) -> Result<Xml, ApiError> {
    let input = input::decode(call.input, read_create_account)?;
    let account = call.accounts.create(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.element("Account", |xml| print_account(xml, &account));
    Ok(xml)
}

fn list_accounts(call: Call<'_>) -> Xml {
    let mut xml = Xml::new(Lists::Member);
    xml.list("Accounts", call.accounts.list(), |xml, account| {
        print_account(xml, &account);
    });
    xml
}

fn print_account(xml: &mut Xml, account: &Account) {
    xml.text("Id", &account.id);
    xml.text("VpcCidr", account.vpc_cidr);
    if let Some(block) = account.elastic_cidr {
        xml.text("ElasticCidr", block);
    }
    xml.list("Subnets", &account.subnets, |xml, subnet| {
        xml.text("AvailabilityZone", &subnet.zone);
        xml.text("CidrBlock", subnet.cidr);
    });
    xml.text("JoinedTimestamp", timestamp(account.created_at_millis));
}

fn print(xml: &mut Xml, control: &Control, key: &AccessKey) {
    xml.text("AccountId", &control.settings().place.account);
    xml.text("UserName", &key.user_name);
    xml.text("AccessKeyId", &key.id);
    xml.text("Access", key.access);
    xml.text("CreateDate", timestamp(key.created_at_millis));
}

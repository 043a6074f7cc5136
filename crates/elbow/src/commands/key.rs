//! `elbow key`: access keys beside the root key, for those who are not to have that one.

use super::CommandError;
use crate::cli::{ElbowArgs, KeyCreateArgs, KeyRevokeArgs};
use crate::client::call::{Call, Service};

/// Makes a key and prints the variables that AWS clients take it from. Its secret is shown this once.
///
/// # Errors
/// The name is taken or not valid, or elbow is not there.
pub(crate) async fn create(args: KeyCreateArgs) -> Result<(), CommandError> {
    let client = super::client(args.client)?;
    let access = match args.read_only {
        true => "read-only",
        false => "full",
    };
    let mut call = Call::new(Service::Elbow, "CreateAccessKey").with("Access", access);
    if let Some(name) = &args.name {
        call = call.with("UserName", name);
    }
    let answer = client.call(&call).await?;
    super::print(&format!(
        "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
        answer.text_at("AccessKey/AccessKeyId"),
        answer.text_at("AccessKey/SecretAccessKey")
    ))
}

/// Prints id, access, time of making, name and account of each key but the root key.
///
/// # Errors
/// Elbow is not there.
pub(crate) async fn list(args: ElbowArgs) -> Result<(), CommandError> {
    let client = super::operator(args)?;
    let call = Call::new(Service::Elbow, "ListAccessKeys");
    for key in client.call(&call).await?.list("AccessKeyMetadata") {
        let fields = [
            "AccessKeyId",
            "Access",
            "CreateDate",
            "UserName",
            "AccountId",
        ];
        let line = fields.map(|name| key.text_at(name)).join("\t");
        super::print(&format!("{line}\n"))?;
    }
    Ok(())
}

/// Revokes a key: nothing that is signed with it is accepted any more.
///
/// # Errors
/// There is no such key, it is the root key, or elbow is not there.
pub(crate) async fn revoke(args: KeyRevokeArgs) -> Result<(), CommandError> {
    let client = super::operator(args.elbow)?;
    let call =
        Call::new(Service::Elbow, "DeleteAccessKey").with("AccessKeyId", &args.access_key_id);
    client.call(&call).await?;
    Ok(())
}

//! `elbow account`: accounts beside the one of the configuration, each with resources and addresses of its own.

use super::CommandError;
use crate::cli::{AccountCreateArgs, ElbowArgs};
use crate::client::call::{Call, Service};
use crate::client::xml::Element;

/// Makes an account and prints it as `list` does.
///
/// # Errors
/// There is one with the id, its blocks are not free, or elbow is not there.
pub(crate) async fn create(args: AccountCreateArgs) -> Result<(), CommandError> {
    let client = super::operator(args.elbow)?;
    let mut call = Call::new(Service::Elbow, "CreateAccount").with("AccountId", &args.id);
    let blocks = [
        ("VpcCidr", args.vpc_cidr),
        ("ElasticCidr", args.elastic_cidr),
    ];
    for (name, block) in blocks {
        if let Some(block) = block {
            call = call.with(name, &block.to_string());
        }
    }
    let answer = client.call(&call).await?;
    if let Some(account) = answer.find("Account") {
        print(account)?;
    }
    Ok(())
}

/// Prints id, block of the default VPC and time of making of each account but that of the configuration.
///
/// # Errors
/// Elbow is not there.
pub(crate) async fn list(args: ElbowArgs) -> Result<(), CommandError> {
    let client = super::operator(args)?;
    let call = Call::new(Service::Elbow, "ListAccounts");
    for account in client.call(&call).await?.list("Accounts") {
        print(account)?;
    }
    Ok(())
}

fn print(account: &Element) -> Result<(), CommandError> {
    let fields = ["Id", "VpcCidr", "JoinedTimestamp"];
    let line = fields.map(|name| account.text_at(name)).join("\t");
    super::print(&format!("{line}\n"))
}

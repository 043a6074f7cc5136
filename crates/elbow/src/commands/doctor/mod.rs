//! `elbow doctor`: what is wrong with load balancers, targets, certificates and the machine, and what to do about it.

mod admission;
mod certificates;
mod clear_text;
mod client_hello;
mod dropped;
mod finding;
mod groups;
mod listeners;
mod machine;
mod names;
mod probe;
mod providers;
mod redirects;
mod rules;
mod surroundings;
mod targets;
mod zones;

use std::process::ExitCode;

use serde::Serialize;
use time::OffsetDateTime;

use self::finding::Finding;
use self::surroundings::Surroundings;
use super::CommandError;
use super::inventory::Inventory;
use crate::cli::DoctorArgs;
use crate::client::Client;
use crate::config::client_data_directory;
use crate::contact::Contact;

/// Prints what is wrong, the worst first. The status is 1 if something is.
///
/// # Errors
/// Elbow is not there, or refuses a call.
pub(crate) async fn run(args: DoctorArgs) -> Result<ExitCode, CommandError> {
    let directory = client_data_directory(args.client.elbow)?;
    let client = Client::new(Contact::find(&directory)?, args.client.account);
    let inventory = Inventory::ask(&client, None).await?;
    let surroundings = Surroundings::ask(&client, &inventory).await?;
    let report = client.self_report().await?;
    let now = OffsetDateTime::now_utc();
    let seen = probe::look_at(targets::ports(&inventory, &surroundings)).await;
    let unreached = providers::look_at(&inventory).await;
    let machine = machine::findings(&inventory, &report, directory.path(), now);
    let mut findings = machine.map_err(CommandError::Directory)?;
    findings.extend(listeners::findings(
        &inventory,
        &surroundings,
        now.unix_timestamp(),
    ));
    findings.extend(targets::findings(&inventory, &surroundings, &seen));
    findings.extend(zones::findings(&inventory, &surroundings));
    findings.extend(providers::findings(&inventory, &unreached));
    findings.sort_by_key(|finding| finding.severity);
    if args.json {
        super::print_json(&Report {
            findings: &findings,
        })?;
    } else {
        super::print(&finding::text(&findings))?;
    }
    Ok(super::status(findings.is_empty()))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    findings: &'a [Finding],
}

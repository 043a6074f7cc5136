//! The commands that look at a running elbow from outside, one file each.

// All of it goes through `print`, which knows what a closed pipe is.
#![deny(clippy::print_stdout)]

pub(crate) mod account;
pub(crate) mod ca;
mod columns;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod explain;
pub(crate) mod hosts;
pub(crate) mod instance;
pub(crate) mod inventory;
pub(crate) mod key;
pub(crate) mod status;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::{ClientArgs, ElbowArgs};
use crate::client::call::{Call, Value};
use crate::client::xml::Element;
use crate::client::{CallError, Client};
use crate::config::{SettingsError, client_data_directory};
use crate::contact::{Contact, ContactError};
use crate::key_file::KeyFileError;

/// A command brought no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error("the data directory cannot be looked at")]
    Directory(#[source] io::Error),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(
        "there is no local certificate authority in {}; it is made by `elbow serve`, unless the configuration says \
         issuer = \"import-only\" in the section [certificates]", .0.display()
    )]
    NoAuthority(PathBuf),
    #[error("{address} is in none of the subnets; use an address of {subnets}")]
    NoSubnet {
        address: std::net::IpAddr,
        subnets: String,
    },
    #[error("{} cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("--client-certificate {} cannot be used", path.display())]
    ClientCertificate {
        path: PathBuf,
        source: proxy::explain::PeerCertificatesError,
    },
    #[error(
        "elbow answers what this elbow does not understand; use the same version on both sides"
    )]
    NotUnderstood(#[from] serde_json::Error),
    #[error("the answer cannot be written to standard output")]
    Output(#[source] io::Error),
}

/// The elbow that `args` name.
fn contact(args: ElbowArgs) -> Result<Contact, CommandError> {
    let directory = client_data_directory(args)?;
    Ok(Contact::find(&directory)?)
}

fn client(args: ClientArgs) -> Result<Client, CommandError> {
    Ok(Client::new(contact(args.elbow)?, args.account))
}

/// A client for what is about no account in particular.
fn operator(args: ElbowArgs) -> Result<Client, CommandError> {
    Ok(Client::new(contact(args)?, None))
}

/// All elements of the list `list` over all pages of `call`.
///
/// `token` is the name of the parameter that asks for the next page, `next` the element that names it.
async fn pages(
    client: &Client,
    call: Call,
    list: &str,
    (token, next): (&'static str, &str),
) -> Result<Vec<Element>, CallError> {
    let mut found = Vec::new();
    let mut page = client.call(&call).await?;
    loop {
        found.extend_from_slice(page.list(list));
        let marker = page.text_at(next);
        if marker.is_empty() {
            return Ok(found);
        }
        let call = call.clone().with(token, Value::from(marker));
        page = client.call(&call).await?;
    }
}

/// An answer about something of which elbow has told before; `None` if that has been deleted since.
fn if_there<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        // `LoadBalancerNotFound` and the like; `ResourceNotFoundException` of ACM; `InvalidPrefixListID.NotFound`.
        Err(CallError::Refused { code, .. }) if code.contains("NotFound") => Ok(None),
        answer => answer.map(Some),
    }
}

/// The exit status of a command that judges what it has seen.
fn status(is_well: bool) -> ExitCode {
    ExitCode::from(u8::from(!is_well))
}

/// Prints what a command has to say. All commands do it here.
///
/// # Errors
/// Standard output takes nothing, and not because its reader has enough.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    write(&mut io::stdout().lock(), text).map_err(CommandError::Output)
}

/// Whoever reads may stop early, as `head` does: what is left is for nobody, and that is no error.
fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints a value for machines, with line breaks.
///
/// # Errors
/// Those of `print`.
fn print_json(value: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(value).expect("the keys of all maps are text");
    print(&format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_meanwhile_is_nothing_and_no_error() {
        let refused = |code: &str| {
            if_there::<()>(Err(CallError::Refused {
                action: "DescribeTargetHealth",
                status: 400,
                code: code.to_owned(),
                message: String::new(),
            }))
        };
        for code in [
            "LoadBalancerNotFound",
            "TargetGroupNotFound",
            "ListenerNotFound",
            "ResourceNotFoundException",
            "InvalidPrefixListID.NotFound",
        ] {
            assert!(matches!(refused(code), Ok(None)), "{code}");
        }
        assert!(refused("AccessDenied").is_err());
        assert!(matches!(if_there(Ok("it")), Ok(Some("it"))));
    }

    /// Fails all that is written to it.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_enough_is_no_error_and_a_full_disk_is() {
        use io::ErrorKind::{BrokenPipe, StorageFull};
        assert!(write(&mut Failing(BrokenPipe), "x").is_ok());
        let error = write(&mut Failing(StorageFull), "x").unwrap_err();
        assert_eq!(error.kind(), StorageFull);
    }
}

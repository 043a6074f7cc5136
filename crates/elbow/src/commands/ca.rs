//! `elbow ca`: the root that the clients of requested certificates have to trust.

use super::CommandError;
use crate::cli::ElbowArgs;
use crate::config::client_data_directory;
use crate::key_file::LOCAL_AUTHORITY;

/// Prints the root certificate in PEM.
///
/// # Errors
/// There is none, or this user may not read the file that holds it together with its key.
pub(crate) fn run(args: ElbowArgs) -> Result<(), CommandError> {
    let directory = client_data_directory(args)?;
    let authority = LOCAL_AUTHORITY.load(&directory)?;
    let missing = || CommandError::NoAuthority(directory.path().to_owned());
    super::print(authority.ok_or_else(missing)?.certificate_pem())
}

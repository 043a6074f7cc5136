//! `elbow env`: the variables that point every AWS client at this elbow.

use super::CommandError;
use crate::cli::ElbowArgs;
use crate::contact::Contact;

/// Prints the assignments for a POSIX shell.
///
/// # Errors
/// No elbow has served with the data directory, or this user may not read its key.
pub(crate) fn run(args: ElbowArgs) -> Result<(), CommandError> {
    super::print(&exports(&super::contact(args)?))
}

/// No value needs quoting: a URL, a Region's name, and letters, digits, `/` and `+`.
pub(crate) fn exports(contact: &Contact) -> String {
    let region = &contact.endpoint.region;
    let variables = [
        ("AWS_ENDPOINT_URL", contact.endpoint.url()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ACCESS_KEY_ID", contact.key.access_key_id.clone()),
        (
            "AWS_SECRET_ACCESS_KEY",
            contact.key.secret_access_key.clone(),
        ),
    ];
    let exports = variables.map(|(name, value)| format!("export {name}={value}\n"));
    // A session token of another account would be sent along and refused.
    exports.concat() + "unset AWS_SESSION_TOKEN\n"
}

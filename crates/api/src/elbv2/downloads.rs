//! The URLs under which the contents of trust stores are downloaded, written and read.
//!
//! `/_elbow/trust-stores/{id}/bundle` and `/_elbow/trust-stores/{id}/revocations/{id}`, with `expires` in
//! seconds since 1970 and `signature` in the query: whoever has the URL needs no key, as with S3.

use control::elb::trust_store_downloads::{DownloadError, DownloadLeave, TrustStoreContent};
use control::{Accounts, Control};
use model::trust_store::RevocationKey;

use crate::query;

/// What the paths of the URLs begin with.
pub(crate) const PATH: &str = "/_elbow/trust-stores/";

/// Where somebody with this leave finds the content.
pub(super) fn url(control: &Control, leave: &DownloadLeave) -> String {
    let path = match leave.content {
        TrustStoreContent::Bundle(trust_store) => format!("{trust_store}/bundle"),
        TrustStoreContent::Revocation(RevocationKey { trust_store, id }) => {
            format!("{trust_store}/revocations/{id}")
        }
    };
    let endpoint = &control.settings().endpoint_url;
    let DownloadLeave {
        expires_at,
        signature,
        ..
    } = leave;
    format!("{endpoint}{PATH}{path}?expires={expires_at}&signature={signature}")
}

/// What is at a URL: `path` is what follows [`PATH`].
///
/// # Errors
/// `NotSigned` also for what is no URL of these.
pub(crate) fn download(
    accounts: &Accounts,
    path: &str,
    query: &str,
) -> Result<String, DownloadError> {
    let leave = read(path, query).ok_or(DownloadError::NotSigned)?;
    // The URL does not say whose it is.
    let accounts = accounts.all();
    let mut answers = accounts.iter().map(|account| account.download(&leave));
    answers
        .find(|answer| !matches!(answer, Err(DownloadError::Gone)))
        .unwrap_or(Err(DownloadError::Gone))
}

fn read(path: &str, query: &str) -> Option<DownloadLeave> {
    let (trust_store, rest) = path.split_once('/')?;
    let trust_store = trust_store.parse().ok()?;
    let content = match rest.split_once('/') {
        None if rest == "bundle" => TrustStoreContent::Bundle(trust_store),
        Some(("revocations", id)) => TrustStoreContent::Revocation(RevocationKey {
            trust_store,
            id: id.parse().ok()?,
        }),
        _ => return None,
    };
    let query = query::decode(query.as_bytes()).ok()?;
    Some(DownloadLeave {
        content,
        expires_at: query.text("expires")?.parse().ok()?,
        signature: query.text("signature")?.to_owned(),
    })
}

//! `[s3]`: where the objects come from that operations are told to read.

use std::path::PathBuf;

use super::file::S3Section;
use crate::credentials::RootKey;

/// Where objects are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum S3 {
    /// From nowhere.
    Nothing,
    /// A bucket is a directory in this one, an object a file in it.
    Directory(PathBuf),
    /// A service that speaks the protocol of S3.
    Endpoint(S3Endpoint),
}

/// A service that speaks the protocol of S3, in clear text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Endpoint {
    /// Host and port, as `Host` names them.
    pub(crate) authority: String,
    /// The Region in signatures.
    pub(crate) region: String,
    /// Who reads.
    pub(crate) key: RootKey,
}

/// The section cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    #[error("[s3] needs either 'directory' or 'endpoint', not both: say where the buckets are")]
    Place,
    #[error("'{0}' in [s3] is for an endpoint, and a directory is named")]
    OnlyEndpoint(&'static str),
    #[error("[s3] with an endpoint needs 'access_key_id' and 'secret_access_key'")]
    Keys,
    #[error("'{0}' in [s3] is not an endpoint that elbow can read from; write http://HOST:PORT")]
    Endpoint(String),
}

impl S3 {
    /// What the section says; `region` is that of the topology.
    ///
    /// # Errors
    /// Its keys do not go together.
    pub(super) fn resolve(section: Option<S3Section>, region: &str) -> Result<Self, S3Error> {
        let Some(section) = section else {
            return Ok(Self::Nothing);
        };
        let for_endpoint = [
            ("region", section.region.is_some()),
            ("access_key_id", section.access_key_id.is_some()),
            ("secret_access_key", section.secret_access_key.is_some()),
        ];
        match (section.directory, section.endpoint) {
            (Some(directory), None) => match for_endpoint.iter().find(|(_, is_given)| *is_given) {
                Some((name, _)) => Err(S3Error::OnlyEndpoint(name)),
                None => Ok(Self::Directory(directory)),
            },
            (None, Some(endpoint)) => {
                let keys = section.access_key_id.zip(section.secret_access_key);
                let (access_key_id, secret_access_key) = match authority(&endpoint) {
                    Some(_) => keys.ok_or(S3Error::Keys)?,
                    None => return Err(S3Error::Endpoint(endpoint)),
                };
                Ok(Self::Endpoint(S3Endpoint {
                    authority: authority(&endpoint).unwrap_or_default(),
                    region: section.region.unwrap_or_else(|| region.to_owned()),
                    key: RootKey {
                        access_key_id,
                        secret_access_key,
                    },
                }))
            }
            _ => Err(S3Error::Place),
        }
    }
}

/// `HOST` or `HOST:PORT` of an address without a path.
fn authority(endpoint: &str) -> Option<String> {
    let uri: hyper::Uri = endpoint.parse().ok()?;
    let is_plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
    let authority = uri.authority().filter(|_| is_plain)?;
    let is_bare = !authority.as_str().contains('@');
    is_bare.then(|| authority.as_str().to_owned())
}

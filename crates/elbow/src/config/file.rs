//! The configuration file: TOML whose keys are all known.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use model::Cidr;
use model::secret::Secret;
use serde::Deserialize;

use super::topology::Addresses;

/// What the file says; what it leaves out is `None` or empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) workers: Option<NonZeroUsize>,
    pub(crate) log: Option<String>,
    #[serde(default)]
    pub(crate) endpoint: EndpointSection,
    #[serde(default)]
    pub(crate) topology: TopologySection,
    #[serde(default)]
    pub(crate) dns: DnsSection,
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, u32>,
    #[serde(default)]
    pub(crate) cognito_user_pool: Vec<CognitoUserPoolSection>,
    pub(crate) s3: Option<S3Section>,
    #[serde(default)]
    pub(crate) identity_providers: IdentityProvidersSection,
    #[serde(default)]
    pub(crate) certificates: CertificatesSection,
    #[serde(default)]
    pub(crate) audit: AuditSection,
    #[serde(default)]
    pub(crate) throttle: ThrottleSection,
}

/// `[endpoint]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointSection {
    pub(crate) listen: Option<SocketAddr>,
    #[serde(default)]
    pub(crate) insecure_public: bool,
}

/// `[topology]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopologySection {
    pub(crate) region: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) vpc_cidr: Option<Cidr>,
    pub(crate) vpc_ipv6_cidr: Option<Cidr>,
    pub(crate) elastic_cidr: Option<Cidr>,
    pub(crate) addresses: Option<Addresses>,
    #[serde(default)]
    pub(crate) zones: Vec<ZoneSection>,
}

/// `[[topology.zones]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneSection {
    pub(crate) name: String,
    pub(crate) subnet_cidr: Cidr,
    pub(crate) subnet_ipv6_cidr: Option<Cidr>,
}

/// `[dns]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DnsSection {
    pub(crate) base_domain: Option<String>,
}

/// `[[cognito_user_pool]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CognitoUserPoolSection {
    pub(crate) arn: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) endpoint: Option<String>,
}

/// `[identity_providers]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityProvidersSection {
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// `[certificates]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificatesSection {
    #[serde(default)]
    pub(crate) issuer: CertificateIssuer,
}

/// Who issues the certificates that are requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CertificateIssuer {
    /// An authority of this elbow's own.
    #[default]
    Local,
    /// Nobody: certificates can only be imported.
    ImportOnly,
}

/// `[audit]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditSection {
    pub(crate) enabled: Option<bool>,
    pub(crate) file: Option<PathBuf>,
}

/// `[throttle]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThrottleSection {
    #[serde(default)]
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) buckets: BTreeMap<String, BucketSection>,
}

/// One of `[throttle.buckets]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BucketSection {
    pub(crate) capacity: u32,
    pub(crate) refill_per_second: f64,
}

/// `[s3]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3Section {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
}

impl std::fmt::Debug for S3Section {
    /// Leaves the secret out, so that it reaches no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Section")
            .field("directory", &self.directory)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The configuration file is missing or says something elbow does not know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the configuration file {path} cannot be read")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the configuration file {path} cannot be used; every key is in docs/configuration.md")]
    Content {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
}

impl ConfigFile {
    /// Reads `path`. Without a path there is no file: elbow looks for none by itself.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has a key or a value that is not known.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, ReadError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ReadError::Content {
            path: path.to_owned(),
            source,
        })
    }
}

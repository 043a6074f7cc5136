//! The settings of `elbow serve`: a flag wins over the environment, the environment over the
//! configuration file, the file over the default.
//!
//! A setting that elbow does not know or does not honour is refused by name; nothing is accepted and
//! dropped. `docs/configuration.md` is the reference for users.

mod cognito;
pub(crate) mod directory;
pub(crate) mod file;
mod limits;
pub(crate) mod s3;
mod throttle;
pub(crate) mod topology;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use api::Throttle;
use control::{CognitoUserPool, Limits};

use crate::cli::{ElbowArgs, ServeArgs};
use cognito::UserPoolError;
use directory::DataDirectory;
use file::{AuditSection, CertificateIssuer, ConfigFile, ReadError};
use limits::LimitError;
use s3::{S3, S3Error};
use throttle::ThrottleError;
use topology::{Topology, TopologyError};

/// Where the AWS endpoint listens unless told otherwise: the port that other tools expect it on.
pub(crate) const ENDPOINT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4566);

/// The file of the audit log in the data directory unless told otherwise.
const AUDIT_FILE: &str = "audit.log";

/// The domain of load balancer names unless told otherwise.
const BASE_DOMAIN: &str = "elb.internal";

/// Everything `elbow serve` has been told, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the AWS endpoint listens.
    pub(crate) endpoint: SocketAddr,
    /// Where state and the root key are kept.
    pub(crate) data_directory: DataDirectory,
    /// Threads that serve load balancer traffic.
    pub(crate) workers: NonZeroUsize,
    /// Region, account and network.
    pub(crate) topology: Topology,
    /// The domain under which load balancers get their names.
    pub(crate) base_domain: String,
    /// How many there may be of each thing.
    pub(crate) limits: Limits,
    /// The clients of user pools that actions can log in with.
    pub(crate) cognito_user_pools: Vec<CognitoUserPool>,
    /// Where objects are read from.
    pub(crate) s3: S3,
    /// A file with certificates in PEM that vouch for identity providers, beside those of the system.
    pub(crate) identity_provider_ca_bundle: Option<PathBuf>,
    /// Who issues the certificates that are requested.
    pub(crate) certificate_issuer: CertificateIssuer,
    /// The file of the audit log; `None`: there is none.
    pub(crate) audit_file: Option<PathBuf>,
    /// How often operations may be called; `None`: without limit.
    pub(crate) throttle: Option<Throttle>,
    /// Log directives.
    pub(crate) log: String,
}

/// The settings cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    File(#[from] ReadError),
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    UserPool(#[from] UserPoolError),
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    #[error("'file' in [audit] is of no use with `enabled = false`; remove one of them")]
    AuditOff,
    #[error(
        "the endpoint address {0} is not a loopback address and the endpoint has no TLS yet: anyone on \
         the way could read what is sent to it; listen on 127.0.0.1, or accept the risk with \
         --insecure-public-endpoint"
    )]
    PublicEndpoint(SocketAddr),
    #[error(
        "'{0}' is not a domain name: use labels of letters, digits and hyphens, such as elb.internal"
    )]
    BaseDomain(String),
    #[error(
        "there is no place for the data directory: HOME is not set; name a directory with --data-dir"
    )]
    NoDataDirectory,
}

impl Settings {
    /// Puts the flags and the environment (both in `args`) over the configuration file and the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or a value is not one that elbow can honour.
    pub(crate) fn resolve(args: ServeArgs) -> Result<Self, SettingsError> {
        let file = ConfigFile::read(args.config.as_deref())?;
        let endpoint = args.listen.or(file.endpoint.listen).unwrap_or(ENDPOINT);
        let is_public_allowed = args.insecure_public_endpoint || file.endpoint.insecure_public;
        if !endpoint.ip().is_loopback() && !is_public_allowed {
            return Err(SettingsError::PublicEndpoint(endpoint));
        }
        let topology = Topology::resolve(&args, file.topology)?;
        let s3 = S3::resolve(file.s3, &topology.region)?;
        let base_domain = args.base_domain.or(file.dns.base_domain);
        let mut changes = file.limits;
        changes.extend(args.limits);
        let data_directory = data_directory(args.data_dir, file.data_dir)?;
        Ok(Self {
            endpoint,
            audit_file: audit_file(file.audit, &data_directory)?,
            data_directory,
            workers: args.workers.or(file.workers).unwrap_or_else(core_count),
            topology,
            base_domain: parse_domain(base_domain.as_deref().unwrap_or(BASE_DOMAIN))?,
            limits: limits::changed(changes)?,
            cognito_user_pools: cognito::resolve(file.cognito_user_pool)?,
            s3,
            throttle: throttle::resolve(file.throttle)?,
            identity_provider_ca_bundle: file.identity_providers.ca_bundle,
            certificate_issuer: file.certificates.issuer,
            log: args.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn audit_file(
    section: AuditSection,
    directory: &DataDirectory,
) -> Result<Option<PathBuf>, SettingsError> {
    match (section.enabled.unwrap_or(true), section.file) {
        (true, file) => Ok(Some(file.unwrap_or_else(|| directory.file(AUDIT_FILE)))),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(SettingsError::AuditOff),
    }
}

/// The data directory a client command looks into.
///
/// # Errors
/// The configuration file cannot be read, or there is no home directory.
pub(crate) fn client_data_directory(args: ElbowArgs) -> Result<DataDirectory, SettingsError> {
    let file = ConfigFile::read(args.config.as_deref())?;
    data_directory(args.data_dir, file.data_dir)
}

fn data_directory(
    flag: Option<PathBuf>,
    file: Option<PathBuf>,
) -> Result<DataDirectory, SettingsError> {
    flag.or(file)
        .or_else(directory::default_path)
        .map(DataDirectory::at)
        .ok_or(SettingsError::NoDataDirectory)
}

fn core_count() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Source: RFC 1123 section 2.1 for the labels; the lengths leave room for the longest load balancer name.
fn parse_domain(text: &str) -> Result<String, SettingsError> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match text.len() <= 128 && text.split('.').all(is_label) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(SettingsError::BaseDomain(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: ServeArgs, file: &str) -> Result<Settings, SettingsError> {
        let directory = std::env::temp_dir();
        let path = directory.join(format!(
            "elbow-settings-{}-{:?}.toml",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::write(&path, file).expect("a temporary file");
        let args = ServeArgs {
            config: Some(path.clone()),
            data_dir: args.data_dir.or_else(|| Some(directory.join("state"))),
            ..args
        };
        let settings = Settings::resolve(args);
        std::fs::remove_file(&path).expect("the temporary file is there");
        settings
    }

    fn refusal(args: ServeArgs, file: &str) -> String {
        resolve(args, file)
            .expect_err("these settings are refused")
            .to_string()
    }

    #[test]
    fn an_empty_file_leaves_the_defaults() {
        let settings = resolve(ServeArgs::default(), "").unwrap();
        assert_eq!(settings.endpoint.to_string(), "127.0.0.1:4566");
        assert_eq!(settings.base_domain, "elb.internal");
        assert_eq!(settings.log, "info");
        assert_eq!(settings.limits, Limits::default());
        assert_eq!(settings.topology.zones.len(), 2);
        assert_eq!(settings.certificate_issuer, CertificateIssuer::Local);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = "
            workers = 3
            log = 'warn'
            [endpoint]
            listen = '127.0.0.1:1'
            [dns]
            base_domain = 'File.example'
            [certificates]
            issuer = 'import-only'
            [limits]
            target-groups = 5
            targets-per-target-group = 6
        ";
        let args = ServeArgs {
            listen: Some("127.0.0.1:2".parse().unwrap()),
            limits: vec![("target-groups".to_owned(), 7)],
            ..ServeArgs::default()
        };
        let settings = resolve(args, file).unwrap();
        assert_eq!(settings.endpoint.port(), 2, "the flag");
        assert_eq!(settings.workers.get(), 3, "the file");
        assert_eq!(settings.certificate_issuer, CertificateIssuer::ImportOnly);
        assert_eq!(settings.log, "warn", "the file");
        assert_eq!(
            settings.base_domain, "file.example",
            "the file, in lower case"
        );
        assert_eq!(settings.limits.target_groups, 7, "the flag");
        assert_eq!(settings.limits.targets_per_target_group, 6, "the file");
    }

    #[test]
    fn a_public_endpoint_needs_consent() {
        let listen = || Some("192.0.2.1:4566".parse().unwrap());
        let refused = ServeArgs {
            listen: listen(),
            ..ServeArgs::default()
        };
        assert!(refusal(refused, "").contains("--insecure-public-endpoint"));
        let accepted = ServeArgs {
            listen: listen(),
            insecure_public_endpoint: true,
            ..ServeArgs::default()
        };
        assert!(resolve(accepted, "").is_ok());
        let in_file = "[endpoint]\nlisten = '192.0.2.1:4566'\ninsecure_public = true";
        assert!(resolve(ServeArgs::default(), in_file).is_ok());
    }

    const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_aBc123";

    fn user_pool(arn: &str, secret: &str, rest: &str) -> String {
        let client = format!("client_id = 'shop'\nclient_secret = '{secret}'");
        format!("[[cognito_user_pool]]\narn = '{arn}'\n{client}\n{rest}\n")
    }

    #[test]
    fn user_pools_are_those_of_the_file() {
        let file = user_pool(POOL, "hush", "endpoint = 'http://127.0.0.1:9229/'");
        let settings = resolve(ServeArgs::default(), &file).unwrap();
        let [pool] = settings.cognito_user_pools.as_slice() else {
            panic!("there is one: {settings:?}");
        };
        assert_eq!(
            (&*pool.arn, &*pool.client_id, pool.client_secret.reveal()),
            (POOL, "shop", "hush")
        );
        assert_eq!(pool.endpoint.as_deref(), Some("http://127.0.0.1:9229"));
        assert!(
            !format!("{settings:?}").contains("hush"),
            "the secret stays out of logs"
        );
    }

    #[test]
    fn the_audit_log_is_in_the_data_directory_or_elsewhere_or_off() {
        let settings = |file| resolve(ServeArgs::default(), file).unwrap();
        let default = settings("");
        assert_eq!(
            default.audit_file,
            Some(default.data_directory.file("audit.log"))
        );
        let elsewhere = settings("[audit]\nfile = '/var/log/elbow/audit.log'");
        let path = PathBuf::from("/var/log/elbow/audit.log");
        assert_eq!(elsewhere.audit_file, Some(path));
        assert_eq!(settings("[audit]\nenabled = false").audit_file, None);
    }

    #[test]
    fn nothing_is_throttled_unless_told() {
        let throttle = |file| resolve(ServeArgs::default(), file).unwrap().throttle;
        assert!(throttle("").is_none());
        assert!(throttle("[throttle]\nenabled = false").is_none());
        let sized = "[throttle]\nenabled = true\n[throttle.buckets]\n\
                     elb-account = { capacity = 5, refill_per_second = 0.5 }\n\
                     ec2-tags = { capacity = 5, refill_per_second = 2 }";
        for file in ["[throttle]\nenabled = true", sized] {
            assert!(throttle(file).is_some(), "{file}");
        }
    }

    #[test]
    fn what_is_not_honoured_is_refused_by_name() {
        for (file, named) in [
            ("[audit]\nenabled = false\nfile = '/a'", "file"),
            ("[audit]\nformat = 'csv'", "format"),
            ("[throttle]\nrate = 1", "rate"),
            (
                "[throttle.buckets]\nelb-account = { capacity = 1, refill_per_second = 1 }",
                "enabled",
            ),
            (
                "[throttle]\nenabled = true\n[throttle.buckets]\nnlb = { capacity = 1, refill_per_second = 1 }",
                "'nlb'",
            ),
            (
                "[throttle]\nenabled = true\n[throttle.buckets]\nec2-tags = { capacity = 0, refill_per_second = 1 }",
                "ec2-tags",
            ),
            (
                "[throttle]\nenabled = true\n[throttle.buckets]\nec2-tags = { capacity = 1, refill_per_second = nan }",
                "ec2-tags",
            ),
            ("colour = 'red'", "colour"),
            ("[endpoint]\ntls = true", "tls"),
            ("[topology]\naddresses = 'interface'", "interface"),
            ("[topology]\naddresses = 'node'", "node"),
            ("[topology]\naddresses = 'elsewhere'", "elsewhere"),
            ("[topology]\ninterface = 'eth0'", "interface"),
            ("[dns]\nlisten = '127.0.0.1:53'", "listen"),
            ("[dns]\nbase_domain = 'a..b'", "a..b"),
            (
                "[limits]\nrules-per-network-load-balancer = 1",
                "rules-per-network-load-balancer",
            ),
            ("workers = 0", "workers"),
            (
                &user_pool("us-east-1_a", "hush", ""),
                "'us-east-1_a' is not a valid user pool ARN",
            ),
            (&user_pool(POOL, "", ""), "client secret"),
            (
                &user_pool(POOL, "hush", "endpoint = 'ftp://a'"),
                "'ftp://a' URL is not valid",
            ),
            (&user_pool(POOL, "hush", "domain = 'a'"), "domain"),
            (&user_pool(POOL, "hush", "").repeat(2), "keep one"),
            ("[certificates]\nissuer = 'acme'", "acme"),
            ("[certificates]\nauthority = 'local'", "authority"),
            ("[s3]\nbucket = 'a'", "bucket"),
            ("[s3]", "directory"),
            ("[s3]\ndirectory = '/a'\nendpoint = 'http://b'", "endpoint"),
            ("[s3]\ndirectory = '/a'\nregion = 'b'", "region"),
            ("[s3]\nendpoint = 'https://b'", "https://b"),
            ("[s3]\nendpoint = 'http://b'", "access_key_id"),
        ] {
            let error = resolve(ServeArgs::default(), file).expect_err("refused");
            let text = crate::chain(&error);
            assert!(text.contains(named), "{file} is refused by name: {text}");
        }
    }
}

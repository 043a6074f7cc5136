//! `elbow serve`: builds the parts, joins them, runs them until it is told to stop, and stops them in order.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::sigv4::AccessKey;
use api::{Endpoint, RandomRequestIds};
use control::{Accounts, Control, Issuer, RandomIds, SystemClock};
use model::arn::Place;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::audit::{AuditError, AuditFile};
use crate::cli::ServeArgs;
use crate::config::directory::DirectoryError;
use crate::config::file::CertificateIssuer;
use crate::config::topology::{Addresses, Topology};
use crate::config::{Settings, SettingsError};
use crate::contact;
use crate::credentials::{KeyError, RootKey};
use crate::explain;
use crate::key_file::{COOKIE_KEY, KeyFileError, LOCAL_AUTHORITY, LOGIN_KEYS, SECRET_KEY};
use crate::metrics;
use crate::objects;
use crate::plane::Plane;
use crate::stop;

/// How long requests in progress may take to finish after the stop, before their connections are cut.
const GRACE: Duration = Duration::from_secs(10);

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("'{directives}' are not log directives; use a level such as info, or module=level")]
    Log {
        directives: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("identity providers cannot be reached")]
    Providers(#[from] auth::ClientError),
    #[error("the stored state cannot be opened")]
    Store(#[from] store::OpenError),
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
    #[error("the CA bundle {path} cannot be read; [identity_providers] names it")]
    CaBundle {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the stored state cannot be served")]
    Control(#[from] control::OpenError),
    #[error(
        "the endpoint cannot listen on {address}; if another elbow or another program has it, choose \
         another address with --listen"
    )]
    Endpoint {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// A part of it cannot be started; nothing is served then.
pub(crate) fn run(args: ServeArgs) -> Result<(), ServeError> {
    let stop_at_end_of_input = args.stop_at_end_of_input;
    let settings = Settings::resolve(args)?;
    start_log(&settings.log)?;
    raise_file_limit();
    // One thread is enough for the control plane: the traffic has threads of its own, and what waits for
    // the disk runs elsewhere.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("elbow-control")
        .enable_all()
        .build()
        .map_err(ServeError::Thread)?;
    runtime.block_on(serve(settings, stop_at_end_of_input))
}

async fn serve(mut settings: Settings, stop_at_end_of_input: bool) -> Result<(), ServeError> {
    let directory = settings.data_directory.clone();
    directory.create()?;
    // First of all, for it holds the lock on the directory.
    let store = Arc::new(store::Embedded::open(directory.path())?);
    let key = RootKey::load_or_create(&directory)?;
    let secret_key = Arc::new(SECRET_KEY.load_or_create(&directory)?);
    let audit = settings.audit_file.clone().map(AuditFile::open);
    let audit = audit.transpose()?.map(Arc::new);
    let throttle = settings.throttle.take().map(Arc::new);
    let listener = listen(settings.endpoint).await?;
    let address = listener.local_addr().map_err(ServeError::Thread)?;

    let login_keys = Arc::new(LOGIN_KEYS.load_or_create(&directory)?);
    let providers = auth::Client::new(&provider_settings(&settings)?)?;
    let config = proxy::Config {
        workers: settings.workers,
        clock: proxy::Clock::System,
        cookie_key: COOKIE_KEY.load_or_create(&directory)?,
        ipv6_addresses: match settings.topology.addresses {
            // What 127.0.0.0/8 is for IPv4.
            Addresses::Loopback => proxy::Ipv6Addresses::Made,
            Addresses::Routed => proxy::Ipv6Addresses::Given,
        },
        logins: Arc::new(proxy::Logins::new(
            Arc::clone(&login_keys),
            providers,
            // The API admits clear text only for a user pool whose endpoint the configuration names.
            model::authentication::Schemes::HttpsAndHttp,
        )),
    };
    let cookie_key = config.cookie_key;
    let workers = proxy::DataPlane::start(config).map_err(ServeError::Thread)?;
    let plane = Arc::new(Plane::over(workers));
    let contact = contact::Endpoint {
        address: reachable(address),
        region: settings.topology.region.clone(),
    };
    let control_settings = control_settings(&settings, contact.url());
    let accounts = Accounts::open(control::Parts {
        store,
        plane: plane.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        secret_key,
        objects: objects::open(settings.s3.clone()),
        issuer: issuer(&settings)?,
        settings: control_settings,
    })
    .await?;
    let background = tokio::spawn({
        let (accounts, plane) = (accounts.clone(), Arc::clone(&plane));
        async move { tokio::join!(accounts.run_background(), plane.renew_tls()) }
    });
    let explain = {
        let plane = Arc::clone(&plane);
        move |control: Control,
              question: hyper::body::Bytes|
              -> Pin<Box<dyn Future<Output = _> + Send>> {
            let snapshot = plane.snapshot();
            Box::pin(async move {
                let answered =
                    explain::answer::answer(&control, &snapshot, cookie_key, &question).await;
                answered.map_err(|error| crate::chain(&error))
            })
        }
    };
    let endpoint = Endpoint::new(api::Parts {
        accounts: accounts.clone(),
        explain: Arc::new(explain),
        root_key: AccessKey::new(key.access_key_id, key.secret_access_key),
        clock: Arc::new(SystemClock),
        request_ids: Arc::new(RandomRequestIds),
        public_keys: HashMap::from([(login_keys.key_id().to_owned(), login_keys.public_key_pem())]),
        audit: audit.clone().map(|it| it as Arc<dyn api::AuditLog>),
        throttle: throttle.clone(),
        metrics: {
            let plane = Arc::clone(&plane);
            Arc::new(move || {
                let (audited, lost) = audit.as_ref().map_or((0, 0), |audit| audit.counts());
                let throttled = throttle.as_ref().map_or(0, |throttle| throttle.refused());
                metrics::text(&plane.counters())
                    + &metrics::dns_zones(&plane.snapshot())
                    + &metrics::compile_times(&accounts)
                    + &metrics::open_files()
                    + &metrics::api_calls(audited, lost, throttled)
            })
        },
    });

    contact.publish(&directory)?;
    // Before anybody is told that it is ready: whoever starts it may stop it at once.
    let stop = stop::requested(stop_at_end_of_input);
    announce(&contact.url(), &directory.path().display().to_string());
    api::serve(listener, endpoint, api::Limits::default(), stop).await;
    background.abort();
    plane.stop(GRACE).await;
    tracing::info!("stopped");
    Ok(())
}

fn start_log(directives: &str) -> Result<(), ServeError> {
    let filter = EnvFilter::try_new(directives).map_err(|source| ServeError::Log {
        directives: directives.to_owned(),
        source,
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}

/// Raises the limit of open files to what the system allows: each request in progress has two sockets, and
/// the usual limit of 1,024 would be the first thing a busy load balancer runs into.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files_max) => tracing::debug!(files_max, "limit of open files"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| ServeError::Endpoint { address, source })
}

/// An address that a client on this machine can connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

/// Says on standard output that everything answers; whoever started this waits for the first line.
fn announce(url: &str, directory: &str) {
    let text = format!(
        "elbow serves {url}\nstate and root key are in {directory}\n\
         to use it with the aws command: eval \"$(elbow env --data-dir {directory})\"\n"
    );
    let mut output = io::stdout().lock();
    // A reader that is gone does not stop a server.
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// Who issues the certificates that are requested.
fn issuer(settings: &Settings) -> Result<Option<Arc<dyn Issuer>>, KeyFileError> {
    match settings.certificate_issuer {
        CertificateIssuer::Local => {
            let authority = LOCAL_AUTHORITY.load_or_create(&settings.data_directory)?;
            Ok(Some(Arc::new(authority)))
        }
        CertificateIssuer::ImportOnly => Ok(None),
    }
}

/// How identity providers are asked.
fn provider_settings(settings: &Settings) -> Result<auth::Settings, ServeError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| ServeError::CaBundle {
            path: path.clone(),
            source,
        })
    };
    let bundle = settings.identity_provider_ca_bundle.as_ref();
    Ok(auth::Settings {
        extra_roots_pem: bundle.map(read).transpose()?,
        ..auth::Settings::default()
    })
}

fn control_settings(settings: &Settings, endpoint_url: String) -> control::Settings {
    let Topology {
        region,
        account,
        vpc_cidr,
        vpc_ipv6_cidr,
        elastic_cidr,
        zones,
        addresses: _,
    } = settings.topology.clone();
    let partition = match region.as_str() {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let zones = zones.into_iter().map(|zone| control::ec2::ZoneTopology {
        name: zone.name,
        subnet: Some(zone.subnet_cidr),
        subnet_ipv6: zone.subnet_ipv6_cidr,
    });
    control::Settings {
        place: Place {
            partition: partition.to_owned(),
            region,
            account,
        },
        base_domain: settings.base_domain.clone(),
        endpoint_url,
        topology: control::ec2::Topology {
            vpc: vpc_cidr,
            vpc_ipv6: vpc_ipv6_cidr,
            elastic: elastic_cidr,
            zones: zones.collect(),
        },
        limits: settings.limits.clone(),
        cognito_user_pools: settings.cognito_user_pools.clone(),
    }
}

//! What a listener needs to terminate TLS: built once, used by all workers.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use s2n_tls::callbacks::ConnectionFuture;
use s2n_tls::callbacks::{CertValidationCallbackSync, CertValidationInfo, ClientHelloCallback};
use s2n_tls::config::{Builder, Config};
use s2n_tls::connection::{self, Connection};
use s2n_tls::enums::{ClientAuthType, Mode};
use s2n_tls::error::Error;
use s2n_tls::security::Policy;
use s2n_tls_tokio::TlsAcceptor;
use tokio::net::TcpStream;

use crate::client_hello::EcdsaSupport;
use crate::handshake::{HandshakeError, HandshakeFailure};
use crate::identity::{Identity, IdentityIndex};
use crate::library::{self, LibraryError};
use crate::peer_certificates;
use crate::selection::Selection;
use crate::stream::TlsStream;
use crate::ticket_keys::{TICKET_KEY_PERIOD, TicketKeys};
use crate::trust_store::{ClientCertificateFault, TrustStore};

/// How a listener terminates TLS.
pub struct ServerConfig {
    default: Config,
    client_authentication: ClientAuthentication,
}

/// What a configuration is made of.
#[derive(Debug)]
pub struct ServerOptions<'a> {
    /// The name of a security policy, such as `ELBSecurityPolicy-TLS13-1-2-2021-06`.
    pub policy: &'a str,
    /// Shown to clients that name no host, or one that no identity is for.
    pub default_identity: &'a Identity,
    /// Shown to clients that name a host they are for.
    pub additional_identities: &'a [Identity],
    /// The application protocols that are offered, the preferred one first, such as `h2` and `http/1.1`. A client
    /// that offers none of them is served all the same, without a protocol.
    pub application_protocols: &'a [&'a str],
    /// Whether clients show certificates too.
    pub client_authentication: ClientAuthentication,
    /// For the resumption of sessions; without effect unless `client_authentication` is `Off`, because a resumed
    /// session would not be verified again.
    pub ticket_keys: &'a TicketKeys,
    /// The time now. Tickets are made for [`CONFIG_LIFE`](crate::CONFIG_LIFE) from then on.
    pub now: SystemTime,
}

/// Whether clients show certificates, and what becomes of them.
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// None is asked for.
    Off,
    /// One is asked for. It may be absent, and it is not verified (other than that the client has its key).
    Passthrough,
    /// Only clients with a certificate that the trust store vouches for are served.
    Verify {
        /// Who vouches for clients.
        trust_store: Arc<TrustStore>,
        /// Whether a certificate past its end is as good as any.
        ignores_expiry: bool,
        /// Whether clients are told the names of the authorities in the trust store.
        advertises_names: bool,
    },
}

/// Why a configuration cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The library is another one than expected.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// No policy of that name.
    #[error("the security policy '{0}' is not known; DescribeSSLPolicies lists those that are")]
    UnknownPolicy(String),
    /// A certificate that the policy does not allow.
    #[error("certificate {position} cannot be used with the security policy '{policy}': {reason}")]
    IdentityRefused {
        /// Counted from 0, the default.
        position: usize,
        /// The policy.
        policy: String,
        /// What the library says.
        reason: &'static str,
    },
    /// The authorities of the trust store cannot be told to clients.
    #[error(
        "the names of the trust store's authorities cannot be advertised ({0}); they have to fit into 65535 bytes"
    )]
    AdvertisedNames(&'static str),
    /// Anything else.
    #[error("the TLS configuration cannot be built: {0}")]
    Other(&'static str),
}

/// The longest that the end of a failed connection is put off, in seconds; it happens at a random time after a
/// third of that.
///
/// The library hides the moment at which it has found an error in what a client sent, so that a client cannot
/// learn from it what the error was (the attack called Lucky Thirteen, on the ciphers with CBC, which the older
/// policies have). Its own 10 to 30 seconds would let anyone hold memory for half a minute by sending garbage. The
/// library's code for CBC takes constant time in the first place, and two seconds of randomness still hide a
/// difference of a microsecond behind some 300 billion attempts.
const BLINDING_DELAY_SECS_MAX: u32 = 3;

/// Four full records, with their headers and tags, leave with one system call.
pub(crate) const SEND_BUFFER_BYTES: u32 = 4 * (16 * 1024 + 256);

/// What one connection of a listener reports out of its handshake.
pub(crate) type Refusal = Arc<OnceLock<Refused>>;

/// A certificate of a client that was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) fault: ClientCertificateFault,
    pub(crate) chain: Vec<Vec<u8>>,
}

impl ServerConfig {
    /// # Errors
    /// `ConfigError` says what does not fit.
    pub fn new(options: &ServerOptions<'_>) -> Result<Self, ConfigError> {
        library::prepare()?;
        let mut identities = vec![options.default_identity.clone()];
        identities.extend_from_slice(options.additional_identities);
        let mut others = HashMap::new();
        for (index, identity) in identities.iter().enumerate().skip(1) {
            let builder = builder(options, identity, index)?;
            others.insert(index, builder.build().map_err(other)?);
        }
        let mut default = builder(options, &identities[0], 0)?;
        let selection = Selection::new(&identities);
        default
            .set_client_hello_callback(IdentityChoice { selection, others })
            .map_err(other)?;
        Ok(Self {
            default: default.build().map_err(other)?,
            client_authentication: options.client_authentication.clone(),
        })
    }

    /// Whether a client whose handshake was completed has a certificate that the trust store vouches for.
    #[must_use]
    pub fn verifies_clients(&self) -> bool {
        matches!(
            self.client_authentication,
            ClientAuthentication::Verify { .. }
        )
    }

    /// Does the handshake on a connection that was accepted.
    ///
    /// Dropping the future closes the connection. After a failure it first waits for what
    /// `BLINDING_DELAY_SECS_MAX` explains, and for the alert to be sent.
    ///
    /// # Errors
    /// `HandshakeError` says what was wrong.
    pub async fn accept(&self, socket: TcpStream) -> Result<TlsStream, HandshakeError> {
        let refusal = Refusal::default();
        let acceptor = TlsAcceptor::new(Accept {
            config: self.default.clone(),
            refusal: self.verifies_clients().then(|| Arc::clone(&refusal)),
        });
        let outcome = acceptor.accept(socket).await;
        // The last one that shares the refusal with us.
        drop(acceptor);
        let stream = outcome.map(TlsStream::new).map_err(|error| {
            match Arc::into_inner(refusal).and_then(OnceLock::into_inner) {
                Some(refused) => HandshakeError::refused(refused),
                None => HandshakeError::of_client(&error),
            }
        })?;
        if self.verifies_clients() && !stream.has_client_certificate() {
            stream.refuse().await;
            return Err(HandshakeError::without_certificate());
        }
        Ok(stream)
    }
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerConfig")
    }
}

/// One identity with everything that all identities have in common.
fn builder(
    options: &ServerOptions<'_>,
    identity: &Identity,
    index: usize,
) -> Result<Builder, ConfigError> {
    let mut builder = common_builder(options.policy, options.application_protocols)?;
    let chain = identity.chain.load(IdentityIndex(index)).map_err(other)?;
    // A default of the library is shown whatever the client asks for; the choice is made before.
    builder
        .set_default_chains([chain])
        .map_err(|error| ConfigError::IdentityRefused {
            position: index,
            policy: options.policy.to_owned(),
            reason: error.message(),
        })?;
    match &options.client_authentication {
        ClientAuthentication::Off => add_ticket_keys(&mut builder, options, identity)?,
        ClientAuthentication::Passthrough => {
            builder
                .set_client_auth_type(ClientAuthType::Optional)
                .map_err(other)?;
            library::leave_verification_to_us(&mut builder).map_err(other)?;
        }
        ClientAuthentication::Verify {
            trust_store,
            ignores_expiry,
            advertises_names,
        } => {
            // Not "required": the library would refuse a client without one, but send it no alert.
            builder
                .set_client_auth_type(ClientAuthType::Optional)
                .map_err(other)?;
            library::leave_verification_to_us(&mut builder).map_err(other)?;
            if *advertises_names {
                let refused = |error: Error| ConfigError::AdvertisedNames(error.message());
                builder
                    .trust_pem(trust_store.authorities.as_bytes())
                    .map_err(refused)?;
                builder
                    .set_certificate_authorities_from_trust_store()
                    .map_err(refused)?;
            }
            let verification = Verification {
                trust_store: Arc::clone(trust_store),
                ignores_expiry: *ignores_expiry,
            };
            builder
                .set_cert_validation_callback_sync(verification)
                .map_err(other)?;
        }
    }
    Ok(builder)
}

/// What listeners and connections to targets have in common.
pub(crate) fn common_builder(
    policy: &str,
    application_protocols: &[&str],
) -> Result<Builder, ConfigError> {
    library::prepare()?;
    // The library knows other policies, which are not those of load balancers.
    let unknown = || ConfigError::UnknownPolicy(policy.to_owned());
    if !policy.starts_with("ELBSecurityPolicy-") {
        return Err(unknown());
    }
    let version = Policy::from_version(library::library_name(policy)).map_err(|_| unknown())?;
    let mut builder = Builder::new();
    builder.with_system_certs(false).map_err(other)?;
    builder
        .set_security_policy(&version)
        .map_err(|_| unknown())?;
    builder
        .set_application_protocol_preference(application_protocols)
        .map_err(other)?;
    builder
        .set_send_buffer_size(SEND_BUFFER_BYTES)
        .map_err(other)?;
    builder
        .set_max_blinding_delay(BLINDING_DELAY_SECS_MAX)
        .map_err(other)?;
    Ok(builder)
}

pub(crate) fn other(error: Error) -> ConfigError {
    ConfigError::Other(error.message())
}

/// The tickets of an identity are good for the same policy and certificate only: what has changed since must
/// count for resumed sessions too.
fn add_ticket_keys(
    builder: &mut Builder,
    options: &ServerOptions<'_>,
    identity: &Identity,
) -> Result<(), ConfigError> {
    let mut scope = options.policy.as_bytes().to_vec();
    scope.extend_from_slice(&identity.leaf);
    builder.enable_session_tickets(true).map_err(other)?;
    builder
        .set_ticket_key_encrypt_decrypt_lifetime(TICKET_KEY_PERIOD)
        .map_err(other)?;
    builder
        .set_ticket_key_decrypt_lifetime(TICKET_KEY_PERIOD)
        .map_err(other)?;
    for key in options.ticket_keys.derive(&scope, options.now) {
        builder
            .add_session_ticket_key(&key.name, &key.secret, key.begins_at)
            .map_err(other)?;
    }
    Ok(())
}

/// Makes the library's side of a connection.
#[derive(Clone)]
struct Accept {
    config: Config,
    refusal: Option<Refusal>,
}

impl connection::Builder for Accept {
    type Output = Connection;

    fn build_connection(&self, mode: Mode) -> Result<Connection, Error> {
        let mut connection = self.config.build_connection(mode)?;
        tune(&mut connection)?;
        if let Some(refusal) = &self.refusal {
            connection.set_application_context(Arc::clone(refusal));
        }
        Ok(connection)
    }
}

/// Full records, reads that take all there is instead of a header first, and no buffers between them.
pub(crate) fn tune(connection: &mut Connection) -> Result<(), Error> {
    connection.prefer_throughput()?;
    connection.set_receive_buffering(true)?;
    library::free_empty_buffers(connection);
    Ok(())
}

/// Gives a connection the identity for the host that its client asks for.
struct IdentityChoice {
    selection: Selection,
    /// The configurations of all identities but the default, whose own this is part of.
    others: HashMap<usize, Config>,
}

impl ClientHelloCallback for IdentityChoice {
    fn on_client_hello(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<std::pin::Pin<Box<dyn ConnectionFuture>>>, Error> {
        let Some(name) = connection.server_name() else {
            return Ok(None);
        };
        let support = || {
            let message = connection
                .client_hello()
                .and_then(|hello| hello.raw_message());
            message
                .map(|message| EcdsaSupport::of_client_hello(&message))
                .unwrap_or_default()
        };
        let Some(index) = self.selection.choose(name, support, SystemTime::now()) else {
            return Ok(None);
        };
        if let Some(config) = self.others.get(&index) {
            connection.set_config(config.clone())?;
        }
        connection.server_name_extension_used();
        Ok(None)
    }
}

/// Accepts or refuses the certificate of a client, within the handshake.
struct Verification {
    trust_store: Arc<TrustStore>,
    ignores_expiry: bool,
}

impl CertValidationCallbackSync for Verification {
    fn handle_validation(
        &self,
        connection: &mut Connection,
        _info: &mut CertValidationInfo,
    ) -> bool {
        let chain = library::client_certificates(connection);
        let chain = chain
            .map(|bytes| peer_certificates::split(&bytes))
            .unwrap_or_default();
        let ders: Vec<_> = chain.iter().map(|der| der.as_slice().into()).collect();
        let verdict = self
            .trust_store
            .verify(&ders, self.ignores_expiry, SystemTime::now());
        let Err(fault) = verdict else {
            return true;
        };
        if let Some(refusal) = connection.application_context::<Refusal>() {
            // The callback runs once for each handshake.
            let _ = refusal.set(Refused { fault, chain });
        }
        library::alert_handshake_failure(connection);
        false
    }
}

impl From<ClientCertificateFault> for HandshakeFailure {
    fn from(fault: ClientCertificateFault) -> Self {
        Self::ClientCertificate(fault)
    }
}

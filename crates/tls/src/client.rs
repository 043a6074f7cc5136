//! Connections to targets. Nothing that a target shows is verified: it is trusted because it was registered.
//!
//! Source: ALB guide, "Target groups for your Application Load Balancers", "Routing configuration".

use s2n_tls::callbacks::VerifyHostNameCallback;
use s2n_tls::config::Config;
use s2n_tls::connection::{self, Connection};
use s2n_tls::enums::Mode;
use s2n_tls::error::Error;
use s2n_tls_tokio::TlsConnector;
use tokio::net::TcpStream;

use crate::handshake::HandshakeError;
use crate::library;
use crate::server::{ConfigError, common_builder, other, tune};
use crate::stream::TlsStream;

/// How targets are spoken to.
pub struct ClientConfig(Config);

impl ClientConfig {
    /// Of the name of a security policy, and of the application protocols to offer: `h2`, or none.
    ///
    /// # Errors
    /// `ConfigError` says what does not fit.
    pub fn new(policy: &str, application_protocols: &[&str]) -> Result<Self, ConfigError> {
        let mut builder = common_builder(policy, application_protocols)?;
        library::leave_verification_to_us(&mut builder).map_err(other)?;
        builder.set_verify_host_callback(AnyName).map_err(other)?;
        // A target that sends garbage learns nothing from when we close, and a client waits for its answer.
        builder.set_max_blinding_delay(0).map_err(other)?;
        Ok(Self(builder.build().map_err(other)?))
    }

    /// Does the handshake on a connection to a target. `server_name` is sent along; an address is no name
    /// (RFC 6066 section 3).
    ///
    /// # Errors
    /// `HandshakeError` says what was wrong.
    pub async fn connect(
        &self,
        server_name: Option<&str>,
        socket: TcpStream,
    ) -> Result<TlsStream, HandshakeError> {
        let connector = TlsConnector::new(Connect(self.0.clone()));
        // The library sends no name that is empty.
        match connector
            .connect(server_name.unwrap_or_default(), socket)
            .await
        {
            Ok(stream) => Ok(TlsStream::new(stream)),
            Err(error) => Err(HandshakeError::of_target(&error)),
        }
    }
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientConfig")
    }
}

/// Accepts a certificate for any name.
struct AnyName;

impl VerifyHostNameCallback for AnyName {
    fn verify_host_name(&self, _host_name: &str) -> bool {
        true
    }
}

/// Makes the library's side of a connection.
#[derive(Clone)]
struct Connect(Config);

impl connection::Builder for Connect {
    type Output = Connection;

    fn build_connection(&self, mode: Mode) -> Result<Connection, Error> {
        let mut connection = self.0.build_connection(mode)?;
        tune(&mut connection)?;
        Ok(connection)
    }
}

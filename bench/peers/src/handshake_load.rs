//! Full TLS 1.3 handshakes: each turn is a new connection with one request. wrk resumes the
//! session of its last connection, so that it would measure something cheaper; this client keeps no
//! sessions, and a handshake that is not a full one in the agreed terms is a failure.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CipherSuite, ClientConfig, DigitallySignedStruct, HandshakeKind, NamedGroup, SignatureScheme,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::closed_loop;

const REQUEST: &[u8] = b"GET /64 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
const RESPONSE_BODY_BYTES: usize = 64;

/// A client that forgets its sessions.
#[derive(Clone)]
pub(crate) struct Client {
    connector: TlsConnector,
}

impl Client {
    /// A client that offers one protocol version, one cipher suite and one group.
    ///
    /// # Errors
    /// Those of rustls, if it does not support them.
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
            kx_groups: vec![aws_lc_rs::kx_group::SECP256R1],
            ..aws_lc_rs::default_provider()
        });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self {
            connector: Arc::new(config).into(),
        })
    }
}

impl closed_loop::Client for Client {
    type State = SocketAddr;

    async fn open(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        Ok(address)
    }

    async fn turn(&self, address: &mut SocketAddr) -> io::Result<()> {
        let stream = TcpStream::connect(*address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(address.ip().into());
        let mut stream = self.connector.connect(name, stream).await?;
        check_handshake(stream.get_ref().1)?;
        stream.write_all(REQUEST).await?;
        let mut response = Vec::with_capacity(1024);
        match stream.read_to_end(&mut response).await {
            // Some peers end without a close_notify alert; the length is checked below.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => check_response(&response),
        }
    }
}

fn check_handshake(connection: &rustls::ClientConnection) -> io::Result<()> {
    let kind = connection.handshake_kind();
    let suite = connection
        .negotiated_cipher_suite()
        .map(|suite| suite.suite());
    let group = connection
        .negotiated_key_exchange_group()
        .map(|group| group.name());
    let agreed = (
        Some(HandshakeKind::Full),
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256),
        Some(NamedGroup::secp256r1),
    );
    if (kind, suite, group) == agreed {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the handshake was {kind:?}, {suite:?}, {group:?}"
    )))
}

fn check_response(response: &[u8]) -> io::Result<()> {
    let is_ok = response.starts_with(b"HTTP/1.1 200");
    let head_end = response.windows(4).position(|window| window == b"\r\n\r\n");
    if is_ok && head_end.is_some_and(|end| response.len() - end - 4 == RESPONSE_BODY_BYTES) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&response[..response.len().min(200)]);
    Err(io::Error::other(format!("answered {text:?}")))
}

/// Accepts what it is shown: the harness has compared the certificate before, and verifying it
/// would take from the core that the target needs.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_response_with_status_200_counts() {
        let response = |status: &str, length: usize| {
            format!(
                "HTTP/1.1 {status}\r\nServer: x\r\n\r\n{}",
                "b".repeat(length)
            )
            .into_bytes()
        };
        assert!(check_response(&response("200 OK", RESPONSE_BODY_BYTES)).is_ok());
        assert!(check_response(&response("200 OK", RESPONSE_BODY_BYTES - 1)).is_err());
        assert!(check_response(&response("502 Bad Gateway", RESPONSE_BODY_BYTES)).is_err());
        assert!(check_response(b"").is_err());
    }
}

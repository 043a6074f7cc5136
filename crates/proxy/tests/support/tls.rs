//! Peers that speak TLS through rustls, and certificates for them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use engine::tls::{Certificate, ClientAuthentication, TrustStore};
use engine::{Action, Admission, Frontend, FrontendId, HttpOptions, Router, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConnection, DigitallySignedStruct, ServerConnection, SignatureScheme};

use super::{Fixture, IDLE, PATIENCE};

pub(crate) const POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/// A certificate with its key.
pub(crate) struct Issued {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
    pub(crate) key: KeyPair,
}

impl Issued {
    /// One that nobody vouches for.
    pub(crate) fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    pub(crate) fn for_host(name: &str) -> Self {
        Self::self_signed(CertificateParams::new(vec![name.to_owned()]).expect("a name"))
    }

    /// One whose last day is over.
    pub(crate) fn expired(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        Self::self_signed(params)
    }

    /// One of a client, issued by `authority`.
    pub(crate) fn for_client(authority: &Authority) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "client.example.com");
        params.serial_number = Some(SerialNumber::from_slice(&[0x03, 0xa5, 0xb1]));
        params.not_before = date_time_ymd(2023, 9, 21);
        params.not_after = date_time_ymd(2199, 9, 20);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, authority).expect("a certificate");
        Self {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    pub(crate) fn certificate(&self) -> Arc<Certificate> {
        Arc::new(Certificate {
            name: "the certificate".into(),
            chain: self.pem.as_str().into(),
            private_key: self.key.serialize_pem().into(),
        })
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a private key")
    }
}

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

pub(crate) fn verify(authority: &Authority) -> ClientAuthentication {
    ClientAuthentication::Verify {
        trust_store: Arc::new(TrustStore {
            authorities: authority.pem().into(),
            revocation_lists: Vec::new(),
        }),
        ignores_expiry: false,
        advertises_names: false,
    }
}

pub(crate) fn tls(issued: &Issued) -> Arc<Tls> {
    tls_with(issued, ClientAuthentication::Off)
}

pub(crate) fn tls_with(issued: &Issued, client_authentication: ClientAuthentication) -> Arc<Tls> {
    Arc::new(Tls {
        policy: POLICY.into(),
        default_certificate: issued.certificate(),
        additional_certificates: Vec::new(),
        client_authentication,
    })
}

pub(crate) fn frontend(address: SocketAddr, tls: Arc<Tls>, action: Action) -> Arc<Frontend> {
    Arc::new(Frontend {
        id: FrontendId(1),
        addresses: vec![address],
        zones: vec!["us-east-1a".into()],
        shifted_zone: None,
        admission: Admission::Anyone,
        idle_timeout: IDLE,
        client_keep_alive: std::time::Duration::from_secs(3600),
        dns_name: "test-1.us-east-1.elb.internal".into(),
        tls: Some(tls),
        http: HttpOptions::default(),
        router: Router::compile(Vec::new(), action).expect("no rules compile"),
    })
}

impl Fixture {
    /// A listener for TLS.
    pub(crate) fn encrypted(tls: Arc<Tls>, action: Action) -> Self {
        let mut fixture = Self::with_action(action.clone());
        fixture.publish_tls(tls, action);
        fixture
    }

    /// Replaces the configuration of the listener.
    pub(crate) fn publish_tls(&mut self, tls: Arc<Tls>, action: Action) {
        self.publish_frontends(vec![frontend(self.address, tls, action)]);
    }

    pub(crate) fn tls_client(&self) -> TlsPeer<ClientConnection> {
        self.tls_client_with(client_config(None))
    }

    pub(crate) fn tls_client_with(
        &self,
        config: rustls::ClientConfig,
    ) -> TlsPeer<ClientConnection> {
        let socket = TcpStream::connect(self.address).expect("the listener accepts");
        TlsPeer::new(client_connection(config), socket)
    }
}

pub(crate) fn client_connection(config: rustls::ClientConfig) -> ClientConnection {
    let name = ServerName::try_from("www.example.com").expect("a name");
    ClientConnection::new(Arc::new(config), name).expect("a client")
}

/// A client that trusts everyone.
pub(crate) fn client_config(shown: Option<&Issued>) -> rustls::ClientConfig {
    client_config_of(shown, rustls::ALL_VERSIONS)
}

pub(crate) fn client_config_of(
    shown: Option<&Issued>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("versions of the provider")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustEveryone(provider)));
    match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => builder
            .with_client_auth_cert(vec![shown.der.clone()], shown.key_der())
            .expect("a certificate and its key"),
    }
}

/// A target that speaks TLS.
pub(crate) struct TlsTarget {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    config: Arc<rustls::ServerConfig>,
}

impl TlsTarget {
    pub(crate) fn listen(shown: &Issued) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![shown.der.clone()], shown.key_der())
            .expect("a certificate and its key");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        Self {
            listener,
            address,
            config: Arc::new(config),
        }
    }

    pub(crate) fn accept(&self) -> TlsPeer<ServerConnection> {
        let (socket, _) = self.listener.accept().expect("a connection");
        let connection = ServerConnection::new(Arc::clone(&self.config)).expect("a server");
        TlsPeer::new(connection, socket)
    }
}

impl TlsTarget {
    /// As `listen`, for a target that speaks HTTP/2.
    pub(crate) fn listen_for_http2(shown: &Issued) -> Self {
        let mut target = Self::listen(shown);
        let config = Arc::get_mut(&mut target.config).expect("nobody has it yet");
        config.alpn_protocols = vec![b"h2".to_vec()];
        target
    }

    /// A connection for somebody else to read and write.
    pub(crate) fn accept_stream(&self) -> rustls::StreamOwned<ServerConnection, TcpStream> {
        let TlsPeer {
            connection, socket, ..
        } = self.accept();
        rustls::StreamOwned::new(connection, socket)
    }
}

/// One end of a TLS connection.
pub(crate) struct TlsPeer<C> {
    pub(crate) connection: C,
    pub(crate) socket: TcpStream,
    received: Vec<u8>,
}

impl<C, D> TlsPeer<C>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
{
    pub(crate) fn new(connection: C, socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        Self {
            connection,
            socket,
            received: Vec::new(),
        }
    }

    pub(crate) fn shake_hands(&mut self) -> std::io::Result<()> {
        while self.connection.is_handshaking() {
            self.connection.complete_io(&mut self.socket)?;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let mut stream = rustls::Stream::new(&mut self.connection, &mut self.socket);
        // The other side may have closed already; what it has answered is what counts.
        let _ = stream.write_all(bytes.as_ref());
        let _ = stream.flush();
    }

    pub(crate) fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.received.windows(4).position(|end| end == b"\r\n\r\n") {
                let rest = self.received.split_off(at + 4);
                let head = std::mem::replace(&mut self.received, rest);
                return String::from_utf8(head).expect("text");
            }
            let read = self.read_more().expect("a head");
            assert!(
                read > 0,
                "closed within a head: {:?}",
                self.received.escape_ascii()
            );
        }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            let read = self.read_more().expect("more bytes");
            assert!(read > 0, "closed before {count} bytes");
        }
        let rest = self.received.split_off(count);
        std::mem::replace(&mut self.received, rest)
    }

    /// Everything up to the end, which the other side has to tell apart from a cut.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.read_more().expect("an end with close_notify") > 0 {}
        std::mem::take(&mut self.received)
    }

    /// Says that nothing more comes (RFC 8446 section 6.1).
    pub(crate) fn end(&mut self) {
        self.connection.send_close_notify();
        while self.connection.wants_write() {
            self.connection
                .write_tls(&mut self.socket)
                .expect("a peer that reads");
        }
    }

    /// Waits for the end of the connection, whatever it is like.
    pub(crate) fn is_closed(&mut self) -> bool {
        loop {
            match self.read_more() {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// Whether nothing has ended the connection up to now.
    pub(crate) fn is_open(&mut self) -> bool {
        self.socket.set_nonblocking(true).expect("a socket");
        let outcome = self.read_more();
        self.socket.set_nonblocking(false).expect("a socket");
        outcome.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// What is wrong with the end of the connection.
    pub(crate) fn cut(&mut self) -> ErrorKind {
        loop {
            match self.read_more() {
                Ok(0) => panic!("an end with close_notify"),
                Ok(_) => {}
                Err(error) => return error.kind(),
            }
        }
    }

    fn read_more(&mut self) -> std::io::Result<usize> {
        let mut block = [0; 16 * 1024];
        let mut stream = rustls::Stream::new(&mut self.connection, &mut self.socket);
        let count = stream.read(&mut block)?;
        self.received.extend_from_slice(&block[..count]);
        Ok(count)
    }
}

#[derive(Debug)]
struct TrustEveryone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustEveryone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! Certificates of every kind, servers on free ports, and clients that are not ours.
#![allow(dead_code)] // Each test file uses its part.

use std::io;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    RsaKeySize, SerialNumber, date_time_ymd,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tls::{
    ClientAuthentication, HandshakeError, Identity, ServerConfig, ServerOptions, TicketKeys,
    TlsStream,
};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
pub(crate) const POLICY_OF_ALL_VERSIONS: &str = "ELBSecurityPolicy-TLS13-1-0-2021-06";

/// RSA of 3072 bits; made once, because that takes a while.
pub(crate) fn rsa_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA384, RsaKeySize::_3072).expect("an RSA key")
    })
}

pub(crate) fn p256_key() -> KeyPair {
    KeyPair::generate().expect("a P-256 key")
}

pub(crate) fn p384_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a P-384 key")
}

pub(crate) fn identity(names: &[&str], key: &KeyPair) -> Identity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names of hosts");
    params.distinguished_name = rcgen::DistinguishedName::new();
    self_signed(params, key)
}

pub(crate) fn self_signed(params: CertificateParams, key: &KeyPair) -> Identity {
    let certificate = params.self_signed(key).expect("a certificate");
    Identity::from_pem(&certificate.pem(), &key.serialize_pem()).expect("an identity")
}

/// A configuration of one identity, without client certificates.
pub(crate) fn config(policy: &str, identity: &Identity) -> ServerConfig {
    config_with(policy, identity, &TicketKeys::random())
}

pub(crate) fn config_with(policy: &str, identity: &Identity, keys: &TicketKeys) -> ServerConfig {
    config_of(policy, identity, keys, SystemTime::now())
}

/// A configuration that was built at this time.
pub(crate) fn config_of(
    policy: &str,
    identity: &Identity,
    keys: &TicketKeys,
    now: SystemTime,
) -> ServerConfig {
    ServerConfig::new(&ServerOptions {
        policy,
        default_identity: identity,
        additional_identities: &[],
        application_protocols: &["h2", "http/1.1"],
        client_authentication: ClientAuthentication::Off,
        ticket_keys: keys,
        now,
    })
    .expect("a configuration")
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

pub(crate) async fn accept(
    listener: &TcpListener,
    config: &ServerConfig,
) -> Result<TlsStream, HandshakeError> {
    let (socket, _) = listener.accept().await.expect("a client");
    config.accept(socket).await
}

pub(crate) async fn read_some(stream: &mut TlsStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 64 * 1024];
    let count = std::future::poll_fn(|cx| stream.poll_read(cx, &mut bytes)).await?;
    bytes.truncate(count);
    Ok(bytes)
}

pub(crate) async fn write_all(stream: &mut TlsStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::future::poll_fn(|cx| stream.poll_write(cx, bytes)).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}

pub(crate) async fn shut_down(stream: &mut TlsStream) -> io::Result<()> {
    std::future::poll_fn(|cx| stream.poll_shutdown(cx)).await
}

/// What `openssl s_client` says of a handshake; `None` if it has failed.
pub(crate) async fn s_client(address: SocketAddr, arguments: &[&str]) -> Option<String> {
    let said = s_client_says(address, arguments).await;
    // It counts some refusals as a success.
    (!said.contains("Cipher is (NONE)")).then_some(said)
}

/// What `openssl s_client` says, whether or not the handshake has failed.
pub(crate) async fn s_client_says(address: SocketAddr, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .await
        .expect("the command openssl");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A certificate with its key, for a client.
pub(crate) struct ClientIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pem: String,
}

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_params(name), p256_key()).expect("an authority")
}

pub(crate) fn intermediate(name: &str, issuer: &Authority) -> Authority {
    CertifiedIssuer::signed_by(authority_params(name), p256_key(), issuer).expect("an authority")
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// What is usual in the certificate of a client.
pub(crate) fn client_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Sue, Grabbit and Runn");
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(&[0x03, 0xa5, 0xb1]));
    params.not_before = date_time_ymd(2023, 9, 21);
    params.not_after = date_time_ymd(2199, 9, 20);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub(crate) fn client_identity(params: CertificateParams, issuers: &[&Authority]) -> ClientIdentity {
    let key = p256_key();
    let certificate = params.signed_by(&key, issuers[0]).expect("a certificate");
    let mut chain = vec![certificate.der().clone()];
    // The last one is the root, which is in the trust store.
    chain.extend(
        issuers[..issuers.len() - 1]
            .iter()
            .map(|issuer| issuer.der().clone()),
    );
    ClientIdentity {
        chain,
        key: PrivateKeyDer::try_from(key.serialize_der()).expect("a private key"),
        pem: certificate.pem(),
    }
}

/// A list of revoked serial numbers.
pub(crate) fn revocation_list(issuer: &Authority, serials: &[&[u8]]) -> String {
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        // Long over: that does not count.
        next_update: date_time_ymd(2024, 1, 2),
        crl_number: SerialNumber::from_slice(&[1]),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params
        .signed_by(issuer)
        .expect("a list")
        .pem()
        .expect("a list in PEM")
}

/// A client of rustls that trusts everyone.
pub(crate) fn rustls_client(client: Option<&ClientIdentity>) -> rustls::ClientConfig {
    rustls_client_of(client, rustls::ALL_VERSIONS)
}

/// The same, of some versions only.
pub(crate) fn rustls_client_of(
    client: Option<&ClientIdentity>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("versions of the provider")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustEveryone(provider)));
    match client {
        None => builder.with_no_client_auth(),
        Some(client) => builder
            .with_client_auth_cert(client.chain.clone(), client.key.clone_key())
            .expect("a certificate and its key"),
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    config: rustls::ClientConfig,
    name: &str,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! What every security policy lets clients agree on, against the model's table.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use model::ssl_policy::{SSL_POLICIES, SslPolicy, TlsProtocol};
use support::{config, identity, listen, p384_key, rsa_key, s_client};
use tls::{Identity, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CIPHERS: &[(u16, &str)] = &[
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xc02f, "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (0xc030, "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xc023, "ECDHE-ECDSA-AES128-SHA256"),
    (0xc027, "ECDHE-RSA-AES128-SHA256"),
    (0xc024, "ECDHE-ECDSA-AES256-SHA384"),
    (0xc028, "ECDHE-RSA-AES256-SHA384"),
    (0xc009, "ECDHE-ECDSA-AES128-SHA"),
    (0xc013, "ECDHE-RSA-AES128-SHA"),
    (0xc00a, "ECDHE-ECDSA-AES256-SHA"),
    (0xc014, "ECDHE-RSA-AES256-SHA"),
    (0x009c, "AES128-GCM-SHA256"),
    (0x003c, "AES128-SHA256"),
    (0x009d, "AES256-GCM-SHA384"),
    (0x003d, "AES256-SHA256"),
    (0x002f, "AES128-SHA"),
    (0x0035, "AES256-SHA"),
    (0x000a, "DES-CBC3-SHA"),
    // Of no policy.
    (0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (0xcca8, "ECDHE-RSA-CHACHA20-POLY1305"),
    (0x0005, "RC4-SHA"),
    (0x0033, "DHE-RSA-AES128-SHA"),
];

/// A server of one configuration that answers every connection until the test is over.
async fn serve(policy: &'static SslPolicy, identity: &Identity) -> SocketAddr {
    let config: Arc<ServerConfig> = Arc::new(config(policy.name, identity));
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a client");
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(mut stream) = config.accept(socket).await {
                    let _ = support::read_some(&mut stream).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn each_policy_speaks_its_protocols_and_no_other() {
    let rsa = identity(&["example.com"], rsa_key());
    for policy in SSL_POLICIES {
        let address = serve(policy, &rsa).await;
        for protocol in TlsProtocol::ALL {
            let flag = match protocol {
                TlsProtocol::Tls10 => "-tls1",
                TlsProtocol::Tls11 => "-tls1_1",
                TlsProtocol::Tls12 => "-tls1_2",
                TlsProtocol::Tls13 => "-tls1_3",
            };
            // Debian's OpenSSL refuses the old versions itself unless told not to.
            let said = s_client(address, &[flag, "-cipher", "ALL:@SECLEVEL=0"]).await;
            let name = policy.name;
            assert_eq!(
                said.is_some(),
                policy.protocols.contains(protocol),
                "{name} with {protocol}: {said:?}"
            );
            if let Some(said) = said {
                let line = said
                    .lines()
                    .find(|line| line.contains("Cipher is"))
                    .unwrap_or_default();
                let cipher = line.rsplit(' ').next().unwrap_or_default();
                assert!(
                    policy.ciphers.contains(&cipher),
                    "{name} with {protocol}: {line}"
                );
            }
        }
    }
}

#[tokio::test]
async fn each_policy_prefers_its_ciphers_in_its_order_and_has_no_other() {
    let rsa = identity(&["example.com"], rsa_key());
    let ecdsa = identity(&["example.com"], &p384_key());
    for policy in SSL_POLICIES {
        for (identity, is_ecdsa) in [(&rsa, false), (&ecdsa, true)] {
            let address = serve(policy, identity).await;
            for protocol in TlsProtocol::ALL {
                if *protocol == TlsProtocol::Tls13 && !policy.allows_tls13() {
                    // The server answers with TLS 1.2 then, and it is for the client to refuse that (RFC 8446
                    // appendix D.1), which the test above sees it do.
                    continue;
                }
                let mut expected: Vec<&str> = Vec::new();
                if policy.protocols.contains(protocol) {
                    let ciphers = order(policy);
                    expected.extend(ciphers.iter().filter(|c| fits(c, *protocol, is_ecdsa)));
                    if *protocol < TlsProtocol::Tls12 {
                        // A client of an old version that offers nothing but ciphers of TLS 1.2 contradicts itself;
                        // the library takes it at its word about the ciphers.
                        let newer =
                            |c: &&&str| needs_tls12(c) && fits(c, TlsProtocol::Tls12, is_ecdsa);
                        expected.extend(ciphers.iter().filter(newer));
                    }
                }
                let chosen = chosen_in_turn(address, *protocol).await;
                let name = policy.name;
                assert_eq!(
                    chosen, expected,
                    "{name} with {protocol}, ECDSA: {is_ecdsa}"
                );
            }
        }
    }
}

/// The order of the policy's ciphers in the library, which differs from the documented one in one policy: there
/// all ciphers with AES-256 go before those with AES-128.
fn order(policy: &SslPolicy) -> Vec<&'static str> {
    let mut ciphers = policy.ciphers.to_vec();
    if policy.name.contains("-INTEROP2-") {
        ciphers.sort_by_key(|cipher| (!cipher.starts_with("TLS_"), cipher.contains("128")));
        ciphers[..2].sort_by_key(|cipher| cipher.contains("128"));
    }
    ciphers
}

/// Whether a cipher can be agreed on with a version and a key.
fn fits(cipher: &str, protocol: TlsProtocol, is_ecdsa: bool) -> bool {
    let is_for_tls13 = cipher.starts_with("TLS_");
    match protocol {
        TlsProtocol::Tls13 => is_for_tls13,
        _ if is_for_tls13 => false,
        TlsProtocol::Tls10 | TlsProtocol::Tls11 if needs_tls12(cipher) => false,
        _ => cipher.contains("ECDSA") == is_ecdsa,
    }
}

/// SHA-2 and GCM came with TLS 1.2 (RFC 5246, RFC 5288).
fn needs_tls12(cipher: &str) -> bool {
    cipher.ends_with("256") || cipher.ends_with("384")
}

/// Offers all ciphers, then all but the one that was chosen, and so on until none is.
async fn chosen_in_turn(address: SocketAddr, protocol: TlsProtocol) -> Vec<&'static str> {
    let mut offered: Vec<(u16, &str)> = CIPHERS.to_vec();
    // The client's order must not count.
    offered.reverse();
    let mut chosen = Vec::new();
    while let Some(cipher) = server_hello(address, protocol, &offered).await {
        let index = offered
            .iter()
            .position(|(id, _)| *id == cipher)
            .expect("one of the offered");
        chosen.push(offered.remove(index).1);
    }
    chosen
}

/// Sends a ClientHello and reads the cipher of the answer; `None` if it is refused.
async fn server_hello(
    address: SocketAddr,
    protocol: TlsProtocol,
    ciphers: &[(u16, &str)],
) -> Option<u16> {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    socket
        .write_all(&client_hello(protocol, ciphers))
        .await
        .expect("a ClientHello");
    let mut header = [0; 5];
    // A refusal is an alert, or the end of the connection.
    socket.read_exact(&mut header).await.ok()?;
    if header[0] != 22 {
        return None;
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    socket.read_exact(&mut message).await.ok()?;
    assert_eq!(message[0], 2, "a ServerHello");
    let session_id = usize::from(message[4 + 2 + 32]);
    let cipher = 4 + 2 + 32 + 1 + session_id;
    Some(u16::from_be_bytes([message[cipher], message[cipher + 1]]))
}

fn client_hello(protocol: TlsProtocol, ciphers: &[(u16, &str)]) -> Vec<u8> {
    let legacy_version: u16 = match protocol {
        TlsProtocol::Tls10 => 0x0301,
        TlsProtocol::Tls11 => 0x0302,
        TlsProtocol::Tls12 | TlsProtocol::Tls13 => 0x0303,
    };
    let list = |values: &[u16]| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat()
    };
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, body: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend((body.len() as u16).to_be_bytes());
        extensions.extend(body);
    };
    extension(10, &list(&[29, 23, 24, 25]));
    extension(11, &[1, 0]);
    extension(
        13,
        &list(&[
            0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
        ]),
    );
    if protocol == TlsProtocol::Tls13 {
        extension(43, &[2, 3, 4]);
        // No share at all: the server asks for one, and names its cipher with it (RFC 8446 section 4.1.4).
        extension(51, &[0, 0]);
    }
    let mut message = legacy_version.to_be_bytes().to_vec();
    message.extend([7; 32]);
    message.push(0);
    message.extend(list(&ciphers.iter().map(|(id, _)| *id).collect::<Vec<_>>()));
    message.extend([1, 0]);
    message.extend((extensions.len() as u16).to_be_bytes());
    message.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16 + 4).to_be_bytes());
    record.push(1);
    record.extend(&(message.len() as u32).to_be_bytes()[1..]);
    record.extend(message);
    record
}

#[test]
fn policies_that_are_not_for_load_balancers_are_refused_by_name() {
    let identity = identity(&["example.com"], &p384_key());
    let check = |name: &str| {
        let keys = tls::TicketKeys::random();
        let error = ServerConfig::new(&tls::ServerOptions {
            policy: name,
            default_identity: &identity,
            additional_identities: &[],
            application_protocols: &[],
            client_authentication: tls::ClientAuthentication::Off,
            ticket_keys: &keys,
            now: std::time::SystemTime::now(),
        })
        .expect_err("no policy of a load balancer");
        assert_eq!(
            error.to_string(),
            format!(
                "the security policy '{name}' is not known; DescribeSSLPolicies lists those that are"
            )
        );
    };
    check("default");
    check("ELBSecurityPolicy-2016-09");
    check("CloudFront-TLS-1-2-2021");
    check("");
}

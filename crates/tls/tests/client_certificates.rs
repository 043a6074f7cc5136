//! Which clients are let in when they have to show a certificate (ALB guide, "Mutual authentication with TLS").

mod support;

use std::io;
use std::sync::Arc;

use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose, SerialNumber, date_time_ymd};
use support::{
    Authority, ClientIdentity, POLICY, accept, authority, client_identity, client_params, connect,
    identity, intermediate, listen, p256_key, read_some, revocation_list, rustls_client, s_client,
};
use tls::{
    ClientAuthentication, ClientCertificateFault as Fault, HandshakeError, HandshakeFailure,
    ServerConfig, ServerOptions, TicketKeys, TlsStream, TrustStore, TrustStoreError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn config(client_authentication: ClientAuthentication) -> ServerConfig {
    let identity = identity(&["example.com"], &p256_key());
    ServerConfig::new(&ServerOptions {
        policy: POLICY,
        default_identity: &identity,
        additional_identities: &[],
        application_protocols: &["http/1.1"],
        client_authentication,
        ticket_keys: &TicketKeys::random(),
        now: std::time::SystemTime::now(),
    })
    .expect("a configuration")
}

fn verify(authorities: &[&Authority], lists: &[String], ignores_expiry: bool) -> ServerConfig {
    let bundle: String = authorities
        .iter()
        .map(|authority| authority.pem())
        .collect();
    config(ClientAuthentication::Verify {
        trust_store: Arc::new(TrustStore::from_pem(&bundle, lists).expect("a trust store")),
        ignores_expiry,
        advertises_names: false,
    })
}

/// Both sides of a handshake. The client waits for an answer, because in TLS 1.3 it learns of a refusal only then.
async fn meet(
    config: &ServerConfig,
    client: Option<&ClientIdentity>,
    version: Option<&'static rustls::SupportedProtocolVersion>,
) -> (Result<TlsStream, HandshakeError>, io::Result<()>) {
    let (listener, address) = listen().await;
    let mut rustls = rustls_client(client);
    if let Some(version) = version {
        rustls = support::rustls_client_of(client, &[version]);
    }
    rustls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let dialogue = tokio::spawn(async move {
        let mut stream = connect(address, rustls, "example.com").await?;
        stream.write_all(b"hello").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.map(|_| ())
    });
    let mut outcome = accept(&listener, config).await;
    if let Ok(stream) = &mut outcome {
        assert_eq!(read_some(stream).await.expect("five bytes"), b"hello");
        support::write_all(stream, b"there")
            .await
            .expect("a client that reads");
    }
    (
        outcome,
        dialogue.await.expect("a client that does not panic"),
    )
}

#[tokio::test]
async fn a_certificate_is_verified_against_the_trust_store() {
    let root = authority("root");
    let other = authority("other");
    let first = intermediate("first", &root);
    let second = intermediate("second", &first);
    let third = intermediate("third", &second);
    let usual = || client_params("client.example.com");
    let with = |change: fn(&mut rcgen::CertificateParams)| {
        let mut params = usual();
        change(&mut params);
        client_identity(params, &[&root])
    };
    let roots = Arc::new(verify(&[&other, &root], &[], false));

    let cases: Vec<(&str, ClientIdentity, Result<(), Fault>)> = vec![
        ("valid", client_identity(usual(), &[&root]), Ok(())),
        (
            "over one",
            client_identity(usual(), &[&first, &root]),
            Ok(()),
        ),
        (
            "over two",
            client_identity(usual(), &[&second, &first, &root]),
            Ok(()),
        ),
        (
            "over three",
            client_identity(usual(), &[&third, &second, &first, &root]),
            Err(Fault::MaxChainDepthExceeded),
        ),
        (
            "untrusted",
            client_identity(usual(), &[&authority("root")]),
            Err(Fault::Untrusted),
        ),
        (
            "gap in the chain",
            client_identity(usual(), &[&second]),
            Err(Fault::Untrusted),
        ),
        (
            "expired",
            with(|params| params.not_after = date_time_ymd(2024, 1, 1)),
            Err(Fault::Expired),
        ),
        (
            "not yet valid",
            with(|params| params.not_before = date_time_ymd(2190, 1, 1)),
            Err(Fault::NotYetValid),
        ),
        (
            "of a server",
            with(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            Err(Fault::PurposeInvalid),
        ),
        (
            "not for signatures",
            with(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
            Err(Fault::PurposeInvalid),
        ),
        (
            "of any purpose",
            with(|params| {
                params.key_usages.clear();
                params.extended_key_usages.clear();
            }),
            Ok(()),
        ),
        (
            "too large",
            with(|params| {
                let name = format!("{}.example.com", "a".repeat(50));
                let name = rcgen::SanType::DnsName(name.try_into().expect("ASCII"));
                params.subject_alt_names = vec![name; 300];
            }),
            Err(Fault::MaxSizeExceeded),
        ),
    ];
    // All at once, because the end of a refused connection is put off for a while.
    let mut meetings = tokio::task::JoinSet::new();
    for (name, client, expected) in cases {
        let client = Arc::new(client);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let (roots, client) = (Arc::clone(&roots), Arc::clone(&client));
            meetings.spawn(async move {
                let (outcome, heard) = meet(&roots, Some(&client), Some(version)).await;
                let failure = outcome.map(|_| ()).map_err(|error| error.failure());
                let expected = expected.map_err(HandshakeFailure::ClientCertificate);
                assert_eq!(failure, expected, "{name}");
                assert_eq!(heard.is_ok(), expected.is_ok(), "{name}: {heard:?}");
                if let Err(error) = heard {
                    let error = error.to_string();
                    assert!(
                        error.contains("HandshakeFailure"),
                        "{name}: an alert, not {error}"
                    );
                }
            });
        }
    }
    while let Some(meeting) = meetings.join_next().await {
        meeting.expect("a meeting as expected");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let config = verify(&[&authority("root")], &[], false);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (outcome, heard) = meet(&config, None, Some(version)).await;
        let failure = outcome.expect_err("a refusal").failure();
        assert_eq!(
            failure,
            HandshakeFailure::ClientCertificate(Fault::Untrusted)
        );
        assert_eq!(failure.code(), "ClientCertUntrusted");
        let heard = heard.expect_err("an alert").to_string();
        assert!(heard.contains("HandshakeFailure"), "an alert, not {heard}");
    }
}

#[tokio::test]
async fn revoked_certificates_are_refused_at_every_step_of_the_chain() {
    let root = authority("root");
    let other = authority("other");
    let first = intermediate("first", &root);
    let client = |serial: &[u8]| {
        let mut params = client_params("client.example.com");
        params.serial_number = Some(SerialNumber::from_slice(serial));
        client_identity(params, &[&first, &root])
    };
    let check = async |lists: &[String], serial: &[u8], expected: Result<(), Fault>| {
        let config = verify(&[&root], lists, false);
        let (outcome, _) = meet(&config, Some(&client(serial)), None).await;
        let failure = outcome.map(|_| ()).map_err(|error| error.failure());
        assert_eq!(
            failure,
            expected.map_err(HandshakeFailure::ClientCertificate),
            "{serial:?}"
        );
    };
    let of_first = revocation_list(&first, &[&[7, 1], &[7, 2]]);
    check(std::slice::from_ref(&of_first), &[7, 2], Err(Fault::CrlHit)).await;
    check(std::slice::from_ref(&of_first), &[7, 3], Ok(())).await;
    // Numbers of another authority are no concern of its own.
    check(&[revocation_list(&other, &[&[7, 2]])], &[7, 2], Ok(())).await;
    // Several lists, in one text and in several.
    let of_root = revocation_list(&root, &[&[9]]);
    check(
        &[of_root.clone(), of_first.clone()],
        &[7, 2],
        Err(Fault::CrlHit),
    )
    .await;
    check(
        &[format!("{of_root}{of_first}")],
        &[7, 2],
        Err(Fault::CrlHit),
    )
    .await;

    // The authority in between.
    let serial = x509_serial(first.der());
    let revoked = verify(&[&root], &[revocation_list(&root, &[&serial])], false);
    let (outcome, _) = meet(&revoked, Some(&client(&[1])), None).await;
    let failure = outcome.expect_err("a refusal").failure();
    assert_eq!(failure, HandshakeFailure::ClientCertificate(Fault::CrlHit));

    // A list with a signature that is not its issuer's.
    let impostor = authority("first");
    check(
        &[revocation_list(&impostor, &[&[7, 3]])],
        &[7, 3],
        Err(Fault::CrlProcessingError),
    )
    .await;
}

fn x509_serial(der: &[u8]) -> Vec<u8> {
    let facts = tls::CertificateFacts::from_der(der).expect("a certificate");
    let digits = facts.serial_number.as_bytes();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
        .collect()
}

#[tokio::test]
async fn expiry_can_be_ignored_and_nothing_else() {
    let root = authority("root");
    let client = |from, until| {
        let mut params = client_params("client.example.com");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        client_identity(params, &[&root])
    };
    let config = verify(&[&root], &[], true);
    let (outcome, _) = meet(&config, Some(&client(2020, 2024)), None).await;
    outcome.expect("an expired certificate is as good as any");
    let (outcome, _) = meet(&config, Some(&client(2190, 2199)), None).await;
    let failure = outcome.expect_err("a refusal").failure();
    assert_eq!(
        failure,
        HandshakeFailure::ClientCertificate(Fault::NotYetValid)
    );
    let stranger = authority("root");
    let mut params = client_params("client.example.com");
    params.not_after = date_time_ymd(2024, 1, 1);
    let (outcome, _) = meet(&config, Some(&client_identity(params, &[&stranger])), None).await;
    let failure = outcome.expect_err("a refusal").failure();
    assert_eq!(
        failure,
        HandshakeFailure::ClientCertificate(Fault::Untrusted)
    );
}

#[tokio::test]
async fn what_a_certificate_says_is_told_in_the_words_of_the_headers() {
    let root = authority("root");
    let client = client_identity(client_params("client.example.com"), &[&root]);
    let (outcome, _) = meet(&verify(&[&root], &[], false), Some(&client), None).await;
    let certificates = outcome.expect("a handshake").client_certificates();
    let certificates = certificates.expect("the client's certificate");
    assert_eq!(
        certificates.ders(),
        client
            .chain
            .iter()
            .map(|der| der.to_vec())
            .collect::<Vec<_>>()
    );
    assert_eq!(certificates.leaf_pem(), client.pem.replace("\r\n", "\n"));
    let leaf = certificates.leaf().expect("a certificate that can be read");
    assert_eq!(
        leaf.subject,
        r"CN=client.example.com,O=Sue\, Grabbit and Runn,C=US"
    );
    assert_eq!(leaf.issuer, "CN=root");
    assert_eq!(leaf.serial_number, "03A5B1");
    assert_eq!(
        leaf.validity,
        "NotBefore=2023-09-21T00:00:00Z;NotAfter=2199-09-20T00:00:00Z"
    );

    // What is refused is told too, for the log.
    let (outcome, _) = meet(
        &verify(&[&authority("other")], &[], false),
        Some(&client),
        None,
    )
    .await;
    let error = outcome.expect_err("a refusal");
    let refused = error
        .certificates()
        .and_then(|certificates| certificates.leaf());
    assert_eq!(refused, Some(leaf));
}

#[tokio::test]
async fn passthrough_takes_any_certificate_or_none() {
    let passthrough = config(ClientAuthentication::Passthrough);
    let (outcome, _) = meet(&passthrough, None, None).await;
    assert!(
        outcome
            .expect("a handshake")
            .client_certificates()
            .is_none()
    );

    let root = authority("root");
    let first = intermediate("first", &root);
    let mut params = client_params("client.example.com");
    params.not_after = date_time_ymd(2024, 1, 1);
    let client = client_identity(params, &[&first, &root]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (outcome, heard) = meet(&passthrough, Some(&client), Some(version)).await;
        let stream = outcome.expect("a handshake");
        let certificates = stream
            .client_certificates()
            .expect("the chain that was shown");
        assert_eq!(certificates.ders().len(), 2, "the whole chain");
        assert_eq!(
            certificates.chain_pem(),
            format!("{}{}", client.pem, first.pem()).replace('\r', "")
        );
        heard.expect("an answer");
    }

    let off = config(ClientAuthentication::Off);
    let (outcome, _) = meet(&off, Some(&client), None).await;
    assert!(
        outcome
            .expect("a handshake")
            .client_certificates()
            .is_none(),
        "not asked for"
    );
}

#[tokio::test]
async fn names_of_authorities_are_told_only_if_wanted() {
    let root = authority("the root of all");
    let bundle = format!(
        "# a comment\n{}{}",
        root.pem(),
        authority("another one").pem()
    );
    let trust_store = Arc::new(TrustStore::from_pem(&bundle, &[""; 0]).expect("a trust store"));
    for (advertises_names, flag) in [
        (true, "-tls1_2"),
        (true, "-tls1_3"),
        (false, "-tls1_2"),
        (false, "-tls1_3"),
    ] {
        let config = config(ClientAuthentication::Verify {
            trust_store: Arc::clone(&trust_store),
            ignores_expiry: false,
            advertises_names,
        });
        let (listener, address) = listen().await;
        let client = tokio::spawn(async move { support::s_client_says(address, &[flag]).await });
        accept(&listener, &config)
            .await
            .expect_err("a client without a certificate");
        let said = client.await.expect("a client that does not panic");
        for name in ["CN = the root of all", "CN = another one"] {
            assert_eq!(said.contains(name), advertises_names, "{flag}: {said}");
        }
    }
}

#[test]
fn more_names_of_authorities_than_a_message_holds_are_refused() {
    let name = "n".repeat(60);
    let bundle: String = (0..700)
        .map(|n| authority(&format!("{n} {name}")).pem())
        .collect();
    let error = ServerConfig::new(&ServerOptions {
        policy: POLICY,
        default_identity: &identity(&["example.com"], &p256_key()),
        additional_identities: &[],
        application_protocols: &[],
        client_authentication: ClientAuthentication::Verify {
            trust_store: Arc::new(TrustStore::from_pem(&bundle, &[""; 0]).expect("a trust store")),
            ignores_expiry: false,
            advertises_names: true,
        },
        ticket_keys: &TicketKeys::random(),
        now: std::time::SystemTime::now(),
    })
    .expect_err("too many names");
    assert!(
        matches!(error, tls::ConfigError::AdvertisedNames(_)),
        "{error}"
    );
}

#[tokio::test]
async fn sessions_with_client_certificates_are_never_resumed() {
    let passthrough = config(ClientAuthentication::Passthrough);
    let (listener, address) = listen().await;
    let directory = std::env::temp_dir().join(format!("tls-session-{}", std::process::id()));
    let path = directory.to_str().expect("a path in UTF-8").to_owned();
    for arguments in ["-sess_out", "-sess_in"] {
        let path = path.clone();
        let client =
            tokio::spawn(async move { s_client(address, &["-tls1_2", arguments, &path]).await });
        let stream = accept(&listener, &passthrough).await;
        // Without a ticket there may be no session to read back at all.
        if let Ok(mut stream) = stream {
            assert!(!stream.is_resumed(), "{arguments}");
            let _ = read_some(&mut stream).await;
        }
        let _ = client.await;
    }
    let _ = std::fs::remove_file(directory);
}

#[test]
fn what_is_wrong_with_a_trust_store_is_said() {
    let root = authority("root").pem();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = |authorities: &str, lists: &[&str]| {
        TrustStore::from_pem(authorities, lists).expect_err("an error")
    };
    assert_eq!(error("", &[]), TrustStoreError::NoAuthority);
    assert!(matches!(
        error(&format!("{root}{broken}"), &[]),
        TrustStoreError::Authority { position: 2, .. }
    ));
    assert_eq!(
        error(&root, &[&root]),
        TrustStoreError::NoRevocationList { position: 1 }
    );
    let broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    assert!(matches!(
        error(&root, &[broken]),
        TrustStoreError::RevocationList { position: 1, .. }
    ));
}

//! Which certificate a client is shown, as the guide says ("SSL certificates for your Application Load Balancer").

mod support;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use support::{accept, listen, p256_key, p384_key, rsa_key, s_client, self_signed};
use tls::{ClientAuthentication, Identity, ServerConfig, ServerOptions, TicketKeys};

/// A certificate for `names` that ends with `until`.
fn identity_until(names: &[&str], key: &KeyPair, until: i32) -> Identity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names of hosts");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    self_signed(params, key)
}

/// The place of the certificate that each client is shown, of `identities` of which the first is the default.
async fn check(identities: &[Identity], cases: &[(&[&str], usize)]) {
    let keys = TicketKeys::random();
    let config = ServerConfig::new(&ServerOptions {
        policy: "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
        default_identity: &identities[0],
        additional_identities: &identities[1..],
        application_protocols: &[],
        client_authentication: ClientAuthentication::Off,
        ticket_keys: &keys,
        now: std::time::SystemTime::now(),
    })
    .expect("a configuration");
    let (listener, address) = listen().await;
    for (arguments, expected) in cases {
        let server = async {
            let stream = accept(&listener, &config).await.expect("a handshake");
            stream.identity()
        };
        let (shown, _) = tokio::join!(server, s_client(address, arguments));
        assert_eq!(shown, Some(*expected), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_client_sees_the_certificate_for_its_host() {
    let identity = |names: &[&str]| identity_until(names, &p256_key(), 2199);
    let mut common_name = CertificateParams::default();
    common_name
        .distinguished_name
        .push(DnType::CommonName, "common.example.net");
    let identities = [
        identity(&["default.example.com"]),
        identity(&["www.example.com", "shop.example.com"]),
        identity(&["*.example.org"]),
        self_signed(common_name, &p256_key()),
    ];
    check(
        &identities,
        &[
            (&["-noservername"], 0),
            (&["-servername", "default.example.com"], 0),
            (&["-servername", "www.example.com"], 1),
            (&["-servername", "WWW.Example.COM"], 1),
            (&["-servername", "shop.example.com"], 1),
            (&["-servername", "other.example.com"], 0),
            // A wildcard stands for one label, no more and no less.
            (&["-servername", "any.example.org"], 2),
            (&["-servername", "example.org"], 0),
            (&["-servername", "a.b.example.org"], 0),
            (&["-servername", "*.example.org"], 2),
            (&["-servername", "common.example.net"], 3),
        ],
    )
    .await;
}

#[tokio::test]
async fn among_several_the_best_that_the_client_can_verify_is_shown() {
    let name = &["www.example.com"];
    let wildcard = &["*.example.com"];
    let rsa = |until| identity_until(name, rsa_key(), until);
    let ecdsa = |until| identity_until(name, &p256_key(), until);
    let www: &[&str] = &["-servername", "www.example.com"];
    let without_ecdsa: &[&str] = &[
        "-servername",
        "www.example.com",
        "-sigalgs",
        "rsa_pss_rsae_sha256:RSA+SHA256",
    ];

    // ECDSA before RSA, if the client can verify it, whatever its version.
    let identities = [rsa(2199), ecdsa(2199)];
    let tls12 = |ciphers| {
        [
            "-servername",
            "www.example.com",
            "-tls1_2",
            "-cipher",
            ciphers,
        ]
    };
    check(
        &identities,
        &[
            (www, 1),
            (without_ecdsa, 0),
            (
                &tls12("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
                1,
            ),
            (&tls12("ECDHE-RSA-AES128-GCM-SHA256"), 0),
            (&tls12("AES128-SHA"), 0),
        ],
    )
    .await;
    // That the exact name is another's does not count.
    let identities = [rsa(2199), identity_until(wildcard, &p256_key(), 2199)];
    check(&identities, &[(www, 1), (without_ecdsa, 0)]).await;
    // Valid before expired, but only among those of one type.
    check(&[ecdsa(2021), ecdsa(2022), ecdsa(2100)], &[(www, 2)]).await;
    check(&[rsa(2199), ecdsa(2021)], &[(www, 1)]).await;
    // The longer key.
    let long = identity_until(name, &p384_key(), 2100);
    check(&[ecdsa(2199), long], &[(www, 1)]).await;
    // The longer validity.
    check(&[ecdsa(2100), ecdsa(2101), ecdsa(2099)], &[(www, 1)]).await;
}

#[test]
fn what_is_wrong_with_an_identity_is_said() {
    let key = p256_key();
    let names = vec!["example.com".to_owned()];
    let certificate = CertificateParams::new(names)
        .expect("a name")
        .self_signed(&key);
    let certificate = certificate.expect("a certificate").pem();
    let key_pem = key.serialize_pem();
    let check = |chain: &str, key: &str, expected: &str| {
        let error = Identity::from_pem(chain, key)
            .expect_err(expected)
            .to_string();
        assert!(error.contains(expected), "{error:?} says not {expected:?}");
    };
    check("", &key_pem, "no PEM block 'CERTIFICATE'");
    check(&key_pem, &key_pem, "no PEM block 'CERTIFICATE'");
    check(
        &certificate.replace('M', "!"),
        &key_pem,
        "the PEM of the certificate chain",
    );
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(
        &format!("{certificate}{broken}"),
        &key_pem,
        "certificate 2 of the chain",
    );
    check(&certificate, "", "the private key has no PEM block");
    check(
        &certificate,
        &certificate,
        "the private key has no PEM block",
    );
    let encrypted = key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    check(&certificate, &encrypted, "the private key is encrypted");
    check(
        &certificate,
        &p256_key().serialize_pem(),
        "does not belong to the certificate",
    );

    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let names = vec!["example.com".to_owned()];
    let odd = CertificateParams::new(names)
        .expect("a name")
        .self_signed(&ed25519);
    check(
        &odd.expect("a certificate").pem(),
        &ed25519.serialize_pem(),
        "1.3.101.112",
    );
}

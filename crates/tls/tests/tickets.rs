//! Sessions that are resumed, and those that are not.

mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::{ClientSessionMemoryCache, Resumption};
use support::{
    accept, config_of, config_with, connect, identity, listen, p256_key, read_some, write_all,
};
use tls::{CONFIG_LIFE, Identity, ServerConfig, TICKET_KEY_PERIOD, TicketKeys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
const OTHER_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";

/// Whether the server resumed a session, of one conversation with a client that remembers the sessions before.
async fn is_resumed(config: &ServerConfig, client: &rustls::ClientConfig) -> bool {
    let (listener, address) = listen().await;
    let client = client.clone();
    let dialogue = tokio::spawn(async move {
        let mut stream = connect(address, client, "example.com")
            .await
            .expect("a handshake");
        stream
            .write_all(b"hello")
            .await
            .expect("a server that reads");
        // With the answer come the tickets of TLS 1.3.
        stream.read_exact(&mut [0; 5]).await.expect("an answer");
    });
    let mut stream = accept(&listener, config).await.expect("a handshake");
    read_some(&mut stream).await.expect("what the client says");
    write_all(&mut stream, b"there")
        .await
        .expect("a client that reads");
    dialogue.await.expect("a client that does not panic");
    stream.is_resumed()
}

fn client(version: &'static rustls::SupportedProtocolVersion) -> rustls::ClientConfig {
    let mut client = support::rustls_client_of(None, &[version]);
    client.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)));
    client
}

#[tokio::test]
async fn sessions_outlive_the_configuration_but_not_what_they_agreed_on() {
    let identity: Identity = identity(&["example.com"], &p256_key());
    let renewed = support::identity(&["example.com"], &p256_key());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let keys = TicketKeys::random();
        let client = client(version);
        let first = config_with(POLICY, &identity, &keys);
        assert!(
            !is_resumed(&first, &client).await,
            "the first session of all"
        );
        assert!(is_resumed(&first, &client).await, "the same configuration");
        drop(first);
        let rebuilt = config_with(POLICY, &identity, &keys);
        assert!(
            is_resumed(&rebuilt, &client).await,
            "another with the same keys"
        );

        let strange = config_with(POLICY, &identity, &TicketKeys::random());
        assert!(!is_resumed(&strange, &client).await, "other keys");
        assert!(is_resumed(&strange, &client).await);
        let strict = config_with(OTHER_POLICY, &identity, &keys);
        assert!(!is_resumed(&strict, &client).await, "another policy");
        assert!(is_resumed(&strict, &client).await);
        let renewed = config_with(OTHER_POLICY, &renewed, &keys);
        assert!(!is_resumed(&renewed, &client).await, "another certificate");
    }
}

/// The library looks at the clock of the system, so the configurations are of the past.
#[tokio::test]
async fn a_configuration_makes_tickets_for_its_life() {
    let identity: Identity = identity(&["example.com"], &p256_key());
    let now = SystemTime::now();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (age, makes_tickets) in [
            (Duration::ZERO, true),
            (CONFIG_LIFE - TICKET_KEY_PERIOD, true),
            (CONFIG_LIFE + 2 * TICKET_KEY_PERIOD, false),
        ] {
            let built_at = now - age;
            let keys = TicketKeys::from_secret([1; 32], built_at);
            let config = config_of(POLICY, &identity, &keys, built_at);
            let client = client(version);
            assert!(!is_resumed(&config, &client).await);
            assert_eq!(is_resumed(&config, &client).await, makes_tickets, "{age:?}");
            let renewed = config_of(POLICY, &identity, &keys, now);
            assert_eq!(
                is_resumed(&renewed, &client).await,
                makes_tickets,
                "{age:?}"
            );
            assert!(is_resumed(&renewed, &client).await, "{age:?}");
        }
    }
}

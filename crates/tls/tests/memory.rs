//! What an idle connection costs, counted by the allocator. Alone in its file: nothing else may allocate meanwhile.

mod support;

use support::{accept, config, connect, identity, listen, p256_key, read_some, write_all};
use tls::TlsStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of user memory that an idle connection may hold.
const IDLE_BYTES_MAX: usize = 16 * 1024;

/// The bytes in use by everything that allocates, the C libraries included.
#[allow(unsafe_code, reason = "there is no safe way to ask")]
fn bytes_in_use() -> usize {
    // SAFETY: it only reads counters of the allocator.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

#[tokio::test]
async fn an_idle_connection_holds_at_most_16_kib() {
    const CONNECTIONS: usize = 100;
    let config = config(
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        &identity(&["example.com"], &p256_key()),
    );
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (listener, address) = listen().await;
        let mut clients = Vec::new();
        let mut servers: Vec<TlsStream> = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut rustls = support::rustls_client_of(None, &[version]);
            rustls.resumption = rustls::client::Resumption::disabled();
            let (client, server) = tokio::join!(
                connect(address, rustls, "example.com"),
                accept(&listener, &config)
            );
            let (mut client, mut server) = (client.expect("a client"), server.expect("a server"));
            // A request and a response, as it was before it became idle.
            client
                .write_all(&[1; 20_000])
                .await
                .expect("a server that reads");
            let mut received = 0;
            while received < 20_000 {
                received += read_some(&mut server).await.expect("the request").len();
            }
            write_all(&mut server, &[2; 20_000])
                .await
                .expect("a client that reads");
            client
                .read_exact(&mut [0; 20_000])
                .await
                .expect("the response");
            clients.push(client);
            servers.push(server);
        }
        let with = bytes_in_use();
        drop(servers);
        let without = bytes_in_use();
        drop(clients);
        let each = (with - without) / CONNECTIONS;
        println!("{version:?}: {each} bytes for an idle connection");
        assert!(
            each <= IDLE_BYTES_MAX,
            "{each} bytes for an idle connection"
        );
        assert!(each > 1024, "{each} bytes are too few to be true");
    }
}

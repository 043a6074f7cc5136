//! What an idle TLS connection costs. Alone in its file: nothing else may take memory meanwhile.

#[path = "support/private_memory.rs"]
mod private_memory;
mod support;

use engine::{FixedResponse, Routing};
use private_memory::private_bytes;
use support::Fixture;
use support::tls::{Issued, client_config, tls};

/// Bytes of memory that an idle connection may take.
const PRIVATE_BYTES_MAX: usize = 16 * 1024;
const CONNECTIONS: usize = 500;

#[test]
fn an_idle_connection_takes_at_most_16_kib() {
    let fixed = FixedResponse {
        status: 200,
        content_type: None,
        body: vec![7; 20_000].into(),
    };
    let action = Routing::FixedResponse(fixed).into();
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    let mut config = client_config(None);
    // What a client remembers must not count either.
    config.resumption = rustls::client::Resumption::disabled();
    let open = || {
        let mut client = fixture.tls_client_with(config.clone());
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.head();
        client.bytes(20_000);
        // What the test keeps of a client must not count.
        client.socket
    };
    // The first connections pay for what a worker allocates once.
    let warm: Vec<_> = (0..50).map(|_| open()).collect();
    fixture.settle();
    let before = private_bytes();
    let mut clients = Vec::with_capacity(CONNECTIONS);
    clients.extend((0..CONNECTIONS).map(|_| open()));
    fixture.settle();
    let each = private_bytes().saturating_sub(before) / CONNECTIONS;
    println!("{each} bytes for each idle connection");
    assert!(
        each <= PRIVATE_BYTES_MAX,
        "an idle connection takes {each} bytes"
    );
    assert!(each > 1024, "{each} bytes are too few to be true");
    drop((warm, clients));
}

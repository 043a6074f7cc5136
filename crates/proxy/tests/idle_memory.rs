//! What an idle connection costs, as a count of bytes: no clock and no load can change it.

#[path = "support/allocations.rs"]
mod allocations;
mod support;

use engine::{FixedResponse, Routing};
use support::{Fixture, field};

const CONNECTIONS: usize = 1000;

#[test]
fn an_idle_keep_alive_connection_takes_at_most_one_kibibyte() {
    let fixed = FixedResponse {
        status: 200,
        content_type: None,
        body: Box::default(),
    };
    let fixture = Fixture::with_action(Routing::FixedResponse(fixed).into());
    let open = || {
        let mut client = fixture.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(field(&client.head(), "Connection"), Some("keep-alive"));
        // What the test keeps of a client must not count.
        client.stream
    };
    // The first connections pay for what a worker allocates once.
    let warm: Vec<_> = (0..100).map(|_| open()).collect();
    fixture.settle();
    let mut clients = Vec::with_capacity(CONNECTIONS);
    let (_, _, taken) = allocations::count(|| {
        clients.extend((0..CONNECTIONS).map(|_| open()));
        fixture.settle();
    });
    drop(warm);
    let each = taken / CONNECTIONS;
    println!("{each} bytes for each idle connection");
    assert!(each <= 1024, "an idle connection takes {each} bytes");
}

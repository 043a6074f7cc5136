//! What an idle connection costs, as counts of bytes: no clock and no load can change how many are allocated.

#[path = "support/allocations.rs"]
mod allocations;
#[path = "support/private_memory.rs"]
mod private_memory;
mod support;

use engine::{FixedResponse, Routing};
use private_memory::private_bytes;
use support::{Fixture, field};

const CONNECTIONS: usize = 3000;

/// Bytes of memory that an idle connection may take.
const PRIVATE_BYTES_MAX: usize = 1024;

/// Bytes of it that are asked of the allocator. The rest is lost where the blocks begin at multiples of 128 bytes,
/// which the runtime asks for.
const ALLOCATED_BYTES_MAX: usize = 784;

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
    let before = private_bytes();
    let (_, _, taken) = allocations::count(|| {
        clients.extend((0..CONNECTIONS).map(|_| open()));
        fixture.settle();
    });
    let private = private_bytes().saturating_sub(before) / CONNECTIONS;
    drop(warm);
    let allocated = taken / CONNECTIONS;
    println!("{private} bytes for each idle connection, {allocated} of them allocated");
    assert!(
        private <= PRIVATE_BYTES_MAX,
        "an idle connection takes {private} bytes"
    );
    assert!(
        allocated <= ALLOCATED_BYTES_MAX,
        "{allocated} bytes are allocated for an idle connection"
    );
    assert!(private > 256, "{private} bytes are too few to be true");
}

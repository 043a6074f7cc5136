//! What a request costs in allocations, as a count: no clock and no load can change it.

#[path = "support/allocations.rs"]
mod allocations;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::{Fixture, Target};

const REQUESTS: usize = 200;

/// The largest state of an exchange. It is written once for each request: much more would cost more than all
/// the rest of a request, in copying and in memory that the allocator gives back and takes again.
const STATE_BYTES_MAX: usize = 1536;

const REQUEST: &[u8] = b"GET /index.html?a=b HTTP/1.1\r\nHost: shop.example\r\n\
    User-Agent: curl/8.5.0\r\nAccept: */*\r\nCookie: a=b; c=d\r\nX_Key: 1\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Reads until these bytes end what has arrived, without allocating.
fn read_to(stream: &mut TcpStream, end: &[u8]) {
    let mut block = [0; 4096];
    let mut filled = 0;
    while !block[..filled].ends_with(end) {
        let count = stream
            .read(&mut block[filled..])
            .expect("a readable socket");
        assert!(count > 0, "the other side has closed");
        filled += count;
    }
}

#[test]
fn a_forwarded_request_allocates_nothing_but_its_own_task() {
    let target = Target::listen();
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client().stream;
    client.write_all(REQUEST).unwrap();
    let mut at_target = target.accept().stream;
    let mut exchange = |is_sent: bool| {
        if !is_sent {
            client.write_all(REQUEST).unwrap();
        }
        read_to(&mut at_target, b"\r\n\r\n");
        at_target.write_all(RESPONSE).unwrap();
        read_to(&mut client, b"\r\n\r\nok");
    };
    // The first requests pay for what a worker allocates once.
    exchange(true);
    (0..20).for_each(|_| exchange(false));
    let (taken, bytes, _) = allocations::count(|| (0..REQUESTS).for_each(|_| exchange(false)));
    let bytes = bytes / REQUESTS;
    println!("{taken} allocations for {REQUESTS} requests, {bytes} bytes for each");
    // The state of the exchange is boxed, so that an idle connection does not carry the room for it.
    assert!(
        taken <= REQUESTS,
        "{taken} allocations for {REQUESTS} requests"
    );
    assert!(bytes <= STATE_BYTES_MAX, "{bytes} bytes for each request");
}

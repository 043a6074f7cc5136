//! What an idle connection costs, as a count of bytes: no clock and no load can change it.

#![allow(
    unsafe_code,
    reason = "an allocator that counts can only be written with it"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use engine::{FixedResponse, Routing};
use support::{Fixture, field};

/// Bytes that are allocated now.
static ALLOCATED: AtomicIsize = AtomicIsize::new(0);

struct Counting;

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let before = ALLOCATED.load(Ordering::Relaxed);
    clients.extend((0..CONNECTIONS).map(|_| open()));
    fixture.settle();
    let taken = ALLOCATED.load(Ordering::Relaxed) - before;
    drop(warm);
    let each = taken / CONNECTIONS as isize;
    println!("{each} bytes for each idle connection");
    assert!(each <= 1024, "an idle connection takes {each} bytes");
}

//! What the compression of a response costs, as a count of bytes: no clock and no load can change it.

#[path = "support/allocations.rs"]
mod allocations;
mod support;

use engine::{HttpOptions, ResponseCompression};
use support::{Fixture, Target, field};

const RESPONSES: usize = 16;

/// Bytes that do not repeat and cannot be compressed: the worst case.
fn noise() -> Vec<u8> {
    let mut x = 1_u64;
    let step = |_| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (x >> 56) as u8
    };
    (0..1_000_000).map(step).collect()
}

#[test]
fn a_compressed_response_takes_bounded_memory_whatever_its_size() {
    let compression = ResponseCompression {
        content_types: vec!["text/*".into()],
        minimum_bytes: 0,
    };
    let options = HttpOptions {
        response_compression: Some(compression),
        ..HttpOptions::default()
    };
    let target = Target::listen();
    let fixture = Fixture::with_options(options, &[&target]);
    let noise = noise();
    for (coding, bytes_max) in [("br", 1536 * 1024), ("gzip", 512 * 1024)] {
        let open = || {
            let mut client = fixture.client();
            client.send(format!(
                "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\n\r\n"
            ));
            let (_, mut at_target) = target.answer(
                "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nTransfer-Encoding: chunked\r\n\r\n",
            );
            assert_eq!(field(&client.head(), "Content-Encoding"), Some(coding));
            let mut received = 0;
            for part in noise.chunks(50_000) {
                at_target.send(format!("{:x}\r\n", part.len()));
                at_target.send(part);
                at_target.send("\r\n");
                while received < part.len() {
                    received += client.chunk().len();
                }
                received -= part.len();
            }
            (client.stream, at_target.stream)
        };
        let warm = open();
        fixture.settle();
        let mut responses = Vec::with_capacity(RESPONSES);
        let (_, _, taken) = allocations::count(|| {
            responses.extend((0..RESPONSES).map(|_| open()));
            fixture.settle();
        });
        drop((warm, responses));
        let each = taken / RESPONSES;
        println!("{each} bytes for each response with {coding}");
        assert!(
            each <= bytes_max,
            "a response with {coding} takes {each} bytes"
        );
    }
}

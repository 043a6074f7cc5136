//! What a call of gRPC costs in allocations, as a count: no clock and no load can change it.

#[path = "support/allocations.rs"]
mod allocations;
#[path = "support/frames.rs"]
mod frames;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use engine::HttpVersion;
use frames::*;
use support::{Fixture, Target, endpoint, forward_by};

const CALLS: usize = 200;

/// The task of a call, and nothing else. Its state is written once for each call, and up to this size the
/// allocator has a fast way to give and take it.
const CALL_BYTES_MAX: usize = 1024;

/// One end of a connection, which reads without allocating.
struct Wire {
    stream: TcpStream,
    block: [u8; 4096],
    filled: usize,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            block: [0; 4096],
            filled: 0,
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads up to the frame that ends a stream.
    fn read_to_end_of_stream(&mut self) {
        let mut at = 0;
        loop {
            while let Some(head) = self.block[..self.filled].get(at..at + 9) {
                let length = usize::from(head[1]) << 8 | usize::from(head[2]);
                let ends = matches!(head[3], DATA | HEADERS) && head[4] & END_STREAM != 0;
                if self.filled < at + 9 + length {
                    break;
                }
                at += 9 + length;
                if ends {
                    self.block.copy_within(at..self.filled, 0);
                    self.filled -= at;
                    return;
                }
            }
            let count = self.stream.read(&mut self.block[self.filled..]).unwrap();
            assert!(count > 0, "the other side has closed");
            self.filled += count;
        }
    }
}

/// The frames of a message: a head, a body, and trailers if it has any.
fn message(stream: u32, head: &[u8], trailers: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = frame(HEADERS, END_HEADERS, stream, head);
    let ends = if trailers.is_none() { END_STREAM } else { 0 };
    bytes.extend(frame(DATA, ends, stream, b"\0\0\0\0\x02hi"));
    if let Some(trailers) = trailers {
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers));
    }
    bytes
}

#[test]
fn a_call_of_grpc_allocates_nothing_but_its_own_task() {
    let target = Target::listen();
    let fixture = Fixture::of_http2(forward_by(HttpVersion::Grpc, &[endpoint(target.address)]));
    let request = section(&[&POST[..], &[("content-type", "application/grpc")]].concat());
    let response = section(&[(":status", "200"), ("content-type", "application/grpc")]);
    let trailers = section(&[("grpc-status", "0")]);
    let calls = (0..CALLS as u32 + 21).map(|n| 1 + 2 * n);
    let mut calls = calls.map(|stream| {
        let response = message(stream, &response, Some(&trailers));
        (message(stream, &request, None), response)
    });
    let (first, answer) = calls.next().unwrap();
    let calls: Vec<_> = calls.collect();

    let mut client = Wire::new(TcpStream::connect(fixture.address).unwrap());
    client.send(&[PREFACE, &frame(SETTINGS, 0, 0, b""), &first].concat());
    let mut at_target = Wire::new(target.listener.accept().unwrap().0);
    let mut preface = [0; 24];
    at_target.stream.read_exact(&mut preface).unwrap();
    at_target.send(&frame(SETTINGS, 0, 0, b""));
    at_target.read_to_end_of_stream();
    at_target.send(&answer);
    client.read_to_end_of_stream();
    let mut exchange = |(request, response): &(Vec<u8>, Vec<u8>)| {
        client.send(request);
        at_target.read_to_end_of_stream();
        at_target.send(response);
        client.read_to_end_of_stream();
    };
    // The first calls pay for what connections allocate once.
    calls[..20].iter().for_each(&mut exchange);
    let (taken, bytes, _) = allocations::count(|| calls[20..].iter().for_each(&mut exchange));
    let bytes = bytes / CALLS;
    println!("{taken} allocations for {CALLS} calls, {bytes} bytes for each");
    assert!(taken <= CALLS, "{taken} allocations for {CALLS} calls");
    assert!(bytes <= CALL_BYTES_MAX, "{bytes} bytes for each call");
}

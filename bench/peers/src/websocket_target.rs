//! A WebSocket target that echoes every message. A request that asks for no upgrade, such as a
//! health check, is answered with the fields that the proxy added.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::added;
use crate::websocket::{CLOSE, accept, put_frame, take_frame};

const HEAD_BYTES_MAX: usize = 16 << 10;
const FIELDS_MAX: usize = 64;

/// Answers until the program is ended.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(async move {
            // Proxies and health checks hang up as they like.
            let _ = serve_connection(stream).await;
        });
    }
}

async fn serve_connection(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(1024);
    loop {
        if let Some(answer) = take_head(&mut received)? {
            stream.write_all(&answer.bytes).await?;
            if answer.is_upgrade {
                return echo(stream, received).await;
            }
        } else if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

struct Answer {
    bytes: Vec<u8>,
    is_upgrade: bool,
}

/// Takes one request head off what was received, if it is there as a whole, and answers it.
/// Requests with a body are not expected.
fn take_head(received: &mut BytesMut) -> io::Result<Option<Answer>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(received).map_err(io::Error::other)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if received.len() < HEAD_BYTES_MAX => return Ok(None),
        httparse::Status::Partial => return Err(io::Error::other("the head is too long")),
    };
    let answer = answer(&head);
    received.advance(length);
    Ok(Some(answer))
}

fn answer(head: &httparse::Request<'_, '_>) -> Answer {
    let value_of = |name: &str| {
        let field = head
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| field.value)
    };
    let is_upgrade =
        value_of("upgrade").is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"));
    let bytes = match value_of("sec-websocket-key") {
        Some(key) if is_upgrade => format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept(key)
        )
        .into_bytes(),
        _ => {
            let added = added::values(value_of);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", added.len());
            [head.as_bytes(), &added].concat()
        }
    };
    Answer {
        is_upgrade: bytes.starts_with(b"HTTP/1.1 101"),
        bytes,
    }
}

async fn echo(mut stream: TcpStream, mut received: BytesMut) -> io::Result<()> {
    let mut out = BytesMut::with_capacity(1024);
    loop {
        while let Some(frame) = take_frame(&mut received).map_err(io::Error::other)? {
            put_frame(&mut out, frame.opcode, None, &frame.payload);
            if frame.opcode == CLOSE {
                return stream.write_all(&out).await;
            }
        }
        stream.write_all(&out).await?;
        out.clear();
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: &str, answer: &str) {
        let mut received = BytesMut::from(request);
        let bytes = take_head(&mut received).unwrap().map(|answer| answer.bytes);
        assert_eq!(String::from_utf8(bytes.unwrap()).unwrap(), answer);
        assert!(received.is_empty());
    }

    #[test]
    fn an_upgrade_is_accepted_and_other_requests_are_told_what_was_added() {
        check(
            "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        );
        check(
            "GET / HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\nx-amzn-trace-id: Root=1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n1.2.3.4|||Root=1",
        );
    }

    #[test]
    fn a_head_that_does_not_end_is_refused() {
        let endless = format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(HEAD_BYTES_MAX));
        assert!(take_head(&mut BytesMut::from(&endless[..])).is_err());
    }
}

//! Small messages over WebSockets that stay open: a turn is one message and its echo.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::closed_loop;
use crate::websocket::{BINARY, accept, put_frame, take_frame};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const MESSAGE: [u8; 64] = [b'm'; 64];

#[derive(Clone)]
pub(crate) struct Client;

/// One open WebSocket.
pub(crate) struct Connection {
    stream: TcpStream,
    received: BytesMut,
    out: BytesMut,
}

impl closed_loop::Client for Client {
    type State = Connection;

    async fn open(&self, address: SocketAddr) -> io::Result<Connection> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /echo HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut received = BytesMut::with_capacity(1024);
        while !take_upgrade(&mut received)? {
            read_more(&mut stream, &mut received).await?;
        }
        Ok(Connection {
            stream,
            received,
            out: BytesMut::with_capacity(128),
        })
    }

    async fn turn(&self, connection: &mut Connection) -> io::Result<()> {
        let Connection {
            stream,
            received,
            out,
        } = connection;
        out.clear();
        put_frame(out, BINARY, Some(MASK), &MESSAGE);
        stream.write_all(out).await?;
        loop {
            match take_frame(received).map_err(io::Error::other)? {
                Some(frame) if frame.opcode == BINARY && frame.payload[..] == MESSAGE => {
                    return Ok(());
                }
                Some(frame) => {
                    return Err(io::Error::other(format!("the echo was {frame:?}")));
                }
                None => read_more(stream, received).await?,
            }
        }
    }
}

async fn read_more(stream: &mut TcpStream, received: &mut BytesMut) -> io::Result<()> {
    match stream.read_buf(received).await? {
        0 => Err(io::Error::other("the proxy closed a WebSocket")),
        _ => Ok(()),
    }
}

/// Takes the response head off what was received; false if it is not there as a whole.
fn take_upgrade(received: &mut BytesMut) -> io::Result<bool> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(received).map_err(io::Error::other)? else {
        return Ok(false);
    };
    let accepted = head.headers.iter().any(|field| {
        field.name.eq_ignore_ascii_case("sec-websocket-accept")
            && field.value == accept(KEY.as_bytes()).as_bytes()
    });
    if head.code != Some(101) || !accepted {
        return Err(io::Error::other(format!(
            "the upgrade was answered with {:?}",
            head.code
        )));
    }
    received.advance(length);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, is_accepted: Option<bool>) {
        assert_eq!(
            take_upgrade(&mut BytesMut::from(answer)).ok(),
            is_accepted,
            "{answer}"
        );
    }

    #[test]
    fn only_the_accept_field_for_the_key_opens_a_websocket() {
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        check(
            &format!("HTTP/1.1 101 Switching Protocols\r\n{accept}\r\n"),
            Some(true),
        );
        check("HTTP/1.1 101 Switching Proto", Some(false));
        check("HTTP/1.1 101 Switching Protocols\r\n\r\n", None);
        check(&format!("HTTP/1.1 200 OK\r\n{accept}\r\n"), None);
    }
}

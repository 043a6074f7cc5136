//! Looks at the ports of targets: whether they are open, and what they speak.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::client_hello::client_hello;

/// How long a connection, and then the first bytes, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(2);

/// Ports that are looked at; of more than these, the others are judged by what the health checks say.
const PROBES_MAX: usize = 256;

/// Looks at the same time.
const PROBES_AT_ONCE_MAX: usize = 16;

/// As many first bytes tell HTTP/1 and HTTP/2: RFC 9113 section 4.1, the header of a frame.
const FIRST_BYTES: usize = 9;

/// As many tell the status of an answer of HTTP/1 too: RFC 9112 section 4.
const FIRST_BYTES_OF_HTTP1: usize = b"HTTP/1.1 400".len();

/// How much of an answer that is none of HTTP is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 40;

/// The preface of a client (RFC 9113 section 3.4): the fixed text, and settings that say nothing.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What a port is expected to speak in clear text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// What a look has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The connection was refused.
    Closed,
    /// There was no connection in time.
    Unreachable,
    /// It answers TLS to TLS.
    Tls,
    /// It answers in HTTP/1 to clear text.
    Http1,
    /// It answers in HTTP/2 to clear text.
    Http2,
    /// It is HTTP/1, or TLS of a kind that the probe does not offer: it hangs up on TLS, and refuses clear text with an
    /// answer of HTTP/1.
    Unclear,
    /// It answers something else, which begins so.
    Other(String),
    /// It closes the connection without an answer.
    HangsUp,
    /// It is open, and does not answer what the probe has said.
    Silent,
}

/// The beginning of an answer.
enum Answer {
    /// At least one byte.
    Bytes(Vec<u8>),
    End,
    Silence,
}

/// What is looked at: a port, and what it is expected to speak unless it speaks TLS.
pub(crate) type Port = (SocketAddr, Version);

/// Looks at all of them, each once.
pub(crate) async fn look_at(ports: Vec<Port>) -> BTreeMap<Port, Seen> {
    let mut waiting = ports.into_iter().take(PROBES_MAX);
    let mut looking = JoinSet::new();
    let mut seen = BTreeMap::new();
    loop {
        while looking.len() < PROBES_AT_ONCE_MAX
            && let Some((address, expected)) = waiting.next()
        {
            let look = async move { ((address, expected), look(address, expected).await) };
            looking.spawn(look);
        }
        match looking.join_next().await {
            Some(Ok((port, found))) => seen.insert(port, found),
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => return seen,
        };
    }
}

async fn look(address: SocketAddr, expected: Version) -> Seen {
    look_closely(address, expected)
        .await
        .unwrap_or_else(|unconnected| unconnected)
}

/// # Errors
/// `Closed` or `Unreachable`.
async fn look_closely(address: SocketAddr, expected: Version) -> Result<Seen, Seen> {
    // TLS goes first: on its ports, many servers answer clear text in clear text, with an error.
    let to_tls = greet(address, &client_hello()).await?;
    // RFC 8446 section 5.1: a handshake or an alert, and the version 3.
    if matches!(&to_tls, Answer::Bytes(bytes) if matches!(**bytes, [0x15 | 0x16, 3, ..])) {
        return Ok(Seen::Tls);
    }
    let http1 = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUser-Agent: elbow-doctor\r\nConnection: close\r\n\r\n"
    );
    let (first, second) = match expected {
        Version::Http1 => (http1.as_bytes(), HTTP2_PREFACE),
        Version::Http2 => (HTTP2_PREFACE, http1.as_bytes()),
    };
    // A server of TLS need not send an alert before it hangs up on a client that it has nothing in common with.
    let may_be_tls = matches!(to_tls, Answer::End);
    let to_expected = greet(address, first).await?;
    if let Some(seen) = http_of(&to_expected, may_be_tls) {
        return Ok(seen);
    }
    if matches!(to_expected, Answer::Silence) {
        return Ok(Seen::Silent);
    }
    if let Some(seen) = http_of(&greet(address, second).await?, may_be_tls) {
        return Ok(seen);
    }
    Ok(match to_expected {
        Answer::Bytes(bytes) => Seen::Other(shown(&bytes)),
        Answer::End | Answer::Silence => Seen::HangsUp,
    })
}

/// Says something on a connection of its own.
///
/// # Errors
/// `Closed` or `Unreachable`.
async fn greet(address: SocketAddr, greeting: &[u8]) -> Result<Answer, Seen> {
    let connect = tokio::time::timeout(STEP_TIMEOUT, TcpStream::connect(address));
    let mut stream = match connect.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err(Seen::Closed);
        }
        Ok(Err(_)) | Err(_) => return Err(Seen::Unreachable),
    };
    let mut first = Vec::with_capacity(SHOWN_BYTES_MAX);
    let read = async {
        stream.write_all(greeting).await?;
        while is_short(&first) && stream.read_buf(&mut first).await? > 0 {}
        io::Result::Ok(())
    };
    let is_over = tokio::time::timeout(STEP_TIMEOUT, read).await.is_ok();
    Ok(match (first.is_empty(), is_over) {
        (false, _) => Answer::Bytes(first),
        // A connection that is reset is one that is closed.
        (true, true) => Answer::End,
        (true, false) => Answer::Silence,
    })
}

/// Whether what comes next may tell more.
fn is_short(first: &[u8]) -> bool {
    let wanted = match first {
        [b'H', ..] => FIRST_BYTES_OF_HTTP1,
        _ => FIRST_BYTES,
    };
    first.len() < wanted
}

/// The version of HTTP that an answer is of; `None`: of none.
fn http_of(answer: &Answer, may_be_tls: bool) -> Option<Seen> {
    let Answer::Bytes(bytes) = answer else {
        return None;
    };
    let is_refusal = bytes.get(8..12) == Some(b" 400");
    match **bytes {
        // Ports for TLS answer so to clear text.
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', ..] if may_be_tls && is_refusal => {
            Some(Seen::Unclear)
        }
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', ..] => Some(Seen::Http1),
        // RFC 9113 section 3.4: a server begins with settings, which are for stream 0.
        [_, _, _, 4, _, 0, 0, 0, 0, ..] => Some(Seen::Http2),
        _ => None,
    }
}

/// The first line of an answer, as far as it is text.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take_while(|it| !it.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers each connection by what is said there, and closes it.
    async fn seen_of(answer: fn(&[u8]) -> &'static [u8], expected: Version) -> Seen {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut said = [0; 256];
                let count = stream.read(&mut said).await.unwrap();
                stream.write_all(answer(&said[..count])).await.unwrap();
            }
        };
        tokio::select! {
            seen = look(address, expected) => seen,
            () = serve => unreachable!("it serves for ever"),
        }
    }

    #[tokio::test]
    async fn the_first_bytes_tell_what_a_port_speaks() {
        use Version::{Http1, Http2};
        const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
        const OK: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
        const BAD: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        type Server = fn(&[u8]) -> &'static [u8];
        let alert: Server = |_| b"\x15\x03\x01\x00\x02\x02\x28";
        // As NGINX and Go do on ports for TLS.
        let tls_or_error: Server = |said| match said[0] {
            22 => b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76",
            _ => BAD,
        };
        let http1: Server = |_| BAD;
        let only_get: Server = |said| if said.starts_with(b"GET ") { OK } else { b"" };
        let tls_without_alert: Server = |said| if said[0] == 22 { b"" } else { BAD };
        let both: Server = |said| {
            if said.starts_with(b"PRI") {
                SETTINGS
            } else {
                BAD
            }
        };
        let only_http2: Server = |said| {
            if said.starts_with(b"PRI") {
                SETTINGS
            } else {
                b""
            }
        };
        let ssh: Server = |_| b"SSH-2.0-x\r\n";
        let hangs_up: Server = |_| b"";
        for (name, server, expected, seen) in [
            ("alert", alert, Http1, Seen::Tls),
            ("TLS or an error", tls_or_error, Http2, Seen::Tls),
            ("TLS without alert", tls_without_alert, Http1, Seen::Unclear),
            ("TLS without alert", tls_without_alert, Http2, Seen::Unclear),
            ("HTTP/1", http1, Http1, Seen::Http1),
            ("HTTP/1", http1, Http2, Seen::Http1),
            ("only GET", only_get, Http2, Seen::Http1),
            ("both", both, Http1, Seen::Http1),
            ("both", both, Http2, Seen::Http2),
            ("only HTTP/2", only_http2, Http1, Seen::Http2),
            ("SSH", ssh, Http1, Seen::Other("SSH-2.0-x".to_owned())),
            ("hangs up", hangs_up, Http2, Seen::HangsUp),
        ] {
            assert_eq!(seen_of(server, expected).await, seen, "{name} {expected:?}");
        }
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = (listener.local_addr().unwrap(), Version::Http1);
        drop(listener);
        let seen = look_at(vec![port]).await;
        assert_eq!(seen, BTreeMap::from([(port, Seen::Closed)]));
    }
}

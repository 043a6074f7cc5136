//! One look at the port of a target that fails its checks: whether it is open, and whether it speaks TLS.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long a connection, and then the first bytes, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(2);

/// Ports that are looked at; of more than these, the others are judged by what the health checks say.
const PROBES_MAX: usize = 256;

/// Looks at the same time.
const PROBES_AT_ONCE_MAX: usize = 16;

/// What a health check speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Checked {
    /// HTTP in clear text; the probe speaks TLS.
    Plain,
    /// HTTPS; the probe speaks clear text.
    Tls,
}

/// What a look has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The connection was refused.
    Closed,
    /// There was no connection in time.
    Unreachable,
    /// It answers TLS to TLS.
    SpeaksTls,
    /// It answers HTTP to clear text.
    SpeaksPlainHttp,
    /// It is open, and does not answer what the probe has said.
    Open,
}

/// Looks at all of them, each once.
pub(crate) async fn look_at(ports: Vec<(SocketAddr, Checked)>) -> BTreeMap<SocketAddr, Seen> {
    let mut waiting = ports.into_iter().take(PROBES_MAX);
    let mut looking = JoinSet::new();
    let mut seen = BTreeMap::new();
    loop {
        while looking.len() < PROBES_AT_ONCE_MAX
            && let Some((address, checked)) = waiting.next()
        {
            looking.spawn(async move { (address, look(address, checked).await) });
        }
        match looking.join_next().await {
            Some(Ok((address, found))) => seen.insert(address, found),
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => return seen,
        };
    }
}

async fn look(address: SocketAddr, checked: Checked) -> Seen {
    let connect = tokio::time::timeout(STEP_TIMEOUT, TcpStream::connect(address));
    let mut stream = match connect.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => return Seen::Closed,
        Ok(Err(_)) | Err(_) => return Seen::Unreachable,
    };
    let greeting: &[u8] = match checked {
        Checked::Plain => &CLIENT_HELLO,
        Checked::Tls => b"GET / HTTP/1.0\r\n\r\n",
    };
    let mut first = [0; 7];
    let read = async {
        stream.write_all(greeting).await?;
        stream.read_exact(&mut first).await
    };
    // Whatever goes wrong here says nothing but that there was no such answer.
    let _ = tokio::time::timeout(STEP_TIMEOUT, read).await;
    match &first {
        // RFC 8446 section 5.1: a handshake or an alert, and the version 3.
        [0x15 | 0x16, 3, ..] => Seen::SpeaksTls,
        b"HTTP/1." => Seen::SpeaksPlainHttp,
        _ => Seen::Open,
    }
}

/// A `ClientHello` of TLS 1.2 (RFC 5246 section 7.4.1.2) without extensions. What a server thinks of it does not
/// matter: a `ServerHello` and an alert are both TLS.
const CLIENT_HELLO: [u8; 58] = {
    let mut hello = [0; 58];
    // Record: handshake, version 3.1, 53 bytes. Message: ClientHello, 49 bytes, version 3.3.
    let head = [22, 3, 1, 0, 53, 1, 0, 0, 49, 3, 3];
    let mut at = 0;
    while at < head.len() {
        hello[at] = head[at];
        at += 1;
    }
    // 32 bytes of random stay 0, and so does the length of the session's id. Five suites, no compression.
    let tail = [
        0, 10, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x30, 0x00, 0x9c, 0x00, 0x2f, 1, 0,
    ];
    let mut at = 0;
    while at < tail.len() {
        hello[44 + at] = tail[at];
        at += 1;
    }
    hello
};

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn seen_of(answer: &'static [u8], checked: Checked) -> Seen {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer).await.unwrap();
        };
        tokio::join!(look(address, checked), server).0
    }

    #[tokio::test]
    async fn the_first_bytes_tell_what_a_port_speaks() {
        use Checked::{Plain, Tls};
        for (answer, checked, expected) in [
            (&b"\x15\x03\x01\x00\x02\x02\x28"[..], Plain, Seen::SpeaksTls),
            (
                b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76",
                Plain,
                Seen::SpeaksTls,
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                Tls,
                Seen::SpeaksPlainHttp,
            ),
            (b"SSH-2.0-x\r\n", Plain, Seen::Open),
            (b"", Plain, Seen::Open),
        ] {
            assert_eq!(seen_of(answer, checked).await, expected, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let seen = look_at(vec![(address, Checked::Plain)]).await;
        assert_eq!(seen, BTreeMap::from([(address, Seen::Closed)]));
    }

    #[test]
    fn the_hello_is_as_long_as_it_says() {
        assert_eq!(CLIENT_HELLO.len(), 5 + usize::from(CLIENT_HELLO[4]));
        assert_eq!(
            usize::from(CLIENT_HELLO[4]),
            4 + usize::from(CLIENT_HELLO[8])
        );
        assert_eq!(
            CLIENT_HELLO[43..46],
            [0, 0, 10],
            "no session, ten bytes of suites"
        );
    }
}

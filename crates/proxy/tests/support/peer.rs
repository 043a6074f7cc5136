//! Peers that speak bytes: targets, and one end of any connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Longest wait for what must come; only a failing test ever waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A target that does what the test tells it.
pub(crate) struct Target {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Target {
    pub(crate) fn listen() -> Self {
        Self::listen_on("127.0.0.1:0")
    }

    pub(crate) fn listen_on(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn accept(&self) -> Peer {
        Peer::new(self.listener.accept().expect("a connection").0)
    }

    /// Answers one request on a new connection and gives back the request.
    pub(crate) fn answer(&self, response: &str) -> (String, Peer) {
        let mut peer = self.accept();
        let request = peer.head();
        peer.send(response);
        (request, peer)
    }

    /// The connection that has been made already, if there is one.
    pub(crate) fn accept_waiting(&self) -> Option<Peer> {
        self.listener.set_nonblocking(true).unwrap();
        let accepted = self.listener.accept();
        self.listener.set_nonblocking(false).unwrap();
        match accepted {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                Some(Peer::new(stream))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether nobody has tried to connect.
    pub(crate) fn is_untouched(&self) -> bool {
        self.accept_waiting().is_none()
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The other side may have closed already; what it has answered is what counts.
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish_sending(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Closes with a reset.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    /// The next bytes up to and with `end`.
    pub(crate) fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = find(&self.received, end.as_bytes()) {
                let rest = self.received.split_off(at + end.len());
                let bytes = std::mem::replace(&mut self.received, rest);
                return String::from_utf8(bytes).expect("text");
            }
            let read = self.read_more();
            assert!(
                read > 0,
                "closed before {end:?}; received {:?}",
                self.received.escape_ascii().to_string()
            );
        }
    }

    /// The next head.
    pub(crate) fn head(&mut self) -> String {
        self.until("\r\n\r\n")
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> String {
        String::from_utf8(self.raw_bytes(count)).expect("text")
    }

    /// The same for what is no text.
    pub(crate) fn raw_bytes(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            let read = self.read_more();
            assert!(
                read > 0,
                "closed before {count} bytes; received {:?}",
                self.received.escape_ascii().to_string()
            );
        }
        let rest = self.received.split_off(count);
        std::mem::replace(&mut self.received, rest)
    }

    /// The data of the next chunk; empty for the last one.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let size = self.until("\r\n");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
        let data = self.raw_bytes(size);
        if size > 0 {
            assert_eq!(self.bytes(2), "\r\n");
        }
        data
    }

    /// What has been received and not asked for.
    pub(crate) fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// Everything up to the close or the reset.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8(self.rest_bytes()).expect("text")
    }

    pub(crate) fn rest_bytes(&mut self) -> Vec<u8> {
        while self.read_more() > 0 {}
        std::mem::take(&mut self.received)
    }

    /// Whether the connection ends with a reset instead of a close.
    pub(crate) fn ends_with_reset(&mut self) -> bool {
        let mut block = [0; 4096];
        loop {
            match self.stream.read(&mut block) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }

    /// Whether the other side has neither closed nor reset the connection up to now.
    pub(crate) fn is_open(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let mut block = [0; 4096];
        let is_open = loop {
            match self.stream.read(&mut block) {
                Ok(0) => break false,
                Ok(count) => self.received.extend_from_slice(&block[..count]),
                Err(error) => break error.kind() == std::io::ErrorKind::WouldBlock,
            }
        };
        self.stream.set_nonblocking(false).unwrap();
        is_open
    }

    fn read_more(&mut self) -> usize {
        let mut block = [0; 64 * 1024];
        match self.stream.read(&mut block) {
            Ok(count) => {
                self.received.extend_from_slice(&block[..count]);
                count
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!(
                "{error}; received {:?}",
                self.received.escape_ascii().to_string()
            ),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

//! A client that speaks HTTP/2 frame by frame.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use proxy::http2::hpack::{Decoder, FieldList, ListLimits};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const STREAM_CLOSED: u32 = 5;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const COMPRESSION_ERROR: u32 = 9;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The fields of the simplest request.
pub(crate) const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "a"),
];
/// Those of one with a body.
pub(crate) const POST: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "a"),
];
/// A call of gRPC.
pub(crate) const CALL: [(&str, &str); 6] = [
    (":method", "POST"),
    (":scheme", "https"),
    (":path", "/shop.Cart/Add"),
    (":authority", "a"),
    ("content-type", "application/grpc+proto"),
    ("te", "trailers"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// The error code of `RST_STREAM` or `GOAWAY`.
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The last stream of a `GOAWAY`.
    pub(crate) fn last_stream(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }
}

/// What came on a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    /// The code with which the stream was reset.
    pub(crate) reset: Option<u32>,
    pub(crate) has_ended: bool,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.field(":status").expect("a status").parse().unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} stands there twice");
        first
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// What frames are written to and read from.
pub(crate) trait Wire: Read + Write {}

impl<W: Read + Write> Wire for W {}

pub(crate) struct FramePeer {
    stream: Box<dyn Wire>,
    received: Vec<u8>,
    decoder: Decoder,
}

impl FramePeer {
    /// A connection on which nothing was sent.
    pub(crate) fn silent(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("the listener accepts"))
    }

    fn over(stream: TcpStream) -> Self {
        set_up(&stream);
        Self::on(stream)
    }

    /// A connection on which nothing was sent, through TLS or not.
    pub(crate) fn on(stream: impl Wire + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            received: Vec::new(),
            decoder: Decoder::default(),
        }
    }

    /// A connection whose preface and settings have been exchanged.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[])
    }

    /// As `connect`, with the client's settings.
    pub(crate) fn connect_with(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut peer = Self::silent(address);
        peer.greet(settings);
        peer
    }

    /// Exchanges preface and settings.
    pub(crate) fn greet(&mut self, settings: &[(u16, u32)]) {
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.send_bytes(PREFACE);
        self.send(SETTINGS, 0, 0, &payload);
        let ack = self.until(|frame| frame.kind == SETTINGS && frame.flags == ACK);
        assert!(ack.payload.is_empty());
        self.send(SETTINGS, ACK, 0, b"");
    }

    /// The target's side of a connection that was accepted: its preface and settings have been exchanged.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a connection");
        set_up(&stream);
        Self::accept_on(stream)
    }

    /// The target's side of a connection, through TLS or not.
    pub(crate) fn accept_on(stream: impl Wire + 'static) -> Self {
        let mut peer = Self::on(stream);
        let mut preface = [0; 24];
        peer.stream.read_exact(&mut preface).expect("a preface");
        assert_eq!(preface, PREFACE);
        peer.send(SETTINGS, 0, 0, b"");
        peer.send(SETTINGS, ACK, 0, b"");
        peer
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        // The other side may have closed already; what it has answered is what counts.
        let _ = self.stream.write_all(bytes);
        let _ = self.stream.flush();
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let frame = frame(kind, flags, stream, payload);
        self.send_bytes(&frame);
    }

    /// Sends the head of a request.
    pub(crate) fn request(&mut self, stream: u32, fields: &[(&str, &str)], ends: bool) {
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &section(fields));
    }

    /// Answers a call of gRPC with these messages.
    pub(crate) fn answer_call(&mut self, stream: u32, messages: &[u8]) {
        let head = [(":status", "200"), ("content-type", "application/grpc")];
        self.request(stream, &head, false);
        self.data(stream, messages, false);
        let trailers = [("grpc-status", "0"), ("grpc-message", "fine")];
        self.request(stream, &trailers, true);
    }

    pub(crate) fn data(&mut self, stream: u32, data: &[u8], ends: bool) {
        self.send(DATA, if ends { END_STREAM } else { 0 }, stream, data);
    }

    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes());
    }

    pub(crate) fn raise_window(&mut self, stream: u32, by: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    }

    /// The next frame; `None` at the close.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(head) = self.received.get(..9) {
                let length =
                    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                if self.received.len() >= 9 + length {
                    let rest = self.received.split_off(9 + length);
                    let bytes = std::mem::replace(&mut self.received, rest);
                    return Some(Frame {
                        kind: bytes[3],
                        flags: bytes[4],
                        stream: u32::from_be_bytes(bytes[5..9].try_into().unwrap()),
                        payload: bytes[9..].to_vec(),
                    });
                }
            }
            let mut block = [0; 64 * 1024];
            match self.stream.read(&mut block) {
                Ok(0) => {
                    assert!(self.received.is_empty(), "closed in the middle of a frame");
                    return None;
                }
                Ok(count) => self.received.extend_from_slice(&block[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}; received {:x?}", self.received),
            }
        }
    }

    /// The next frame that is wanted; others are passed over.
    pub(crate) fn until(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next().expect("a frame before the close");
            if is_wanted(&frame) {
                return frame;
            }
        }
    }

    /// The same; `None` if the connection closes before.
    pub(crate) fn until_close_or(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if is_wanted(&frame) {
                return Some(frame);
            }
        }
    }

    /// The code of the `GOAWAY` that ends the connection, which then closes.
    pub(crate) fn end_code(&mut self) -> u32 {
        let goaway = self.until(|frame| frame.kind == GOAWAY);
        while self.next().is_some() {}
        goaway.code()
    }

    /// Everything on a stream to its end.
    pub(crate) fn response(&mut self, stream: u32) -> Response {
        let mut response = Response::default();
        while !self.take(stream, &mut response) {}
        response
    }

    /// The head of the next message that begins, and its stream.
    pub(crate) fn message(&mut self) -> (u32, Response) {
        let frame = self.until(|frame| frame.kind == HEADERS);
        assert!(frame.flags & END_HEADERS != 0, "a short section");
        let message = Response {
            fields: self.decode(&frame.payload),
            has_ended: frame.ends_stream(),
            ..Response::default()
        };
        (frame.stream, message)
    }

    /// The response without its end, as far as `is_enough`.
    pub(crate) fn response_until(
        &mut self,
        stream: u32,
        is_enough: impl Fn(&Response) -> bool,
    ) -> Response {
        let mut response = Response::default();
        while !is_enough(&response) {
            self.take(stream, &mut response);
        }
        response
    }

    /// Takes the next frame of a stream. Whether the stream has ended.
    fn take(&mut self, stream: u32, response: &mut Response) -> bool {
        let mut frame = self.next().expect("a response before the close");
        assert!(
            frame.kind != GOAWAY || frame.code() == NO_ERROR,
            "the connection ended with {}",
            frame.code()
        );
        if frame.kind == HEADERS {
            while frame.flags & END_HEADERS == 0 {
                let next = self.next().expect("the rest of a section");
                assert_eq!((next.kind, next.stream), (CONTINUATION, frame.stream));
                frame.payload.extend(next.payload);
                frame.flags |= next.flags;
            }
            // Sections of other streams are decoded too: they may change the table.
            let fields = self.decode(&frame.payload);
            if frame.stream == stream && response.fields.is_empty() {
                response.fields = fields;
            } else if frame.stream == stream {
                response.trailers = fields;
            }
        }
        if frame.stream != stream {
            return false;
        }
        match frame.kind {
            DATA => response.body.extend_from_slice(&frame.payload),
            RST_STREAM => response.reset = Some(frame.code()),
            _ => {}
        }
        response.has_ended |= frame.ends_stream();
        response.has_ended || response.reset.is_some()
    }

    /// The fields of a section that came in several frames.
    pub(crate) fn fields(&mut self, section: &[u8]) -> Vec<(String, String)> {
        self.decode(section)
    }

    /// Sends `count` bytes of a body as fast as the windows let it, and ends the stream. Fails if that is reset.
    pub(crate) fn send_body(&mut self, stream: u32, count: usize, windows: &mut Windows) {
        let block = [b'x'; 16_384];
        let mut left = count;
        while left > 0 {
            let now = left.min(block.len());
            while !windows.allow(now) {
                let update = |frame: &Frame| matches!(frame.kind, WINDOW_UPDATE | RST_STREAM);
                let frame = self.until_updating(windows, update);
                assert_eq!(frame.kind, WINDOW_UPDATE, "{left} of {count} are left");
            }
            self.data(stream, &block[..now], false);
            windows.spend(now);
            left -= now;
        }
        self.data(stream, b"", true);
    }

    /// As `until`, and takes note of what the other side lets be sent.
    pub(crate) fn until_updating(
        &mut self,
        windows: &mut Windows,
        is_wanted: impl Fn(&Frame) -> bool,
    ) -> Frame {
        loop {
            let frame = self.next().expect("a frame before the close");
            if frame.kind == WINDOW_UPDATE {
                let by = u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
                windows.raise(frame.stream, by);
            }
            if is_wanted(&frame) {
                return frame;
            }
        }
    }

    fn decode(&mut self, section: &[u8]) -> Vec<(String, String)> {
        const LIMITS: ListLimits = ListLimits {
            field_bytes_max: 1 << 20,
            list_bytes_max: 1 << 20,
            fields_max: 1000,
        };
        let mut list = FieldList::default();
        self.decoder
            .decode(section, &LIMITS, &mut list)
            .expect("a valid section");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        list.iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }
}

/// What one side may send on one stream.
#[derive(Debug)]
pub(crate) struct Windows {
    connection: i64,
    stream: i64,
}

impl Windows {
    /// Those that clients are given, once the connection's was raised.
    pub(crate) fn of_client() -> Self {
        Self {
            connection: 1024 * 1024,
            stream: 256 * 1024,
        }
    }

    /// Those that targets are given.
    pub(crate) fn of_target() -> Self {
        Self {
            connection: 2 * 1024 * 1024,
            stream: 256 * 1024,
        }
    }

    pub(crate) fn allow(&self, bytes: usize) -> bool {
        self.connection.min(self.stream) >= bytes as i64
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        self.connection -= bytes as i64;
        self.stream -= bytes as i64;
    }

    fn raise(&mut self, stream: u32, by: u32) {
        let window = match stream {
            0 => &mut self.connection,
            _ => &mut self.stream,
        };
        *window += i64::from(by);
    }
}

fn set_up(stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
}

/// A frame as bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A field section of literals that do not change the table.
pub(crate) fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut section = Vec::new();
    for (name, value) in fields {
        section.push(0);
        put_string(&mut section, name.as_bytes());
        put_string(&mut section, value.as_bytes());
    }
    section
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() < 127 {
        out.push(bytes.len() as u8);
    } else {
        out.push(127);
        let mut rest = bytes.len() - 127;
        while rest >= 128 {
            out.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        out.push(rest as u8);
    }
    out.extend(bytes);
}

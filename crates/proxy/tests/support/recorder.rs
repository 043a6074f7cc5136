//! A target that answers every request it finds and keeps every byte it got, read by rules of its own that
//! take nothing that could be read in two ways.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Answers until it is told to stop.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    accepting: JoinHandle<()>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let records = Arc::clone(&received);
        let accepting = std::thread::spawn(move || accept(&listener, &records));
        Self {
            address,
            received,
            accepting,
        }
    }

    /// What every connection received, once all of them are closed.
    pub(crate) fn stop(self) -> Vec<Vec<u8>> {
        let mut last = TcpStream::connect(self.address).expect("the listener accepts");
        last.write_all(b"stop").unwrap();
        drop(last);
        self.accepting.join().expect("no request was misread");
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

fn accept(listener: &TcpListener, records: &Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut first = [0; 4];
        if matches!(stream.peek(&mut first), Ok(4)) && &first == b"stop" {
            break;
        }
        let records = Arc::clone(records);
        connections.push(std::thread::spawn(move || {
            let received = serve(&mut stream);
            records.lock().unwrap().push(received);
        }));
    }
    for connection in connections {
        connection.join().expect("a connection was served");
    }
}

/// Answers each complete request; gives back every byte received until the close.
fn serve(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let mut answered = 0;
    let mut block = [0; 16 * 1024];
    loop {
        match stream.read(&mut block) {
            Ok(0) | Err(_) => return received,
            Ok(count) => received.extend_from_slice(&block[..count]),
        }
        loop {
            match Request::read(&received[answered..]) {
                Ok(Some(request)) => answered += request.length,
                Ok(None) => break,
                // The test will find it in what was received.
                Err(_) => return received,
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    }
}

/// One request as the only thing it can mean.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// All its bytes.
    pub(crate) length: usize,
}

impl Request {
    /// The first request of `bytes`; `None` if it is not whole. What is ambiguous is an error.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "the head is not text")?;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        check_line(&line)?;
        let fields: Vec<_> = lines.map(field).collect::<Result<_, _>>()?;
        let values = |name: &str| -> Vec<&str> {
            let named = fields.iter().filter(|(field, _)| *field == name);
            named.map(|(_, value)| &**value).collect()
        };
        if values("host").len() != 1 {
            return Err(format!("not one Host: {head:?}"));
        }
        let rest = &bytes[end + 4..];
        let body = match (
            &values("content-length")[..],
            &values("transfer-encoding")[..],
        ) {
            ([], []) => Some((Vec::new(), 0)),
            ([length], []) if length.bytes().all(|b| b.is_ascii_digit()) => {
                let length: usize = length.parse().map_err(|_| "a length that is no number")?;
                rest.get(..length).map(|body| (body.to_vec(), length))
            }
            ([], ["chunked"]) => chunks(rest)?,
            framing => return Err(format!("the framing {framing:?} is ambiguous: {head:?}")),
        };
        for (name, _) in &fields {
            let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let is_framing = matches!(&*letters, "contentlength" | "transferencoding");
            if is_framing && !matches!(&**name, "content-length" | "transfer-encoding") {
                return Err(format!("{name} resembles framing"));
            }
        }
        Ok(body.map(|(body, length)| Self {
            line: line.clone(),
            fields: fields.clone(),
            body,
            length: end + 4 + length,
        }))
    }
}

fn check_line(line: &str) -> Result<(), String> {
    let words: Vec<_> = line.split(' ').collect();
    let is_plain = |word: &&str| !word.is_empty() && !word.contains(|c: char| c.is_ascii_control());
    match words[..] {
        [_, target, "HTTP/1.1"] if words.iter().all(is_plain) && target.starts_with('/') => Ok(()),
        _ => Err(format!("the request line {line:?} is ambiguous")),
    }
}

fn field(line: &str) -> Result<(String, String), String> {
    let (name, value) = line
        .split_once(':')
        .ok_or(format!("no colon in {line:?}"))?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_clean = !value.contains(|c: char| c.is_ascii_control() && c != '\t');
    if name.is_empty() || !name.chars().all(is_token) || !is_clean {
        return Err(format!("the field line {line:?} is ambiguous"));
    }
    Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// The data of a chunked body and all its bytes: sizes in digits only, every line with CR LF, no extensions, no
/// trailer that frames.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut data = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = line_at(bytes, at)? else {
            return Ok(None);
        };
        at += line.len() + 2;
        if line.is_empty() || !line.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("the chunk size {line:?} is ambiguous"));
        }
        let size = usize::from_str_radix(&line, 16).map_err(|_| "a chunk size out of range")?;
        if size == 0 {
            break;
        }
        let Some(chunk) = bytes.get(at..at + size + 2) else {
            return Ok(None);
        };
        let (chunk, end) = chunk.split_at(size);
        if end != b"\r\n" {
            return Err("a chunk does not end with CR LF".into());
        }
        data.extend_from_slice(chunk);
        at += size + 2;
    }
    loop {
        let Some(line) = line_at(bytes, at)? else {
            return Ok(None);
        };
        at += line.len() + 2;
        if line.is_empty() {
            return Ok(Some((data, at)));
        }
        let (name, _) = field(&line)?;
        if matches!(&*name, "content-length" | "transfer-encoding" | "host") {
            return Err(format!("the trailer {name} may not trail"));
        }
    }
}

fn line_at(bytes: &[u8], at: usize) -> Result<Option<String>, String> {
    let rest = &bytes[at..];
    let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
        return Ok(None);
    };
    let line = std::str::from_utf8(&rest[..end]).map_err(|_| "a line is not text")?;
    if line.contains(['\r', '\n']) {
        return Err(format!("a bare line end in {line:?}"));
    }
    Ok(Some(line.to_owned()))
}

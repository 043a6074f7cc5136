//! The chunked transfer coding: pieces do not change what is decoded, what follows a body is left alone,
//! and only what the grammar allows is accepted.

use proxy::http1::chunked::{Decoder, Step, size_line};

use crate::pieces;

/// What a decoder made of its input.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    data: Vec<u8>,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Behind so many bytes, with these trailer fields to forward.
    At(usize, Vec<u8>),
    /// The input ended before the body.
    Open,
    Refused,
}

/// Decodes a body in several ways, encodes it and decodes it again.
pub fn chunked_body(input: &[u8]) {
    let at_once = decode(input, [input.len()].into_iter());
    for ends in pieces::ways(input) {
        let in_pieces = decode(input, ends.into_iter());
        assert_eq!(
            in_pieces, at_once,
            "a body does not depend on how it arrives"
        );
    }
    let Decoded {
        data,
        end: End::At(end, trailers),
    } = &at_once
    else {
        return;
    };
    let alone = decode(&input[..*end], [*end].into_iter());
    assert_eq!(alone, at_once, "what follows a body does not change it");
    assert_eq!(
        reference(&input[..*end]).as_deref(),
        Some(&**data),
        "the grammar allows what is accepted"
    );
    assert_eq!(
        decode(&encode(data, trailers), [usize::MAX].into_iter()),
        Decoded {
            data: data.clone(),
            end: End::At(encode(data, trailers).len(), trailers.clone()),
        },
        "what is sent on means the same"
    );
}

fn decode(input: &[u8], ends: impl Iterator<Item = usize>) -> Decoded {
    let mut decoder = Decoder::default();
    let mut data = Vec::new();
    let mut at = 0;
    for upto in ends.map(|end| end.min(input.len())) {
        while at < upto {
            let arrived = &input[at..upto];
            let taken = match decoder.step(arrived) {
                Ok(Step::Skip(skip)) => skip,
                Ok(Step::Data { skip, length }) => {
                    assert!(length > 0, "there is data");
                    data.extend_from_slice(&arrived[skip..skip + length]);
                    skip + length
                }
                Ok(Step::End(skip)) => {
                    assert!(skip <= arrived.len(), "no more is taken than is there");
                    assert!(decoder.is_at_end());
                    let mut trailers = Vec::new();
                    decoder.write_trailers(&mut trailers);
                    let end = End::At(at + skip, trailers);
                    return Decoded { data, end };
                }
                Err(_) => {
                    let end = End::Refused;
                    return Decoded { data, end };
                }
            };
            assert!(
                0 < taken && taken <= arrived.len(),
                "the decoder goes on, but not too far"
            );
            assert!(!decoder.is_at_end(), "the end is told");
            at += taken;
        }
    }
    let end = End::Open;
    Decoded { data, end }
}

fn encode(data: &[u8], trailers: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in data.chunks(7) {
        out.extend_from_slice(size_line(chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n");
    out.extend_from_slice(trailers);
    out.extend_from_slice(b"\r\n");
    out
}

/// The data of a whole body; `None` if RFC 9112 section 7.1 does not allow it. Slow and simple, and more
/// generous than the decoder where a chunk extension is concerned: it may be any text behind a semicolon.
fn reference(body: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    let mut rest = body;
    loop {
        let (line, behind) = split_line(rest)?;
        let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at(digits);
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        let extension = extension.trim_ascii_start();
        if !extension.is_empty() && extension[0] != b';' {
            return None;
        }
        if size == 0 {
            return ends_with_trailers(behind).then_some(data);
        }
        data.extend_from_slice(behind.get(..size)?);
        rest = behind[size..].strip_prefix(b"\r\n")?;
    }
}

/// Whether these are field lines and then the empty line, with nothing behind it.
fn ends_with_trailers(mut rest: &[u8]) -> bool {
    while let Some((line, behind)) = split_line(rest) {
        if line.is_empty() {
            return behind.is_empty();
        }
        let name = line.split(|&b| b == b':').next().unwrap_or_default();
        if name.len() == line.len() || name.is_empty() || name.contains(&b' ') {
            return false;
        }
        rest = behind;
    }
    false
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

//! The chunked transfer coding, decoded strictly and encoded anew.
//!
//! Chunk extensions are dropped and every chunk gets a size line of our own making, so that the next
//! recipient cannot read the frames in another way. Source: RFC 9112 section 7.1.

use super::field::Field;

/// Bytes of one chunk-size line, extensions included.
const SIZE_LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a trailer section.
const TRAILER_BYTES_MAX: usize = 8 * 1024;
/// Fields of a trailer section.
const TRAILER_FIELDS_MAX: usize = 64;

/// A decoder in the middle of a body.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The trailer section received so far, from its first line on.
    trailers: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first digit of a size.
    #[default]
    Size,
    /// Behind at least one digit of the size.
    SizeDigits { size: u64, digits: u8 },
    /// In white space behind the size.
    Padding { size: u64, bytes: usize },
    /// In an extension, which a semicolon began.
    Extension { size: u64, bytes: usize },
    /// Behind the CR of a size line.
    SizeLineFeed { size: u64 },
    /// In the data.
    Data { remaining: u64 },
    /// Before the CR behind the data.
    DataCarriageReturn,
    /// Before the LF behind the data.
    DataLineFeed,
    /// In the trailer section.
    Trailers,
    /// Behind the body.
    End,
}

/// What the decoder found at the front of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing but framing in these many bytes; give it what follows them, or wait for more.
    Skip(usize),
    /// `skip` bytes of framing, then `length` bytes of data.
    Data {
        /// Bytes before the data.
        skip: usize,
        /// Bytes of data; at least one.
        length: usize,
    },
    /// The body ends behind these many bytes.
    End(usize),
}

/// The bytes are not a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not validly chunked")]
pub struct BadChunk;

impl Decoder {
    /// Finds the next piece of data in `input`, which begins where the last step ended.
    ///
    /// # Errors
    /// `BadChunk` for a size that is not 1 to 16 hexadecimal digits, a line end that is not CR LF, and lines
    /// and trailers over their limits.
    pub fn step(&mut self, input: &[u8]) -> Result<Step, BadChunk> {
        let mut at = 0;
        while at < input.len() {
            let byte = input[at];
            self.state = match self.state {
                State::Size => State::SizeDigits {
                    size: hex(byte)?,
                    digits: 1,
                },
                State::SizeDigits { size, digits } => match byte {
                    b'\r' => State::SizeLineFeed { size },
                    b' ' | b'\t' => State::Padding { size, bytes: 1 },
                    b';' => State::Extension { size, bytes: 1 },
                    _ if digits == 16 => return Err(BadChunk),
                    _ => State::SizeDigits {
                        size: size << 4 | hex(byte)?,
                        digits: digits + 1,
                    },
                },
                // Another word behind the size, `5 6`, could be the size to somebody else.
                State::Padding { size, bytes } => match byte {
                    b'\r' => State::SizeLineFeed { size },
                    b';' => State::Extension { size, bytes },
                    b' ' | b'\t' if bytes < SIZE_LINE_BYTES_MAX => State::Padding {
                        size,
                        bytes: bytes + 1,
                    },
                    _ => return Err(BadChunk),
                },
                State::Extension { size, bytes } => match byte {
                    b'\r' => State::SizeLineFeed { size },
                    b'\t' | b' '..=b'~' | 0x80.. if bytes < SIZE_LINE_BYTES_MAX => {
                        State::Extension {
                            size,
                            bytes: bytes + 1,
                        }
                    }
                    _ => return Err(BadChunk),
                },
                State::SizeLineFeed { .. } if byte != b'\n' => return Err(BadChunk),
                State::SizeLineFeed { size: 0 } => State::Trailers,
                State::SizeLineFeed { size } => State::Data { remaining: size },
                State::Data { remaining } => {
                    let length = usize::try_from(remaining)
                        .unwrap_or(usize::MAX)
                        .min(input.len() - at);
                    self.state = match remaining - length as u64 {
                        0 => State::DataCarriageReturn,
                        remaining => State::Data { remaining },
                    };
                    return Ok(Step::Data { skip: at, length });
                }
                State::DataCarriageReturn if byte == b'\r' => State::DataLineFeed,
                State::DataLineFeed if byte == b'\n' => State::Size,
                State::DataCarriageReturn | State::DataLineFeed => return Err(BadChunk),
                State::Trailers => return self.trailer_step(input, at),
                State::End => return Ok(Step::End(at)),
            };
            at += 1;
        }
        Ok(Step::Skip(at))
    }

    /// Takes one line of the trailer section, or the part of it that is there.
    fn trailer_step(&mut self, input: &[u8], at: usize) -> Result<Step, BadChunk> {
        let rest = &input[at..];
        let taken = memchr::memchr(b'\n', rest).map_or(rest.len(), |line_feed| line_feed + 1);
        if self.trailers.len() + taken > TRAILER_BYTES_MAX {
            return Err(BadChunk);
        }
        let line_start =
            memchr::memrchr(b'\n', &self.trailers).map_or(0, |line_feed| line_feed + 1);
        self.trailers.extend_from_slice(&rest[..taken]);
        let line = &self.trailers[line_start..];
        match line {
            b"\r\n" => {
                self.state = State::End;
                self.check_trailers()?;
                Ok(Step::End(at + taken))
            }
            [.., b'\r', b'\n'] => Ok(Step::Skip(at + taken)),
            [.., b'\n'] => Err(BadChunk),
            _ => Ok(Step::Skip(at + taken)),
        }
    }

    fn check_trailers(&self) -> Result<(), BadChunk> {
        let mut headers = [httparse::EMPTY_HEADER; TRAILER_FIELDS_MAX];
        match httparse::parse_headers(&self.trailers, &mut headers) {
            Ok(httparse::Status::Complete(_)) => Ok(()),
            _ => Err(BadChunk),
        }
    }

    /// Whether the end of the body has been seen.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    /// Appends the trailer fields that may be forwarded, as lines, to `out`.
    pub fn write_trailers(&self, out: &mut Vec<u8>) {
        self.each_trailer(|name, value| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        });
    }

    /// Visits the trailer fields that may be forwarded: name and value.
    pub fn each_trailer(&self, mut visit: impl FnMut(&str, &[u8])) {
        let mut headers = [httparse::EMPTY_HEADER; TRAILER_FIELDS_MAX];
        let parsed = httparse::parse_headers(&self.trailers, &mut headers);
        let Ok(httparse::Status::Complete((_, fields))) = parsed else {
            return;
        };
        for field in fields
            .iter()
            .filter(|field| Field::of(field.name.as_bytes()).may_trail())
        {
            visit(field.name, field.value);
        }
    }
}

fn hex(byte: u8) -> Result<u64, BadChunk> {
    match byte {
        b'0'..=b'9' => Ok(u64::from(byte - b'0')),
        b'a'..=b'f' => Ok(u64::from(byte - b'a' + 10)),
        b'A'..=b'F' => Ok(u64::from(byte - b'A' + 10)),
        _ => Err(BadChunk),
    }
}

/// The size line of a chunk of `length` bytes, which must not be 0.
#[must_use]
pub fn size_line(length: usize) -> SizeLine {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut line = SizeLine {
        bytes: [0; 18],
        start: 16,
    };
    line.bytes[16..].copy_from_slice(b"\r\n");
    let mut rest = length;
    while rest > 0 {
        line.start -= 1;
        line.bytes[line.start] = DIGITS[rest & 15];
        rest >>= 4;
    }
    line
}

/// A chunk's size in hexadecimal and a line end.
#[derive(Clone, Copy, Debug)]
pub struct SizeLine {
    bytes: [u8; 18],
    start: usize,
}

impl SizeLine {
    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes `input` in pieces that end at `cuts`; gives the data, the trailers, and what is left over.
    fn decode(input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, String, usize), BadChunk> {
        let mut decoder = Decoder::default();
        let mut data = Vec::new();
        let mut at = 0;
        for upto in cuts
            .iter()
            .copied()
            .filter(|cut| *cut < input.len())
            .chain([input.len()])
        {
            while at < upto {
                match decoder.step(&input[at..upto])? {
                    Step::Skip(skip) => at += skip,
                    Step::Data { skip, length } => {
                        data.extend_from_slice(&input[at + skip..at + skip + length]);
                        at += skip + length;
                    }
                    Step::End(skip) => {
                        let mut trailers = Vec::new();
                        decoder.write_trailers(&mut trailers);
                        return Ok((data, String::from_utf8(trailers).unwrap(), at + skip));
                    }
                }
            }
        }
        Err(BadChunk)
    }

    #[test]
    fn rfc9112_section_7_1_chunks_extensions_and_trailers() {
        let body = b"5;name=\"value\"\r\nhello\r\n00A \r\n, chunked \r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\nNEXT";
        let (data, trailers, end) = decode(body, &[]).expect("valid");
        assert_eq!(data, b"hello, chunked ");
        assert_eq!(
            trailers, "X-Sum: 1\r\n",
            "fields that route or frame are not forwarded"
        );
        assert_eq!(&body[end..], b"NEXT");
    }

    #[test]
    fn rfc9112_section_7_1_other_bytes_are_refused() {
        for body in [
            "\r\n0\r\n\r\n",
            "g\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\na\r\n",
            " 1\r\na\r\n",
            "1 1\r\na\r\n",
            "1 a;b\r\na\r\n",
            "1\na\r\n0\r\n\r\n",
            "1\r\nab\r\n",
            "1\r\na\n0\r\n\r\n",
            "1\r\na\r\n0\n\n",
            "11111111111111111\r\n",
            "1;a\nb\r\na\r\n",
            "1;a\0b\r\na\r\n",
            "1\rX\na\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n A: b\r\n\r\n",
        ] {
            assert_eq!(decode(body.as_bytes(), &[]), Err(BadChunk), "{body:?}");
        }
    }

    #[test]
    fn sizes_are_written_in_hexadecimal() {
        for (length, line) in [(1, "1\r\n"), (255, "ff\r\n"), (65_536, "10000\r\n")] {
            assert_eq!(size_line(length).as_bytes(), line.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding_however_the_bytes_arrive(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            cuts in prop::collection::vec(0_usize..400, 0..20),
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend_from_slice(size_line(chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\nA: b\r\n\r\n");
            let mut cuts = cuts;
            cuts.sort_unstable();
            let (data, trailers, end) = decode(&body, &cuts).expect("what we write is valid");
            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(trailers, "A: b\r\n");
            prop_assert_eq!(end, body.len());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&body, &[]);
        }
    }
}

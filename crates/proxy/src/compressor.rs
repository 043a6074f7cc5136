//! The body of one response on its way through Brotli or gzip, in bounded memory, and the bound on how many
//! of them there are.
//!
//! Source: none; an extension of elbow (docs/parity.md, "Extensions").

use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::counters::Counters;

/// Responses that one worker compresses at the same time; others go out as they are, and are counted.
///
/// One takes up to 1.5 MiB with Brotli and 0.5 MiB with gzip, whatever the size of its body.
pub(crate) const COMPRESSORS_MAX: usize = 128;

/// Bytes of a body that are compressed at once; for more, other connections would wait too long.
pub(crate) const INPUT_BYTES_MAX: usize = 16 * 1024;

/// The effort for content that is made at the moment it is sent, of the qualities of Brotli (0 to 11). The next one
/// takes half as much memory again for a few percent.
const BROTLI_QUALITY: i32 = 3;

/// Of the levels of gzip (1 to 9); higher ones take twice the time for a few percent.
const GZIP_LEVEL: u32 = 5;

/// How far back Brotli looks for repetitions, as a power of two: 256 KiB. gzip has 32 KiB.
const BROTLI_WINDOW_BITS: i32 = 18;

/// A content coding of RFC 9110 section 8.4.1 that is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// The value of `Content-Encoding`.
    pub(crate) fn name(self) -> &'static [u8] {
        match self {
            Self::Brotli => b"br",
            Self::Gzip => b"gzip",
        }
    }
}

/// The places for compressors of one worker.
#[derive(Debug, Default)]
pub(crate) struct Compressors {
    taken: Rc<Cell<usize>>,
}

impl Compressors {
    /// A compressor; `None` if the worker has `COMPRESSORS_MAX` already.
    pub(crate) fn start(
        &self,
        coding: Coding,
        counters: &Arc<Counters>,
    ) -> Option<Box<Compressor>> {
        if self.taken.get() >= COMPRESSORS_MAX {
            counters.responses_over_compression_limit.increment();
            return None;
        }
        self.taken.set(self.taken.get() + 1);
        counters.responses_compressed.increment();
        Some(Box::new(Compressor {
            encoder: Encoder::new(coding),
            output: Vec::new(),
            sent: 0,
            has_unflushed: false,
            taken: Rc::clone(&self.taken),
            counters: Arc::clone(counters),
        }))
    }
}

/// One body. Bytes go in, and come out when enough of them have gathered or a flush asks for them.
pub(crate) struct Compressor {
    encoder: Encoder,
    /// What has come out.
    output: Vec<u8>,
    /// Bytes of `output` that are on their way.
    sent: usize,
    /// Whether bytes went in since the last flush.
    has_unflushed: bool,
    taken: Rc<Cell<usize>>,
    counters: Arc<Counters>,
}

enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    /// Nothing comes out any more.
    Finished,
}

impl Compressor {
    /// What has come out and is not consumed. While there is anything, nothing more may be put in.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// Forgets the first `count` bytes of the output.
    pub(crate) fn consume(&mut self, count: usize) {
        self.sent += count;
    }

    /// Takes in the first bytes of `data`, `INPUT_BYTES_MAX` at the most. How many.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        let data = &data[..data.len().min(INPUT_BYTES_MAX)];
        self.counters
            .bytes_before_compression
            .add(data.len() as u64);
        self.has_unflushed = true;
        self.encode(|encoder| encoder.write(data));
        data.len()
    }

    /// Makes all that went in come out. Whether there was anything.
    ///
    /// Call it when the source has nothing more for now: what is held back would be late, and a client of
    /// server-sent events waits for it.
    pub(crate) fn flush(&mut self) -> bool {
        let has_unflushed = std::mem::take(&mut self.has_unflushed);
        if has_unflushed {
            self.encode(Encoder::flush);
        }
        has_unflushed
    }

    /// Makes the rest and the end come out.
    pub(crate) fn finish(&mut self) {
        self.has_unflushed = false;
        self.encode(Encoder::finish);
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.encoder, Encoder::Finished)
    }

    fn encode(&mut self, step: impl FnOnce(&mut Encoder) -> Option<Vec<u8>>) {
        debug_assert!(self.output().is_empty(), "what came out is sent first");
        self.output.clear();
        self.sent = 0;
        match (step(&mut self.encoder), self.encoder.output()) {
            (Some(last), _) => self.output = last,
            (None, Some(output)) => std::mem::swap(&mut self.output, output),
            (None, None) => {}
        }
        self.counters
            .bytes_after_compression
            .add(self.output.len() as u64);
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.taken.set(self.taken.get() - 1);
    }
}

/// The tables of the encoder are left out.
impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("waiting", &self.output().len())
            .finish_non_exhaustive()
    }
}

/// Each step gives the last of the output, if it ends it.
impl Encoder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Brotli => {
                let params = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW_BITS,
                    ..BrotliEncoderParams::default()
                };
                let writer = CompressorWriter::with_params(Vec::new(), INPUT_BYTES_MAX, &params);
                Self::Brotli(Box::new(writer))
            }
            Coding::Gzip => {
                let writer = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
                Self::Gzip(Box::new(writer))
            }
        }
    }

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Brotli(writer) => Some(writer.get_mut()),
            Self::Gzip(writer) => Some(writer.get_mut()),
            Self::Finished => None,
        }
    }

    fn write(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Brotli(writer) => writer.write_all(data),
            Self::Gzip(writer) => writer.write_all(data),
            Self::Finished => Ok(()),
        }
        .expect("a write to memory does not fail");
        None
    }

    fn flush(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Brotli(writer) => writer.flush(),
            Self::Gzip(writer) => writer.flush(),
            Self::Finished => Ok(()),
        }
        .expect("a write to memory does not fail");
        None
    }

    fn finish(&mut self) -> Option<Vec<u8>> {
        match std::mem::replace(self, Self::Finished) {
            Self::Brotli(writer) => Some(writer.into_inner()),
            Self::Gzip(writer) => Some(writer.finish().expect("a write to memory does not fail")),
            Self::Finished => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    const BOTH: [Coding; 2] = [Coding::Brotli, Coding::Gzip];

    fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        // What was flushed can be read although the end is missing.
        let _ = match coding {
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut decoded),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut decoded),
        };
        decoded
    }

    fn start(coding: Coding) -> Box<Compressor> {
        let compressor = Compressors::default().start(coding, &Arc::default());
        compressor.expect("there is a place")
    }

    fn take(compressor: &mut Compressor, out: &mut Vec<u8>) {
        out.extend_from_slice(compressor.output());
        compressor.consume(compressor.output().len());
    }

    #[test]
    fn what_was_flushed_can_be_read_before_the_end() {
        for coding in BOTH {
            let (mut compressor, mut out) = (start(coding), Vec::new());
            assert!(!compressor.flush(), "nothing went in");
            for event in ["data: 1\n\n", "data: 2\n\n"] {
                compressor.write(event.as_bytes());
                take(&mut compressor, &mut out);
                assert!(compressor.flush());
                take(&mut compressor, &mut out);
                assert!(
                    decode(coding, &out).ends_with(event.as_bytes()),
                    "{coding:?}"
                );
                assert!(!compressor.flush(), "once is enough");
            }
            compressor.finish();
            assert!(compressor.is_finished());
            take(&mut compressor, &mut out);
            assert_eq!(decode(coding, &out), b"data: 1\n\ndata: 2\n\n");
        }
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let (compressors, counters) = (Compressors::default(), Arc::<Counters>::default());
        let start = || compressors.start(Coding::Gzip, &counters);
        let mut all: Vec<_> = (0..COMPRESSORS_MAX).map(|_| start()).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(start().is_none());
        assert_eq!(counters.responses_over_compression_limit.value(), 1);
        all.pop();
        assert!(start().is_some());
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            pieces in proptest::collection::vec((any::<u8>(), 0_usize..40_000, any::<bool>()), 0..12),
        ) {
            for coding in BOTH {
                let (mut compressor, mut out, mut expected) = (start(coding), Vec::new(), Vec::new());
                for (seed, length, is_flushed) in &pieces {
                    let bytes = (0..*length).map(|at| ((at * at) >> (seed % 8)) as u8 ^ seed);
                    let piece: Vec<u8> = bytes.collect();
                    let mut rest = &piece[..];
                    while !rest.is_empty() {
                        let count = compressor.write(rest);
                        take(&mut compressor, &mut out);
                        rest = &rest[count..];
                    }
                    if *is_flushed {
                        compressor.flush();
                        take(&mut compressor, &mut out);
                    }
                    expected.extend_from_slice(&piece);
                }
                compressor.finish();
                take(&mut compressor, &mut out);
                prop_assert_eq!(decode(coding, &out), expected.clone(), "{:?}", coding);
            }
        }
    }
}

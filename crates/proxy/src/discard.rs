//! A body that is read and forgotten.

use crate::buffer::Buffer;
use crate::http1::Framing;
use crate::http1::chunked::{BadChunk, Decoder, Step};

/// A body that nobody wants.
pub(crate) struct Discard {
    left: u64,
    decoder: Option<Decoder>,
    taken: u64,
}

impl Discard {
    pub(crate) fn new(framing: Framing) -> Self {
        let (left, decoder) = match framing {
            Framing::Length(length) => (length, None),
            Framing::Chunked => (u64::MAX, Some(Default::default())),
            Framing::UntilClose => (u64::MAX, None),
            Framing::None => (0, None),
        };
        Self {
            left,
            decoder,
            taken: 0,
        }
    }

    /// Bytes that were taken so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes what has arrived of the body. Whether it is complete; one that ends with the close never is.
    ///
    /// # Errors
    /// `BadChunk`.
    pub(crate) fn take(&mut self, received: &mut Buffer) -> Result<bool, BadChunk> {
        while !received.is_empty() && self.left > 0 {
            let length = match &mut self.decoder {
                None => usize::try_from(self.left)
                    .unwrap_or(usize::MAX)
                    .min(received.len()),
                Some(decoder) => {
                    let step = decoder.step(received.filled())?;
                    match step {
                        Step::Skip(skip) => skip,
                        Step::Data { skip, length } => skip + length,
                        Step::End(skip) => {
                            received.consume(skip);
                            return Ok(true);
                        }
                    }
                }
            };
            received.consume(length);
            self.taken += length as u64;
            if self.decoder.is_none() {
                self.left -= length as u64;
            }
        }
        Ok(self.left == 0)
    }
}

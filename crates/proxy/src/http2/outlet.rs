//! Where the data of a response body leaves for a stream: as it is, or through a compressor.

use std::task::{Poll, ready};

use super::stream::ClientStream;
use crate::compressor::Compressor;

#[derive(Debug)]
pub(super) struct Outlet(pub(super) Option<Box<Compressor>>);

/// What became of some data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes that are done with.
    pub(super) count: usize,
    /// Whether the end of the stream was sent behind them.
    pub(super) has_ended: bool,
}

impl Outlet {
    /// Sends what may be sent now of `data`. `is_last`: nothing follows it, and the end may go out with it.
    pub(super) fn poll_send(
        &mut self,
        client: &ClientStream,
        data: &[u8],
        is_last: bool,
    ) -> Poll<Sent> {
        if let Some(compressor) = &mut self.0 {
            ready!(poll_drain(compressor, client));
            let count = compressor.write(data);
            return Poll::Ready(Sent {
                count,
                has_ended: false,
            });
        }
        let count = ready!(client.poll_send(data, is_last));
        let has_ended = is_last && count == data.len();
        Poll::Ready(Sent { count, has_ended })
    }

    /// Lets out what is held back. Call it whenever there is nothing to send for now.
    pub(super) fn flush(&mut self, client: &ClientStream) {
        if let Some(compressor) = &mut self.0
            && poll_drain(compressor, client).is_ready()
            && compressor.flush()
        {
            // The rest goes out when the stream is woken because it may send again.
            let _ = poll_drain(compressor, client);
        }
    }

    /// Sends all that is left, but not the end of the stream.
    pub(super) fn poll_finish(&mut self, client: &ClientStream) -> Poll<()> {
        let Some(compressor) = &mut self.0 else {
            return Poll::Ready(());
        };
        ready!(poll_drain(compressor, client));
        if !compressor.is_finished() {
            compressor.finish();
        }
        poll_drain(compressor, client)
    }
}

fn poll_drain(compressor: &mut Compressor, client: &ClientStream) -> Poll<()> {
    while !compressor.output().is_empty() {
        let count = ready!(client.poll_send(compressor.output(), false));
        compressor.consume(count);
    }
    Poll::Ready(())
}

//! A byte stream to a client or a target, and how it is read into and written from buffers.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::buffer::Buffer;
use crate::counters::Counter;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    received_bytes: u64,
    sent_bytes: u64,
}

impl Stream {
    /// Small messages leave at once: both sides of a proxy would otherwise wait for each other's
    /// acknowledgements (RFC 9293 section 3.7.4).
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            received_bytes: 0,
            sent_bytes: 0,
        })
    }

    /// Ready when there is something to read, the peer has closed, or the connection has failed.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        // An error shows itself at the read that follows.
        self.socket.poll_read_ready(cx).map(|_| ())
    }

    /// Reads once into the spare room of `buffer`, which must not be full. 0: the peer has closed.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        let mut spare = ReadBuf::new(buffer.spare());
        debug_assert!(
            spare.capacity() > 0,
            "a full buffer would look like a closed peer"
        );
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut spare))?;
        let count = spare.filled().len();
        buffer.commit(count);
        self.received_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes once from `bytes`.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
        self.sent_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes once from `first` followed by `second`.
    pub(crate) fn poll_write_both(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        let count = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, &slices))?;
        self.sent_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Adds the bytes since the last call to the counters.
    pub(crate) fn count_bytes(&mut self, received: &Counter, sent: &Counter) {
        received.add(std::mem::take(&mut self.received_bytes));
        sent.add(std::mem::take(&mut self.sent_bytes));
    }

    /// Sends what is written and then the end of the stream; the other direction stays open.
    pub(crate) fn shut_down(&mut self) {
        // A failure means that the peer is gone already.
        let _ = socket2::SockRef::from(&self.socket).shutdown(std::net::Shutdown::Write);
    }

    /// Makes the coming close a reset, so that the peer cannot take a cut message for a whole one.
    pub(crate) fn reset_on_close(&self) {
        // Without it the close is an ordinary one, which only says less.
        let _ = self.socket.set_zero_linger();
    }

    /// Whether an idle connection can carry a request: still open and nothing unasked-for has arrived.
    ///
    /// Costs no system call as long as the peer is silent.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut probe = [0];
        matches!(self.socket.try_read(&mut probe), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

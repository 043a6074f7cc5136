//! A byte stream to a client or a target, in clear text or TLS, and how it is read into and written from
//! buffers.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tls::TlsStream;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::buffer::Buffer;
use crate::counters::Counter;

/// Bytes that are forgotten at once.
const DISCARDED_BYTES_MAX: usize = 256 * 1024;

thread_local! {
    /// Room for them.
    static DISCARDED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Stream {
    transport: Transport,
    /// It ends with a reset.
    is_cut: bool,
    /// Some bytes of the last write may have left, though it is pending or has failed.
    is_write_pending: bool,
    received_bytes: u64,
    sent_bytes: u64,
}

/// What the bytes pass through.
#[derive(Debug)]
enum Transport {
    Plain(TcpStream),
    Tls(TlsStream),
}

impl Stream {
    /// In clear text.
    ///
    /// Small messages leave at once: both sides of a proxy would otherwise wait for each other's
    /// acknowledgements (RFC 9293 section 3.7.4).
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self::over(Transport::Plain(socket)))
    }

    /// Over a TLS connection, on a socket that sends small messages at once.
    pub(crate) fn encrypted(tls: TlsStream) -> Self {
        Self::over(Transport::Tls(tls))
    }

    fn over(transport: Transport) -> Self {
        Self {
            transport,
            is_cut: false,
            is_write_pending: false,
            received_bytes: 0,
            sent_bytes: 0,
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.transport, Transport::Tls(_))
    }

    fn socket(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(socket) => socket,
            Transport::Tls(tls) => tls.socket(),
        }
    }

    /// Ready when there is something to read, the peer has closed, or the connection has failed.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            // An error shows itself at the read that follows.
            Transport::Plain(socket) => socket.poll_read_ready(cx).map(|_| ()),
            Transport::Tls(tls) => tls.poll_readable(cx),
        }
    }

    /// Reads once into the spare room of `buffer`, which must not be full. 0: the peer has closed.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        let spare = buffer.spare();
        debug_assert!(
            !spare.is_empty(),
            "a full buffer would look like a closed peer"
        );
        let count = match &mut self.transport {
            Transport::Plain(socket) => {
                let mut spare = ReadBuf::new(spare);
                ready!(Pin::new(socket).poll_read(cx, &mut spare))?;
                spare.filled().len()
            }
            Transport::Tls(tls) => ready!(tls.poll_read(cx, spare))?,
        };
        buffer.commit(count);
        self.received_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Forgets once what has arrived, whatever TLS would make of it. Gives the number of bytes; 0: the peer has closed.
    ///
    /// On Linux the kernel drops the bytes without copying them (tcp(7), `MSG_TRUNC`); the room for them is never
    /// touched.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let socket = self.socket();
        let count = loop {
            ready!(socket.poll_read_ready(cx))?;
            let mut room = DISCARDED.take();
            room.reserve(DISCARDED_BYTES_MAX);
            let outcome = socket.try_io(Interest::READABLE, || {
                socket2::SockRef::from(socket)
                    .recv_with_flags(room.spare_capacity_mut(), libc::MSG_TRUNC)
            });
            DISCARDED.set(room);
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break outcome?,
            }
        };
        self.received_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes once from `bytes`. After `Pending` the same bytes must be written again, with or without more
    /// behind them, unless nothing is written any more.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Transport::Tls(tls) => {
                let outcome = tls.poll_write(cx, bytes);
                self.is_write_pending = !matches!(outcome, Poll::Ready(Ok(_)));
                outcome
            }
        })?;
        self.sent_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes once from `first` followed by `second`. The same holds after `Pending`.
    pub(crate) fn poll_write_both(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(match &mut self.transport {
            Transport::Plain(socket) => {
                let slices = [IoSlice::new(first), IoSlice::new(second)];
                Pin::new(socket).poll_write_vectored(cx, &slices)
            }
            Transport::Tls(tls) => tls.poll_write_both(cx, first, second),
        })?;
        self.sent_bytes += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Whether bytes may have left that no write has told of: in TLS a write is done when all its records are, and
    /// one that fails does not say how many of them had left before.
    pub(crate) fn is_write_pending(&self) -> bool {
        self.is_write_pending
    }

    /// Adds the bytes since the last call to the counters.
    pub(crate) fn count_bytes(&mut self, received: &Counter, sent: &Counter) {
        received.add(std::mem::take(&mut self.received_bytes));
        sent.add(std::mem::take(&mut self.sent_bytes));
    }

    /// Sends what is written and then the end of the stream; the other direction stays open.
    pub(crate) fn shut_down(&mut self) {
        match &mut self.transport {
            // A failure means that the peer is gone already.
            Transport::Plain(socket) => {
                let _ = socket2::SockRef::from(&*socket).shutdown(std::net::Shutdown::Write);
            }
            // Everything that was written has left, so there is room for the few bytes of the end; if there is
            // none, the peer sees a cut, which is the safe mistake.
            Transport::Tls(tls) => {
                let _ = tls.poll_shutdown(&mut Context::from_waker(Waker::noop()));
            }
        }
    }

    /// Ends a connection on which everything was said. In TLS the peer is told so, because otherwise it could not
    /// tell the end from a cut (RFC 8446 section 6.1); in clear text the close that follows says it.
    pub(crate) fn say_goodbye(&mut self) {
        if self.is_encrypted() && !self.is_cut {
            self.shut_down();
        }
    }

    /// Makes the coming close a reset, so that the peer cannot take a cut message for a whole one.
    pub(crate) fn reset_on_close(&mut self) {
        self.is_cut = true;
        // Without it the close is an ordinary one, which only says less.
        let _ = self.socket().set_zero_linger();
    }

    /// Whether an idle connection can carry a request: still open and nothing unasked-for has arrived.
    ///
    /// Costs no system call as long as the peer is silent.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match &mut self.transport {
            Transport::Plain(socket) => {
                let mut probe = [0];
                matches!(socket.try_read(&mut probe), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Transport::Tls(tls) => tls.is_quiet(),
        }
    }
}

//! A connection whose handshake is done: bytes in and out, and what was agreed on.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use s2n_tls::connection::Connection;
use s2n_tls::enums::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::identity::IdentityIndex;
use crate::library;
use crate::peer_certificates::{self, PeerCertificates};

/// One end of a TLS connection.
pub struct TlsStream {
    /// On the heap: it moves often between the steps of a connection, and the library's side is there anyway.
    inner: Box<s2n_tls_tokio::TlsStream<TcpStream>>,
    server_name: Option<Box<str>>,
    /// What the library holds is part of a record, and the rest of it has not arrived.
    waits_for_rest: bool,
}

/// Bytes of one full record.
const RECORD_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where two pieces become one record; kept for the next time.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl TlsStream {
    pub(crate) fn new(mut stream: s2n_tls_tokio::TlsStream<TcpStream>) -> Self {
        let connection: &mut Connection = stream.as_mut();
        // It is part of the ClientHello, which is freed with the rest of the handshake.
        let server_name = connection.server_name().map(Box::from);
        library::free_handshake(connection);
        Self {
            inner: Box::new(stream),
            server_name,
            waits_for_rest: false,
        }
    }

    fn connection(&self) -> &Connection {
        (*self.inner).as_ref()
    }

    /// The connection below.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.inner.get_ref()
    }

    /// Ready when there is something to read: bytes that have arrived, or some that the library holds already. What
    /// has arrived may turn out to be no data; then the read that follows is pending.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let connection = self.connection();
        let has_record = connection.peek_buffered_len() > 0 && !self.waits_for_rest;
        if connection.peek_len() > 0 || has_record {
            return Poll::Ready(());
        }
        // An error shows itself at the read that follows.
        self.socket().poll_read_ready(cx).map(|_| ())
    }

    /// Reads what has arrived, as far as it fits into `bytes`, which must not be empty. 0: the peer has said that it
    /// sends no more.
    ///
    /// # Errors
    /// `UnexpectedEof` if the connection was closed without that; what was read so far may have been cut (RFC 8446
    /// section 6.1).
    pub fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(bytes);
        let outcome = Pin::new(&mut *self.inner).poll_read(cx, &mut buffer);
        self.waits_for_rest = outcome.is_pending();
        ready!(outcome)?;
        // One call gives one record at most, and one system call brings little more. Where there is room for
        // another record it is asked for: of a bulk it is there, and otherwise that costs no system call.
        while buffer.remaining() >= RECORD_BYTES || self.has_buffered(&buffer) {
            let before = buffer.filled().len();
            // An error, like the end, comes back at the next call.
            let outcome = Pin::new(&mut *self.inner).poll_read(cx, &mut buffer);
            self.waits_for_rest = outcome.is_pending();
            if !matches!(outcome, Poll::Ready(Ok(()))) || buffer.filled().len() == before {
                break;
            }
        }
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn has_buffered(&self, buffer: &ReadBuf<'_>) -> bool {
        buffer.remaining() > 0 && self.connection().peek_buffered_len() > 0
    }

    /// Writes from `bytes`; what it reports as written has left. After `Pending`, and after a write of a part, what
    /// is left of the same bytes must be written next, with or without more behind them: some of them may be
    /// encrypted already.
    ///
    /// # Errors
    /// The connection has failed.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        Pin::new(&mut *self.inner).poll_write(cx, bytes)
    }

    /// Writes from `first` followed by `second`, both in one record as far as one has room. The same holds after
    /// `Pending`.
    ///
    /// # Errors
    /// The connection has failed.
    pub fn poll_write_both(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        if second.is_empty() || first.len() >= RECORD_BYTES {
            return self.poll_write(cx, first);
        }
        if first.is_empty() {
            return self.poll_write(cx, second);
        }
        let mut scratch = SCRATCH.take();
        scratch.clear();
        scratch.extend_from_slice(first);
        let room = RECORD_BYTES - first.len();
        scratch.extend_from_slice(&second[..room.min(second.len())]);
        let outcome = self.poll_write(cx, &scratch);
        SCRATCH.set(scratch);
        outcome
    }

    /// Says to the peer that no more comes (`close_notify`, RFC 8446 section 6.1), and closes the sending half.
    ///
    /// # Errors
    /// The connection has failed.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_shutdown(cx)
    }

    /// Whether a connection that waits can be used: still open, and nothing unasked-for has arrived. What TLS itself
    /// sends at any time (tickets, new keys) does not count and is taken in here.
    pub fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let mut probe = [0];
        self.poll_read(&mut cx, &mut probe).is_pending()
    }

    /// The version of the protocol, as logs name it: `TLSv1.2`.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match self.connection().actual_protocol_version() {
            Ok(Version::TLS13) => "TLSv1.3",
            Ok(Version::TLS12) => "TLSv1.2",
            Ok(Version::TLS11) => "TLSv1.1",
            Ok(Version::TLS10) => "TLSv1",
            // Neither is part of any policy.
            _ => "-",
        }
    }

    /// The cipher by its OpenSSL name: `ECDHE-RSA-AES128-GCM-SHA256`.
    #[must_use]
    pub fn cipher(&self) -> &str {
        self.connection().cipher_suite().unwrap_or("-")
    }

    /// The group of the key exchange, such as `secp256r1` or `X25519MLKEM768`; `None` where RSA exchanges keys.
    #[must_use]
    pub fn key_exchange(&self) -> Option<&str> {
        let group = self.connection().selected_key_exchange_group();
        group.filter(|group| !matches!(*group, "NONE" | ""))
    }

    /// The application protocol that was agreed on, if any.
    #[must_use]
    pub fn application_protocol(&self) -> Option<&[u8]> {
        self.connection().application_protocol()
    }

    /// The host that the client has asked for.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Whether an earlier session was resumed.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.connection().resumed()
    }

    /// The place of the identity that was shown: 0 is the default, 1 the first additional one. `None` on a
    /// connection to a target.
    #[must_use]
    pub fn identity(&self) -> Option<usize> {
        let chain = self.connection().selected_cert()?;
        chain
            .application_context::<IdentityIndex>()
            .map(|index| index.0)
    }

    pub(crate) fn has_client_certificate(&self) -> bool {
        self.connection().client_cert_used()
    }

    /// Ends the connection with the alert `handshake_failure`.
    pub(crate) async fn refuse(mut self) {
        library::alert_handshake_failure((*self.inner).as_mut());
        // A client that is gone needs no alert.
        let _ = poll_fn(|cx| self.poll_shutdown(cx)).await;
    }

    /// What the client has shown, if it was asked to and did.
    #[must_use]
    pub fn client_certificates(&self) -> Option<PeerCertificates> {
        let bytes = self.connection().client_cert_chain_bytes().ok().flatten()?;
        PeerCertificates::new(peer_certificates::split(bytes))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = ready!(Self::poll_read(&mut self, cx, buffer.initialize_unfilled()))?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&mut self, cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was written has left.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(&mut self, cx)
    }
}

impl std::fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsStream")
            .field("protocol", &self.protocol())
            .field("cipher", &self.cipher())
            .finish_non_exhaustive()
    }
}

//! Who may open a stream on a connection to a target, and what is taken back of those that have not begun.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use rustls::pki_types::PrivateKeyDer;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::super::frame::{FrameHead, HEAD_BYTES, kind};
use super::super::state::Gone;
use super::*;

/// A session whose socket holds little, and its target.
async fn session() -> (Rc<Session>, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).set_recv_buffer_size(4096).unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await;
    let socket = socket.unwrap();
    SockRef::from(&socket).set_send_buffer_size(4096).unwrap();
    let (target, _) = listener.accept().unwrap();
    (session_on(Stream::new(socket).unwrap()), target)
}

fn session_on(stream: Stream) -> Rc<Session> {
    let counters = Arc::new(Counters::default());
    Session::new(stream, &Rc::default(), &Rc::default(), &counters)
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn open(session: &Session, section: &[u8], ends: bool) -> Handle {
    session.enter();
    match session.poll_open(&Cell::new(0), &cx(), section, ends) {
        Poll::Ready(Some(handle)) => handle,
        other => panic!("{other:?}"),
    }
}

/// Types and streams of the frames that the target is sent, all in all.
async fn frames(session: &Session, mut target: std::net::TcpStream) -> Vec<(u8, u32)> {
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        target.read_to_end(&mut bytes).unwrap();
        bytes
    });
    std::future::poll_fn(|cx| session.poll_write(cx))
        .await
        .unwrap();
    session.stream.borrow_mut().shut_down();
    let bytes = reading.join().unwrap();
    let mut rest = bytes.strip_prefix(frame::PREFACE).expect("a preface");
    let mut frames = Vec::new();
    while let Some(head) = FrameHead::parse(rest) {
        rest = &rest[HEAD_BYTES + head.length..];
        frames.push((head.kind, head.stream));
    }
    assert!(rest.is_empty(), "whole frames");
    frames.retain(|(_, stream)| *stream != 0);
    frames
}

fn run<F: Future<Output = ()>>(test: F) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

#[test]
fn what_a_draining_target_was_not_sent_any_of_is_taken_back() {
    run(async {
        let (session, target) = session().await;
        let begun = open(&session, b"\x82", false);
        assert!(session.poll_write(&mut cx()).is_ready());
        fill_socket(&session);
        let window = session.shared.borrow().send_window;
        let unbegun = open(&session, b"\x82", false);
        assert_eq!(unbegun.poll_send(b"body", true), Poll::Ready(4));
        let cancelled = open(&session, b"\x82", true);
        drop(cancelled);
        assert_eq!(begun.poll_send(b"rest", true), Poll::Ready(4));
        let woken = wait_for_room(&session, &begun);
        session.hold_back();
        assert!(woken.0.load(Ordering::Relaxed), "there is room again");
        assert_eq!(begun.poll_gone(&cx()), None);
        assert_eq!(unbegun.poll_gone(&cx()), Some(Gone::NotSent));
        assert_eq!(unbegun.take_unsent(), b"body");
        let left = window - session.shared.borrow().send_window;
        assert_eq!(left, 4, "what was taken back does not count");
        drop(unbegun);
        session.close();
        let closed = session.poll_open(&Cell::new(0), &cx(), b"\x82", true);
        assert!(matches!(closed, Poll::Ready(None)), "{closed:?}");
        let sent = frames(&session, target).await;
        assert_eq!(sent, [(kind::HEADERS, 1), (kind::DATA, 1)]);
    });
}

#[test]
fn what_the_socket_takes_at_once_is_not_taken_back() {
    run(async {
        let (session, target) = session().await;
        let handle = open(&session, b"\x82", true);
        session.hold_back();
        assert_eq!(handle.poll_gone(&cx()), None);
        let sent = frames(&session, target).await;
        assert_eq!(sent, [(kind::HEADERS, 1)]);
    });
}

#[test]
fn what_was_not_begun_when_the_connection_fails_may_be_sent_elsewhere() {
    run(async {
        let (session, _target) = session().await;
        let begun = open(&session, b"\x82", true);
        assert!(session.poll_write(&mut cx()).is_ready());
        let unbegun = open(&session, b"\x82", false);
        assert_eq!(unbegun.poll_send(b"body", true), Poll::Ready(4));
        session.end();
        assert_eq!(begun.poll_gone(&cx()), Some(Gone::WithConnection));
        assert_eq!(unbegun.poll_gone(&cx()), Some(Gone::NotSent));
        assert_eq!(unbegun.take_unsent(), b"body");
    });
}

#[test]
fn what_tls_was_handed_when_the_connection_fails_is_not_sent_elsewhere() {
    run(async {
        let (session, _target) = session().await;
        let handed_over = open(&session, b"\x82", true);
        let waiting = session.shared.borrow().waiting_to_be_written().len();
        session.handed_over.set(waiting as u64);
        let unbegun = open(&session, b"\x82", true);
        session.end();
        assert_eq!(handed_over.poll_gone(&cx()), Some(Gone::WithConnection));
        assert_eq!(unbegun.poll_gone(&cx()), Some(Gone::NotSent));
    });
}

/// The library does not say how many records of a write had left when it failed.
#[test]
fn what_tls_was_handed_by_a_write_that_fails_is_not_sent_elsewhere() {
    run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target = std::thread::spawn(move || shake_hands_and_reset(&listener));
        let config = tls::ClientConfig::new("ELBSecurityPolicy-TLS13-1-2-2021-06", &[]).unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let encrypted = config.connect(None, socket).await.unwrap();
        target.join().unwrap();
        encrypted.socket().ready(Interest::ERROR).await.unwrap();

        let session = session_on(Stream::encrypted(encrypted));
        let handed_over = open(&session, b"\x82", true);
        let written = session.poll_write(&mut cx());
        assert!(matches!(written, Poll::Ready(Err(_))), "{written:?}");
        assert!(session.stream.borrow().is_write_pending());
        let unbegun = open(&session, b"\x82", true);
        session.end();
        assert_eq!(handed_over.poll_gone(&cx()), Some(Gone::WithConnection));
        assert_eq!(unbegun.poll_gone(&cx()), Some(Gone::NotSent));
    });
}

/// Is a target that resets its connection behind the handshake.
fn shake_hands_and_reset(listener: &std::net::TcpListener) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key);
    let shown = vec![certificate.unwrap().der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(shown, key)
        .unwrap();
    let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    while connection.is_handshaking() || connection.wants_write() {
        connection.complete_io(&mut socket).unwrap();
    }
    SockRef::from(&socket)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
}

/// Whether a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has the task of `stream` wait behind frames of stream 5, which has not begun.
fn wait_for_room(session: &Session, stream: &Handle) -> Arc<Woken> {
    let mut state = session.shared.borrow_mut();
    while state.has_room() {
        frame::put_head(state.out(), 16_384, kind::HEADERS, 0, 5);
        state.out().put(&[0; 16_384]);
    }
    drop(state);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert_eq!(stream.poll_gone(&Context::from_waker(&waker)), None);
    assert!(stream.poll_room().is_pending());
    woken
}

/// Writes frames of an unknown type on no stream until the socket takes no more.
fn fill_socket(session: &Session) {
    while session.poll_write(&mut cx()).is_ready() {
        let mut state = session.shared.borrow_mut();
        frame::put_head(state.out(), 16_384, 0xbe, 0, 0);
        state.out().put(&[0; 16_384]);
    }
}

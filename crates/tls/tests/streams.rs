//! Bytes in and out of a connection, and targets of every kind.

mod support;

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use rcgen::{CertificateParams, date_time_ymd};
use support::{
    POLICY, POLICY_OF_ALL_VERSIONS, accept, config, connect, identity, listen, p256_key, read_some,
    rsa_key, rustls_client, self_signed, shut_down, write_all,
};
use tls::{ClientConfig, HandshakeFailure, ServerConfig, TlsStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Client = tokio_rustls::client::TlsStream<TcpStream>;

async fn pair(config: &ServerConfig) -> (Client, TlsStream) {
    let (listener, address) = listen().await;
    let (client, server) = tokio::join!(
        connect(address, rustls_client(None), "example.com"),
        accept(&listener, config)
    );
    (client.expect("a client"), server.expect("a server"))
}

async fn records_until_silent(socket: &mut TcpStream, bytes: usize) -> Vec<usize> {
    let mut records = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let mut header = [0; 5];
        socket
            .read_exact(&mut header)
            .await
            .expect("the header of a record");
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        socket
            .read_exact(&mut vec![0; len])
            .await
            .expect("a record");
        // TLS 1.3: the type of the content and a tag of 16 bytes.
        let content = len - 17;
        records.push(content);
        left -= content;
    }
    records
}

#[tokio::test]
async fn what_was_agreed_on_is_told() {
    let config = config(
        POLICY_OF_ALL_VERSIONS,
        &identity(&["www.example.com"], rsa_key()),
    );
    let (listener, address) = listen().await;
    let mut rustls = rustls_client(None);
    rustls.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let (client, server) = tokio::join!(
        connect(address, rustls, "www.example.com"),
        accept(&listener, &config)
    );
    let server = server.expect("a handshake");
    client.expect("a handshake");
    assert_eq!(server.protocol(), "TLSv1.3");
    assert_eq!(server.cipher(), "TLS_AES_128_GCM_SHA256");
    assert_eq!(
        server.application_protocol(),
        Some(&b"h2"[..]),
        "the server's order counts"
    );
    assert_eq!(server.server_name(), Some("www.example.com"));
    assert_eq!(server.identity(), Some(0));
    assert!(server.key_exchange().is_some());

    for (arguments, protocol, cipher, group) in [
        (
            ["-tls1", "AES128-SHA:@SECLEVEL=0"],
            "TLSv1",
            "AES128-SHA",
            None,
        ),
        (
            ["-tls1_1", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"],
            "TLSv1.1",
            "ECDHE-RSA-AES256-SHA",
            Some("x25519"),
        ),
        (
            ["-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"],
            "TLSv1.2",
            "ECDHE-RSA-AES128-GCM-SHA256",
            Some("x25519"),
        ),
    ] {
        let arguments = [arguments[0], "-cipher", arguments[1], "-noservername"];
        let server = async {
            let stream = accept(&listener, &config).await.expect("a handshake");
            assert_eq!(stream.protocol(), protocol);
            assert_eq!(stream.cipher(), cipher);
            assert_eq!(stream.key_exchange(), group);
            assert_eq!(stream.application_protocol(), None);
            assert_eq!(stream.server_name(), None);
        };
        tokio::join!(server, support::s_client(address, &arguments));
    }
}

/// RFC 8446 section 5.1: 2^14 bytes in a record at most.
#[tokio::test]
async fn bulk_leaves_in_full_records_and_a_head_with_its_body_in_one() {
    let config = config(POLICY, &identity(&["example.com"], &p256_key()));
    let check = async |first: &[u8], second: &[u8], expected: &[usize]| {
        let (client, mut server) = pair(&config).await;
        let (mut socket, mut rustls) = client.into_inner();
        // The tickets are out of the way.
        write_all(&mut server, b"x")
            .await
            .expect("a client that reads");
        while rustls
            .process_new_packets()
            .expect("records")
            .plaintext_bytes_to_read()
            == 0
        {
            socket.readable().await.expect("a socket");
            let mut bytes = [0; 4096];
            if let Ok(count) = socket.try_read(&mut bytes) {
                rustls.read_tls(&mut &bytes[..count]).expect("a record");
            }
        }
        let (mut sent, total) = (0, first.len() + second.len());
        let write = async {
            while sent < total {
                let (first, second) = match sent.checked_sub(first.len()) {
                    Some(of_second) => (&[][..], &second[of_second..]),
                    None => (&first[sent..], second),
                };
                sent += poll_fn(|cx| server.poll_write_both(cx, first, second))
                    .await
                    .expect("room");
            }
        };
        let ((), records) = tokio::join!(write, records_until_silent(&mut socket, total));
        assert_eq!(records, expected);
    };
    let full = 16 * 1024;
    check(b"head", b"", &[4]).await;
    check(b"", b"body", &[4]).await;
    check(b"head", b"body", &[8]).await;
    check(&[1; 300], &[2; 16_084], &[full]).await;
    check(&[1; 300], &[2; 20_000], &[full, 20_300 - full]).await;
    check(
        &[1; 70_000],
        b"",
        &[full, full, full, full, 70_000 - 4 * full],
    )
    .await;
}

#[tokio::test]
async fn bytes_that_the_library_holds_make_a_connection_readable() {
    let config = config(POLICY, &identity(&["example.com"], &p256_key()));
    let (mut client, mut server) = pair(&config).await;
    client.write_all(b"one").await.expect("a server that reads");
    client.write_all(b"two").await.expect("a server that reads");
    let mut cx = Context::from_waker(Waker::noop());
    let mut byte = [0];
    let mut received = Vec::new();
    while received.len() < 6 {
        poll_fn(|cx| server.poll_readable(cx)).await;
        match server.poll_read(&mut cx, &mut byte) {
            Poll::Ready(count) => received.extend_from_slice(&byte[..count.expect("a byte")]),
            // The second record may be on its way.
            Poll::Pending => server.socket().readable().await.expect("a socket"),
        }
    }
    assert_eq!(received, b"onetwo");
    assert!(server.is_quiet());
}

#[tokio::test]
async fn a_part_of_a_record_makes_a_connection_readable_only_once() {
    let config = config(POLICY, &identity(&["example.com"], &p256_key()));
    let (client, mut server) = pair(&config).await;
    let (mut socket, mut rustls) = client.into_inner();
    io::Write::write_all(&mut rustls.writer(), b"hello").expect("room");
    let mut record = Vec::new();
    rustls.write_tls(&mut record).expect("a record");
    let (first, rest) = record.split_at(record.len() / 2);
    let mut cx = Context::from_waker(Waker::noop());

    socket.write_all(first).await.expect("a server that reads");
    poll_fn(|cx| server.poll_readable(cx)).await;
    assert!(server.poll_read(&mut cx, &mut [0; 16]).is_pending());
    // Or else whoever waits for it would turn in circles.
    assert!(server.poll_readable(&mut cx).is_pending());
    socket.write_all(rest).await.expect("a server that reads");
    poll_fn(|cx| server.poll_readable(cx)).await;
    assert_eq!(read_some(&mut server).await.expect("five bytes"), b"hello");
}

/// RFC 8446 section 4.6.3.
#[tokio::test]
async fn keys_are_changed_when_the_peer_wants_it() {
    let config = config(POLICY, &identity(&["example.com"], &p256_key()));
    let (mut client, mut server) = pair(&config).await;
    for _ in 0..3 {
        // It asks us to change ours too, which happens with the next thing we say.
        client.get_mut().1.refresh_traffic_keys().expect("TLS 1.3");
        client
            .write_all(b"hello")
            .await
            .expect("a server that reads");
        assert_eq!(read_some(&mut server).await.expect("five bytes"), b"hello");
        write_all(&mut server, b"there")
            .await
            .expect("a client that reads");
        let mut answer = [0; 5];
        client.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"there");
    }
}

/// RFC 8446 section 6.1.
#[tokio::test]
async fn the_end_is_told_apart_from_a_cut() {
    let config = config(POLICY, &identity(&["example.com"], &p256_key()));
    let (mut client, mut server) = pair(&config).await;
    client.shutdown().await.expect("close_notify");
    assert_eq!(read_some(&mut server).await.expect("the end"), b"");
    assert!(!server.is_quiet(), "its end has been heard");
    // The other direction is still open (section 6.1).
    write_all(&mut server, b"late")
        .await
        .expect("a client that reads");
    shut_down(&mut server).await.expect("close_notify");
    let mut received = Vec::new();
    client
        .read_to_end(&mut received)
        .await
        .expect("an end with close_notify");
    assert_eq!(received, b"late");

    let (client, mut server) = pair(&config).await;
    drop(client.into_inner());
    let error = read_some(&mut server).await.expect_err("a cut");
    assert!(matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
    ));
}

#[tokio::test]
async fn a_quiet_connection_stays_quiet_when_tickets_arrive() {
    let server = config(POLICY, &identity(&["example.com"], &p256_key()));
    let client = ClientConfig::new(POLICY, &[]).expect("a configuration");
    let (listener, address) = listen().await;
    let connect = async {
        let socket = TcpStream::connect(address).await.expect("a connection");
        client.connect(Some("example.com"), socket).await
    };
    let (target, balancer) = tokio::join!(accept(&listener, &server), connect);
    let (mut target, mut balancer) = (target.expect("a server"), balancer.expect("a client"));
    // The tickets of TLS 1.3 are under way, or there already.
    assert!(balancer.is_quiet());
    write_all(&mut target, b"unasked for")
        .await
        .expect("a peer that reads");
    poll_fn(|cx| balancer.poll_readable(cx)).await;
    while balancer.is_quiet() {
        balancer.socket().readable().await.expect("a socket");
    }
}

#[tokio::test]
async fn targets_are_not_verified() {
    let client = ClientConfig::new(POLICY_OF_ALL_VERSIONS, &["h2"]).expect("a configuration");
    let mut expired = CertificateParams::new(vec!["other.example.com".to_owned()]).expect("a name");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let policies = [
        "ELBSecurityPolicy-TLS-1-0-2015-04",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
    ];
    for target in [
        identity(&["example.com"], &p256_key()),
        self_signed(expired, rsa_key()),
    ] {
        for policy in policies {
            for name in [Some("target.example.com"), None] {
                let target = config(policy, &target);
                let (listener, address) = listen().await;
                let connect = async {
                    let socket = TcpStream::connect(address).await.expect("a connection");
                    client.connect(name, socket).await
                };
                let (target, balancer) = tokio::join!(accept(&listener, &target), connect);
                let (mut target, mut balancer) =
                    (target.expect("a target"), balancer.expect("a client"));
                assert_eq!(target.server_name(), name);
                assert_eq!(balancer.application_protocol(), Some(&b"h2"[..]));
                write_all(&mut balancer, b"hello")
                    .await
                    .expect("a target that reads");
                assert_eq!(read_some(&mut target).await.expect("five bytes"), b"hello");
            }
        }
    }
}

#[tokio::test]
async fn a_target_that_speaks_no_tls_is_a_failed_handshake() {
    let client = ClientConfig::new(POLICY, &[]).expect("a configuration");
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &b""[..]] {
        let (listener, address) = listen().await;
        let target = async {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let count = socket.read(&mut [0; 1024]).await.expect("a ClientHello");
            assert!(count > 0, "a ClientHello");
            socket.write_all(answer).await.expect("a peer that reads");
        };
        let connect = async {
            let socket = TcpStream::connect(address).await.expect("a connection");
            client
                .connect(None, socket)
                .await
                .expect_err("no TLS")
                .failure()
        };
        let ((), failure) = tokio::join!(target, connect);
        assert_eq!(failure, HandshakeFailure::Closed, "{answer:?}");
    }
}

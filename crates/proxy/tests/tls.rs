//! TLS with clients, seen from both ends.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::action::Template;
use engine::tls::ClientAuthentication;
use engine::{FixedResponse, Redirect, Routing, Snapshot, Tls};
use support::tls::{
    Issued, TlsPeer, authority, client_config, client_config_of, client_connection, frontend, tls,
    tls_with, verify,
};
use support::{Fixture, IDLE, Target, endpoint, field, forward_to, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn fixed(body: &str) -> engine::Action {
    Routing::FixedResponse(FixedResponse {
        status: 200,
        content_type: None,
        body: body.as_bytes().into(),
    })
    .into()
}

fn forwarding(tls: Arc<Tls>, target: &Target) -> Fixture {
    Fixture::encrypted(tls, forward_to(&[endpoint(target.address)]))
}

#[test]
fn requests_and_responses_pass_in_every_version() {
    let target = Target::listen();
    let fixture = forwarding(tls(&Issued::for_host("www.example.com")), &target);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = fixture.tls_client_with(client_config_of(None, &[version]));
        client.send(GET);
        let (request, mut peer) = target.answer(OK);
        assert_eq!(field(&request, "X-Forwarded-Proto"), Some("https"));
        let port = fixture.address.port().to_string();
        assert_eq!(field(&request, "X-Forwarded-Port"), Some(port.as_str()));
        assert_eq!(status(&client.head()), 200);
        assert_eq!(client.bytes(2), b"ok");
        // The next request of the connection, on the same connection to the target.
        client.send("GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(peer.head().starts_with("GET /2 HTTP/1.1\r\n"));
        peer.send(OK);
        // RFC 8446 section 6.1: the end is told apart from a cut.
        assert!(client.rest().ends_with(b"\r\n\r\nok"));
    }
    let counters = fixture.counters();
    assert_eq!(counters.tls_handshakes.value(), 2);
    assert_eq!(counters.tls_handshake_errors.value(), 0);
}

#[test]
fn bulk_passes_unchanged_both_ways() {
    const LEN: usize = 3 * 1024 * 1024;
    let bulk: Vec<u8> = (0..LEN as u32)
        .flat_map(|n| n.wrapping_mul(2654435761).to_le_bytes())
        .take(LEN)
        .collect();
    let target = Target::listen();
    let fixture = forwarding(tls(&Issued::for_host("www.example.com")), &target);
    let upload = bulk.clone();
    let config = client_config(None);
    let address = fixture.address;
    let client = std::thread::spawn(move || {
        let socket = TcpStream::connect(address).expect("the listener accepts");
        let mut client = TlsPeer::new(client_connection(config), socket);
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LEN}\r\n\r\n"
        ));
        client.send(&upload);
        assert_eq!(status(&client.head()), 200);
        client.bytes(LEN)
    });
    let mut peer = target.accept();
    let head = peer.head();
    assert_eq!(
        field(&head, "Content-Length"),
        Some(LEN.to_string().as_str())
    );
    let mut received = peer.take_received();
    while received.len() < LEN {
        let mut block = [0; 64 * 1024];
        let count = peer.stream.read(&mut block).expect("the upload");
        assert!(count > 0, "the upload ends too early");
        received.extend_from_slice(&block[..count]);
    }
    assert!(received == bulk, "the upload has changed");
    peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n\r\n"));
    peer.stream.write_all(&bulk).expect("a balancer that reads");
    assert!(
        client.join().expect("a client that does not panic") == bulk,
        "the download has changed"
    );
}

/// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 400.
#[test]
fn a_request_in_clear_text_on_a_port_for_tls_is_answered_with_400() {
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), fixed("hello"));
    let response = fixture.exchange(GET);
    assert_eq!(status(&response), 400);
    assert_eq!(field(&response, "Connection"), Some("close"));
    assert_eq!(field(&response, "Server"), Some("awselb/2.0"));
    assert!(response.contains("<center>The plain HTTP request was sent to HTTPS port</center>"));
    let counters = fixture.counters();
    assert_eq!(counters.plain_requests_on_tls_ports.value(), 1);
    assert_eq!(counters.tls_handshake_errors.value(), 0);
    assert_eq!(counters.requests.value(), 0);
}

#[test]
fn what_is_neither_is_a_failed_handshake() {
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), fixed("hello"));
    let mut client = fixture.client();
    client.send([0x16, 9, 9, 0, 5, 1, 2, 3, 4, 5]);
    let _ = client.stream.read(&mut [0; 1024]);
    while fixture.counters().tls_handshake_errors.value() == 0 {}
}

#[test]
fn a_handshake_may_take_ten_seconds() {
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), fixed("hello"));
    // One that says nothing, and one that stops in the middle.
    let mut silent = fixture.client();
    let mut stuck = fixture.client();
    stuck.send([0x16, 3, 1]);
    let mut slow = fixture.tls_client();
    fixture.advance(Duration::from_millis(9_800));
    slow.send(GET);
    assert_eq!(status(&slow.head()), 200);
    assert_eq!(fixture.counters().tls_handshake_timeouts.value(), 0);
    fixture.advance(Duration::from_millis(200));
    assert_eq!(silent.rest(), "");
    assert_eq!(stuck.rest(), "");
    let counters = fixture.counters();
    assert_eq!(counters.tls_handshake_timeouts.value(), 2);
    assert_eq!(counters.connections_closed.value(), 2);
    // The one that is through has the idle timeout.
    fixture.advance(IDLE);
    slow.bytes(5);
    assert_eq!(slow.rest(), b"");
}

#[test]
fn a_changed_certificate_is_used_by_the_next_handshake_and_breaks_none() {
    let (old, new) = (
        Issued::for_host("www.example.com"),
        Issued::for_host("www.example.com"),
    );
    let mut fixture = Fixture::encrypted(tls(&old), fixed("hello"));
    let mut before = fixture.tls_client();
    before.send(GET);
    assert_eq!(status(&before.head()), 200);
    // In the middle of its handshake: the server's certificate has been sent, the client's end has not.
    let mut meanwhile = fixture.tls_client();
    meanwhile
        .connection
        .write_tls(&mut meanwhile.socket)
        .expect("a listener that reads");
    fixture.settle();
    fixture.publish_tls(tls(&new), fixed("other"));
    meanwhile.send(GET);
    assert_eq!(status(&meanwhile.head()), 200);
    assert_eq!(
        meanwhile.connection.peer_certificates(),
        Some(&[old.der.clone()][..])
    );
    before.bytes(5);
    before.send(GET);
    before.head();
    assert_eq!(
        before.bytes(5),
        b"other",
        "an old connection serves by the new rules"
    );
    let mut after = fixture.tls_client();
    after.shake_hands().expect("a handshake");
    assert_eq!(
        after.connection.peer_certificates(),
        Some(&[new.der.clone()][..])
    );
}

#[test]
fn sessions_are_resumed_after_a_change_of_rules() {
    let issued = Issued::for_host("www.example.com");
    let tls = tls(&issued);
    let mut fixture = Fixture::encrypted(Arc::clone(&tls), fixed("hello"));
    let config = client_config(None);
    for round in 0..2 {
        let mut client = fixture.tls_client_with(config.clone());
        client.send(GET);
        client.head();
        assert_eq!(client.bytes(5), b"hello");
        assert_eq!(fixture.counters().tls_sessions_resumed.value(), round);
        fixture.publish_tls(Arc::clone(&tls), fixed("hello"));
    }
}

/// A configuration makes tickets for a week, and nothing need change in that time.
#[test]
fn configurations_are_renewed_without_a_change() {
    let hours = |count: u64| SystemTime::now() + Duration::from_secs(count * 3600);
    let issued = Issued::for_host("www.example.com");
    let mut fixture = Fixture::encrypted(tls(&issued), fixed("hello"));
    let config = client_config(None);
    let resumed = |fixture: &Fixture| {
        let mut client = fixture.tls_client_with(config.clone());
        client.send(GET);
        client.head();
        assert_eq!(client.bytes(5), b"hello");
        fixture.counters().tls_sessions_resumed.value()
    };
    assert!(!fixture.renew_tls(hours(23)));
    assert_eq!([resumed(&fixture), resumed(&fixture)], [0, 1]);
    // The keys of the renewed one are for the next days, and the clock of the library is that of the system: so it
    // shows that the workers have it.
    assert!(fixture.renew_tls(hours(25)));
    assert_eq!([resumed(&fixture), resumed(&fixture)], [1, 1]);
    assert!(!fixture.renew_tls(hours(48)), "it is young again");
    assert!(fixture.renew_tls(hours(50)));
    fixture.publish_frontends(Vec::new());
    assert!(!fixture.renew_tls(hours(99)), "no listener is left");
}

#[test]
fn a_configuration_that_cannot_be_built_changes_nothing() {
    let issued = Issued::for_host("www.example.com");
    let other = Issued::for_host("www.example.com");
    let fixture = Fixture::encrypted(tls(&issued), fixed("hello"));
    let refused = |broken: Tls, expected: &[&str]| {
        let snapshot = Snapshot {
            generation: 99,
            frontends: vec![frontend(fixture.address, Arc::new(broken), fixed("broken"))],
            ..Snapshot::default()
        };
        let error = fixture.plane.prepare(&snapshot).expect_err("an error");
        let mut error: Option<&dyn std::error::Error> = Some(&error);
        let mut chain = Vec::new();
        while let Some(link) = error {
            chain.push(link.to_string());
            error = link.source();
        }
        assert_eq!(chain, expected);
        // It serves as before.
        let mut client = fixture.tls_client();
        client.send(GET);
        client.head();
        assert_eq!(client.bytes(5), b"hello");
    };
    let usual = || Tls {
        policy: support::tls::POLICY.into(),
        default_certificate: issued.certificate(),
        additional_certificates: Vec::new(),
        client_authentication: ClientAuthentication::Off,
    };
    let listener = format!("the listener at {} cannot speak TLS", fixture.address);
    let mut mismatch = usual();
    mismatch.additional_certificates = vec![Arc::new(engine::tls::Certificate {
        name: "the other one".into(),
        chain: issued.pem.as_str().into(),
        private_key: other.key.serialize_pem().into(),
    })];
    refused(
        mismatch,
        &[
            &listener,
            "the certificate the other one cannot be used",
            "the private key does not belong to the certificate",
        ],
    );
    let mut unknown = usual();
    unknown.policy = "ELBSecurityPolicy-2016-09".into();
    refused(
        unknown,
        &[
            &listener,
            "the security policy 'ELBSecurityPolicy-2016-09' is not known; DescribeSSLPolicies lists those that are",
        ],
    );
    let mut nobody = usual();
    nobody.client_authentication = ClientAuthentication::Verify {
        trust_store: Arc::new(engine::tls::TrustStore {
            authorities: "".into(),
            revocation_lists: Vec::new(),
        }),
        ignores_expiry: false,
        advertises_names: false,
    };
    refused(
        nobody,
        &[
            &listener,
            "the trust store cannot be used",
            "the trust store has no PEM block 'CERTIFICATE'",
        ],
    );
}

/// Source: ALB guide, "Mutual authentication with TLS in Application Load Balancer".
#[test]
fn a_verified_client_is_told_to_the_target_and_no_other_comes_through() {
    let root = authority("root");
    let target = Target::listen();
    let issued = Issued::for_host("www.example.com");
    let fixture = forwarding(tls_with(&issued, verify(&root)), &target);
    let mut client = fixture.tls_client_with(client_config(Some(&Issued::for_client(&root))));
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Amzn-Mtls-Clientcert-Subject: CN=forged\r\n\r\n");
    let (request, _peer) = target.answer(OK);
    let told = |name: &str| field(&request, name).map(str::to_owned);
    assert_eq!(
        told("X-Amzn-Mtls-Clientcert-Subject").as_deref(),
        Some("CN=client.example.com")
    );
    assert_eq!(
        told("X-Amzn-Mtls-Clientcert-Issuer").as_deref(),
        Some("CN=root")
    );
    assert_eq!(
        told("X-Amzn-Mtls-Clientcert-Serial-Number").as_deref(),
        Some("03A5B1")
    );
    assert_eq!(
        told("X-Amzn-Mtls-Clientcert-Validity").as_deref(),
        Some("NotBefore=2023-09-21T00:00:00Z;NotAfter=2199-09-20T00:00:00Z")
    );
    let leaf = told("X-Amzn-Mtls-Clientcert-Leaf").expect("the certificate");
    assert!(
        leaf.starts_with("-----BEGIN%20CERTIFICATE-----%0A"),
        "{leaf}"
    );
    assert_eq!(status(&client.head()), 200);

    let target = Target::listen();
    let fixture = forwarding(tls_with(&issued, verify(&root)), &target);
    let strangers = [None, Some(Issued::for_client(&authority("root")))];
    for (count, stranger) in (1..).zip(strangers) {
        let mut client = fixture.tls_client_with(client_config(stranger.as_ref()));
        client.send(GET);
        client.cut();
        while fixture.counters().tls_handshake_errors.value() < count {}
    }
    assert!(target.is_untouched());
}

#[test]
fn in_passthrough_the_target_gets_the_chain_and_judges_itself() {
    let target = Target::listen();
    let issued = Issued::for_host("www.example.com");
    let fixture = forwarding(
        tls_with(&issued, ClientAuthentication::Passthrough),
        &target,
    );
    let stranger = Issued::for_client(&authority("nobody"));
    for shown in [None, Some(&stranger)] {
        let mut client = fixture.tls_client_with(client_config(shown));
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (request, _peer) =
            target.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let told = field(&request, "X-Amzn-Mtls-Clientcert");
        assert_eq!(told.is_some(), shown.is_some());
        assert_eq!(
            field(&request, "X-Amzn-Mtls-Clientcert-Subject"),
            None,
            "not verified"
        );
        assert_eq!(status(&client.head()), 200);
    }
}

/// RFC 8446 section 6.1: without close_notify the client knows that the response was cut.
#[test]
fn a_response_that_was_cut_ends_without_close_notify() {
    let target = Target::listen();
    let fixture = forwarding(tls(&Issued::for_host("www.example.com")), &target);
    let mut client = fixture.tls_client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let mut peer = target.accept();
    peer.head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    client.head();
    assert_eq!(client.bytes(5), b"hello");
    peer.reset();
    client.cut();
}

#[test]
fn rfc6455_section_3_a_tunnel_of_wss_passes_bytes_both_ways_until_one_side_ends() {
    let target = Target::listen();
    let fixture = forwarding(tls(&Issued::for_host("www.example.com")), &target);
    let mut client = fixture.tls_client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let (_, mut peer) = target.answer(switch);
    assert_eq!(status(&client.head()), 101);
    for pause in [0, 2, 30] {
        // Silent for long enough that the buffers are given back.
        fixture.advance(Duration::from_secs(pause));
        client.send("ping");
        assert_eq!(peer.bytes(4), "ping");
        peer.send("pong");
        assert_eq!(client.bytes(4), b"pong");
    }
    peer.finish_sending();
    assert_eq!(client.rest(), b"");
}

#[test]
fn the_scheme_of_redirects_is_https() {
    let redirect = Redirect {
        protocol: Template::parse("#{protocol}"),
        port: Template::parse("#{port}"),
        host: Template::parse("#{host}"),
        path: Template::parse("/elsewhere"),
        query: Template::parse("#{query}"),
        status: 302,
    };
    let action = Routing::Redirect(redirect).into();
    let fixture = Fixture::encrypted(tls(&Issued::for_host("www.example.com")), action);
    let mut client = fixture.tls_client();
    client.send(GET);
    let head = client.head();
    let location = format!(
        "https://www.example.com:{}/elsewhere",
        fixture.address.port()
    );
    assert_eq!(field(&head, "Location"), Some(location.as_str()));
}

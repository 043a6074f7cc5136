//! Clients and targets that are reached over IPv6, as dual-stack Application Load Balancers have them.

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use engine::http::ForwardedFor;
use engine::router::Rule;
use engine::{Action, Admission, FixedResponse, HttpOptions, Routing, Snapshot};
use model::condition::Condition;
use proxy::PrepareError;

use support::{Fixture, Target, endpoint, field, forward_to, pool, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn fixed(status: u16) -> Action {
    Routing::FixedResponse(FixedResponse {
        status,
        content_type: None,
        body: Box::default(),
    })
    .into()
}

/// The head that a target behind `::1` gets from a client of IPv6.
fn forwarded(forwarded_for: ForwardedFor, request: &str) -> (String, SocketAddr) {
    let target = Target::listen_on("[::1]:0");
    let options = HttpOptions {
        forwarded_for,
        ..HttpOptions::default()
    };
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::over_ipv6(options, Vec::new(), action);
    let mut client = fixture.client();
    client.send(request);
    let (head, _) = target.answer(OK);
    assert_eq!(status(&client.rest()), 200);
    (head, client.stream.local_addr().unwrap())
}

#[test]
fn alb_guide_x_forwarded_for_has_the_address_of_a_client_of_ipv6() {
    let append = ForwardedFor::Append { client_port: false };
    let (head, _) = forwarded(append, GET);
    assert_eq!(field(&head, "X-Forwarded-For"), Some("::1"));
    let with_another = GET.replace("Host: a", "Host: a\r\nX-Forwarded-For: 2001:db8::1");
    let (head, _) = forwarded(append, &with_another);
    assert_eq!(field(&head, "X-Forwarded-For"), Some("2001:db8::1, ::1"));
}

#[test]
fn alb_guide_xff_client_port_stands_behind_brackets() {
    let (head, client) = forwarded(ForwardedFor::Append { client_port: true }, GET);
    let expected = format!("[::1]:{}", client.port());
    assert_eq!(field(&head, "X-Forwarded-For"), Some(&*expected));
}

#[test]
fn rfc9110_7_2_the_host_of_the_client_reaches_the_target() {
    let (head, _) = forwarded(
        ForwardedFor::Preserve,
        &GET.replace("Host: a", "Host: [::1]:8080"),
    );
    assert_eq!(field(&head, "Host"), Some("[::1]:8080"));
}

#[test]
fn clients_of_one_family_reach_targets_of_the_other() {
    let target = Target::listen_on("[::1]:0");
    let fixture = Fixture::forwarding_to(&[&target]);
    let mut client = fixture.client();
    client.send(GET);
    let (head, _) = target.answer(OK);
    assert_eq!(field(&head, "X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(status(&client.rest()), 200);

    let target = Target::listen();
    let action = forward_to(&[endpoint(target.address)]);
    let fixture = Fixture::over_ipv6(HttpOptions::default(), Vec::new(), action);
    let mut client = fixture.client();
    client.send(GET);
    let (head, _) = target.answer(OK);
    assert_eq!(field(&head, "X-Forwarded-For"), Some("::1"));
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn alb_guide_source_ip_conditions_compare_blocks_of_ipv6() {
    let rule = |priority, block: &str, status| Rule {
        priority,
        conditions: vec![Condition::SourceIp(vec![block.parse().unwrap()])],
        action: fixed(status),
    };
    // A block of IPv4 never holds an address of IPv6, however wide it is.
    let rules = vec![
        rule(1, "0.0.0.0/0", 201),
        rule(2, "2001:db8::/32", 202),
        rule(3, "::/64", 203),
    ];
    let fixture = Fixture::over_ipv6(HttpOptions::default(), rules, fixed(204));
    assert_eq!(status(&fixture.exchange(GET)), 203);
}

#[test]
fn security_groups_admit_sources_of_ipv6_by_blocks_of_ipv6() {
    let mut fixture = Fixture::over_ipv6(HttpOptions::default(), Vec::new(), fixed(200));
    let only = |blocks: &[&str]| {
        Admission::Only(blocks.iter().map(|block| block.parse().unwrap()).collect())
    };
    let is_answered = |fixture: &Fixture| {
        // Half a second is enough to see that no answer comes from a listener that answers in microseconds.
        let patience = std::time::Duration::from_millis(500);
        let connected = TcpStream::connect_timeout(&fixture.address, patience);
        connected.is_ok_and(|stream| {
            let mut client = support::Peer::new(stream);
            client.send(GET);
            client.rest().starts_with("HTTP/1.1 200")
        })
    };
    for (blocks, is_admitted) in [
        (&["::1/128"][..], true),
        (&["::/0"], true),
        (&["0.0.0.0/0"], false),
        (&["0.0.0.0/0", "2001:db8::/32"], false),
        (&["::2/127"], false),
        (&["::/127"], true),
        (&[], false),
    ] {
        fixture.publish(only(blocks), Vec::new(), fixed(200));
        assert_eq!(is_answered(&fixture), is_admitted, "{blocks:?}");
    }
}

/// The socket of IPv6 leaves the same port to others over IPv4, and to the sockets of the same listener.
#[test]
fn a_socket_of_ipv6_takes_no_connections_of_ipv4() {
    let fixture = Fixture::over_ipv6(HttpOptions::default(), Vec::new(), fixed(200));
    let port = fixture.address.port();
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free over IPv4");
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}

#[test]
fn an_address_that_is_not_local_is_refused_before_anybody_listens() {
    let fixture = Fixture::with_action(fixed(200));
    // RFC 3849: nobody has an address for documentation.
    let address: IpAddr = "2001:db8::a".parse().unwrap();
    let snapshot = Snapshot {
        generation: 2,
        addresses: std::sync::Arc::new([address].into()),
        ..Snapshot::default()
    };
    match fixture.plane.prepare(&snapshot) {
        Err(PrepareError::Bind(error)) => {
            assert_eq!(error.address, SocketAddr::new(address, 0));
            let kind = std::io::ErrorKind::AddrNotAvailable;
            assert_eq!(error.source.kind(), kind);
        }
        other => panic!("it is refused: {other:?}"),
    }
}

#[test]
fn alb_guide_health_checks_name_a_target_of_ipv6_in_brackets() {
    let target = Target::listen_on("[::1]:0");
    let mut fixture = Fixture::with_action(fixed(200));
    fixture.publish_snapshot(Snapshot {
        generation: 100,
        pools: vec![pool(&[endpoint(target.address)])],
        ..Snapshot::default()
    });
    let (head, _) = target.answer(OK);
    let expected = format!("[::1]:{}", target.address.port());
    assert_eq!(field(&head, "Host"), Some(&*expected));
    assert_eq!(field(&head, "User-Agent"), Some("ELB-HealthChecker/2.0"));
}

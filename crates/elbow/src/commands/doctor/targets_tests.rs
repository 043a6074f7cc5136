use super::super::super::inventory::HealthCheck;
use super::*;

const FAILED: (&str, &str) = ("Target.FailedHealthChecks", "Health checks failed");
const TIMEOUT: (&str, &str) = ("Target.Timeout", "Request timed out");

fn mismatch(code: u16) -> (&'static str, String) {
    let text = format!("Health checks failed with these codes: [{code}]");
    ("Target.ResponseCodeMismatch", text)
}

fn target((reason, description): (&str, &str)) -> Target {
    Target {
        id: "10.0.0.1".to_owned(),
        port: 80,
        health_check_port: 81,
        state: "unhealthy".to_owned(),
        reason: reason.to_owned(),
        description: description.to_owned(),
        ..Target::default()
    }
}

/// A group whose checks and requests are of this protocol and version.
fn group(protocol: &str, version: &str) -> TargetGroup {
    TargetGroup {
        name: "web".to_owned(),
        arn: "arn:web".to_owned(),
        protocol: protocol.to_owned(),
        protocol_version: version.to_owned(),
        health_check: HealthCheck {
            protocol: protocol.to_owned(),
            path: "/health".to_owned(),
            timeout_seconds: "5".to_owned(),
            matcher: "200".to_owned(),
        },
        ..TargetGroup::default()
    }
}

fn failing(group: &TargetGroup, target: &Target, seen: Option<&Seen>) -> Finding {
    of_failing(&Failing {
        group,
        target,
        address: Some(([10, 0, 0, 1], 81).into()),
        seen,
    })
}

#[test]
fn a_failing_target_is_told_its_reason() {
    let other = Seen::Other("SSH-2.0-x".to_owned());
    let (reason, text) = mismatch(500);
    let mismatch = (reason, &*text);
    let wrong_status =
        "Health checks failed with these codes: [500]. The path is /health, the matcher 200.";
    for (protocol, version, seen, reason, expected) in [
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Tls),
            mismatch,
            "Its health checks speak HTTP, and port 81 speaks TLS.",
        ),
        (
            "HTTPS",
            "HTTP1",
            Some(Seen::Http1),
            FAILED,
            "Its health checks speak TLS, and port 81 speaks plain HTTP.",
        ),
        (
            "HTTPS",
            "HTTP2",
            Some(Seen::Http2),
            FAILED,
            "Its health checks speak TLS, and port 81 speaks plain HTTP.",
        ),
        (
            "HTTPS",
            "HTTP1",
            Some(Seen::Tls),
            FAILED,
            "The TLS handshake on port 81 fails, or what follows is no answer to /health.",
        ),
        (
            "HTTP",
            "HTTP2",
            Some(Seen::Http1),
            FAILED,
            "Port 81 speaks HTTP/1.1, and the target group wants HTTP/2 (version HTTP2).",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Http2),
            FAILED,
            "Port 81 speaks HTTP/2 alone, and the target group wants HTTP/1.1.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Closed),
            FAILED,
            "Port 81 is closed: the connection is refused.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(other),
            FAILED,
            "Port 81 answers 'SSH-2.0-x', which is not HTTP.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::HangsUp),
            FAILED,
            "Port 81 closes the connection without an answer.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Http1),
            FAILED,
            "Port 81 breaks off the connection, or gives no valid answer to /health.",
        ),
        (
            "HTTPS",
            "HTTP1",
            Some(Seen::Unclear),
            FAILED,
            "Port 81 breaks off the connection, or gives no valid answer to /health.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Unreachable),
            TIMEOUT,
            "There is no connection to port 81.",
        ),
        (
            "HTTP",
            "HTTP1",
            Some(Seen::Silent),
            TIMEOUT,
            "It does not answer /health on port 81 within 5 s.",
        ),
        ("HTTP", "HTTP1", Some(Seen::Http1), mismatch, wrong_status),
        ("HTTP", "HTTP1", Some(Seen::HangsUp), mismatch, wrong_status),
        ("HTTP", "HTTP1", None, mismatch, wrong_status),
    ] {
        let found = failing(&group(protocol, version), &target(reason), seen.as_ref());
        assert_eq!(found.wrong, expected, "{protocol} {seen:?}");
    }
}

#[test]
fn an_application_is_to_listen_where_its_checks_go() {
    for (address, expected) in [
        (
            [10, 0, 0, 1],
            "listen on 10.0.0.1:81 rather than on 127.0.0.1; or",
        ),
        ([127, 0, 0, 1], "listen on 127.0.0.1:81; or"),
    ] {
        let remedy = of_failing(&Failing {
            group: &group("HTTP", "HTTP1"),
            target: &target(FAILED),
            address: Some((address, 81).into()),
            seen: Some(&Seen::Closed),
        })
        .remedy;
        assert!(remedy.contains(expected), "{remedy}");
    }
}

#[test]
fn the_status_that_was_found_is_what_may_be_accepted() {
    let log = "Look into the application's log why it answers /health so";
    for (version, code, expected) in [
        ("HTTP1", 401, "--matcher 'HttpCode=\"200,401\"'"),
        (
            "HTTP1",
            400,
            "the host that checks ask for, 10.0.0.1:81; or accept 400",
        ),
        ("HTTP2", 404, "--matcher 'HttpCode=\"200,404\"'"),
        ("HTTP1", 500, log),
        ("HTTP1", 101, log),
        ("GRPC", 12, "--matcher 'GrpcCode=\"200,12\"'"),
        ("GRPC", 14, log),
    ] {
        let (reason, text) = mismatch(code);
        let target = target((reason, &text));
        let remedy = failing(&group("HTTP", version), &target, None).remedy;
        assert!(remedy.contains(expected), "{code}: {remedy}");
        assert!(!remedy.contains("399") && (expected != log || !remedy.contains("--matcher")));
    }
}

#[test]
fn the_host_of_checks_has_no_port_where_that_is_the_one_of_the_scheme() {
    let (reason, text) = mismatch(400);
    for (protocol, address, expected) in [
        ("HTTP", "10.0.0.1:80", "10.0.0.1"),
        ("HTTP", "10.0.0.1:443", "10.0.0.1:443"),
        ("HTTPS", "10.0.0.1:443", "10.0.0.1"),
        ("HTTPS", "10.0.0.1:80", "10.0.0.1:80"),
        ("HTTP", "10.0.0.1:8080", "10.0.0.1:8080"),
        ("HTTP", "[fd00::1]:80", "[fd00::1]"),
    ] {
        let remedy = of_failing(&Failing {
            group: &group(protocol, "HTTP1"),
            target: &target((reason, &text)),
            address: Some(address.parse().unwrap()),
            seen: None,
        })
        .remedy;
        let expected = format!("the host that checks ask for, {expected}; or");
        assert!(remedy.contains(&expected), "{remedy}");
    }
}

#[test]
fn the_command_to_look_with_can_be_pasted() {
    for (protocol, version, expected) in [
        ("HTTP", "HTTP1", "curl -v http://10.0.0.1:81/health"),
        (
            "HTTP",
            "GRPC",
            "curl -v --http2-prior-knowledge -X POST -H 'content-type: application/grpc' -H 'te: trailers' \
             http://10.0.0.1:81/health",
        ),
        (
            "HTTP",
            "HTTP2",
            "curl -v --http2-prior-knowledge http://10.0.0.1:81/health",
        ),
        ("HTTPS", "HTTP1", "curl -vk https://10.0.0.1:81/health"),
        (
            "HTTPS",
            "HTTP2",
            "curl -vk --http2 https://10.0.0.1:81/health",
        ),
    ] {
        let group = group(protocol, version);
        let mut seen = vec![Seen::HangsUp];
        seen.extend((expected.contains("prior")).then_some(Seen::Http1));
        for seen in seen {
            let remedy = failing(&group, &target(FAILED), Some(&seen)).remedy;
            assert!(remedy.ends_with(expected), "{remedy}");
        }
    }
}

#[test]
fn a_healthy_target_is_found_if_its_requests_fail_for_certain() {
    let wrong = |protocol, version, seen| {
        let found = of_traffic(&group(protocol, version), &target(("", "")), &seen);
        found.map(|it| it.wrong)
    };
    let ssh = Seen::Other("SSH-2.0-x".to_owned());
    for (protocol, version, seen, expected) in [
        (
            "HTTP",
            "HTTP1",
            Seen::Closed,
            "Port 80, where requests go, is closed: they get 502",
        ),
        (
            "HTTP",
            "HTTP1",
            Seen::Unreachable,
            "There is no connection to port 80, where requests go",
        ),
        (
            "HTTP",
            "HTTP1",
            ssh,
            "Port 80, where requests go, answers 'SSH-2.0-x', which is not HTTP",
        ),
        (
            "HTTPS",
            "HTTP1",
            Seen::Http1,
            "Requests to it speak TLS, and port 80 speaks plain HTTP",
        ),
        (
            "HTTP",
            "HTTP1",
            Seen::Tls,
            "Requests to it speak plain HTTP, and port 80 speaks TLS",
        ),
        (
            "HTTP",
            "GRPC",
            Seen::Http1,
            "Requests to it speak HTTP/2, and port 80 speaks HTTP/1.1",
        ),
        (
            "HTTP",
            "HTTP1",
            Seen::Http2,
            "Requests to it speak HTTP/1.1, and port 80 speaks HTTP/2",
        ),
    ] {
        let found = wrong(protocol, version, seen.clone()).unwrap_or_default();
        assert!(found.starts_with(expected), "{seen:?}: {found}");
        assert!(
            found.ends_with("and its health checks pass on port 81."),
            "{found}"
        );
    }
    for (protocol, version, seen) in [
        ("HTTP", "HTTP1", Seen::Http1),
        ("HTTP", "HTTP2", Seen::Http2),
        ("HTTPS", "HTTP1", Seen::Tls),
        ("HTTP", "HTTP1", Seen::HangsUp),
        ("HTTP", "HTTP1", Seen::Silent),
        ("HTTPS", "HTTP1", Seen::Unclear),
    ] {
        assert_eq!(wrong(protocol, version, seen.clone()), None, "{seen:?}");
    }
}

#[test]
fn mitigation_of_anomalies_is_proposed_where_it_can_be_turned_on() {
    const MITIGATION: &str = "load_balancing.algorithm.anomaly_mitigation";
    let command = "To send it less meanwhile: aws elbv2 modify-target-group-attributes --target-group-arn arn:web \
                   --attributes Key=load_balancing.algorithm.type,Value=weighted_random \
                   Key=load_balancing.algorithm.anomaly_mitigation,Value=on";
    for (key, value, expected) in [
        (MITIGATION, "off", command),
        (
            MITIGATION,
            "on",
            "; it gets less meanwhile: anomaly mitigation is on.",
        ),
        ("stickiness.enabled", "true", "log there."),
        ("slow_start.duration_seconds", "30", "log there."),
    ] {
        let mut attributes: BTreeMap<_, _> = [
            ("stickiness.enabled", "false"),
            ("slow_start.duration_seconds", "0"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        attributes.insert(key.to_owned(), value.to_owned());
        let surroundings = Surroundings {
            attributes: [("arn:web".to_owned(), attributes)].into(),
            ..Surroundings::default()
        };
        let found = of_anomaly(&group("HTTP", "HTTP1"), &target(("", "")), &surroundings);
        assert!(found.remedy.ends_with(expected), "{key}: {}", found.remedy);
    }
}

#[test]
fn only_ports_that_tell_something_are_looked_at() {
    let mut checked_apart = target(("", ""));
    checked_apart.state = "healthy".to_owned();
    let mut healthy = checked_apart.clone();
    healthy.health_check_port = 80;
    let mut draining = checked_apart.clone();
    draining.state = "draining".to_owned();
    let with = |protocol: &str, target: &Target| {
        let mut group = group("HTTP", "HTTP1");
        group.protocol = protocol.to_owned();
        group.targets = vec![target.clone()];
        let inventory = Inventory {
            target_groups: vec![group],
            ..Inventory::default()
        };
        let ports = ports(&inventory, &Surroundings::default());
        Vec::from_iter(ports.iter().map(|(address, _)| address.port()))
    };
    assert_eq!(with("HTTP", &target(FAILED)), [81], "its checks fail there");
    assert_eq!(with("HTTP", &checked_apart), [80], "its requests go there");
    assert_eq!(
        with("HTTPS", &healthy),
        [80],
        "its checks speak something else"
    );
    assert!(with("HTTP", &healthy).is_empty());
    assert!(with("HTTP", &draining).is_empty());
}

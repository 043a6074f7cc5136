//! What targets get of a request, option by option.

use std::sync::Arc;
use std::time::Duration;

use engine::transform::Rewrite;
use engine::{
    Admission, FixedResponse, FrontendId, HttpOptions, Pool, PoolId, PoolSettings, Router, Routing,
    Transforms,
};
use model::health_check::HealthCheck;

use super::*;
use crate::counters::Counters;
use crate::head_sink::Http1Head;
use crate::http1::FieldStorage;
use crate::http1::request;
use crate::logins::User;
use crate::rewrite::Rewritten;
use crate::sticky::Stay;
use crate::tls_facts::{ClientCertificate, TlsFacts};
use crate::trace_id::TraceId;

/// A listener and a connection to it.
struct Case {
    port: u16,
    peer: &'static str,
    http: HttpOptions,
    tls: Option<TlsFacts>,
    /// `None`: the rule does not ask who it is.
    user_fields: Option<Vec<(&'static str, String)>>,
    transforms: Transforms,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            port: 80,
            peer: "127.0.0.1:5000",
            http: HttpOptions::default(),
            tls: None,
            user_fields: None,
            transforms: Transforms::default(),
        }
    }
}

impl Case {
    /// The head that a target gets for this one.
    fn forwards(&self, head: &str) -> String {
        let nowhere = Routing::FixedResponse(FixedResponse {
            status: 200,
            content_type: None,
            body: Box::default(),
        });
        let frontend = Frontend {
            id: FrontendId(1),
            addresses: vec![([10, 0, 0, 1], self.port).into()],
            zones: vec!["us-east-1a".into()],
            shifted_zone: None,
            admission: Admission::Anyone,
            idle_timeout: Duration::from_secs(60),
            client_keep_alive: Duration::from_secs(3600),
            dns_name: "lb.internal".into(),
            tls: None,
            http: self.http.clone(),
            router: Router::compile(Vec::new(), nowhere.into()).unwrap(),
        };
        let mut storage = FieldStorage::new();
        let request = request::parse(head.as_bytes(), &mut storage).expect("a valid head");
        let forwarded = Forwarded {
            request: &request,
            frontend: &frontend,
            connection: ConnectionFacts {
                peer: self.peer.parse().unwrap(),
                tls: self.tls.as_ref(),
            },
            route: &Route {
                pool: Arc::new(Pool::new(
                    PoolId(1),
                    PoolSettings::new(HealthCheck::default()),
                    Vec::new(),
                    None,
                )),
                trace_id: TraceId::new(1, [2, 3, 4]),
                stay: Stay::default(),
                rewritten: Rewritten::of(
                    &self.transforms,
                    &request,
                    &frontend,
                    &Counters::default(),
                )
                .expect("a result that can be sent"),
                extensions: None,
                user: User {
                    fields: self.user_fields.clone(),
                    set_cookies: Vec::new(),
                },
            },
        };
        let mut out = Buffer::default();
        forwarded.write_head(&mut Http1Head(&mut out));
        String::from_utf8(out.filled().to_vec()).unwrap()
    }

    /// The values of a field that a target gets, in order.
    fn sends(&self, fields: &str, name: &str) -> Vec<String> {
        values(
            &self.forwards(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")),
            name,
        )
    }
}

fn values(head: &str, name: &str) -> Vec<String> {
    let fields = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    let named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.to_owned()).collect()
}

fn tls(client_certificate: ClientCertificate) -> Option<TlsFacts> {
    Some(TlsFacts {
        version: "TLSv1.3",
        cipher_suite: "TLS_AES_128_GCM_SHA256".into(),
        speaks_http2: false,
        client_certificate,
    })
}

/// ALB guide, "X-Forwarded-For": its tables, for a peer 127.0.0.1.
#[test]
fn x_forwarded_for_is_appended_to_preserved_or_removed() {
    use ForwardedFor::{Append, Preserve, Remove};
    let one = "X-Forwarded-For: 127.0.0.4\r\n";
    let two = "X-Forwarded-For: 127.0.0.4, 127.0.0.8\r\n";
    let twice = "X-Forwarded-For: 127.0.0.4\r\nX-Forwarded-For: 127.0.0.8\r\n";
    let append = Append { client_port: false };
    for (mode, fields, expected) in [
        (append, "", &["127.0.0.1"][..]),
        (append, one, &["127.0.0.4, 127.0.0.1"]),
        (append, two, &["127.0.0.4, 127.0.0.8, 127.0.0.1"]),
        (append, twice, &["127.0.0.4, 127.0.0.8, 127.0.0.1"]),
        (Append { client_port: true }, "", &["127.0.0.1:5000"]),
        (
            Append { client_port: true },
            one,
            &["127.0.0.4, 127.0.0.1:5000"],
        ),
        (Preserve, "", &[]),
        (Preserve, one, &["127.0.0.4"]),
        (Preserve, two, &["127.0.0.4, 127.0.0.8"]),
        (Preserve, twice, &["127.0.0.4", "127.0.0.8"]),
        (Remove, "", &[]),
        (Remove, two, &[]),
    ] {
        let mut case = Case::default();
        case.http.forwarded_for = mode;
        assert_eq!(
            case.sends(fields, "X-Forwarded-For"),
            expected,
            "{mode:?} {fields:?}"
        );
    }
}

#[test]
fn an_ipv6_peer_has_brackets_only_in_front_of_its_port() {
    for (peer, client_port, expected) in [
        ("[2001:db8::1]:5000", false, "2001:db8::1"),
        ("[2001:db8::1]:5000", true, "[2001:db8::1]:5000"),
        ("[::ffff:10.1.2.3]:5000", false, "10.1.2.3"),
        ("[::ffff:10.1.2.3]:5000", true, "10.1.2.3:5000"),
    ] {
        let mut case = Case {
            peer,
            ..Case::default()
        };
        case.http.forwarded_for = ForwardedFor::Append { client_port };
        assert_eq!(
            case.sends("", "X-Forwarded-For"),
            [expected],
            "{client_port}"
        );
    }
}

/// ALB guide, "Host header preservation".
#[test]
fn the_host_follows_the_port_rules_unless_it_is_preserved() {
    let with = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let absolute = "GET http://Dns.Name/x HTTP/1.1\r\nHost: Example.com:1\r\n\r\n".to_owned();
    let none = "GET / HTTP/1.0\r\n\r\n".to_owned();
    for (port, preserves_host, head, expected) in [
        (80, false, with("Example.com"), "example.com"),
        (443, false, with("example.com:80"), "example.com"),
        (8080, false, with("example.com"), "example.com:8080"),
        (8080, false, with("example.com:99"), "example.com:99"),
        (80, false, absolute.clone(), "dns.name"),
        (80, false, none.clone(), "lb.internal"),
        (80, true, with("Example.com"), "Example.com"),
        (80, true, with("example.com:80"), "example.com:80"),
        (8080, true, with("Example.com"), "Example.com"),
        (8080, true, with("example.com:8080"), "example.com:8080"),
        (80, true, absolute, "Example.com:1"),
        (80, true, none, "lb.internal"),
    ] {
        let mut case = Case {
            port,
            ..Case::default()
        };
        case.http.preserves_host = preserves_host;
        let sent = case.forwards(&head);
        assert_eq!(
            values(&sent, "Host"),
            [expected],
            "{port} {preserves_host} {head:?}"
        );
    }
}

/// ALB guide, "Transforms for listener rules", with the port rules of the table before.
#[test]
fn a_host_is_rewritten_without_its_port() {
    let rewrite = |replacement: &str| Rewrite {
        pattern: regex::bytes::Regex::new(r"(?i)^(.*)\.shop\.org$").unwrap(),
        replacement: replacement.into(),
    };
    let plain = "$1.internal";
    for (port, preserves, sent, replacement, expected) in [
        (80, false, "eu.shop.org", plain, "eu.internal"),
        (80, false, "eu.shop.org:80", plain, "eu.internal"),
        (443, false, "eu.shop.org:9000", plain, "eu.internal"),
        (8080, false, "eu.shop.org", plain, "eu.internal:8080"),
        (8080, false, "EU.shop.org:8080", plain, "eu.internal:8080"),
        (8080, false, "eu.shop.org:9000", plain, "eu.internal:9000"),
        (8080, true, "EU.shop.org", plain, "EU.internal"),
        (8080, true, "eu.shop.org:8080", plain, "eu.internal:8080"),
        (80, true, "eu.shop.org:9000", plain, "eu.internal:9000"),
        // The port that the replacement names is the one.
        (80, false, "eu.shop.org", "$1.internal:81", "eu.internal:81"),
        (8080, false, "eu.shop.org:8080", "[::1]:81", "[::1]:81"),
        (8080, false, "eu.shop.org:8080", "[::1]", "[::1]:8080"),
        // What does not match stays, with its port.
        (8080, false, "shop.org", plain, "shop.org:8080"),
    ] {
        let mut case = Case {
            port,
            ..Case::default()
        };
        case.http.preserves_host = preserves;
        case.transforms.host = Some(rewrite(replacement));
        let head = case.forwards(&format!("GET / HTTP/1.1\r\nHost: {sent}\r\n\r\n"));
        let host = values(&head, "Host");
        assert_eq!(host, [expected], "{port} {preserves} {sent} {replacement}");
    }
}

#[test]
fn invalid_names_pass_unless_they_are_dropped() {
    let mut case = Case::default();
    let fields = "X_Api_Key: 1\r\nX-Api-Key: 2\r\nx.y: 3\r\n";
    assert_eq!(case.sends(fields, "X_Api_Key"), ["1"]);
    case.http.drops_invalid_fields = true;
    assert_eq!(case.sends(fields, "X_Api_Key"), Vec::<String>::new());
    assert_eq!(case.sends(fields, "x.y"), Vec::<String>::new());
    assert_eq!(case.sends(fields, "X-Api-Key"), ["2"]);
}

#[test]
fn a_target_learns_of_tls_what_the_options_say() {
    let mut case = Case::default();
    assert_eq!(case.sends("", "X-Forwarded-Proto"), ["http"]);
    case.tls = tls(ClientCertificate::Off);
    assert_eq!(
        case.sends("X-Forwarded-Proto: http\r\n", "X-Forwarded-Proto"),
        ["https"]
    );
    assert_eq!(case.sends("", "X-Amzn-Tls-Version"), Vec::<String>::new());
    case.http.sends_tls_version_and_cipher = true;
    assert_eq!(case.sends("", "X-Amzn-Tls-Version"), ["TLSv1.3"]);
    case.http.tls_fields.cipher_suite = "X-Cipher".into();
    assert_eq!(case.sends("", "X-Cipher"), ["TLS_AES_128_GCM_SHA256"]);
}

/// ALB guide, "HTTP headers and mutual TLS".
#[test]
fn a_target_learns_of_the_client_certificate() {
    let mut case = Case {
        tls: tls(ClientCertificate::Passthrough {
            chain_pem: "-----BEGIN CERTIFICATE-----\nMI+/=\n".into(),
        }),
        ..Case::default()
    };
    assert_eq!(
        case.sends("", "X-Amzn-Mtls-Clientcert"),
        ["-----BEGIN%20CERTIFICATE-----%0AMI+/=%0A"]
    );
    case.tls = tls(ClientCertificate::Verified {
        serial_number: "03A5B1".into(),
        issuer: "CN=root,O=a\r\nX-Injected: 1".into(),
        subject: "CN=client".into(),
        validity: "NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z".into(),
        leaf_pem: "a b".into(),
    });
    case.http.tls_fields.client_certificate_subject = "X-Who".into();
    for (name, expected) in [
        ("X-Amzn-Mtls-Clientcert-Serial-Number", "03A5B1"),
        (
            "X-Amzn-Mtls-Clientcert-Issuer",
            "CN=root,O=a\\0D\\0AX-Injected: 1",
        ),
        ("X-Who", "CN=client"),
        (
            "X-Amzn-Mtls-Clientcert-Validity",
            "NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z",
        ),
        ("X-Amzn-Mtls-Clientcert-Leaf", "a%20b"),
    ] {
        assert_eq!(case.sends("", name), [expected], "{name}");
    }
}

#[test]
fn a_client_cannot_speak_for_its_tls_connection() {
    let mut case = Case {
        tls: tls(ClientCertificate::Off),
        ..Case::default()
    };
    case.http.tls_fields.client_certificate_subject = "X-Who".into();
    for name in [
        "x-amzn-mtls-clientcert",
        "X-Amzn-Mtls-Clientcert-Leaf",
        "X-Amzn-Tls-Version",
        "X_Amzn_Mtls-Clientcert-Leaf",
        "x-who",
    ] {
        let forged = format!("{name}: forged\r\nX-Other: kept\r\n");
        assert_eq!(case.sends(&forged, name), Vec::<String>::new(), "{name}");
        assert_eq!(case.sends(&forged, "X-Other"), ["kept"], "{name}");
    }
}

#[test]
fn only_we_say_who_the_user_is_where_a_rule_asks() {
    let mut case = Case::default();
    let forged = "X-Amzn-Oidc-Identity: mallory\r\nx_amzn_oidc_data: forged\r\n";
    assert_eq!(case.sends(forged, "X-Amzn-Oidc-Identity"), ["mallory"]);
    case.user_fields = Some(Vec::new());
    assert!(case.sends(forged, "X-Amzn-Oidc-Identity").is_empty());
    assert!(case.sends(forged, "x_amzn_oidc_data").is_empty());
    case.user_fields = Some(vec![("x-amzn-oidc-identity", "alice".to_owned())]);
    assert_eq!(case.sends(forged, "X-Amzn-Oidc-Identity"), ["alice"]);
}

use super::super::super::inventory::Address;
use super::*;

fn rule(priority: &str, conditions: &[(&str, &str)], location: Option<&str>) -> Rule {
    let condition = |(field, value): &(&str, &str)| Condition {
        field: (*field).to_owned(),
        header: None,
        values: vec![(*value).to_owned()],
    };
    let redirect = location.map(|location| Action::Redirect {
        status: 301,
        location: location.to_owned(),
    });
    Rule {
        priority: priority.to_owned(),
        conditions: conditions.iter().map(condition).collect(),
        actions: vec![redirect.unwrap_or(Action::FixedResponse { status: 200 })],
        ..Rule::default()
    }
}

/// What is found of the HTTP listener on port 80, beside one of HTTPS on port 443, with these rules before a
/// default that redirects.
fn found(rules: Vec<Rule>, default: &str) -> Option<String> {
    let listener = |protocol: &str, port, rules| Listener {
        protocol: protocol.to_owned(),
        port,
        rules,
        ..Listener::default()
    };
    let default = rule("default", &[], Some(default));
    let plain = listener("HTTP", 80, [rules, vec![default]].concat());
    let balancer = LoadBalancer {
        dns_name: "shop.internal".to_owned(),
        addresses: vec![Address {
            address: "10.0.0.10".to_owned(),
            ..Address::default()
        }],
        listeners: vec![plain.clone(), listener("HTTPS", 443, Vec::new())],
        ..LoadBalancer::default()
    };
    let found = findings("it", &balancer, &plain, &["named.example"]);
    found.into_iter().map(|it| it.wrong).next()
}

#[test]
fn a_redirect_needs_a_listener_that_speaks_its_protocol() {
    for (location, expected) in [
        ("https://#{host}:443/#{path}?#{query}", None),
        (
            "https://#{host}:8443/#{path}?#{query}",
            Some("the load balancer has no listener on port 8443"),
        ),
        (
            "https://#{host}:#{port}/#{path}?#{query}",
            Some("the listener on port 80 speaks HTTP"),
        ),
        (
            "#{protocol}://shop.internal:443/",
            Some("the listener on port 443 speaks HTTPS"),
        ),
        (
            "#{protocol}://10.0.0.10:81/",
            Some("the load balancer has no listener on port 81"),
        ),
        // That of somebody else.
        ("https://other.example:8443/#{path}", None),
    ] {
        let found = found(Vec::new(), location);
        assert_eq!(found.is_some(), expected.is_some(), "{location} {found:?}");
        if let Some(expected) = expected {
            assert!(found.unwrap().contains(expected), "{location}");
        }
    }
}

#[test]
fn a_redirect_to_itself_is_found() {
    let named = "#{protocol}://named.example:#{port}/#{path}?#{query}";
    let login = "#{protocol}://#{host}:#{port}/login";
    let below = "#{protocol}://#{host}:#{port}/new/#{path}?#{query}";
    let host = |host| rule("1", &[("host-header", host)], None);
    let path = |path| rule("1", &[("path-pattern", path)], None);
    for (name, rules, default, expected) in [
        ("a certificate has the name", vec![], named, true),
        (
            "the name of somebody else",
            vec![],
            "http://x.example:80/#{path}",
            false,
        ),
        ("an address", vec![], "http://10.0.0.10:80/#{path}", true),
        (
            "a rule for the host",
            vec![host("named.example")],
            named,
            false,
        ),
        (
            "a pattern for the host",
            vec![host("*.example")],
            named,
            false,
        ),
        (
            "an expression for the host",
            vec![host("regex:^n")],
            named,
            false,
        ),
        (
            "a rule for another host",
            vec![host("a.example")],
            named,
            true,
        ),
        ("a rule for a path", vec![path("/a")], named, true),
        ("a path", vec![], login, true),
        ("a rule for the path", vec![path("/log*")], login, false),
        ("a rule for another path", vec![path("/a")], login, true),
        ("a path that grows", vec![], below, true),
        ("a rule for that path", vec![path("/new/*")], below, false),
        (
            "a query",
            vec![],
            "#{protocol}://#{host}:#{port}/#{path}?a=1",
            true,
        ),
        (
            "a rule for queries",
            vec![rule("1", &[("query-string", "a=1")], None)],
            "#{protocol}://#{host}:#{port}/#{path}?a=1",
            false,
        ),
        (
            "a rule for GET",
            vec![rule("1", &[("http-request-method", "GET")], None)],
            login,
            false,
        ),
        ("another port", vec![], "https://#{host}:443/login", false),
    ] {
        let found = found(rules, default);
        let is_endless = found
            .as_ref()
            .is_some_and(|it| it.contains("redirects again"));
        assert_eq!(is_endless, expected, "{name}: {found:?}");
    }
}

#[test]
fn a_rule_is_endless_if_it_matches_what_it_leads_to() {
    for (conditions, location, expected) in [
        (
            &[("host-header", "*.example")][..],
            "http://www.example:80/#{path}?#{query}",
            true,
        ),
        (
            &[("host-header", "a.example")],
            "http://www.example:80/#{path}?#{query}",
            false,
        ),
        (&[("path-pattern", "/a/*")], "http://#{host}:80/a/b", true),
        (&[("path-pattern", "/a/*")], "http://#{host}:80/b", false),
        (
            &[("http-request-method", "PUT")],
            "http://#{host}:80/a",
            true,
        ),
        (
            &[("http-request-method", "GET")],
            "http://#{host}:80/a",
            true,
        ),
        (
            &[("path-pattern", "/a"), ("http-request-method", "POST")],
            "http://#{host}:80/a?x",
            false,
        ),
    ] {
        let found = found(
            vec![rule("1", conditions, Some(location))],
            "https://#{host}:443/#{path}",
        );
        assert_eq!(
            found.is_some(),
            expected,
            "{conditions:?} {location} {found:?}"
        );
    }
}

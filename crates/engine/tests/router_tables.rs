//! Which rule gets which request, row by row of the ALB guide, "Condition types for listener rules". The
//! slow reference matcher must say the same.

use testkit::rules::name_of;
use testkit::{Request, Table, reference};

/// Checks what `rules` make of `request`, by the compiled router and by the reference.
fn check(rules: &str, request: &str, expected: &str) {
    check_request(rules, &Request::parse(request), expected);
}

fn check_request(rules: &str, request: &Request, expected: &str) {
    let table = Table::parse(rules);
    let router = table.router();
    let (priority, action) = router.route(request);
    assert_eq!(name_of(action), expected, "{request:?} by\n{rules}");
    let slow = reference::route(&table.rules, request);
    assert_eq!(
        slow.map_or(&table.default, |rule| &rule.name),
        expected,
        "by the reference"
    );
    assert_eq!(
        priority,
        slow.map_or(0, |rule| rule.priority),
        "the priority that is logged"
    );
}

/// Checks whether a single condition lets `request` through.
fn check_condition(condition: &str, request: &str, matches: bool) {
    check_among_others(condition, &Request::parse(request), matches);
}

/// Alone, and among enough others that the condition is looked up and not tested.
fn check_among_others(condition: &str, request: &Request, matches: bool) {
    let expected = if matches { "yes" } else { "no" };
    let alone = format!("100 {condition} -> yes\n default -> no");
    check_request(&alone, request, expected);
    let mut crowd = alone;
    for other in 1..40 {
        let (field, _) = condition.split_once(['=', '~']).expect("a condition");
        let never = match field {
            "source" => format!("192.0.2.{other}/32"),
            "query" => format!("never{other}=*x*,*never{other}*"),
            _ => format!("never{other},*never{other}*,?never{other}"),
        };
        crowd.push_str(&format!("\n {other} {field}={never} -> never"));
    }
    check_request(&crowd, request, expected);
}

#[test]
fn lowest_priority_that_matches_wins() {
    let rules = "
        10      host=api.example.com   -> api
        20      path=/static/*         -> assets
        default                        -> web
    ";
    check(rules, "GET http://api.example.com/static/app.css", "api");
    check(rules, "GET http://www.example.com/static/app.css", "assets");
    check(rules, "GET http://www.example.com/STATIC/app.css", "web"); // Paths match by case.
    check(rules, "GET http://API.example.com/", "api"); // Hosts do not.
}

#[test]
fn the_order_of_the_list_does_not_matter() {
    let rules = "
        50000   path=/a*   -> last
        7       path=/a*   -> first
        300     path=/a    -> middle
    ";
    check(rules, "GET http://h/a", "first");
    check(rules, "GET http://h/b", "default");
}

#[test]
fn a_rule_needs_all_its_conditions_and_a_condition_any_of_its_values() {
    let rules = "
        1   host=a.com,b.com  path=/x,/y  method=GET,HEAD   -> both
        2   host=a.com                                      -> host
    ";
    check(rules, "GET http://a.com/x", "both");
    check(rules, "HEAD http://b.com/y", "both");
    check(rules, "GET http://a.com/z", "host");
    check(rules, "POST http://a.com/x", "host");
    check(rules, "POST http://b.com/x", "default");
}

#[test]
fn no_rules_and_rules_without_conditions() {
    check("default -> web", "GET http://h/", "web");
    check("5 -> all \n 9 path=/a -> a", "GET http://h/a", "all");
}

#[test]
fn host_header() {
    for (condition, host, matches) in [
        ("host=www.example.com", "www.example.com", true),
        ("host=www.example.com", "WWW.Example.COM", true),
        ("host=WWW.example.com", "www.example.com", true),
        ("host=www.example.com", "example.com", false),
        ("host=*.example.com", "a.example.com", true),
        ("host=*.example.com", "a.b.example.com", true),
        ("host=*.example.com", "example.com", false),
        ("host=*.example.com", "a.example.com.evil", false),
        ("host=???.example.com", "abc.example.com", true),
        ("host=???.example.com", "ab.example.com", false),
        ("host=a*", "abc.example.com", true),
        ("host=a*.*.com", "ab.example.com", true),
        ("host=*", "", true),
        ("host=*x*", "", false),
        ("host~^SHOP[0-9]+\\.", "shop42.example.com", true),
        ("host~^shop[0-9]+\\.", "shop.example.com", false),
        ("host~example", "an.Example.com", true), // A search, not anchored.
    ] {
        check_condition(condition, &format!("GET http://{host}/"), matches);
    }
}

#[test]
fn path_pattern() {
    for (condition, path, matches) in [
        ("path=/img/*", "/img/a/b.png", true), // A star crosses slashes.
        ("path=/img/*", "/img/", true),
        ("path=/img/*", "/img", false),
        ("path=/img/*", "/IMG/a", false),
        ("path=/img", "/img", true),
        ("path=/img", "/img/", false),
        ("path=/img", "/img?x=/img/", true), // The query is no part of it.
        ("path=/a?c", "/a/c", true),
        ("path=/*/pics", "/x/y/pics", true),
        ("path=/*/pics", "/pics", false),
        ("path=*.png", "/a.png", true),
        ("path=*.png", "/a.png.txt", false),
        ("path=/~user/$x", "/%7Euser/$x", true), // Unreserved characters are decoded.
        ("path=/a/b", "/a%2Fb", false),          // A slash is not one of them.
        ("path=/admin/*", "/public/../admin/x", true),
        ("path=/admin/*", "/public/%2e%2e/admin/x", true),
        ("path=/public/*", "/public/../admin/x", false),
        ("path=/a", "/./a", true),
        ("path~^/v[0-9]+/items$", "/v12/items", true),
        ("path~^/v[0-9]+/items$", "/V12/items", false),
        ("path~items", "/v1/items/7", true),
    ] {
        check_condition(condition, &format!("GET http://h{path}"), matches);
    }
}

#[test]
fn http_header() {
    for (condition, fields, matches) in [
        (
            "header:User-Agent=*Chrome*",
            "User-Agent: Mozilla chrome/1",
            true,
        ),
        ("header:User-Agent=*chrome*", "user-agent: CHROME", true),
        ("header:user-agent=chrome", "User-Agent: chrome/1", false),
        ("header:X-A=1", "X-A: 0 | X-B: 1 | X-A: 1", true), // Every occurrence is looked at.
        ("header:X-A=1", "X-A: 0 | X-B: 1", false),
        ("header:X-A=*", "X-A: ", true),
        ("header:X-A=*", "X-B: 1", false), // A field that is not there matches nothing.
        ("header:X-A=a?c", "X-A: a\tc", false), // Control characters do not take part.
        ("header:X-A=ac", "X-A: a\tc", true),
        ("header:X-A~^v[0-9]$", "X-A: V7", true),
        ("header:X-A~^v[0-9]$", "X-A: v77", false),
        ("header:X-A=1", "X-A: 1, 2", false), // A list is one value.
    ] {
        check_condition(condition, &format!("GET http://h/ | {fields}"), matches);
    }
}

#[test]
fn http_request_method() {
    for (condition, method, matches) in [
        ("method=GET", "GET", true),
        ("method=GET", "HEAD", false), // Unlike in other places a HEAD is no GET.
        ("method=GET", "get", false),
        ("method=GET,MY-METHOD", "MY-METHOD", true),
    ] {
        check_condition(condition, &format!("{method} http://h/"), matches);
    }
}

#[test]
fn query_string() {
    for (condition, query, matches) in [
        ("query=version=v1", "version=v1", true),
        ("query=version=v1", "VERSION=V1", true),
        ("query=version=v1", "a=b&version=v1&c=d", true),
        ("query=version=v1", "version=v10", false),
        ("query=version=v1", "xversion=v1", false),
        ("query=version=*", "version=", true),
        ("query=version=*", "version", true), // A key alone has an empty value.
        ("query=*example*", "any=an-EXAMPLE-value", true),
        ("query=*example*", "example=other", false), // Without a key, values only.
        ("query=*example*", "", false),
        ("query=*", "", false), // There is no pair.
        ("query=v*=1", "version=1", true),
        ("query=v*=1", "version=x=1", false), // The key ends at the first equals sign.
        ("query=a=b=c", "a=b=c", true),
        ("query=?=x", "a=x", true),
        ("query=?=x", "ab=x", false),
        (r"query=q=\*", "q=*", true),
        (r"query=q=\*", "q=x", false),
        (r"query=q=\?\\", r"q=?\", true),
        (r"query=\*=x", "*=x", true),
        (r"query=\*=x", "a=x", false),
        ("query=q=%41", "q=A", false), // Compared as sent.
        ("query=q=%2f", "q=%2F", true),
        ("query=q=1", "q=1#q=2", true), // A fragment is not part of the query.
        ("query=q=2", "q=1#&q=2", false),
    ] {
        check_condition(condition, &format!("GET http://h/?{query}"), matches);
    }
}

#[test]
fn source_ip() {
    for (condition, source, matches) in [
        ("source=10.0.0.0/8", "10.255.0.1", true),
        ("source=10.0.0.0/8", "11.0.0.1", false),
        ("source=10.0.0.1/32,fd00::/8", "fd12::1", true),
        ("source=0.0.0.0/0", "fd12::1", false),
        ("source=::/0", "fd12::1", true),
    ] {
        check_condition(
            condition,
            &format!("GET http://h/ | from {source}"),
            matches,
        );
    }
    let forwarded = "GET http://h/ | X-Forwarded-For: 10.0.0.1 | from 192.0.2.200";
    check_condition("source=10.0.0.0/8", forwarded, false);
}

#[test]
fn bytes_outside_ascii_are_ordinary() {
    let mut request = Request::parse("GET http://h/caf?");
    request.path.push(0xe9);
    check_among_others("path=/caf?", &request, true);
    check_among_others("path=/caf", &request, false);
    check_among_others("path~^/caf.$", &request, true);
}

#[test]
fn ten_thousand_rules_on_one_host_keep_their_order() {
    let mut rules = String::from("50000 host=shop.example.com path=/* -> rest\n");
    for number in 1..10_000 {
        rules.push_str(&format!(
            "{number} host=shop.example.com path=/p{number}/* -> {number}\n"
        ));
    }
    let table = Table::parse(&rules);
    let router = table.router();
    for (path, priority) in [
        ("/p1/", 1),
        ("/p77/x", 77),
        ("/p9999/x", 9999),
        ("/p10000/x", 50000),
    ] {
        let request = Request::parse(&format!("GET http://SHOP.example.com{path}"));
        assert_eq!(router.route(&request).0, priority, "{path}");
    }
    assert_eq!(router.route(&Request::parse("GET http://other/p1/")).0, 0);
}

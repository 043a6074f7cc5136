//! What one look-up of a rule costs, by kind and number of rules: `cargo bench -p engine`.
//!
//! The requests are spread over all rules, so that at 100,000 rules most of what a look-up reads is not
//! in the nearest caches. Figures are the best of several rounds: noise only ever adds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use engine::Router;
use engine::router::Rule;
use model::condition::{Condition, Patterns, QueryPair};
use testkit::Request;
use testkit::rules::answer;

const SIZES: [u32; 4] = [1, 100, 10_000, 100_000];
const REQUESTS: u32 = 1_000;
const ROUNDS: u32 = 20;

/// A kind of rules: the conditions of one, and a request for it. Numbers are below the number of rules.
struct Scenario {
    name: &'static str,
    conditions: fn(u32) -> Vec<Condition>,
    request: fn(u32) -> String,
}

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "host",
        conditions: |n| vec![host(format!("h{n}.example.com"))],
        request: |n| format!("GET http://h{n}.example.com/index.html"),
    },
    Scenario {
        name: "host suffix",
        conditions: |n| vec![host(format!("*.h{n}.example.com"))],
        request: |n| format!("GET http://www.h{n}.example.com/index.html"),
    },
    Scenario {
        name: "path prefix",
        conditions: |n| vec![path(format!("/service-{n}/*"))],
        request: |n| format!("GET http://www.example.com/service-{n}/items/1"),
    },
    Scenario {
        name: "one host, path prefix",
        conditions: |n| {
            vec![
                host("www.example.com".into()),
                path(format!("/service-{n}/*")),
            ]
        },
        request: |n| format!("GET http://WWW.example.com/service-{n}/items/1"),
    },
    Scenario {
        name: "host, path and method",
        conditions: |n| {
            let methods = Condition::HttpRequestMethod(vec!["GET".into(), "HEAD".into()]);
            vec![
                host(format!("h{}.example.com", n / 100)),
                path(format!("/p{n}/*")),
                methods,
            ]
        },
        request: |n| format!("GET http://h{}.example.com/p{n}/items", n / 100),
    },
    Scenario {
        name: "field value",
        conditions: |n| {
            let name = "X-Tenant".to_owned();
            let patterns = Patterns::Wildcards(vec![format!("tenant-{n}")]);
            vec![Condition::HttpHeader { name, patterns }]
        },
        request: |n| format!("GET http://www.example.com/ | Accept: */* | X-Tenant: tenant-{n}"),
    },
    Scenario {
        name: "query pair",
        conditions: |n| {
            let (key, value) = (Some("id".to_owned()), n.to_string());
            vec![Condition::QueryString(vec![QueryPair { key, value }])]
        },
        request: |n| format!("GET http://www.example.com/?page=2&id={n}"),
    },
    Scenario {
        name: "glob",
        conditions: |n| vec![path(format!("/*/items/{n}/*.jpg"))],
        request: |n| format!("GET http://www.example.com/shop/items/{n}/large/front.jpg"),
    },
    Scenario {
        name: "regex",
        conditions: |n| {
            let text = format!("^/v[0-9]+/items/{n}$");
            vec![Condition::PathPattern(Patterns::Regexes(vec![text]))]
        },
        request: |n| format!("GET http://www.example.com/v2/items/{n}"),
    },
];

fn host(value: String) -> Condition {
    Condition::HostHeader(Patterns::Wildcards(vec![value]))
}

fn path(value: String) -> Condition {
    Condition::PathPattern(Patterns::Wildcards(vec![value]))
}

fn main() {
    println!(
        "{:<24}{:>10}{:>14}{:>14}",
        "rules", "number", "compile ms", "ns a request"
    );
    for scenario in &SCENARIOS {
        for size in SIZES {
            // Compiling 100,000 expressions takes the regex crate seconds and a gigabyte.
            if scenario.name == "regex" && size > 10_000 {
                continue;
            }
            measure(scenario, size);
        }
    }
}

fn measure(scenario: &Scenario, size: u32) {
    let rule = |n| Rule {
        priority: n + 1,
        conditions: (scenario.conditions)(n),
        action: answer("x"),
    };
    let rules = (0..size).map(rule).collect();
    let start = Instant::now();
    let router = Router::compile(rules, answer("default")).expect("rules that compile");
    let compile = start.elapsed();

    // Steps of a number without a common divisor visit the rules all over the place.
    let number = |n: u32| (u64::from(n) * 7_919 % u64::from(size)) as u32;
    let requests: Vec<Request> = (0..REQUESTS)
        .map(|n| Request::parse(&(scenario.request)(number(n))))
        .collect();
    for (n, request) in (0..REQUESTS).zip(&requests) {
        assert_eq!(
            router.route(request).0,
            number(n) + 1,
            "the rule for {request:?}"
        );
    }
    let round = || {
        let start = Instant::now();
        for request in &requests {
            black_box(router.route(black_box(request)));
        }
        start.elapsed()
    };
    let best: Duration = (0..ROUNDS)
        .map(|_| round())
        .min()
        .expect("at least one round");
    println!(
        "{:<24}{:>10}{:>14.1}{:>14.1}",
        scenario.name,
        size,
        compile.as_secs_f64() * 1e3,
        best.as_secs_f64() * 1e9 / f64::from(REQUESTS),
    );
}

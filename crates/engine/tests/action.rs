//! Which pool a forward action takes, and what a redirect writes.

use std::sync::Arc;

use engine::action::{RedirectSubject, Template};
use engine::{Forward, Pool, PoolId, PoolSettings, Redirect};
use model::health_check::HealthCheck;
use proptest::prelude::*;

fn pool(id: u64) -> Arc<Pool> {
    let check = HealthCheck::default();
    Arc::new(Pool::new(
        PoolId(id),
        PoolSettings::new(check),
        Vec::new(),
        None,
    ))
}

fn forward(weights: &[u32]) -> Forward {
    let weighted = (0..).zip(weights).map(|(id, weight)| (pool(id), *weight));
    Forward::new(weighted.collect())
}

/// The lowest draw that lands on `point` of `total` equal parts of all draws.
fn draw_for(point: u64, total: u64) -> u32 {
    u32::try_from((point << 32).div_ceil(total)).expect("points are below the total")
}

#[test]
fn a_single_pool_gets_every_draw() {
    let forward = forward(&[1]);
    assert!(forward.is_single());
    for draw in [0, 1, u32::MAX / 2, u32::MAX] {
        assert_eq!(
            forward.choose_pool(draw).map(|pool| pool.id),
            Some(PoolId(0))
        );
    }
}

#[test]
fn nothing_is_chosen_when_every_weight_is_0_or_there_is_no_pool() {
    for weights in [&[0, 0][..], &[0], &[]] {
        assert!(forward(weights).choose_pool(0).is_none(), "{weights:?}");
        assert!(
            forward(weights).choose_pool(u32::MAX).is_none(),
            "{weights:?}"
        );
    }
}

#[test]
fn a_client_stays_with_a_pool_of_the_action_whatever_its_weight() {
    let forward = forward(&[0, 1]);
    for id in [0, 1] {
        let found = forward.pool_by_id(PoolId(id)).map(|pool| pool.id);
        assert_eq!(found, Some(PoolId(id)));
    }
    assert!(forward.pool_by_id(PoolId(2)).is_none());
}

#[test]
fn an_empty_pool_keeps_its_share() {
    // All pools of these tests are empty; what they get is decided by weight alone.
    assert_eq!(
        forward(&[3, 1]).choose_pool(0).map(|pool| pool.id),
        Some(PoolId(0))
    );
}

proptest! {
    /// One draw for each point of weight: each pool gets exactly as many as it weighs.
    #[test]
    fn shares_follow_weights(weights in proptest::collection::vec(0u32..=999, 1..=5)) {
        let forward = forward(&weights);
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let mut shares = vec![0; weights.len()];
        for point in 0..total {
            let pool = forward.choose_pool(draw_for(point, total)).expect("some weight");
            shares[pool.id.0 as usize] += 1;
        }
        prop_assert_eq!(shares, weights);
    }

    #[test]
    fn weight_0_gets_nothing(weights in proptest::collection::vec(0u32..=3, 1..=5), draw: u32) {
        if let Some(pool) = forward(&weights).choose_pool(draw) {
            prop_assert!(weights[pool.id.0 as usize] > 0);
        }
    }
}

/// The parts of a redirect in the order of a URL.
fn redirect([protocol, host, port, path, query]: [&str; 5]) -> Redirect {
    Redirect {
        protocol: Template::parse(protocol),
        host: Template::parse(host),
        port: Template::parse(port),
        path: Template::parse(path),
        query: Template::parse(query),
        status: 301,
    }
}

const KEPT: [&str; 5] = ["#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}"];

/// Checks where `parts` send a request for `path` and `query` on `http://shop.example.com:8080`.
fn check(parts: [&str; 5], (path, query): (&str, &str), expected: &str) {
    let subject = RedirectSubject {
        protocol: "http",
        host: b"shop.example.com",
        port: 8080,
        path: path.as_bytes(),
        query: query.as_bytes(),
    };
    let mut out = b"Location: ".to_vec();
    redirect(parts).write_location(&subject, &mut out);
    let expected = format!("Location: {expected}");
    assert_eq!(String::from_utf8_lossy(&out), expected, "{parts:?}");
}

#[test]
fn the_port_is_always_explicit() {
    let https = ["HTTPS", KEPT[1], "443", KEPT[3], KEPT[4]];
    check(https, ("/x", ""), "https://shop.example.com:443/x");
    check(KEPT, ("/x", ""), "http://shop.example.com:8080/x");
}

#[test]
fn an_empty_query_leaves_no_question_mark() {
    check(KEPT, ("/x", "a=1"), "http://shop.example.com:8080/x?a=1");
    check(KEPT, ("/x", ""), "http://shop.example.com:8080/x");
    let none = [KEPT[0], KEPT[1], KEPT[2], KEPT[3], ""];
    check(none, ("/x", "a=1"), "http://shop.example.com:8080/x");
}

#[test]
fn every_placeholder_is_replaced_wherever_it_stands() {
    check(
        [
            "HTTP",
            "www.#{host}",
            "#{port}",
            "/#{host}/#{port}/#{path}",
            "p=#{protocol}&h=#{host}&o=#{port}&u=#{path}&q=#{query}",
        ],
        ("/a/b", "c=d"),
        "http://www.shop.example.com:8080/shop.example.com/8080/a/b?p=http&h=shop.example.com&o=8080&u=a/b&q=c=d",
    );
}

#[test]
fn path_and_query_are_inserted_as_received() {
    check(
        KEPT,
        ("/%7Ea//../B", "q=%2f+#{host}"),
        "http://shop.example.com:8080/%7Ea//../B?q=%2f+#{host}",
    );
    check(KEPT, ("/", ""), "http://shop.example.com:8080/");
}

#[test]
fn what_is_no_placeholder_is_literal() {
    for text in [
        "#{unknown}",
        "#{}",
        "#",
        "#{host",
        "{host}",
        "#{HOST}",
        "##{",
    ] {
        let path = format!("/{text}");
        let expected = format!("http://shop.example.com:8080/{text}");
        check(
            [KEPT[0], KEPT[1], KEPT[2], &path, ""],
            ("/x", ""),
            &expected,
        );
    }
    let path = "/##{path}#{path}}";
    check(
        [KEPT[0], KEPT[1], KEPT[2], path, ""],
        ("/x", ""),
        "http://shop.example.com:8080/#xx}",
    );
}

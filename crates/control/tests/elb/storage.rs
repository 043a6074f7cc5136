//! What is stored: nothing after a failure, the same after a restart, in a format that is pinned.

use std::sync::atomic::Ordering;

use control::elb::describe_account_limits::DescribeAccountLimits;

use crate::support::{Fixture, error, fixed, fixture, forward, listener_input, pairs, rule_input};

/// One of everything.
async fn full() -> Fixture {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let instance = fixture.instance("127.65.1.20").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    let listener = fixture.listener(&shop, 80, forward(&web)).await;
    let mut rule = rule_input(&listener, 1, "/a*");
    rule.tags = pairs(&[("owner", "me")]);
    fixture.control.create_rule(rule).await.unwrap();
    fixture
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let fixture = full().await;
    let again = fixture.restart().await;
    assert_eq!(again.stored(), fixture.stored());
    let (before, after) = (fixture.plane.live(), again.plane.live());
    assert_eq!(after.frontends[0].addresses, before.frontends[0].addresses);
    assert_eq!(
        after.pools[0].endpoints[0].address,
        before.pools[0].endpoints[0].address
    );
    assert_eq!(after.generation, before.generation);
}

#[tokio::test]
async fn a_failing_store_leaves_everything_as_it_was() {
    let fixture = full().await;
    let (stored, live) = (fixture.stored(), fixture.plane.live());
    let shop = fixture.load_balancer("shop").await;
    fixture.store.fails.store(true, Ordering::SeqCst);
    let input = listener_input(&shop, 81, fixed("200"));
    assert_eq!(
        error(fixture.control.create_listener(input).await),
        "Internal: the change could not be saved and nothing was changed; the request may be repeated"
    );
    fixture.store.fails.store(false, Ordering::SeqCst);
    assert_eq!(fixture.stored(), stored);
    let after = fixture.plane.live();
    assert_eq!(
        after.frontends.len(),
        live.frontends.len(),
        "what was bound for it is closed again"
    );
    fixture.listener(&shop, 81, fixed("200")).await;
}

#[tokio::test]
async fn limits_are_listed_by_name() {
    let fixture = fixture().await;
    let limits = fixture
        .control
        .describe_account_limits(DescribeAccountLimits::default())
        .await;
    let limits = limits.unwrap().items;
    assert_eq!(limits.len(), 23);
    assert!(limits.is_sorted_by_key(|limit| limit.name));
    let of = |name: &str| limits.iter().find(|limit| limit.name == name).unwrap().max;
    assert_eq!(of("application-load-balancers"), 50);
    assert_eq!(of("targets-per-target-group"), 1000);
}

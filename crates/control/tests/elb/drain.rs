//! The drain promise, as far as the control plane keeps it.

use std::sync::Arc;

use control::elb::deregister_targets::DeregisterTargets;
use control::elb::target_group_attributes::ModifyTargetGroupAttributes;
use engine::EndpointState;

use crate::support::{Fixture, fixture, forward, pairs, target};

/// A group in use with one instance: the ARN, the instance, and what is known about it.
async fn group_in_use(fixture: &Fixture) -> (String, String, Arc<EndpointState>) {
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let instance = fixture.instance("127.65.1.20").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    fixture.listener(&shop, 80, forward(&web)).await;
    let state = fixture.plane.live().pools[0].endpoints[0].state.clone();
    (web, instance, state)
}

async fn deregister(fixture: &Fixture, group: &str, id: &str) {
    let input = DeregisterTargets {
        target_group_arn: group.to_owned(),
        targets: vec![target(id)],
    };
    fixture.control.deregister_targets(input).await.unwrap();
}

#[tokio::test]
async fn a_deregistered_target_gets_nothing_more_and_is_gone_after_the_delay() {
    let fixture = fixture().await;
    let (web, instance, state) = group_in_use(&fixture).await;
    deregister(&fixture, &web, &instance).await;
    assert!(
        state.is_draining(),
        "workers with the old snapshot see it too"
    );
    assert!(fixture.plane.live().pools[0].endpoints.is_empty());
    assert_eq!(
        fixture.health(&web).await,
        ["draining Target.DeregistrationInProgress"]
    );
    fixture.advance(299);
    fixture.control.finish_drains().await.unwrap();
    assert_eq!(fixture.health(&web).await.len(), 1);
    assert!(fixture.plane.cut_ids().is_empty());
    fixture.advance(1);
    fixture.control.finish_drains().await.unwrap();
    assert!(fixture.health(&web).await.is_empty());
    assert_eq!(fixture.plane.cut_ids(), [state.id()]);
}

#[tokio::test]
async fn without_a_delay_requests_are_cut_at_once() {
    let fixture = fixture().await;
    let (web, instance, state) = group_in_use(&fixture).await;
    let input = ModifyTargetGroupAttributes {
        target_group_arn: web.clone(),
        attributes: pairs(&[("deregistration_delay.timeout_seconds", "0")]),
    };
    fixture
        .control
        .modify_target_group_attributes(input)
        .await
        .unwrap();
    deregister(&fixture, &web, &instance).await;
    assert!(fixture.health(&web).await.is_empty());
    assert_eq!(fixture.plane.cut_ids(), [state.id()]);
}

#[tokio::test]
async fn a_target_that_comes_back_starts_anew() {
    let fixture = fixture().await;
    let (web, instance, state) = group_in_use(&fixture).await;
    deregister(&fixture, &web, &instance).await;
    fixture.register(&web, &[&instance]).await.unwrap();
    assert_eq!(
        fixture.health(&web).await,
        ["initial Elb.RegistrationInProgress"]
    );
    let again = fixture.plane.live().pools[0].endpoints[0].state.clone();
    assert_ne!(again.id(), state.id());
    assert!(state.is_draining() && !again.is_draining());
    fixture.advance(300);
    fixture.control.finish_drains().await.unwrap();
    assert_eq!(
        fixture.health(&web).await.len(),
        1,
        "the old deadline is not the new target's"
    );
}

#[tokio::test]
async fn a_drain_survives_a_restart() {
    let fixture = fixture().await;
    let (web, instance, _) = group_in_use(&fixture).await;
    deregister(&fixture, &web, &instance).await;
    let again = fixture.restart().await;
    assert_eq!(
        again.health(&web).await,
        ["draining Target.DeregistrationInProgress"]
    );
    again.advance(300);
    again.control.finish_drains().await.unwrap();
    assert!(again.health(&web).await.is_empty());
}

#[tokio::test]
async fn what_gets_no_requests_has_nothing_to_drain() {
    let fixture = fixture().await;
    let web = fixture.group("web").await;
    let instance = fixture.instance("127.65.1.20").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    deregister(&fixture, &web, &instance).await;
    assert!(fixture.health(&web).await.is_empty());
    deregister(&fixture, &web, &instance).await;
}

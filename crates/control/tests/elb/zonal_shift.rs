//! Zonal shifts: who may have one, how it ends, and what of it reaches the data plane.

use std::fmt::Debug;
use std::sync::atomic::Ordering;

use control::elb::delete_load_balancer::DeleteLoadBalancer;
use control::elb::describe_target_health::DescribeTargetHealth;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::zonal_shift::cancel_zonal_shift::CancelZonalShift;
use control::zonal_shift::list_zonal_shifts::ListZonalShifts;
use control::zonal_shift::managed_resources::{GetManagedResource, ListManagedResources};
use control::zonal_shift::start_zonal_shift::StartZonalShift;
use control::zonal_shift::update_zonal_shift::UpdateZonalShift;
use control::zonal_shift::{Paging, ZonalShiftDescription, ZonalShiftError};
use engine::health::Health;
use model::load_balancer::LoadBalancer;

use crate::support::{Fixture, fixture, forward, pairs};

/// A load balancer that can be shifted, with a healthy target in each zone: its ARN, and that of the group.
async fn shop(fixture: &Fixture) -> (String, String) {
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let first = fixture.instance("127.65.1.20").await;
    let second = fixture.instance("127.65.2.20").await;
    fixture.register(&web, &[&first, &second]).await.unwrap();
    fixture.listener(&shop, 80, forward(&web)).await;
    for endpoint in &fixture.plane.live().pools[0].endpoints {
        let healthy = Health::Healthy { failures: 0 };
        endpoint.state.set_health(healthy, None);
    }
    enable(fixture, &shop, "true").await;
    (shop.arn.to_string(), web)
}

async fn enable(fixture: &Fixture, load_balancer: &LoadBalancer, value: &str) {
    let input = ModifyLoadBalancerAttributes {
        load_balancer_arn: load_balancer.arn.to_string(),
        attributes: pairs(&[("zonal_shift.config.enabled", value)]),
    };
    let modified = fixture.control.modify_load_balancer_attributes(input).await;
    modified.unwrap();
}

fn start_input(resource: &str, away_from: &str, expires_in: &str) -> StartZonalShift {
    StartZonalShift {
        resource_identifier: resource.to_owned(),
        away_from: away_from.to_owned(),
        expires_in: expires_in.to_owned(),
        comment: "a bad deployment".to_owned(),
    }
}

async fn start(
    fixture: &Fixture,
    resource: &str,
    away_from: &str,
    expires_in: &str,
) -> Result<ZonalShiftDescription, ZonalShiftError> {
    let input = start_input(resource, away_from, expires_in);
    fixture.control.start_zonal_shift(input).await
}

/// `Code reason: message` of an error.
fn error<T: Debug>(outcome: Result<T, ZonalShiftError>) -> String {
    let error = outcome.expect_err("the request is refused");
    match &error {
        ZonalShiftError::Validation { reason, .. } => format!("Validation {reason}: {error}"),
        ZonalShiftError::Conflict { reason, .. } => format!("Conflict {reason}: {error}"),
        ZonalShiftError::ResourceNotFound(_) => format!("ResourceNotFound: {error}"),
        ZonalShiftError::Internal(_) => format!("Internal: {error}"),
    }
}

/// The zone and the status of every shift, in the order of their starts.
async fn shifts(fixture: &Fixture) -> Vec<String> {
    let page = fixture
        .control
        .list_zonal_shifts(ListZonalShifts::default())
        .await
        .unwrap();
    let line =
        |it: &ZonalShiftDescription| format!("{} {}", it.shift.away_from.id, it.status.as_str());
    page.items.iter().map(line).collect()
}

/// The zones that the data plane shifts traffic away from: of the listener and of the pool.
fn lowered(fixture: &Fixture) -> (Option<String>, Option<String>) {
    let live = fixture.plane.live();
    let pool = live.pools[0].settings.shifted_zone.as_deref();
    let frontend = live.frontends[0].shifted_zone.as_deref();
    (frontend.map(str::to_owned), pool.map(str::to_owned))
}

fn both(zone: &str) -> (Option<String>, Option<String>) {
    (Some(zone.to_owned()), Some(zone.to_owned()))
}

/// The state of the target and its override, by target.
async fn overrides(fixture: &Fixture, group: &str) -> Vec<String> {
    let input = DescribeTargetHealth {
        target_group_arn: group.to_owned(),
        ..DescribeTargetHealth::default()
    };
    let described = fixture.control.describe_target_health(input).await.unwrap();
    let mut lines: Vec<_> = described
        .iter()
        .map(|it| format!("{} {}", it.health.state, it.administrative_override.state()))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_shift_reaches_the_data_plane_and_ends_in_time() {
    let fixture = fixture().await;
    let (shop, web) = shop(&fixture).await;
    assert_eq!(lowered(&fixture), (None, None));
    let started = start(&fixture, &shop, "use1-az2", "20h").await.unwrap();
    assert_eq!(
        started.shift.expires_at_millis,
        started.shift.started_at_millis + 20 * 60 * 60 * 1000
    );
    assert_eq!(lowered(&fixture), both("us-east-1b"));
    let live = fixture.plane.live();
    let out = live.zones_out_of_dns(&live.frontends[0].dns_name);
    assert_eq!(
        out.iter().map(|zone| &**zone).collect::<Vec<_>>(),
        ["us-east-1b"]
    );
    assert_eq!(
        overrides(&fixture, &web).await,
        ["healthy no_override", "healthy zonal_shift_active"]
    );
    fixture.advance(20 * 60 * 60 - 1);
    fixture.control.expire_zonal_shifts().await.unwrap();
    assert_eq!(shifts(&fixture).await, ["use1-az2 ACTIVE"]);
    fixture.advance(1);
    assert_eq!(
        shifts(&fixture).await,
        ["use1-az2 EXPIRED"],
        "whether that is stored yet or not"
    );
    assert_eq!(lowered(&fixture), both("us-east-1b"));
    fixture.control.expire_zonal_shifts().await.unwrap();
    assert_eq!(shifts(&fixture).await, ["use1-az2 EXPIRED"]);
    assert_eq!(lowered(&fixture), (None, None));
    assert_eq!(overrides(&fixture, &web).await, ["healthy no_override"; 2]);
}

#[tokio::test]
async fn a_change_of_the_shift_does_not_touch_other_load_balancers() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    let blog = fixture.load_balancer("blog").await;
    let posts = fixture.group("posts").await;
    fixture.listener(&blog, 80, forward(&posts)).await;
    let before = fixture.plane.live();
    start(&fixture, &shop, "use1-az1", "1h").await.unwrap();
    let after = fixture.plane.live();
    let of_blog = |snapshot: &engine::Snapshot| {
        let frontend = snapshot.frontends.iter();
        frontend
            .clone()
            .find(|it| *it.dns_name == *blog.dns_name)
            .cloned()
            .unwrap()
    };
    assert!(std::sync::Arc::ptr_eq(&of_blog(&before), &of_blog(&after)));
    let shifted = after
        .frontends
        .iter()
        .filter(|it| it.shifted_zone.is_some());
    assert_eq!(shifted.count(), 1);
}

#[tokio::test]
async fn a_shift_can_be_prolonged_and_canceled() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    let id = start(&fixture, &shop, "use1-az1", "1m")
        .await
        .unwrap()
        .shift
        .id;
    fixture.advance(59);
    let update = |comment: Option<&str>, expires_in: Option<&str>| {
        fixture.control.update_zonal_shift(UpdateZonalShift {
            zonal_shift_id: id.to_string(),
            comment: comment.map(str::to_owned),
            expires_in: expires_in.map(str::to_owned),
        })
    };
    let updated = update(Some("still bad"), None).await.unwrap().shift;
    assert_eq!(updated.comment, "still bad");
    assert_eq!(
        updated.expires_at_millis,
        updated.started_at_millis + 60_000
    );
    let updated = update(None, Some("2m")).await.unwrap().shift;
    assert_eq!(updated.comment, "still bad");
    assert_eq!(
        updated.expires_at_millis,
        updated.started_at_millis + 59_000 + 120_000,
        "the new time counts from the update"
    );
    assert_eq!(
        error(update(None, Some("73h")).await),
        "Validation InvalidExpiresIn: '73h' is not how long a zonal shift can last; write a whole number and 'm' for \
         minutes or 'h' for hours, such as 20h, of 72 hours at most"
    );
    assert_eq!(
        error(update(None, None).await),
        "Validation MissingValue: Nothing is to be changed; give expiresIn, comment or both."
    );
    fixture.advance(60);
    fixture.control.expire_zonal_shifts().await.unwrap();
    assert_eq!(lowered(&fixture), both("us-east-1a"));
    let cancel = || {
        let zonal_shift_id = id.to_string();
        fixture
            .control
            .cancel_zonal_shift(CancelZonalShift { zonal_shift_id })
    };
    cancel().await.unwrap();
    assert_eq!(lowered(&fixture), (None, None));
    assert_eq!(shifts(&fixture).await, ["use1-az1 CANCELED"]);
    let ended = format!(
        "Conflict ZonalShiftStatusNotActive: The zonal shift {id} has the status CANCELED; start another one."
    );
    assert_eq!(error(cancel().await), ended);
    assert_eq!(error(update(Some("x"), None).await), ended);
    let unknown = CancelZonalShift {
        zonal_shift_id: "unknown".to_owned(),
    };
    assert_eq!(
        error(fixture.control.cancel_zonal_shift(unknown).await),
        "ResourceNotFound: There is no zonal shift unknown."
    );
}

#[tokio::test]
async fn a_shift_that_has_expired_is_neither_changed_nor_in_the_way() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    let first = start(&fixture, &shop, "use1-az1", "1m")
        .await
        .unwrap()
        .shift;
    assert_eq!(
        error(start(&fixture, &shop, "use1-az2", "1m").await),
        format!(
            "Conflict ZonalShiftAlreadyExists: The zonal shift {} moves traffic of {shop} away from use1-az1 already; \
             update it or cancel it.",
            first.id
        )
    );
    fixture.advance(60);
    let zonal_shift_id = first.id.to_string();
    let canceled = fixture
        .control
        .cancel_zonal_shift(CancelZonalShift { zonal_shift_id });
    assert_eq!(
        error(canceled.await),
        format!(
            "Conflict ZonalShiftStatusNotActive: The zonal shift {} has the status EXPIRED; start another one.",
            first.id
        )
    );
    start(&fixture, &shop, "use1-az2", "1m").await.unwrap();
    assert_eq!(
        shifts(&fixture).await,
        ["use1-az1 EXPIRED", "use1-az2 ACTIVE"]
    );
    assert_eq!(lowered(&fixture), both("us-east-1b"));
    fixture.control.expire_zonal_shifts().await.unwrap();
    assert_eq!(
        lowered(&fixture),
        both("us-east-1b"),
        "the new one is not due"
    );
}

#[tokio::test]
async fn requests_that_cannot_be_obeyed_are_refused_with_their_reasons() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    let blog = fixture.load_balancer("blog").await.arn.to_string();
    let gone = shop.replace("/shop/", "/shed/");
    let zones = "the zones are use1-az1, use1-az2.";
    for (resource, away_from, expires_in, expected) in [
        ("shop", "use1-az1", "1h", "Validation InvalidResourceIdentifier: 'shop' is not the ARN of a load balancer.".to_owned()),
        (&*gone, "use1-az1", "1h", format!("ResourceNotFound: There is no load balancer {gone}.")),
        (&*blog, "use1-az1", "1h", format!("ResourceNotFound: The load balancer {blog} is not registered for zonal shifts; set its attribute zonal_shift.config.enabled to true.")),
        (&*shop, "us-east-1a", "1h", format!("Validation InvalidAz: 'us-east-1a' is not the id of a zone; {zones}")),
        (&*shop, "use1-az3", "1h", format!("Validation InvalidAz: 'use1-az3' is not the id of a zone; {zones}")),
        (&*shop, "use1-az1", "3d", "Validation InvalidExpiresIn: '3d' is not how long a zonal shift can last; write a whole number and 'm' for minutes or 'h' for hours, such as 20h, of 72 hours at most".to_owned()),
    ] {
        let outcome = start(&fixture, resource, away_from, expires_in).await;
        assert_eq!(error(outcome), expected);
    }
    assert!(shifts(&fixture).await.is_empty());
    let status = ListZonalShifts {
        status: Some("DONE".to_owned()),
        ..ListZonalShifts::default()
    };
    assert_eq!(
        error(fixture.control.list_zonal_shifts(status).await),
        "Validation InvalidStatus: 'DONE' is not a status; use one of ACTIVE, EXPIRED, CANCELED."
    );
    let unmanaged = GetManagedResource {
        resource_identifier: blog,
    };
    let unmanaged = fixture.control.get_managed_resource(unmanaged).await;
    assert!(error(unmanaged).starts_with("ResourceNotFound: "));
}

#[tokio::test]
async fn a_load_balancer_without_the_zone_is_told_so() {
    let three_zones = |settings: &mut control::Settings| {
        let mut third = settings.topology.zones[1].clone();
        third.name = "us-east-1c".to_owned();
        third.subnet = "127.65.3.0/24".parse().ok();
        settings.topology.zones.push(third);
    };
    let fixture = crate::support::fixture_with(three_zones).await;
    let mut input = fixture.load_balancer_input("shop");
    input.subnets.truncate(2);
    let shop = fixture.control.create_load_balancer(input).await.unwrap();
    enable(&fixture, &shop.load_balancer, "true").await;
    let shop = shop.load_balancer.arn.to_string();
    assert_eq!(
        error(start(&fixture, &shop, "use1-az3", "1h").await),
        format!("Validation UnsupportedAz: {shop} is not in the zone use1-az3.")
    );
}

#[tokio::test]
async fn a_shift_survives_a_restart_and_a_failing_store() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    fixture.store.fails.store(true, Ordering::SeqCst);
    let failed = start(&fixture, &shop, "use1-az1", "1h").await;
    assert!(error(failed).starts_with("Internal: the change could not be saved"));
    assert_eq!(lowered(&fixture), (None, None));
    fixture.store.fails.store(false, Ordering::SeqCst);
    start(&fixture, &shop, "use1-az1", "1h").await.unwrap();
    let again = fixture.restart().await;
    assert_eq!(lowered(&again), both("us-east-1a"));
    again.advance(60 * 60);
    again.store.fails.store(true, Ordering::SeqCst);
    assert!(again.control.expire_zonal_shifts().await.is_err());
    assert_eq!(lowered(&again), both("us-east-1a"), "it stays due");
    again.store.fails.store(false, Ordering::SeqCst);
    again.control.expire_zonal_shifts().await.unwrap();
    assert_eq!(lowered(&again), (None, None));
    assert_eq!(shifts(&again).await, ["use1-az1 EXPIRED"]);
}

#[tokio::test]
async fn a_load_balancer_that_goes_takes_its_shift_with_it() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    start(&fixture, &shop, "use1-az1", "1h").await.unwrap();
    let input = DeleteLoadBalancer {
        load_balancer_arn: shop.clone(),
    };
    fixture.control.delete_load_balancer(input).await.unwrap();
    assert_eq!(shifts(&fixture).await, ["use1-az1 CANCELED"]);
    let again = fixture.restart().await;
    assert_eq!(shifts(&again).await, ["use1-az1 CANCELED"]);
}

#[tokio::test]
async fn a_load_balancer_that_is_no_managed_resource_any_more_has_no_shift() {
    let fixture = fixture().await;
    let (arn, _) = shop(&fixture).await;
    start(&fixture, &arn, "use1-az1", "1h").await.unwrap();
    let shop = fixture.load_balancer("shop").await;
    let managed = || {
        fixture
            .control
            .list_managed_resources(ListManagedResources::default())
    };
    let [resource] = &managed().await.unwrap().items[..] else {
        panic!("one load balancer is a managed resource");
    };
    let weights: Vec<_> = resource.applied_weights().collect();
    assert_eq!(weights, [("use1-az1", 0.0), ("use1-az2", 1.0)]);
    enable(&fixture, &shop, "false").await;
    assert_eq!(lowered(&fixture), (None, None));
    assert_eq!(shifts(&fixture).await, ["use1-az1 CANCELED"]);
    assert!(managed().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn shifts_come_in_pages_and_old_ones_are_forgotten() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    for _ in 0..1003 {
        start(&fixture, &shop, "use1-az1", "1m").await.unwrap();
        fixture.advance(60);
    }
    let (mut next_token, mut sizes, mut starts) = (None, Vec::new(), Vec::new());
    loop {
        let input = ListZonalShifts {
            status: Some("EXPIRED".to_owned()),
            resource_identifier: Some(shop.clone()),
            paging: Paging {
                next_token,
                max_results: None,
            },
        };
        let page = fixture.control.list_zonal_shifts(input).await.unwrap();
        sizes.push(page.items.len());
        starts.extend(page.items.iter().map(|it| it.shift.started_at_millis));
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(
        starts.len(),
        1001,
        "1000 that had ended when the last one was started"
    );
    assert_eq!(sizes, [vec![100; 10], vec![1]].concat());
    assert!(starts.is_sorted_by(|a, b| a < b));
    let token = ListZonalShifts {
        paging: Paging {
            next_token: Some("x".to_owned()),
            max_results: None,
        },
        ..ListZonalShifts::default()
    };
    assert_eq!(
        error(fixture.control.list_zonal_shifts(token).await),
        "Validation InvalidToken: The token 'x' is not valid; use the nextToken of an answer to the same request."
    );
}

/// The fake clock stands still at the deadline, so that the loop has nothing to wait for.
#[tokio::test]
async fn the_background_ends_shifts() {
    let fixture = fixture().await;
    let (shop, _) = shop(&fixture).await;
    start(&fixture, &shop, "use1-az1", "1m").await.unwrap();
    fixture.advance(60);
    let control = fixture.control.clone();
    let background = tokio::spawn(async move { control.run_background().await });
    while lowered(&fixture) != (None, None) {
        tokio::task::yield_now().await;
    }
    background.abort();
}

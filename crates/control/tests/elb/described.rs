//! A snapshot as text: two that say the same are served alike.

use std::fmt::Write;
use std::sync::Arc;

use engine::{Action, Frontend, Pool, Routing, Snapshot};

use crate::live::Get;

/// What the data plane would do by this snapshot, with rules for the paths `/0` to `/<paths_max>`. What is known
/// about targets is not part of it.
pub(crate) fn described(snapshot: &Snapshot, paths_max: i32) -> String {
    let mut text = format!("{:?}\n", snapshot.addresses);
    for frontend in &snapshot.frontends {
        describe_frontend(frontend, paths_max, &mut text);
        let is_checked = |pool: &Arc<Pool>| snapshot.pools.iter().any(|it| Arc::ptr_eq(it, pool));
        assert!(
            frontend.router.pools().all(is_checked),
            "all pools are checked: {text}"
        );
    }
    for pool in &snapshot.pools {
        writeln!(text, "{:?} {:?}", pool.id, pool.settings).unwrap();
        for endpoint in &pool.endpoints {
            let facts = (
                endpoint.address,
                endpoint.check_address,
                &endpoint.zone,
                endpoint.key,
                endpoint.reach,
            );
            writeln!(text, "  {facts:?} {}", endpoint.state.is_draining()).unwrap();
        }
    }
    text
}

fn describe_frontend(frontend: &Frontend, paths_max: i32, text: &mut String) {
    let facts = (
        frontend.id,
        &frontend.addresses,
        &frontend.zones,
        &frontend.shifted_zone,
        &frontend.admission,
        frontend.idle_timeout,
        frontend.client_keep_alive,
        &frontend.dns_name,
        &frontend.tls,
        &frontend.http,
    );
    writeln!(text, "{facts:?}").unwrap();
    for action in frontend.router.actions() {
        writeln!(text, "  {}", described_action(action)).unwrap();
    }
    // Which rule a request gets says what has been compiled from the conditions.
    let priority = |path: i32| frontend.router.route(&Get(&format!("/{path}"))).0;
    let priorities: Vec<_> = (0..=paths_max).map(priority).collect();
    writeln!(text, "  {priorities:?}").unwrap();
}

fn described_action(action: &Action) -> String {
    let routing = match &action.routing {
        Routing::Forward(forward) => {
            let pools = forward
                .weighted_pools()
                .map(|(pool, weight)| (pool.id, weight));
            let pools: Vec<_> = pools.collect();
            format!("{pools:?} {:?}", forward.stickiness)
        }
        other => format!("{other:?}"),
    };
    let extensions = action.extensions.as_ref().map(|it| {
        let mirror = it.mirror.as_ref();
        let mirror = mirror.map(|mirror| (mirror.pool.id, mirror.percentage));
        (
            &it.request_fields,
            &it.response_fields,
            &it.rate_limiter,
            mirror,
        )
    });
    let (authentication, transforms) = (&action.authentication, &action.transforms);
    format!("{authentication:?} {transforms:?} {extensions:?} {routing}")
}

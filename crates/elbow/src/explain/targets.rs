//! The target groups a request may go to: who can get it, why the others cannot, and who is next.

use std::collections::HashMap;

use control::elb::describe_target_health::{DescribeTargetHealth, TargetHealthDescription};
use control::elb::dropped_connections::DroppedConnections;
use control::{Control, State};
use engine::{Algorithm, Choice, Forward, Pool, Reach, Stickiness};
use model::id::TargetGroupId;
use proxy::explain::{Forwarded, StickinessCookie};

use super::node::Node;
use super::{Cookie, QuestionError, Target, TargetGroup};

/// The target groups of a forward action, with what is known of each target; if a cookie has the request stay with one
/// of them, that one alone.
///
/// # Errors
/// A target group is gone meanwhile.
pub(super) async fn target_groups(
    control: &Control,
    state: &State,
    node: &Node<'_>,
    forward: &Forward,
    forwarded: &Forwarded<'_>,
) -> Result<Vec<TargetGroup>, QuestionError> {
    let weights: u32 = forward.weighted_pools().map(|(_, weight)| weight).sum();
    let stays_with = forwarded.stays_with().map(|pool| pool.id);
    let mut groups = Vec::new();
    for (pool, weight) in forward.weighted_pools() {
        if stays_with.is_some_and(|id| id != pool.id) {
            continue;
        }
        let arn = state.elb.target_groups.get(&TargetGroupId(pool.id.0));
        let arn = arn.map_or_else(String::new, |group| group.arn.to_string());
        let are_in_reach = pool.endpoints.iter().all(|it| it.reach == Reach::FULL);
        let dropped = match are_in_reach {
            true => Vec::new(),
            false => control.dropped_connections(Some(TargetGroupId(pool.id.0))),
        };
        let targets = targets(control, pool, &arn, (&node.zone, &dropped)).await?;
        let mut cookies = forwarded.endpoint_cookies.iter();
        let cookie = cookies.find(|(id, _)| *id == pool.id);
        let stay =
            cookie.map(|(_, cookie)| (cookie.name, stay(cookie, pool, &node.zone, &targets)));
        let next = match &stay {
            Some((_, Ok(named))) => Some(named.clone()),
            _ => pool
                .peek_target(Some(&node.zone))
                .and_then(|next| Some(named(&targets, next.key)?.target.clone())),
        };
        let fails_open = targets
            .iter()
            .any(|(_, it)| it.is_eligible && it.state != "healthy");
        groups.push(TargetGroup {
            name: group_name(state, pool),
            arn,
            weight,
            weights,
            refusal: refusal(pool, forwarded, &targets).map(str::to_owned),
            algorithm: algorithm(pool.settings.algorithm).to_owned(),
            fails_open,
            stickiness: stickiness(&pool.settings.stickiness),
            cookie: stay.map(|(name, stay)| Cookie {
                name: name.to_owned(),
                fault: stay.err(),
            }),
            next,
            targets: targets.into_iter().map(|(_, target)| target).collect(),
        });
    }
    Ok(groups)
}

fn named(targets: &[(u64, Target)], key: u64) -> Option<&Target> {
    let mut targets = targets.iter();
    targets.find(|(its, _)| *its == key).map(|(_, it)| it)
}

/// The target that a cookie has the request stay with.
///
/// # Errors
/// Why it goes to another.
fn stay(
    cookie: &StickinessCookie<u64>,
    pool: &Pool,
    zone: &str,
    targets: &[(u64, Target)],
) -> Result<String, String> {
    let key = cookie.named.map_err(|fault| fault.to_string())?;
    let target = named(targets, key).ok_or("the target that it names is no longer registered")?;
    let choice = Choice {
        zone: Some(zone),
        ..Choice::default()
    };
    if pool.endpoint_by_key(key, choice).is_none() {
        return Err(format!(
            "{}, which it names, is not eligible",
            target.target
        ));
    }
    if target.is_out_of_reach {
        return Err(format!(
            "security groups drop new connections to {}, which it names",
            target.target
        ));
    }
    Ok(target.target.clone())
}

/// Why a target group answers with an error.
fn refusal(
    pool: &Pool,
    forwarded: &Forwarded<'_>,
    targets: &[(u64, Target)],
) -> Option<&'static str> {
    if forwarded.unsuited.contains(&pool.id) {
        return Some("464: its targets speak a version of HTTP that the request does not go with");
    }
    let mut eligible = targets.iter().filter(|(_, it)| it.is_eligible).peekable();
    if eligible.peek().is_none() {
        return Some("503: it has no target that can get requests");
    }
    eligible
        .all(|(_, it)| it.is_out_of_reach)
        .then_some("504: security groups drop new connections to its targets")
}

/// The name of the target group that a pool is.
pub(super) fn group_name(state: &State, pool: &Pool) -> String {
    let group = state.elb.target_groups.get(&TargetGroupId(pool.id.0));
    group.map_or_else(String::new, |group| group.name().to_owned())
}

/// The targets of a group with their keys.
async fn targets(
    control: &Control,
    pool: &Pool,
    arn: &str,
    (zone, dropped): (&str, &[DroppedConnections]),
) -> Result<Vec<(u64, Target)>, QuestionError> {
    let described = control.describe_target_health(DescribeTargetHealth {
        target_group_arn: arn.to_owned(),
        ..DescribeTargetHealth::default()
    });
    let candidates = pool.candidates_in(Some(zone));
    let candidates: HashMap<_, _> = candidates.iter().map(|it| (it.key, it)).collect();
    let endpoints: HashMap<_, _> = pool.endpoints.iter().map(|it| (it.key, it)).collect();
    let mut reasons_by_target: HashMap<_, Vec<String>> = HashMap::new();
    for record in dropped {
        for (id, port, address) in &record.targets {
            let reasons = reasons_by_target.entry((id.as_str(), *port)).or_default();
            reasons.push(record.reason(*address));
        }
    }
    let target = |description: TargetHealthDescription| {
        let id = description.target.id;
        let port = description
            .target
            .port
            .and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_default();
        let key = control::endpoint_key(TargetGroupId(pool.id.0), &id, port);
        let candidate = candidates.get(&key);
        let endpoint = endpoints.get(&key);
        let is_eligible = candidate.is_some_and(|it| !it.state.is_draining());
        let health = description.health;
        let is_in_reach = endpoint.is_none_or(|it| {
            pool.settings.is_cross_zone || it.zone.as_deref().is_none_or(|its| its == zone)
        });
        let is_shifted = endpoint.is_some_and(|it| {
            pool.settings.shifted_zone.is_some() && it.zone == pool.settings.shifted_zone
        });
        let reason = match (&health.reason, &health.description) {
            (Some(reason), Some(text)) => format!("{reason}: {text}"),
            (Some(reason), None) => reason.to_string(),
            _ if is_eligible => String::new(),
            _ if !is_in_reach => {
                format!("it is not in {zone}, and the target group is not cross-zone")
            }
            _ if is_shifted => "traffic is shifted away from its zone".to_owned(),
            _ => "it has just become healthy".to_owned(),
        };
        let reasons = Some(reason).into_iter().filter(|it| !it.is_empty());
        let dropped = reasons_by_target.get(&(&*id, port));
        let reasons = reasons.chain(dropped.into_iter().flatten().cloned());
        let is_out_of_reach = endpoint.is_some_and(|it| !it.reach.admits_requests);
        let target = Target {
            target: format!("{id}:{port}"),
            state: health.state.to_string(),
            is_eligible,
            is_out_of_reach,
            reason: reasons.collect::<Vec<_>>().join("; "),
        };
        (key, target)
    };
    Ok(described.await?.into_iter().map(target).collect())
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RoundRobin { .. } => "round_robin",
        Algorithm::LeastOutstandingRequests => "least_outstanding_requests",
        Algorithm::WeightedRandom { .. } => "weighted_random",
    }
}

fn stickiness(stickiness: &Stickiness) -> Option<String> {
    let (cookie, duration) = match stickiness {
        Stickiness::Off => return None,
        Stickiness::LoadBalancerCookie { duration } => ("AWSALB".to_owned(), duration),
        Stickiness::ApplicationCookie { name, duration } => {
            (format!("AWSALBAPP-0 beside {name}"), duration)
        }
    };
    let seconds = duration.as_secs();
    Some(format!("a cookie {cookie} keeps a client for {seconds} s"))
}

//! The targets that a node sends requests to: those it can reach, without the unhealthy ones unless too few
//! are healthy.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::endpoint::Endpoint;
use crate::pool::PoolSettings;

/// How many healthy targets are enough.
///
/// Source: ELB API, `TargetGroupAttribute`, `target_group_health.*.minimum_healthy_targets.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthThreshold {
    /// At least so many, 1 to 1,000; `None`: off.
    pub count: Option<u32>,
    /// At least this part of the registered ones, 1 to 100 percent; `None`: off.
    pub percentage: Option<u32>,
}

impl Default for HealthThreshold {
    fn default() -> Self {
        Self {
            count: Some(1),
            percentage: None,
        }
    }
}

/// How many targets there are, and how many of them are well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolHealth {
    /// Those without the draining ones.
    pub registered: usize,
    /// The healthy ones among `registered`.
    pub healthy: usize,
}

impl HealthThreshold {
    /// Whether enough are healthy: as many as either of both bounds asks for.
    #[must_use]
    pub fn is_met(&self, health: PoolHealth) -> bool {
        let has_count = self
            .count
            .is_none_or(|count| health.healthy >= count as usize);
        let has_percentage = self.percentage.is_none_or(|percentage| {
            health.healthy * 100 >= health.registered * percentage as usize
        });
        has_count && has_percentage
    }
}

impl PoolHealth {
    /// The health of these targets.
    pub(crate) fn of<'a>(endpoints: impl Iterator<Item = &'a Arc<Endpoint>>) -> Self {
        let count = |health: Self, endpoint: &Arc<Endpoint>| Self {
            registered: health.registered + 1,
            healthy: health.healthy + usize::from(endpoint.state.health().is_healthy()),
        };
        let serving = endpoints.filter(|endpoint| !endpoint.state.is_draining());
        serving.fold(Self::default(), count)
    }
}

/// The candidates of the nodes in every zone.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Those of the zones that have targets, if each zone is for itself.
    by_zone: Vec<(Arc<str>, ZoneCandidates)>,
    /// Those of all other nodes.
    elsewhere: ZoneCandidates,
}

/// The candidates of the nodes in one zone.
#[derive(Debug, Default)]
pub(crate) struct ZoneCandidates {
    /// What requests go to.
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    /// All that the node can reach, whatever their health.
    pub(crate) reachable: Vec<Arc<Endpoint>>,
    /// How far the turns have come; goes on when the candidates change.
    pub(crate) turns: Arc<AtomicUsize>,
    /// The keys of `endpoints`, sorted, with their indexes.
    by_key: Vec<(u64, usize)>,
}

impl Candidates {
    /// Those that follow from the present health of `endpoints`; `before` are those before them.
    pub(crate) fn of(
        settings: &PoolSettings,
        endpoints: &[Arc<Endpoint>],
        before: &Candidates,
    ) -> Self {
        let zones = endpoints
            .iter()
            .filter_map(|endpoint| endpoint.zone.as_ref());
        let zones: BTreeSet<_> = zones.filter(|_| !settings.is_cross_zone).collect();
        let in_zone = |zone: &Arc<str>| {
            let reached = reachable(settings, endpoints, Some(zone));
            let turns = before.find(zone).map(|known| &known.turns);
            let candidates = ZoneCandidates::of(settings, reached.cloned().collect(), turns);
            (Arc::clone(zone), candidates)
        };
        let others = reachable(settings, endpoints, None).cloned().collect();
        Self {
            by_zone: zones.into_iter().map(in_zone).collect(),
            elsewhere: ZoneCandidates::of(settings, others, Some(&before.elsewhere.turns)),
        }
    }

    /// Those of a node in `zone`.
    pub(crate) fn in_zone(&self, zone: Option<&str>) -> &ZoneCandidates {
        let known = zone.and_then(|zone| self.find(zone));
        known.unwrap_or(&self.elsewhere)
    }

    fn find(&self, zone: &str) -> Option<&ZoneCandidates> {
        let found = self.by_zone.iter().find(|(name, _)| **name == *zone)?;
        Some(&found.1)
    }
}

/// The targets that a node in `zone` may send requests to.
pub(crate) fn reachable<'a>(
    settings: &PoolSettings,
    endpoints: &'a [Arc<Endpoint>],
    zone: Option<&'a str>,
) -> impl Iterator<Item = &'a Arc<Endpoint>> {
    let is_cross_zone = settings.is_cross_zone;
    let is_reachable = move |endpoint: &&Arc<Endpoint>| match &endpoint.zone {
        Some(its) => is_cross_zone || Some(&**its) == zone,
        None => true,
    };
    endpoints.iter().filter(is_reachable)
}

impl ZoneCandidates {
    /// The healthy ones that traffic is not shifted away from; when these are too few, it is as if nothing were
    /// shifted: the healthy ones, or when they are too few too, all of them ("fail open").
    ///
    /// Source: ALB guide, "Target group health"; ARC guide, "Supported resources": a zonal shift has no effect
    /// on a load balancer that fails open.
    fn of(
        settings: &PoolSettings,
        mut reachable: Vec<Arc<Endpoint>>,
        turns: Option<&Arc<AtomicUsize>>,
    ) -> Self {
        reachable.retain(|endpoint| !endpoint.state.is_draining());
        let staying = |endpoint: &&Arc<Endpoint>| !settings.is_shifted(endpoint);
        let after_shift = || {
            settings.shifted_zone.as_ref()?;
            let healthy = enough_healthy(settings, reachable.iter().filter(staying))?;
            // A threshold that is off is met by no target at all.
            (!healthy.is_empty()).then_some(healthy)
        };
        let endpoints = after_shift()
            .or_else(|| enough_healthy(settings, reachable.iter()))
            .unwrap_or_else(|| reachable.clone());
        let mut by_key: Vec<_> = (0..).zip(&endpoints).map(|(at, it)| (it.key, at)).collect();
        by_key.sort_unstable();
        Self {
            endpoints,
            reachable,
            turns: turns.cloned().unwrap_or_default(),
            by_key,
        }
    }

    /// The candidate with this key.
    pub(crate) fn find(&self, key: u64) -> Option<&Arc<Endpoint>> {
        let at = self.by_key.binary_search_by_key(&key, |(key, _)| *key);
        Some(&self.endpoints[self.by_key[at.ok()?].1])
    }
}

/// The healthy ones of `endpoints`, unless they are too few.
fn enough_healthy<'a>(
    settings: &PoolSettings,
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>>,
) -> Option<Vec<Arc<Endpoint>>> {
    let mut registered = 0;
    let counted = endpoints.inspect(|_| registered += 1);
    let healthy = counted.filter(|endpoint| endpoint.state.health().is_healthy());
    let healthy: Vec<_> = healthy.cloned().collect();
    let health = PoolHealth {
        registered,
        healthy: healthy.len(),
    };
    settings.routing_threshold.is_met(health).then_some(healthy)
}

//! From the tags of rules to what the data plane does beyond AWS.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;

use engine::{Extensions, Mirror, Pool, RateLimiter};
use model::arn::RuleArn;
use model::extension::{self, RateLimit};
use model::id::RuleId;
use model::listener::Listener;
use model::rule::Rule;
use model::tag::Tags;

use super::pools::Pools;

/// The extensions of the rules that have any, with what they were made from.
pub(super) type LoweredExtensions = BTreeMap<RuleId, (extension::Extensions, Arc<Extensions>)>;

/// The extensions of a listener's rules, its default rule among them. What asks for the same as `before` is
/// the same.
pub(super) fn lower(
    listener: &Listener,
    rules: &[Arc<Rule>],
    pools: &Pools,
    before: Option<&LoweredExtensions>,
) -> LoweredExtensions {
    let numbered = rules.iter().map(|rule| (rule.arn.id, &rule.tags));
    let default = (listener.default_rule_id, &listener.default_rule_tags);
    let lower_one = |(id, tags): (RuleId, &Tags)| {
        let (wanted, faults) = extension::Extensions::read(tags);
        // None that is given to a rule today is stored, so that all of them are there at the first time.
        if before.is_none() {
            for fault in faults {
                let listener = listener.arn.clone();
                let rule = RuleArn { listener, id };
                tracing::warn!(%rule, "a stored tag has no effect, and should be removed: {fault}");
            }
        }
        if wanted.is_empty() {
            return None;
        }
        let known = before.and_then(|before| before.get(&id));
        let mirror = wanted.mirror.as_ref().map(|mirror| Mirror {
            pool: Arc::clone(pools.of(mirror.target_group.id)),
            percentage: mirror.percentage,
        });
        let lowered = match known {
            Some((asked, known)) if *asked == wanted && is_same(known, mirror.as_ref()) => {
                Arc::clone(known)
            }
            _ => Arc::new(new_extensions(&wanted, mirror, known)),
        };
        Some((id, (wanted, lowered)))
    };
    numbered.chain([default]).filter_map(lower_one).collect()
}

/// Whether the copies go to the very same pool as before.
fn is_same(known: &Extensions, mirror: Option<&Mirror>) -> bool {
    let pool = |mirror: &Mirror| Arc::<Pool>::as_ptr(&mirror.pool);
    known.mirror.as_ref().map(pool) == mirror.map(pool)
}

/// A limit that stays the same goes on counting.
fn new_extensions(
    wanted: &extension::Extensions,
    mirror: Option<Mirror>,
    known: Option<&(extension::Extensions, Arc<Extensions>)>,
) -> Extensions {
    let known = known.and_then(|(_, known)| known.rate_limiter.as_ref());
    let limiter = |limit: &RateLimit| match known {
        Some(known) if known.limit() == limit => Arc::clone(known),
        // The numbers keep clients from choosing keys that get into each other's way; nothing else is random.
        _ => Arc::new(RateLimiter::new(limit.clone(), RandomState::new())),
    };
    Extensions {
        request_fields: wanted.request_fields.clone(),
        response_fields: wanted.response_fields.clone(),
        rate_limiter: wanted.rate_limit.as_ref().map(limiter),
        mirror,
    }
}

//! Which rules can have copies of their requests sent to a second target group, and to which one. An extension
//! of elbow, said by tags of the rule.

use model::action::Actions;
use model::arn::TargetGroupArn;
use model::extension::mirror;
use model::id::TargetGroupId;
use model::load_balancer::LoadBalancer;
use model::tag::Tags;
use model::target_group::ProtocolVersion;

use super::{ElbError, find, forwarding};
use crate::state::State;

/// The target groups that get requests of a rule, or copies of them.
pub(crate) fn target_groups<'a>(
    actions: &'a Actions,
    tags: &Tags,
) -> impl Iterator<Item = TargetGroupId> + use<'a> {
    let forwarded = actions.target_groups().map(|arn| arn.id);
    forwarded.chain(mirror::target_group(tags).map(|arn| arn.id))
}

/// Whether a rule with these actions and tags can do what the tags say of copies.
pub(super) fn check(
    state: &State,
    load_balancer: &LoadBalancer,
    actions: &Actions,
    tags: &Tags,
) -> Result<(), ElbError> {
    let Some(arn) = mirror::target_group(tags) else {
        return Ok(());
    };
    find::target_group(state, &arn.to_string())?;
    let key = mirror::TARGET_GROUP;
    if actions.forward().is_none() {
        return Err(ElbError::Validation(format!(
            "The tag '{key}' is for rules with an action of type 'forward'; remove it, or forward"
        )));
    }
    let is_beyond_http1 = |arn: &&TargetGroupArn| {
        state.elb.target_groups[&arn.id].protocol_version != ProtocolVersion::Http1
    };
    if let Some(other) = actions.target_groups().chain([&arn]).find(is_beyond_http1) {
        return Err(ElbError::Validation(format!(
            "The tag '{key}' is for target groups with the protocol version HTTP1, and '{other}' has another one"
        )));
    }
    forwarding::check(state, load_balancer, [&arn])
}

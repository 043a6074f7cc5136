//! From the tags of rules to what the data plane does beyond AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Extensions;
use model::extension::{self, InvalidExtension};
use model::id::RuleId;
use model::listener::Listener;
use model::rule::Rule;
use model::tag::Tags;

/// The extensions of the rules that have any, with what they were made from.
pub(super) type LoweredExtensions = BTreeMap<RuleId, (extension::Extensions, Arc<Extensions>)>;

/// The extensions of a listener's rules, its default rule among them. What asks for the same as `before` is
/// the same.
///
/// # Errors
/// `InvalidExtension` for a stored tag that cannot be obeyed; none that is given to a rule today is stored.
pub(super) fn lower(
    listener: &Listener,
    rules: &[Arc<Rule>],
    before: Option<&LoweredExtensions>,
) -> Result<LoweredExtensions, InvalidExtension> {
    let numbered = rules.iter().map(|rule| (rule.arn.id, &rule.tags));
    let default = (listener.default_rule_id, &listener.default_rule_tags);
    let lower_one = |(id, tags): (RuleId, &Tags)| {
        let wanted = extension::Extensions::parse(tags)?;
        if wanted.is_empty() {
            return Ok(None);
        }
        let known = before.and_then(|before| before.get(&id));
        let lowered = match known {
            Some((asked, known)) if *asked == wanted => Arc::clone(known),
            _ => Arc::new(new_extensions(&wanted)),
        };
        Ok(Some((id, (wanted, lowered))))
    };
    numbered
        .chain([default])
        .filter_map(|rule| lower_one(rule).transpose())
        .collect()
}

fn new_extensions(wanted: &extension::Extensions) -> Extensions {
    Extensions {
        request_fields: wanted.request_fields.clone(),
        response_fields: wanted.response_fields.clone(),
    }
}

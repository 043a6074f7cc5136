//! `DeleteListener`: with its rules; its connections are closed.

use model::id::ListenerId;
use model::listener::Listener;
use model::rule::Rule;

use super::{ElbError, RuleKey, find};
use crate::{Control, Draft};

/// Source: ELB API, `DeleteListener`.
#[derive(Clone, Debug, Default)]
pub struct DeleteListener {
    /// `ListenerArn`.
    pub listener_arn: String,
}

impl Control {
    /// Deletes a listener.
    ///
    /// # Errors
    /// `ListenerNotFound`, `Validation`.
    pub async fn delete_listener(&self, input: DeleteListener) -> Result<(), ElbError> {
        self.transact(move |draft| {
            let id = find::listener(draft.state(), &input.listener_arn)?.arn.id;
            remove(draft, id);
            Ok(())
        })
        .await
    }
}

/// Removes a listener and its rules.
pub(super) fn remove(draft: &mut Draft, listener: ListenerId) {
    let rules = draft.state().elb.rules_of(listener);
    let rules: Vec<_> = rules.into_iter().map(|rule| rule.arn.id).collect();
    for id in rules {
        draft.remove::<Rule>(&RuleKey { listener, id });
    }
    draft.remove::<Listener>(&listener);
}

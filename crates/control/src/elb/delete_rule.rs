//! `DeleteRule`: any rule but the default.

use model::rule::Rule;

use super::{ElbError, find};
use crate::Control;
use crate::record::Record;

/// Source: ELB API, `DeleteRule`.
#[derive(Clone, Debug, Default)]
pub struct DeleteRule {
    /// `RuleArn`.
    pub rule_arn: String,
}

impl Control {
    /// Deletes a rule.
    ///
    /// # Errors
    /// `RuleNotFound`, `OperationNotPermitted` for a default rule, `Validation`.
    pub async fn delete_rule(&self, input: DeleteRule) -> Result<(), ElbError> {
        self.transact(move |draft| {
            let key = find::numbered_rule(draft.state(), &input.rule_arn, "deleted")?.key();
            draft.remove::<Rule>(&key);
            Ok(())
        })
        .await
    }
}

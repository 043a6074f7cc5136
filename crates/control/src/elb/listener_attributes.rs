//! `DescribeListenerAttributes` and `ModifyListenerAttributes`.

use model::attributes;
use model::listener::Listener;
use model::listener_attributes::{check_names, table};

use super::attributes::{Table, change};
use super::input::Pairs;
use super::{AttributeList, ElbError, find};
use crate::Control;

/// Source: ELB API, `DescribeListenerAttributes`.
#[derive(Clone, Debug, Default)]
pub struct DescribeListenerAttributes {
    /// `ListenerArn`.
    pub listener_arn: String,
}

/// Source: ELB API, `ModifyListenerAttributes`.
#[derive(Clone, Debug, Default)]
pub struct ModifyListenerAttributes {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Attributes`.
    pub attributes: Pairs,
}

impl Control {
    /// Every attribute of a listener.
    ///
    /// # Errors
    /// `ListenerNotFound`, `Validation`.
    pub async fn describe_listener_attributes(
        &self,
        input: DescribeListenerAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.read(|state| {
            let listener = find::listener(state, &input.listener_arn)?;
            Ok(listener.attributes.describe(table(listener.protocol)))
        })
    }

    /// Changes all of the attributes, or none; the answer has every attribute.
    ///
    /// # Errors
    /// `ListenerNotFound`, `InvalidConfigurationRequest`, `Validation`.
    pub async fn modify_listener_attributes(
        &self,
        input: ModifyListenerAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.transact(move |draft| {
            let mut listener = Listener::clone(find::listener(draft.state(), &input.listener_arn)?);
            let table = Table {
                resource: "Listener",
                attributes: table(listener.protocol),
                other_types: &[],
                type_text: "",
            };
            let known = |key: &String| attributes::find(table.attributes, key).is_some();
            if !input.attributes.iter().all(|(key, _)| known(key)) {
                let message = "The provided listener attribute is not supported";
                return Err(ElbError::InvalidConfigurationRequest(message.to_owned()));
            }
            let changed = change(&table, &listener.attributes, &input.attributes, |it| *it)?;
            check_names(&changed).map_err(|error| ElbError::Validation(error.to_string()))?;
            let described = changed.describe(table.attributes);
            if changed != listener.attributes {
                listener.attributes = changed;
                draft.put(listener);
            }
            Ok(described)
        })
        .await
    }
}

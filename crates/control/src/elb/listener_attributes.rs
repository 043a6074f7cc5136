//! `DescribeListenerAttributes` and `ModifyListenerAttributes`.

use model::listener::Listener;
use model::listener_attributes::HTTP;

use super::attributes::{Table, change};
use super::input::Pairs;
use super::{AttributeList, ElbError, find};
use crate::Control;

const TABLE: Table = Table {
    resource: "Listener",
    attributes: HTTP,
    other_types: &[],
    type_text: "",
};

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
            Ok(listener.attributes.describe(HTTP))
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
            let known = |key: &String| model::attributes::find(HTTP, key).is_some();
            if !input.attributes.iter().all(|(key, _)| known(key)) {
                let message = "The provided listener attribute is not supported";
                return Err(ElbError::InvalidConfigurationRequest(message.to_owned()));
            }
            let changed = change(&TABLE, &listener.attributes, &input.attributes, |it| *it)?;
            let described = changed.describe(HTTP);
            if changed != listener.attributes {
                listener.attributes = changed;
                draft.put(listener);
            }
            Ok(described)
        })
        .await
    }
}

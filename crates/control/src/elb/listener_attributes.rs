//! `DescribeListenerAttributes` and `ModifyListenerAttributes`.

use model::attributes::{self, Attributes};
use model::extension::{ATTRIBUTE_PREFIX, LISTENER_TABLES, error_page};
use model::listener::Listener;
use model::listener_attributes::{check_names, table};
use model::protocol::Protocol;

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
    /// Every attribute of a listener, and the extensions that are set.
    ///
    /// # Errors
    /// `ListenerNotFound`, `Validation`.
    pub async fn describe_listener_attributes(
        &self,
        input: DescribeListenerAttributes,
    ) -> Result<AttributeList, ElbError> {
        self.read(|state| {
            let listener = find::listener(state, &input.listener_arn)?;
            Ok(describe(listener.protocol, &listener.attributes))
        })
    }

    /// Changes all of the attributes, or none; the answer is that of `describe_listener_attributes`.
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
                extensions: LISTENER_TABLES,
                other_types: &[],
                type_text: "",
            };
            // What only elbow could know is refused by name.
            let known = |key: &String| {
                key.starts_with(ATTRIBUTE_PREFIX)
                    || attributes::find(table.attributes, key).is_some()
            };
            if !input.attributes.iter().all(|(key, _)| known(key)) {
                let message = "The provided listener attribute is not supported";
                return Err(ElbError::InvalidConfigurationRequest(message.to_owned()));
            }
            let changed = change(&table, &listener.attributes, &input.attributes, |it| *it)?;
            check_names(&changed).map_err(|error| ElbError::Validation(error.to_string()))?;
            error_page::check(&changed).map_err(|error| ElbError::Validation(error.to_string()))?;
            let described = describe(listener.protocol, &changed);
            if changed != listener.attributes {
                listener.attributes = changed;
                draft.put(listener);
            }
            Ok(described)
        })
        .await
    }
}

/// Tools that know AWS's API see no difference unless they have set one of the extensions.
fn describe(protocol: Protocol, attributes: &Attributes) -> AttributeList {
    let mut described = attributes.describe(table(protocol));
    let set = LISTENER_TABLES.iter();
    described.extend(set.flat_map(|table| attributes.describe_set(table)));
    described
}

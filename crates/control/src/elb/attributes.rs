//! Changes of attributes: the same steps for load balancers, target groups and listeners.

use std::collections::BTreeSet;

use model::attributes::{self, Attribute, Attributes, InvalidValue, Support};

use super::ElbError;
use super::input::Pairs;

/// A table of attributes, with the words of its errors.
pub(super) struct Table {
    /// How messages call the resource, such as `Load balancer`.
    pub(super) resource: &'static str,
    /// The attributes it has.
    pub(super) attributes: &'static [Attribute],
    /// Those that AWS does not have.
    pub(super) extensions: &'static [&'static [Attribute]],
    /// Keys that only other types of the resource have.
    pub(super) other_types: &'static [&'static str],
    /// How the message for those keys goes on.
    pub(super) type_text: &'static str,
}

/// `present` with all of `changes`, or the error of the first that cannot be made.
///
/// `adapt` gives an attribute the default it has on this very resource.
pub(super) fn change(
    table: &Table,
    present: &Attributes,
    changes: &Pairs,
    adapt: impl Fn(&Attribute) -> Attribute,
) -> Result<Attributes, ElbError> {
    let mut seen = BTreeSet::new();
    let mut changed = present.clone();
    for (key, value) in changes {
        let attribute = adapt(find(table, key)?);
        if !seen.insert(key) {
            return Err(ElbError::Validation(format!(
                "Attribute key '{key}' has been specified more than once"
            )));
        }
        check(table, &attribute, value)?;
        changed.set(&attribute, value);
    }
    Ok(changed)
}

fn find(table: &Table, key: &str) -> Result<&'static Attribute, ElbError> {
    let resource = table.resource;
    let mut tables = [table.attributes]
        .into_iter()
        .chain(table.extensions.iter().copied());
    if let Some(attribute) = tables.find_map(|table| attributes::find(table, key)) {
        return Ok(attribute);
    }
    if table.other_types.contains(&key) {
        return Err(ElbError::InvalidConfigurationRequest(format!(
            "{resource} attribute key '{key}' is not supported {}",
            table.type_text
        )));
    }
    Err(ElbError::Validation(format!(
        "{resource} attribute key '{key}' is not recognized"
    )))
}

fn check(table: &Table, attribute: &Attribute, value: &str) -> Result<(), ElbError> {
    super::check::length("attributes.member.value", value, 0, 1024)?;
    let key = attribute.key;
    attribute.check(value).map_err(|error| match error {
        // Load balancers say it in other words than target groups.
        InvalidValue::Integer { min, max, .. } if table.resource == LOAD_BALANCER => {
            ElbError::Validation(format!(
                "The value of '{key}' must be an integer between {min} and {max}"
            ))
        }
        _ => ElbError::Validation(error.to_string()),
    })?;
    if attribute.is_honoured(value) {
        return Ok(());
    }
    Err(ElbError::InvalidConfigurationRequest(
        match attribute.support {
            Support::Fixed => format!(
                "The value for '{key}' must always be '{}' for an Application Load Balancer",
                attribute.default
            ),
            // Infrastructure tools that read "attribute key '…' is not supported" go on without the key, so that is
            // for keys alone: nobody would hear that the value was dropped.
            Support::Honoured | Support::Only(_) | Support::DefaultOnly => format!(
                "The value '{value}' of the {} attribute '{key}' is not supported by elbow yet; leave it at '{}'",
                table.resource.to_lowercase(),
                attribute.default
            ),
        },
    ))
}

/// How messages call load balancers.
pub(super) const LOAD_BALANCER: &str = "Load balancer";

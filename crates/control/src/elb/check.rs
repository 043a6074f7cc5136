//! Ranges and lengths of single members, refused in the words of the API's front end.

use super::ElbError;

/// `value` if it is within the bounds or absent.
pub(super) fn between(
    member: &str,
    value: Option<i32>,
    min: i32,
    max: i32,
) -> Result<Option<i32>, ElbError> {
    let constraint = match value {
        Some(value) if value < min => format!("have value greater than or equal to {min}"),
        Some(value) if value > max => format!("have value less than or equal to {max}"),
        _ => return Ok(value),
    };
    Err(violation(
        member,
        &value.unwrap_or_default().to_string(),
        &constraint,
    ))
}

/// A port, if there is one.
pub(super) fn port(member: &str, value: Option<i32>) -> Result<Option<u16>, ElbError> {
    let port = between(member, value, 1, 65_535)?;
    Ok(port.and_then(|port| u16::try_from(port).ok()))
}

/// `value` if it has at most `max` characters.
pub(super) fn length<'a>(
    member: &str,
    value: &'a str,
    min: usize,
    max: usize,
) -> Result<&'a str, ElbError> {
    let constraint = match value.chars().count() {
        count if count > max => format!("have length less than or equal to {max}"),
        count if count < min => format!("have length greater than or equal to {min}"),
        _ => return Ok(value),
    };
    Err(violation(member, value, &constraint))
}

/// The error for a member that breaks a constraint of its shape.
pub(super) fn violation(member: &str, value: &str, constraint: &str) -> ElbError {
    ElbError::Validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must {constraint}"
    ))
}

/// The error for something that elbow does not do yet.
pub(super) fn unsupported(what: &str) -> ElbError {
    ElbError::InvalidConfigurationRequest(format!("{what} is not supported by elbow yet"))
}

//! How the targets of a target group are checked.
//!
//! Source: ELB API, `TargetGroup`; ALB guide, "Health check settings".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The checks of one target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The port to check, or the port each target is registered with (`traffic-port`).
    pub port: HealthCheckPort,
    /// The request target, 1 to 1,024 bytes that start with `/`. Default `/`.
    pub path: String,
    /// Time between the starts of two checks of one target, 5 to 300 s. Default 30 s.
    pub interval: Duration,
    /// Time after which a check has failed, 2 to 120 s and below the interval. Default 5 s.
    pub timeout: Duration,
    /// Checks in a row that an unhealthy target must pass, 2 to 10. Default 5.
    pub healthy_threshold: u32,
    /// Checks in a row that a healthy target must fail, 2 to 10. Default 2.
    pub unhealthy_threshold: u32,
    /// The status codes that pass. Default 200.
    pub matcher: StatusMatcher,
}

/// Which port is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HealthCheckPort {
    /// The port the target is registered with.
    TrafficPort,
    /// This port on every target.
    Port(u16),
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            port: HealthCheckPort::TrafficPort,
            path: "/".to_owned(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".parse().expect("200 is a matcher"),
        }
    }
}

/// The status codes that count as a passed check: values and ranges, `200,202-204`.
///
/// Codes are 200 to 499. Source: ELB API, `Matcher`, `HttpCode`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatusMatcher {
    ranges: Vec<(u16, u16)>,
    /// Kept because the API gives it back as it came.
    text: String,
}

/// The text is not a list of status codes from 200 to 499.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Health check matcher HTTP code '{0}' must be a list of values or ranges between 200 and 499, such as 200, 200,202 or 200-299"
)]
pub struct InvalidMatcher(pub String);

impl StatusMatcher {
    /// Whether a response with `status` passes.
    #[must_use]
    pub fn matches(&self, status: u16) -> bool {
        self.ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status))
    }
}

impl FromStr for StatusMatcher {
    type Err = InvalidMatcher;

    fn from_str(text: &str) -> Result<Self, InvalidMatcher> {
        let code = |part: &str| -> Option<u16> {
            let digits = part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
            let code = digits.then(|| part.parse().ok()).flatten()?;
            (200..=499).contains(&code).then_some(code)
        };
        let range = |part: &str| match part.split_once('-') {
            None => code(part).map(|only| (only, only)),
            Some((low, high)) => Some((code(low)?, code(high)?)).filter(|(low, high)| low <= high),
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        let ranges = ranges.ok_or_else(|| InvalidMatcher(text.to_owned()))?;
        Ok(Self {
            ranges,
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for StatusMatcher {
    type Error = InvalidMatcher;

    fn try_from(text: String) -> Result<Self, InvalidMatcher> {
        text.parse()
    }
}

impl From<StatusMatcher> for String {
    fn from(matcher: StatusMatcher) -> Self {
        matcher.text
    }
}

impl fmt::Display for StatusMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_lists_values_and_ranges() {
        for (text, status, passes) in [
            ("200", 200, true),
            ("200", 201, false),
            ("200,202-204", 203, true),
            ("200,202-204", 201, false),
            ("200-499", 499, true),
        ] {
            let matcher: StatusMatcher = text.parse().unwrap();
            assert_eq!(matcher.matches(status), passes, "{status} against {text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2xx",
            "199",
            "500",
            "204-202",
            "200,",
            "200 ,201",
            "0200",
            "200-201-202",
        ] {
            assert!(
                text.parse::<StatusMatcher>().is_err(),
                "{text:?} is not a matcher"
            );
        }
    }
}

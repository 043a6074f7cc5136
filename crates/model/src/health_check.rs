//! How the targets of a target group are checked.
//!
//! Source: ELB API, `TargetGroup`; ALB guide, "Health check settings".

use std::fmt;
use std::ops::RangeInclusive;
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
    /// The codes that pass. Default: status 200; for gRPC code 12.
    pub matcher: Matcher,
}

/// Which port is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HealthCheckPort {
    /// The port the target is registered with.
    TrafficPort,
    /// This port on every target.
    Port(u16),
}

impl HealthCheckPort {
    /// The port that is checked of a target which is registered with `traffic_port`.
    #[must_use]
    pub fn beside(self, traffic_port: u16) -> u16 {
        match self {
            Self::TrafficPort => traffic_port,
            Self::Port(port) => port,
        }
    }
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
            matcher: Matcher::Http("200".parse().expect("200 is a matcher")),
        }
    }
}

impl HealthCheck {
    /// The checks of a target group of gRPC services on which nothing was set: a method that no service has,
    /// so that any server of gRPC passes by answering with code 12, `UNIMPLEMENTED`.
    #[must_use]
    pub fn grpc() -> Self {
        Self {
            path: "/AWS.ALB/healthcheck".to_owned(),
            matcher: Matcher::Grpc {
                grpc_code: "12".parse().expect("12 is a matcher"),
            },
            ..Self::default()
        }
    }
}

/// The codes that count as a passed check.
///
/// Source: ELB API, `Matcher`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Matcher {
    /// Status codes of HTTP.
    Http(StatusMatcher),
    /// Codes of gRPC.
    Grpc {
        /// Values and ranges.
        grpc_code: GrpcMatcher,
    },
}

impl Matcher {
    /// Whether a response of HTTP with `status` passes. None does where codes of gRPC are asked for.
    #[must_use]
    pub fn matches(&self, status: u16) -> bool {
        match self {
            Self::Http(matcher) => matcher.matches(status),
            Self::Grpc { .. } => false,
        }
    }

    /// Whether a response of gRPC with this code passes. None does where a status of HTTP is asked for.
    #[must_use]
    pub fn matches_grpc(&self, code: u16) -> bool {
        match self {
            Self::Http(_) => false,
            Self::Grpc { grpc_code } => grpc_code.matches(code),
        }
    }
}

macro_rules! matcher {
    ($(#[$doc:meta])* $name:ident, $(#[$error_doc:meta])* $error:ident, $parse_code:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            ranges: Vec<(u16, u16)>,
            /// Kept because the API gives it back as it came.
            text: String,
        }

        $(#[$error_doc])*
        pub struct $error(pub String);

        impl $name {
            /// Whether a response with this code passes.
            #[must_use]
            pub fn matches(&self, code: u16) -> bool {
                let mut ranges = self.ranges.iter();
                ranges.any(|&(low, high)| (low..=high).contains(&code))
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let ranges = ranges(text, $parse_code).ok_or_else(|| $error(text.to_owned()))?;
                Ok(Self {
                    ranges,
                    text: text.to_owned(),
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(matcher: $name) -> Self {
                matcher.text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }
    };
}

matcher!(
    /// The status codes that count as a passed check: values and ranges, `200,202-204`.
    ///
    /// Codes are 200 to 499. Source: ELB API, `Matcher`, `HttpCode`.
    StatusMatcher,
    /// The text is not a list of status codes from 200 to 499.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    #[error(
        "Health check matcher HTTP code '{0}' must be a list of values or ranges between 200 and 499, such as 200, 200,202 or 200-299"
    )]
    InvalidMatcher,
    |text| code(text, 3..=3, 200..=499)
);

matcher!(
    /// The codes of gRPC that count as a passed check: values and ranges, `0,12-14`.
    ///
    /// Codes are 0 to 99. Source: ELB API, `Matcher`, `GrpcCode`.
    GrpcMatcher,
    /// The text is not a list of codes from 0 to 99.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("Health check matcher GRPC code '{0}' must be within '0-99' inclusive")]
    InvalidGrpcMatcher,
    |text| code(text, 1..=2, 0..=99)
);

/// The values and ranges of a list with commas between them.
fn ranges(text: &str, code: impl Fn(&str) -> Option<u16>) -> Option<Vec<(u16, u16)>> {
    let range = |part: &str| match part.split_once('-') {
        None => code(part).map(|only| (only, only)),
        Some((low, high)) => Some((code(low)?, code(high)?)).filter(|(low, high)| low <= high),
    };
    text.split(',').map(range).collect()
}

/// A code of so many digits in these bounds.
fn code(text: &str, digits: RangeInclusive<usize>, bounds: RangeInclusive<u16>) -> Option<u16> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let code = is_number.then(|| text.parse().ok()).flatten()?;
    bounds.contains(&code).then_some(code)
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

    #[test]
    fn codes_of_grpc_are_0_to_99() {
        for (text, code, passes) in [
            ("12", 12, true),
            ("12", 0, false),
            ("0,12-14", 0, true),
            ("0,12-14", 13, true),
            ("0-99", 99, true),
        ] {
            let matcher: GrpcMatcher = text.parse().unwrap();
            assert_eq!(matcher.matches(code), passes, "{code} against {text}");
        }
        for text in ["", "100", "200", "a", "3-1", "-1", "+1", "1-", "001"] {
            assert!(text.parse::<GrpcMatcher>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_matcher_of_one_protocol_matches_nothing_of_the_other() {
        let (http, grpc) = (HealthCheck::default(), HealthCheck::grpc());
        assert!(http.matcher.matches(200) && !http.matcher.matches_grpc(200));
        assert!(grpc.matcher.matches_grpc(12) && !grpc.matcher.matches(12));
    }
}

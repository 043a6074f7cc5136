//! What elbow does that AWS has no words for: for the requests of a rule, said by tags of the rule whose keys
//! begin with `elbow:`; for a listener, said by attributes whose keys begin with `elbow.`.
//!
//! AWS's rules have no attributes, and every tool that makes rules can give them tags.

pub mod error_page;
pub mod fields;
pub mod mirror;
pub mod rate_limit;
pub mod response_compression;

use crate::attributes::Attribute;
use crate::tag::Tags;
pub use fields::FieldChanges;
pub use mirror::Mirror;
use mirror::MirrorTags;
use rate_limit::RateLimitTags;
pub use rate_limit::{RateLimit, RateLimitKey};

/// How the keys of these tags begin.
pub const PREFIX: &str = "elbow:";

/// How the keys of these attributes begin.
pub const ATTRIBUTE_PREFIX: &str = "elbow.";

/// The attributes of listeners that AWS does not have.
pub const LISTENER_TABLES: &[&[Attribute]] = &[error_page::TABLE, response_compression::TABLE];

/// What the tags of one rule ask for. Without any of them, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Fields that targets get, or do not get.
    pub request_fields: FieldChanges,
    /// Fields that clients get, or do not get.
    pub response_fields: FieldChanges,
    /// How many requests of one client pass; `None`: all.
    pub rate_limit: Option<RateLimit>,
    /// Where copies of the requests go; `None`: nowhere.
    pub mirror: Option<Mirror>,
}

/// A tag that begins with `elbow:` and cannot be obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExtension {
    /// The resource is not a rule.
    #[error(
        "The tag key '{0}' begins with 'elbow:', which is for the rules of listeners; tag a rule, or choose another key"
    )]
    NotARule(String),
    /// There is no such key.
    #[error(
        "The tag key '{0}' begins with 'elbow:' and is none that elbow knows; see 'Extensions' in docs/parity.md, or choose another key"
    )]
    UnknownKey(String),
    /// The key cannot have this value.
    #[error("The value of the tag '{key}' must be {expected}, but was '{value}'")]
    Value {
        /// The tag.
        key: String,
        /// What was given.
        value: String,
        /// What can be given.
        expected: &'static str,
    },
    /// The field belongs to the protocol, or to the load balancer.
    #[error(
        "The tag '{key}' cannot name the field '{name}', which the protocol or the load balancer writes itself"
    )]
    ReservedField {
        /// The tag.
        key: String,
        /// The field.
        name: String,
    },
    /// The tag says nothing without another one.
    #[error("The tag '{key}' needs the tag '{needed}' beside it")]
    Missing {
        /// The tag.
        key: String,
        /// The other one.
        needed: &'static str,
    },
    /// One message's field is named by two tags.
    #[error("The tag '{key}' names the field '{name}' a second time; name it in one tag")]
    RepeatedField {
        /// The second of the tags.
        key: String,
        /// The field.
        name: String,
    },
}

impl InvalidExtension {
    /// The key of the tag that cannot be obeyed.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::NotARule(key)
            | Self::UnknownKey(key)
            | Self::Value { key, .. }
            | Self::ReservedField { key, .. }
            | Self::Missing { key, .. }
            | Self::RepeatedField { key, .. } => key,
        }
    }
}

impl Extensions {
    /// What `tags` of a rule ask for, and what is wrong with those of them that cannot be obeyed: they ask for nothing.
    #[must_use]
    pub fn read(tags: &Tags) -> (Self, Vec<InvalidExtension>) {
        let mut extensions = Self::default();
        let mut faults = Vec::new();
        let mut rate_limit = RateLimitTags::default();
        let mut mirror = MirrorTags::default();
        // What is asked for by several tags is asked for by all of them or not at all.
        let (mut has_faulty_limit, mut has_faulty_mirror) = (false, false);
        for (key, value) in tags.iter() {
            let Some(words) = key.strip_prefix(PREFIX) else {
                continue;
            };
            let tag = Tag { key, value };
            let outcome = if let Some(rest) = words.strip_prefix("request-header.") {
                extensions.request_fields.add(&tag, rest)
            } else if let Some(rest) = words.strip_prefix("response-header.") {
                extensions.response_fields.add(&tag, rest)
            } else if let Some(rest) = words.strip_prefix("rate-limit.") {
                let added = rate_limit.add(&tag, rest);
                added.inspect_err(|_| has_faulty_limit = true)
            } else if let Some(rest) = words.strip_prefix("mirror.") {
                let added = mirror.add(&tag, rest);
                added.inspect_err(|_| has_faulty_mirror = true)
            } else {
                Err(tag.unknown())
            };
            faults.extend(outcome.err());
        }
        match rate_limit.finish() {
            _ if has_faulty_limit => {}
            Ok(rate_limit) => extensions.rate_limit = rate_limit,
            Err(fault) => faults.push(fault),
        }
        match mirror.finish() {
            _ if has_faulty_mirror => {}
            Ok(mirror) => extensions.mirror = mirror,
            Err(fault) => faults.push(fault),
        }
        (extensions, faults)
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One tag, whole, for its errors.
struct Tag<'t> {
    key: &'t str,
    value: &'t str,
}

impl Tag<'_> {
    fn unknown(&self) -> InvalidExtension {
        InvalidExtension::UnknownKey(self.key.to_owned())
    }

    /// The value as a whole number between both, inclusive.
    fn number(&self, min: u32, max: u32, expected: &'static str) -> Result<u32, InvalidExtension> {
        let is_plain = self.value.bytes().all(|b| b.is_ascii_digit());
        let number = self.value.parse().ok().filter(|_| is_plain);
        let number = number.filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| self.must_be(expected))
    }

    fn must_be(&self, expected: &'static str) -> InvalidExtension {
        InvalidExtension::Value {
            key: self.key.to_owned(),
            value: self.value.to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What the tags `key=value`, one a line, ask for.
    pub(crate) fn parse(lines: &str) -> Result<Extensions, String> {
        let pair = |line: &str| {
            let (key, value) = line.trim().split_once('=').expect("a key and a value");
            (key.to_owned(), value.to_owned())
        };
        let lines = lines.lines().filter(|line| !line.trim().is_empty());
        let pairs: Vec<_> = lines.map(pair).collect();
        let tags = Tags::default().with_of_rule(&pairs);
        let tags = tags.map_err(|error| error.to_string())?;
        let (extensions, faults) = Extensions::read(&tags);
        assert_eq!(faults, [], "what cannot be obeyed is refused");
        Ok(extensions)
    }

    #[test]
    fn other_tags_ask_for_nothing() {
        assert_eq!(
            parse("Name=elbow:x\nelbow=y\nElbow:z=1"),
            Ok(Extensions::default())
        );
        assert!(parse("Name=x").unwrap().is_empty());
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        for key in [
            "elbow:",
            "elbow:retries",
            "elbow:request-header",
            "elbow:request-header.add.1",
            "elbow:request-header.set",
            "elbow:request-header.set.0",
            "elbow:request-header.set.01",
            "elbow:request-header.set.11",
            "elbow:request-header.set.+1",
            "elbow:response-header.remove.x",
        ] {
            let error = parse(&format!("{key}=X-A")).unwrap_err();
            assert!(
                error.starts_with(&format!(
                    "The tag key '{key}' begins with 'elbow:' and is none"
                )),
                "{error}"
            );
        }
    }
}

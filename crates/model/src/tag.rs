//! Tags on load balancers, listeners, rules and target groups.
//!
//! Source: ELB API, `Tag`; ELB guides, "Tags for your Application Load Balancer".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::extension::{self, Extensions, InvalidExtension};

/// The tags of one resource, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

/// Most tags a resource can have.
pub const TAGS_MAX: usize = 50;

/// A tag that cannot be set, or too many of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    /// The key is empty or over 128 characters.
    #[error("The tag key '{0}' must have between 1 and 128 characters")]
    KeyLength(String),
    /// The value is over 256 characters.
    #[error("The value of the tag '{0}' must have at most 256 characters")]
    ValueLength(String),
    /// Something other than letters, digits, white space and `_.:/=+-@`.
    #[error(
        "The tag '{0}' contains a character that is not valid; use letters, numbers, spaces and _.:/=+-@"
    )]
    Characters(String),
    /// `aws:` is reserved.
    #[error("Tag key '{0}' cannot start with 'aws:'")]
    Reserved(String),
    /// One key twice in a request.
    #[error("The tag key '{0}' has been specified more than once")]
    Duplicate(String),
    /// Over 50 tags.
    #[error("A resource can have at most 50 tags, and this request would make it {0}")]
    TooMany(usize),
    /// `elbow:` begins what only rules have, and only in words that elbow knows.
    #[error(transparent)]
    Extension(#[from] InvalidExtension),
}

impl Tags {
    /// The tags with `new` added or replaced, for anything but a rule.
    ///
    /// # Errors
    /// `InvalidTag` for a key or value that breaks a rule, a key given twice, and more than 50 in the end.
    pub fn with(&self, new: &[(String, String)]) -> Result<Self, InvalidTag> {
        let mut keys = new.iter().map(|(key, _)| key);
        match keys.find(|key| key.starts_with(extension::PREFIX)) {
            Some(key) => Err(InvalidExtension::NotARule(key.clone()).into()),
            None => self.with_any(new),
        }
    }

    /// The tags of a rule with `new` added or replaced.
    ///
    /// # Errors
    /// `InvalidTag` as above, and for an extension in `new` or because of it that cannot be obeyed.
    pub fn with_of_rule(&self, new: &[(String, String)]) -> Result<Self, InvalidTag> {
        let tags = self.with_any(new)?;
        let is_given = |key: &str| new.iter().any(|(given, _)| given == key);
        tags.require_obeyed(self, is_given)?;
        Ok(tags)
    }

    /// The tags of a rule without these keys; keys that are not there do not matter.
    ///
    /// # Errors
    /// `InvalidExtension` if what is left says too little.
    pub fn without_of_rule(&self, keys: &[String]) -> Result<Self, InvalidExtension> {
        let tags = self.without(keys);
        tags.require_obeyed(self, |_| false)?;
        Ok(tags)
    }

    /// Refuses extensions that cannot be obeyed, but for those that could not be obeyed `before` and are not given
    /// again: rules that an older elbow has stored may have such.
    fn require_obeyed(
        &self,
        before: &Self,
        is_given: impl Fn(&str) -> bool,
    ) -> Result<(), InvalidExtension> {
        let (_, known) = Extensions::read(before);
        let (_, faults) = Extensions::read(self);
        let is_new = |fault: &InvalidExtension| is_given(fault.key()) || !known.contains(fault);
        faults.into_iter().find(is_new).map_or(Ok(()), Err)
    }

    fn with_any(&self, new: &[(String, String)]) -> Result<Self, InvalidTag> {
        let mut tags = self.clone();
        let mut seen = std::collections::BTreeSet::new();
        for (key, value) in new {
            check(key, value)?;
            if !seen.insert(key) {
                return Err(InvalidTag::Duplicate(key.clone()));
            }
            tags.0.insert(key.clone(), value.clone());
        }
        match tags.0.len() {
            count if count > TAGS_MAX => Err(InvalidTag::TooMany(count)),
            _ => Ok(tags),
        }
    }

    /// The tags without these keys; keys that are not there do not matter.
    #[must_use]
    pub fn without(&self, keys: &[String]) -> Self {
        let mut tags = self.clone();
        tags.0.retain(|key, _| !keys.contains(key));
        tags
    }

    /// Keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The value of one tag.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// Whether a key or a value is kept for AWS: it begins with `aws:`, in any case.
///
/// Source: AWS Tagging guide, "Tag naming limits and requirements".
#[must_use]
pub fn is_reserved(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// The general category Z of Unicode: white space without the control characters.
fn is_separator(c: char) -> bool {
    c.is_whitespace() && !c.is_control()
}

fn check(key: &str, value: &str) -> Result<(), InvalidTag> {
    let key_length = key.chars().count();
    let is_allowed = |c: char| c.is_alphanumeric() || is_separator(c) || "_.:/=+-@".contains(c);
    if !(1..=128).contains(&key_length) {
        Err(InvalidTag::KeyLength(key.to_owned()))
    } else if value.chars().count() > 256 {
        Err(InvalidTag::ValueLength(key.to_owned()))
    } else if !key.chars().chain(value.chars()).all(is_allowed) {
        Err(InvalidTag::Characters(key.to_owned()))
    } else if is_reserved(key) {
        Err(InvalidTag::Reserved(key.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn tags_are_replaced_by_key_and_sorted() {
        let tags = Tags::default()
            .with(&pairs(&[("b", "1"), ("a", "2")]))
            .unwrap();
        let tags = tags.with(&pairs(&[("b", "3")])).unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
    }

    #[test]
    fn only_rules_have_extensions() {
        let tag = pairs(&[("elbow:request-header.remove.1", "X-Debug")]);
        assert!(Tags::default().with_of_rule(&tag).is_ok());
        let refused = InvalidExtension::NotARule("elbow:request-header.remove.1".to_owned());
        assert_eq!(
            Tags::default().with(&tag),
            Err(InvalidTag::Extension(refused))
        );
    }

    #[test]
    fn what_a_rule_has_and_cannot_obey_stays_until_it_is_removed() {
        let stored = pairs(&[
            ("elbow:colour", "red"),
            ("elbow:rate-limit.burst", "5"),
            ("Name", "x"),
        ]);
        let stored = Tags(stored.into_iter().collect());
        let unknown = |key: &str| InvalidExtension::UnknownKey(key.to_owned()).into();
        for (new, refused) in [
            (("Name", "y"), None),
            (("elbow:request-header.remove.1", "X-Debug"), None),
            (("elbow:rate-limit.requests", "5"), None),
            (("elbow:shape", "round"), Some(unknown("elbow:shape"))),
            (("elbow:colour", "red"), Some(unknown("elbow:colour"))),
            (("elbow:colour", "blue"), Some(unknown("elbow:colour"))),
        ] {
            let tags = stored.with_of_rule(&pairs(&[new]));
            assert_eq!(tags.err(), refused, "{new:?}");
        }
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let left = stored.without_of_rule(&keys(&["elbow:colour"])).unwrap();
        assert_eq!(left.value("elbow:colour"), None);
        let limit = pairs(&[("elbow:rate-limit.requests", "5")]);
        let limited = stored.with_of_rule(&limit).unwrap();
        let too_little = limited.without_of_rule(&keys(&["elbow:rate-limit.requests"]));
        assert!(matches!(too_little, Err(InvalidExtension::Missing { .. })));
    }

    #[test]
    fn tags_that_break_a_rule_are_refused() {
        let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
        for (tag, error) in [
            (("", "v"), InvalidTag::KeyLength(String::new())),
            ((&*long_key, "v"), InvalidTag::KeyLength(long_key.clone())),
            (("k", &*long_value), InvalidTag::ValueLength("k".to_owned())),
            (("k!", "v"), InvalidTag::Characters("k!".to_owned())),
            (("k", "v?"), InvalidTag::Characters("k".to_owned())),
            (("aws:k", "v"), InvalidTag::Reserved("aws:k".to_owned())),
            (("AWS:k", "v"), InvalidTag::Reserved("AWS:k".to_owned())),
        ] {
            assert_eq!(Tags::default().with(&pairs(&[tag])), Err(error));
        }
        let twice = Tags::default().with(&pairs(&[("k", "1"), ("k", "2")]));
        assert_eq!(twice, Err(InvalidTag::Duplicate("k".to_owned())));
    }

    #[test]
    fn fifty_tags_fit_and_no_more() {
        let many = |n: usize| {
            (0..n)
                .map(|i| (format!("k{i}"), String::new()))
                .collect::<Vec<_>>()
        };
        assert!(Tags::default().with(&many(50)).is_ok());
        assert_eq!(
            Tags::default().with(&many(51)),
            Err(InvalidTag::TooMany(51))
        );
    }
}

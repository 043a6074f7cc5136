//! JSON objects from outside, read so that two readers cannot disagree about them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The object that `bytes` are. `None` if they are anything else, or if a member of the object comes twice:
/// one reader would take the first, another the last (RFC 7519 section 4, RFC 7515 section 4).
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice::<Unique>(bytes)
        .ok()
        .map(|Unique(object)| object)
}

/// An object whose members have different names.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member comes twice"));
                    }
                }
                Ok(Unique(object))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_different_members_is_read() {
        for (text, is_read) in [
            (r#"{}"#, true),
            (r#" {"a": 1, "b": {"a": [true, null]}} "#, true),
            (r#"{"a": 1, "a": 1}"#, false),
            (r#"{"a": 1, "\u0061": 2}"#, false),
            (r#"{"a": 1} {}"#, false),
            (r#"{"a": 1,}"#, false),
            (r#"[]"#, false),
            (r#""text""#, false),
            ("", false),
        ] {
            assert_eq!(object(text.as_bytes()).is_some(), is_read, "{text}");
        }
        assert!(object(b"{\"a\": \"\xff\"}").is_none(), "not UTF-8");
        let deep = "[".repeat(100_000);
        assert!(
            object(format!("{{\"a\": {deep}").as_bytes()).is_none(),
            "no depth overflows the stack"
        );
    }
}

//! What the attribute tables of load balancers, target groups and listeners have in common: an attribute
//! is one entry of a table, and the entry is all that validation and description need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// The key, unique in its table.
    pub key: &'static str,
    /// The values it can take.
    pub values: Values,
    /// The value of a resource on which it was never set.
    pub default: &'static str,
    /// What elbow does with it.
    pub support: Support,
    /// What it does, in one sentence.
    pub help: &'static str,
}

/// The values an attribute can take.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// `true` or `false`.
    Boolean,
    /// A whole number between both, inclusive.
    Integer(u64, u64),
    /// 0, or a whole number between both, inclusive.
    ZeroOrInteger(u64, u64),
    /// `off`, or a whole number between both, inclusive.
    OffOrInteger(u64, u64),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Any text, also none.
    Text,
    /// The name of an HTTP field, a token of RFC 9110 section 5.6.2; an empty one stands for the default.
    FieldName,
    /// The value of an HTTP field, or none.
    FieldValue,
    /// One of these values of an HTTP field, or none.
    FieldOneOf(&'static [&'static str]),
    /// The value of an HTTP field: methods with commas between, or none.
    FieldMethods,
    /// The value of an HTTP field: a number of seconds, or none.
    FieldSeconds,
    /// Media types of RFC 9110 section 8.3.1 without parameters, with commas between; `*` may stand for a whole
    /// subtype. An empty value stands for the default.
    MediaTypes,
}

/// What elbow does with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Every value is obeyed.
    Honoured,
    /// These values are obeyed, others not yet: to set one is refused.
    Only(&'static [&'static str]),
    /// The default is how elbow behaves; to set another value is refused.
    DefaultOnly,
    /// AWS allows one value only.
    Fixed,
}

/// The attributes of one resource that differ from their defaults, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

/// A value that an attribute cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Neither `true` nor `false`.
    #[error("The value of '{key}' must be 'true' or 'false', but was '{value}'")]
    Boolean {
        /// The attribute.
        key: &'static str,
        /// What was given.
        value: String,
    },
    /// Not a number, or out of range.
    #[error("'{key}' value '{value}' must be between '{min}-{max}' inclusive")]
    Integer {
        /// The attribute.
        key: &'static str,
        /// What was given.
        value: String,
        /// The lowest number.
        min: u64,
        /// The highest number.
        max: u64,
    },
    /// None of the listed values.
    #[error("'{value}' must be one of [{values}]")]
    OneOf {
        /// What was given.
        value: String,
        /// The allowed ones.
        values: String,
    },
    /// None of the listed values of an HTTP field.
    #[error("The value of '{key}' must be from the following: [{values}], but was '{value}'")]
    FieldOneOf {
        /// The attribute.
        key: &'static str,
        /// What was given.
        value: String,
        /// The allowed ones.
        values: String,
    },
    /// No list of media types.
    #[error(
        "The value of '{key}' must be media types with commas between, such as 'text/*,application/json', and none \
         of them 'application/*' or one of gRPC, but was '{value}'"
    )]
    MediaTypes {
        /// The attribute.
        key: &'static str,
        /// What was given.
        value: String,
    },
    /// A character that the name or the value of an HTTP field cannot have.
    #[error("The value of '{key}' contains invalid characters")]
    Characters {
        /// The attribute.
        key: &'static str,
    },
}

impl Attribute {
    /// Whether the attribute can take `value`.
    ///
    /// # Errors
    /// `InvalidValue` says which values it can take.
    pub fn check(&self, value: &str) -> Result<(), InvalidValue> {
        let key = self.key;
        let text = || value.to_owned();
        let integer = |min, max| InvalidValue::Integer {
            key,
            value: text(),
            min,
            max,
        };
        match self.values {
            Values::Boolean if !matches!(value, "true" | "false") => {
                Err(InvalidValue::Boolean { key, value: text() })
            }
            Values::Integer(min, max) if !is_between(value, min, max) => Err(integer(min, max)),
            Values::ZeroOrInteger(min, max) if value != "0" && !is_between(value, min, max) => {
                Err(integer(min, max))
            }
            Values::OffOrInteger(min, max) if value != "off" && !is_between(value, min, max) => {
                Err(integer(min, max))
            }
            Values::OneOf(values) if !values.contains(&value) => Err(InvalidValue::OneOf {
                value: text(),
                values: values.join(", "),
            }),
            Values::FieldOneOf(values) if !value.is_empty() && !values.contains(&value) => {
                Err(InvalidValue::FieldOneOf {
                    key,
                    value: text(),
                    values: values.join(", "),
                })
            }
            Values::FieldName if !value.is_empty() && !is_token(value) => {
                Err(InvalidValue::Characters { key })
            }
            Values::FieldValue if !value.chars().all(is_field_character) => {
                Err(InvalidValue::Characters { key })
            }
            Values::FieldMethods if !value.is_empty() && !are_tokens(value) => {
                Err(InvalidValue::Characters { key })
            }
            Values::FieldSeconds if !value.bytes().all(|b| b.is_ascii_digit()) => {
                Err(InvalidValue::Characters { key })
            }
            Values::MediaTypes if !value.is_empty() && !are_media_types(value) => {
                Err(InvalidValue::MediaTypes { key, value: text() })
            }
            _ => Ok(()),
        }
    }

    /// Whether to set `value` is to go back to the default.
    fn is_default(&self, value: &str) -> bool {
        let empty_is_default = matches!(self.values, Values::FieldName | Values::MediaTypes);
        value == self.default || (value.is_empty() && empty_is_default)
    }

    /// Whether elbow obeys `value`, which `check` has accepted.
    #[must_use]
    pub fn is_honoured(&self, value: &str) -> bool {
        match self.support {
            Support::Honoured => true,
            Support::Only(values) => values.contains(&value),
            Support::DefaultOnly | Support::Fixed => value == self.default,
        }
    }
}

/// Whether `text` is a plain decimal number within the bounds.
fn is_between(text: &str, min: u64, max: u64) -> bool {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_plain && text.parse().is_ok_and(|n: u64| (min..=max).contains(&n))
}

/// Whether `text` is a token of RFC 9110 section 5.6.2.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// Whether `text` lists media types. `application/*` would take in gRPC, whose messages are not to be touched.
fn are_media_types(text: &str) -> bool {
    let is_one = |part: &str| {
        let part = part.trim_matches(' ').to_ascii_lowercase();
        let is_literal = |text: &str| is_token(text) && !text.contains('*');
        match part.split_once('/') {
            Some(("application", subtype)) if subtype == "*" || subtype.starts_with("grpc") => {
                false
            }
            Some((kind, subtype)) => is_literal(kind) && (subtype == "*" || is_literal(subtype)),
            None => false,
        }
    };
    text.split(',').all(is_one)
}

fn are_tokens(text: &str) -> bool {
    text.split(',').all(|part| is_token(part.trim_matches(' ')))
}

/// Source: ALB guide, "HTTP header modification", "Limits".
fn is_field_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_ :;.,\\/'?!(){}[]@<>=-+*#&`|~^%".contains(c)
}

impl Attributes {
    /// The present value of `attribute`.
    #[must_use]
    pub fn value<'a>(&'a self, attribute: &Attribute) -> &'a str {
        self.0
            .get(attribute.key)
            .map_or(attribute.default, String::as_str)
    }

    /// The present value of an attribute whose values are numbers.
    ///
    /// # Panics
    /// If the table lists the attribute with other values than `Integer` or `ZeroOrInteger`.
    #[must_use]
    pub fn number(&self, attribute: &Attribute) -> u64 {
        let value = self.value(attribute);
        value
            .parse()
            .expect("values are checked before they are set, and defaults are numbers")
    }

    /// Sets a value that `check` has accepted.
    pub fn set(&mut self, attribute: &Attribute, value: &str) {
        if attribute.is_default(value) {
            self.0.remove(attribute.key);
        } else {
            self.0.insert(attribute.key.to_owned(), value.to_owned());
        }
    }

    /// Every attribute of `table` with its present value, in the table's order.
    #[must_use]
    pub fn describe(&self, table: &'static [Attribute]) -> Vec<(&'static str, String)> {
        let described =
            |attribute: &'static Attribute| (attribute.key, self.value(attribute).to_owned());
        table.iter().map(described).collect()
    }

    /// The attributes of `table` that differ from their defaults, in the table's order.
    #[must_use]
    pub fn describe_set(&self, table: &'static [Attribute]) -> Vec<(&'static str, String)> {
        let set = table.iter().filter_map(|attribute| {
            let value = self.0.get(attribute.key)?;
            Some((attribute.key, value.clone()))
        });
        set.collect()
    }
}

/// The entry of `table` with this key.
#[must_use]
pub fn find(table: &'static [Attribute], key: &str) -> Option<&'static Attribute> {
    table.iter().find(|attribute| attribute.key == key)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What must be true of every table.
    pub(crate) fn check_table(table: &'static [Attribute]) {
        for (at, attribute) in table.iter().enumerate() {
            let key = attribute.key;
            assert!(
                attribute.check(attribute.default).is_ok(),
                "the default of {key} is allowed"
            );
            assert!(
                attribute.is_honoured(attribute.default),
                "the default of {key} is obeyed"
            );
            assert!(
                attribute.help.ends_with('.'),
                "the help of {key} is a sentence"
            );
            assert!(
                table[..at].iter().all(|other| other.key != key),
                "{key} is listed once"
            );
        }
    }

    const COUNT: Attribute = Attribute {
        key: "count",
        values: Values::ZeroOrInteger(30, 900),
        default: "0",
        support: Support::Honoured,
        help: "Counts.",
    };

    #[test]
    fn numbers_are_plain_and_within_their_bounds() {
        for (value, is_allowed) in [
            ("0", true),
            ("30", true),
            ("900", true),
            ("29", false),
            ("901", false),
            ("+30", false),
            ("-30", false),
            ("", false),
            ("99999999999999999999999", false),
        ] {
            assert_eq!(COUNT.check(value).is_ok(), is_allowed, "{value:?}");
        }
        assert_eq!(
            COUNT.check("29").unwrap_err().to_string(),
            "'count' value '29' must be between '30-900' inclusive"
        );
    }

    #[test]
    fn field_names_and_values_have_the_characters_they_can_have() {
        let check = |values, value: &str| {
            let attribute = Attribute {
                key: "field",
                values,
                default: "",
                ..COUNT
            };
            attribute
                .check(value)
                .map_or_else(|error| error.to_string(), |()| String::new())
        };
        let bad = "The value of 'field' contains invalid characters";
        let options = &["DENY", "SAMEORIGIN"];
        let other =
            "The value of 'field' must be from the following: [DENY, SAMEORIGIN], but was 'deny'";
        for (values, value, expected) in [
            (Values::FieldName, "X-Serial_1", ""),
            (Values::FieldName, "", ""),
            (Values::FieldName, "X Serial", bad),
            (Values::FieldName, "X:", bad),
            (Values::FieldName, "\u{e9}", bad),
            (
                Values::FieldValue,
                "max-age=31536000; includeSubDomains",
                "",
            ),
            (
                Values::FieldValue,
                "default-src 'self' https://a.example/*?b=%20",
                "",
            ),
            (Values::FieldValue, "a\"b", bad),
            (Values::FieldValue, "$a", bad),
            (Values::FieldValue, "a\r\nb", bad),
            (Values::FieldOneOf(options), "DENY", ""),
            (Values::FieldOneOf(options), "", ""),
            (Values::FieldOneOf(options), "deny", other),
            (Values::FieldMethods, "GET, PUT,PATCH", ""),
            (Values::FieldMethods, "*", ""),
            (Values::FieldMethods, "GET PUT", bad),
            (Values::FieldMethods, "GET,", bad),
            (Values::FieldSeconds, "600", ""),
            (Values::FieldSeconds, "", ""),
            (Values::FieldSeconds, "-1", bad),
        ] {
            assert_eq!(check(values, value), expected, "{values:?} {value:?}");
        }
    }

    #[test]
    fn an_empty_field_name_is_the_default() {
        let name = Attribute {
            key: "name",
            values: Values::FieldName,
            default: "X-Name",
            ..COUNT
        };
        let mut attributes = Attributes::default();
        attributes.set(&name, "X-Other");
        assert_eq!(attributes.value(&name), "X-Other");
        attributes.set(&name, "");
        assert_eq!(attributes, Attributes::default());
        assert_eq!(attributes.value(&name), "X-Name");
    }

    #[test]
    fn only_what_differs_from_the_default_is_kept() {
        let mut attributes = Attributes::default();
        attributes.set(&COUNT, "30");
        assert_eq!(attributes.number(&COUNT), 30);
        attributes.set(&COUNT, "0");
        assert_eq!(attributes, Attributes::default());
    }
}

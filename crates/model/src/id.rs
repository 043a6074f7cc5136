//! The identifiers at the ends of ARNs: 64 random bits, printed as 16 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not an identifier: 16 hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an identifier of 16 hexadecimal digits")]
pub struct InvalidId(pub String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub u64);

        impl $name {
            /// The lowest of all identifiers.
            pub const MIN: Self = Self(0);
            /// The highest of all identifiers.
            pub const MAX: Self = Self(u64::MAX);
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self).ok_or_else(|| InvalidId(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(
    /// Names a load balancer.
    LoadBalancerId
);
id!(
    /// Names a listener.
    ListenerId
);
id!(
    /// Names a rule; the default rule of a listener has one too.
    RuleId
);
id!(
    /// Names a target group.
    TargetGroupId
);
id!(
    /// Names a trust store.
    TrustStoreId
);
id!(
    /// Names one registration of a target: it changes when the target is deregistered and registered again.
    RegistrationId
);

fn parse(text: &str) -> Option<u64> {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let is_id = text.len() == 16 && text.bytes().all(is_digit);
    is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printed_as_it_is_parsed() {
        for text in ["50dc6c495c0c9188", "0000000000000000", "ffffffffffffffff"] {
            assert_eq!(text.parse::<RuleId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "50dc6c495c0c918",
            "50DC6C495C0C9188",
            "+0dc6c495c0c9188",
            "50dc6c495c0c91881",
        ] {
            assert!(text.parse::<RuleId>().is_err(), "{text:?} is not an id");
        }
    }
}

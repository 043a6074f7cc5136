//! The identifiers of resources: 64 random bits, printed as 16 hexadecimal digits, at the ends of most ARNs; 128,
//! printed as a UUID, elsewhere.

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

/// The text is not a UUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a UUID")]
pub struct InvalidUuid(pub String);

macro_rules! uuid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            /// The id with these random bits; those that tell the version of a UUID are set.
            ///
            /// Source: RFC 9562 section 5.4.
            #[must_use]
            pub fn from_random(high: u64, low: u64) -> Self {
                let bits = u128::from(high) << 64 | u128::from(low);
                let version = bits & !(0xf << 76) | 0x4 << 76;
                Self(version & !(0x3 << 62) | 0x2 << 62)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let part = |shift: u32, digits: u32| (self.0 >> shift) & ((1 << (4 * digits)) - 1);
                write!(
                    f,
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    part(96, 8),
                    part(80, 4),
                    part(64, 4),
                    part(48, 4),
                    part(0, 12)
                )
            }
        }

        impl FromStr for $name {
            type Err = InvalidUuid;

            fn from_str(text: &str) -> Result<Self, InvalidUuid> {
                parse_uuid(text).map(Self).ok_or_else(|| InvalidUuid(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidUuid;

            fn try_from(text: String) -> Result<Self, InvalidUuid> {
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

uuid!(
    /// Names a certificate.
    CertificateId
);
uuid!(
    /// Names a zonal shift.
    ZonalShiftId
);

fn parse_uuid(text: &str) -> Option<u128> {
    let lengths = text.split('-').map(str::len);
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
    let is_uuid = lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(is_digit);
    let digits = text.replace('-', "");
    is_uuid
        .then(|| u128::from_str_radix(&digits, 16).ok())
        .flatten()
}

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

    /// RFC 9562 section 5.4: the version is 4, the variant is 10 in binary.
    #[test]
    fn a_random_id_is_a_uuid_of_version_four() {
        for (high, low, text) in [
            (0, 0, "00000000-0000-4000-8000-000000000000"),
            (u64::MAX, u64::MAX, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
        ] {
            assert_eq!(CertificateId::from_random(high, low).to_string(), text);
        }
    }
}

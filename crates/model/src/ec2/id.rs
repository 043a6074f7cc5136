//! The identifiers of EC2 resources: a prefix that names the kind, then hexadecimal digits.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text does not have the form of an identifier of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid id: \"{text}\" (expecting \"{prefix}...\")")]
pub struct InvalidId {
    /// What was given.
    pub text: String,
    /// What identifiers of this kind begin with, such as `subnet-`.
    pub prefix: &'static str,
}

/// Whether `text` is `prefix` and 8 (until 2016) or 17 lower-case hexadecimal digits.
#[must_use]
pub fn is_well_formed(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

macro_rules! id {
    ($name:ident, $prefix:literal, $kind:literal) => {
        #[doc = concat!("Names ", $kind, ": `", $prefix, "` and 8 or 17 hexadecimal digits.")]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The identifier with these 64 bits, written as 17 digits.
            #[must_use]
            pub fn from_bits(bits: u64) -> Self {
                Self(format!("{}{bits:017x}", Self::PREFIX).into())
            }

            /// The whole identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_well_formed(text, Self::PREFIX) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId {
                        text: text.to_owned(),
                        prefix: Self::PREFIX,
                    })
                }
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
                id.0.into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(VpcId, "vpc-", "a virtual private cloud");
id!(SubnetId, "subnet-", "a subnet");
id!(InternetGatewayId, "igw-", "an internet gateway");
id!(SecurityGroupId, "sg-", "a security group");
id!(SecurityGroupRuleId, "sgr-", "a rule of a security group");
id!(InstanceId, "i-", "an instance");
id!(ReservationId, "r-", "the request that registered instances");
id!(NetworkInterfaceId, "eni-", "a network interface");
id!(
    VpcCidrAssociationId,
    "vpc-cidr-assoc-",
    "the hold of a virtual private cloud on a block"
);
id!(
    SubnetCidrAssociationId,
    "subnet-cidr-assoc-",
    "the hold of a subnet on a block"
);
id!(RouteTableId, "rtb-", "a route table");
id!(
    RouteTableAssociationId,
    "rtbassoc-",
    "the hold of a route table on a subnet or a VPC"
);
id!(AllocationId, "eipalloc-", "an Elastic IP address");
id!(PrefixListId, "pl-", "a managed prefix list");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_prefix_and_8_or_17_digits() {
        for (text, is_valid) in [
            ("i-0123456789abcdef0", true),
            ("i-1234abcd", true),
            ("i-0123456789ABCDEF0", false),
            ("i-0123456789abcdef", false),
            ("i-", false),
            ("sg-0123456789abcdef0", false),
            ("i-0123456789abcdefg", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<InstanceId>().is_ok(), is_valid, "{text:?}");
        }
    }

    #[test]
    fn an_identifier_made_from_bits_parses_back() {
        for bits in [0, 1, u64::MAX] {
            let id = SubnetId::from_bits(bits);
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }
        assert_eq!(VpcId::from_bits(0xabc).as_str(), "vpc-00000000000000abc");
    }
}

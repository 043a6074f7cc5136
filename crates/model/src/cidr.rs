//! Blocks of IP addresses, as security groups, subnets and `source-ip` conditions name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A block of IPv4 or IPv6 addresses whose host bits are all zero.
///
/// Source: RFC 4632 section 3.1 (IPv4), RFC 4291 section 2.3 (IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    network: IpAddr,
    prefix_length: u8,
}

/// The text is not a CIDR block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The specified value '{0}' is not a valid CIDR block")]
pub struct InvalidCidr(pub String);

impl Cidr {
    /// Every IPv4 address.
    pub const ANY_IPV4: Self = Self {
        network: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        prefix_length: 0,
    };
    /// Every IPv6 address.
    pub const ANY_IPV6: Self = Self {
        network: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        prefix_length: 0,
    };

    /// The block of `prefix_length` leading bits that holds `address`; the host bits are cleared.
    ///
    /// # Errors
    /// `InvalidCidr` if `prefix_length` is over 32 (IPv4) or 128 (IPv6).
    pub fn new(address: IpAddr, prefix_length: u8) -> Result<Self, InvalidCidr> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        if prefix_length > width {
            return Err(InvalidCidr(format!("{address}/{prefix_length}")));
        }
        let network = match address {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & mask_v4(prefix_length)).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & mask_v6(prefix_length)).into()),
        };
        Ok(Self {
            network,
            prefix_length,
        })
    }

    /// The block that holds `address` alone.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Self {
            network: address,
            prefix_length: if address.is_ipv4() { 32 } else { 128 },
        }
    }

    /// The lowest address of the block.
    #[must_use]
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The number of leading bits that all addresses of the block share, 0 to 32 or 128.
    #[must_use]
    pub fn prefix_length(&self) -> u8 {
        self.prefix_length
    }

    /// Whether the block holds `address`. An address of the other family is never held.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(v4)) => {
                u32::from(v4) & mask_v4(self.prefix_length) == u32::from(network)
            }
            (IpAddr::V6(network), IpAddr::V6(v6)) => {
                u128::from(v6) & mask_v6(self.prefix_length) == u128::from(network)
            }
            _ => false,
        }
    }

    /// Whether every address of `other` is in this block too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix_length <= other.prefix_length && self.contains(other.network)
    }

    /// The blocks of `prefix_length` that an IPv4 block consists of, in their order; none if they would be larger than
    /// it, and none of an IPv6 block.
    pub fn parts(&self, prefix_length: u8) -> impl Iterator<Item = Self> + use<> {
        let (first, count) = match self.network {
            IpAddr::V4(v4) if (self.prefix_length..=32).contains(&prefix_length) => {
                (u32::from(v4), 1_u64 << (prefix_length - self.prefix_length))
            }
            _ => (0, 0),
        };
        (0..count).map(move |number| {
            // No sum is above the last address of the block.
            let offset = (number << (32 - u32::from(prefix_length))) as u32;
            Self {
                network: IpAddr::V4((first + offset).into()),
                prefix_length,
            }
        })
    }

    /// Whether some address is in both blocks.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

fn mask_v4(prefix_length: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix_length))
        .unwrap_or(0)
}

fn mask_v6(prefix_length: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix_length))
        .unwrap_or(0)
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    /// Parses `address/length`. Host bits are cleared, as EC2 does.
    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let invalid = || InvalidCidr(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(invalid)?;
        // One text for one length, so that a text that is kept as it was given cannot be of any size.
        let is_canonical = length == "0" || !length.starts_with(['0', '+']);
        if !is_canonical {
            return Err(invalid());
        }
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let length: u8 = length.parse().map_err(|_| invalid())?;
        Self::new(address, length).map_err(|_| invalid())
    }
}

impl TryFrom<String> for Cidr {
    type Error = InvalidCidr;

    fn try_from(text: String) -> Result<Self, InvalidCidr> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().expect("a valid block")
    }

    #[test]
    fn holds_its_own_addresses_and_no_others() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
            ("::/0", "::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert!(
                cidr(block).contains(inside.parse().unwrap()),
                "{block} holds {inside}"
            );
            assert!(
                !cidr(block).contains(outside.parse().unwrap()),
                "{block} lacks {outside}"
            );
        }
    }

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(cidr("10.1.2.3/8").to_string(), "10.0.0.0/8");
    }

    #[test]
    fn texts_that_are_no_block_are_refused() {
        for text in [
            "10.0.0.1",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text} is not a block");
        }
    }
}

//! Who may talk to whom: security groups and their rules.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Cidr;
use crate::ec2::{PrefixListId, SecurityGroupId, SecurityGroupRuleId, Tags, VpcId};

/// A set of rules that instances and load balancers carry. What no rule allows is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Names it.
    pub id: SecurityGroupId,
    /// Its name, unique in its VPC. The group of a VPC that is called `default` cannot be deleted.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The VPC it belongs to.
    pub vpc_id: VpcId,
    /// The rules of both directions, oldest first. No two allow the same.
    pub rules: Vec<SecurityGroupRule>,
    /// Its tags.
    pub tags: Tags,
}

/// The name of the group that every VPC has.
pub const DEFAULT_GROUP_NAME: &str = "default";

/// One thing a security group allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// Names it.
    pub id: SecurityGroupRuleId,
    /// Which way the connection is opened.
    pub direction: Direction,
    /// What may pass.
    pub traffic: Traffic,
    /// Where it may come from (ingress) or go to (egress).
    pub peer: Peer,
    /// What the rule is for.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl SecurityGroupRule {
    /// Whether both rules allow the same; their descriptions and tags do not matter.
    #[must_use]
    pub fn allows_same_as(&self, other: &Self) -> bool {
        (self.direction, self.traffic, &self.peer) == (other.direction, other.traffic, &other.peer)
    }
}

/// Which way a connection is opened, seen from the member of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Toward the member.
    Ingress,
    /// By the member.
    Egress,
}

/// The other side of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// Every address of a block, IPv4 or IPv6.
    Block(Cidr),
    /// The private addresses of everything that carries this group.
    Members(SecurityGroupId),
    /// Every address of the blocks of this prefix list.
    PrefixList(PrefixListId),
}

/// A protocol and, where it has them, its ports or its types.
///
/// Source: EC2 API, `IpPermission`, `IpProtocol`, `FromPort`, `ToPort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Traffic {
    /// Everything; written `-1`.
    All,
    /// TCP to these ports.
    Tcp(Ports),
    /// UDP to these ports.
    Udp(Ports),
    /// ICMP messages.
    Icmp(IcmpMessages),
    /// ICMPv6 messages.
    Icmpv6(IcmpMessages),
    /// Another protocol, by its IANA number; it has no ports here.
    Other(u8),
}

/// An inclusive range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    first: u16,
    last: u16,
}

/// The ICMP messages a rule allows; -1 stands for every type, or every code of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpMessages {
    kind: i16,
    code: i16,
}

/// Why a protocol with a range of ports is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTraffic {
    /// The protocol is no name and no number that EC2 knows.
    #[error("Invalid value '{0}' for IP protocol. Unknown protocol.")]
    Protocol(String),
    /// TCP and UDP need both ends of the range.
    #[error("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")]
    PortsMissing,
    /// A port or a type is out of its range.
    #[error("Invalid value '{0}' for portRange. Must be between {1} and {2}.")]
    OutOfRange(i64, i64, i64),
    /// The range ends before it begins.
    #[error("Invalid TCP/UDP port range ({0}:{1})")]
    Reversed(u16, u16),
    /// ICMP needs a type and a code.
    #[error("Invalid value 'Must specify both type and code with ICMP.' for portRange.")]
    IcmpMissing,
    /// Every type with one code says nothing.
    #[error("Invalid value '{0}' for ICMP code. A code needs a type other than -1.")]
    CodeWithoutType(i64),
}

impl Ports {
    /// The ports from `first` to `last`, both included.
    ///
    /// # Errors
    /// `InvalidTraffic::Reversed` if `last` is before `first`.
    pub fn new(first: u16, last: u16) -> Result<Self, InvalidTraffic> {
        if first > last {
            return Err(InvalidTraffic::Reversed(first, last));
        }
        Ok(Self { first, last })
    }

    /// Whether `port` is in the range.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl Traffic {
    /// Reads a protocol and the two numbers that go with it: ports for TCP and UDP, type and code for
    /// ICMP. For every other protocol the numbers are ignored, as EC2 ignores them.
    ///
    /// # Errors
    /// `InvalidTraffic` for an unknown protocol and for numbers that are missing or out of range.
    pub fn parse(
        protocol: &str,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Result<Self, InvalidTraffic> {
        match protocol.to_ascii_lowercase().as_str() {
            "-1" | "all" => Ok(Self::All),
            "tcp" | "6" => Ok(Self::Tcp(ports(from, to)?)),
            "udp" | "17" => Ok(Self::Udp(ports(from, to)?)),
            "icmp" | "1" => Ok(Self::Icmp(messages(from, to)?)),
            "icmpv6" | "58" => Ok(Self::Icmpv6(
                messages(from, to).unwrap_or(IcmpMessages::ANY),
            )),
            other => other
                .parse::<u8>()
                .ok()
                .filter(|number| number.to_string() == other)
                .map(Self::Other)
                .ok_or_else(|| InvalidTraffic::Protocol(protocol.to_owned())),
        }
    }

    /// The protocol as EC2 writes it: a name, a number, or `-1`.
    #[must_use]
    pub fn protocol(&self) -> String {
        match self {
            Self::All => "-1".into(),
            Self::Tcp(_) => "tcp".into(),
            Self::Udp(_) => "udp".into(),
            Self::Icmp(_) => "icmp".into(),
            Self::Icmpv6(_) => "icmpv6".into(),
            Self::Other(number) => number.to_string(),
        }
    }

    /// The ends of the port range, or type and code; `None` for protocols without either.
    #[must_use]
    pub fn range(&self) -> Option<(i32, i32)> {
        match self {
            Self::Tcp(ports) | Self::Udp(ports) => Some((ports.first.into(), ports.last.into())),
            Self::Icmp(messages) | Self::Icmpv6(messages) => {
                Some((messages.kind.into(), messages.code.into()))
            }
            Self::All | Self::Other(_) => None,
        }
    }

    /// Whether a TCP connection to `port` is allowed.
    #[must_use]
    pub fn allows_tcp(&self, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Tcp(ports) => ports.contains(port),
            Self::Udp(_) | Self::Icmp(_) | Self::Icmpv6(_) | Self::Other(_) => false,
        }
    }
}

fn ports(from: Option<i64>, to: Option<i64>) -> Result<Ports, InvalidTraffic> {
    let port = |number: i64| {
        u16::try_from(number).map_err(|_| InvalidTraffic::OutOfRange(number, 0, 65_535))
    };
    match (from, to) {
        // `-1` to `-1` is how some clients write every port.
        (Some(-1), Some(-1)) => Ports::new(0, u16::MAX),
        (Some(from), Some(to)) => Ports::new(port(from)?, port(to)?),
        _ => Err(InvalidTraffic::PortsMissing),
    }
}

impl IcmpMessages {
    /// Every type and code.
    pub const ANY: Self = Self { kind: -1, code: -1 };
}

fn messages(from: Option<i64>, to: Option<i64>) -> Result<IcmpMessages, InvalidTraffic> {
    let number = |number: i64| match i16::try_from(number) {
        Ok(number) if (-1..=255).contains(&number) => Ok(number),
        _ => Err(InvalidTraffic::OutOfRange(number, -1, 255)),
    };
    match (from, to) {
        (Some(-1), Some(code)) if code != -1 => Err(InvalidTraffic::CodeWithoutType(code)),
        (Some(kind), Some(code)) => Ok(IcmpMessages {
            kind: number(kind)?,
            code: number(code)?,
        }),
        _ => Err(InvalidTraffic::IcmpMissing),
    }
}

/// The name or the description of a security group or a rule.
///
/// Up to 255 characters of `a-z A-Z 0-9`, space and `. _ - : / ( ) # , @ [ ] + = & ; { } ! $ *`.
/// Source: EC2 API, `CreateSecurityGroup`, `GroupName` and `GroupDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupText(String);

/// The text is too long or has a character that names and descriptions may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Character sets beyond ASCII are not supported.")]
pub struct InvalidGroupText;

impl GroupText {
    /// The longest text, in characters.
    pub const CHARACTERS_MAX: usize = 255;

    /// The text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for GroupText {
    type Err = InvalidGroupText;

    fn from_str(text: &str) -> Result<Self, InvalidGroupText> {
        let is_allowed =
            |b: u8| b.is_ascii_alphanumeric() || b" ._-:/()#,@[]+=&;{}!$*".contains(&b);
        if text.len() > Self::CHARACTERS_MAX || !text.bytes().all(is_allowed) {
            return Err(InvalidGroupText);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The protocol, the numbers, and what is printed back; `!` stands for a refusal.
    fn check(protocol: &str, from: Option<i64>, to: Option<i64>, printed: &str) {
        let shown = match Traffic::parse(protocol, from, to) {
            Ok(traffic) => match traffic.range() {
                Some((from, to)) => format!("{} {from} {to}", traffic.protocol()),
                None => traffic.protocol(),
            },
            Err(_) => "!".to_owned(),
        };
        assert_eq!(shown, printed, "{protocol} {from:?} {to:?}");
    }

    #[test]
    fn protocols_are_names_or_numbers_with_ports_where_they_have_them() {
        check("tcp", Some(80), Some(443), "tcp 80 443");
        check("TCP", Some(0), Some(65_535), "tcp 0 65535");
        check("6", Some(80), Some(80), "tcp 80 80");
        check("tcp", Some(-1), Some(-1), "tcp 0 65535");
        check("tcp", Some(81), Some(80), "!");
        check("tcp", Some(80), None, "!");
        check("tcp", Some(80), Some(65_536), "!");
        check("udp", Some(53), Some(53), "udp 53 53");
        check("icmp", Some(8), Some(-1), "icmp 8 -1");
        check("icmp", Some(-1), Some(-1), "icmp -1 -1");
        check("icmp", Some(-1), Some(0), "!");
        check("icmp", None, None, "!");
        check("icmpv6", None, None, "icmpv6 -1 -1");
        check("-1", Some(80), Some(80), "-1");
        check("50", Some(1), None, "50");
        check("050", None, None, "!");
        check("256", None, None, "!");
        check("sctp?", None, None, "!");
    }

    #[test]
    fn tcp_is_allowed_by_tcp_ports_and_by_everything() {
        for (traffic, port, is_allowed) in [
            (Traffic::All, 80, true),
            (Traffic::Tcp(Ports::new(80, 81).unwrap()), 81, true),
            (Traffic::Tcp(Ports::new(80, 81).unwrap()), 82, false),
            (Traffic::Udp(Ports::new(80, 81).unwrap()), 80, false),
            (Traffic::Other(50), 80, false),
        ] {
            assert_eq!(traffic.allows_tcp(port), is_allowed, "{traffic:?} {port}");
        }
    }

    #[test]
    fn group_texts_have_a_length_and_an_alphabet() {
        for (text, is_valid) in [
            ("web (blue), 10.0.0.0/8 #1", true),
            ("", true),
            ("naïve", false),
            ("a\nb", false),
            ("a\"b", false),
        ] {
            assert_eq!(text.parse::<GroupText>().is_ok(), is_valid, "{text:?}");
        }
        assert!("x".repeat(255).parse::<GroupText>().is_ok());
        assert!("x".repeat(256).parse::<GroupText>().is_err());
    }
}

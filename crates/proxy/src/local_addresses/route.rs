//! Routes of type `local`, for one address each. The three messages of rtnetlink(7) that this takes are written
//! here, because libraries for them bring the whole of netlink.

use std::io::{self, Read};
use std::net::Ipv6Addr;

use socket2::{Domain, Protocol, Socket, Type};

/// Adds the local route of `address`.
///
/// # Errors
/// That of the kernel, such as `PermissionDenied`.
pub(super) fn make(address: Ipv6Addr) -> io::Result<()> {
    request(libc::RTM_NEWROUTE, CREATE, address).map(drop)
}

pub(super) fn remove(address: Ipv6Addr) {
    if let Err(error) = request(libc::RTM_DELROUTE, CHANGE, address) {
        tracing::warn!(%address, %error, "the local route of an address cannot be removed");
    }
}

/// Where packets to an address go.
pub(super) enum Found {
    /// To this machine, by a route of ours.
    Made,
    /// To this machine.
    Local,
    /// Anywhere else, or nowhere.
    Elsewhere,
}

pub(super) fn find(address: Ipv6Addr) -> io::Result<Found> {
    match request(libc::RTM_GETROUTE, libc::NLM_F_REQUEST, address) {
        Ok(Some(route)) if route.kind == libc::RTN_LOCAL && route.protocol == PROTOCOL => {
            Ok(Found::Made)
        }
        Ok(Some(route)) if route.kind == libc::RTN_LOCAL => Ok(Found::Local),
        Ok(_) => Ok(Found::Elsewhere),
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH)
            ) =>
        {
            Ok(Found::Elsewhere)
        }
        Err(error) => Err(error),
    }
}

const CHANGE: i32 = libc::NLM_F_REQUEST | libc::NLM_F_ACK;
const CREATE: i32 = CHANGE | libc::NLM_F_CREATE | libc::NLM_F_EXCL;

/// Who has made a route: by this number, which is nobody else's, those of elbow are known.
/// Source: rtnetlink(7), `rtm_protocol`; the numbers in use are in iproute2's `rt_protos`.
const PROTOCOL: u8 = 65;

/// The loopback interface has this index in every network namespace. Source: Linux, `LOOPBACK_IFINDEX`.
const LOOPBACK_INTERFACE: u32 = 1;

/// The head of a netlink message. Source: netlink(7), `nlmsghdr`.
const HEAD_BYTES: usize = 16;

/// What a route message says of a route. Source: rtnetlink(7), `rtmsg`.
struct Route {
    protocol: u8,
    kind: u8,
}

/// Sends a message about the local route of `address` and gives the route that the kernel answers with, if it
/// answers with one.
fn request(kind: u16, flags: i32, address: Ipv6Addr) -> io::Result<Option<Route>> {
    let route = Protocol::from(libc::NETLINK_ROUTE);
    let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(route))?;
    socket.send(&message(kind, flags, address))?;
    let mut answer = [0; 4096];
    // The kernel has answered before `send` returns.
    let length = (&socket).read(&mut answer)?;
    parse(&answer[..length])
}

fn message(kind: u16, flags: i32, address: Ipv6Addr) -> Vec<u8> {
    let mut body = vec![
        libc::AF_INET6 as u8,
        128, // All bits of the destination,
        0,   // and none of the source.
        0,
    ];
    if kind == libc::RTM_GETROUTE {
        body.extend([0; 8]);
        push_attribute(&mut body, libc::RTA_DST, &address.octets());
    } else {
        let scope = libc::RT_SCOPE_UNIVERSE;
        body.extend([libc::RT_TABLE_LOCAL, PROTOCOL, scope, libc::RTN_LOCAL]);
        body.extend([0; 4]);
        push_attribute(&mut body, libc::RTA_DST, &address.octets());
        push_attribute(&mut body, libc::RTA_OIF, &LOOPBACK_INTERFACE.to_ne_bytes());
        // Clients on this machine come from here, whatever other addresses it has, as they come from 127.0.0.1
        // over IPv4: security groups know them by it.
        let loopback = Ipv6Addr::LOCALHOST.octets();
        push_attribute(&mut body, libc::RTA_PREFSRC, &loopback);
    }
    let mut message = Vec::with_capacity(HEAD_BYTES + body.len());
    message.extend(((HEAD_BYTES + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((flags as u16).to_ne_bytes());
    // Sequence number and port: the socket is used once.
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// All values here are whole multiples of the alignment, 4 bytes.
fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend((4 + value.len() as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
}

fn parse(answer: &[u8]) -> io::Result<Option<Route>> {
    let (Some(head), Some(body)) = (answer.get(..HEAD_BYTES), answer.get(HEAD_BYTES..)) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let kind = u16::from_ne_bytes([head[4], head[5]]);
    match (kind, body) {
        (libc::RTM_NEWROUTE, [_, _, _, _, _, protocol, _, kind, ..]) => Ok(Some(Route {
            protocol: *protocol,
            kind: *kind,
        })),
        // An acknowledgement is error 0; other errors are negative.
        (_, [a, b, c, d, ..]) if i32::from(kind) == libc::NLMSG_ERROR => {
            match i32::from_ne_bytes([*a, *b, *c, *d]) {
                0 => Ok(None),
                error => Err(io::Error::from_raw_os_error(-error)),
            }
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_message_has_the_layout_of_rtnetlink() {
        let address = "fd65::a".parse().unwrap();
        let message = message(libc::RTM_NEWROUTE, CREATE, address);
        assert_eq!(message.len(), 16 + 12 + 20 + 8 + 20);
        assert_eq!(message[..4], 76_u32.to_ne_bytes());
        assert_eq!(message[16..24], [10, 128, 0, 0, 255, PROTOCOL, 0, 2]);
        assert_eq!(
            message[32..48],
            "fd65::a".parse::<Ipv6Addr>().unwrap().octets()
        );
    }

    #[test]
    fn an_answer_cut_short_is_an_error() {
        assert!(parse(&[]).is_err());
        assert!(parse(&[0; 16]).is_err());
        let mut answer = [0_u8; 20];
        answer[4..6].copy_from_slice(&(libc::NLMSG_ERROR as u16).to_ne_bytes());
        assert!(matches!(parse(&answer), Ok(None)), "an acknowledgement");
        answer[16..].copy_from_slice(&(-libc::EPERM).to_ne_bytes());
        let Err(error) = parse(&answer) else {
            panic!("it is an error");
        };
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}

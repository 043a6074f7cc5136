//! Whether addresses of IPv6 are local to this machine, and what makes them local.
//!
//! Linux answers on all of 127.0.0.0/8; of IPv6, loopback has `::1` and no more. A route of type `local` makes the
//! kernel take packets for an address as its own, and the sockets of listeners may be bound to addresses that no
//! interface has. Without the route such a socket would be bound and never hear anything, so it is looked for
//! first. The three messages of rtnetlink(7) that this takes are written here, because libraries for them bring
//! the whole of netlink.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net;

use socket2::{Domain, Protocol, Socket, Type};

use crate::plane::BindError;

/// Where the IPv6 addresses of listeners come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6Addresses {
    /// Somebody else has made them local to this machine.
    Given,
    /// One that is not local gets a local route on the loopback interface, which takes the capability
    /// `CAP_NET_ADMIN`. The route goes when the address is no longer wanted and no socket has it, which is looked
    /// at when a snapshot is published and at the end of the data plane.
    Made,
}

/// The addresses of IPv6 that were found or made local.
#[derive(Debug)]
pub(crate) struct LocalAddresses {
    source: Ipv6Addresses,
    /// Those of the last call; they are not looked for again.
    ensured: BTreeSet<Ipv6Addr>,
    /// Those with a route that is ours to remove.
    owned: BTreeMap<Ipv6Addr, Claim>,
}

/// Tells the others of this network, while its process runs, that the route of an address has an owner.
#[derive(Debug)]
struct Claim {
    /// Its name is the claim. Such names belong to the network too, and are free again however their process ends.
    _name: net::UnixDatagram,
}

impl LocalAddresses {
    pub(crate) fn new(source: Ipv6Addresses) -> Self {
        Self {
            source,
            ensured: BTreeSet::new(),
            owned: BTreeMap::new(),
        }
    }

    /// Sees to it that all of `addresses` that are of IPv6 are local.
    ///
    /// An address of IPv4 can only be bound if it is local, so nothing has to be looked for.
    ///
    /// # Errors
    /// `BindError` with port 0 and `AddrNotAvailable` for the first address that is not local and cannot be made
    /// so; then no route that this call made stays.
    pub(crate) fn ensure(
        &mut self,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> Result<(), BindError> {
        let of_ipv6 = |address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => Some(v6),
        };
        let wanted: BTreeSet<Ipv6Addr> = addresses.filter_map(of_ipv6).collect();
        let before: BTreeSet<_> = self.owned.keys().copied().collect();
        let new: Vec<_> = wanted.difference(&self.ensured).copied().collect();
        for address in new {
            if let Err(error) = self.make_local(address) {
                self.remove_all_but(|address| before.contains(&address));
                return Err(BindError {
                    address: SocketAddr::new(address.into(), 0),
                    source: error,
                });
            }
        }
        self.ensured = wanted;
        Ok(())
    }

    fn make_local(&mut self, address: Ipv6Addr) -> io::Result<()> {
        match (find(address)?, self.source) {
            // Perhaps an elbow has left it behind that runs no more.
            (Found::Made, Ipv6Addresses::Made) => {}
            (Found::Made | Found::Local, _) => return Ok(()),
            (Found::Elsewhere, Ipv6Addresses::Given) => {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            (Found::Elsewhere, Ipv6Addresses::Made) => {
                if let Err(error) = request(libc::RTM_NEWROUTE, CREATE, address) {
                    tracing::debug!(%address, %error, "a local route cannot be made");
                    return Err(io::ErrorKind::AddrNotAvailable.into());
                }
            }
        }
        if let Some(claim) = Claim::make(address) {
            self.owned.insert(address, claim);
        }
        Ok(())
    }

    /// Removes the routes of ours whose addresses are no longer wanted. Those that a socket still has stay for
    /// now: a connection may have a request in progress.
    pub(crate) fn remove_unused(&mut self) {
        if self.owned.keys().all(|it| self.ensured.contains(it)) {
            return;
        }
        let used = match std::fs::read_to_string("/proc/net/tcp6") {
            Ok(sockets) => addresses_of(&sockets),
            Err(error) => {
                tracing::warn!(%error, "it cannot be seen which local routes are in use; all of them stay");
                return;
            }
        };
        let ensured = std::mem::take(&mut self.ensured);
        self.remove_all_but(|address| ensured.contains(&address) || used.contains(&address));
        self.ensured = ensured;
    }

    fn remove_all_but(&mut self, stays: impl Fn(Ipv6Addr) -> bool) {
        self.owned.retain(|address, _| {
            let stays = stays(*address);
            if !stays {
                remove(*address);
            }
            stays
        });
    }
}

impl Drop for LocalAddresses {
    /// A route stays if a socket has its address: another elbow may listen there, which has found the route.
    fn drop(&mut self) {
        self.ensured.clear();
        self.remove_unused();
    }
}

impl Claim {
    /// `None` if the route of the address is owned by a process that runs.
    fn make(address: Ipv6Addr) -> Option<Self> {
        let name = net::SocketAddr::from_abstract_name(format!("elbow route {address}"));
        let socket = name.and_then(|name| net::UnixDatagram::bind_addr(&name));
        let socket = socket.inspect_err(|error| {
            tracing::debug!(%address, %error, "the local route of an address is not ours");
        });
        Some(Self {
            _name: socket.ok()?,
        })
    }
}

/// The addresses that sockets of this network have; a socket that no process has any more, which only waits for
/// the last packets of its connection, does not count.
///
/// Source: Linux, Documentation/networking/proc_net_tcp.rst; of IPv6, an address is four words of the machine.
fn addresses_of(sockets: &str) -> BTreeSet<Ipv6Addr> {
    let of_line = |line: &str| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (address, _port) = columns.next()?.split_once(':')?;
        let inode = columns.nth(7)?;
        if address.len() != 32 || inode == "0" {
            return None;
        }
        let mut octets = [0; 16];
        for (at, word) in octets.chunks_exact_mut(4).enumerate() {
            let word_of_hex = u32::from_str_radix(address.get(8 * at..8 * at + 8)?, 16).ok()?;
            word.copy_from_slice(&word_of_hex.to_ne_bytes());
        }
        Some(Ipv6Addr::from(octets))
    };
    sockets.lines().filter_map(of_line).collect()
}

fn remove(address: Ipv6Addr) {
    if let Err(error) = request(libc::RTM_DELROUTE, CHANGE, address) {
        tracing::warn!(%address, %error, "the local route of an address cannot be removed");
    }
}

/// Where packets to an address go.
enum Found {
    /// To this machine, by a route of ours.
    Made,
    /// To this machine.
    Local,
    /// Anywhere else, or nowhere.
    Elsewhere,
}

fn find(address: Ipv6Addr) -> io::Result<Found> {
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

    fn ensure(addresses: &[&str]) -> Result<(), BindError> {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        LocalAddresses::new(Ipv6Addresses::Given).ensure(addresses)
    }

    #[test]
    fn what_the_machine_has_is_local() {
        ensure(&["::1", "127.0.0.1", "192.0.2.1"]).expect("IPv4 is not looked for");
    }

    #[test]
    fn what_it_does_not_have_is_not_available() {
        // RFC 3849: nobody has an address for documentation.
        let error = ensure(&["::1", "2001:db8::a"]).unwrap_err();
        assert_eq!(error.address, "[2001:db8::a]:0".parse().unwrap());
        assert_eq!(error.source.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn a_claim_holds_as_long_as_its_process() {
        // One that no other run of this test has at the same time.
        let address = Ipv6Addr::from(u128::from(std::process::id()));
        let claim = Claim::make(address);
        assert!(claim.is_some());
        assert!(Claim::make(address).is_none(), "it has an owner");
        drop(claim);
        assert!(Claim::make(address).is_some(), "the owner is gone");
    }

    #[test]
    fn the_addresses_of_sockets_are_those_in_use() {
        let listener = std::net::TcpListener::bind("[::1]:0").unwrap();
        let table = std::fs::read_to_string("/proc/net/tcp6").unwrap();
        assert!(addresses_of(&table).contains(&Ipv6Addr::LOCALHOST));
        drop(listener);
        let word = |text: &str| u32::from_be_bytes(text.as_bytes().try_into().unwrap());
        let [a, b, c, d] = ["abcd", "efgh", "ijkl", "mnop"].map(|text| word(text).to_be());
        let line = |inode| {
            format!(
                "  0: {a:08X}{b:08X}{c:08X}{d:08X}:1F90 {:032}:0000 0A 00000000:00000000 \
                 00:00000000 00000000     0        0 {inode} 1 ffff 100 0 0 10 0\n",
                0
            )
        };
        let expected = Ipv6Addr::from(*b"abcdefghijklmnop");
        assert_eq!(addresses_of(&line(123)), BTreeSet::from([expected]));
        assert!(addresses_of(&line(0)).is_empty(), "nobody has it any more");
        assert!(addresses_of("  sl  local_address remote_address st\n").is_empty());
    }

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

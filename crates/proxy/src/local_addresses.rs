//! Whether addresses of IPv6 are local to this machine, and what makes them local.
//!
//! Linux answers on all of 127.0.0.0/8; of IPv6, loopback has `::1` and no more. A route of type `local` makes the
//! kernel take packets for an address as its own, and the sockets of listeners may be bound to addresses that no
//! interface has. Without the route such a socket would be bound and never hear anything, so it is looked for
//! first.

mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net;

use crate::plane::BindError;

use route::Found;

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
    /// Those of the last call.
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

/// Who has made an address local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nobody whom a claim would tell of it.
    Other,
    /// An elbow, perhaps one that runs no more.
    Elbow,
    /// The route was made just now.
    New,
}

/// Whether packets to this address come to this machine: an interface has it, or a route makes it local. Binding a
/// socket to it would tell of the first alone.
///
/// # Errors
/// The kernel does not say.
pub fn is_local(address: Ipv6Addr) -> io::Result<bool> {
    Ok(!matches!(route::find(address)?, Found::Elsewhere))
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
    /// An address of IPv4 can only be bound if it is local, so nothing has to be looked for. One of IPv6 is looked
    /// for in each call, unless its route is ours: whoever has made it local may have ended since the last one.
    ///
    /// # Errors
    /// `BindError` with port 0 and `AddrNotAvailable` for the first new address that is not local and cannot be
    /// made so; then no route that this call made stays. One that was local before is only warned of: what has
    /// changed elsewhere must not hold up changes that have nothing to do with it.
    pub(crate) fn ensure(
        &mut self,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> Result<(), BindError> {
        let of_ipv6 = |address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => Some(v6),
        };
        let wanted: BTreeSet<Ipv6Addr> = addresses.filter_map(of_ipv6).collect();
        let mut claims = Vec::new();
        let mut made = Vec::new();
        for address in wanted.iter().filter(|it| !self.owned.contains_key(it)) {
            match self.make_local(*address) {
                Ok(Origin::Other) => continue,
                Ok(Origin::Elbow) => {}
                Ok(Origin::New) => made.push(*address),
                Err(error) if self.ensured.contains(address) => {
                    tracing::warn!(%address, %error, "an address that was local is so no longer");
                    continue;
                }
                Err(error) => {
                    made.into_iter().for_each(route::remove);
                    return Err(BindError {
                        address: SocketAddr::new((*address).into(), 0),
                        source: error,
                    });
                }
            }
            claims.extend(Claim::make(*address).map(|claim| (*address, claim)));
        }
        self.owned.extend(claims);
        self.ensured = wanted;
        Ok(())
    }

    fn make_local(&self, address: Ipv6Addr) -> io::Result<Origin> {
        match (route::find(address)?, self.source) {
            (Found::Made, Ipv6Addresses::Made) => Ok(Origin::Elbow),
            (Found::Made | Found::Local, _) => Ok(Origin::Other),
            (Found::Elsewhere, Ipv6Addresses::Given) => Err(io::ErrorKind::AddrNotAvailable.into()),
            (Found::Elsewhere, Ipv6Addresses::Made) => match route::make(address) {
                Ok(()) => Ok(Origin::New),
                Err(error) => {
                    tracing::debug!(%address, %error, "a local route cannot be made");
                    Err(io::ErrorKind::AddrNotAvailable.into())
                }
            },
        }
    }

    /// Whether there is a route of ours whose address is no longer wanted.
    pub(crate) fn has_unwanted(&self) -> bool {
        !self.owned.keys().all(|it| self.ensured.contains(it))
    }

    /// Removes the routes of ours whose addresses are no longer wanted. Those that a socket still has stay for
    /// now: a connection may have a request in progress.
    ///
    /// It may read the list of all sockets of IPv6, which blocks for as long as there are many.
    pub(crate) fn remove_unused(&mut self) {
        if !self.has_unwanted() {
            return;
        }
        let owned = self.owned.keys().copied();
        let unwanted = owned.filter(|it| !self.ensured.contains(it)).collect();
        let sockets = File::open("/proc/net/tcp6").map(BufReader::new);
        match sockets.and_then(|sockets| unused_of(unwanted, sockets)) {
            Ok(unused) => {
                for address in unused {
                    route::remove(address);
                    self.owned.remove(&address);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "it cannot be seen which local routes are in use; all of them stay");
            }
        }
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

/// Those of `addresses` that no socket of this network has.
fn unused_of(
    mut addresses: BTreeSet<Ipv6Addr>,
    mut sockets: impl BufRead,
) -> io::Result<BTreeSet<Ipv6Addr>> {
    let mut line = String::new();
    while !addresses.is_empty() && sockets.read_line(&mut line)? > 0 {
        if let Some(address) = address_of(&line) {
            addresses.remove(&address);
        }
        line.clear();
    }
    Ok(addresses)
}

/// The address of the socket that a line of the list describes. One that no process has any more counts as long as
/// it has something to send, if only the end of its connection; then it waits for late packets, and needs nothing.
///
/// Source: Linux, Documentation/networking/proc_net_tcp.rst; of IPv6, an address is four words of the machine.
fn address_of(line: &str) -> Option<Ipv6Addr> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (address, _port) = columns.next()?.split_once(':')?;
    let (to_send, _to_read) = columns.nth(2)?.split_once(':')?;
    let inode = columns.nth(4)?;
    let has_nothing_to_send = to_send.bytes().all(|digit| digit == b'0');
    if address.len() != 32 || (inode == "0" && has_nothing_to_send) {
        return None;
    }
    let mut octets = [0; 16];
    for (at, word) in octets.chunks_exact_mut(4).enumerate() {
        let word_of_hex = u32::from_str_radix(address.get(8 * at..8 * at + 8)?, 16).ok()?;
        word.copy_from_slice(&word_of_hex.to_ne_bytes());
    }
    Some(Ipv6Addr::from(octets))
}

#[cfg(test)]
#[path = "local_addresses_tests.rs"]
mod tests;

//! Whether addresses of IPv6 are local to this machine, and what makes them local.
//!
//! Linux answers on all of 127.0.0.0/8; of IPv6, loopback has `::1` and no more. A route of type `local` makes the
//! kernel take packets for an address as its own, and the sockets of listeners may be bound to addresses that no
//! interface has. Without the route such a socket would be bound and never hear anything, so it is looked for
//! first.

mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
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
        match (route::find(address)?, self.source) {
            // Perhaps an elbow has left it behind that runs no more.
            (Found::Made, Ipv6Addresses::Made) => {}
            (Found::Made | Found::Local, _) => return Ok(()),
            (Found::Elsewhere, Ipv6Addresses::Given) => {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            (Found::Elsewhere, Ipv6Addresses::Made) => {
                if let Err(error) = route::make(address) {
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
                route::remove(*address);
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
}

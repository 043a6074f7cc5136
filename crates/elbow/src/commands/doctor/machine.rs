//! Findings about the machine that elbow runs on, which is this one: the doctor has its data directory.

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use time::OffsetDateTime;

use super::super::inventory::Inventory;
use super::finding::Finding;
use crate::client::SelfReport;
use crate::metrics;

/// Two for each request in progress: below this, a busy load balancer runs out of them.
const OPEN_FILES_MIN: u64 = 10_000;

/// Of the limit, in percent: the rest is used up by one burst of connections.
const OPEN_FILES_WARNING_PERCENT: u64 = 80;

/// AWS refuses signatures that are off by 300 s; long before that, nobody has noticed.
const CLOCK_SKEW_SECONDS: i64 = 30;

/// Of the file system of the data directory, in percent.
const FREE_SPACE_PERCENT: u64 = 5;

/// Everything that is wrong with the machine.
///
/// # Errors
/// The data directory cannot be looked at.
pub(crate) fn findings(
    inventory: &Inventory,
    report: &SelfReport,
    directory: &Path,
    now: OffsetDateTime,
) -> io::Result<Vec<Finding>> {
    let mut found: Vec<_> = of_addresses(inventory).collect();
    let value = |name| metrics::value(&report.metrics, name);
    if let (Some(open), Some(max)) = (value(metrics::OPEN_FILES), value(metrics::OPEN_FILES_MAX)) {
        found.extend(of_open_files(open, max));
    }
    let unfiltered = value("elbow_sockets_without_filter_total").unwrap_or(0);
    if unfiltered > 0 {
        found.push(Finding::warning(
            "security groups".to_owned(),
            "elbow_sockets_without_filter_total",
            format!("The kernel has refused a socket filter {unfiltered} times: whom the security groups do not admit is \
                     disconnected after the handshake instead of never being answered."),
            "Run elbow where a seccomp profile or the limit net.core.optmem_max does not forbid SO_ATTACH_FILTER, or \
             give the security groups fewer blocks."
                .to_owned(),
        ));
    }
    found.extend(report.date.and_then(|date| of_clock(date, now)));
    let space = rustix::fs::statvfs(directory)?;
    found.extend(of_space(directory, space.f_bavail, space.f_blocks));
    Ok(found)
}

fn of_addresses(inventory: &Inventory) -> impl Iterator<Item = Finding> {
    let balancers = inventory.load_balancers.iter();
    let addresses = balancers.flat_map(|it| it.addresses.iter().map(move |address| (it, address)));
    addresses.filter_map(|(balancer, address)| {
        let ip: IpAddr = address.address.parse().ok()?;
        is_elsewhere(ip).then(|| {
            let length = if ip.is_ipv4() { 32 } else { 128 };
            Finding::error(
                format!("load balancer {}", balancer.name),
                &balancer.arn,
                format!(
                    "This machine does not have its address {ip}: nobody can connect to it there."
                ),
                format!(
                    "Give the address to an interface: ip address add {ip}/{length} dev INTERFACE"
                ),
            )
        })
    })
}

/// Whether this machine does not have an address; `false` if nobody can tell.
fn is_elsewhere(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => UdpSocket::bind((ip, 0))
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable),
        // Linux lets nobody bind an address of IPv6 that is local by a route alone, as those of `addresses =
        // "loopback"` are, unless the socket asks for that.
        IpAddr::V6(v6) => proxy::is_local(v6).is_ok_and(|is_local| !is_local),
    }
}

fn of_open_files(open: u64, max: u64) -> Option<Finding> {
    let subject = || "limit of open files".to_owned();
    let remedy = || {
        "Raise it: LimitNOFILE=1048576 in the unit of systemd, or ulimit -Hn 1048576 before elbow serve.".to_owned()
    };
    if open * 100 >= max * OPEN_FILES_WARNING_PERCENT {
        let wrong =
            format!("{open} of {max} files and sockets are open: connections will be refused.");
        return Some(Finding::error(
            subject(),
            metrics::OPEN_FILES_MAX,
            wrong,
            remedy(),
        ));
    }
    (max < OPEN_FILES_MIN).then(|| {
        let wrong =
            format!("elbow may open {max} files and sockets, two for each request in progress.");
        Finding::warning(subject(), metrics::OPEN_FILES_MAX, wrong, remedy())
    })
}

fn of_clock(date: OffsetDateTime, now: OffsetDateTime) -> Option<Finding> {
    let skew = (now - date).whole_seconds();
    (skew.abs() > CLOCK_SKEW_SECONDS).then(|| {
        Finding::warning(
            "clock".to_owned(),
            "Date",
            format!("The clocks of elbow and of this command are {} s apart: signatures fail from 300 s on.", skew.abs()),
            "Set both by NTP: timedatectl set-ntp true".to_owned(),
        )
    })
}

fn of_space(directory: &Path, free: u64, all: u64) -> Option<Finding> {
    let percent = (free * 100).checked_div(all)?;
    (percent < FREE_SPACE_PERCENT).then(|| {
        let path = directory.display().to_string();
        Finding::warning(
            "data directory".to_owned(),
            &path,
            format!("Its file system has {percent}% free: without space, no change can be saved."),
            format!("Make room, or move it: du -sh {path}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::super::inventory::{Address, LoadBalancer};
    use super::*;

    #[test]
    fn limits_are_found_to_be_low_or_nearly_reached() {
        let wrong = |open, max| of_open_files(open, max).map(|it| (it.wrong, it.severity));
        assert_eq!(wrong(100, 1_000_000), None);
        assert_eq!(wrong(7_999, 10_000), None);
        assert!(wrong(8_000, 10_000).unwrap().0.starts_with("8000 of 10000"));
        assert!(
            wrong(10, 1024)
                .unwrap()
                .0
                .starts_with("elbow may open 1024")
        );
    }

    #[test]
    fn clocks_may_be_a_little_apart() {
        let now = datetime!(2026-01-01 00:01:00 UTC);
        assert_eq!(of_clock(datetime!(2026-01-01 00:00:30 UTC), now), None);
        for date in [
            datetime!(2026-01-01 00:00:29 UTC),
            datetime!(2026-01-01 00:01:31 UTC),
        ] {
            assert!(of_clock(date, now).unwrap().wrong.contains("31 s apart"));
        }
    }

    #[test]
    fn space_is_told_when_it_ends() {
        let wrong = |free, all| of_space(Path::new("/x"), free, all).map(|it| it.wrong);
        assert_eq!(wrong(5, 100), None);
        assert!(wrong(4, 100).unwrap().contains("4% free"));
        assert_eq!(
            wrong(0, 0),
            None,
            "a file system without blocks says nothing"
        );
    }

    #[test]
    fn an_address_that_the_machine_does_not_have_is_found() {
        let with = |address: &str| {
            let address = Address {
                zone: "a".to_owned(),
                address: address.to_owned(),
            };
            Inventory {
                load_balancers: vec![LoadBalancer {
                    addresses: vec![address],
                    ..LoadBalancer::default()
                }],
                ..Inventory::default()
            }
        };
        for (address, expected) in [
            ("127.0.0.9", 0),
            ("::1", 0),
            // RFC 5737 and RFC 3849: no machine has these.
            ("192.0.2.1", 1),
            ("2001:db8::a", 1),
        ] {
            let inventory = with(address);
            let found = of_addresses(&inventory);
            assert_eq!(found.count(), expected, "{address}");
        }
    }
}

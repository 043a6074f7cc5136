//! Which addresses are found local, and who makes and removes routes.

use std::process::Command;

use engine::Admission;

use super::*;
use crate::bind::bind;

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
    let sockets = BufReader::new(File::open("/proc/net/tcp6").unwrap());
    let addresses = BTreeSet::from([Ipv6Addr::LOCALHOST, address(1)]);
    let unused = unused_of(addresses, sockets).unwrap();
    assert_eq!(unused, BTreeSet::from([address(1)]));
    drop(listener);
    let word = |text: &str| u32::from_be_bytes(text.as_bytes().try_into().unwrap());
    let [a, b, c, d] = ["abcd", "efgh", "ijkl", "mnop"].map(|text| word(text).to_be());
    let line = |to_send: u32, inode: u32| {
        format!(
            "  0: {a:08X}{b:08X}{c:08X}{d:08X}:1F90 {:032}:0000 0A {to_send:08X}:00000001 \
             00:00000000 00000000     0        0 {inode} 1 ffff 100 0 0 10 0\n",
            0
        )
    };
    let expected = Ipv6Addr::from(*b"abcdefghijklmnop");
    assert_eq!(address_of(&line(0, 123)), Some(expected));
    assert_eq!(
        address_of(&line(0, 0)),
        None,
        "it is closed, and all is sent"
    );
    assert_eq!(address_of(&line(16, 0)), Some(expected), "it still sends");
    let head = "  sl  local_address remote_address st\n";
    assert_eq!(address_of(head), None);
}

/// Sockets that may be read up to here.
struct NoMore;

impl io::Read for NoMore {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("nobody needs to know more"))
    }
}

#[test]
fn the_list_of_sockets_is_read_as_far_as_it_must_be() {
    let line = format!(
        "0: {:024}01000000:1F90 {:032}:0000 0A 0:0 00:0 0 0 0 7\n",
        0, 0
    );
    let list = || BufReader::new(io::Read::chain(line.as_bytes(), NoMore));
    let used = Ipv6Addr::from(u128::from(u32::from_be_bytes(
        0x0100_0000_u32.to_ne_bytes(),
    )));
    assert_eq!(
        unused_of(BTreeSet::from([used]), list()).unwrap(),
        BTreeSet::new()
    );
    assert!(unused_of(BTreeSet::from([used, address(1)]), list()).is_err());
}

/// Runs `body` in a network that has nothing but loopback, in a process of its own: the thread of a test cannot
/// leave its network in safe code. Where no network can be made (an ordinary user, as a rule), there is no test.
fn in_own_network(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "ELBOW_TEST_IS_IN_OWN_NETWORK";
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let unshare = |command: &[&str]| {
        let mut unshared = Command::new("unshare");
        unshared
            .args(["--map-root-user", "--net"])
            .args(command)
            .env(INSIDE, "");
        unshared
    };
    if !unshare(&["true"]).status().is_ok_and(|it| it.success()) {
        eprintln!("no network can be made here");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let name = format!("local_addresses::tests::{test}");
    let script = "ip link set lo up && exec \"$0\" --exact \"$1\" --nocapture";
    let output = unshare(&["sh", "-c", script, program.to_str().unwrap(), &name]).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Of those that the tests use in their own networks, the one with this number.
fn address(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd65, 0, 0, 0, 0, 0, 0, number)
}

fn ensure_local(addresses: &mut LocalAddresses, numbers: &[u16]) -> Result<(), BindError> {
    addresses.ensure(numbers.iter().map(|number| address(*number).into()))
}

fn is_routed(number: u16) -> bool {
    matches!(route::find(address(number)).unwrap(), Found::Made)
}

/// Has no local route made for the address: another one has its place.
fn forbid(number: u16) {
    let address = address(number).to_string();
    let command = [
        "-6",
        "route",
        "add",
        "unreachable",
        &address,
        "table",
        "local",
    ];
    let status = Command::new("ip")
        .args(command)
        .args(["metric", "1024"])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_route_that_its_owner_has_removed_is_made_again() {
    in_own_network("a_route_that_its_owner_has_removed_is_made_again", || {
        let [mut owner, mut other] = [0; 2].map(|_| LocalAddresses::new(Ipv6Addresses::Made));
        ensure_local(&mut owner, &[1]).unwrap();
        ensure_local(&mut other, &[1]).unwrap();
        ensure_local(&mut owner, &[]).unwrap();
        owner.remove_unused();
        assert!(!is_routed(1), "no socket has it");
        ensure_local(&mut other, &[1, 2]).unwrap();
        assert!(is_routed(1), "it is still wanted");
        drop(other);
        assert!(!is_routed(1), "it has an owner again");
    });
}

#[test]
fn a_route_whose_owner_has_ended_gets_another() {
    in_own_network("a_route_whose_owner_has_ended_gets_another", || {
        let [mut owner, mut other] = [0; 2].map(|_| LocalAddresses::new(Ipv6Addresses::Made));
        ensure_local(&mut owner, &[1]).unwrap();
        ensure_local(&mut other, &[1]).unwrap();
        let at = SocketAddr::new(address(1).into(), 8080);
        let listener = bind(at, 1, &Admission::Anyone).unwrap();
        drop(owner);
        assert!(is_routed(1), "a socket has it");
        drop(listener);
        ensure_local(&mut other, &[1]).unwrap();
        drop(other);
        assert!(!is_routed(1));
    });
}

#[test]
fn a_failure_removes_only_what_the_same_call_has_made() {
    in_own_network("a_failure_removes_only_what_the_same_call_has_made", || {
        let mut addresses = LocalAddresses::new(Ipv6Addresses::Made);
        ensure_local(&mut addresses, &[1]).unwrap();
        route::make(address(2)).unwrap();
        forbid(4);
        let error = ensure_local(&mut addresses, &[1, 2, 3, 4]).unwrap_err();
        assert_eq!(error.address.ip(), address(4));
        assert_eq!(error.source.kind(), io::ErrorKind::AddrNotAvailable);
        assert!(is_routed(1), "from an earlier call");
        assert!(is_routed(2), "left behind by somebody");
        assert!(!is_routed(3), "made by the call that failed");
        assert!(Claim::make(address(1)).is_none());
        for number in [2, 3] {
            assert!(Claim::make(address(number)).is_some(), "{number} is ours");
        }
    });
}

#[test]
fn an_address_that_is_local_no_longer_holds_up_nothing() {
    in_own_network(
        "an_address_that_is_local_no_longer_holds_up_nothing",
        || {
            let mut addresses = LocalAddresses::new(Ipv6Addresses::Given);
            route::make(address(1)).unwrap();
            ensure_local(&mut addresses, &[1]).unwrap();
            route::remove(address(1));
            ensure_local(&mut addresses, &[1]).expect("it was local before");
            ensure_local(&mut addresses, &[1, 2]).expect_err("this one is new");
            ensure_local(&mut addresses, &[]).unwrap();
            ensure_local(&mut addresses, &[1]).expect_err("it is new again");
        },
    );
}

//! Security groups at the listening socket: a packet of a source that is not allowed is dropped by the
//! kernel before there is a connection, so that the client gets no answer at all.
//!
//! The filter is a classic BPF program. It runs for every packet that reaches the listening socket, and the
//! sockets accepted from it inherit it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use engine::Admission;
use model::Cidr;
use socket2::{SockFilter, SockRef};

/// Instructions of one program. Source: Linux, `BPF_MAXINSNS`.
const INSTRUCTIONS_MAX: usize = 4096;

/// Where a listener checks its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// In the kernel, packet by packet.
    Socket,
    /// After accept: the connection is closed without an answer. For sockets that the kernel lets us put
    /// no filter on, and for more blocks than fit a program.
    Accept,
}

/// Makes a listening socket at `address` accept only what `admission` allows, from now on.
pub(crate) fn enforce(
    socket: SockRef<'_>,
    address: SocketAddr,
    admission: &Admission,
) -> Enforcement {
    let applied = match admission {
        Admission::Only(blocks) if !admission.is_open_to_family(address.ip()) => {
            match program(blocks, address.ip()) {
                Some(program) => socket.attach_filter(&program),
                None => Err(io::ErrorKind::InvalidInput.into()),
            }
        }
        Admission::Only(_) | Admission::Anyone => detach(socket),
    };
    match applied {
        Ok(()) => Enforcement::Socket,
        Err(error) => {
            tracing::warn!(%address, %error, "sources are checked after accept instead of by a socket filter");
            Enforcement::Accept
        }
    }
}

fn detach(socket: SockRef<'_>) -> io::Result<()> {
    match socket.detach_filter() {
        // There was none.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        other => other,
    }
}

/// Load a 32-bit word of the packet at an absolute offset.
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offset that makes a load relative to the network header. Source: Linux, `SKF_NET_OFF`.
const NETWORK_HEADER: u32 = 0xfff0_0000;
/// Offset of the source address. Source: RFC 791 section 3.1, RFC 8200 section 3.
const SOURCE_V4: u32 = 12;
const SOURCE_V6: u32 = 8;

/// The program that keeps packets from `blocks` and drops all others; `None` if it would be too long.
fn program(blocks: &[Cidr], local: IpAddr) -> Option<Vec<SockFilter>> {
    let mut program = Vec::new();
    for block in outermost(blocks).filter(|block| block.network().is_ipv4() == local.is_ipv4()) {
        push_block(&mut program, &block);
    }
    program.push(SockFilter::new(RETURN, 0, 0, 0));
    (program.len() <= INSTRUCTIONS_MAX).then_some(program)
}

/// The blocks that are not inside another one.
fn outermost(blocks: &[Cidr]) -> impl Iterator<Item = Cidr> {
    let mut sorted = blocks.to_vec();
    // A block sorts right before all that it covers.
    sorted.sort_unstable();
    sorted.dedup_by(|block, before| before.covers(block));
    sorted.into_iter()
}

/// Compares the source with one block, word by word; the last word that is equal keeps the packet.
fn push_block(program: &mut Vec<SockFilter>, block: &Cidr) {
    let (offset, words): (u32, Vec<u32>) = match block.network() {
        IpAddr::V4(address) => (SOURCE_V4, vec![address.into()]),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            (
                SOURCE_V6,
                (0..4)
                    .map(|word| (bits >> (96 - 32 * word)) as u32)
                    .collect(),
            )
        }
    };
    let compared = u32::from(block.prefix_length()).div_ceil(32);
    for (index, word) in (0..compared).zip(words) {
        let bits = (u32::from(block.prefix_length()) - 32 * index).min(32);
        let mask = u32::MAX << (32 - bits);
        // Three instructions for each word that follows, and the return.
        let behind = (3 * (compared - index - 1) + 1) as u8;
        program.push(SockFilter::new(
            LOAD,
            0,
            0,
            NETWORK_HEADER + offset + 4 * index,
        ));
        program.push(SockFilter::new(AND, 0, 0, mask));
        program.push(SockFilter::new(JUMP_IF_EQUAL, 0, behind, word));
    }
    program.push(SockFilter::new(RETURN, 0, 0, u32::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(blocks: &[&str], local: &str) -> Option<usize> {
        let blocks: Vec<Cidr> = blocks.iter().map(|block| block.parse().unwrap()).collect();
        program(&blocks, local.parse().unwrap()).map(|program| program.len())
    }

    #[test]
    fn a_block_costs_three_instructions_a_word_and_one() {
        assert_eq!(
            instructions(&[], "127.0.0.1"),
            Some(1),
            "nobody is admitted"
        );
        assert_eq!(instructions(&["10.0.0.0/8"], "127.0.0.1"), Some(5));
        assert_eq!(instructions(&["0.0.0.0/0"], "127.0.0.1"), Some(2));
        assert_eq!(
            instructions(&["10.0.0.0/8"], "::1"),
            Some(1),
            "of the other family"
        );
        assert_eq!(instructions(&["2001:db8::/48"], "::1"), Some(8));
    }

    #[test]
    fn a_block_inside_another_costs_nothing() {
        assert_eq!(
            instructions(&["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8"], "127.0.0.1"),
            Some(5)
        );
    }

    #[test]
    fn a_program_that_the_kernel_would_refuse_is_not_made() {
        let blocks: Vec<String> = (0..1100_u32)
            .map(|n| format!("10.{}.{}.1/32", n / 256, n % 256))
            .collect();
        let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
        assert_eq!(instructions(&blocks, "127.0.0.1"), None);
    }
}

//! Listening sockets: their options, and how they come to be without a moment in which they would be too open.

use std::io;
use std::net::SocketAddr;

use engine::Admission;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::admit;

/// Connections that wait to be accepted, for each socket; the kernel drops the SYNs of more.
const BACKLOG: i32 = 4096;

/// One listening socket at `address` for each worker; the kernel spreads connections over them.
pub(crate) fn bind(
    address: SocketAddr,
    workers: usize,
    admission: &Admission,
) -> io::Result<Vec<std::net::TcpListener>> {
    // Sockets that share a port would also share it with those of another process of the same user. This
    // one shares with nobody, so it fails if anybody listens there.
    let probe = new_socket(address)?;
    probe.bind(&address.into())?;
    drop(probe);
    (0..workers)
        .map(|_| {
            let socket = new_socket(address)?;
            socket.set_reuse_port(true)?;
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            // Before it listens: there is no moment in which anybody could connect.
            admit::enforce(SockRef::from(&socket), address, admission);
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect()
}

fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // A listener has sockets of its own for IPv4.
        socket.set_only_v6(true)?;
        // That the address is local has been seen to; it need not be one of an interface.
        socket.set_freebind_v6(true)?;
    }
    Ok(socket)
}

//! HTTP/2 for clients. One task owns the socket of a connection and every frame on it; each forwarded
//! stream is a task that writes its frames straight into the connection's buffer.
//!
//! The framing is our own: with the `h2` crate, streams, bodies and the connection talk to each other
//! through queues, and a request costs more than all of ours does.

mod hpack;

//! HTTP/2 for clients. One task owns the socket of a connection and every frame on it; each forwarded
//! stream is a task that writes its frames straight into the connection's buffer.
//!
//! The framing toward clients is our own, so that a request needs no queue between its stream and its connection
//! and many frames leave in one write. Toward targets, in the modules named `target_…`, it is the `h2` crate's.

mod answer;
mod connection;
mod conversation;
mod download;
mod exchange;
mod frame;
mod head;
pub mod hpack;
mod limits;
mod outlet;
mod probe;
mod receive;
mod request;
mod route;
mod state;
mod stream;
mod target_conversation;
mod target_exchange;
mod target_head;
mod target_sessions;
mod upload;

pub(crate) use connection::serve;
pub(crate) use probe::check;
pub(crate) use target_sessions::TargetSessions;

//! HTTP/2 with clients, and in the modules named `target_…` with targets. One task owns the socket of a
//! connection and reads every frame on it; each forwarded stream is a task that writes its frames straight into
//! the buffers of both connections.
//!
//! The framing is our own, so that a request needs no queue between its stream and its connections and many
//! frames leave in one write. Both sides share it up to the point where it matters who the peer is.

mod answer;
mod connection;
mod conversation;
mod discards;
mod download;
mod exchange;
mod flow;
mod frame;
mod frame_reader;
mod handle;
mod head;
pub mod hpack;
pub mod incoming;
mod limits;
mod out;
mod outlet;
mod payload;
mod probe;
mod receive;
mod request;
mod response;
mod route;
mod sections;
mod state;
mod stream;
mod target_connection;
mod target_conversation;
mod target_exchange;
mod target_head;
mod target_session;
mod target_sessions;
mod upload;

pub(crate) use connection::serve;
pub(crate) use probe::check;
pub(crate) use target_sessions::TargetSessions;

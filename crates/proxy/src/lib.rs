//! The data plane: listening sockets, client connections, HTTP, connections to targets, health checks.
//!
//! It serves the snapshot that was published last, knows nothing of where snapshots come from, and goes on
//! serving when nobody publishes any more. Each worker is one thread with its own event loop.

mod accept;
mod admit;
mod attempts;
mod bind;
mod buffer;
mod changed_fields;
mod compressor;
mod connection;
mod conversation;
mod cookie;
mod cookie_seal;
mod counters;
mod date;
mod decide;
mod desync;
mod desync_reason;
mod discard;
mod exchange;
pub mod explain;
mod finish;
mod forward;
mod forwarded;
mod head_sink;
pub mod http1;
pub mod http2;
mod linger;
mod local_addresses;
mod logins;
mod mirror;
mod negotiation;
mod outgoing;
mod places;
mod plane;
mod probe;
mod pump;
mod rate_limit;
mod registry;
mod respond;
mod rewrite;
mod stickiness_cookie;
mod sticky;
mod stream;
mod target_connect;
mod target_connections;
mod tls_accept;
mod tls_configs;
mod tls_facts;
mod tls_fields;
mod trace_id;
mod tunnel;
mod worker;

pub use cookie_seal::CookieKey;
pub use counters::{Counter, Counters};
pub use local_addresses::{Ipv6Addresses, is_local};
pub use logins::Logins;
pub use plane::{BindError, Clock, Config, DataPlane, PrepareError};
pub use tls_configs::{TlsError, TlsErrorReason};

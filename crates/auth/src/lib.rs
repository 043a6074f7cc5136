//! Who is asking: OpenID Connect logins and bearer tokens, the meaning of the actions `authenticate-oidc`,
//! `authenticate-cognito` and `jwt-validation`.
//!
//! The proxy hands over the facts of a request and gets back what to do with it; it knows nothing of
//! OpenID Connect, and this crate nothing of clients' connections, of rules or of storage. What can be
//! decided at once is; for the rest there is a value whose `run` asks the identity provider through the
//! [`Client`], the one part of this crate that does I/O.

mod client;
mod clock;
mod cookie;
mod endpoint;
mod json;
pub mod jwt;
mod keys;
pub mod oidc;
mod outcome;
mod random;
mod refreshes;

pub use client::{Client, ClientError, Counters, Settings};
pub use cookie::{NONCE_COOKIE, SHARD_MAX, SHARDS_MAX};
pub use endpoint::Endpoint;
pub use keys::{Keys, KeysError};
pub use outcome::{LOCATION_MAX, Metric, Outcome, Reason, Step, USER_FIELDS};
pub use random::{Random, SystemRandom};
pub use refreshes::{SHARED_FOR, SHARED_MAX};

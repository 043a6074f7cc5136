//! The decisions of the data plane, as pure functions over one immutable snapshot.
//!
//! Nothing here performs I/O, reads a clock or draws a random number: times and draws are arguments.
//! The vocabulary is that of a proxy (frontend, router, action, pool, endpoint); `control` lowers load
//! balancers of every type to it.

pub mod action;
mod anomaly;
mod candidates;
pub mod endpoint;
pub mod extension;
pub mod health;
pub mod http;
pub mod pool;
pub mod rate_limiter;
pub mod router;
mod slow_start;
pub mod snapshot;
pub mod stickiness;
pub mod tls;
pub mod transform;
mod weight;

pub use action::{Action, Authentication, FixedResponse, Forward, Redirect, Routing};
pub use candidates::{HealthThreshold, PoolHealth};
pub use endpoint::{Endpoint, EndpointState, InFlight, Outcome, Reach};
pub use extension::{Extensions, Mirror};
pub use http::{HttpOptions, HttpVersion, ResponseCompression, Stickiness, TargetProtocol};
pub use pool::{Algorithm, Choice, Pool, PoolId, PoolSettings};
pub use rate_limiter::RateLimiter;
pub use router::{RequestFacts, Router};
pub use snapshot::{Admission, Frontend, FrontendId, Snapshot};
pub use stickiness::StickinessToken;
pub use tls::Tls;
pub use transform::{TransformStatus, Transforms};
pub use weight::Weight;

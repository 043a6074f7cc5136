//! The AWS APIs: wire protocols, signatures and error codes, one folder a service and one file an
//! operation.
//!
//! Nothing here decides what an operation means: this crate parses a request, calls `control` and
//! prints the answer. A request goes through `server`, `endpoint`, [`sigv4`], [`query`], `json` or
//! `rest_json`, the folder of its service, and [`xml`].

mod acm;
mod arc_zonal_shift;
mod audit;
mod caller;
mod ec2;
mod elbow;
mod elbv2;
mod endpoint;
mod error;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod indented;
mod input;
mod json;
mod operation;
#[cfg(test)]
mod parity;
pub mod query;
mod request_id;
mod resource;
pub mod rest_json;
mod server;
mod service;
#[cfg(test)]
mod signed;
pub mod sigv4;
mod sts;
mod throttle;
pub mod xml;

pub use audit::AuditLog;
pub use endpoint::{
    ACCOUNT_FIELD, EXPLAIN_PATH, Endpoint, Explain, HEALTH_PATH, METRICS_PATH, PUBLIC_KEYS_PATH,
    Parts,
};
pub use error::ApiError;
pub use operation::{Coverage, coverage};
pub use request_id::{RandomRequestIds, RequestId, RequestIds};
pub use server::{Limits, serve};
pub use throttle::{Bucket, Throttle, UnknownBucket};

//! What the operations of the AWS APIs mean: the stored intent, and the snapshot that the data plane
//! serves because of it.
//!
//! `Control` is the control plane of one account, and `Accounts` has those of all. A change goes through
//! `Control::transact`: it is checked against the `State`, compiled, its sockets are bound, it is stored, and it is
//! live when the call returns.
//! Nothing here knows of XML, of HTTP status codes or of sockets.

pub mod access;
pub mod accounts;
pub mod acm;
mod background;
mod control;
mod drain;
pub mod ec2;
pub mod elb;
pub mod issuer;
mod lower;
mod neighbours;
pub mod objects;
mod page;
mod pem;
mod pkcs8;
pub mod plane;
pub mod record;
pub mod seams;
pub mod secrets;
pub mod settings;
pub mod state;
mod x509;
pub mod zonal_shift;

pub use accounts::Accounts;
use control::blocking;
pub use control::{CommitError, Control, ListenError, OpenError, Parts};
pub use issuer::{
    IssueError, IssueFuture, IssuedCertificate, Issuer, LocalAuthority, Order, Signature,
};
pub use lower::endpoint_key;
pub use objects::{NoObjects, ObjectError, ObjectFuture, ObjectName, ObjectStore};
pub use plane::{BindError, DataPlane, NoPlane, PlaneFuture};
pub use seams::{Clock, Ids, ManualClock, RandomIds, SequentialIds, SystemClock};
pub use secrets::{SECRET_KEY_BYTES, SealedError, SecretKey};
pub use settings::{CognitoUserPool, Ec2Limits, Limits, Settings};
pub use state::{Draft, State};
pub use x509::names::{DistinguishedName, GeneralName, Names};

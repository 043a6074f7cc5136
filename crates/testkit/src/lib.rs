//! What tests are made of: requests and rules in the words of the domain, generators of both, slow models that are
//! obviously right, and objects to read. Not for use outside tests.

pub mod objects;
pub mod reference;
pub mod request;
pub mod rules;
pub mod strategies;

pub use objects::CertificateObjects;
pub use request::Request;
pub use rules::{RuleSpec, Table};

//! What tests are made of: requests and rules in the words of the domain, generators of both, and slow
//! models that are obviously right. Not for use outside tests.

pub mod reference;
pub mod request;
pub mod rules;
pub mod strategies;

pub use request::Request;
pub use rules::{RuleSpec, Table};

//! The nouns of a load balancer and what makes each of them valid.
//!
//! Nothing here performs I/O, reads a clock or draws a random number: a value that exists is valid.

pub mod cidr;
pub mod condition;
pub mod health_check;

pub use cidr::Cidr;

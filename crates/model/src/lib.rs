//! The nouns of a load balancer and what makes each of them valid.
//!
//! Nothing here performs I/O, reads a clock or draws a random number: a value that exists is valid.

pub mod access_key;
pub mod account;
pub mod action;
pub mod arn;
pub mod attributes;
pub mod authentication;
pub mod certificate;
pub mod cidr;
pub mod cognito;
pub mod condition;
pub mod ec2;
pub mod expression;
pub mod extension;
pub mod health_check;
pub mod id;
pub mod listener;
pub mod listener_attributes;
pub mod load_balancer;
pub mod load_balancer_attributes;
pub mod protocol;
pub mod rule;
pub mod secret;
pub mod ssl_policy;
pub mod tag;
pub mod target;
pub mod target_group;
pub mod target_group_attributes;
pub mod text_enum;
pub mod transform;
pub mod trust_store;
pub mod zonal_shift;

pub use cidr::Cidr;

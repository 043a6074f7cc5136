//! The structures that several operations read or print, with their members in the order of the API's
//! model.

pub(super) mod action;
pub(super) mod attribute;
pub(super) mod condition;
pub(super) mod listener;
pub(super) mod load_balancer;
pub(super) mod paging;
pub(super) mod rule;
pub(super) mod tag;
pub(super) mod target;
pub(super) mod target_group;
pub(super) mod trust_store;

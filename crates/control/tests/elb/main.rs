//! What the operations of Elastic Load Balancing do, as their callers see it.

mod attributes;
mod authentication;
mod certificate_requests;
mod certificate_search;
mod certificate_uses;
mod certificates;
mod described;
mod drain;
mod extensions;
mod ipv6;
mod listeners;
mod live;
mod load_balancers;
mod lowering;
mod reachability;
mod rules;
mod storage;
mod support;
mod tags;
mod target_groups;
mod target_protocols;
mod targets;
mod tls_listeners;
mod transforms;
mod trust_stores;
mod zonal_shift;

//! TLS of listeners and of connections to targets.

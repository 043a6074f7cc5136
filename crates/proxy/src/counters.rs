//! What a worker, or the prober, counts. Each writes its own counters; whoever reads them adds them up.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::desync_reason::ReasonCounters;

/// A number that one thread raises and any thread may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `amount`. Only the owning thread may call this: a plain load and store is enough for it and
    /// costs a fifth of a locked addition.
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(amount),
            Ordering::Relaxed,
        );
    }

    /// Adds one.
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// The value now.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares the counters once, so that a new one cannot be missing from the listing.
macro_rules! counters {
    ($($(#[doc = $help:literal])+ $name:ident,)+) => {
        /// The counters of one worker, or of the prober, from its start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $help])+ pub $name: Counter,)+
            pub(crate) desync_reasons: ReasonCounters,
        }

        impl Counters {
            /// Every counter: its name, a sentence on what it counts, and its value.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
                [$((stringify!($name), concat!($($help),+).trim_ascii(), self.$name.value()),)+].into_iter()
            }
        }
    };
}

counters! {
    /// Client connections accepted.
    connections_accepted,
    /// Client connections closed.
    connections_closed,
    /// Client connections closed without an answer because no security group allows their source.
    connections_refused_by_security_group,
    /// Client connections on which the client still sent a request that was answered, and which were closed after
    /// `LINGER_TIMEOUT`, a pause of `LINGER_PAUSE_MAX` or `LINGER_BYTES_MAX`.
    lingering_connections_cut,
    /// Such connections closed at once because the worker had `LINGERING_MAX` already.
    connections_not_lingering,
    /// Times the kernel has let us put no filter on a listening socket, so that sources are checked after accept.
    sockets_without_filter,
    /// Client connections closed because the worker had `CLIENT_CONNECTIONS_MAX` already.
    connections_over_limit,
    /// Errors of the accept call, such as no more file descriptors.
    accept_errors,
    /// Handshakes of TLS with clients that were completed.
    tls_handshakes,
    /// Of these, the ones that resumed a session.
    tls_sessions_resumed,
    /// Handshakes of TLS with clients that have failed.
    tls_handshake_errors,
    /// Handshakes of TLS with clients that took longer than `HANDSHAKE_TIMEOUT`.
    tls_handshake_timeouts,
    /// Client connections closed because the worker had `HANDSHAKES_MAX` handshakes in progress.
    tls_handshakes_over_limit,
    /// Requests in clear text on a port for TLS, answered with 400.
    plain_requests_on_tls_ports,
    /// Requests whose head was received whole.
    requests,
    /// Requests refused with 400 because they are malformed or ambiguous.
    requests_malformed,
    /// Requests refused because a field, the head or the number of fields is over its limit.
    request_heads_too_large,
    /// Requests refused with 414 because the request line is over its limit.
    request_targets_too_long,
    /// Requests with invalid field names that were removed before the rules were looked at.
    requests_with_dropped_fields,
    /// Requests with invalid field names that were left in.
    requests_with_invalid_fields,
    /// Requests that do not follow the RFCs but are no danger.
    desync_acceptable,
    /// Requests that two peers may read differently.
    desync_ambiguous,
    /// Requests that look like an attack on how two peers read them.
    desync_severe,
    /// Requests answered with 408.
    request_timeouts,
    /// Client connections closed after the idle timeout without a request in progress.
    idle_timeouts,
    /// Requests whose client went away before the response (460).
    clients_gone,
    /// Requests answered with a fixed response.
    fixed_responses,
    /// Requests answered with a redirect.
    redirects,
    /// Redirects not sent because the location is over its limit (507).
    redirects_too_long,
    /// Requests answered with 429 because their client sends more than their rule lets pass.
    requests_over_rate_limit,
    /// Clients whose requests are counted anew because the rule has `rate_limiter::KEYS_MAX` others.
    rate_limit_keys_evicted,
    /// Logins at identity providers that ended well.
    logins,
    /// Sessions that got new tokens.
    logins_refreshed,
    /// Logins that an identity provider denied, and cookies and codes that are not valid.
    login_failures,
    /// Logins that failed because an identity provider could not be asked, or something went wrong here.
    login_errors,
    /// Logins that failed because claims and access token are over 11 KiB.
    login_claims_too_large,
    /// Bearer tokens that are missing or not valid.
    token_failures,
    /// Hosts and URLs rewritten by transforms.
    transforms_applied,
    /// Transforms that failed because their result is too long; such a request is answered with 500.
    transforms_too_long,
    /// Transforms that failed because their result is no host.
    transforms_to_invalid_host,
    /// Transforms that failed because their result is no path.
    transforms_to_invalid_path,
    /// Transforms that failed because their replacement names a group that the pattern does not have.
    transforms_not_replaced,
    /// Requests for which a target was chosen.
    requests_forwarded,
    /// Requests for which a target was chosen anew although clients of its pool stay.
    requests_not_sticky,
    /// The same for pools whose clients stay as long as a cookie of the application says.
    requests_not_sticky_to_application,
    /// Requests sent to another target, or on another connection, after a first try failed.
    requests_retried,
    /// Responses of targets with status 2xx.
    target_responses_2xx,
    /// Responses of targets with status 3xx.
    target_responses_3xx,
    /// Responses of targets with status 4xx.
    target_responses_4xx,
    /// Responses of targets with status 5xx.
    target_responses_5xx,
    /// Responses made here with status 3xx.
    own_responses_3xx,
    /// Responses made here with status 4xx.
    own_responses_4xx,
    /// Responses made here with status 5xx.
    own_responses_5xx,
    /// Responses 502: the target refused, closed, or did not speak HTTP.
    bad_gateway,
    /// Responses 503: no target can take the request.
    service_unavailable,
    /// Responses 504: the target did not answer in time.
    gateway_timeouts,
    /// Responses cut off because the target or the client failed in the middle of the body.
    responses_cut,
    /// Responses compressed for their clients.
    responses_compressed,
    /// Responses not compressed because the worker had `COMPRESSORS_MAX` in progress.
    responses_over_compression_limit,
    /// Bytes of the bodies of compressed responses as targets have sent them.
    bytes_before_compression,
    /// Bytes of these bodies as clients were sent them.
    bytes_after_compression,
    /// Copies of requests whose response of the second target group was read to its end.
    mirrored_requests_answered,
    /// Copies of requests that could not be sent to the second target group, had no whole response in time, or were
    /// given up because their listener was gone or elbow was stopping.
    mirrored_requests_failed,
    /// Requests not copied because the worker had `MIRRORED_REQUESTS_MAX` copies in progress, because the body is
    /// over `MIRRORED_BODY_BYTES_MAX` or was not sent whole, because they ask for another protocol, or because their
    /// listener was gone or elbow was stopping.
    mirrored_requests_skipped,
    /// Connections opened to targets.
    target_connections_opened,
    /// Connections to targets that could not be opened.
    target_connection_errors,
    /// Handshakes of TLS with targets that have failed or took longer than `TLS_HANDSHAKE_TIMEOUT`.
    target_tls_handshake_errors,
    /// Requests sent on a target connection that was already open.
    target_connections_reused,
    /// Idle target connections closed because their target had enough of them.
    target_connections_over_limit,
    /// Requests cut off because the deregistration delay of their target ended, or because it was deregistered and
    /// went away without looking at them when it had been sent part of their body.
    requests_cut_by_deregistration,
    /// Connections turned into tunnels by 101.
    tunnels,
    /// Connections on which clients speak HTTP/2.
    http2_connections,
    /// HTTP/2 connections ended because of what the client sent.
    http2_connection_errors,
    /// HTTP/2 connections ended because the client sent too many frames without a message.
    http2_floods,
    /// HTTP/2 streams reset because of what the client sent on them.
    http2_stream_errors,
    /// HTTP/2 streams that clients reset before their response was complete.
    http2_streams_reset_by_client,
    /// HTTP/2 streams reset after their response because their clients had not sent the rest of the request within
    /// `LINGER_TIMEOUT`, had paused for `LINGER_PAUSE_MAX`, or had sent `LINGER_BYTES_MAX` of it.
    http2_requests_not_discarded,
    /// HTTP/2 streams refused because the connection had `STREAMS_MAX` open.
    http2_streams_refused,
    /// HTTP/2 connections to targets ended because of what the target sent.
    target_http2_connection_errors,
    /// HTTP/2 connections to targets ended because the target sent too many frames without a message.
    target_http2_floods,
    /// HTTP/2 streams at targets reset because of what the target sent on them.
    target_http2_stream_errors,
    /// Requests not sent to a target because `REQUESTS_WAITING_MAX` wait for each of its HTTP/2 connections.
    target_requests_over_limit,
    /// Requests of gRPC for which a target was chosen.
    grpc_requests,
    /// Health checks made.
    health_checks,
    /// Health checks that had to wait because `CHECKS_MAX` were being made.
    health_checks_over_limit,
    /// Bytes received from clients.
    bytes_from_clients,
    /// Bytes sent to clients.
    bytes_to_clients,
    /// Bytes received from targets.
    bytes_from_targets,
    /// Bytes sent to targets.
    bytes_to_targets,
}

impl Counters {
    /// How many requests did not follow the RFCs for each reason, by the names that AWS has for them; a request has
    /// one. The same requests as in `desync_acceptable`, `desync_ambiguous` and `desync_severe`.
    ///
    /// Source: ALB guide, "Access logs", "Classification reasons".
    pub fn each_desync_reason(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.desync_reasons.each()
    }

    /// Counts the final response of a target.
    pub(crate) fn count_target_response(&self, status: u16) {
        match status {
            200..300 => self.target_responses_2xx.increment(),
            300..400 => self.target_responses_3xx.increment(),
            400..500 => self.target_responses_4xx.increment(),
            _ => self.target_responses_5xx.increment(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_listed_with_its_help() {
        let counters = Counters::default();
        counters.requests.add(3);
        let (_, help, value) = counters
            .each()
            .find(|(name, ..)| *name == "requests")
            .unwrap();
        assert_eq!(
            (help, value),
            ("Requests whose head was received whole.", 3)
        );
    }
}

//! The tables of attributes, each with a test that shows what it does.

use std::fmt::Write as _;

use model::attributes::{Attribute, Support, Values};
use model::{listener_attributes, load_balancer_attributes, target_group_attributes};

use super::{names, root};

/// The beginning of keys, a file of tests, and the names of those in it that show what the attributes do.
type Proof = (&'static str, &'static str, &'static [&'static str]);

/// What shows that attributes do what they say. The first whose beginning fits counts.
#[rustfmt::skip]
const PROOFS: &[Proof] = &[
    ("client_keep_alive.", "crates/proxy/tests/alb.rs", &["the_client_keep_alive_lets_one_more_request_through"]),
    ("deletion_protection.", "tests/test_elbv2_load_balancers.py", &["test_deletion_protection"]),
    ("deregistration_delay.", "tests/test_drain.py", &["test_the_delay_ends_what_is_still_in_flight"]),
    ("idle_timeout.", "crates/proxy/tests/alb.rs", &["a_silent_target_is_504_after_the_idle_timeout"]),
    ("load_balancing.algorithm.anomaly_mitigation", "crates/engine/tests/pool.rs", &["an_anomalous_target_gets_fewer_requests_until_it_has_recovered"]),
    ("load_balancing.algorithm.type", "crates/engine/tests/pool.rs", &["round_robin_goes_in_turn_over_the_healthy", "least_outstanding_requests_takes_the_least_busy", "weighted_random_spreads_evenly"]),
    ("load_balancing.cross_zone.", "crates/proxy/tests/choosing.rs", &["with_cross_zone_off_a_node_uses_the_targets_of_its_zone"]),
    ("routing.http.desync_mitigation_mode", "crates/proxy/tests/alb_desync.rs", &["the_mode_decides_between_passing_closing_and_refusing"]),
    ("routing.http.drop_invalid_header_fields.", "crates/proxy/tests/alb_http_options.rs", &["invalid_fields_are_dropped_before_the_rules_are_looked_at"]),
    ("routing.http.preserve_host_header.", "crates/proxy/src/forwarded_tests.rs", &["the_host_follows_the_port_rules_unless_it_is_preserved"]),
    ("routing.http.request.x_amzn_mtls_", "crates/proxy/src/forwarded_tests.rs", &["a_target_learns_of_the_client_certificate"]),
    ("routing.http.request.x_amzn_tls_", "crates/proxy/src/forwarded_tests.rs", &["a_target_learns_of_tls_what_the_options_say"]),
    ("routing.http.response.server.", "crates/proxy/tests/alb_http_options.rs", &["the_server_field_is_only_ours_to_leave_out"]),
    ("routing.http.response.", "tests/test_routing.py", &["test_each_field_of_a_listener_takes_the_place_of_the_targets"]),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.", "tests/test_https.py", &["test_the_target_is_told_version_and_cipher_when_that_is_on"]),
    ("routing.http.xff_", "crates/proxy/src/forwarded_tests.rs", &["x_forwarded_for_is_appended_to_preserved_or_removed"]),
    ("routing.http2.", "tests/test_http2.py", &["test_without_http_2_only_http_1_is_spoken"]),
    ("slow_start.", "crates/engine/tests/pool.rs", &["the_share_of_a_new_target_grows_in_a_straight_line"]),
    ("stickiness.app_cookie.", "tests/test_stickiness.py", &["test_the_cookie_of_the_application_keeps_a_client_with_its_target"]),
    ("stickiness.lb_cookie.", "crates/proxy/tests/alb_stickiness.rs", &["a_session_ends_after_its_duration_although_the_cookie_is_kept"]),
    ("stickiness.", "tests/test_stickiness.py", &["test_the_cookie_of_the_load_balancer_keeps_a_client_with_its_target"]),
    ("target_group_health.dns_failover.", "crates/engine/tests/snapshot.rs", &["the_threshold_of_the_pool_decides"]),
    ("target_group_health.unhealthy_state_routing.", "crates/engine/tests/pool.rs", &["below_the_threshold_requests_go_to_all_targets"]),
    ("zonal_shift.", "tests/test_zonal_shift.py", &["test_no_request_goes_to_the_zone_until_the_shift_is_canceled"]),
];
/// What shows it of an attribute that can only have its default.
const OF_DEFAULTS: Proof = (
    "",
    "crates/control/tests/elb/attributes.rs",
    &["load_balancers_have_every_attribute_of_their_type"],
);

/// All of the tables.
pub(super) fn tables() -> String {
    [
        table(
            "Load balancer attributes",
            load_balancer_attributes::APPLICATION,
        ),
        table(
            "Target group attributes",
            target_group_attributes::APPLICATION,
        ),
        table("Listener attributes", listener_attributes::HTTPS),
    ]
    .concat()
}

fn proof(attribute: &Attribute) -> Proof {
    if matches!(attribute.support, Support::DefaultOnly | Support::Fixed) {
        return OF_DEFAULTS;
    }
    let mut proofs = PROOFS.iter().copied();
    let proof = proofs.find(|(beginning, ..)| attribute.key.starts_with(beginning));
    proof.unwrap_or_else(|| panic!("{}: which test shows what it does?", attribute.key))
}

#[test]
fn the_tests_of_attributes_are_there() {
    for (_, file, names) in PROOFS.iter().chain([&OF_DEFAULTS]) {
        let text = std::fs::read_to_string(root().join(file)).expect(file);
        for name in *names {
            let begins = |keyword: &str| text.contains(&format!("{keyword} {name}("));
            assert!(begins("fn") || begins("def"), "{file} has no test {name}");
        }
    }
}

fn table(title: &str, table: &[Attribute]) -> String {
    let mut text = format!(
        "### {title}\n\n| key | values | default | elbow | proved by |\n| --- | --- | --- | --- | --- |\n"
    );
    for attribute in table {
        let support = match attribute.support {
            Support::Honoured => "works".to_owned(),
            Support::Only(values) => {
                format!("works with {}; others are refused by name", names(values))
            }
            Support::DefaultOnly => "only the default; others are refused by name".to_owned(),
            Support::Fixed => "only the default, as on AWS".to_owned(),
        };
        let default = match attribute.default {
            "" => "none".to_owned(),
            value => format!("`{value}`"),
        };
        let (key, values) = (attribute.key, values(&attribute.values));
        let (_, file, tests) = proof(attribute);
        let tests = tests.iter().map(|test| format!("`{test}`"));
        let tests = tests.collect::<Vec<_>>().join(", ");
        writeln!(
            text,
            "| `{key}` | {values} | {default} | {support} | `{file}`: {tests} |"
        )
        .unwrap();
    }
    text + "\n"
}

fn values(values: &Values) -> String {
    match values {
        Values::Boolean => "`true`, `false`".to_owned(),
        Values::Integer(min, max) => format!("{min} to {max}"),
        Values::ZeroOrInteger(min, max) => format!("0, or {min} to {max}"),
        Values::OffOrInteger(min, max) => format!("`off`, or {min} to {max}"),
        Values::OneOf(values) => names(*values),
        Values::Text => "any text".to_owned(),
        Values::FieldName => "the name of a field".to_owned(),
        Values::FieldValue => "the value of a field".to_owned(),
        Values::FieldOneOf(values) => format!("none, {}", names(*values)),
        Values::FieldMethods => "methods with commas between".to_owned(),
        Values::FieldSeconds => "seconds".to_owned(),
        Values::MediaTypes => "media types with commas between".to_owned(),
    }
}

//! The attributes of HTTP listeners of Application Load Balancers.
//!
//! Source: ELB API, `ListenerAttribute`; ALB guide, "HTTP header modification".

use crate::attributes::{Attribute, Support, Values};

/// The attributes of a listener with protocol HTTP, sorted by key.
pub const HTTP: &[Attribute] = &[
    header("routing.http.response.access_control_allow_credentials.header_value"),
    header("routing.http.response.access_control_allow_headers.header_value"),
    header("routing.http.response.access_control_allow_methods.header_value"),
    header("routing.http.response.access_control_allow_origin.header_value"),
    header("routing.http.response.access_control_expose_headers.header_value"),
    header("routing.http.response.access_control_max_age.header_value"),
    header("routing.http.response.content_security_policy.header_value"),
    Attribute {
        key: "routing.http.response.server.enabled",
        values: Values::Boolean,
        default: "true",
        support: Support::DefaultOnly,
        help: "Whether responses keep their Server field.",
    },
    header("routing.http.response.strict_transport_security.header_value"),
    Attribute {
        key: "routing.http.response.x_content_type_options.header_value",
        values: Values::OneOf(&["nosniff", ""]),
        default: "",
        support: Support::DefaultOnly,
        help: "The value of X-Content-Type-Options in every response.",
    },
    Attribute {
        key: "routing.http.response.x_frame_options.header_value",
        values: Values::OneOf(&["DENY", "SAMEORIGIN", ""]),
        default: "",
        support: Support::DefaultOnly,
        help: "The value of X-Frame-Options in every response.",
    },
];

const fn header(key: &'static str) -> Attribute {
    Attribute {
        key,
        values: Values::Text,
        default: "",
        support: Support::DefaultOnly,
        help: "The value of the response header field in the key; empty leaves the field alone.",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_consistent() {
        crate::attributes::tests::check_table(super::HTTP);
    }
}

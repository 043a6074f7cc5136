//! The attributes of listeners of Application Load Balancers.
//!
//! Source: ELB API, `ListenerAttribute`; ALB guide, "HTTP header modification".

use crate::attributes::{Attribute, Attributes, Support, Values};
use crate::protocol::Protocol;

/// The name of the field with the whole chain that the client showed.
pub const CLIENT_CERTIFICATE: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert.header_name",
    "X-Amzn-Mtls-Clientcert",
);
/// The name of the field with the issuer of the client's certificate.
pub const CLIENT_CERTIFICATE_ISSUER: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
    "X-Amzn-Mtls-Clientcert-Issuer",
);
/// The name of the field with the client's own certificate.
pub const CLIENT_CERTIFICATE_LEAF: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
    "X-Amzn-Mtls-Clientcert-Leaf",
);
/// The name of the field with the serial number of the client's certificate.
pub const CLIENT_CERTIFICATE_SERIAL_NUMBER: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
    "X-Amzn-Mtls-Clientcert-Serial-Number",
);
/// The name of the field with the subject of the client's certificate.
pub const CLIENT_CERTIFICATE_SUBJECT: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
    "X-Amzn-Mtls-Clientcert-Subject",
);
/// The name of the field with the dates of the client's certificate.
pub const CLIENT_CERTIFICATE_VALIDITY: Attribute = name(
    "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
    "X-Amzn-Mtls-Clientcert-Validity",
);
/// The name of the field with the cipher suite.
pub const TLS_CIPHER_SUITE: Attribute = name(
    "routing.http.request.x_amzn_tls_cipher_suite.header_name",
    "X-Amzn-Tls-Cipher-Suite",
);
/// The name of the field with the version of TLS.
pub const TLS_VERSION: Attribute = name(
    "routing.http.request.x_amzn_tls_version.header_name",
    "X-Amzn-Tls-Version",
);
/// Whether responses made by the load balancer have a `Server` field.
pub const SERVER: Attribute = Attribute {
    key: "routing.http.response.server.enabled",
    values: Values::Boolean,
    default: "true",
    support: Support::Honoured,
    help: "Whether responses made by the load balancer have a Server field.",
};

/// The attributes of a listener with protocol HTTPS, sorted by key: first those about requests.
pub const HTTPS: &[Attribute] = &[
    CLIENT_CERTIFICATE,
    CLIENT_CERTIFICATE_ISSUER,
    CLIENT_CERTIFICATE_LEAF,
    CLIENT_CERTIFICATE_SERIAL_NUMBER,
    CLIENT_CERTIFICATE_SUBJECT,
    CLIENT_CERTIFICATE_VALIDITY,
    TLS_CIPHER_SUITE,
    TLS_VERSION,
    value(
        "routing.http.response.access_control_allow_credentials.header_value",
        Values::FieldOneOf(&["true"]),
    ),
    value(
        "routing.http.response.access_control_allow_headers.header_value",
        Values::FieldValue,
    ),
    value(
        "routing.http.response.access_control_allow_methods.header_value",
        Values::FieldMethods,
    ),
    value(
        "routing.http.response.access_control_allow_origin.header_value",
        Values::FieldValue,
    ),
    value(
        "routing.http.response.access_control_expose_headers.header_value",
        Values::FieldValue,
    ),
    value(
        "routing.http.response.access_control_max_age.header_value",
        Values::FieldSeconds,
    ),
    value(
        "routing.http.response.content_security_policy.header_value",
        Values::FieldValue,
    ),
    SERVER,
    value(
        "routing.http.response.strict_transport_security.header_value",
        Values::FieldValue,
    ),
    value(
        "routing.http.response.x_content_type_options.header_value",
        Values::FieldOneOf(&["nosniff"]),
    ),
    value(
        "routing.http.response.x_frame_options.header_value",
        Values::FieldOneOf(&["DENY", "SAMEORIGIN"]),
    ),
];

/// How many of `HTTPS` are about what only TLS knows.
const TLS_COUNT: usize = 8;

/// The attributes of a listener with protocol HTTP, sorted by key.
pub const HTTP: &[Attribute] = HTTPS.split_at(TLS_COUNT).1;

/// The attributes of a listener with this protocol.
#[must_use]
pub fn table(protocol: Protocol) -> &'static [Attribute] {
    match protocol {
        Protocol::Http => HTTP,
        Protocol::Https => HTTPS,
        Protocol::Tcp
        | Protocol::Tls
        | Protocol::Udp
        | Protocol::TcpUdp
        | Protocol::Geneve
        | Protocol::Quic
        | Protocol::TcpQuic => &[],
    }
}

/// A field name that cannot be given to what the load balancer tells the target about the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFieldName {
    /// The field has a meaning of its own on the way to the target.
    #[error(
        "The value of '{key}' cannot be '{name}', because the load balancer writes that header itself"
    )]
    Reserved {
        /// The attribute.
        key: &'static str,
        /// The name.
        name: String,
    },
    /// Two fields would have one name.
    #[error("The values of '{first}' and '{second}' must be different, but both are '{name}'")]
    Duplicate {
        /// One attribute.
        first: &'static str,
        /// The other one.
        second: &'static str,
        /// The name.
        name: String,
    },
}

/// Fields that the load balancer writes for every target, or that frame a message.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// Whether the names of the fields about TLS differ from each other and from those the load balancer
/// writes anyway. Case does not matter.
///
/// # Errors
/// `InvalidFieldName` for the first name that does not.
pub fn check_names(attributes: &Attributes) -> Result<(), InvalidFieldName> {
    let names = HTTPS.split_at(TLS_COUNT).0;
    for (at, attribute) in names.iter().enumerate() {
        let name = attributes.value(attribute);
        if RESERVED
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
        {
            return Err(InvalidFieldName::Reserved {
                key: attribute.key,
                name: name.to_owned(),
            });
        }
        let mut others = names[..at].iter();
        if let Some(other) = others.find(|it| attributes.value(it).eq_ignore_ascii_case(name)) {
            return Err(InvalidFieldName::Duplicate {
                first: other.key,
                second: attribute.key,
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

/// The fields that every response gets: their names, such as `X-Frame-Options`, and their values.
pub fn response_fields(attributes: &Attributes) -> impl Iterator<Item = (String, &str)> {
    HTTP.iter().filter_map(|attribute| {
        let words = attribute.key.strip_prefix("routing.http.response.")?;
        let words = words.strip_suffix(".header_value")?;
        let value = attributes.value(attribute);
        (!value.is_empty()).then(|| (field_name(words), value))
    })
}

/// `x_frame_options` as the name of a field.
fn field_name(words: &str) -> String {
    let capitalised = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    words
        .split('_')
        .map(capitalised)
        .collect::<Vec<_>>()
        .join("-")
}

const fn name(key: &'static str, default: &'static str) -> Attribute {
    Attribute {
        key,
        values: Values::FieldName,
        default,
        support: Support::Honoured,
        help: "The name of the request header field that the key tells about; empty is the default.",
    }
}

const fn value(key: &'static str, values: Values) -> Attribute {
    Attribute {
        key,
        values,
        default: "",
        support: Support::Honoured,
        help: "The value of the response header field in the key; empty leaves the field alone.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_consistent() {
        crate::attributes::tests::check_table(HTTPS);
        assert!(HTTPS.is_sorted_by_key(|attribute| attribute.key));
        let is_about_tls = |attribute: &Attribute| attribute.key.contains(".request.");
        assert!(HTTPS[..TLS_COUNT].iter().all(is_about_tls));
        assert!(!HTTP.iter().any(is_about_tls));
    }

    #[test]
    fn the_names_of_fields_differ() {
        let with = |changes: &[(&Attribute, &str)]| {
            let mut attributes = Attributes::default();
            changes
                .iter()
                .for_each(|(attribute, value)| attributes.set(attribute, value));
            check_names(&attributes).map_or_else(|error| error.to_string(), |()| String::new())
        };
        assert_eq!(with(&[]), "");
        assert_eq!(with(&[(&TLS_VERSION, "X-Version")]), "");
        assert_eq!(
            with(&[(&TLS_VERSION, "hOst")]),
            "The value of 'routing.http.request.x_amzn_tls_version.header_name' cannot be 'hOst', because the \
             load balancer writes that header itself"
        );
        assert_eq!(
            with(&[(&TLS_VERSION, "x-amzn-tls-cipher-suite")]),
            "The values of 'routing.http.request.x_amzn_tls_cipher_suite.header_name' and \
             'routing.http.request.x_amzn_tls_version.header_name' must be different, but both are \
             'x-amzn-tls-cipher-suite'"
        );
        let swapped = [
            (&TLS_VERSION, "X-Amzn-Tls-Cipher-Suite"),
            (&TLS_CIPHER_SUITE, "X-Amzn-Tls-Version"),
        ];
        assert_eq!(with(&swapped), "", "names can change places");
    }

    #[test]
    fn keys_become_the_names_of_fields() {
        let mut attributes = Attributes::default();
        for attribute in HTTPS.iter().filter(|it| it.default.is_empty()) {
            attributes.set(attribute, "x");
        }
        let names: Vec<_> = response_fields(&attributes).map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "Access-Control-Allow-Credentials",
                "Access-Control-Allow-Headers",
                "Access-Control-Allow-Methods",
                "Access-Control-Allow-Origin",
                "Access-Control-Expose-Headers",
                "Access-Control-Max-Age",
                "Content-Security-Policy",
                "Strict-Transport-Security",
                "X-Content-Type-Options",
                "X-Frame-Options",
            ]
        );
        assert_eq!(response_fields(&Attributes::default()).count(), 0);
    }
}

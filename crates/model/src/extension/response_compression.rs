//! Which responses of targets a listener compresses: attributes `elbow.response_compression.…`.

use crate::attributes::{Attribute, Attributes, Support, Values};

/// Whether responses are compressed at all.
pub const ENABLED: Attribute = Attribute {
    key: "elbow.response_compression.enabled",
    values: Values::Boolean,
    default: "false",
    support: Support::Honoured,
    help: "Whether responses of targets are compressed with Brotli or gzip for clients that accept it.",
};

/// The media types of what is compressed.
pub const CONTENT_TYPES: Attribute = Attribute {
    key: "elbow.response_compression.content_types",
    values: Values::MediaTypes,
    default: "text/*,application/javascript,application/json,application/manifest+json,\
              application/problem+json,application/wasm,application/xhtml+xml,application/xml,image/svg+xml",
    support: Support::Honoured,
    help: "The media types of the responses that are compressed, with commas between; 'text/*' stands for all \
           that begin with 'text/'.",
};

/// What is too small to be worth it. The default is that of CloudFront.
pub const MINIMUM_BYTES: Attribute = Attribute {
    key: "elbow.response_compression.minimum_bytes",
    values: Values::Integer(0, 1_048_576),
    default: "1000",
    support: Support::Honoured,
    help: "Bytes of Content-Length below which a response is not compressed; one without it is.",
};

/// All of them.
pub const TABLE: &[Attribute] = &[ENABLED, CONTENT_TYPES, MINIMUM_BYTES];

/// What a listener compresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCompression<'a> {
    /// Each is `type/subtype` or `type/*`.
    pub content_types: Vec<&'a str>,
    /// Bytes of `Content-Length` below which a response stays as it is, 0 to 1,048,576.
    pub minimum_bytes: u64,
}

/// What `attributes` ask for; `None`: nothing is compressed.
#[must_use]
pub fn asked(attributes: &Attributes) -> Option<ResponseCompression<'_>> {
    let types = attributes.value(&CONTENT_TYPES).split(',');
    (attributes.value(&ENABLED) == "true").then(|| ResponseCompression {
        content_types: types.map(str::trim).collect(),
        minimum_bytes: attributes.number(&MINIMUM_BYTES),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        crate::attributes::tests::check_table(TABLE);
        // Source: ELB API, `ListenerAttribute`, `Key`: the pattern `^[a-zA-Z0-9._]+$`.
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_');
        assert!(TABLE.iter().all(|it| it.key.bytes().all(is_allowed)));
        assert_eq!(asked(&Attributes::default()), None, "off by default");
    }

    #[test]
    fn it_has_defaults_and_settings() {
        let mut attributes = Attributes::default();
        attributes.set(&ENABLED, "true");
        let asked_for = asked(&attributes).unwrap();
        assert_eq!(asked_for.minimum_bytes, 1000);
        assert_eq!(
            asked_for.content_types[..2],
            ["text/*", "application/javascript"]
        );
        attributes.set(&CONTENT_TYPES, "text/html, image/*");
        attributes.set(&MINIMUM_BYTES, "0");
        let expected = ResponseCompression {
            content_types: vec!["text/html", "image/*"],
            minimum_bytes: 0,
        };
        assert_eq!(asked(&attributes), Some(expected));
        attributes.set(&CONTENT_TYPES, "");
        assert_eq!(
            asked(&attributes).unwrap().content_types.len(),
            9,
            "the default"
        );
    }

    #[test]
    fn what_is_no_list_of_media_types_is_refused() {
        for value in [
            "text",
            "text/",
            "/html",
            "*/*",
            "text/*+xml",
            "text/html,",
            "text/html;q=1",
            "te xt/html",
            "application/grpc",
            "Application/grpc+proto",
            "application/*",
        ] {
            let error = CONTENT_TYPES.check(value).unwrap_err().to_string();
            let start =
                "The value of 'elbow.response_compression.content_types' must be media types";
            assert!(error.starts_with(start), "{value}: {error}");
        }
        assert!(MINIMUM_BYTES.check("1048577").is_err());
        assert!(ENABLED.check("on").is_err());
    }
}

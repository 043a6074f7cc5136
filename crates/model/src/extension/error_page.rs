//! What a listener answers in place of the load balancer's own pages: attributes `elbow.error_page.…`.

use crate::attributes::{Attribute, Attributes, Support, Values};

/// The page of a listener for a status, or for a class of them.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// `502`, or `5xx`.
    pub status: &'static str,
    /// Such as `text/html`.
    pub content_type: &'a str,
    /// 1 to 1024 characters.
    pub body: &'a str,
}

/// A page has a content type and no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The attribute '{key}' needs a value of '{needed}' beside it")]
pub struct NoBody {
    /// The attribute with the content type.
    pub key: &'static str,
    /// The one with the body.
    pub needed: &'static str,
}

/// How the keys begin.
const PREFIX: &str = "elbow.error_page.";

/// Declares the two attributes of each status, in one place.
macro_rules! pages {
    ($($status:literal,)+) => {
        /// A pair of attributes for each status that the load balancer answers with, and for the classes.
        pub const TABLE: &[Attribute] = &[
            $(
                Attribute {
                    key: concat!("elbow.error_page.", $status, ".body"),
                    values: Values::Text,
                    default: "",
                    support: Support::Honoured,
                    help: "The body of the load balancer's own responses with this status; empty: its own page.",
                },
                Attribute {
                    key: concat!("elbow.error_page.", $status, ".content_type"),
                    values: Values::FieldOneOf(CONTENT_TYPES),
                    default: "",
                    support: Support::Honoured,
                    help: "The content type of that body; empty: text/html.",
                },
            )+
        ];
    };
}

/// Those of fixed responses.
const CONTENT_TYPES: &[&str] = &[
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
];

pages! {
    "400", "401", "405", "408", "413", "414", "417", "429", "463", "464", "4xx",
    "500", "501", "502", "503", "504", "505", "507", "561", "562", "5xx",
}

/// The pages that `attributes` have.
pub fn pages(attributes: &Attributes) -> impl Iterator<Item = ErrorPage<'_>> {
    let page = |(body, content_type): (&Attribute, &Attribute)| {
        let status = body.key.strip_prefix(PREFIX)?.strip_suffix(".body")?;
        let body = attributes.value(body);
        let content_type = match attributes.value(content_type) {
            "" => "text/html",
            content_type => content_type,
        };
        (!body.is_empty()).then_some(ErrorPage {
            status,
            content_type,
            body,
        })
    };
    pairs().filter_map(page)
}

/// Whether every content type has its body.
///
/// # Errors
/// `NoBody` for the first one that has not.
pub fn check(attributes: &Attributes) -> Result<(), NoBody> {
    let is_alone = |(body, content_type): &(&Attribute, &Attribute)| {
        attributes.value(body).is_empty() && !attributes.value(content_type).is_empty()
    };
    match pairs().find(is_alone) {
        None => Ok(()),
        Some((body, content_type)) => Err(NoBody {
            key: content_type.key,
            needed: body.key,
        }),
    }
}

/// Each status's two attributes: the body, and its type.
fn pairs() -> impl Iterator<Item = (&'static Attribute, &'static Attribute)> {
    let (pairs, _) = TABLE.as_chunks();
    pairs
        .iter()
        .map(|[body, content_type]| (body, content_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::find;

    fn with(changes: &[(&str, &str)]) -> Attributes {
        let mut attributes = Attributes::default();
        for (key, value) in changes {
            let attribute = find(TABLE, key).expect("an attribute");
            attribute.check(value).expect("a value");
            attributes.set(attribute, value);
        }
        attributes
    }

    #[test]
    fn the_table_is_consistent() {
        crate::attributes::tests::check_table(TABLE);
        // Source: ELB API, `ListenerAttribute`, `Key`: the pattern `^[a-zA-Z0-9._]+$`.
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_');
        assert!(TABLE.iter().all(|it| it.key.bytes().all(is_allowed)));
        assert_eq!(pages(&Attributes::default()).count(), 0, "off by default");
    }

    #[test]
    fn a_page_has_a_body_and_a_type() {
        let attributes = with(&[
            ("elbow.error_page.5xx.body", "{}"),
            ("elbow.error_page.5xx.content_type", "application/json"),
            ("elbow.error_page.401.body", "<p>no"),
        ]);
        let pages: Vec<_> = pages(&attributes)
            .map(|page| (page.status, page.content_type, page.body))
            .collect();
        assert_eq!(
            pages,
            [
                ("401", "text/html", "<p>no"),
                ("5xx", "application/json", "{}")
            ]
        );
    }

    #[test]
    fn a_type_without_a_body_is_refused() {
        let attributes = with(&[("elbow.error_page.502.content_type", "text/plain")]);
        assert_eq!(
            check(&attributes).unwrap_err().to_string(),
            "The attribute 'elbow.error_page.502.content_type' needs a value of \
             'elbow.error_page.502.body' beside it"
        );
        assert_eq!(check(&with(&[("elbow.error_page.502.body", "x")])), Ok(()));
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let attribute = find(TABLE, "elbow.error_page.502.content_type").unwrap();
        let error = attribute.check("image/png").unwrap_err().to_string();
        assert!(
            error.starts_with("The value of 'elbow.error_page.502.content_type' must be"),
            "{error}"
        );
    }
}

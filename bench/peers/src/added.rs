//! What a target says about the fields that a proxy added, so that the harness can hold each
//! proxy to the same work.

/// The fields in the order in which the harness reads them; `FIELDS_TO_ADD` in `proxies/base.py`.
const FIELDS: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-amzn-trace-id",
];

/// The values joined by `|`, empty for a field that is absent.
pub(crate) fn values<'a>(value_of: impl Fn(&str) -> Option<&'a [u8]>) -> Vec<u8> {
    FIELDS
        .map(|name| value_of(name).unwrap_or_default())
        .join(&b'|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_leave_their_place_empty() {
        let value_of = |name: &str| (name == "x-forwarded-proto").then_some(&b"https"[..]);
        assert_eq!(values(value_of), b"|https||");
    }
}

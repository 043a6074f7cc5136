//! The two spellings of the time of a signature.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

const BASIC: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// ISO 8601 basic format: `20260102T030405Z`. `at` has to be in UTC.
pub(super) fn print(at: OffsetDateTime) -> String {
    at.format(BASIC).unwrap_or_default()
}

/// `X-Amz-Date`: ISO 8601 basic format.
pub(super) fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    // Sixteen bytes keep out years with a sign or more than four digits.
    let parsed = PrimitiveDateTime::parse(text, BASIC).ok()?;
    (text.len() == 16).then(|| parsed.assume_utc())
}

/// `Date`: either format. The result is in UTC.
pub(super) fn parse_any(text: &str) -> Option<OffsetDateTime> {
    let parse_mail = || {
        OffsetDateTime::parse(text, &Rfc2822)
            .ok()?
            .checked_to_offset(UtcOffset::UTC)
    };
    parse_basic(text).or_else(parse_mail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn only_the_basic_format_is_read() {
        let at = datetime!(2026-01-02 03:04:05 UTC);
        assert_eq!(parse_basic("20260102T030405Z"), Some(at));
        assert_eq!(print(at), "20260102T030405Z");
        for text in [
            "",
            "20260102",
            "2026-01-02T03:04:05Z",
            "20260102T030405",
            "20261302T030405Z",
            "+20260102T030405Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
        assert_eq!(parse_any("Fri, 02 Jan 2026 03:04:05 GMT"), Some(at));
        assert_eq!(parse_any("yesterday"), None);
    }
}

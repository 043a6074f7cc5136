//! What a rewrite makes of a host or a URL, and how it fails.

use engine::transform::Rewrite;
use engine::{TransformStatus, Transforms};
use proptest::prelude::*;
use regex::bytes::Regex;

fn rewrite(pattern: &str, replacement: &str) -> Rewrite {
    Rewrite {
        pattern: Regex::new(pattern).expect("the pattern compiles"),
        replacement: replacement.into(),
    }
}

/// What becomes of `subject`; `None`: it stays as it is.
fn url(pattern: &str, replacement: &str, subject: &str) -> Option<Result<String, TransformStatus>> {
    let transforms = Transforms {
        url: Some(rewrite(pattern, replacement)),
        ..Transforms::default()
    };
    let mut out = b"GET ".to_vec();
    let status = transforms.write_url(subject.as_bytes(), &mut out)?;
    Some(outcome(status, &out))
}

fn host(
    pattern: &str,
    replacement: &str,
    subject: &str,
) -> Option<Result<String, TransformStatus>> {
    let transforms = Transforms {
        host: Some(rewrite(pattern, replacement)),
        ..Transforms::default()
    };
    let mut out = b"GET ".to_vec();
    let status = transforms.write_host(subject.as_bytes(), &mut out)?;
    Some(outcome(status, &out))
}

fn outcome(status: TransformStatus, out: &[u8]) -> Result<String, TransformStatus> {
    let written = String::from_utf8_lossy(out.strip_prefix(b"GET ").expect("it appends"));
    match status {
        TransformStatus::Success => Ok(written.into_owned()),
        failed => {
            assert_eq!(written, "", "a rewrite that fails leaves nothing");
            Err(failed)
        }
    }
}

#[test]
fn the_first_match_is_replaced_and_the_rest_stays() {
    for (pattern, replacement, subject, expected) in [
        ("^/api/", "/v2/", "/api/users?id=1", "/v2/users?id=1"),
        ("a", "b", "/aaa", "/baa"),
        ("^/old", "", "/old/page", "/page"),
        (
            r"^/u/(\d+)/(\w+)",
            "/users/$1/show-$2",
            "/u/42/cart?x=1",
            "/users/42/show-cart?x=1",
        ),
        (r"^/(.*)$", "/app?path=$1", "/a/b", "/app?path=a/b"),
        (r"\?.*$", "", "/a?b=c", "/a"),
        ("x+", "[$0]", "/axxb", "/a[xx]b"),
        (r"^/(a)(b)?", "/$2$1", "/a", "/a"),
    ] {
        assert_eq!(
            url(pattern, replacement, subject),
            Some(Ok(expected.to_owned())),
            "{pattern}"
        );
    }
}

#[test]
fn references_are_digits_with_or_without_braces() {
    for (replacement, expected) in [
        ("$1", "/b"),
        ("$10", "/b0"),
        ("${1}0", "/b0"),
        ("${01}", "/b"),
        ("$$1", "/$1"),
        ("$", "/$"),
        ("$x", "/$x"),
        ("${x}", "/${x}"),
        ("${", "/${"),
        ("${+1}", "/${+1}"),
        ("a$1c", "/abc"),
    ] {
        assert_eq!(
            url("(b)", replacement, "/b"),
            Some(Ok(expected.to_owned())),
            "{replacement}"
        );
    }
}

#[test]
fn without_a_match_nothing_happens() {
    assert_eq!(url("^/api", "/v2", "/other"), None);
    assert_eq!(host(r"^www\.", "", "example.com"), None);
    let none = Transforms::default();
    let mut out = Vec::new();
    assert_eq!(none.write_url(b"/", &mut out), None);
    assert_eq!(none.write_host(b"a", &mut out), None);
    assert!(out.is_empty());
}

#[test]
fn a_group_that_the_pattern_does_not_have_is_an_error() {
    for replacement in ["/$2", "/${2}", "/${99999999}"] {
        assert_eq!(
            url("(a)", replacement, "/a"),
            Some(Err(TransformStatus::ReplaceError))
        );
    }
}

#[test]
fn a_url_must_stay_a_request_target() {
    for (pattern, replacement) in [
        ("^/", ""),
        ("^/", "http://x/"),
        ("a", "b c"),
        ("a", "\r\n"),
        ("a", "\0"),
    ] {
        let found = url(pattern, replacement, "/a");
        assert_eq!(
            found,
            Some(Err(TransformStatus::InvalidPath)),
            "{replacement:?}"
        );
    }
}

#[test]
fn a_host_must_stay_a_host() {
    for (replacement, is_host) in [
        ("example.com", true),
        ("example.com:8080", true),
        ("under_score.x", true),
        ("10.0.0.1", true),
        ("[::1]:80", true),
        ("", false),
        (":80", false),
        ("a b", false),
        ("a:b", false),
        ("a:99999", false),
        ("a:+1", false),
        ("a/b", false),
        ("user@a", false),
        ("[::1", false),
        ("[x]", false),
        ("a\r\nX: y", false),
        ("h\u{f6}st", false),
    ] {
        let expected = if is_host {
            Ok(replacement.to_owned())
        } else {
            Err(TransformStatus::InvalidHost)
        };
        assert_eq!(
            host("^.*$", replacement, "old"),
            Some(expected),
            "{replacement:?}"
        );
    }
    let long = "a".repeat(254);
    assert_eq!(
        host("^.*$", &long, "old"),
        Some(Err(TransformStatus::InvalidHost))
    );
}

#[test]
fn the_result_is_bounded() {
    let group = "a".repeat(Transforms::RESULT_BYTES_MAX / 2);
    let subject = format!("/{group}");
    let grown =
        |replacement| url("^/(a+)", replacement, &subject).map(|it| it.map(|url| url.len()));
    assert_eq!(
        grown("$1$1"),
        Some(Err(TransformStatus::InvalidPath)),
        "within the bound"
    );
    assert_eq!(grown("/$1$1"), Some(Err(TransformStatus::BufferTooSmall)));
    assert_eq!(grown("/$1"), Some(Ok(subject.len())));
}

#[test]
fn statuses_have_the_names_of_the_access_log() {
    assert_eq!(TransformStatus::Success.as_str(), "TransformSuccess");
    assert_eq!(
        TransformStatus::BufferTooSmall.as_str(),
        "TransformBufferTooSmall"
    );
}

proptest! {
    /// A whole match that is replaced with itself changes nothing.
    #[test]
    fn the_match_itself_is_the_identity(subject in "/[ -~]{0,20}", pattern in "[a-c]{1,3}") {
        let expected = if subject.contains(' ') {
            Err(TransformStatus::InvalidPath)
        } else {
            Ok(subject.clone())
        };
        if let Some(found) = url(&pattern, "$0", &subject) {
            prop_assert_eq!(found, expected);
        }
    }
}

//! Reading and writing cookies: the shards of a session and the nonce of a login.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Most shards of a session cookie. Source: ALB guide, "Authenticate users", session cookies.
pub const SHARDS_MAX: usize = 4;
/// Longest name and value of one shard together, in bytes: what browsers keep (RFC 6265 section 6.1).
pub const SHARD_MAX: usize = 4096;
/// The cookie that binds a login to the browser that began it.
pub const NONCE_COOKIE: &str = "AWSALBAuthNonce";
/// How long browsers are told to keep cookies, whatever the session's own end.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The values of the shards `{name}-0` … `{name}-3` among the values of `Cookie` fields.
pub(crate) fn shards<'a>(cookies: &[&'a [u8]], name: &str) -> [Option<&'a [u8]>; SHARDS_MAX] {
    let mut shards = [None; SHARDS_MAX];
    for (found, value) in pairs(cookies) {
        let suffix = found.strip_prefix(name.as_bytes());
        if let Some([b'-', digit @ b'0'..=b'3']) = suffix {
            // The first of a name is the one with the longest path, or the oldest (RFC 6265 section 5.4).
            shards[usize::from(digit - b'0')].get_or_insert(value);
        }
    }
    shards
}

/// The value of the first cookie `name`.
pub(crate) fn find<'a>(cookies: &[&'a [u8]], name: &str) -> Option<&'a [u8]> {
    pairs(cookies)
        .find(|(found, _)| *found == name.as_bytes())
        .map(|(_, value)| value)
}

fn pairs<'a>(cookies: &[&'a [u8]]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    cookies
        .iter()
        .flat_map(|field| field.split(|&b| b == b';'))
        .filter_map(|pair| {
            let equals = pair.iter().position(|&b| b == b'=')?;
            let (name, value) = (&pair[..equals], &pair[equals + 1..]);
            Some((name.trim_ascii(), value.trim_ascii()))
        })
}

/// How many cookies `{name}-0` and so on a value of `length` bytes needs. `None` if more than four.
pub(crate) fn count(name: &str, length: usize) -> Option<usize> {
    Some(length.div_ceil(room(name)?)).filter(|&count| count <= SHARDS_MAX)
}

/// Cuts `value`, which is ASCII, into the values of those cookies.
pub(crate) fn split(name: &str, value: &str) -> Vec<String> {
    let room = room(name).unwrap_or(usize::MAX);
    let cut = |start: usize| value[start..value.len().min(start + room)].to_owned();
    (0..value.len()).step_by(room).map(cut).collect()
}

/// What is left of a shard beside the name, the dash, the digit and the equals sign.
fn room(name: &str) -> Option<usize> {
    SHARD_MAX.checked_sub(name.len() + 3).filter(|&it| it > 0)
}

/// The value of a `Set-Cookie` field that keeps a cookie.
pub(crate) fn set(name: &str, value: &str, now: SystemTime, is_cors: bool) -> String {
    write(name, value, now + LIFE, is_cors)
}

/// The value of a `Set-Cookie` field that removes a cookie.
pub(crate) fn remove(name: &str, is_cors: bool) -> String {
    write(name, "", SystemTime::UNIX_EPOCH, is_cors)
}

fn write(name: &str, value: &str, expires: SystemTime, is_cors: bool) -> String {
    // A page of another site gets a cookie along with its requests only if the cookie says so.
    let same_site = if is_cors { "; SameSite=None" } else { "" };
    let expires = date(expires);
    format!("{name}={value}; Expires={expires}; Path=/; Secure; HttpOnly{same_site}")
}

/// RFC 9110 section 5.6.7, the preferred form.
fn date(time: SystemTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    OffsetDateTime::from(time)
        .format(FORM)
        .expect("a form without optional parts prints any date")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shards_are_found_among_other_cookies() {
        let text = |cookies: &[&[u8]]| {
            shards(cookies, "Session")
                .map(|it| it.map(|it| String::from_utf8_lossy(it).into_owned()))
        };
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(
            text(&[
                b"a=b; Session-1=one;Session-0 = zero",
                b"Session-3=x=y; session-2=no; Session-4=no; Session=no; Session-00=no"
            ]),
            [some("zero"), some("one"), None, some("x=y")]
        );
        assert_eq!(
            text(&[b"Session-0=first; Session-0=second"])[0],
            some("first")
        );
        assert_eq!(text(&[b"", b";;; =;Session-0"]), [None, None, None, None]);
    }

    #[test]
    fn a_cookie_is_written_with_its_attributes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(
            set("Session-0", "value", now, false),
            "Session-0=value; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/; Secure; HttpOnly"
        );
        assert_eq!(
            remove("Session-1", true),
            "Session-1=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=None"
        );
    }

    #[test]
    fn a_value_is_cut_into_four_shards_at_most() {
        let name = "S";
        let room = SHARD_MAX - 4;
        for (length, shards) in [
            (1, Some(1)),
            (room, Some(1)),
            (room + 1, Some(2)),
            (room * 4, Some(4)),
            (room * 4 + 1, None),
        ] {
            assert_eq!(count(name, length), shards, "{length} bytes");
            let cut = split(name, &"x".repeat(length));
            assert!(shards.is_none_or(|shards| cut.len() == shards));
            for shard in cut {
                assert!(format!("{name}-0={shard}").len() <= SHARD_MAX);
            }
        }
        assert_eq!(count(&"n".repeat(5000), 1), None);
    }

    proptest! {
        #[test]
        fn shards_put_together_are_the_value(value in "[a-z]{1,13000}") {
            prop_assert_eq!(split("Session", &value).concat(), value);
        }
    }
}

//! The canonical form of a request: one spelling for all requests that mean the same.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::authorization::Claim;
use super::{Request, SignatureError};

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The six parts of the canonical request, a line feed between each two.
pub(super) fn request(
    request: &Request<'_>,
    claim: &Claim,
    payload_hash: &str,
) -> Result<Vec<u8>, SignatureError> {
    let mut out = Vec::new();
    let presigned = claim.expires.is_some();
    for part in [
        request.method,
        &path(request.path),
        &query(request.query, presigned),
    ] {
        out.extend_from_slice(part.as_bytes());
        out.push(b'\n');
    }
    for name in &claim.signed_headers {
        header(&mut out, request, name)?;
    }
    out.push(b'\n');
    out.extend_from_slice(claim.signed_headers.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload_hash.as_bytes());
    Ok(out)
}

/// The path without `.`, `..` and empty segments, encoded once more than it was sent: every service
/// but S3 signs the path with its escapes escaped.
fn path(sent: &str) -> String {
    let mut segments = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let end = if sent.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    let normal = format!("/{}{end}", segments.join("/"));
    percent_encode(normal.as_bytes(), ENCODED_IN_PATH).to_string()
}

/// The parameters in one encoding, sorted by name and then by value.
fn query(sent: &str, presigned: bool) -> String {
    let mut pairs: Vec<_> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recode(name), recode(value)))
        .filter(|(name, _)| !(presigned && name == "X-Amz-Signature"))
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// A plus is a space here because it is one where the parameters are read.
fn recode(sent: &str) -> String {
    let spaced = sent.replace('+', " ");
    let decoded: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    percent_encode(&decoded, ENCODED).to_string()
}

/// `name:value,value`, each value without white space around it and with single spaces inside.
fn header(out: &mut Vec<u8>, request: &Request<'_>, name: &str) -> Result<(), SignatureError> {
    out.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in request.headers.get_all(name) {
        out.push(separator);
        separator = b',';
        let words = value.as_bytes().split(|byte| byte.is_ascii_whitespace());
        out.extend_from_slice(
            &words
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(&b' '),
        );
    }
    out.push(b'\n');
    match separator {
        b',' => Ok(()),
        _ => Err(SignatureError::SignedHeaderAbsent(name.to_owned())),
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_again() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/../b", "/b"),
            ("/../..", "/"),
            ("/a//b/", "/a/b/"),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%2520b"),
            ("/~._-", "/~._-"),
            ("/ä", "/%C3%A4"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn parameters_are_sorted_in_one_encoding() {
        for (sent, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a=%7e%2f", "a=~%2F"),
            ("a=1+2", "a=1%202"),
            ("a=b=c", "a=b%3Dc"),
            ("a-=1&a=1", "a=1&a-=1"),
            ("X-Amz-Signature=1&a=1", "X-Amz-Signature=1&a=1"),
        ] {
            assert_eq!(query(sent, false), canonical, "{sent}");
        }
        assert_eq!(query("X-Amz-Signature=1&a=1", true), "a=1");
    }
}

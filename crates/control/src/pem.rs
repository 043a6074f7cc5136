//! PEM texts: labelled blocks of base64. Source: RFC 7468.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands after `BEGIN`, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// What the base64 says; empty for a block with header fields, such as an encrypted key.
    pub(crate) contents: Vec<u8>,
    /// Whether it has header fields, which only encrypted keys have (RFC 1421 section 4.6).
    pub(crate) has_headers: bool,
}

/// The text is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not PEM")]
pub(crate) struct MalformedPem;

/// The label of certificates.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// The label of lists of revoked certificates.
pub(crate) const CRL: &str = "X509 CRL";

/// The blocks of a text, in order. What stands outside of blocks is not looked at (RFC 7468 section 2).
///
/// # Errors
/// `MalformedPem` for a block without its end, or with something other than base64 in it.
pub(crate) fn blocks(text: &[u8]) -> Result<Vec<Block>, MalformedPem> {
    let text = std::str::from_utf8(text).map_err(|_| MalformedPem)?;
    let mut lines = text.lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, "BEGIN") else {
            continue;
        };
        let mut base64 = String::new();
        let mut has_headers = false;
        loop {
            let line = lines.next().ok_or(MalformedPem)?;
            match boundary(line, "END") {
                Some(end) if end == label => break,
                Some(_) => return Err(MalformedPem),
                None if line.contains(':') => has_headers = true,
                None => base64.push_str(line),
            }
        }
        let contents = match has_headers {
            true => Vec::new(),
            false => STANDARD.decode(base64).map_err(|_| MalformedPem)?,
        };
        blocks.push(Block {
            label: label.to_owned(),
            contents,
            has_headers,
        });
    }
    Ok(blocks)
}

/// The label in `-----BEGIN label-----`.
fn boundary<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let line = line.strip_prefix("-----")?.strip_suffix("-----")?;
    line.strip_prefix(word)?.strip_prefix(' ')
}

/// The block as text: lines of 64 characters.
pub(crate) fn encode(label: &str, contents: &[u8]) -> String {
    let base64 = STANDARD.encode(contents);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_back_as_they_are_written() {
        for length in [0, 1, 47, 48, 49, 200] {
            let contents: Vec<u8> = (0..length).collect();
            let text = format!("a note\n{}\r\n", encode("SOME KEY", &contents));
            let read = blocks(text.as_bytes()).unwrap();
            assert_eq!(read.len(), 1, "{text}");
            assert_eq!(read[0].contents, contents);
            assert_eq!(read[0].label, "SOME KEY");
        }
    }

    #[test]
    fn what_is_not_pem_is_refused() {
        for text in [
            "-----BEGIN A-----\nAAAA\n",
            "-----BEGIN A-----\nAAAA\n-----END B-----\n",
            "-----BEGIN A-----\nAA*A\n-----END A-----\n",
            "-----BEGIN A-----\nAAA\n-----END A-----\n",
        ] {
            assert_eq!(blocks(text.as_bytes()), Err(MalformedPem), "{text}");
        }
        assert_eq!(blocks(b"\xff"), Err(MalformedPem));
        assert_eq!(blocks(b"text"), Ok(Vec::new()), "no block at all");
    }

    #[test]
    fn header_fields_are_noticed() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        assert!(blocks(text.as_bytes()).unwrap()[0].has_headers);
    }
}

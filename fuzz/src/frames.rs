//! Frames of HTTP/2 as connections to targets read them.

use proxy::http2::incoming::transcript;

use crate::pieces;

/// Bytes of the head of a frame (RFC 9113 section 4.1).
const HEAD_BYTES: usize = 9;

/// Reads frames in several ways. Pieces do not change what they say, and nothing is said without a frame.
pub fn frames(input: &[u8]) {
    let at_once = transcript([input]);
    assert!(
        at_once.len() <= input.len().div_ceil(HEAD_BYTES),
        "each event has a frame"
    );
    for ends in pieces::ways(input) {
        let mut start = 0;
        let pieces = ends
            .into_iter()
            .map(|end| &input[std::mem::replace(&mut start, end)..end]);
        let in_pieces = transcript(pieces);
        assert_eq!(
            in_pieces, at_once,
            "frames do not depend on how they arrive"
        );
    }
}

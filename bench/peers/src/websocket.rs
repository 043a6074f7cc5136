//! What both ends of the WebSocket row share: the opening handshake and the framing of RFC 6455.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BufMut, BytesMut};

/// RFC 6455 section 1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Opcodes of RFC 6455 section 5.2.
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The longest payload whose length fits into the second byte of a frame; the row's messages are
/// smaller.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 125;

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`, RFC 6455 section 4.2.2.
pub(crate) fn accept(key: &[u8]) -> String {
    let text = [key, ACCEPT_GUID.as_bytes()].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text))
}

/// One frame without its mask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: BytesMut,
}

/// Takes the first frame off what was received, if it is there as a whole.
///
/// # Errors
/// A frame that neither end of this row sends: a fragment, or one longer than `PAYLOAD_BYTES_MAX`.
pub(crate) fn take_frame(received: &mut BytesMut) -> Result<Option<Frame>, &'static str> {
    let [first, second, ..] = received[..] else {
        return Ok(None);
    };
    if first & 0xf0 != FIN {
        return Err("a frame is a fragment or has reserved bits");
    }
    let length = usize::from(second & !MASKED);
    if length > PAYLOAD_BYTES_MAX {
        return Err("a frame is longer than 125 bytes");
    }
    let mask_bytes = if second & MASKED == 0 { 0 } else { 4 };
    if received.len() < 2 + mask_bytes + length {
        return Ok(None);
    }
    received.advance(2);
    let mask = received.split_to(mask_bytes);
    let mut payload = received.split_to(length);
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Some(Frame {
        opcode: first & 0x0f,
        payload,
    }))
}

/// Appends a frame; clients give a mask and targets none, RFC 6455 section 5.1.
pub(crate) fn put_frame(out: &mut BytesMut, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) {
    assert!(
        payload.len() <= PAYLOAD_BYTES_MAX,
        "the length must fit into seven bits"
    );
    out.put_u8(FIN | opcode);
    out.put_u8(payload.len() as u8 | if mask.is_some() { MASKED } else { 0 });
    let Some(mask) = mask else {
        return out.put_slice(payload);
    };
    out.put_slice(&mask);
    out.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6455_1_3_the_accept_field_answers_the_key() {
        assert_eq!(
            accept(b"dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn rfc6455_5_7_a_masked_hello_is_read() {
        let bytes = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        let mut received = BytesMut::from(&bytes[..]);
        let frame = take_frame(&mut received).unwrap().unwrap();
        assert_eq!((frame.opcode, &frame.payload[..]), (1, &b"Hello"[..]));
        assert!(received.is_empty());
    }

    #[test]
    fn what_is_put_is_taken_again_once_it_is_whole() {
        for mask in [None, Some([1, 2, 3, 4])] {
            let mut out = BytesMut::new();
            put_frame(&mut out, BINARY, mask, &[7; PAYLOAD_BYTES_MAX]);
            for end in 0..out.len() {
                assert_eq!(take_frame(&mut BytesMut::from(&out[..end])), Ok(None));
            }
            let frame = take_frame(&mut out).unwrap().unwrap();
            assert_eq!(
                (frame.opcode, &frame.payload[..]),
                (BINARY, &[7; PAYLOAD_BYTES_MAX][..])
            );
        }
    }

    #[test]
    fn frames_of_another_kind_are_refused() {
        assert!(take_frame(&mut BytesMut::from(&[0x01, 0x00][..])).is_err());
        assert!(take_frame(&mut BytesMut::from(&[0x82, 126][..])).is_err());
    }
}

//! What the doctor says to a port to find out whether it speaks TLS. No handshake follows, so no library is needed:
//! whatever a server answers, a `ServerHello` or an alert, is TLS. But some hang up on a client that they have
//! nothing in common with, without an alert, so it offers what every current server accepts.

/// A `ClientHello` of TLS 1.3 and 1.2, in a record. Source: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2.
pub(super) fn client_hello() -> Vec<u8> {
    let extensions = [
        // RFC 8446 section 4.2.1.
        extension(43, &after_length_u8(&bytes(&[TLS_1_3, TLS_1_2]))),
        // RFC 8422 section 5.1.1.
        extension(10, &after_length_u16(&bytes(&GROUPS))),
        // RFC 8422 section 5.1.2: uncompressed points.
        extension(11, &after_length_u8(&[0])),
        // RFC 8446 section 4.2.3.
        extension(13, &after_length_u16(&bytes(&SIGNATURE_SCHEMES))),
        // RFC 7627 section 5.1: some servers speak TLS 1.2 with nobody who lacks it.
        extension(23, &[]),
        // RFC 8446 section 4.2.8.
        extension(51, &after_length_u16(&key_share())),
    ];
    // What it would keep secret is nothing, so nothing here needs to be random.
    let random = [0x5a; 32];
    let session_id = [];
    let uncompressed = [0];
    let hello = [
        &TLS_1_2.to_be_bytes()[..],
        &random,
        &after_length_u8(&session_id),
        &after_length_u16(&bytes(&CIPHER_SUITES)),
        &after_length_u8(&uncompressed),
        &after_length_u16(&extensions.concat()),
    ]
    .concat();
    const CLIENT_HELLO: u8 = 1;
    // Its length has three bytes, of which the first is 0.
    let message = [&[CLIENT_HELLO, 0][..], &after_length_u16(&hello)].concat();
    // RFC 8446 section 5.1: the version of the record says nothing, and old servers want this one.
    const HANDSHAKE: [u8; 3] = [22, 3, 1];
    [&HANDSHAKE[..], &after_length_u16(&message)].concat()
}

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Those of TLS 1.3, and those of 1.2 in the order of their worth. Source: IANA, "TLS Cipher Suites".
const CIPHER_SUITES: [u16; 18] = [
    0x1301, 0x1302, 0x1303, // TLS 1.3: AES-128, AES-256, ChaCha20.
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, // ECDHE, ECDSA and RSA: the same.
    0xc009, 0xc013, 0xc00a, 0xc014, // ECDHE with CBC.
    0x009c, 0x009d, 0x002f, 0x0035, // RSA.
    0x00ff, // RFC 5746 section 3.3: secure renegotiation, which some servers insist on.
];

const X25519: u16 = 0x001d;

/// Those that servers have keys of. Source: IANA, "TLS Supported Groups".
const GROUPS: [u16; 4] = [X25519, 0x0017, 0x0018, 0x0019];

/// ECDSA, Ed25519, RSA-PSS and RSA. Source: IANA, "TLS SignatureScheme".
const SIGNATURE_SCHEMES: [u16; 13] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501,
    0x0601,
];

/// Nobody has the private key, and nobody needs it. The base point of the curve (RFC 7748 section 4.1) is a public
/// key like any other. A server that wants another group asks for it, in TLS.
fn key_share() -> Vec<u8> {
    let mut base_point = [0; 32];
    base_point[0] = 9;
    [&X25519.to_be_bytes()[..], &after_length_u16(&base_point)].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &after_length_u16(content)].concat()
}

fn bytes(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}

/// All that stands after such a length here is far shorter than it can say.
fn after_length_u8(content: &[u8]) -> Vec<u8> {
    [&[content.len() as u8], content].concat()
}

/// As for one byte.
fn after_length_u16(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u16).to_be_bytes()[..], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what stands after a length of `size` bytes.
    fn take<'a>(from: &mut &'a [u8], size: usize) -> &'a [u8] {
        let (length, rest) = from.split_at(size);
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (content, rest) = rest.split_at(length);
        *from = rest;
        content
    }

    #[test]
    fn each_part_is_as_long_as_it_says() {
        let hello = client_hello();
        assert_eq!(hello[..3], [22, 3, 1], "a record of the handshake");
        let mut record = &hello[3..];
        let mut message = take(&mut record, 2);
        assert!(record.is_empty(), "nothing behind the record");
        assert_eq!(message.split_off_first(), Some(&1), "a ClientHello");
        let body = take(&mut message, 3);
        assert!(message.is_empty(), "nothing behind the message");
        let mut body = &body[2 + 32..];
        let [session, suites, compression] = [1, 2, 1].map(|size| take(&mut body, size).len());
        assert_eq!(
            [session, suites, compression],
            [0, 2 * CIPHER_SUITES.len(), 1]
        );
        let mut extensions = take(&mut body, 2);
        assert!(body.is_empty(), "nothing behind the extensions");
        let mut kinds = Vec::new();
        while let [_, kind, rest @ ..] = extensions {
            extensions = rest;
            // A list, after a length of its own.
            let (kind, mut content) = (*kind, take(&mut extensions, 2));
            match kind {
                11 | 43 => drop(take(&mut content, 1)),
                10 | 13 | 51 => drop(take(&mut content, 2)),
                _ => {}
            }
            assert!(
                content.is_empty(),
                "nothing behind what is in extension {kind}"
            );
            kinds.push(kind);
        }
        assert_eq!(kinds, [43, 10, 11, 13, 23, 51]);
    }
}

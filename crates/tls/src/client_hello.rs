//! What a client says in its first message about the keys it can verify.
//!
//! The library negotiates everything else, but it has one certificate at a time to do it with: which one is
//! chosen before, from this.

use crate::identity::{Curve, KeyType};

/// The kinds of ECDSA certificates that a client can verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EcdsaSupport {
    p256: bool,
    p384: bool,
    p521: bool,
}

impl EcdsaSupport {
    /// Of a client that can verify every kind.
    pub(crate) const ALL: Self = Self {
        p256: true,
        p384: true,
        p521: true,
    };

    /// Whether a certificate with such a key can be shown. RSA can be shown to everyone.
    pub(crate) fn allows(self, key: KeyType) -> bool {
        match key {
            KeyType::Rsa(_) => true,
            KeyType::Ecdsa(Curve::P256) => self.p256,
            KeyType::Ecdsa(Curve::P384) => self.p384,
            KeyType::Ecdsa(Curve::P521) => self.p521,
        }
    }

    /// Reads a ClientHello without its header of four bytes (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2).
    /// What cannot be read supports nothing.
    pub(crate) fn of_client_hello(message: &[u8]) -> Self {
        read(message).unwrap_or_default()
    }
}

const EXTENSION_SUPPORTED_GROUPS: u16 = 10;
const EXTENSION_SIGNATURE_ALGORITHMS: u16 = 13;
const EXTENSION_SUPPORTED_VERSIONS: u16 = 43;
const TLS13: u16 = 0x0304;

/// Every suite of a policy whose certificate is ECDSA (`c0xx`, TLS_ECDHE_ECDSA).
const ECDSA_CIPHERS: [u16; 6] = [0xc009, 0xc00a, 0xc023, 0xc024, 0xc02b, 0xc02c];

fn read(message: &[u8]) -> Option<EcdsaSupport> {
    let mut rest = message;
    take(&mut rest, 2 + 32)?; // legacy_version, random
    take_vector8(&mut rest)?; // legacy_session_id
    let ciphers = take_vector16(&mut rest)?;
    take_vector8(&mut rest)?; // legacy_compression_methods
    let mut extensions = if rest.is_empty() {
        rest
    } else {
        take_vector16(&mut rest)?
    };

    let mut groups = None;
    let mut signature_algorithms = None;
    let mut has_tls13 = false;
    while !extensions.is_empty() {
        let kind = take_u16(&mut extensions)?;
        let mut body = take_vector16(&mut extensions)?;
        match kind {
            EXTENSION_SUPPORTED_GROUPS => groups = Some(take_vector16(&mut body)?),
            EXTENSION_SIGNATURE_ALGORITHMS => {
                signature_algorithms = Some(take_vector16(&mut body)?)
            }
            EXTENSION_SUPPORTED_VERSIONS => has_tls13 = contains(take_vector8(&mut body)?, TLS13),
            _ => {}
        }
    }

    let has_cipher = ECDSA_CIPHERS
        .iter()
        .any(|cipher| contains(ciphers, *cipher));
    // In TLS 1.3 a scheme stands for a curve and a hash (RFC 8446 section 4.2.3); before, for a hash only, and
    // the curve of the certificate is one of the groups (RFC 8422 section 5.1). A client that names neither
    // supports all of them.
    let has_scheme = |scheme: u16| signature_algorithms.is_none_or(|list| contains(list, scheme));
    let has_any_scheme = [0x0403, 0x0503, 0x0603, 0x0203].into_iter().any(has_scheme);
    let has_group = |group: u16| groups.is_none_or(|list| contains(list, group));
    let supports = |scheme: u16, group: u16| {
        (has_tls13 && signature_algorithms.is_some() && has_scheme(scheme))
            || (has_cipher && has_any_scheme && has_group(group))
    };
    Some(EcdsaSupport {
        p256: supports(0x0403, 23),
        p384: supports(0x0503, 24),
        p521: supports(0x0603, 25),
    })
}

fn contains(list: &[u8], value: u16) -> bool {
    list.chunks_exact(2)
        .any(|pair| u16::from_be_bytes([pair[0], pair[1]]) == value)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    take(rest, 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn take_vector8<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take(rest, 1)?[0];
    take(rest, usize::from(len))
}

fn take_vector16<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_u16(rest)?;
    take(rest, usize::from(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector16(values: &[u16]) -> Vec<u8> {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat()
    }

    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [
            &kind.to_be_bytes()[..],
            &(body.len() as u16).to_be_bytes(),
            body,
        ]
        .concat()
    }

    fn hello(ciphers: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
        let mut message = vec![3, 3];
        message.extend([7; 32]);
        message.push(0);
        message.extend(vector16(ciphers));
        message.extend([1, 0]);
        let extensions = extensions.concat();
        message.extend((extensions.len() as u16).to_be_bytes());
        message.extend(extensions);
        message
    }

    const ECDSA: u16 = 0xc02b;
    const RSA: u16 = 0xc02f;

    #[test]
    fn ecdsa_is_supported_if_everything_it_needs_is_offered() {
        let groups = |list: &[u16]| extension(10, &vector16(list));
        let schemes = |list: &[u16]| extension(13, &vector16(list));
        let tls13 = || extension(43, &[4, 3, 4, 3, 3]);
        let tls12 = || extension(43, &[2, 3, 3]);
        let check = |ciphers: &[u16], extensions: &[Vec<u8>], expected: [bool; 3]| {
            let support = EcdsaSupport::of_client_hello(&hello(ciphers, extensions));
            let curves = [Curve::P256, Curve::P384, Curve::P521];
            let actual = curves.map(|curve| support.allows(KeyType::Ecdsa(curve)));
            assert_eq!(actual, expected, "{ciphers:x?} {extensions:x?}");
            assert!(support.allows(KeyType::Rsa(2048)));
        };
        // TLS 1.2: a cipher, a scheme and the curve.
        check(
            &[ECDSA],
            &[groups(&[23]), schemes(&[0x0403])],
            [true, false, false],
        );
        check(
            &[ECDSA],
            &[groups(&[23, 24]), schemes(&[0x0603])],
            [true, true, false],
        );
        check(&[RSA], &[groups(&[23]), schemes(&[0x0403])], [false; 3]);
        check(&[ECDSA], &[groups(&[29]), schemes(&[0x0403])], [false; 3]);
        check(&[ECDSA], &[groups(&[23]), schemes(&[0x0401])], [false; 3]);
        check(
            &[RSA],
            &[groups(&[23]), schemes(&[0x0403]), tls12()],
            [false; 3],
        );
        // TLS 1.0: only ciphers.
        check(&[ECDSA], &[], [true; 3]);
        // TLS 1.3: the scheme says it all.
        check(
            &[0x1301],
            &[groups(&[29]), schemes(&[0x0403]), tls13()],
            [true, false, false],
        );
        check(
            &[0x1301],
            &[groups(&[29]), schemes(&[0x0804]), tls13()],
            [false; 3],
        );
        check(
            &[0x1301],
            &[groups(&[29]), schemes(&[0x0503, 0x0603]), tls13()],
            [false, true, true],
        );
    }

    #[test]
    fn a_message_that_ends_early_supports_nothing_more() {
        let whole = hello(&[ECDSA], &[extension(10, &vector16(&[23]))]);
        // Before the extensions a message may end: it has none then.
        let without_extensions = hello(&[ECDSA], &[]).len() - 2;
        for len in (0..whole.len()).filter(|len| *len != without_extensions) {
            assert!(
                !EcdsaSupport::of_client_hello(&whole[..len]).p384,
                "cut after {len} bytes"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_message_is_too_strange(message in proptest::collection::vec(0..=255_u8, 0..300)) {
            // From any client: it must not panic, and says nothing of RSA.
            proptest::prop_assert!(EcdsaSupport::of_client_hello(&message).allows(KeyType::Rsa(2048)));
        }
    }
}

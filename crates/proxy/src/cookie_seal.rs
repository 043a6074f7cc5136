//! Seals what stickiness cookies say, so that clients can neither read it nor choose their target.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::StickinessToken;

/// The secret by which nodes know their cookies again. Nodes that share it honour each other's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CookieKey([u8; Self::BYTES]);

impl CookieKey {
    /// The length of a key.
    pub const BYTES: usize = 32;

    /// A key of random bytes that nobody else knows.
    #[must_use]
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CookieKey {
    // The key stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieKey")
    }
}

/// What a cookie is for; one does not pass for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Pool,
    Endpoint,
    Application,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Pool => b"elbow stickiness pool",
            Self::Endpoint => b"elbow stickiness endpoint",
            Self::Application => b"elbow stickiness application",
        }
    }
}

const TAG_BYTES: usize = 16;
const SEALED_BYTES: usize = NONCE_LEN + StickinessToken::BYTES + TAG_BYTES;

/// The value of a cookie: nonce, token and tag in base64 (RFC 4648 section 4).
pub(crate) type Sealed = [u8; SEALED_BYTES.div_ceil(3) * 4];

/// Seals and opens cookies.
///
/// AES-256-GCM-SIV (RFC 8452): a busy listener seals more cookies with one key than random nonces of 96 bits
/// stay distinct for, and this mode survives a repetition.
pub(crate) struct CookieSeal(LessSafeKey);

impl fmt::Debug for CookieSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSeal")
    }
}

impl CookieSeal {
    pub(crate) fn new(key: CookieKey) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, &key.0).expect("a key of 256 bits");
        Self(LessSafeKey::new(key))
    }

    pub(crate) fn seal(&self, token: &StickinessToken, purpose: Purpose) -> Sealed {
        let mut bytes = [0; SEALED_BYTES];
        let (nonce, rest) = bytes.split_at_mut(NONCE_LEN);
        let (text, tag) = rest.split_at_mut(StickinessToken::BYTES);
        rand::fill(nonce).expect("the generator is seeded when the process starts");
        text.copy_from_slice(&token.encode());
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce_of(nonce), Aad::from(purpose.as_bytes()), text)
            .expect("a short text can be sealed");
        tag.copy_from_slice(sealed.as_ref());
        let mut encoded = [0; _];
        STANDARD
            .encode_slice(bytes, &mut encoded)
            .expect("the length is that of the encoding");
        encoded
    }

    /// What a cookie says; `None` for what was not sealed here for this purpose.
    pub(crate) fn open(&self, value: &[u8], purpose: Purpose) -> Option<StickinessToken> {
        let sealed: &Sealed = value.try_into().ok()?;
        // The decoder wants room for the bytes that padding would make.
        let mut bytes = [0; size_of::<Sealed>() / 4 * 3];
        let length = STANDARD.decode_slice(sealed, &mut bytes).ok()?;
        let bytes = bytes.get_mut(..length)?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let opened = self
            .0
            .open_in_place(nonce_of(nonce), Aad::from(purpose.as_bytes()), text)
            .ok()?;
        StickinessToken::decode(opened)
    }
}

fn nonce_of(bytes: &[u8]) -> Nonce {
    Nonce::try_assume_unique_for_key(bytes).expect("a nonce of 96 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::PoolId;

    const TOKEN: StickinessToken = StickinessToken {
        pool: PoolId(1),
        endpoint: Some(2),
        expires_at_seconds: 3,
    };

    fn seal(key: u8) -> CookieSeal {
        CookieSeal::new(CookieKey::new([key; 32]))
    }

    #[test]
    fn a_cookie_is_known_again_by_every_node_with_the_key() {
        let value = seal(1).seal(&TOKEN, Purpose::Endpoint);
        assert_eq!(seal(1).open(&value, Purpose::Endpoint), Some(TOKEN));
        assert_eq!(seal(2).open(&value, Purpose::Endpoint), None);
        assert_eq!(seal(1).open(&value, Purpose::Application), None);
        let again = seal(1).seal(&TOKEN, Purpose::Endpoint);
        assert_ne!(value, again, "equal tokens look different");
    }

    #[test]
    fn a_cookie_that_was_changed_is_none() {
        let value = seal(1).seal(&TOKEN, Purpose::Endpoint);
        for at in 0..value.len() {
            let mut changed = value;
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal(1).open(&changed, Purpose::Endpoint), None, "byte {at}");
        }
        let encoded = String::from_utf8(value.to_vec())
            .unwrap()
            .replace('=', "%3D");
        for other in [&b""[..], b"_remove_", &value[1..], encoded.as_bytes()] {
            if other != value {
                assert_eq!(seal(1).open(other, Purpose::Endpoint), None);
            }
        }
    }

    #[test]
    fn the_key_stays_out_of_logs() {
        assert_eq!(format!("{:?}", CookieKey::new([77; 32])), "CookieKey");
    }
}

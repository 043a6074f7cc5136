//! What a stickiness cookie says, before it is sealed: where its client is to stay, and until when.
//!
//! Source: ALB guide, "Sticky sessions for your Application Load Balancer".

use crate::pool::PoolId;

/// What one cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StickinessToken {
    /// The pool that the client stays with.
    pub pool: PoolId,
    /// The target in it (`Endpoint::key`); `None` in a cookie that names a pool alone.
    pub endpoint: Option<u64>,
    /// From when on it means nothing, in seconds since 1970.
    pub expires_at_seconds: u64,
}

impl StickinessToken {
    /// The length of every encoded token.
    pub const BYTES: usize = 25;

    /// The first byte of a token that names a pool alone. Other first bytes are left for other formats.
    const POOL: u8 = 1;
    /// The first byte of a token that names a target.
    const ENDPOINT: u8 = 2;

    /// The token as bytes: what it names, pool, target, expiry; numbers with their highest byte first.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = match self.endpoint {
            None => Self::POOL,
            Some(_) => Self::ENDPOINT,
        };
        bytes[1..9].copy_from_slice(&self.pool.0.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.endpoint.unwrap_or(0).to_be_bytes());
        bytes[17..].copy_from_slice(&self.expires_at_seconds.to_be_bytes());
        bytes
    }

    /// The reverse of `encode`; `None` for bytes that it does not make.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| {
            let digits = bytes[at..at + 8]
                .try_into()
                .expect("a slice of eight bytes");
            u64::from_be_bytes(digits)
        };
        let endpoint = match (bytes[0], number(9)) {
            (Self::POOL, 0) => None,
            (Self::ENDPOINT, key) => Some(key),
            _ => return None,
        };
        Some(Self {
            pool: PoolId(number(1)),
            endpoint,
            expires_at_seconds: number(17),
        })
    }

    /// Whether the token still counts at this time, in seconds since 1970.
    #[must_use]
    pub fn is_valid_at(&self, now_seconds: u64) -> bool {
        now_seconds < self.expires_at_seconds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(pool: u64, endpoint: Option<u64>, expires_at_seconds: u64) {
            let token = StickinessToken { pool: PoolId(pool), endpoint, expires_at_seconds };
            prop_assert_eq!(StickinessToken::decode(&token.encode()), Some(token));
        }

        #[test]
        fn every_token_has_one_encoding(bytes in proptest::collection::vec(0u8..4, 0..30)) {
            if let Some(token) = StickinessToken::decode(&bytes) {
                prop_assert_eq!(&token.encode()[..], &bytes[..]);
            }
        }
    }

    #[test]
    fn other_bytes_are_no_token() {
        let token = StickinessToken {
            pool: PoolId(1),
            endpoint: None,
            expires_at_seconds: 3,
        };
        let bytes = token.encode();
        assert!(StickinessToken::decode(&bytes[..24]).is_none());
        assert!(StickinessToken::decode(&[&bytes[..], &[0]].concat()).is_none());
        for first in [0, 3, 255] {
            let mut other = bytes;
            other[0] = first;
            assert!(StickinessToken::decode(&other).is_none(), "{first}");
        }
        let mut with_endpoint = bytes;
        with_endpoint[16] = 1;
        assert!(StickinessToken::decode(&with_endpoint).is_none());
    }

    #[test]
    fn a_token_counts_until_it_expires() {
        let token = StickinessToken {
            pool: PoolId(1),
            endpoint: Some(2),
            expires_at_seconds: 100,
        };
        assert!(token.is_valid_at(99));
        assert!(!token.is_valid_at(100));
    }
}

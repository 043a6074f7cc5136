//! The name of one request, in its answer and in the log.

use std::fmt;

/// 128 bits, printed as a random UUID (RFC 9562, section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

/// Where request ids come from.
pub trait RequestIds: Send + Sync + 'static {
    /// An id that no other request has.
    fn next(&self) -> RequestId;
}

/// Ids that cannot be guessed.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomRequestIds;

impl RequestIds for RandomRequestIds {
    fn next(&self) -> RequestId {
        let mut bits = [0; 16];
        // Without entropy the ids repeat, which confuses a reader of the log and nothing else.
        let _ = aws_lc_rs::rand::fill(&mut bits);
        RequestId::from_bits(u128::from_be_bytes(bits))
    }
}

impl RequestId {
    /// The id with these bits, but for the six that say that it is a random UUID.
    pub fn from_bits(bits: u128) -> Self {
        const VERSION: u128 = 0xf << 76;
        const VARIANT: u128 = 0b11 << 62;
        Self(bits & !VERSION & !VARIANT | 0x4 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        assert_eq!(
            RequestId::from_bits(0).to_string(),
            "00000000-0000-4000-8000-000000000000"
        );
        assert_eq!(
            RequestId::from_bits(u128::MAX).to_string(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        assert_ne!(RandomRequestIds.next(), RandomRequestIds.next());
    }
}

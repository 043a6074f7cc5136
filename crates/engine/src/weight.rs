//! Shares of targets that get fewer requests than the others, and the draws that give them their share.

/// A target's share of requests, compared with that of a target at full weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    /// An equal share.
    pub const FULL: Self = Self(Self::PARTS as u16);

    /// Parts of a full share. A power of two, so that a draw is compared without a division.
    pub(crate) const PARTS: u32 = 1 << Self::BITS;
    const BITS: u32 = 12;

    /// `parts` of `PARTS`, at most all of them.
    pub(crate) fn of_parts(parts: u32) -> Self {
        Self(parts.min(Self::PARTS) as u16)
    }

    pub(crate) fn parts(self) -> u32 {
        u32::from(self.0)
    }

    /// Whether a target of this weight, whose turn it is, gets the request with this draw.
    pub(crate) fn admits(self, draw: u32) -> bool {
        draw >> (u32::BITS - Self::BITS) < u32::from(self.0)
    }

    pub(crate) fn to_bits(self) -> u16 {
        self.0
    }

    pub(crate) fn from_bits(bits: u16) -> Self {
        Self::of_parts(bits.into())
    }
}

/// As many draws as one choice needs, made of one: a linear congruential generator, whose upper bits are used.
///
/// Source: D. Knuth, "The Art of Computer Programming", volume 2, section 3.3.4, line 16 of table 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u32);

impl Draws {
    pub(crate) fn from(draw: u32) -> Self {
        Self(draw)
    }

    /// The next draw; the first one is the seed itself.
    pub(crate) fn next(&mut self) -> u32 {
        let draw = self.0;
        self.0 = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        draw
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        // Multiply and shift maps the draw without the bias and the cost of a remainder.
        ((u64::from(self.next()) * count as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_admits_its_share_of_all_draws() {
        for parts in [0, 1, 1000, 4095, 4096, 9999] {
            let weight = Weight::of_parts(parts);
            let admitted = (0..Weight::PARTS).filter(|part| weight.admits(part << 20));
            assert_eq!(admitted.count() as u32, parts.min(Weight::PARTS), "{parts}");
            assert_eq!(Weight::from_bits(weight.to_bits()), weight);
        }
    }
}

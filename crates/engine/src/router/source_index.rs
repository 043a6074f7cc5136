//! Blocks of addresses, arranged so that a look-up costs one probe for each length of prefix in use.

use std::net::IpAddr;

use model::Cidr;
use rustc_hash::FxHashMap;

/// The compiled blocks, each with a number.
#[derive(Debug)]
pub(super) struct SourceIndex {
    /// A client chooses the address that is looked up, but only the configuration inserts: whatever the
    /// client sends, a probe meets no more collisions than the configuration has put there. So a fast
    /// hash without a secret is enough.
    blocks: FxHashMap<Cidr, u32>,
    /// The prefix lengths in use: at most 33 and 129, and hardly ever more than four.
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

impl SourceIndex {
    /// Compiles `blocks`, which are all different.
    pub(super) fn new(blocks: Vec<(Cidr, u32)>) -> Self {
        let lengths = |is_v4: bool| {
            let family = blocks
                .iter()
                .filter(|(block, _)| block.network().is_ipv4() == is_v4);
            let mut lengths: Vec<u8> = family.map(|(block, _)| block.prefix_length()).collect();
            lengths.sort_unstable();
            lengths.dedup();
            lengths
        };
        Self {
            lengths_v4: lengths(true),
            lengths_v6: lengths(false),
            blocks: blocks.into_iter().collect(),
        }
    }

    /// Calls `found` with the number of each block that holds `source`.
    pub(super) fn visit(&self, source: IpAddr, mut found: impl FnMut(u32)) {
        let lengths = match source {
            IpAddr::V4(_) => &self.lengths_v4,
            IpAddr::V6(_) => &self.lengths_v6,
        };
        for length in lengths {
            let block = Cidr::new(source, *length).expect("the length is one of its family");
            if let Some(value) = self.blocks.get(&block) {
                found(*value);
            }
        }
    }
}

//! How bytes may arrive.
//!
//! The cuts are computed from the bytes, so that an input is plain text and a failure repeats itself.

/// Several ways to cut `input`: each a list of where the pieces end, of which the last is the whole.
pub(crate) fn ways(input: &[u8]) -> [Vec<usize>; 3] {
    let every_byte = (1..=input.len()).collect();
    let drawn = |longest: u64| {
        let mut state = seed(input);
        let mut ends = Vec::new();
        let mut end = 0;
        while end < input.len() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            end = (end + 1 + ((state >> 33) % longest) as usize).min(input.len());
            ends.push(end);
        }
        ends
    };
    [every_byte, drawn(5), drawn(64)]
}

/// FNV-1a.
fn seed(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

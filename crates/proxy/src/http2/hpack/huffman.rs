//! The Huffman code of HPACK, decoded four bits at a time by a table.
//!
//! Source: RFC 7541 section 5.2 and appendix B. The code is canonical, so its lengths say all of it; the
//! table is made from them when this is compiled.

use super::HpackError;

/// The symbol that ends no string: it may only stand in the padding, and there not whole.
const EOS: usize = 256;

/// The length in bits of the code of each symbol.
#[rustfmt::skip]
const CODE_LENGTHS: [u8; EOS + 1] = [
    13,23,28,28,28,28,28,28,28,24,30,28,28,30,28,28,28,28,28,28,
    28,28,30,28,28,28,28,28,28,28,28,28,6,10,10,12,13,6,8,11,
    10,10,8,11,8,6,6,6,5,5,5,6,6,6,6,6,6,6,7,8,
    15,6,12,10,13,6,7,7,7,7,7,7,7,7,7,7,7,7,7,7,
    7,7,7,7,7,7,7,7,8,7,8,13,19,13,14,6,15,5,6,5,
    6,5,6,6,6,5,7,7,6,6,6,5,6,7,6,5,5,6,7,7,
    7,7,7,15,11,14,13,28,20,22,20,20,22,22,22,23,22,23,23,23,
    23,23,24,23,24,24,22,23,24,23,23,23,23,21,22,23,22,23,23,24,
    22,21,20,22,22,23,23,21,23,22,22,24,21,22,23,23,21,21,22,21,
    23,22,23,23,20,22,22,22,23,22,22,23,26,26,20,19,22,23,22,25,
    26,26,26,27,27,26,24,25,19,21,26,27,27,26,27,24,21,21,26,26,
    28,27,27,27,20,24,20,21,22,21,21,23,22,22,25,25,24,24,26,23,
    26,27,26,26,27,27,27,27,27,28,27,27,27,27,27,26,30,
];

/// The inner nodes of the code's tree: one fewer than its leaves.
const NODES: usize = EOS;

/// What four bits lead to from one node.
#[derive(Clone, Copy)]
struct Step {
    /// The node to go on from.
    next: u8,
    /// The symbol whose code ended on the way.
    symbol: u8,
    emits: bool,
    /// The bits are no code.
    fails: bool,
    /// A string may end here: what follows the last code is at most seven bits, all of them ones.
    may_end: bool,
}

static STEPS: [[Step; 16]; NODES] = steps();

/// Each node's two children: below `NODES` a node, from there on a symbol.
const fn tree() -> [[u16; 2]; NODES] {
    const NONE: u16 = u16::MAX;
    let mut nodes = [[NONE; 2]; NODES];
    let mut made = 1;
    let mut code = 0_u32;
    let mut length = 5;
    while length <= 30 {
        let mut symbol = 0;
        while symbol <= EOS {
            if CODE_LENGTHS[symbol] == length {
                let mut node = 0;
                let mut bit = length;
                while bit > 1 {
                    bit -= 1;
                    let side = (code >> bit & 1) as usize;
                    if nodes[node][side] == NONE {
                        nodes[node][side] = made;
                        made += 1;
                    }
                    node = nodes[node][side] as usize;
                }
                nodes[node][(code & 1) as usize] = (NODES + symbol) as u16;
                code += 1;
            }
            symbol += 1;
        }
        code <<= 1;
        length += 1;
    }
    nodes
}

const fn steps() -> [[Step; 16]; NODES] {
    let tree = tree();
    let nowhere = Step {
        next: 0,
        symbol: 0,
        emits: false,
        fails: false,
        may_end: false,
    };
    let mut may_end = [false; NODES];
    let mut node = 0;
    let mut ones = 0;
    while ones <= 7 {
        may_end[node] = true;
        node = tree[node][1] as usize;
        ones += 1;
    }
    let mut steps = [[nowhere; 16]; NODES];
    let mut from = 0;
    while from < NODES {
        let mut bits = 0;
        while bits < 16 {
            let mut step = nowhere;
            let mut node = from;
            let mut bit = 4;
            while bit > 0 {
                bit -= 1;
                let to = tree[node][bits >> bit & 1] as usize;
                if to < NODES {
                    node = to;
                } else if to == NODES + EOS {
                    step.fails = true;
                    node = 0;
                } else {
                    step.symbol = (to - NODES) as u8;
                    step.emits = true;
                    node = 0;
                }
            }
            step.next = node as u8;
            step.may_end = may_end[node];
            steps[from][bits] = step;
            bits += 1;
        }
        from += 1;
    }
    steps
}

/// Decodes `code` to the end of `out`.
pub(super) fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    let mut node = 0;
    let mut may_end = true;
    for byte in code {
        for bits in [byte >> 4, byte & 15] {
            let step = &STEPS[usize::from(node)][usize::from(bits)];
            if step.fails {
                return Err(HpackError::Huffman);
            }
            if step.emits {
                out.push(step.symbol);
            }
            node = step.next;
            may_end = step.may_end;
        }
    }
    if may_end {
        Ok(())
    } else {
        Err(HpackError::Huffman)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Encodes bit by bit, from the lengths alone.
    fn encode(text: &[u8]) -> Vec<u8> {
        let mut order: Vec<usize> = (0..=EOS).collect();
        order.sort_by_key(|symbol| (CODE_LENGTHS[*symbol], *symbol));
        let mut codes = vec![(0_u32, 0_u8); EOS + 1];
        let (mut code, mut length) = (0_u32, 5);
        for symbol in order {
            code <<= CODE_LENGTHS[symbol] - length;
            length = CODE_LENGTHS[symbol];
            codes[symbol] = (code, length);
            code += 1;
        }
        let bits = text.iter().flat_map(|byte| {
            let (code, length) = codes[usize::from(*byte)];
            (0..length).rev().map(move |bit| code >> bit & 1 == 1)
        });
        let mut bits: Vec<bool> = bits.collect();
        bits.resize(bits.len().next_multiple_of(8), true);
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        bits.chunks(8).map(byte).collect()
    }

    fn decoded(code: &[u8]) -> Result<Vec<u8>, HpackError> {
        let mut out = Vec::new();
        decode(code, &mut out).map(|()| out)
    }

    #[test]
    fn rfc7541_appendix_c_4_and_c_6_strings() {
        for (code, text) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", "no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", "custom-value"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (b"", ""),
        ] {
            assert_eq!(decoded(code).as_deref(), Ok(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn rfc7541_section_5_2_padding() {
        // `0` is 00000: three ones of padding follow it.
        assert_eq!(decoded(b"\x07"), Ok(b"0".to_vec()));
        assert!(decoded(b"\x00").is_err(), "padding of zeros");
        assert!(
            decoded(b"\x07\xff").is_err(),
            "padding of more than seven bits"
        );
        assert!(decoded(b"\xff\xff\xff\xff").is_err(), "the end symbol");
    }

    proptest! {
        #[test]
        fn every_text_survives(text: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(&text)), Ok(text));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(code: Vec<u8>) {
            let _ = decoded(&code);
        }
    }
}

//! The chunked coding: no input makes the decoder panic, run backwards or stand still, and pieces do not
//! change what it decodes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::http1::chunked::{BadChunk, Decoder, Step};

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, piece) = input;
    let whole = decode(bytes, bytes.len().max(1));
    let pieces = decode(bytes, usize::from(piece).max(1));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces, "pieces do not matter"),
        (Err(_), Err(_)) => {}
        (whole, pieces) => panic!("whole: {whole:?}, in pieces: {pieces:?}"),
    }
});

/// The data of a body that arrives `piece` bytes at a time, and whether it was complete.
fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, bool), BadChunk> {
    let mut decoder = Decoder::default();
    let mut data = Vec::new();
    for mut arrived in bytes.chunks(piece) {
        while !arrived.is_empty() {
            let used = match decoder.step(arrived)? {
                Step::Skip(count) => count,
                Step::Data { skip, length } => {
                    assert!(length > 0, "there is data");
                    data.extend_from_slice(&arrived[skip..skip + length]);
                    skip + length
                }
                Step::End(_) => return Ok((data, true)),
            };
            assert!(used > 0, "the decoder goes on");
            arrived = &arrived[used..];
        }
    }
    Ok((data, false))
}

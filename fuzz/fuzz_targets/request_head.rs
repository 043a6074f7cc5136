//! The head of a client's request: whatever arrives, and however it is cut into pieces, the answer is the
//! same, and what is accepted cannot be read in two ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::http1::scan::{REQUEST_LIMITS, Scan, Scanner};
use proxy::http1::{FieldStorage, request};

fuzz_target!(|input: (&[u8], usize)| {
    let (bytes, cut) = input;
    let whole = Scanner::default().scan(bytes, &REQUEST_LIMITS);
    assert_eq!(in_two_pieces(bytes, cut % (bytes.len() + 1)), whole, "pieces do not matter");
    let Scan::Complete { start, end } = whole else {
        return;
    };
    let mut storage = FieldStorage::new();
    if let Ok(head) = request::parse(&bytes[start..end], &mut storage) {
        assert!(head.path.iter().all(|byte| !matches!(byte, b'\r' | b'\n' | 0)));
        for (_, name, value) in head.fields.iter() {
            assert!(!name.is_empty());
            assert!(value.iter().all(|byte| !matches!(byte, b'\r' | b'\n' | 0)));
        }
    }
});

fn in_two_pieces(bytes: &[u8], cut: usize) -> Scan {
    let mut scanner = Scanner::default();
    match scanner.scan(&bytes[..cut], &REQUEST_LIMITS) {
        Scan::Incomplete => scanner.scan(bytes, &REQUEST_LIMITS),
        decided => decided,
    }
}

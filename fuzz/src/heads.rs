//! What requests and responses have in common.

use proxy::http1::field::Field;
use proxy::http1::scan::{HeadLimits, Scan, Scanner};
use proxy::http1::{Fields, Framing, simple};

use crate::pieces;

/// Limits so low that a short input can reach each of them, in every order.
const LOW_LIMITS: HeadLimits = HeadLimits {
    first_line_max: 40,
    field_line_max: 48,
    head_max: 96,
};

/// Looks for the end of a head, and checks that it does not depend on how the bytes arrive. `is_first` says that the
/// head may be that of a simple request.
pub(crate) fn find(input: &[u8], limits: &HeadLimits, is_first: bool) -> Scan {
    let found = scan(input, limits, is_first);
    scan(input, &LOW_LIMITS, is_first);
    found
}

fn scan(input: &[u8], limits: &HeadLimits, is_first: bool) -> Scan {
    let scanner = match is_first {
        false => Scanner::default(),
        true => Scanner::of_first_request(),
    };
    let at_once = scanner.clone().scan(input, limits);
    if let Scan::Complete { start, end } = at_once {
        assert!(
            start < end && end <= input.len(),
            "a head is some of the input"
        );
        assert!(end <= limits.head_max, "a head is within its limit");
        assert!(
            input[start..end].ends_with(b"\r\n\r\n")
                || is_first && simple::target(&input[start..end]).is_some(),
            "an empty line ends a head that is more than a simple request"
        );
    }
    for ends in pieces::ways(input) {
        let mut scanner = scanner.clone();
        let decided = ends
            .iter()
            .map(|&end| scanner.scan(&input[..end], limits))
            .find(|scan| *scan != Scan::Incomplete);
        assert_eq!(
            decided.unwrap_or(Scan::Incomplete),
            at_once,
            "the end of a head does not depend on how it arrives"
        );
    }
    at_once
}

/// Checks what must hold for the fields of every head that is accepted.
pub(crate) fn check_fields(fields: Fields<'_, '_>, framing: Framing) {
    for (_, name, value) in fields.iter() {
        assert!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':'),
            "a field name is a token"
        );
        assert!(
            value.iter().all(|b| !matches!(b, b'\r' | b'\n' | 0)),
            "a field value cannot become another field"
        );
    }
    let lengths = fields.values(Field::ContentLength).count();
    let codings = fields.values(Field::TransferEncoding).count();
    assert!(
        lengths == 0 || codings == 0 || framing == Framing::Chunked,
        "Content-Length never frames a message that has a Transfer-Encoding"
    );
    match framing {
        Framing::Chunked => assert_eq!(codings, 1, "one Transfer-Encoding says chunked"),
        Framing::Length(length) => {
            assert!(length > 0, "a body of a known length has bytes");
            let printed = length.to_string();
            assert!(
                fields.values(Field::ContentLength).all(|value| {
                    let digits = value.iter().position(|&b| b != b'0').unwrap_or(value.len());
                    &value[digits..] == printed.as_bytes()
                }),
                "every Content-Length says the same"
            );
        }
        Framing::None | Framing::UntilClose => {}
    }
}

/// Checks that a head has no line that was not read: only the first, one for each field, and the empty one.
pub(crate) fn check_lines(head: &[u8], fields: Fields<'_, '_>) {
    assert_eq!(
        head.iter().filter(|&&b| b == b'\n').count(),
        2 + fields.iter().count(),
        "every line of a head is read"
    );
}

/// The fields as lines, and the empty line.
pub(crate) fn print_fields(out: &mut Vec<u8>, fields: Fields<'_, '_>) {
    for (_, name, value) in fields.iter() {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

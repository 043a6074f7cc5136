//! What conditions are compared with: the parts of a request, brought to the form that patterns expect.
//!
//! Hardly any request needs a change, so each step returns its input when there is nothing to do and
//! writes to a buffer of the thread's scratch otherwise: no request allocates once a thread is warm.

use std::cell::Cell;

use super::tree::Step;

/// The buffers of one thread, kept from one request to the next.
///
/// They grow to the longest subject seen, which the limit of the request head bounds.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The host in lower case.
    pub(super) host: Vec<u8>,
    /// The normalised path.
    pub(super) path: Vec<u8>,
    /// The buffers that are used more than once in a request.
    pub(super) work: Work,
}

/// The part of the scratch that a walk through the tree writes to.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The field value or query pair that is being compared.
    pub(super) value: Vec<u8>,
    /// The steps that still have to be taken.
    pub(super) pending: Vec<Step>,
    /// The literals that were found in the subject that is being compared.
    pub(super) seen: Seen,
}

thread_local! {
    /// Boxed, so that lending it moves one pointer.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Lends the thread's scratch to `work`.
    ///
    /// It is moved out and back instead of borrowed: a call from within `work` gets buffers of its own
    /// where a `RefCell` would panic.
    pub(super) fn lend<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let result = work(&mut scratch);
        SCRATCH.set(Some(scratch));
        result
    }
}

/// A set of small numbers that is emptied in constant time.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The round in which each number was last inserted.
    rounds: Vec<u64>,
    round: u64,
}

impl Seen {
    /// Empties the set and makes room for the numbers below `len`.
    pub(super) fn clear(&mut self, len: usize) {
        self.round += 1;
        if self.rounds.len() < len {
            self.rounds.resize(len, 0);
        }
    }

    /// Whether `number` was not in the set before.
    pub(super) fn insert(&mut self, number: usize) -> bool {
        std::mem::replace(&mut self.rounds[number], self.round) != self.round
    }
}

/// `subject` in lower case and without control characters.
///
/// Source: ALB guide, "Condition types for listener rules": rules are evaluated on visible ASCII only,
/// control characters (0x00 to 0x1f and 0x7f) are excluded.
pub(super) fn fold<'a>(subject: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    let is_folded = |byte: &u8| !byte.is_ascii_uppercase() && !byte.is_ascii_control();
    if subject.iter().all(is_folded) {
        return subject;
    }
    buffer.clear();
    extend_folded(subject, buffer);
    buffer
}

/// The `key=value` pair in lower case, without control characters, and with a `=` even if it came without.
pub(super) fn fold_pair<'a>(pair: &[u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    buffer.clear();
    extend_folded(pair, buffer);
    if !buffer.contains(&b'=') {
        buffer.push(b'=');
    }
    buffer
}

fn extend_folded(subject: &[u8], buffer: &mut Vec<u8>) {
    let visible = subject.iter().filter(|byte| !byte.is_ascii_control());
    buffer.extend(visible.map(u8::to_ascii_lowercase));
}

/// The pairs of `query`, which ends at a `#` if there is one; empty pairs are left out.
pub(super) fn query_pairs(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = memchr::memchr(b'#', query).unwrap_or(query.len());
    let pairs = query[..end].split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty())
}

/// `path` with its encoded unreserved characters decoded, its dot segments removed, its case kept, and
/// without control characters.
///
/// Source: RFC 3986 sections 6.2.2.2 and 6.2.2.3; ALB guide, "Path conditions": the URI is normalised
/// before it is compared.
pub(super) fn normalise<'a>(path: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    if is_surely_normal(path) {
        return path;
    }
    buffer.clear();
    decode_unreserved(path, buffer);
    if buffer.first() == Some(&b'/') {
        remove_dot_segments(buffer);
    }
    buffer
}

/// Whether a single look at each byte shows that there is nothing to do; `false` may be wrong.
fn is_surely_normal(path: &[u8]) -> bool {
    let mut before = b'/';
    path.iter().all(|&byte| {
        let starts_with_dot = byte == b'.' && before == b'/';
        before = byte;
        byte != b'%' && !starts_with_dot && !byte.is_ascii_control()
    })
}

fn decode_unreserved(path: &[u8], out: &mut Vec<u8>) {
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match encoded_unreserved(byte, after) {
            Some(decoded) => {
                out.push(decoded);
                rest = &after[2..];
            }
            None if byte.is_ascii_control() => {}
            None => out.push(byte),
        }
    }
}

/// The unreserved character (RFC 3986 section 2.3) that a `%` and the two digits after it stand for.
fn encoded_unreserved(byte: u8, after: &[u8]) -> Option<u8> {
    let (b'%', [high, low, ..]) = (byte, after) else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let decoded = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    let is_unreserved = decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded);
    is_unreserved.then_some(decoded)
}

/// Removes `.` and `..` segments in place. `path` starts with `/`.
///
/// Source: RFC 3986 section 5.2.4.
fn remove_dot_segments(path: &mut Vec<u8>) {
    let mut read = 0;
    let mut written = 0;
    while read < path.len() {
        // `read` stands on the slash before a segment.
        let after_slash = &path[read + 1..];
        let length = memchr::memchr(b'/', after_slash).unwrap_or(after_slash.len());
        let segment = read + 1..read + 1 + length;
        let is_last = segment.end == path.len();
        let is_dots = match &path[segment.clone()] {
            b"." => true,
            b".." => {
                written = memchr::memrchr(b'/', &path[..written]).unwrap_or(0);
                true
            }
            _ => false,
        };
        if !is_dots {
            path.copy_within(read..segment.end, written);
            written += 1 + length;
        } else if is_last {
            path[written] = b'/';
            written += 1;
        }
        read = segment.end;
    }
    path.truncate(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (path, normal) in [
            ("", ""),
            ("/", "/"),
            ("/a/b.c", "/a/b.c"),
            ("/A/B", "/A/B"),
            ("/%61%2Db", "/a-b"),
            ("/%7euser", "/~user"),
            ("/a%20b", "/a%20b"), // A space is not unreserved.
            ("/a%2Fb", "/a%2Fb"), // An encoded slash is no separator.
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%zz", "/%zz"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.", "/a/"),
            ("/a/..", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a//../b", "/a/b"),
            ("//a", "//a"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("/a\tb", "/ab"),
            ("*", "*"),
            ("..", ".."),
        ] {
            let mut buffer = Vec::new();
            let found = normalise(path.as_bytes(), &mut buffer);
            assert_eq!(
                String::from_utf8_lossy(found),
                normal,
                "{path:?} normalised"
            );
        }
    }

    #[test]
    fn a_subject_is_folded_only_when_needed() {
        let mut buffer = Vec::new();
        assert_eq!(fold(b"shop.example.com", &mut buffer), b"shop.example.com");
        assert_eq!(buffer.capacity(), 0, "nothing was copied");
        assert_eq!(fold(b"Sh\x7fOp\t.COM", &mut buffer), b"shop.com");
    }

    #[test]
    fn a_query_is_cut_into_pairs() {
        let pairs = |query: &'static str| -> Vec<&[u8]> { query_pairs(query.as_bytes()).collect() };
        assert_eq!(pairs("a=1&b&&c=2=3"), [&b"a=1"[..], b"b", b"c=2=3"]);
        assert_eq!(pairs("a=1#&b=2"), [&b"a=1"[..]]);
        assert!(pairs("").is_empty());
    }

    #[test]
    fn a_set_forgets_when_it_is_cleared() {
        let mut seen = Seen::default();
        seen.clear(2);
        assert!(seen.insert(1));
        assert!(!seen.insert(1));
        seen.clear(2);
        assert!(seen.insert(1));
    }
}

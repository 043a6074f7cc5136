//! Finds the end of a head as its bytes arrive, looking at every byte once.
//!
//! A peer that sends a head byte by byte would otherwise cost a parse of everything for each byte.

use super::simple;

/// Limits of one head, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The request or status line with its line end.
    pub first_line_max: usize,
    /// One field line with its line end.
    pub field_line_max: usize,
    /// All lines.
    pub head_max: usize,
}

/// Source: ALB guide, "Quotas for your Application Load Balancers", HTTP headers: request line 16 K,
/// single header 16 K, entire request header 64 K.
pub const REQUEST_LIMITS: HeadLimits = HeadLimits {
    first_line_max: 16 * 1024,
    field_line_max: 16 * 1024,
    head_max: 64 * 1024,
};

/// Source: as `REQUEST_LIMITS`, entire response header 32 K.
pub const RESPONSE_LIMITS: HeadLimits = HeadLimits {
    first_line_max: 16 * 1024,
    field_line_max: 32 * 1024,
    head_max: 32 * 1024,
};

/// What has been seen of a head.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// Bytes before the first line: empty lines that are passed over.
    start: usize,
    line_start: usize,
    scanned: usize,
    takes_simple: bool,
}

/// The state of a head after a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// More bytes are needed.
    Incomplete,
    /// The head is `start..end` of the scanned bytes.
    Complete {
        /// Where the first line begins.
        start: usize,
        /// Behind the empty line, or behind the only line of a simple request.
        end: usize,
    },
    /// The head cannot become a valid one.
    Refused(Refusal),
}

/// Why a head is refused before it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A line feed without a carriage return before it; RFC 9112 section 2.2 lets a recipient accept it, but
    /// two recipients that differ see two different messages.
    BareLineFeed,
    /// The first line is over its limit.
    FirstLineTooLong,
    /// A field line or the head is over its limit.
    TooLarge,
}

impl Scanner {
    /// A scanner for the request that opens a connection: it may be a simple one.
    ///
    /// HTTP/0.9 has one request to a connection, so that no later one is meant to be of it.
    #[must_use]
    pub fn of_first_request() -> Self {
        Self {
            takes_simple: true,
            ..Self::default()
        }
    }

    /// Looks at the bytes of `received` that were not there at the last call.
    pub fn scan(&mut self, received: &[u8], limits: &HeadLimits) -> Scan {
        for line_feed in memchr::memchr_iter(b'\n', &received[self.scanned..]) {
            let at = self.scanned + line_feed;
            // The limits come first: they were crossed before the line feed arrived.
            if let Some(refusal) = self.over_limit(at + 1, limits) {
                return Scan::Refused(refusal);
            }
            if at == 0 || received[at - 1] != b'\r' {
                return Scan::Refused(Refusal::BareLineFeed);
            }
            let is_empty = at + 1 - self.line_start == 2;
            let is_first = self.line_start == self.start;
            let line = self.line_start..at + 1;
            self.line_start = at + 1;
            if is_empty && is_first {
                // RFC 9112 section 2.2: empty lines before the request line are ignored.
                self.start = self.line_start;
            } else if is_empty
                || is_first && self.takes_simple && simple::target(&received[line]).is_some()
            {
                return Scan::Complete {
                    start: self.start,
                    end: self.line_start,
                };
            }
        }
        self.scanned = received.len();
        match self.over_limit(received.len(), limits) {
            Some(refusal) => Scan::Refused(refusal),
            None => Scan::Incomplete,
        }
    }

    /// The limit that is crossed first when the present line goes up to `end`.
    fn over_limit(&self, end: usize, limits: &HeadLimits) -> Option<Refusal> {
        let is_first = self.line_start == self.start;
        let line_max = if is_first {
            limits.first_line_max
        } else {
            limits.field_line_max
        };
        let line_limit = self.line_start + line_max;
        if end <= line_limit.min(limits.head_max) {
            None
        } else if is_first && line_limit <= limits.head_max {
            Some(Refusal::FirstLineTooLong)
        } else {
            Some(Refusal::TooLarge)
        }
    }

    /// Whether anything but empty lines has been seen.
    #[must_use]
    pub fn has_begun(&self, received: &[u8]) -> bool {
        received.len() > self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Scan {
        Scanner::default().scan(bytes, &REQUEST_LIMITS)
    }

    #[test]
    fn the_empty_line_ends_a_head() {
        assert_eq!(
            scan(b"GET / HTTP/1.1\r\n\r\nrest"),
            Scan::Complete { start: 0, end: 18 }
        );
        assert_eq!(scan(b"GET / HTTP/1.1\r\nA: b\r\n"), Scan::Incomplete);
    }

    #[test]
    fn rfc9112_section_2_2_empty_lines_before_the_request_line_are_ignored() {
        assert_eq!(
            scan(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
            Scan::Complete { start: 4, end: 22 }
        );
        assert!(!Scanner::default().has_begun(b""));
    }

    #[test]
    fn rfc9112_section_2_2_a_bare_line_feed_is_refused() {
        for bytes in [
            &b"\nGET"[..],
            b"GET / HTTP/1.1\n",
            b"GET / HTTP/1.1\r\nA: b\n\n",
        ] {
            assert_eq!(scan(bytes), Scan::Refused(Refusal::BareLineFeed));
        }
    }

    #[test]
    fn rfc1945_section_5_the_line_end_ends_a_simple_request_that_opens_a_connection() {
        let bytes = b"\r\nGET /a\r\nGET /b HTTP/1.1\r\n\r\n";
        assert_eq!(
            Scanner::of_first_request().scan(bytes, &REQUEST_LIMITS),
            Scan::Complete { start: 2, end: 10 }
        );
        assert_eq!(
            scan(bytes),
            Scan::Complete {
                start: 2,
                end: bytes.len()
            }
        );
        assert_eq!(scan(b"GET /a\r\n"), Scan::Incomplete);
        // A line like one behind the first is a field line.
        assert_eq!(
            Scanner::of_first_request().scan(b"GET / HTTP/1.1\r\nGET /a\r\n", &REQUEST_LIMITS),
            Scan::Incomplete
        );
    }

    #[test]
    fn the_outcome_does_not_depend_on_how_the_bytes_arrive() {
        for head in [
            &b"\r\nGET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\nbody"[..],
            b"\r\nGET /\r\nB: c\r\n\r\nbody",
            b"GET /\n\nGET /\r\n",
        ] {
            for scanner in [Scanner::default(), Scanner::of_first_request()] {
                let at_once = scanner.clone().scan(head, &REQUEST_LIMITS);
                let mut scanner = scanner;
                let first = (1..=head.len())
                    .map(|upto| scanner.scan(&head[..upto], &REQUEST_LIMITS))
                    .find(|scan| *scan != Scan::Incomplete);
                assert_eq!(first, Some(at_once), "{}", head.escape_ascii());
            }
        }
    }

    /// Which refusal it is decides the status, so that it must not depend on the network either.
    #[test]
    fn a_refusal_does_not_depend_on_how_the_bytes_arrive() {
        let limits = HeadLimits {
            first_line_max: 20,
            field_line_max: 24,
            head_max: 40,
        };
        let empty_lines = "\r\n".repeat(11);
        let after_empty_lines = format!("{empty_lines}GET /aaaaaaaaaaaaaaaaaaa");
        for (bytes, refusal) in [
            ("GET /aaaaaaaaaaaaaaaaaaaaa\n", Refusal::FirstLineTooLong),
            (
                "GET / HTTP/1.1\r\nA: aaaaaaaaaaaaaaaaaaaaaa\n",
                Refusal::TooLarge,
            ),
            (&after_empty_lines, Refusal::TooLarge),
            // The empty line is the one that does not fit.
            (
                "GET / HTTP/1.1\r\nA: aaaaaaaaaaaaaaaaaa\r\n\r\n",
                Refusal::TooLarge,
            ),
            ("GET / HTTP/1.1\nA: a", Refusal::BareLineFeed),
        ] {
            let at_once = Scanner::default().scan(bytes.as_bytes(), &limits);
            assert_eq!(at_once, Scan::Refused(refusal), "{bytes:?}");
            let mut scanner = Scanner::default();
            let first = (1..=bytes.len())
                .map(|upto| scanner.scan(&bytes.as_bytes()[..upto], &limits))
                .find(|scan| *scan != Scan::Incomplete);
            assert_eq!(first, Some(at_once), "{bytes:?}");
        }
    }

    #[test]
    fn limits_are_exact_and_need_no_complete_line() {
        let line = |length: usize| {
            let mut line = b"GET /".to_vec();
            line.resize(length - 2, b'a');
            line.extend_from_slice(b"\r\n\r\n");
            line
        };
        assert!(matches!(scan(&line(16 * 1024)), Scan::Complete { .. }));
        assert_eq!(
            scan(&line(16 * 1024 + 1)),
            Scan::Refused(Refusal::FirstLineTooLong)
        );
        assert_eq!(
            scan(&vec![b'a'; 16 * 1024 + 1]),
            Scan::Refused(Refusal::FirstLineTooLong)
        );
        let mut field = b"GET / HTTP/1.1\r\nA: ".to_vec();
        field.resize(18 + 16 * 1024, b'a');
        assert_eq!(scan(&field), Scan::Refused(Refusal::TooLarge));
        let many = [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(11_000)].concat();
        assert_eq!(scan(&many), Scan::Refused(Refusal::TooLarge));
    }
}

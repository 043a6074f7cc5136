//! The table in `docs/parity.md` of the requests that are refused in every mode although AWS lets them pass in some,
//! and the tests that it says what the parser does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::http1::FieldStorage;
use crate::http1::request::{self, BadRequest};
use crate::http1::scan::{REQUEST_LIMITS, Refusal, Scan, Scanner};

const BEGIN: &str =
    "<!-- Written by the test `desync_page`, from here: change the code, not this. -->\n";
const END: &str = "<!-- To here: requests refused in every mode. -->\n";
const RENEWAL: &str = "RENEW=1 cargo test -p proxy desync_page";

/// What requests have in common that are refused in the same way, and examples: a request line and fields, to which
/// `Host` is added if they have none.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const REFUSED: &[Row] = &[
    ("version 0.9 by name, or 1.2 to 1.9",
        &[("GET / HTTP/0.9", ""), ("GET / HTTP/1.2", ""), ("GET / HTTP/1.9", "")]),
    ("no version, other than in a request of HTTP/0.9 alone; white space behind the version",
        &[("POST /", ""), ("GET / ", ""), ("GET / HTTP/1.1 ", "")]),
    ("no version and a `Content-Length` that is not 0",
        &[("POST /", "Content-Length: 3\r\n")]),
    ("a version with other digits, such as `HTTP/1` or `HTTP/0.8`",
        &[("GET / HTTP/1", ""), ("GET / HTTP/1.", ""), ("GET / HTTP/0.8", ""), ("GET / HTTP/16.0", "")]),
    ("anything else in place of the version, such as `HTTP/1.10` or `HTTP/1.x`",
        &[("GET / HTTP/1.x", ""), ("GET / HTTP/1.10", "")]),
    ("a space in the request target, more than one around it, or one before the method",
        &[("GET /a b HTTP/1.1", ""), ("GET  / HTTP/1.1", ""), ("GET /  HTTP/1.1", ""), (" GET / HTTP/1.1", "")]),
    ("a control character in the request target",
        &[("GET /\x01 HTTP/1.1", ""), ("GET /\ta HTTP/1.1", ""), ("GET /\x7f HTTP/1.1", "")]),
    ("CR or NUL in the request target",
        &[("GET /\0 HTTP/1.1", ""), ("GET /\r HTTP/1.1", "")]),
    ("no request target",
        &[("GET HTTP/1.1", ""), ("GET", "")]),
    ("a method that is no token",
        &[("G(T / HTTP/1.1", ""), ("GET\t/ HTTP/1.1", "")]),
    ("a field name that is no token; white space before the colon; a control character in a field name or value",
        &[("GET / HTTP/1.1", "X(Y): 1\r\n"), ("GET / HTTP/1.1", "X : 1\r\n"), ("GET / HTTP/1.1", "X\u{e9}: 1\r\n"),
          ("GET / HTTP/1.1", "X\x01: 1\r\n"), ("GET / HTTP/1.1", "X: a\x01b\r\n"),
          ("POST / HTTP/1.1", "Transfer Encoding: chunked\r\n")]),
    ("CR or NUL in a field name or value",
        &[("GET / HTTP/1.1", "X\0: 1\r\n"), ("GET / HTTP/1.1", "X: a\0b\r\n"), ("GET / HTTP/1.1", "X: a\rb\r\n")]),
    ("an empty field name",
        &[("GET / HTTP/1.1", ": x\r\n")]),
    ("a field without a colon",
        &[("GET / HTTP/1.1", "X\r\n")]),
    ("a line that continues the one before it",
        &[("GET / HTTP/1.1", " x\r\n"), ("GET / HTTP/1.1", "\tX: y\r\n")]),
    ("a line that ends with LF alone",
        &[("GET / HTTP/1.1\n", ""), ("GET / HTTP/1.1", "X: y\n")]),
    ("a name that resembles `Content-Length` or `Transfer-Encoding` and is no token, such as one with white space \
      before the colon",
        &[("POST / HTTP/1.1", "Transfer-Encoding : chunked\r\n"), ("POST / HTTP/1.1", "Content-Length\u{e9}: 1\r\n"),
          ("POST / HTTP/1.1", "Tran\u{17f}fer-Encoding: chunked\r\n")]),
    ("`Content-Length` that is no number of 64 bits, such as `+1` or `1, 1`",
        &[("POST / HTTP/1.1", "Content-Length: +1\r\n"), ("POST / HTTP/1.1", "Content-Length: 1, 1\r\n"),
          ("POST / HTTP/1.1", "Content-Length: 99999999999999999999\r\n")]),
    ("several of `Content-Length` with different values",
        &[("POST / HTTP/1.1", "Content-Length: 1\r\nContent-Length: 2\r\n")]),
    ("a transfer coding that is not registered, or none in the field",
        &[("POST / HTTP/1.1", "Transfer-Encoding: x\r\n"), ("POST / HTTP/1.1", "Transfer-Encoding: \r\n")]),
    ("`chunked` twice",
        &[("POST / HTTP/1.1", "Transfer-Encoding: chunked, chunked\r\n"),
          ("GET / HTTP/1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")]),
    ("`Transfer-Encoding: identity` with `Content-Length`",
        &[("POST / HTTP/1.1", "Transfer-Encoding: identity\r\nContent-Length: 1\r\n")]),
    ("the same with `GET` or `HEAD` or in HTTP/1.0, or several transfer codings there",
        &[("GET / HTTP/1.1", "Transfer-Encoding: identity\r\nContent-Length: 1\r\n"),
          ("POST / HTTP/1.0", "Transfer-Encoding: identity\r\nContent-Length: 1\r\n"),
          ("GET / HTTP/1.1", "Transfer-Encoding: identity, chunked\r\n")]),
    ("several transfer codings elsewhere, such as `identity, chunked`, or one with parameters, such as `chunked;q=1`",
        &[("POST / HTTP/1.1", "Transfer-Encoding: identity, chunked\r\n"),
          ("POST / HTTP/1.1", "Transfer-Encoding: chunked, gzip\r\n"),
          ("POST / HTTP/1.1", "Transfer-Encoding: chunked;q=1\r\n")]),
    ("an empty `Content-Length`",
        &[("POST / HTTP/1.1", "Content-Length: \r\n")]),
    ("several of `Host`, or one that is no host",
        &[("GET / HTTP/1.1", "Host: a\r\nHost: b\r\n"), ("GET / HTTP/1.1", "Host: a b\r\n")]),
    ("a request target that is neither a path, nor a URL with `http` or `https`, nor `*` with `OPTIONS`",
        &[("GET a HTTP/1.1", ""), ("GET ftp://a/ HTTP/1.1", ""), ("GET http:///a HTTP/1.1", ""),
          ("GET * HTTP/1.1", "")]),
    ("CR alone at the end of the request line",
        &[("GET / HTTP/1.1\rX: y", "")]),
    ("an empty method or request target; another name than `HTTP` in the version, such as `http`",
        &[(" / HTTP/1.1", ""), ("GET  HTTP/1.1", ""), ("GET / http/1.1", ""), ("GET / HTTQ/1.1", "")]),
];

/// What the parser says of requests without a verdict that AWS refuses too.
const REFUSED_BY_AWS: [&str; 3] = [
    "Host is missing",
    "the protocol version is not HTTP/1.0 or HTTP/1.1",
    "the transfer coding is not chunked",
];

/// How a head is refused whatever the mode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    status: u16,
    verdict: Option<Verdict>,
    /// The parser's own.
    reason: &'static str,
}

impl Refused {
    fn of(head: &[u8]) -> Option<Self> {
        match Scanner::of_first_request().scan(head, &REQUEST_LIMITS) {
            Scan::Refused(Refusal::BareLineFeed) => Some(Self {
                status: 400,
                verdict: Some(Verdict::BARE_LINE_FEED),
                reason: "",
            }),
            Scan::Refused(_) | Scan::Incomplete => None,
            Scan::Complete { start, end } => {
                let head = &head[start..end];
                let refused = request::parse(head, &mut FieldStorage::new()).err();
                refused.map(|BadRequest { status, reason }| Self {
                    status,
                    verdict: classify_refused(head),
                    reason,
                })
            }
        }
    }

    fn is_by_aws(&self) -> bool {
        self.verdict.is_none() && REFUSED_BY_AWS.contains(&self.reason)
    }

    /// What tells one row from another; without a verdict, only the parser knows.
    fn kind(self) -> (u16, &'static str) {
        let reason = self.verdict.map(|it| it.reason.name());
        (self.status, reason.unwrap_or(self.reason))
    }
}

/// The examples of a row, refused.
fn refused((what, examples): &'static Row) -> Vec<Refused> {
    let examples = examples.iter().map(|(line, fields)| {
        let host = if fields.contains("Host:") {
            ""
        } else {
            "Host: a\r\n"
        };
        let head = format!("{line}\r\n{host}{fields}\r\n");
        Refused::of(head.as_bytes()).unwrap_or_else(|| panic!("{what}: {head:?} is taken"))
    });
    examples.collect()
}

fn table() -> String {
    let mut table = "| request | answer | class and reason | passes on AWS in |\n\
                     | --- | --- | --- | --- |\n"
        .to_owned();
    for row in REFUSED {
        let examples = refused(row);
        let Refused {
            status, verdict, ..
        } = examples[0];
        for example in &examples {
            assert_eq!(
                (example.status, example.verdict),
                (status, verdict),
                "{}",
                row.0
            );
        }
        let class = verdict.map_or_else(
            || "compliant".to_owned(),
            |it| format!("{}, `{}`", it.class.name(), it.reason.name()),
        );
        let modes = match verdict.map(|it| it.class) {
            None => "all modes",
            Some(Class::Acceptable | Class::Ambiguous) => "`monitor`, `defensive`",
            Some(Class::Severe) => "`monitor`",
        };
        let _ = writeln!(table, "| {} | {status} | {class} | {modes} |", row.0);
    }
    table
}

#[test]
fn the_page_on_parity_lists_what_is_refused_in_every_mode() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/parity.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the second mark");
    let renewed = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&path, renewed).expect("the page can be written");
        return;
    }
    let is_same = page == renewed;
    assert!(is_same, "docs/parity.md is stale; renew it with: {RENEWAL}");
}

/// Whatever single byte is put into a compliant request, left out of it or changed in it: a row has the way in which
/// it is refused.
#[test]
fn no_request_that_is_refused_in_every_mode_is_missing_from_the_list() {
    let listed: BTreeSet<_> = REFUSED
        .iter()
        .flat_map(refused)
        .map(Refused::kind)
        .collect();
    let mut missing = BTreeMap::new();
    for base in [
        "GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let mut check = |head: &[u8]| {
            let refused = Refused::of(head).filter(|refused| !refused.is_by_aws());
            if let Some(kind) = refused
                .map(Refused::kind)
                .filter(|kind| !listed.contains(kind))
            {
                let shown = || head.escape_ascii().to_string();
                missing.entry(kind).or_insert_with(shown);
            }
        };
        for at in 0..base.len() {
            let mut head = base.as_bytes().to_vec();
            let was = head.remove(at);
            check(&head);
            head.insert(at, was);
            for byte in 0..=u8::MAX {
                head[at] = byte;
                check(&head);
                head.insert(at + 1, was);
                check(&head);
                head.remove(at + 1);
            }
        }
    }
    assert_eq!(missing, BTreeMap::new(), "with an example of each");
}

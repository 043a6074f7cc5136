//! Costs of a request that are counted, not timed.

// A counting allocator cannot be written without `unsafe`; it only passes calls on.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::IpAddr;

use engine::RequestFacts;
use testkit::rules::name_of;
use testkit::{Request, Table};

/// The system's allocator, counting for each thread, because tests run side by side.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to `System` with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Rules of every kind, enough of each to be indexed.
fn table() -> Table {
    let mut rules = String::from("default -> web\n");
    for n in 0..40 {
        let lines = [
            format!("{} host=h{n}.example.com -> host", 1 + n),
            format!("{} host=*.s{n}.example.com path=/p* -> suffix", 101 + n),
            format!("{} path=/shop/{n}/* method=GET,HEAD -> prefix", 201 + n),
            format!("{} path=/*/items/{n}/?.jpg -> glob", 301 + n),
            format!("{} path~^/v[0-9]+/orders/{n}$ -> regex", 401 + n),
            format!("{} header:X-Tenant=T{n} -> field", 501 + n),
            format!(
                "{} header:User-Agent=*Bot-{n}* source=10.0.0.{n}/32 -> agent",
                601 + n
            ),
            format!("{} query=id={n},*v{n}* -> query", 701 + n),
        ];
        rules.extend(lines.map(|line| line + "\n"));
    }
    Table::parse(&rules)
}

const REQUESTS: [(&str, &str); 9] = [
    ("GET http://h7.EXAMPLE.com/", "host"),
    ("GET http://a.s7.example.com/%70/../p", "suffix"),
    ("HEAD http://x/./shop/%37/cart", "prefix"),
    ("GET http://x/a/items/39/b.jpg", "glob"),
    ("GET http://x/v12/orders/11", "regex"),
    ("GET http://x/ | X-Tenant: a | x-tenant: t7", "field"),
    (
        "GET http://x/ | User-Agent: Mozilla bot-9 | from 10.0.0.9",
        "agent",
    ),
    ("GET http://x/?a=b&ID=7", "query"),
    (
        "POST http://x/shop/7/cart?id=x | User-Agent: Mozilla",
        "web",
    ),
];

#[test]
fn a_request_is_routed_without_an_allocation() {
    let router = table().router();
    let requests = REQUESTS.map(|(request, _)| Request::parse(request));
    // The first round grows the thread's buffers and the caches of the regular expressions.
    for ((text, expected), request) in REQUESTS.iter().zip(&requests) {
        assert_eq!(name_of(router.route(request).1), *expected, "{text}");
    }
    for ((text, _), request) in REQUESTS.iter().zip(&requests) {
        let before = ALLOCATIONS.get();
        let (priority, _) = router.route(request);
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(
            allocations, 0,
            "allocations of {text}, which got rule {priority}"
        );
    }
}

/// A request that counts how often it is asked for a field.
struct Counted {
    request: Request,
    asked: Cell<u32>,
}

impl RequestFacts for Counted {
    fn method(&self) -> &[u8] {
        self.request.method()
    }
    fn host(&self) -> &[u8] {
        self.request.host()
    }
    fn path(&self) -> &[u8] {
        self.request.path()
    }
    fn query(&self) -> &[u8] {
        self.request.query()
    }
    fn any_field(&self, name: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.request.any_field(name, visit)
    }
    fn source_ip(&self) -> IpAddr {
        self.request.source_ip()
    }
}

/// A client that repeats what matches must not multiply the work, level by level of the tree.
#[test]
fn repeated_fields_and_pairs_are_followed_once() {
    let mut rules = String::new();
    for n in 0..100 {
        rules.push_str(&format!(
            "{} query=a=1 header:X-A=a header:X-B=v{n} -> {n}\n",
            n + 1
        ));
    }
    let router = Table::parse(&rules).router();
    let mut request = Request::parse("GET http://h/");
    request.query = "a=1&".repeat(500).into();
    for _ in 0..500 {
        request.fields.push(("X-A".into(), "a".into()));
        request.fields.push(("X-B".into(), "v9".into()));
    }
    let asked = Cell::new(0);
    let counted = Counted { request, asked };
    assert_eq!(router.route(&counted).0, 10);
    assert!(
        counted.asked.get() <= 2,
        "each field once, not {} times",
        counted.asked.get()
    );
}

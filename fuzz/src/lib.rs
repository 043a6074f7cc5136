//! What has to hold for any bytes from outside, one function for each parser that reads them.
//!
//! The fuzzer calls these functions with inputs of its own, `tests/seeds.rs` with the committed ones. Each
//! returns if all is well and panics with the sentence that does not hold.

mod chunked_body;
mod field_section;
mod frames;
mod heads;
mod json_web_token;
mod pieces;
mod query_decoder;
mod request_head;
mod response_head;
mod rest_json;
mod session_cookie;
mod sigv4;

pub use chunked_body::chunked_body;
pub use field_section::field_section;
pub use frames::frames;
pub use json_web_token::json_web_token;
pub use query_decoder::query_decoder;
pub use request_head::request_head;
pub use response_head::response_head;
pub use rest_json::rest_json;
pub use session_cookie::session_cookie;
pub use sigv4::sigv4;

/// A target: its name, which is also that of its folder of seeds, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("chunked_body", chunked_body),
    ("field_section", field_section),
    ("frames", frames),
    ("json_web_token", json_web_token),
    ("query_decoder", query_decoder),
    ("request_head", request_head),
    ("response_head", response_head),
    ("rest_json", rest_json),
    ("session_cookie", session_cookie),
    ("sigv4", sigv4),
];

/// Runs a target once for each file that the command line names; without a fuzzer, this is what its
/// program does.
///
/// # Errors
/// If a file cannot be read.
pub fn replay(target: fn(&[u8])) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        target(&std::fs::read(path)?);
    }
    Ok(())
}

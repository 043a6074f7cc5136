//! HPACK, the compression of field sections in HTTP/2. Nothing here waits or does I/O.
//!
//! Source: RFC 7541.

mod decoder;
mod encoder;
mod huffman;
mod static_table;

pub use decoder::{Decoder, FieldList, ListLimits};
pub(crate) use encoder::{
    Encoder, Scheme, put_authority, put_field, put_field_of, put_request_line,
};

/// A field section that cannot be decoded; the connection cannot go on (RFC 9113 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HpackError {
    /// A string is not validly Huffman coded.
    #[error("an HPACK string is not validly Huffman coded")]
    Huffman,
    /// An integer is too large.
    #[error("an HPACK integer is too large")]
    Integer,
    /// An index names no field.
    #[error("an HPACK index names no field")]
    Index,
    /// The section ends in the middle of a field.
    #[error("a field section ends in the middle of a field")]
    Truncated,
    /// The table is resized beyond its limit, or behind a field.
    #[error("the HPACK table is resized beyond its limit or behind a field")]
    Resize,
}

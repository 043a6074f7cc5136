//! The action `jwt-validation`: a bearer token that an issuer has signed, or no entrance.
//!
//! [`validate`] decides about one request with the keys that are at hand. When the issuer's keys have to be
//! had first, it gives a [`Fetch`] that gets them and then decides.

mod cache;
mod claims;
mod keyset;
mod settings;
mod token;
mod validate;

pub use cache::{FRESH_FOR, JwksCache, REFRESH_PAUSE, SLOTS_MAX, USABLE_FOR};
pub use claims::CLOCK_TOLERANCE;
pub use keyset::{JWKS_BYTES_MAX, JWKS_KEYS_MAX, KeySet};
pub use settings::Jwt;
pub use token::{TOKEN_MAX, Token};
pub use validate::{Fetch, Verdict, validate};

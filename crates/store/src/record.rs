//! The envelope around a stored noun: a version beside its JSON.
//!
//! The version belongs to the kind of record. A changed noun brings the next version and a migration from
//! the ones before it, so that a format never changes by accident.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why stored bytes are not the noun that was expected.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not a noun in an envelope, or the noun is not of this kind.
    #[error("the stored record is damaged or of another kind")]
    Malformed(#[from] serde_json::Error),
    /// The record was written by a newer elbow.
    #[error(
        "the stored record has version {found}, this elbow reads up to {known}; use a newer elbow"
    )]
    Newer {
        /// The version of the record.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    version: u32,
    record: T,
}

/// The bytes to store for `noun`, whose format has this `version`, from 1.
///
/// # Panics
/// If `noun` cannot be written as JSON: a map with keys that are not texts, which no noun has.
#[must_use]
pub fn encode<T: Serialize>(version: u32, noun: &T) -> Vec<u8> {
    let envelope = Envelope {
        version,
        record: noun,
    };
    serde_json::to_vec(&envelope).expect("a noun has a form in JSON")
}

/// Reads a noun whose newest format is `known`. `upgrade` turns the JSON of any version up to `known`, which it
/// is told, into what is read.
///
/// # Errors
/// `RecordError::Malformed` if the bytes are something else, `RecordError::Newer` if their version is over
/// `known`.
pub fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    known: u32,
    upgrade: impl FnOnce(u32, serde_json::Value) -> serde_json::Value,
) -> Result<T, RecordError> {
    let envelope: Envelope<serde_json::Value> = serde_json::from_slice(bytes)?;
    let record = match envelope.version {
        found if found > known => return Err(RecordError::Newer { found, known }),
        found => upgrade(found, envelope.record),
    };
    Ok(serde_json::from_value(record)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unchanged(_: u32, record: serde_json::Value) -> serde_json::Value {
        record
    }

    #[test]
    fn the_bytes_of_version_one_stay_as_they_are() {
        let bytes = encode(1, &vec!["a", "b"]);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"version":1,"record":["a","b"]}"#
        );
    }

    #[test]
    fn an_earlier_version_is_migrated() {
        let bytes = encode(1, &"old");
        let read: String = decode(&bytes, 2, |from, record| {
            format!("{} of version {from}", record.as_str().unwrap()).into()
        })
        .unwrap();
        assert_eq!(read, "old of version 1");
    }

    #[test]
    fn a_later_version_and_other_bytes_are_refused() {
        let later = decode::<String>(&encode(3, &"new"), 2, unchanged);
        assert!(matches!(
            later,
            Err(RecordError::Newer { found: 3, known: 2 })
        ));
        for bytes in [&b"{}"[..], b"", b"\"x\"", br#"{"version":1}"#] {
            let read = decode::<String>(bytes, 1, unchanged);
            assert!(matches!(read, Err(RecordError::Malformed(_))), "{bytes:?}");
        }
    }
}

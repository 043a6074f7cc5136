//! The keys that an issuer publishes. Source: RFC 7517, RFC 7518 section 6.3.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::json;
use crate::outcome::Reason;

/// Largest key set, in bytes. Source: ALB guide, "JWT verification", limits.
pub const JWKS_BYTES_MAX: usize = 150 * 1024;
/// Most keys of a set.
pub const JWKS_KEYS_MAX: usize = 10;

/// A JSON Web Key Set.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: String,
    /// `None` for a key that is not for RS256 with 2048 bits.
    rsa: Option<ParsedPublicKey>,
}

impl KeySet {
    /// Reads a key set.
    ///
    /// Keys for other purposes may stand beside those for RS256, as they do at many issuers; a token that
    /// names one of them is refused. A set in which no key is for RS256 is not valid.
    ///
    /// # Errors
    /// If it is too large, not a key set, or without a usable key.
    pub fn read(body: &[u8]) -> Result<Self, Reason> {
        if body.len() > JWKS_BYTES_MAX {
            return Err(Reason::JwksSizeExceeded);
        }
        let invalid = Reason::JwksResponseInvalid;
        let members = json::object(body).ok_or(invalid)?;
        let keys = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(invalid)?;
        if keys.len() > JWKS_KEYS_MAX {
            return Err(Reason::JwksSizeExceeded);
        }
        // No token can name a key without a name.
        let keys: Vec<Key> = keys
            .iter()
            .filter_map(Value::as_object)
            .filter_map(Key::read)
            .collect();
        match keys.iter().any(|key| key.rsa.is_some()) {
            true => Ok(Self(keys)),
            false => Err(invalid),
        }
    }

    /// Whether there is a key of this name, be it usable or not.
    #[must_use]
    pub fn has(&self, key_id: &str) -> bool {
        self.0.iter().any(|key| key.id == key_id)
    }

    /// Whether `signature` is one of `message` by the key `key_id`, with RS256.
    #[must_use]
    pub fn is_signed(&self, key_id: &str, message: &[u8], signature: &[u8]) -> bool {
        let named = self.0.iter().filter(|key| key.id == key_id);
        named
            .filter_map(|key| key.rsa.as_ref())
            .any(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl Key {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_or_absent =
            |name: &str, wanted: &str| members.get(name).is_none_or(|value| *value == *wanted);
        let is_for_rs256 = text("kty") == Some("RSA")
            && is_or_absent("use", "sig")
            && is_or_absent("alg", "RS256");
        let rsa = || {
            let decode = |name| BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok();
            rs256(&decode("n")?, &decode("e")?)
        };
        Some(Self {
            id: text("kid")?.to_owned(),
            rsa: is_for_rs256.then(rsa).flatten(),
        })
    }
}

/// A key for RS256. `None` unless the modulus has 2048 bits. Some issuers write zeros before it.
fn rs256(modulus: &[u8], exponent: &[u8]) -> Option<ParsedPublicKey> {
    let trim = |number: &[u8]| {
        let zeros = number.iter().take_while(|&&b| b == 0).count();
        number[zeros..].to_vec()
    };
    let (n, e) = (trim(modulus), trim(exponent));
    let is_2048_bits = n.len() == 256 && n[0] >= 0x80;
    if !is_2048_bits {
        return None;
    }
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(members: &str, modulus_len: usize) -> String {
        let n = BASE64_URL_SAFE_NO_PAD.encode(vec![0xff; modulus_len]);
        format!(r#"{{{members},"n":"{n}","e":"AQAB"}}"#)
    }

    fn set(keys: &[String]) -> Result<KeySet, Reason> {
        KeySet::read(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
    }

    #[test]
    fn only_rsa_keys_of_2048_bits_for_rs256_are_usable() {
        for (members, length, is_usable) in [
            (r#""kty":"RSA","kid":"k""#, 256, true),
            (
                r#""kty":"RSA","kid":"k","use":"sig","alg":"RS256""#,
                256,
                true,
            ),
            (r#""kty":"RSA","kid":"k","use":"enc""#, 256, false),
            (r#""kty":"RSA","kid":"k","alg":"RSA-OAEP""#, 256, false),
            (r#""kty":"RSA","kid":"k","alg":"RS512""#, 256, false),
            (r#""kty":"RSA","kid":"k""#, 255, false),
            (r#""kty":"RSA","kid":"k""#, 512, false),
            (r#""kty":"RSA","kid":"k""#, 128, false),
            (r#""kty":"EC","kid":"k","crv":"P-256""#, 256, false),
            (r#""kty":"oct","kid":"k""#, 256, false),
            (r#""kty":"RSA""#, 256, false),
        ] {
            let read = set(&[key(members, length)]);
            assert_eq!(read.is_ok(), is_usable, "{members} with {length} bytes");
        }
    }

    #[test]
    fn foreign_keys_may_stand_beside_usable_ones() {
        let usable = key(r#""kty":"RSA","kid":"rsa""#, 256);
        let foreign = key(r#""kty":"EC","kid":"ec""#, 32);
        let nameless = key(r#""kty":"RSA""#, 256);
        let set = set(&[foreign, usable, nameless, "7".to_owned()]).expect("one is usable");
        assert!(set.has("rsa") && set.has("ec") && !set.has(""));
        assert!(!set.is_signed("ec", b"message", &[0; 64]));
    }

    #[test]
    fn malformed_and_large_sets_are_refused() {
        let usable = key(r#""kty":"RSA","kid":"rsa""#, 256);
        assert!(set(&vec![usable.clone(); 10]).is_ok());
        let error = |body: &[u8]| KeySet::read(body).expect_err("refused");
        let many = format!(r#"{{"keys":[{}]}}"#, vec![usable; 11].join(","));
        assert_eq!(error(many.as_bytes()), Reason::JwksSizeExceeded);
        let long = vec![b' '; JWKS_BYTES_MAX + 1];
        assert_eq!(error(&long), Reason::JwksSizeExceeded);
        for body in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#] {
            assert_eq!(
                error(body.as_bytes()),
                Reason::JwksResponseInvalid,
                "{body}"
            );
        }
    }
}

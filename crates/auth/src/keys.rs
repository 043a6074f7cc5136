//! The secrets of logins: one key seals what browsers keep for us, another signs what targets are told.
//!
//! All load balancers and nodes that shall accept each other's cookies share one [`Keys`]. Sealed values are
//! bound to their purpose by associated data, so a login's state is never a session.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::random::{Random, SystemRandom};

const VERSION: u8 = 1;
const SEAL_LEN: usize = 32;
const KEY_ID_LEN: usize = 16;
/// How many bytes longer a sealed value is: nonce and tag.
pub(crate) const SEAL_OVERHEAD: usize = NONCE_LEN + 16;

/// Key material: AES-256-GCM for cookies and login states, ECDSA P-256 for `x-amzn-oidc-data`.
///
/// Every seal draws a nonce of 96 bits. Within 2^32 seals, ten years of a dozen logins each second, two equal
/// nonces stay improbable (NIST SP 800-38D section 8.3).
pub struct Keys {
    seal_bytes: [u8; SEAL_LEN],
    seal: LessSafeKey,
    signing: EcdsaKeyPair,
    signing_pkcs8: Vec<u8>,
    key_id: String,
    key_id_bytes: [u8; KEY_ID_LEN],
    random: Arc<dyn Random>,
}

/// Bytes that are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Another length or version than [`Keys::to_bytes`] writes.
    #[error(
        "the stored login keys are not in a form that this version reads; restore them or make new ones"
    )]
    Form,
    /// Not a private key on the curve P-256.
    #[error("the stored login signing key is damaged; restore it or make new keys")]
    SigningKey,
}

impl Keys {
    /// New keys from the system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self::generate_from(Arc::new(SystemRandom))
    }

    fn generate_from(random: Arc<dyn Random>) -> Self {
        let signing = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .expect("aws-lc makes keys on P-256");
        let mut bytes = vec![VERSION; 1 + SEAL_LEN + KEY_ID_LEN];
        random.fill(&mut bytes[1..]);
        bytes.extend_from_slice(signing.as_ref());
        Self::from_bytes(&bytes).expect("these bytes were just put together")
    }

    /// The keys that [`Keys::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the bytes are not such keys.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeysError> {
        let (&version, rest) = bytes.split_first().ok_or(KeysError::Form)?;
        let (&seal_bytes, rest) = rest.split_first_chunk().ok_or(KeysError::Form)?;
        let (&key_id_bytes, pkcs8) = rest.split_first_chunk().ok_or(KeysError::Form)?;
        if version != VERSION {
            return Err(KeysError::Form);
        }
        let seal = UnboundKey::new(&AES_256_GCM, &seal_bytes).map_err(|_| KeysError::Form)?;
        Ok(Self {
            seal_bytes,
            seal: LessSafeKey::new(seal),
            signing: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                .map_err(|_| KeysError::SigningKey)?,
            signing_pkcs8: pkcs8.to_vec(),
            key_id: uuid(key_id_bytes),
            key_id_bytes,
            random: Arc::new(SystemRandom),
        })
    }

    /// What the caller stores, as a secret.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.seal_bytes);
        bytes.extend_from_slice(&self.key_id_bytes);
        bytes.extend_from_slice(&self.signing_pkcs8);
        bytes
    }

    /// The same keys with nonces from elsewhere. Nonces that repeat give the secrets away: for tests.
    #[must_use]
    pub fn with_random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// The name of the signing key, a UUID. The key endpoint serves the public key under it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public half of the signing key, as the key endpoint serves it: SubjectPublicKeyInfo in PEM.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self
            .signing
            .public_key()
            .as_der()
            .expect("a key that was read can be written");
        let text = BASE64_STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            pem.push('\n');
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// ES256: r and s, 32 bytes each.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        // The generator that the signature asks for is not used by aws-lc.
        let unused = aws_lc_rs::rand::SystemRandom::new();
        self.signing
            .sign(&unused, message)
            .ok()
            .and_then(|signature| signature.as_ref().try_into().ok())
            .expect("a P-256 key signs any message with 64 bytes")
    }

    /// Encrypts `plain` for ourselves. Only [`Keys::open`] with the same `purpose` reads it again.
    pub(crate) fn seal(&self, purpose: &[u8], mut plain: Vec<u8>) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut sealed = nonce.to_vec();
        self.seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose),
                &mut plain,
            )
            .expect("the value is far below the 64 GiB that the mode can seal");
        sealed.append(&mut plain);
        sealed
    }

    /// `None` for anything that these keys did not seal for this purpose.
    pub(crate) fn open(&self, purpose: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (&nonce, _) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let length = self
            .seal
            .open_within(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose),
                &mut sealed,
                NONCE_LEN..,
            )
            .ok()?
            .len();
        sealed.truncate(length);
        Some(sealed)
    }

    /// Random bytes that nobody can guess.
    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing secret belongs in a log.
        f.debug_struct("Keys")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A random UUID (RFC 9562 section 5.4) from 128 random bits.
fn uuid(mut bytes: [u8; KEY_ID_LEN]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stored_keys_are_the_same_keys() {
        let keys = Keys::generate();
        let again = Keys::from_bytes(&keys.to_bytes()).expect("own bytes are read");
        assert_eq!(keys.key_id(), again.key_id());
        assert_eq!(keys.public_key_pem(), again.public_key_pem());
        let sealed = keys.seal(b"purpose", b"secret".to_vec());
        assert_eq!(again.open(b"purpose", sealed), Some(b"secret".to_vec()));
    }

    #[test]
    fn damaged_keys_are_refused() {
        let good = Keys::generate().to_bytes();
        let error = |bytes: &[u8]| Keys::from_bytes(bytes).expect_err("damaged");
        assert_eq!(error(&[]), KeysError::Form);
        assert_eq!(error(&good[..40]), KeysError::Form);
        assert_eq!(error(&[&[2], &good[1..]].concat()), KeysError::Form);
        assert_eq!(error(&good[..good.len() - 1]), KeysError::SigningKey);
    }

    #[test]
    fn two_generated_keys_share_nothing() {
        let (one, other) = (Keys::generate(), Keys::generate());
        assert_ne!(one.key_id(), other.key_id());
        assert_ne!(one.public_key_pem(), other.public_key_pem());
        assert_eq!(other.open(b"p", one.seal(b"p", b"secret".to_vec())), None);
    }

    #[test]
    fn a_key_id_is_a_uuid_of_version_4() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn the_published_key_verifies_signatures() {
        let keys = Keys::generate();
        let pem = keys.public_key_pem();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64_STANDARD.decode(body).expect("the body is base64");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der);
        assert!(public.verify(b"message", &keys.sign(b"message")).is_ok());
        assert!(public.verify(b"another", &keys.sign(b"message")).is_err());
    }

    #[test]
    fn logs_show_no_secret() {
        let keys = Keys::generate();
        let shown = format!("{keys:?}");
        assert_eq!(
            shown,
            format!("Keys {{ key_id: \"{}\", .. }}", keys.key_id())
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_for_its_purpose_only(plain: Vec<u8>, bit: prop::sample::Index) {
            let keys = Keys::generate();
            let sealed = keys.seal(b"purpose", plain.clone());
            prop_assert_eq!(keys.open(b"purpose", sealed.clone()), Some(plain));
            prop_assert_eq!(keys.open(b"another", sealed.clone()), None);
            let mut changed = sealed.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(keys.open(b"purpose", changed), None);
            prop_assert_eq!(keys.open(b"purpose", sealed[..sealed.len() - 1].to_vec()), None);
        }
    }
}

//! Private keys protected by a passphrase: `ENCRYPTED PRIVATE KEY` of PEM.
//!
//! Source: RFC 5958 section 3; RFC 8018 appendices A.2 and A.4 (PBES2 with PBKDF2); RFC 3565 section 4.1 (AES-CBC).

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_256, AES_256_KEY_LEN, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::{iv, pbkdf2, rand};
use yasna::models::ObjectIdentifier;

/// Rounds of the derivation: what OWASP asks of PBKDF2 with HMAC-SHA-256 since 2023.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).expect("it is not zero");

const SALT_BYTES: usize = 16;
const IV_BYTES: usize = 16;

const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_WITH_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];

/// The label of what [`encrypt`] gives.
pub(crate) const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Protects a `PrivateKeyInfo` in DER by a passphrase. Takes a good part of a second.
///
/// # Panics
/// If the operating system gives no random numbers.
pub(crate) fn encrypt(key: &[u8], passphrase: &[u8]) -> Vec<u8> {
    let (mut salt, mut iv) = ([0; SALT_BYTES], [0; IV_BYTES]);
    for random in [&mut salt[..], &mut iv[..]] {
        rand::fill(random).expect("there are random numbers");
    }
    let mut derived = [0; AES_256_KEY_LEN];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, ITERATIONS, &salt, passphrase, &mut derived);
    let cipher = UnboundCipherKey::new(&AES_256, &derived)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .expect("the length is that of a key");
    let mut encrypted = key.to_vec();
    let context = EncryptionContext::Iv128(iv::FixedLength::from(iv));
    cipher
        .less_safe_encrypt(&mut encrypted, context)
        .expect("the context is that of the mode");
    print(&salt, &iv, &encrypted)
}

/// `EncryptedPrivateKeyInfo`.
fn print(salt: &[u8], iv: &[u8], encrypted: &[u8]) -> Vec<u8> {
    let oid = ObjectIdentifier::from_slice;
    yasna::construct_der(|writer| {
        writer.write_sequence(|info| {
            info.next().write_sequence(|scheme| {
                scheme.next().write_oid(&oid(PBES2));
                scheme.next().write_sequence(|parameters| {
                    parameters.next().write_sequence(|derivation| {
                        derivation.next().write_oid(&oid(PBKDF2));
                        derivation.next().write_sequence(|parameters| {
                            parameters.next().write_bytes(salt);
                            parameters.next().write_u32(ITERATIONS.get());
                            parameters.next().write_sequence(|function| {
                                function.next().write_oid(&oid(HMAC_WITH_SHA256));
                                function.next().write_null();
                            });
                        });
                    });
                    parameters.next().write_sequence(|cipher| {
                        cipher.next().write_oid(&oid(AES256_CBC));
                        cipher.next().write_bytes(iv);
                    });
                });
            });
            info.next().write_bytes(encrypted);
        });
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey};

    use super::*;

    /// Opens what OpenSSL opens; the end-to-end tests have OpenSSL do it.
    fn decrypt(info: &[u8], passphrase: &[u8]) -> Option<Vec<u8>> {
        let (salt, rounds, iv, mut encrypted) = yasna::parse_der(info, |reader| {
            reader.read_sequence(|info| {
                let (salt, rounds, iv) = info.next().read_sequence(|scheme| {
                    assert_eq!(scheme.next().read_oid()?.components(), PBES2);
                    scheme.next().read_sequence(|parameters| {
                        let (salt, rounds) = parameters.next().read_sequence(|derivation| {
                            assert_eq!(derivation.next().read_oid()?.components(), PBKDF2);
                            derivation.next().read_sequence(|parameters| {
                                let salt = parameters.next().read_bytes()?;
                                let rounds = parameters.next().read_u32()?;
                                parameters.next().read_der()?;
                                Ok((salt, rounds))
                            })
                        })?;
                        let iv = parameters.next().read_sequence(|cipher| {
                            assert_eq!(cipher.next().read_oid()?.components(), AES256_CBC);
                            cipher.next().read_bytes()
                        })?;
                        Ok((salt, rounds, iv))
                    })
                })?;
                Ok((salt, rounds, iv, info.next().read_bytes()?))
            })
        })
        .ok()?;
        let mut derived = [0; AES_256_KEY_LEN];
        let rounds = NonZeroU32::new(rounds)?;
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            passphrase,
            &mut derived,
        );
        let cipher = UnboundCipherKey::new(&AES_256, &derived).ok()?;
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).ok()?;
        let context = DecryptionContext::Iv128(iv::FixedLength::try_from(&*iv).ok()?);
        Some(cipher.decrypt(&mut encrypted, context).ok()?.to_vec())
    }

    #[test]
    fn a_key_opens_with_its_passphrase_alone() {
        let protected = encrypt(b"a private key", b"hush hush");
        let opened = decrypt(&protected, b"hush hush");
        assert_eq!(opened.as_deref(), Some(&b"a private key"[..]));
        let other = decrypt(&protected, b"hush");
        assert_ne!(other.as_deref(), Some(&b"a private key"[..]));
        assert_ne!(encrypt(b"a private key", b"hush hush"), protected, "salted");
    }
}

//! Bearer tokens: what is read is what was written, and nothing is accepted that the key did not sign.

use std::sync::LazyLock;

use auth::Reason;
use auth::jwt::{KeySet, TOKEN_MAX, Token};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).expect("a key can be made"));

/// One key, under the name that the seeds use.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let public = KEY.public_key();
    let n = BASE64_URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
    let e = BASE64_URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
    let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"k","n":"{n}","e":"{e}"}}]}}"#);
    KeySet::read(set.as_bytes()).expect("a good set")
});

/// Reads an `Authorization` field, and the same bytes as a key set.
pub fn json_web_token(input: &[u8]) {
    if let Err(reason) = KeySet::read(input) {
        assert!(
            matches!(
                reason,
                Reason::JwksSizeExceeded | Reason::JwksResponseInvalid
            ),
            "a key set is too large or not valid"
        );
    }
    match Token::of_request([input]) {
        Ok(token) => check(&token),
        Err(reason) => assert_eq!(reason, Reason::JwtRequestFormatInvalid),
    }
    let twice = Token::of_request([input, input]);
    assert!(twice.is_err(), "one field is allowed");
}

fn check(token: &Token<'_>) {
    assert!(token.text.len() <= TOKEN_MAX, "a token has a bound");
    let signature = BASE64_URL_SAFE_NO_PAD.encode(&token.signature);
    let printed = [token.signed, b".", signature.as_bytes()].concat();
    assert_eq!(printed, token.text, "a token has one spelling");
    let again = Token::parse(&printed).expect("a printed token is a token");
    assert_eq!(again.header, token.header);
    assert_eq!(again.claims, token.claims);

    let Ok(key_id) = token.key_id() else {
        return;
    };
    assert_eq!(
        token.header["alg"], "RS256",
        "no other algorithm is considered"
    );
    assert!(
        !KEYS.is_signed(key_id, token.signed, &token.signature),
        "the key has signed nothing yet"
    );
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        token.signed,
        &mut signature,
    )
    .expect("an RSA key signs");
    assert_eq!(
        KEYS.is_signed(key_id, token.signed, &signature),
        KEYS.has(key_id),
        "the signature of a known key is good"
    );
    let other = [token.signed, b"x"].concat();
    assert!(
        !KEYS.is_signed(key_id, &other, &signature),
        "for what it was made for"
    );
}

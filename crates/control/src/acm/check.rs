//! What is asked of a certificate that is imported: alone, with its key and with its chain.
//!
//! Source: ACM guide, "Prerequisites for importing ACM certificates" and "Certificate and key format".

use model::certificate::{CertificateFacts, KeyAlgorithm};

use super::AcmError;
use crate::pem::{self, Block, CERTIFICATE};
use crate::x509::{self, UnusableKey};

/// A certificate, its chain and its key, all checked, each as PEM without anything around it.
pub(super) struct Checked {
    pub(super) body: String,
    pub(super) chain: Option<String>,
    pub(super) private_key: String,
    pub(super) facts: CertificateFacts,
}

/// Checks that `private_key` belongs to `body`, that `chain` vouches for it step by step, and that it is
/// valid at this time.
pub(super) fn check(
    body: &[u8],
    private_key: &[u8],
    chain: Option<&[u8]>,
    now_millis: u64,
) -> Result<Checked, AcmError> {
    let refused = |message: &str| AcmError::Validation(message.to_owned());
    let bodies = certificates(body).ok_or_else(|| {
        refused("Unable to parse certificate. Please ensure the certificate is in PEM format.")
    })?;
    let [body] = bodies.as_slice() else {
        return Err(refused(
            "The certificate field contains more than one certificate. You can specify only one \
             certificate in this field.",
        ));
    };
    let certificate = x509::parse(&body.contents)
        .ok_or_else(|| refused("The certificate is not a valid X.509 certificate."))?;
    let algorithm = x509::key_algorithm(&certificate)
        .filter(|&algorithm| algorithm != KeyAlgorithm::Rsa1024)
        .ok_or_else(|| {
            refused(
                "The key of the certificate is not supported. Use RSA with 2048, 3072 or 4096 bits, or ECDSA \
                 with P-256, P-384 or P-521.",
            )
        })?;
    let key = single_key(private_key)?;
    x509::check_key(&certificate, algorithm, &key).map_err(|error| match error {
        UnusableKey::Encrypted => {
            refused("The private key must be unencrypted: remove its passphrase.")
        }
        UnusableKey::Unsupported => refused("The private key is not supported."),
        UnusableKey::Mismatch => refused("The private key does not match the certificate."),
    })?;
    if certificate.issuer().iter().next().is_none() {
        return Err(refused("The issuer of the certificate must not be empty."));
    }
    let facts = x509::facts(&certificate, algorithm);
    check_times(&facts, now_millis)?;
    let chain = chain.map(|chain| check_chain(&body.contents, chain));
    Ok(Checked {
        body: pem::encode(&body.label, &body.contents),
        chain: chain.transpose()?,
        private_key: pem::encode(&key.label, &key.contents),
        facts,
    })
}

/// The certificates of a text that has at least one and nothing else.
fn certificates(text: &[u8]) -> Option<Vec<Block>> {
    let blocks = pem::blocks(text).ok()?;
    let are_certificates = blocks.iter().all(|block| block.label == CERTIFICATE);
    (are_certificates && !blocks.is_empty()).then_some(blocks)
}

/// The one private key of a text; the parameters that OpenSSL writes before a key over a curve do not
/// count.
fn single_key(text: &[u8]) -> Result<Block, AcmError> {
    let refused = |message: &str| AcmError::Validation(message.to_owned());
    let blocks = pem::blocks(text)
        .map_err(|_| refused("The private key is not PEM-encoded or is not valid."))?;
    let mut keys = blocks
        .into_iter()
        .filter(|block| block.label != "EC PARAMETERS");
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(refused(
            "The private key is not PEM-encoded or is not valid.",
        )),
        (Some(_), Some(_)) => Err(refused(
            "The private key field contains more than one private key.",
        )),
    }
}

fn check_times(facts: &CertificateFacts, now_millis: u64) -> Result<(), AcmError> {
    let now = i64::try_from(now_millis).unwrap_or(i64::MAX);
    let message = if now < facts.not_before_millis {
        "The certificate is not valid yet: its Not Before is in the future."
    } else if now > facts.not_after_millis {
        "The certificate has expired: its Not After is in the past."
    } else {
        return Ok(());
    };
    Err(AcmError::Validation(message.to_owned()))
}

/// Checks that each certificate of the chain signed the one before it.
fn check_chain(body: &[u8], chain: &[u8]) -> Result<String, AcmError> {
    let chain = certificates(chain).ok_or_else(|| {
        AcmError::Validation(
            "Unable to parse certificate chain. Please ensure the certificates are in PEM format."
                .to_owned(),
        )
    })?;
    let mut signed = body;
    for (index, block) in chain.iter().enumerate() {
        let parsed = x509::parse(signed).zip(x509::parse(&block.contents));
        if !parsed.is_some_and(|(signed, issuer)| x509::is_signed_by(&signed, &issuer)) {
            return Err(AcmError::Validation(format!(
                "Unable to validate certificate chain. The certificate chain must start with the immediate \
                 signing certificate, followed by any intermediaries in order. The index within the chain of \
                 the invalid certificate is: {index}"
            )));
        }
        signed = &block.contents;
    }
    let texts = chain
        .iter()
        .map(|block| pem::encode(&block.label, &block.contents));
    Ok(texts.collect())
}

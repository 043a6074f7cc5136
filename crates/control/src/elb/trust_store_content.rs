//! What is asked of the files that trust stores are made of: bundles of authorities, and lists of revoked
//! certificates.
//!
//! Source: ALB guide, "Mutual authentication with TLS", "Before you begin configuring mutual TLS", and
//! "Quotas".

use crate::pem::{self, CERTIFICATE, CRL};
use crate::settings::Limits;
use crate::x509;

use super::ElbError;

/// Most bytes of a file of revoked certificates.
pub(super) const REVOCATION_BYTES_MAX: usize = 50 * 1024 * 1024;

const AUTHORITY_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a bundle for each authority: the largest certificate in base64, and comments.
const BUNDLE_BYTES_PER_AUTHORITY: usize = 40 * 1024;

/// The certificates of authorities.
pub(super) struct Bundle {
    /// PEM, without comments.
    pub(super) authorities: String,
    pub(super) count: usize,
}

/// A list of revoked certificates.
pub(super) struct RevocationList {
    /// PEM.
    pub(super) content: String,
    pub(super) entry_count: usize,
}

/// Most bytes of a bundle.
pub(super) fn bundle_bytes_max(limits: &Limits) -> usize {
    limits
        .authorities_per_trust_store
        .saturating_mul(BUNDLE_BYTES_PER_AUTHORITY)
}

/// The authorities in a bundle.
pub(super) fn bundle(text: &[u8], limits: &Limits) -> Result<Bundle, ElbError> {
    let invalid = |message: String| {
        ElbError::InvalidCaCertificatesBundle(format!(
            "The specified CA certificates bundle is not valid: {message}"
        ))
    };
    if !has_only_comments(text) {
        return Err(invalid(
            "between certificates there may be nothing but comments, which begin with '#' and have no '-'"
                .to_owned(),
        ));
    }
    let blocks = pem::blocks(text).map_err(|error| invalid(error.to_string()))?;
    let limit = limits.authorities_per_trust_store;
    if blocks.is_empty() || blocks.len() > limit {
        return Err(invalid(format!(
            "it must have between 1 and {limit} certificates and has {}",
            blocks.len()
        )));
    }
    let mut names_bytes = 0;
    for (block, number) in blocks.iter().zip(1..) {
        let refused = |what: &str| Err(invalid(format!("certificate {number} {what}")));
        let parsed = x509::parse(&block.contents).filter(|_| block.label == CERTIFICATE);
        let Some(certificate) = parsed else {
            return refused("is not a certificate");
        };
        if block.contents.len() > AUTHORITY_BYTES_MAX {
            return refused("is larger than 16 KB");
        }
        if !x509::is_authority(&certificate) {
            return refused("is not that of an authority (X.509 version 3, basic constraint CA)");
        }
        if !x509::has_strong_key(&certificate) {
            return refused(
                "has a key that is not supported: use RSA with 2048 to 8192 bits, or ECDSA with P-256, P-384 or \
                 P-521",
            );
        }
        names_bytes += certificate.subject().as_raw().len();
    }
    let limit = limits.name_bytes_per_trust_store;
    if names_bytes > limit {
        return Err(invalid(format!(
            "the names of its authorities have more than {limit} bytes"
        )));
    }
    let texts = blocks
        .iter()
        .map(|block| pem::encode(CERTIFICATE, &block.contents));
    Ok(Bundle {
        authorities: texts.collect(),
        count: blocks.len(),
    })
}

/// The list in a file, which one of `authorities` must have signed.
pub(super) fn revocation_list(text: &[u8], authorities: &str) -> Result<RevocationList, ElbError> {
    let invalid = |message: &str| {
        ElbError::InvalidRevocationContent(format!(
            "The specified revocation content is not valid: {message}"
        ))
    };
    let blocks = pem::blocks(text).map_err(|error| invalid(&error.to_string()))?;
    let block = match blocks.as_slice() {
        [block] if block.label == CRL => block,
        _ => {
            return Err(invalid(
                "the file must have one certificate revocation list",
            ));
        }
    };
    let authorities = pem::blocks(authorities.as_bytes()).unwrap_or_default();
    let authorities = authorities.iter().map(|block| block.contents.as_slice());
    let entry_count = x509::check_revocation_list(&block.contents, authorities).map_err(invalid)?;
    Ok(RevocationList {
        content: pem::encode(CRL, &block.contents),
        entry_count,
    })
}

/// Whether no line outside of the blocks is something other than a comment.
fn has_only_comments(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut is_inside = false;
    text.lines().map(str::trim_end).all(|line| {
        let is_outside = !is_inside;
        if line.starts_with("-----BEGIN ") {
            is_inside = true;
        } else if line.starts_with("-----END ") {
            is_inside = false;
        } else if is_outside {
            return line.starts_with('#') && !line.contains('-');
        }
        true
    })
}

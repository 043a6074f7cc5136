//! The certificates that a client has shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::pem::Pem;

use crate::certificate::CertificateFacts;

/// At least one certificate, the client's own first.
#[derive(Clone, Debug)]
pub struct PeerCertificates {
    ders: Vec<Vec<u8>>,
    leaf: Option<CertificateFacts>,
}

/// Why there are no certificates in a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerCertificatesError {
    /// A block is broken.
    #[error("the PEM of the client's certificate cannot be read: {0}")]
    Pem(String),
    /// There is no certificate among the blocks.
    #[error("the client's certificate has no PEM block 'CERTIFICATE'")]
    None,
}

impl PeerCertificates {
    /// Those that a client with this PEM shows: blocks that are no certificates, such as a private key, are left out.
    ///
    /// # Errors
    /// `PeerCertificatesError` if there is not one.
    pub fn from_pem(text: &str) -> Result<Self, PeerCertificatesError> {
        let mut ders = Vec::new();
        for block in Pem::iter_from_buffer(text.as_bytes()) {
            let block = block.map_err(|error| PeerCertificatesError::Pem(error.to_string()))?;
            if block.label == "CERTIFICATE" {
                ders.push(block.contents);
            }
        }
        Self::new(ders).ok_or(PeerCertificatesError::None)
    }

    /// `None` if there is not one.
    pub(crate) fn new(ders: Vec<Vec<u8>>) -> Option<Self> {
        let leaf = CertificateFacts::from_der(ders.first()?);
        Some(Self { ders, leaf })
    }

    /// All of them in DER.
    #[must_use]
    pub fn ders(&self) -> &[Vec<u8>] {
        &self.ders
    }

    /// What the client's own says; `None` if it cannot be read, which only happens where it is not verified.
    #[must_use]
    pub fn leaf(&self) -> Option<&CertificateFacts> {
        self.leaf.as_ref()
    }

    /// The client's own in PEM, with a line feed at the end of each line (RFC 7468).
    #[must_use]
    pub fn leaf_pem(&self) -> String {
        pem(&self.ders[..1])
    }

    /// All of them in PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        pem(&self.ders)
    }
}

/// Splits the list of a certificate message: each certificate after its length in three bytes (RFC 5246 section
/// 7.4.2). What does not fit ends the list.
pub(crate) fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut ders = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<3>() {
        let len = u32::from_be_bytes([0, len[0], len[1], len[2]]) as usize;
        let Some((der, rest)) = rest.split_at_checked(len) else {
            break;
        };
        ders.push(der.to_vec());
        bytes = rest;
    }
    ders
}

fn pem(ders: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for der in ders {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let base64 = STANDARD.encode(der);
        // 64 characters a line, all of them ASCII.
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = next;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_of_a_file_that_are_certificates_are_shown() {
        let block = |label: &str, text: &str| {
            format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
        };
        let [key, leaf, other] = [
            block("PRIVATE KEY", "c2VjcmV0"),
            block("CERTIFICATE", "bGVhZg=="),
            block("CERTIFICATE", "b3RoZXI="),
        ];
        let shown = PeerCertificates::from_pem(&format!("{key}{leaf}{other}"));
        assert_eq!(
            shown.unwrap().chain_pem(),
            leaf + &other,
            "and no private key"
        );
        for nothing in ["", &key] {
            let refused = PeerCertificates::from_pem(nothing).unwrap_err();
            assert_eq!(refused, PeerCertificatesError::None);
        }
        let broken = PeerCertificates::from_pem("-----BEGIN CERTIFICATE-----\n");
        assert!(matches!(broken, Err(PeerCertificatesError::Pem(_))));
    }

    #[test]
    fn a_list_of_certificates_is_split_by_their_lengths() {
        assert_eq!(split(&[0, 0, 2, 7, 8, 0, 0, 1, 9]), [vec![7, 8], vec![9]]);
        assert_eq!(split(&[0, 0, 2, 7]), Vec::<Vec<u8>>::new(), "cut");
        assert!(split(&[]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_list_is_too_strange(bytes in proptest::collection::vec(0..=3_u8, 0..100)) {
            let ders = split(&bytes);
            let len: usize = ders.iter().map(|der| der.len() + 3).sum();
            proptest::prop_assert!(len <= bytes.len());
            // Nothing in it is a certificate, and that is all there is to say.
            let leaf = PeerCertificates::new(ders);
            proptest::prop_assert!(leaf.is_none_or(|certificates| certificates.leaf().is_none()));
        }
    }
}

//! What is known of the TLS connection a request came on, as targets and logs are told it.

/// The facts of one TLS connection, fixed at its handshake.
#[derive(Debug)]
pub(crate) struct TlsFacts {
    /// OpenSSL's name of the protocol version, for example `TLSv1.3`.
    pub(crate) version: &'static str,
    /// OpenSSL's name of the cipher suite, for example `ECDHE-RSA-AES128-GCM-SHA256`.
    pub(crate) cipher_suite: Box<str>,
    /// Whether both sides have agreed on `h2` (RFC 7301, RFC 9113 section 3.2).
    pub(crate) speaks_http2: bool,
    /// What the client showed of itself.
    pub(crate) client_certificate: ClientCertificate,
}

/// What a client has shown of itself.
///
/// Source: ALB guide, "HTTP headers and mutual TLS".
#[derive(Debug)]
pub(crate) enum ClientCertificate {
    /// The listener asks for none, or the client has shown none.
    Off,
    /// The listener does not verify; the target may.
    Passthrough {
        /// PEM: the certificate and those the client sent after it.
        chain_pem: Box<str>,
    },
    /// The trust store vouches for the client.
    Verified {
        /// Hexadecimal digits, without separators.
        serial_number: Box<str>,
        /// RFC 2253.
        issuer: Box<str>,
        /// RFC 2253.
        subject: Box<str>,
        /// `NotBefore=…Z;NotAfter=…Z`.
        validity: Box<str>,
        /// PEM: the client's certificate alone.
        leaf_pem: Box<str>,
    },
}

//! Who is asking: OpenID Connect logins and bearer tokens.

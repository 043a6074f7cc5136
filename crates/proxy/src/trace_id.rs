//! `X-Amzn-Trace-Id`.
//!
//! Source: ALB guide, "Request tracing for your Application Load Balancer".

/// Request heads over this size get a field with only the new `Root`.
pub(crate) const REQUEST_HEAD_BYTES_MAX: usize = 7 * 1024;

/// A new trace id: the version, the time and 96 random bits, `1-67891233-abcdef012345678912345678`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceId([u8; 35]);

impl TraceId {
    pub(crate) fn new(seconds: u64, random: [u32; 3]) -> Self {
        let mut text = *b"1-00000000-000000000000000000000000";
        put_hex(&mut text[2..10], seconds as u32);
        for (word, at) in random.into_iter().zip([11, 19, 27]) {
            put_hex(&mut text[at..at + 8], word);
        }
        Self(text)
    }

    /// Writes the field value for a request that came with `received`.
    ///
    /// Without a `Root` the new id becomes the root; with one it becomes `Self` in front of what was
    /// received, in the place of an earlier `Self`.
    pub(crate) fn write(self, received: Option<&[u8]>, mut put: impl FnMut(&[u8])) {
        let parts = || {
            received
                .unwrap_or_default()
                .split(|&b| b == b';')
                .map(<[u8]>::trim_ascii)
        };
        let is_named = |part: &[u8], name: &[u8]| {
            part.split_at_checked(name.len())
                .is_some_and(|(start, _)| start.eq_ignore_ascii_case(name))
        };
        let has_root = parts().any(|part| is_named(part, b"Root="));
        put(if has_root { b"Self=" } else { b"Root=" });
        put(&self.0);
        let kept = |part: &&[u8]| !part.is_empty() && !is_named(part, b"Self=");
        for part in parts().filter(kept) {
            put(b";");
            put(part);
        }
    }
}

fn put_hex(out: &mut [u8], word: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, digit) in out.iter_mut().enumerate() {
        *digit = DIGITS[(word >> (28 - 4 * index) & 15) as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(received: Option<&str>, sent: &str) {
        let id = TraceId::new(0x6789_1233, [0xabcd_ef01, 0x2345_6789, 0x1234_5678]);
        let mut out = Vec::new();
        id.write(received.map(str::as_bytes), |bytes| {
            out.extend_from_slice(bytes)
        });
        assert_eq!(String::from_utf8(out).unwrap(), sent);
    }

    #[test]
    fn the_new_id_becomes_root_or_self() {
        const NEW: &str = "1-67891233-abcdef012345678912345678";
        check(None, &format!("Root={NEW}"));
        check(Some("Root=1-2-3"), &format!("Self={NEW};Root=1-2-3"));
        check(
            Some("Self=1-9-9;Root=1-2-3;CalledFrom=app"),
            &format!("Self={NEW};Root=1-2-3;CalledFrom=app"),
        );
        check(
            Some("CalledFrom=app"),
            &format!("Root={NEW};CalledFrom=app"),
        );
        check(Some(""), &format!("Root={NEW}"));
    }
}

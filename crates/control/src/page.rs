//! Long answers come in pages.
//!
//! A token names the last item of the page before by its key, so that items that come and go between two pages make none
//! of the others appear twice or not at all. How large pages are is up to each service.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Up to `size` of `items` with keys behind `after`, and the key of the last of them if there are more. The items stand
/// in the order of their keys, which are different.
pub(crate) fn cut<T, K: Ord>(
    items: impl IntoIterator<Item = T>,
    after: Option<&K>,
    size: usize,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Option<K>) {
    let is_behind = |item: &T| after.is_none_or(|after| key(item) > *after);
    let mut rest = items.into_iter().filter(is_behind);
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let has_more = rest.next().is_some();
    let last = page.last().filter(|_| has_more).map(&key);
    (page, last)
}

/// How many items a page has for a request that may ask for fewer than `max`, which is also the number without one.
pub(crate) fn size(asked: Option<i32>, max: usize) -> usize {
    let size = asked.and_then(|size| usize::try_from(size).ok());
    size.unwrap_or(max).clamp(1, max)
}

/// How many bytes of a digest in front of the key tell a token from what no answer has given.
const SEAL_BYTES: usize = 6;

/// The token that stands for a key; those of one `listing` are none of another.
pub(crate) fn token(listing: &str, key: &str) -> String {
    let sealed = [&seal(listing, key), key.as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(sealed)
}

/// The key that a token stands for; it need not be there any more.
pub(crate) fn key(listing: &str, token: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (found, key) = sealed.split_at_checked(SEAL_BYTES)?;
    let key = str::from_utf8(key).ok()?;
    (found == seal(listing, key)).then(|| key.to_owned())
}

fn seal(listing: &str, key: &str) -> [u8; SEAL_BYTES] {
    let digest = digest(&SHA256, format!("{listing}\0{key}").as_bytes());
    let (seal, _) = digest.as_ref().split_at(SEAL_BYTES);
    seal.try_into().expect("it is cut to this length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_listing_alone() {
        let given = token("vpcs", "vpc-1");
        assert_eq!(key("vpcs", &given).as_deref(), Some("vpc-1"));
        assert_eq!(key("subnets", &given), None);
        for at in 0..given.len() {
            let mut other = given.clone();
            other.remove(at);
            assert_eq!(key("vpcs", &other), None, "{other}");
        }
        let by_hand = URL_SAFE_NO_PAD.encode("vpc-1");
        for text in ["", "abc", "vpc-1", "None___20", "é", &by_hand] {
            assert_eq!(key("vpcs", text), None, "{text}");
        }
    }
}

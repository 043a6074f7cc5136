//! Long answers come in pages.

use super::AcmError;
use crate::page;

/// Which page is wanted.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// `NextToken` of the page before.
    pub next_token: Option<String>,
    /// `MaxItems`, 1 to what the operation allows, which is the default.
    pub max_items: Option<i32>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// `NextToken`, if there are more.
    pub next_token: Option<String>,
}

/// Most items on a page of a list, and the number without `MaxItems`.
pub(super) const LIST_PAGE_MAX: usize = 1000;

impl Paging {
    /// The page of `items`, with up to `size_max` of them. They are sorted by `key` and have different keys; `token`
    /// and `parse` are ways from a key to a text and back. Tokens of one `listing` are none of another.
    pub(super) fn page<T, K: Ord>(
        &self,
        size_max: usize,
        listing: &str,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> K,
        token: impl Fn(&K) -> String,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Result<Page<T>, AcmError> {
        let after = match &self.next_token {
            None => None,
            Some(text) => {
                let key = page::key(listing, text).and_then(|key| parse(&key));
                Some(key.ok_or_else(|| invalid_token(text))?)
            }
        };
        let size = page::size(self.max_items, size_max);
        let (items, last) = page::cut(items, after.as_ref(), size, key);
        let next_token = last.map(|key| page::token(listing, &token(&key)));
        Ok(Page { items, next_token })
    }
}

fn invalid_token(text: &str) -> AcmError {
    AcmError::InvalidArgs(format!(
        "The token '{text}' is not valid; use the NextToken of an answer to the same request"
    ))
}

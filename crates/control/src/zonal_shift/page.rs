//! Long answers come in pages.

use super::{ValidationReason, ZonalShiftError};
use crate::page;

/// Which page is wanted.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// `nextToken` of the page before.
    pub next_token: Option<String>,
    /// `maxResults`, 1 to 100. Default 100.
    pub max_results: Option<i32>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// `items`.
    pub items: Vec<T>,
    /// `nextToken`, if there are more.
    pub next_token: Option<String>,
}

/// Most items on a page, and the number without `maxResults`.
///
/// Source: ARC zonal shift API, `MaxResults`.
const PAGE_MAX: usize = 100;

impl Paging {
    /// The page of `items`, which are sorted by `key` and have different keys; `token` and `parse` are ways from a
    /// key to a text and back. Tokens of one `listing` are none of another.
    pub(super) fn page<T, K: Ord>(
        &self,
        listing: &str,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> K,
        token: impl Fn(&K) -> String,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Result<Page<T>, ZonalShiftError> {
        let after = match &self.next_token {
            None => None,
            Some(text) => {
                let key = page::key(listing, text).and_then(|key| parse(&key));
                Some(key.ok_or_else(|| invalid_token(text))?)
            }
        };
        let size = page::size(self.max_results, PAGE_MAX);
        let (items, last) = page::cut(items, after.as_ref(), size, key);
        let next_token = last.map(|key| page::token(listing, &token(&key)));
        Ok(Page { items, next_token })
    }
}

fn invalid_token(text: &str) -> ZonalShiftError {
    let message = format!(
        "The token '{text}' is not valid; use the nextToken of an answer to the same request."
    );
    ZonalShiftError::validation(ValidationReason::InvalidToken, message)
}

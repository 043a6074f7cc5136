//! Long answers come in pages.

use super::{ValidationReason, ZonalShiftError};

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
    /// key to a text and back.
    ///
    /// A token has the key of the last item of the page before, so that items that come and go between two
    /// pages make none of the others appear twice or not at all.
    pub(super) fn page<T, K: Ord>(
        &self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> K,
        token: impl Fn(&K) -> String,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Result<Page<T>, ZonalShiftError> {
        let after = match &self.next_token {
            None => None,
            Some(text) => Some(parse(text).ok_or_else(|| invalid_token(text))?),
        };
        let size = self.max_results.and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut rest = items.filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
        let items: Vec<T> = rest.by_ref().take(size).collect();
        let has_more = rest.next().is_some();
        let last = items.last().filter(|_| has_more);
        Ok(Page {
            next_token: last.map(|last| token(&key(last))),
            items,
        })
    }
}

fn invalid_token(text: &str) -> ZonalShiftError {
    let message = format!(
        "The token '{text}' is not valid; use the nextToken of an answer to the same request."
    );
    ZonalShiftError::validation(ValidationReason::InvalidToken, message)
}

//! Long answers come in pages.

use super::ElbError;
use crate::page;

/// Which page is wanted.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// `Marker`: the `NextMarker` of the page before.
    pub marker: Option<String>,
    /// `PageSize`, 1 to 400. Default 400.
    pub page_size: Option<i32>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// `NextMarker`: where the next page begins, if there is one.
    pub next_marker: Option<String>,
}

/// Most items on a page, and the number without a `PageSize`.
const PAGE_SIZE_MAX: i32 = 400;

impl Paging {
    /// The page of `items`, which stand in the order of `key` and have different keys. A marker is such a key; those of
    /// one `listing` are none of another.
    pub(super) fn page<T, K>(
        &self,
        listing: &str,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> K,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Result<Page<T>, ElbError>
    where
        K: Ord + ToString,
    {
        let size = super::check::between("pageSize", self.page_size, 1, PAGE_SIZE_MAX)?;
        let size = usize::try_from(size.unwrap_or(PAGE_SIZE_MAX)).unwrap_or(usize::MAX);
        let after = match &self.marker {
            None => None,
            Some(marker) => {
                let key = page::key(listing, marker).and_then(|key| parse(&key));
                Some(key.ok_or_else(|| invalid_marker(marker))?)
            }
        };
        let (items, last) = page::cut(items, after.as_ref(), size, key);
        let next_marker = last.map(|key| page::token(listing, &key.to_string()));
        Ok(Page { items, next_marker })
    }
}

fn invalid_marker(marker: &str) -> ElbError {
    ElbError::Validation(format!(
        "The marker '{marker}' is not valid; use the NextMarker of an answer to the same request"
    ))
}

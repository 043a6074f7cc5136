//! Long answers come in pages.
//!
//! A token names the last item of the page before by its key, so that items that come and go between two pages make none
//! of the others appear twice or not at all. What tokens look like, and how large pages are, is up to each service.

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

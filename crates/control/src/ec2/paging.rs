//! A Describe operation's answer in pages.
//!
//! Nouns are shown in the order of their ids. A token names the last one shown, so that a noun that is
//! made or deleted between two pages makes no other one appear twice or never.

use std::ops::RangeInclusive;

use crate::ec2::Ec2Error;
use crate::page;

/// The page of an answer that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many nouns, 5 to 1,000 unless the operation says otherwise; everything for `None`.
    pub max_results: Option<i64>,
    /// The token of the page before; the first page for `None`.
    pub next_token: Option<String>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How to ask for the next one; `None` on the last one.
    pub next_token: Option<String>,
}

/// How many nouns a page may have where the operation has no sizes of its own.
pub(crate) const USUAL_SIZES: RangeInclusive<i64> = 5..=1000;

impl PageRequest {
    /// The page of `items`, which are in ascending order of their `key`s. Tokens of one `listing`, which is of one
    /// operation, are none of another.
    ///
    /// # Errors
    /// `InvalidMaxResults` and `InvalidNextToken`.
    pub(crate) fn cut<T>(
        &self,
        listing: &str,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, Ec2Error> {
        self.cut_within(listing, USUAL_SIZES, items, key)
    }

    /// The same for an operation whose pages have other sizes.
    ///
    /// # Errors
    /// As `cut`.
    pub(crate) fn cut_within<T>(
        &self,
        listing: &str,
        sizes: RangeInclusive<i64>,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, Ec2Error> {
        let max = self.max(&sizes)?;
        let after = self.after(listing)?;
        let (items, last) = page::cut(items, after.as_ref(), max, key);
        let next_token = last.map(|key| page::token(listing, &key));
        Ok(Page { items, next_token })
    }

    /// Checks a request for a page of an answer that has nothing in it, and so never had a token.
    ///
    /// # Errors
    /// As `cut`.
    pub(crate) fn require_valid(&self, sizes: RangeInclusive<i64>) -> Result<(), Ec2Error> {
        self.max(&sizes)?;
        match &self.next_token {
            Some(text) => Err(Ec2Error::InvalidNextToken(text.clone())),
            None => Ok(()),
        }
    }

    /// Refuses a page size beside a list of ids, whose API name is `ids`.
    ///
    /// # Errors
    /// `IdsWithMaxResults`.
    pub(crate) fn refuse_with(&self, ids: &'static str, given: &[String]) -> Result<(), Ec2Error> {
        match self.max_results {
            Some(_) if !given.is_empty() => Err(Ec2Error::IdsWithMaxResults(ids)),
            _ => Ok(()),
        }
    }

    fn max(&self, sizes: &RangeInclusive<i64>) -> Result<usize, Ec2Error> {
        let Some(value) = self.max_results else {
            return Ok(usize::MAX);
        };
        let refused = |expectation| Err(Ec2Error::InvalidMaxResults { value, expectation });
        let (min, max) = (sizes.start(), sizes.end());
        if value < *min {
            refused(format!("Expecting a value greater than {min}."))
        } else if value > *max {
            refused(format!("Expecting a value less than {max}."))
        } else {
            Ok(usize::try_from(value).unwrap_or(usize::MAX))
        }
    }

    fn after(&self, listing: &str) -> Result<Option<String>, Ec2Error> {
        let Some(text) = &self.next_token else {
            return Ok(None);
        };
        match page::key(listing, text) {
            Some(key) => Ok(Some(key)),
            None => Err(Ec2Error::InvalidNextToken(text.clone())),
        }
    }
}

/// Refuses a list of `count` values that may have `max`.
///
/// # Errors
/// `TooManyValues`.
pub(crate) fn require_at_most(
    max: usize,
    parameter: &'static str,
    count: usize,
) -> Result<(), Ec2Error> {
    match count <= max {
        true => Ok(()),
        false => Err(Ec2Error::TooManyValues { parameter, max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(
        max: Option<i64>,
        token: Option<String>,
        keys: &[&str],
    ) -> Result<Page<String>, Ec2Error> {
        let request = PageRequest {
            max_results: max,
            next_token: token,
        };
        request.cut(
            "vpcs",
            keys.iter().map(|key| (*key).to_owned()),
            Clone::clone,
        )
    }

    #[test]
    fn pages_show_everything_once() {
        let keys: Vec<String> = (0..17).map(|number| format!("key-{number:02}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (mut shown, mut token, mut sizes) = (Vec::new(), None, Vec::new());
        loop {
            let page = cut(Some(5), token, &keys).unwrap();
            sizes.push(page.items.len());
            shown.extend(page.items);
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(shown, keys);
        assert_eq!(sizes, [5, 5, 5, 2]);
    }

    #[test]
    fn a_full_last_page_has_no_token() {
        let page = cut(Some(5), None, &["a", "b", "c", "d", "e"]).unwrap();
        assert_eq!(page.next_token, None);
    }

    #[test]
    fn a_page_goes_on_behind_a_noun_that_is_gone() {
        let first = cut(Some(5), None, &["a", "b", "c", "d", "e", "f", "g"]).unwrap();
        let second = cut(None, first.next_token, &["a", "f", "g"]).unwrap();
        assert_eq!(second.items, ["f", "g"]);
    }

    #[test]
    fn page_sizes_out_of_bounds_are_refused() {
        for (size, is_valid) in [
            (4, false),
            (5, true),
            (1000, true),
            (1001, false),
            (-1, false),
        ] {
            assert_eq!(cut(Some(size), None, &[]).is_ok(), is_valid, "{size}");
        }
    }

    #[test]
    fn tokens_that_no_answer_had_are_refused() {
        let of_vpcs = cut(Some(5), None, &["a", "b", "c", "d", "e", "f"]).unwrap();
        let of_vpcs = of_vpcs.next_token.expect("one is left");
        let refused = |outcome| assert!(matches!(outcome, Err(Ec2Error::InvalidNextToken(_))));
        refused(cut(None, Some("a".to_owned()), &["a"]).map(|_| ()));
        let request = PageRequest {
            max_results: None,
            next_token: Some(of_vpcs),
        };
        let of_subnets: [String; 0] = [];
        refused(request.cut("subnets", of_subnets, Clone::clone).map(|_| ()));
        refused(request.require_valid(USUAL_SIZES));
    }
}

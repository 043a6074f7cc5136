//! The forms of the Query protocols: what is decoded is what was sent, all of it, and within the bounds.

use api::ApiError;
use api::query::{self, DEPTH_MAX, Lists, NAME_BYTES_MAX, Node, PARAMETERS_MAX, QueryError};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// Decodes a form, prints it in one spelling and decodes it again.
pub fn query_decoder(form: &[u8]) {
    let pairs = form
        .split(|&b| b == b'&')
        .filter(|pair| !pair.is_empty())
        .count();
    let root = match query::decode(form) {
        Ok(root) => root,
        Err(error) => return check_error(error, pairs),
    };
    let mut leaves = Vec::new();
    gather(&root, &mut Vec::new(), &mut leaves);
    assert_eq!(leaves.len(), pairs, "no parameter is lost");
    assert!(pairs <= PARAMETERS_MAX);
    let printed = print(&leaves);
    assert_eq!(
        query::decode(printed.as_bytes()).as_ref(),
        Ok(&root),
        "a form means the same in every spelling"
    );
    check_merge(form, &root);
}

/// Every parameter below `node`, with its name.
fn gather<'n>(node: &'n Node, parts: &mut Vec<&'n str>, leaves: &mut Vec<(String, &'n str)>) {
    assert!(
        parts.len() <= DEPTH_MAX,
        "names are not deeper than allowed"
    );
    check_lists(node);
    if let Some(value) = node.value() {
        let name = parts.join(".");
        assert!(
            name.len() <= NAME_BYTES_MAX,
            "names are not longer than allowed"
        );
        leaves.push((name, value));
    }
    for (part, child) in node.children() {
        assert!(
            !part.is_empty() && !part.contains('.'),
            "a part of a name is one part"
        );
        assert!(
            node.child(part)
                .is_some_and(|found| std::ptr::eq(found, child))
        );
        assert_eq!(node.text(part), child.value());
        parts.push(part);
        gather(child, parts, leaves);
        parts.pop();
    }
}

/// A node read as a list has no more and no fewer elements than it has members.
fn check_lists(node: &Node) {
    let count = node.children().count();
    if let Ok(elements) = node.elements(Lists::Flat) {
        assert_eq!(elements.len(), count, "no element is lost");
    }
    if let Ok(elements) = node.elements(Lists::Member) {
        let members = node
            .child("member")
            .map_or(0, |list| list.children().count());
        assert_eq!(elements.len(), members, "no element is lost");
    }
    if let Ok(entries) = node.entries() {
        let members = node.child("entry").map_or(0, |map| map.children().count());
        assert_eq!(entries.len(), members, "no entry is lost");
    }
}

fn print(leaves: &[(String, &str)]) -> String {
    let encode = |text: &str| percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string();
    let pairs = leaves
        .iter()
        .rev()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// URL and body together mean what one form with all parameters means.
fn check_merge(form: &[u8], root: &Node) {
    for (at, _) in form
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'&')
        .take(8)
    {
        let mut merged = query::decode(&form[..at]).expect("a part of a valid form is valid");
        merged.merge(&form[at..]).expect("and so is the other part");
        assert_eq!(&merged, root, "URL and body add up");
    }
}

fn check_error(error: QueryError, pairs: usize) {
    if let QueryError::BadEscape { position }
    | QueryError::NotUtf8 { position }
    | QueryError::NameTooLong { position }
    | QueryError::TooDeep { position } = error
    {
        assert!(
            (1..=pairs).contains(&position),
            "the parameter at fault exists"
        );
    }
    let told = ApiError::from(error);
    assert!(
        (400..500).contains(&told.status),
        "the fault is the caller's"
    );
    assert!(!told.message.is_empty(), "the caller is told what is wrong");
}

//! `Tag`.

use control::elb::input::Pairs;

use crate::input::shape::{Text, is_tag_text};
use crate::input::{Fields, TEXT};
use crate::xml::Xml;

/// `TagKey`.
pub(crate) const KEY: Text = TEXT.between(1, 128).matching(EXPRESSION, is_tag_text);
const VALUE: Text = TEXT.at_most(256).matching(EXPRESSION, is_tag_text);
const EXPRESSION: &str = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";

/// `Tags` of an operation that creates something.
pub(crate) fn read(fields: &Fields<'_>) -> Pairs {
    let tags = fields.structures("Tags", pair);
    fields.check_count("Tags", tags.len(), 1, usize::MAX);
    tags
}

/// `Tags` where there have to be some.
pub(crate) fn read_required(fields: &Fields<'_>) -> Pairs {
    let tags = fields.required_structures("Tags", pair);
    fields.check_count("Tags", tags.len(), 1, usize::MAX);
    tags
}

pub(crate) fn print<'a>(xml: &mut Xml, tags: impl Iterator<Item = (&'a str, &'a str)>) {
    xml.list("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

/// A tag without a value has the empty one.
fn pair(fields: &Fields<'_>) -> (String, String) {
    (
        fields.required("Key", KEY),
        fields.optional("Value", VALUE).unwrap_or_default(),
    )
}

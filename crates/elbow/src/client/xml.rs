//! Reads the XML that the AWS APIs answer with into a tree, as far as the client commands need it.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// An element with its text and its children. Attributes are not kept: these APIs have none that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name without a prefix.
    pub(crate) name: String,
    /// Its own text, trimmed.
    pub(crate) text: String,
    /// The elements in it, in order.
    pub(crate) children: Vec<Element>,
}

/// The text is not one XML element.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not XML: {0}")]
pub(crate) struct NotXml(String);

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not well-formed.
    pub(crate) fn parse(text: &str) -> Result<Self, NotXml> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader
                .read_event()
                .map_err(|error| NotXml(error.to_string()))?
            {
                Event::Start(tag) => open.push(Self::named(tag.local_name().as_ref())),
                Event::Empty(tag) => {
                    let child = Self::named(tag.local_name().as_ref());
                    innermost(&mut open).children.push(child);
                }
                Event::End(_) => {
                    let mut closed = open.pop().expect("the reader checks that tags pair up");
                    closed.text = closed.text.trim().to_owned();
                    innermost(&mut open).children.push(closed);
                }
                Event::Text(piece) => innermost(&mut open).text.push_str(&piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = character(&reference)
                        .ok_or_else(|| NotXml(format!("unknown reference &{};", &*reference)))?;
                    innermost(&mut open).text.push(character);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open.len() {
            1 => innermost(&mut open).children.pop(),
            _ => None,
        }
        .ok_or_else(|| NotXml("there is no complete element".to_owned()))
    }

    /// The first element at the end of `path`, names separated by `/`.
    pub(crate) fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == name)
        })
    }

    /// The text at the end of `path`; empty if there is none.
    pub(crate) fn text_at(&self, path: &str) -> &str {
        self.find(path).map_or("", |element| &element.text)
    }

    /// The members of the list at the end of `path`.
    pub(crate) fn list(&self, path: &str) -> &[Self] {
        self.find(path).map_or(&[], |element| &element.children)
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

fn innermost(open: &mut [Element]) -> &mut Element {
    open.last_mut()
        .expect("the outermost element is never closed")
}

/// Source: XML 1.0 section 4.6, "Predefined Entities", and section 4.1 for numbers.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "<?xml version=\"1.0\"?>
            <R xmlns='x'><L> <m><n>a &amp; &#98;</n></m> <m/> </L><T> t </T></R>";
        let root = Element::parse(text).unwrap();
        assert_eq!(root.name, "R");
        assert_eq!(root.text_at("T"), "t");
        assert_eq!(root.text_at("L/m/n"), "a & b");
        assert_eq!(root.list("L").len(), 2);
        assert_eq!(root.text_at("L/absent"), "");
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        for text in ["", "text", "<a>", "<a></b>", "<a>&unknown;</a>"] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }
}

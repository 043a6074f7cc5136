//! Printing answers: a small writer of elements and the envelopes of the two Query protocols.
//!
//! Elements come out in the order of the calls and an empty list is an empty element, because that is
//! what clients of the real services have learnt to read.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::ApiError;
use crate::query::Lists;

/// A sequence of elements under construction. No white space is added between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xml {
    out: String,
    lists: Lists,
    /// Where in `out` the content of each list without elements is.
    empty_lists: BTreeSet<usize>,
}

impl Xml {
    /// An empty sequence whose lists are spelt as the protocol does: `<member>` or `<item>`.
    pub fn new(lists: Lists) -> Self {
        Self {
            out: String::new(),
            lists,
            empty_lists: BTreeSet::new(),
        }
    }

    /// `<name>value</name>`.
    pub fn text(&mut self, name: &str, value: impl Display) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        // Writing to a `String` cannot fail.
        let _ = write!(Escaped(&mut self.out), "{value}");
        self.close(name);
    }

    /// As [`Xml::text`], or nothing.
    pub fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// `<name>…</name>` around what `body` prints.
    pub fn element(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        body(self);
        self.close(name);
    }

    /// A list whose elements `body` prints: `<name><member>…</member>…</name>`.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut body: impl FnMut(&mut Self, T),
    ) {
        let item_name = self.item_name();
        self.list_element(name, |xml| {
            for item in items {
                xml.element(item_name, |xml| body(xml, item));
            }
        });
    }

    /// A list of plain values.
    pub fn texts<T: Display>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let item_name = self.item_name();
        self.list_element(name, |xml| {
            for value in values {
                xml.text(item_name, value);
            }
        });
    }

    /// A map: `<name><entry><key>…</key><value>…</value></entry>…</name>`.
    pub fn map<'a>(&mut self, name: &str, entries: impl IntoIterator<Item = &'a (String, String)>) {
        self.element(name, |xml| {
            for (key, value) in entries {
                xml.element("entry", |xml| {
                    xml.text("key", key);
                    xml.text("value", value);
                });
            }
        });
    }

    /// What has been printed so far.
    pub fn as_str(&self) -> &str {
        &self.out
    }

    /// Whether `content`, a part of what has been printed, is that of a list without elements, and not an empty text.
    pub(crate) fn is_empty_list(&self, content: &str) -> bool {
        let at = content.as_ptr().addr() - self.out.as_ptr().addr();
        self.empty_lists.contains(&at)
    }

    fn list_element(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.element(name, |xml| {
            let begin = xml.out.len();
            body(xml);
            if xml.out.len() == begin {
                xml.empty_lists.insert(begin);
            }
        });
    }

    fn item_name(&self) -> &'static str {
        match self.lists {
            Lists::Member => "member",
            Lists::Flat => "item",
        }
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// The answer of an AWS Query operation: `<XResponse><XResult>…</XResult><ResponseMetadata>…`.
pub fn query_response(namespace: &str, operation: &str, request_id: &str, result: &Xml) -> String {
    format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{}</{operation}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>",
        result.out
    )
}

/// A failed AWS Query operation.
pub fn query_error(namespace: &str, request_id: &str, error: &ApiError) -> String {
    let mut body = Xml::new(Lists::Member);
    body.element("Error", |xml| {
        xml.text("Type", error.fault());
        xml.text("Code", error.code);
        xml.text("Message", &error.message);
    });
    body.text("RequestId", request_id);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">{}</ErrorResponse>",
        body.out
    )
}

/// The answer of an EC2 operation: `<XResponse><requestId>…</requestId>…</XResponse>`.
pub fn ec2_response(namespace: &str, operation: &str, request_id: &str, result: &Xml) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{namespace}\">\
         <requestId>{request_id}</requestId>{}</{operation}Response>",
        result.out
    )
}

/// A failed EC2 operation; `RequestID` is spelt unlike everywhere else.
pub fn ec2_error(request_id: &str, error: &ApiError) -> String {
    let mut body = Xml::new(Lists::Flat);
    body.element("Errors", |xml| {
        xml.element("Error", |xml| {
            xml.text("Code", error.code);
            xml.text("Message", &error.message);
        });
    });
    body.text("RequestID", request_id);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>{}</Response>",
        body.out
    )
}

/// A time as the Query protocols print it, in UTC: `2016-03-25T21:26:12.920Z`.
///
/// `millis` counts from 1970; a time after the year 9999, which has no such text, prints as that of 1970.
pub fn timestamp(millis: u64) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(FORMAT)
        .unwrap_or_default()
}

/// Escapes what is written through it for the content of an element.
struct Escaped<'a>(&'a mut String);

impl std::fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // A reader turns a bare carriage return into a line feed (XML 1.0, section 2.11).
                '\r' => self.0.push_str("&#13;"),
                '\t' | '\n' => self.0.push(character),
                // XML 1.0 has no spelling at all for these (section 2.2).
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn elements_come_out_in_order() {
        let mut xml = Xml::new(Lists::Member);
        xml.text("A", 1);
        xml.optional("B", None::<u8>);
        xml.texts("C", ["x", "y"]);
        xml.texts("D", [""; 0]);
        xml.list("E", [1, 2], |xml, number| xml.text("N", number));
        assert_eq!(
            xml.as_str(),
            "<A>1</A><C><member>x</member><member>y</member></C><D></D>\
             <E><member><N>1</N></member><member><N>2</N></member></E>"
        );
    }

    #[test]
    fn ec2_lists_have_items() {
        let mut xml = Xml::new(Lists::Flat);
        xml.texts("groupSet", ["sg-1"]);
        assert_eq!(xml.as_str(), "<groupSet><item>sg-1</item></groupSet>");
    }

    #[test]
    fn markup_in_values_is_escaped() {
        let mut xml = Xml::new(Lists::Member);
        xml.text("A", "<a href=\"x\">&\r\n\u{1}");
        assert_eq!(
            xml.as_str(),
            "<A>&lt;a href=&quot;x&quot;&gt;&amp;&#13;\n\u{fffd}</A>"
        );
    }

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_458_941_172_920), "2016-03-25T21:26:12.920Z");
        assert_eq!(timestamp(u64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn envelopes() {
        let mut result = Xml::new(Lists::Member);
        result.text("A", 1);
        assert_eq!(
            query_response("urn:n", "Do", "id", &result),
            "<DoResponse xmlns=\"urn:n\"><DoResult><A>1</A></DoResult>\
             <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>"
        );
        assert_eq!(
            query_error("urn:n", "id", &ApiError::internal("a < b")),
            "<ErrorResponse xmlns=\"urn:n\"><Error><Type>Receiver</Type><Code>InternalFailure</Code>\
             <Message>a &lt; b</Message></Error><RequestId>id</RequestId></ErrorResponse>"
        );
        assert_eq!(
            ec2_error("id", &ApiError::sender("InvalidVpcID.NotFound", "no")),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
             <Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors>\
             <RequestID>id</RequestID></Response>"
        );
    }

    proptest! {
        #[test]
        fn a_reader_reads_back_what_was_printed(value in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]*") {
            let mut xml = Xml::new(Lists::Member);
            xml.text("A", &value);
            let inner = xml.as_str().strip_prefix("<A>").unwrap().strip_suffix("</A>").unwrap();
            prop_assert!(!inner.contains('<') && !inner.contains('\r'));
            let read = inner
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#13;", "\r")
                .replace("&amp;", "&");
            prop_assert_eq!(read, value);
        }
    }
}

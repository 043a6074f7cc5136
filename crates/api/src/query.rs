//! The parameters of a Query request as a tree.
//!
//! AWS Query and EC2 Query spell structures as dotted names in a form
//! (`Actions.member.1.Order=1`, `Filter.1.Name=vpc-id`). This module splits the names once, within
//! bounds, so that the operations read members and elements and never a name with a dot in it.
//! Source: AWS Query protocol; application/x-www-form-urlencoded, WHATWG URL, section 5.1.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode;

use crate::ApiError;

/// How many parameters a request may have. A call that registers 1,000 targets has about 4,000.
pub const PARAMETERS_MAX: usize = 10_000;
/// How many dots a name may have, plus one. The deepest name of the ELB API has 9 parts.
pub const DEPTH_MAX: usize = 16;
/// How many bytes a decoded name may have.
pub const NAME_BYTES_MAX: usize = 512;

/// A parameter, or everything under a common beginning of parameter names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    value: Option<String>,
    /// `None` in forms, where every value is a text that may stand for anything.
    token: Option<Token>,
    children: BTreeMap<String, Node>,
}

/// What a value is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    String,
    Number,
    True,
    False,
    List,
    Structure,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "STRING",
            Self::Number => "NUMBER",
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::List => "LIST",
            Self::Structure => "STRUCTURE",
        })
    }
}

/// How a protocol spells the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// `Names.member.1`: AWS Query.
    Member,
    /// `Name.1`: EC2 Query.
    Flat,
}

/// Why a form is not a tree of parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A `%` is not followed by two hexadecimal digits.
    #[error(
        "the parameter at position {position} has a '%' that two hexadecimal digits must follow"
    )]
    BadEscape {
        /// Which parameter, counted from 1.
        position: usize,
    },
    /// The decoded bytes are not UTF-8.
    #[error("the parameter at position {position} is not UTF-8")]
    NotUtf8 {
        /// Which parameter, counted from 1.
        position: usize,
    },
    /// The name begins or ends with a dot, or has two in a row.
    #[error("the parameter name '{name}' has an empty part; write names like 'Tags.member.1.Key'")]
    EmptyPart {
        /// The decoded name.
        name: String,
    },
    /// The same name occurs twice.
    #[error("the parameter '{name}' is given more than once")]
    Repeated {
        /// The decoded name.
        name: String,
    },
    /// The name is longer than [`NAME_BYTES_MAX`].
    #[error("the parameter name at position {position} is longer than {NAME_BYTES_MAX} bytes")]
    NameTooLong {
        /// Which parameter, counted from 1.
        position: usize,
    },
    /// The name has more parts than [`DEPTH_MAX`].
    #[error("the parameter at position {position} is nested deeper than {DEPTH_MAX} levels")]
    TooDeep {
        /// Which parameter, counted from 1.
        position: usize,
    },
    /// There are more parameters than [`PARAMETERS_MAX`].
    #[error("a request may have at most {PARAMETERS_MAX} parameters; split it into several")]
    TooMany,
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let message = format!("The query string is malformed: {error}.");
        match error {
            QueryError::BadEscape { .. }
            | QueryError::NotUtf8 { .. }
            | QueryError::EmptyPart { .. } => ApiError::new("MalformedQueryString", 404, message),
            QueryError::Repeated { .. }
            | QueryError::NameTooLong { .. }
            | QueryError::TooDeep { .. }
            | QueryError::TooMany => ApiError::sender("InvalidQueryParameter", message),
        }
    }
}

/// A parameter has the wrong form for what is read from it, such as a text where a list is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongForm(&'static str);

impl From<WrongForm> for ApiError {
    fn from(error: WrongForm) -> Self {
        ApiError::sender("MalformedInput", error.0)
    }
}

/// Decodes a form: the body of a `POST` or the query of a `GET`.
///
/// # Errors
/// [`QueryError`], which says which parameter is at fault; nothing is guessed or dropped.
pub fn decode(form: &[u8]) -> Result<Node, QueryError> {
    let mut root = Node::default();
    root.merge(form)?;
    Ok(root)
}

impl Node {
    /// Adds the parameters of another form, for a `POST` with parameters in both URL and body.
    ///
    /// # Errors
    /// As [`decode`]; a parameter that is already there is [`QueryError::Repeated`].
    pub fn merge(&mut self, form: &[u8]) -> Result<(), QueryError> {
        let parameters = form
            .split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty());
        for (index, pair) in parameters.enumerate() {
            if index >= PARAMETERS_MAX {
                return Err(QueryError::TooMany);
            }
            let position = index + 1;
            let (name, value) = split_pair(pair);
            self.insert(text(name, position)?, text(value, position)?, position)?;
        }
        Ok(())
    }

    /// A plain value.
    pub(crate) fn from_text(text: String) -> Self {
        Self {
            value: Some(text),
            ..Self::default()
        }
    }

    /// Puts `member` in place of the member `name`, or removes that.
    pub(crate) fn set(&mut self, name: &str, member: Option<Self>) {
        match member {
            Some(member) => self.children.insert(name.to_owned(), member),
            None => self.children.remove(name),
        };
    }

    /// What a JSON text says, as a tree of parameters: a list is a structure with `member`, a null is
    /// absent.
    pub(crate) fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value;
        let structure = |children| Self {
            children,
            ..Self::default()
        };
        let token = |token, node| Self {
            token: Some(token),
            ..node
        };
        match json {
            Value::Null => Self::default(),
            Value::Bool(true) => token(Token::True, Self::from_text("true".to_owned())),
            Value::Bool(false) => token(Token::False, Self::from_text("false".to_owned())),
            Value::Number(value) => token(Token::Number, Self::from_text(value.to_string())),
            Value::String(value) => token(Token::String, Self::from_text(value.clone())),
            Value::Array(elements) if elements.is_empty() => {
                token(Token::List, Self::from_text(String::new()))
            }
            Value::Array(elements) => {
                let numbered = elements.iter().enumerate();
                let children = numbered
                    .map(|(index, element)| ((index + 1).to_string(), Self::from_json(element)))
                    .collect();
                let members = BTreeMap::from([("member".to_owned(), structure(children))]);
                token(Token::List, structure(members))
            }
            Value::Object(members) => {
                let given = members.iter().filter(|(_, value)| !value.is_null());
                let children = given.map(|(name, value)| (name.clone(), Self::from_json(value)));
                token(Token::Structure, structure(children.collect()))
            }
        }
    }

    /// The value of this parameter; `None` if there are only parameters below it.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What it is in JSON; `None` for a null and all that does not come from JSON.
    pub(crate) fn token(&self) -> Option<Token> {
        self.token
    }

    /// The member `name`, if any parameter mentions it.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.get(name)
    }

    /// The value of the member `name`; `None` if it is absent or a structure.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.child(name)?.value()
    }

    /// The members and their names, in the order of their bytes.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.children
            .iter()
            .map(|(name, child)| (name.as_str(), child))
    }

    /// The elements of this list in the order of their numbers, which may have gaps.
    ///
    /// `Names=` is the empty list, which some clients send to say "replace with nothing".
    ///
    /// # Errors
    /// [`WrongForm`] if this is a text or a structure.
    pub fn elements(&self, lists: Lists) -> Result<Vec<&Node>, WrongForm> {
        let parent = match (lists, self.value(), self.children.len()) {
            (_, Some(""), 0) | (_, None, 0) => return Ok(Vec::new()),
            (Lists::Flat, None, _) => self,
            (Lists::Member, None, 1) => self.child("member").ok_or(WrongForm(
                "Start of structure or map found where not expected.",
            ))?,
            _ => return Err(WrongForm("Unexpected list element termination")),
        };
        parent.numbered()
    }

    /// The entries of this map (`X.entry.1.key=a&X.entry.1.value=b`) in the order of their numbers.
    ///
    /// # Errors
    /// [`WrongForm`] if this is a text or another structure, or an entry lacks its key or value.
    pub fn entries(&self) -> Result<Vec<(&str, &str)>, WrongForm> {
        const NOT_A_MAP: WrongForm = WrongForm("Unexpected map element termination");
        match (self.value(), self.child("entry")) {
            (None | Some(""), None) if self.children.is_empty() => Ok(Vec::new()),
            (None, Some(entries)) => entries
                .numbered()?
                .into_iter()
                .map(|entry| entry.text("key").zip(entry.text("value")).ok_or(NOT_A_MAP))
                .collect(),
            _ => Err(NOT_A_MAP),
        }
    }

    fn numbered(&self) -> Result<Vec<&Node>, WrongForm> {
        const NOT_A_NUMBER: WrongForm =
            WrongForm("A list element must be named by a number from 1, such as 'member.1'.");
        if self.value.is_some() {
            return Err(WrongForm("Unexpected list element termination"));
        }
        let mut numbered = BTreeMap::new();
        for (name, child) in &self.children {
            let number: u32 = name.parse().map_err(|_| NOT_A_NUMBER)?;
            // `1` and `01` would be two names of one element.
            if number == 0 || numbered.insert(number, child).is_some() {
                return Err(NOT_A_NUMBER);
            }
        }
        Ok(numbered.into_values().collect())
    }

    fn insert(
        &mut self,
        name: Cow<'_, str>,
        value: Cow<'_, str>,
        position: usize,
    ) -> Result<(), QueryError> {
        if name.len() > NAME_BYTES_MAX {
            return Err(QueryError::NameTooLong { position });
        }
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth >= DEPTH_MAX {
                return Err(QueryError::TooDeep { position });
            }
            if part.is_empty() {
                return Err(QueryError::EmptyPart {
                    name: name.into_owned(),
                });
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        match node.value.replace(value.into_owned()) {
            Some(_) => Err(QueryError::Repeated {
                name: name.into_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// A pair without `=` is a name with an empty value.
fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

fn text(encoded: &[u8], position: usize) -> Result<Cow<'_, str>, QueryError> {
    if !escapes_are_complete(encoded) {
        return Err(QueryError::BadEscape { position });
    }
    let spaced: Cow<'_, [u8]> = match encoded.contains(&b'+') {
        true => encoded
            .iter()
            .map(|&byte| if byte == b'+' { b' ' } else { byte })
            .collect(),
        false => encoded.into(),
    };
    let decoded: Vec<u8> = percent_decode(&spaced).collect();
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| QueryError::NotUtf8 { position })
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(crate) fn escapes_are_complete(encoded: &[u8]) -> bool {
    encoded
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'%')
        .all(|(at, _)| {
            encoded
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(form: &str) -> Node {
        decode(form.as_bytes()).unwrap_or_else(|error| panic!("{form}: {error}"))
    }

    fn check_list(form: &str, lists: Lists, expected: &[&str]) {
        let root = tree(form);
        let elements = root.child("L").expect(form).elements(lists).expect(form);
        let values: Vec<_> = elements
            .iter()
            .map(|node| node.value().unwrap_or(""))
            .collect();
        assert_eq!(values, expected, "{form}");
    }

    #[test]
    fn values_are_form_decoded() {
        let root = tree("Action=Do&A=1+2%2b3&Name=%C3%A4&Empty=&Bare&&Sum=a=b");
        assert_eq!(root.text("Action"), Some("Do"));
        assert_eq!(root.text("A"), Some("1 2+3"));
        assert_eq!(root.text("Name"), Some("ä"));
        assert_eq!(root.text("Empty"), Some(""));
        assert_eq!(root.text("Bare"), Some(""));
        assert_eq!(
            root.text("Sum"),
            Some("a=b"),
            "only the first '=' separates"
        );
        assert_eq!(root.text("Absent"), None);
    }

    #[test]
    fn lists_follow_their_numbers() {
        check_list("L.member.1=a&L.member.2=b", Lists::Member, &["a", "b"]);
        check_list("L.member.10=j&L.member.9=i", Lists::Member, &["i", "j"]);
        check_list("L.member.3=c&L.member.1=a", Lists::Member, &["a", "c"]);
        check_list("L=", Lists::Member, &[]);
        check_list("L.1=a&L.2=b", Lists::Flat, &["a", "b"]);
        check_list("L=", Lists::Flat, &[]);
    }

    #[test]
    fn structures_nest() {
        let root = tree("A.member.1.F.G.member.1.W=5&A.member.1.F.G.member.2.W=6");
        let action = root.child("A").unwrap().elements(Lists::Member).unwrap()[0];
        let groups = action
            .child("F")
            .unwrap()
            .child("G")
            .unwrap()
            .elements(Lists::Member)
            .unwrap();
        let weights: Vec<_> = groups
            .iter()
            .map(|group| group.text("W").unwrap())
            .collect();
        assert_eq!(weights, ["5", "6"]);
    }

    #[test]
    fn maps_have_keys_and_values() {
        let root = tree("M.entry.1.key=k&M.entry.1.value=v&M.entry.2.key=l&M.entry.2.value=");
        assert_eq!(
            root.child("M").unwrap().entries().unwrap(),
            [("k", "v"), ("l", "")]
        );
        assert!(
            tree("M.entry.1.key=k")
                .child("M")
                .unwrap()
                .entries()
                .is_err()
        );
        assert!(tree("M=x").child("M").unwrap().entries().is_err());
        assert_eq!(tree("M=").child("M").unwrap().entries().unwrap(), []);
    }

    #[test]
    fn what_is_not_a_list_is_refused() {
        for form in [
            "L=a",
            "L.member=a",
            "L.other.1=a",
            "L.member.x=a",
            "L.member.0=a",
            "L.member.1=a&L.member.01=b",
            "L.member.1=a&L.x=b",
            "L.member.1=a&L=b",
            "L.member.-1=a",
        ] {
            let root = tree(form);
            let error = root
                .child("L")
                .unwrap()
                .elements(Lists::Member)
                .expect_err(form);
            assert_eq!(ApiError::from(error).code, "MalformedInput", "{form}");
        }
        assert!(
            tree("L.a=1")
                .child("L")
                .unwrap()
                .elements(Lists::Flat)
                .is_err()
        );
    }

    #[test]
    fn malformed_forms_are_refused() {
        let long = format!("{}=1", "n".repeat(NAME_BYTES_MAX + 1));
        let deep = format!("{}=1", vec!["a"; DEPTH_MAX + 1].join("."));
        let many: Vec<_> = (0..=PARAMETERS_MAX)
            .map(|number| format!("p{number}=1"))
            .collect();
        let many = many.join("&");
        for (form, code, status) in [
            (&b"A=%"[..], "MalformedQueryString", 404),
            (b"A=%2", "MalformedQueryString", 404),
            (b"A=%zz", "MalformedQueryString", 404),
            (b"%A=1", "MalformedQueryString", 404),
            (b"A=%ff", "MalformedQueryString", 404),
            (b"A=\xff", "MalformedQueryString", 404),
            (b"A..B=1", "MalformedQueryString", 404),
            (b".A=1", "MalformedQueryString", 404),
            (b"A.=1", "MalformedQueryString", 404),
            (b"=1", "MalformedQueryString", 404),
            (b"A=1&A=2", "InvalidQueryParameter", 400),
            (long.as_bytes(), "InvalidQueryParameter", 400),
            (deep.as_bytes(), "InvalidQueryParameter", 400),
            (many.as_bytes(), "InvalidQueryParameter", 400),
        ] {
            let shown = String::from_utf8_lossy(&form[..form.len().min(40)]);
            let error = ApiError::from(decode(form).expect_err(&shown));
            assert_eq!((error.code, error.status), (code, status), "{shown}");
        }
    }

    #[test]
    fn parameters_of_url_and_body_are_one_form() {
        let mut root = tree("Action=A");
        root.merge(b"Version=1").unwrap();
        assert_eq!(root.text("Version"), Some("1"));
        assert_eq!(
            root.merge(b"Action=B"),
            Err(QueryError::Repeated {
                name: "Action".into()
            })
        );
    }

    fn encode(text: &str) -> String {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(form: Vec<u8>) {
            if let Ok(root) = decode(&form) {
                for (_, child) in root.children() {
                    let _ = child.elements(Lists::Member);
                    let _ = child.elements(Lists::Flat);
                    let _ = child.entries();
                }
            }
        }

        #[test]
        fn what_was_encoded_is_decoded(values in proptest::collection::vec(".*", 1..20)) {
            let form: Vec<_> = values
                .iter()
                .enumerate()
                .map(|(index, value)| format!("L.member.{}={}", index + 1, encode(value)))
                .collect();
            let root = decode(form.join("&").as_bytes()).unwrap();
            let elements = root.child("L").unwrap().elements(Lists::Member).unwrap();
            let decoded: Vec<_> = elements.iter().map(|node| node.value().unwrap()).collect();
            prop_assert_eq!(decoded, values);
        }
    }
}

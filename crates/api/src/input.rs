//! Reads the input of an operation from its parameters, and says everything that is wrong with it at once.
//!
//! A reader names each member of the API's model with its shape; a member that elbow does not know is
//! ignored, as AWS does. What a broken member reads as is a placeholder that never leaves [`decode`].
//! Source: the texts are those of the services' generated front end.

pub(crate) mod shape;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;

use crate::ApiError;
use crate::query::{Lists, Node, Token};
use shape::Unfit;

pub(crate) use shape::{BOOLEAN, Blob, INTEGER, LONG, OneOf, Scalar, TEXT, TIMESTAMP};

/// Reads a structure with `read`.
///
/// # Errors
/// `MalformedInput` or `InvalidParameterValue` for a parameter that does not have the form of its
/// member, else one `ValidationError` for all members that are absent or break a constraint.
pub(crate) fn decode<T>(input: &Node, read: impl FnOnce(&Fields<'_>) -> T) -> Result<T, ApiError> {
    let faults = RefCell::default();
    let value = read_structure(input, String::new(), &faults, read);
    let Faults {
        malformed,
        violations,
        ignored,
    } = faults.into_inner();
    if !ignored.is_empty() {
        tracing::debug!(parameters = ?ignored, "ignored parameters that the operation does not have");
    }
    match (malformed, violations.len()) {
        (Some(error), _) => Err(error),
        (None, 0) => Ok(value),
        (None, 1) => Err(violation("1 validation error", &violations)),
        (None, count) => Err(violation(
            &format!("{count} validation errors"),
            &violations,
        )),
    }
}

fn violation(count: &str, violations: &[String]) -> ApiError {
    ApiError::validation(format!("{count} detected: {}", violations.join("; ")))
}

/// What is wrong with a request.
#[derive(Debug, Default)]
struct Faults {
    malformed: Option<ApiError>,
    violations: Vec<String>,
    ignored: Vec<String>,
}

const LIST_NOT_EXPECTED: &str = "Start of list found where not expected";
const STRUCTURE_NOT_EXPECTED: &str = "Start of structure or map found where not expected.";

/// The members of one structure.
pub(crate) struct Fields<'a> {
    node: &'a Node,
    /// Where the structure is, as violations name it: empty, or ending with a dot.
    path: String,
    faults: &'a RefCell<Faults>,
    asked: RefCell<BTreeSet<&'static str>>,
}

fn read_structure<T>(
    node: &Node,
    path: String,
    faults: &RefCell<Faults>,
    read: impl FnOnce(&Fields<'_>) -> T,
) -> T {
    let fields = Fields {
        node,
        path,
        faults,
        asked: RefCell::default(),
    };
    let misfit = match (node.token(), node.value()) {
        (Some(Token::List), _) => Some(LIST_NOT_EXPECTED),
        (Some(Token::Structure), _) => None,
        (Some(_), _) => Some("Expected null"),
        (None, Some("") | None) => None,
        (None, Some(_)) => Some("Unexpected complex element termination"),
    };
    if let Some(message) = misfit {
        fields.malformed(ApiError::sender("MalformedInput", message));
    }
    let value = read(&fields);
    fields.note_ignored();
    value
}

impl<'a> Fields<'a> {
    /// A member that has to be there.
    pub(crate) fn required<S: Scalar>(&self, name: &'static str, shape: S) -> S::Value {
        match self.ask(name) {
            Some(node) => self.scalar(name, node, &shape),
            None => {
                self.null(name);
                None
            }
        }
        .unwrap_or_else(|| shape.placeholder())
    }

    /// A member that may be absent.
    pub(crate) fn optional<S: Scalar>(&self, name: &'static str, shape: S) -> Option<S::Value> {
        self.scalar(name, self.ask(name)?, &shape)
    }

    /// A list of plain values; absent is empty.
    pub(crate) fn list<S: Scalar>(&self, name: &'static str, shape: S) -> Vec<S::Value> {
        let Some(node) = self.ask(name) else {
            return Vec::new();
        };
        let elements = self.elements(node);
        let texts: Vec<&str> = elements
            .iter()
            .filter_map(|element| self.plain(element, &shape))
            .collect();
        let mut values = Vec::new();
        let mut broken = BTreeSet::new();
        for text in &texts {
            match shape.parse(text) {
                Ok(value) => values.push(value),
                Err(Unfit::Form(form)) => self.bad_form(name, text, form),
                Err(Unfit::Constraints(constraints)) => broken.extend(constraints),
            }
        }
        if !broken.is_empty() {
            let constraints: Vec<_> = broken
                .iter()
                .map(|text| format!("Member must {text}"))
                .collect();
            let constraint = format!("satisfy constraint: [{}]", constraints.join(", "));
            self.broken(name, &format!("[{}]", texts.join(", ")), &constraint);
        }
        values
    }

    /// A list of plain values that has to be there; it may be empty.
    pub(crate) fn required_list<S: Scalar>(&self, name: &'static str, shape: S) -> Vec<S::Value> {
        if self.ask(name).is_none() {
            self.null(name);
        }
        self.list(name, shape)
    }

    /// A structure, if it is there.
    pub(crate) fn structure<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Fields<'_>) -> T,
    ) -> Option<T> {
        let path = format!("{}{}.", self.path, lower_camel(name));
        Some(read_structure(self.ask(name)?, path, self.faults, read))
    }

    /// A list of structures; absent is empty.
    pub(crate) fn structures<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Fields<'_>) -> T,
    ) -> Vec<T> {
        let Some(node) = self.ask(name) else {
            return Vec::new();
        };
        let elements = self.elements(node).into_iter().enumerate();
        let read_element = |(index, element)| {
            let path = format!("{}{}.{}.member.", self.path, lower_camel(name), index + 1);
            read_structure(element, path, self.faults, &read)
        };
        elements.map(read_element).collect()
    }

    /// A list of structures that has to be there; it may be empty.
    pub(crate) fn required_structures<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Fields<'_>) -> T,
    ) -> Vec<T> {
        if self.ask(name).is_none() {
            self.null(name);
        }
        self.structures(name, read)
    }

    /// A map of plain values; absent is empty.
    pub(crate) fn map(&self, name: &'static str) -> Vec<(String, String)> {
        let Some(node) = self.ask(name) else {
            return Vec::new();
        };
        let entries = node.entries().unwrap_or_else(|error| {
            self.malformed(error.into());
            Vec::new()
        });
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        entries.into_iter().map(owned).collect()
    }

    /// Notes that a member has to be there, for one that is read by a function of its own.
    pub(crate) fn require(&self, name: &'static str) {
        if !self.is_present(name) {
            self.null(name);
        }
    }

    /// Whether anything is given for a member whose contents do not matter, because its presence alone
    /// is refused.
    pub(crate) fn is_present(&self, name: &'static str) -> bool {
        self.ask(name).is_some()
    }

    /// Notes that a list is shorter or longer than its shape allows.
    pub(crate) fn check_count(&self, name: &'static str, count: usize, min: usize, max: usize) {
        if !self.is_present(name) {
            return;
        }
        if count < min {
            self.broken(
                name,
                "[]",
                &format!("have length greater than or equal to {min}"),
            );
        } else if count > max {
            self.broken(
                name,
                &format!("[{count} items]"),
                &format!("have length less than or equal to {max}"),
            );
        }
    }

    /// The one member that is given of a union; `None`, which is noted, if there are more or none.
    pub(crate) fn only_one<T, const N: usize>(&self, members: [Option<T>; N]) -> Option<T> {
        let mut given = members.into_iter().flatten();
        let (first, has_more) = (given.next(), given.next().is_some());
        let mut faults = self.faults.borrow_mut();
        // A member that cannot be read is noted already.
        let is_empty =
            first.is_none() && faults.malformed.is_none() && faults.violations.is_empty();
        if has_more || is_empty {
            let path = self.path.trim_end_matches('.');
            faults.violations.push(format!(
                "Value at '{path}' failed to satisfy constraint: Member must have exactly one member"
            ));
        }
        first
    }

    fn ask(&self, name: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().insert(name);
        self.node.child(name)
    }

    fn scalar<S: Scalar>(&self, name: &str, node: &'a Node, shape: &S) -> Option<S::Value> {
        let text = self.plain(node, shape)?;
        match shape.parse(text) {
            Ok(value) => return Some(value),
            Err(Unfit::Form(form)) => self.bad_form(name, &shape.shown(text), form),
            Err(Unfit::Constraints(constraints)) => {
                for constraint in constraints {
                    self.broken(name, &shape.shown(text), &constraint);
                }
            }
        }
        None
    }

    /// The text of a value that may be one of this shape.
    fn plain<'n, S: Scalar>(&self, node: &'n Node, shape: &S) -> Option<&'n str> {
        let malformed = |message: &str| {
            self.malformed(ApiError::sender("MalformedInput", message));
            None
        };
        let text = node.value().filter(|_| node.children().next().is_none());
        match (node.token(), text) {
            (Some(Token::List), _) => malformed(LIST_NOT_EXPECTED),
            (_, None) => malformed(STRUCTURE_NOT_EXPECTED),
            (Some(token), Some(text)) => match shape.name_for_misfit(token) {
                Some(name) => malformed(&format!("{token}_VALUE can not be converted to {name}")),
                None => Some(text),
            },
            (None, text) => text,
        }
    }

    fn elements<'n>(&self, node: &'n Node) -> Vec<&'n Node> {
        let elements = match node.token() {
            Some(Token::Structure) => {
                Err(ApiError::sender("MalformedInput", STRUCTURE_NOT_EXPECTED))
            }
            Some(token) if token != Token::List => {
                Err(ApiError::sender("MalformedInput", "Expected list or null"))
            }
            _ => node.elements(Lists::Member).map_err(ApiError::from),
        };
        elements.unwrap_or_else(|error| {
            self.malformed(error);
            Vec::new()
        })
    }

    fn bad_form(&self, name: &str, value: &str, form: &str) {
        let message = format!(
            "The value '{value}' of '{}' is not {form}.",
            self.path_of(name)
        );
        self.malformed(ApiError::sender("InvalidParameterValue", message));
    }

    /// The first one is told.
    fn malformed(&self, error: ApiError) {
        self.faults.borrow_mut().malformed.get_or_insert(error);
    }

    fn null(&self, name: &str) {
        self.violated(format_args!("null"), name, "not be null");
    }

    fn broken(&self, name: &str, value: &str, constraint: &str) {
        self.violated(format_args!("'{value}'"), name, constraint);
    }

    fn violated(&self, value: impl Display, name: &str, constraint: &str) {
        let path = self.path_of(name);
        self.faults.borrow_mut().violations.push(format!(
            "Value {value} at '{path}' failed to satisfy constraint: Member must {constraint}"
        ));
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}{}", self.path, lower_camel(name))
    }

    fn note_ignored(&self) {
        let asked = self.asked.borrow();
        let is_protocol = |name: &str| self.path.is_empty() && matches!(name, "Action" | "Version");
        let unknown = self.node.children().map(|(name, _)| name);
        let unknown = unknown.filter(|name| !asked.contains(name) && !is_protocol(name));
        let paths = unknown.map(|name| format!("{}{name}", self.path));
        self.faults.borrow_mut().ignored.extend(paths);
    }
}

/// Violations spell `LoadBalancerArn` as `loadBalancerArn`.
pub(crate) fn lower_camel(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// The parameters that `read` does not ask for, by path.
#[cfg(test)]
pub(crate) fn ignored<T>(input: &Node, read: impl FnOnce(&Fields<'_>) -> T) -> Vec<String> {
    let faults = RefCell::default();
    read_structure(input, String::new(), &faults, read);
    faults.into_inner().ignored
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    #[derive(Debug, PartialEq)]
    struct Thing {
        name: String,
        size: Option<i32>,
        is_on: Option<bool>,
        kinds: Vec<&'static str>,
        tags: Vec<(String, Option<String>)>,
        inner: Option<i32>,
        long: Option<i64>,
        map: Vec<(String, String)>,
    }

    const KINDS: OneOf<&str> = OneOf(&["a", "b"]);

    fn thing(fields: &Fields<'_>) -> Thing {
        Thing {
            name: fields.required("Name", TEXT.at_most(5)),
            size: fields.optional("Size", INTEGER.within(1, 400)),
            is_on: fields.optional("IsOn", BOOLEAN),
            kinds: fields.list("Kinds", KINDS),
            tags: fields.structures("Tags", |tag| {
                (tag.required("Key", TEXT), tag.optional("Value", TEXT))
            }),
            inner: fields.structure("Inner", |inner| inner.required("Number", INTEGER)),
            long: fields.optional("Long", LONG),
            map: fields.map("Map"),
        }
    }

    fn check(form: &str, expected: Result<Thing, (&str, &str)>) {
        let tree = query::decode(form.as_bytes()).unwrap();
        let read = decode(&tree, thing);
        let read = read
            .as_ref()
            .map_err(|error| (error.code, error.message.as_str()));
        assert_eq!(read, expected.as_ref().map_err(|error| *error), "{form}");
    }

    #[test]
    fn members_are_read_by_their_shapes() {
        check(
            "Action=X&Name=n&Size=400&IsOn=true&Kinds.member.1=b&Tags.member.1.Key=k&Inner.Number=-1&Other=1\
             &Long=9999999999&Map.entry.1.key=a&Map.entry.1.value=b",
            Ok(Thing {
                name: "n".into(),
                size: Some(400),
                is_on: Some(true),
                kinds: vec!["b"],
                tags: vec![("k".into(), None)],
                inner: Some(-1),
                long: Some(9_999_999_999),
                map: vec![("a".into(), "b".into())],
            }),
        );
        let nothing = Thing {
            name: String::new(),
            size: None,
            is_on: None,
            kinds: vec![],
            tags: vec![],
            inner: None,
            long: None,
            map: vec![],
        };
        check("Name=&Kinds=&Tags=", Ok(nothing));
    }

    #[test]
    fn all_violations_are_told() {
        check(
            "Size=0&Kinds.member.1=a&Kinds.member.2=c",
            Err((
                "ValidationError",
                "3 validation errors detected: \
                 Value null at 'name' failed to satisfy constraint: Member must not be null; \
                 Value '0' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1; \
                 Value '[a, c]' at 'kinds' failed to satisfy constraint: Member must satisfy constraint: \
                 [Member must satisfy enum value set: [a, b]]",
            )),
        );
        check(
            "Name=sixsix",
            Err((
                "ValidationError",
                "1 validation error detected: Value 'sixsix' at 'name' failed to satisfy constraint: \
                 Member must have length less than or equal to 5",
            )),
        );
        check(
            "Name=n&Tags.member.1.Key=k&Tags.member.2.Value=v&Inner=",
            Err((
                "ValidationError",
                "2 validation errors detected: \
                 Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null; \
                 Value null at 'inner.number' failed to satisfy constraint: Member must not be null",
            )),
        );
    }

    #[test]
    fn parameters_of_the_wrong_form_are_refused_first() {
        let structure = "Start of structure or map found where not expected.";
        for (form, code, message) in [
            (
                "Size=x",
                "InvalidParameterValue",
                "The value 'x' of 'size' is not a whole number.",
            ),
            (
                "Name=n&Size=99999999999",
                "InvalidParameterValue",
                "The value '99999999999' of 'size' is not a whole number.",
            ),
            (
                "Name=n&IsOn=yes",
                "InvalidParameterValue",
                "The value 'yes' of 'isOn' is not 'true' or 'false'.",
            ),
            (
                "Name=n&Long=x",
                "InvalidParameterValue",
                "The value 'x' of 'long' is not a whole number.",
            ),
            (
                "Name=n&Map.entry.1.key=a",
                "MalformedInput",
                "Unexpected map element termination",
            ),
            ("Name.member.1=n", "MalformedInput", structure),
            ("Name=n&Kinds.member.1.X=n", "MalformedInput", structure),
            (
                "Name=n&Kinds=a",
                "MalformedInput",
                "Unexpected list element termination",
            ),
            (
                "Name=n&Inner=a",
                "MalformedInput",
                "Unexpected complex element termination",
            ),
            (
                "Name=n&Tags.member.1=a",
                "MalformedInput",
                "Unexpected complex element termination",
            ),
        ] {
            check(form, Err((code, message)));
        }
    }

    #[test]
    fn parameters_nobody_asks_for_are_known() {
        let tree = query::decode(
            b"Action=X&Version=1&Name=n&Other=1&Tags.member.1.Key=k&Tags.member.1.Z=1",
        )
        .unwrap();
        assert_eq!(ignored(&tree, thing), ["tags.1.member.Z", "Other"]);
    }
}

//! Reads the input of an EC2 operation from its parameters.
//!
//! EC2 tells the first thing that is wrong, and knows all of its parameters: one that an operation does not
//! read is an error, so that nothing is ever accepted and dropped.

use std::cell::RefCell;
use std::collections::BTreeSet;

use control::ec2::{Ec2Error, Run};

use crate::ApiError;
use crate::query::{Lists, Node};

/// Reads a request with `read`, and whether it is to be carried out.
///
/// # Errors
/// What `read` finds, and `UnknownParameter` for a parameter that it does not ask for.
pub(super) fn decode<T>(
    input: &Node,
    read: impl FnOnce(&Fields<'_>) -> Result<T, ApiError>,
) -> Result<(Run, T), ApiError> {
    read_structure(input, String::new(), |fields| {
        fields.ask("Action");
        fields.ask("Version");
        let run = if fields.boolean("DryRun")?.unwrap_or(false) {
            Run::Dry
        } else {
            Run::Wet
        };
        Ok((run, read(fields)?))
    })
}

/// The members of one structure.
pub(super) struct Fields<'a> {
    node: &'a Node,
    /// Where the structure is: empty, or ending with a dot.
    path: String,
    asked: RefCell<BTreeSet<&'static str>>,
}

fn read_structure<T>(
    node: &Node,
    path: String,
    read: impl FnOnce(&Fields<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let fields = Fields {
        node,
        path,
        asked: RefCell::default(),
    };
    let value = read(&fields)?;
    fields.finish()?;
    Ok(value)
}

impl<'a> Fields<'a> {
    /// A text; `None` if it is absent or empty.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, ApiError> {
        Ok(self
            .value(name)?
            .filter(|text| !text.is_empty())
            .map(str::to_owned))
    }

    /// A text that has to be there; EC2 calls it `parameter` where it misses it.
    pub(super) fn required(
        &self,
        name: &'static str,
        parameter: &'static str,
    ) -> Result<String, ApiError> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => Err(Ec2Error::MissingParameter(parameter).into()),
        }
    }

    /// A text that may be empty; `None` if it is absent.
    pub(super) fn text_or_empty(&self, name: &'static str) -> Result<Option<String>, ApiError> {
        Ok(self.value(name)?.map(str::to_owned))
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.parse::<i32>() {
            Ok(number) => Ok(Some(number.into())),
            Err(_) => Err(self.invalid(name, &text, "It must be an integer.")),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(text) => Err(self.invalid(name, text, "It must be true or false.")),
        }
    }

    /// `true` or `false`, as the `Value` of a structure.
    pub(super) fn boolean_value(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        let value = self.structure(name, |attribute| attribute.boolean("Value"))?;
        Ok(value.flatten())
    }

    /// A structure; `None` if it is absent.
    pub(super) fn structure<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Fields<'_>) -> Result<T, ApiError>,
    ) -> Result<Option<T>, ApiError> {
        let Some(node) = self.ask(name) else {
            return Ok(None);
        };
        if node.value().is_some() {
            return Err(self.malformed(name));
        }
        read_structure(node, format!("{}{name}.", self.path), read).map(Some)
    }

    /// A list of texts; absent is empty.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>, ApiError> {
        let Some(list) = self.ask(name) else {
            return Ok(Vec::new());
        };
        let elements = list
            .elements(Lists::Flat)
            .map_err(|_| self.malformed(name))?;
        let text = |element: &Node| match element.value() {
            Some(text) if element.children().next().is_none() => Ok(text.to_owned()),
            _ => Err(self.malformed(name)),
        };
        elements.into_iter().map(text).collect()
    }

    /// A list of structures; absent is empty.
    pub(super) fn structures<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Fields<'_>) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        let Some(list) = self.ask(name) else {
            return Ok(Vec::new());
        };
        let elements = list
            .elements(Lists::Flat)
            .map_err(|_| self.malformed(name))?;
        let numbered = elements.into_iter().enumerate();
        let read_element = |(index, element): (usize, &Node)| {
            if element.value().is_some() {
                return Err(self.malformed(name));
            }
            read_structure(
                element,
                format!("{}{name}.{}.", self.path, index + 1),
                &read,
            )
        };
        numbered.map(read_element).collect()
    }

    /// Refuses parameters that EC2 has and elbow does not honour; `because` ends the sentence.
    pub(super) fn refuse(&self, names: &[&'static str], because: &str) -> Result<(), ApiError> {
        match names.iter().find(|name| self.ask(name).is_some()) {
            Some(name) => Err(self.unsupported(name, because)),
            None => Ok(()),
        }
    }

    /// Refuses switches that elbow does not honour, unless they are off.
    pub(super) fn refuse_true(
        &self,
        names: &[&'static str],
        because: &str,
    ) -> Result<(), ApiError> {
        for name in names {
            if self.boolean(name)?.unwrap_or(false) {
                return Err(self.unsupported(name, because));
            }
        }
        Ok(())
    }

    /// The same for switches that are the `Value` of a structure.
    pub(super) fn refuse_true_value(
        &self,
        names: &[&'static str],
        because: &str,
    ) -> Result<(), ApiError> {
        for name in names {
            if self.boolean_value(name)?.unwrap_or(false) {
                return Err(self.unsupported(name, because));
            }
        }
        Ok(())
    }

    fn ask(&self, name: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().insert(name);
        self.node.child(name)
    }

    fn value(&self, name: &'static str) -> Result<Option<&'a str>, ApiError> {
        let Some(node) = self.ask(name) else {
            return Ok(None);
        };
        match node.value() {
            Some(text) if node.children().next().is_none() => Ok(Some(text)),
            _ => Err(self.malformed(name)),
        }
    }

    fn finish(&self) -> Result<(), ApiError> {
        let asked = self.asked.borrow();
        match self.node.children().find(|(name, _)| !asked.contains(name)) {
            Some((name, _)) => Err(ApiError::sender(
                "UnknownParameter",
                format!("The parameter {}{name} is not recognized", self.path),
            )),
            None => Ok(()),
        }
    }

    /// The refusal of a value.
    pub(super) fn invalid(&self, name: &str, value: &str, expectation: &str) -> ApiError {
        let path = &self.path;
        ApiError::sender(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {path}{name} is invalid. {expectation}"),
        )
    }

    fn malformed(&self, name: &str) -> ApiError {
        ApiError::sender(
            "InvalidParameter",
            format!(
                "The parameter {}{name} does not have the form of its type; lists are numbered from 1, such \
                 as 'Filter.1.Value.1'",
                self.path
            ),
        )
    }

    /// The refusal of a parameter that EC2 has; `because` ends the sentence.
    pub(super) fn unsupported(&self, name: &str, because: &str) -> ApiError {
        ApiError::sender(
            "UnsupportedOperation",
            format!(
                "elbow does not support the parameter {}{name}: {because}",
                self.path
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    fn read(fields: &Fields<'_>) -> Result<String, ApiError> {
        fields.refuse(&["KeyName"], "there are no keys")?;
        fields.refuse_true(&["EbsOptimized"], "there are no disks")?;
        let filters = fields.structures("Filter", |filter| {
            Ok(format!(
                "{:?}={:?}",
                filter.text("Name")?,
                filter.texts("Value")?
            ))
        })?;
        let (name, size) = (fields.text("Name")?, fields.integer("Size")?);
        Ok(format!("{name:?} {size:?} {}", filters.join(",")))
    }

    fn check(form: &str, expected: Result<&str, (&str, &str)>) {
        let node = query::decode(form.as_bytes()).unwrap();
        let found = decode(&node, read);
        let found = found.as_ref().map(|(_, text)| text.as_str());
        let found = found.map_err(|error| (error.code, error.message.as_str()));
        match (&found, &expected) {
            (Err((code, message)), Err((expected_code, part))) => {
                assert_eq!(code, expected_code, "{form}: {message}");
                assert!(message.contains(part), "{form}: {message}");
            }
            _ => assert_eq!(found, expected, "{form}"),
        }
    }

    #[test]
    fn parameters_are_read_by_their_types() {
        check("Action=A&Version=1", Ok("None None "));
        check("Name=&Size=5", Ok("None Some(5) "));
        check(
            "Name=n&Filter.1.Name=a&Filter.1.Value.1=x&Filter.1.Value.2=y&Filter.7.Name=b",
            Ok(r#"Some("n") None Some("a")=["x", "y"],Some("b")=[]"#),
        );
        check("EbsOptimized=false", Ok("None None "));
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        check(
            "Colour=red",
            Err(("UnknownParameter", "The parameter Colour is not recognized")),
        );
        check(
            "Filter.2.Size=1",
            Err(("UnknownParameter", "The parameter Filter.1.Size")),
        );
        check(
            "KeyName=k",
            Err(("UnsupportedOperation", "KeyName: there are no keys")),
        );
        check("KeyName.1=k", Err(("UnsupportedOperation", "KeyName")));
        check(
            "EbsOptimized=true",
            Err(("UnsupportedOperation", "EbsOptimized: there are no disks")),
        );
    }

    #[test]
    fn what_does_not_have_the_form_of_its_type_is_refused() {
        check(
            "Size=x",
            Err(("InvalidParameterValue", "Value (x) for parameter Size")),
        );
        check("Size=3000000000", Err(("InvalidParameterValue", "Size")));
        check(
            "EbsOptimized=maybe",
            Err(("InvalidParameterValue", "true or false")),
        );
        check("Name.1=n", Err(("InvalidParameter", "Name")));
        check("Filter=a", Err(("InvalidParameter", "Filter")));
        check("Filter.1=a", Err(("InvalidParameter", "Filter")));
        check("Filter.x.Name=a", Err(("InvalidParameter", "Filter")));
        check(
            "Filter.1.Value=a",
            Err(("InvalidParameter", "Filter.1.Value")),
        );
    }

    #[test]
    fn a_dry_run_is_told_from_a_wet_one() {
        for (form, run) in [
            ("A=", Run::Wet),
            ("DryRun=false", Run::Wet),
            ("DryRun=true", Run::Dry),
        ] {
            let node = query::decode(form.as_bytes()).unwrap();
            let (found, _) = decode(&node, |fields| fields.text("A")).unwrap();
            assert_eq!(found, run, "{form}");
        }
    }
}

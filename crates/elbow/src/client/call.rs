//! One API call, held so that it can both be sent and be shown as the `aws` command that makes it.
//!
//! The demo prints the command and sends the form of the same value: what is shown is what was done.

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The services these commands use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Elastic Load Balancing v2.
    Elbv2,
    /// EC2.
    Ec2,
    /// The access keys of elbow.
    Elbow,
}

impl Service {
    /// Its name in a signature's scope.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Elbv2 => "elasticloadbalancing",
            Self::Ec2 => "ec2",
            Self::Elbow => "elbow",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Elbv2 => "2015-12-01",
            Self::Ec2 => "2016-11-15",
            Self::Elbow => "2026-11-21",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Elbv2 => "elbv2",
            Self::Ec2 => "ec2",
            Self::Elbow => "elbow",
        }
    }

    /// The Query protocol puts `member` between a list and the number of an element, EC2 does not.
    fn element(self) -> &'static str {
        match self {
            Self::Elbv2 | Self::Elbow => ".member.",
            Self::Ec2 => ".",
        }
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, also numbers.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Members by name.
    Structure(Vec<(Name, Value)>),
}

/// What a parameter is called by clients and on the wire. EC2 has some for which these differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    client: &'static str,
    wire: &'static str,
}

impl Name {
    /// A parameter that clients call `client` and that is sent as `wire`.
    pub(crate) fn renamed(client: &'static str, wire: &'static str) -> Self {
        Self { client, wire }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::renamed(name, name)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Text(number.to_string())
    }
}

/// A list of values.
pub(crate) fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    Value::List(values.into_iter().map(Into::into).collect())
}

/// A structure with these members.
pub(crate) fn structure<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::Structure(members.map(|(name, value)| (name.into(), value)).to_vec())
}

/// An operation of a service with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    service: Service,
    action: &'static str,
    parameters: Vec<(Name, Value)>,
}

impl Call {
    /// A call without parameters.
    pub(crate) fn new(service: Service, action: &'static str) -> Self {
        Self {
            service,
            action,
            parameters: Vec::new(),
        }
    }

    /// The same call with one more parameter.
    #[must_use]
    pub(crate) fn with(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// The same call with a parameter that the `aws` command sends without being told to.
    #[must_use]
    pub(crate) fn implied(self, wire: &'static str, value: impl Into<Value>) -> Self {
        self.with(Name::renamed("", wire), value)
    }

    /// The same call for only what has `value` as its `name`; for the Describe operations of EC2.
    #[must_use]
    pub(crate) fn filter(self, name: &str, value: &str) -> Self {
        let filter = Value::Structure(vec![
            ("Name".into(), name.into()),
            (Name::renamed("Values", "Value"), list([value])),
        ]);
        self.with(Name::renamed("Filters", "Filter"), list([filter]))
    }

    /// The operation.
    pub(crate) fn action(&self) -> &'static str {
        self.action
    }

    /// The service that has it.
    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// The body of the request. Source: AWS Query protocol, "Serialization of parameters".
    pub(super) fn form(&self) -> String {
        let mut form = format!("Action={}&Version={}", self.action, self.service.version());
        for (name, value) in &self.parameters {
            self.write_form(name.wire, value, &mut form);
        }
        form
    }

    fn write_form(&self, key: &str, value: &Value, form: &mut String) {
        match value {
            Value::Text(text) => {
                let _ = write!(form, "&{key}={}", utf8_percent_encode(text, RESERVED));
            }
            Value::List(values) => {
                let element = self.service.element();
                for (index, value) in values.iter().enumerate() {
                    self.write_form(&format!("{key}{element}{}", index + 1), value, form);
                }
            }
            Value::Structure(members) => {
                for (name, value) in members {
                    self.write_form(&format!("{key}.{}", name.wire), value, form);
                }
            }
        }
    }
}

impl fmt::Display for Call {
    /// The `aws` command that makes this call, ready for a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "aws {} {}",
            self.service.command(),
            hyphenated(self.action)
        )?;
        let shown = |(name, _): &&(Name, Value)| !name.client.is_empty();
        for (name, value) in self.parameters.iter().filter(shown) {
            write!(f, " --{}", hyphenated(name.client))?;
            match value {
                Value::List(values) => {
                    for value in values {
                        write!(f, " {}", quoted(&shorthand(value, Depth::Top)))?;
                    }
                }
                value => write!(f, " {}", quoted(&shorthand(value, Depth::Top)))?,
            }
        }
        Ok(())
    }
}

/// Where a value stands in the shorthand syntax: only inner structures and lists are bracketed.
#[derive(Clone, Copy)]
enum Depth {
    Top,
    Inner,
}

/// Source: AWS CLI guide, "Using shorthand syntax".
fn shorthand(value: &Value, depth: Depth) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match (value, depth) {
        (Value::Text(text), _) => text.clone(),
        (Value::List(values), _) => {
            let values = values.iter().map(|value| shorthand(value, Depth::Inner));
            format!("[{}]", joined(values.collect()))
        }
        (Value::Structure(members), depth) => {
            let member = |(name, value): &(Name, Value)| {
                format!("{}={}", name.client, shorthand(value, Depth::Inner))
            };
            let members = joined(members.iter().map(member).collect());
            match depth {
                Depth::Top => members,
                Depth::Inner => format!("{{{members}}}"),
            }
        }
    }
}

/// `TargetGroupArn` becomes `target-group-arn`.
fn hyphenated(name: &str) -> String {
    let mut words = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// As it has to be typed in a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=,./:@+".contains(&b);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_gives_the_command_and_the_form() {
        let redirect = structure([("Path", "/new".into()), ("StatusCode", "HTTP_301".into())]);
        let action = structure([("Type", "redirect".into()), ("RedirectConfig", redirect)]);
        let condition = structure([
            ("Field", "path-pattern".into()),
            ("Values", list(["/old/*"])),
        ]);
        let call = Call::new(Service::Elbv2, "CreateRule")
            .with("Priority", 10)
            .with("Conditions", list([condition]))
            .with("Actions", list([action]));
        assert_eq!(
            call.to_string(),
            "aws elbv2 create-rule --priority 10 \
             --conditions 'Field=path-pattern,Values=[/old/*]' \
             --actions 'Type=redirect,RedirectConfig={Path=/new,StatusCode=HTTP_301}'"
        );
        assert_eq!(
            call.form(),
            "Action=CreateRule&Version=2015-12-01&Priority=10\
             &Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=%2Fold%2F%2A\
             &Actions.member.1.Type=redirect&Actions.member.1.RedirectConfig.Path=%2Fnew\
             &Actions.member.1.RedirectConfig.StatusCode=HTTP_301"
        );
    }

    #[test]
    fn ec2_has_its_own_names_and_lists() {
        let tag = structure([("Key", "Name".into()), ("Value", "web 'a'".into())]);
        let tags = Value::Structure(vec![
            ("ResourceType".into(), "instance".into()),
            (Name::renamed("Tags", "Tag"), list([tag])),
        ]);
        let call = Call::new(Service::Ec2, "RunInstances").with(
            Name::renamed("TagSpecifications", "TagSpecification"),
            list([tags]),
        );
        assert_eq!(
            call.to_string(),
            r"aws ec2 run-instances --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web '\''a'\''}]'"
        );
        assert_eq!(
            call.form(),
            "Action=RunInstances&Version=2016-11-15&TagSpecification.1.ResourceType=instance\
             &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web%20%27a%27"
        );
    }
}

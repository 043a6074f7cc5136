//! Inputs and results as CloudTrail has them: names in lower camel case, lists as arrays, secrets hidden.
//!
//! Values are text, as the Query protocols send them.

use serde_json::{Map, Value};

use super::Outcome;
use crate::input::lower_camel;
use crate::query::Node;

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The members that are secrets, whatever the case of their letters: an operation ignores what it does not know,
/// so that a secret can come under a misspelt name.
const SECRETS: [&str; 8] = [
    "clientsecret",
    "mackey",
    "passphrase",
    "password",
    "privatekey",
    "secret",
    "secretaccesskey",
    // Of RunInstances.
    "userdata",
];

/// The input of an operation; null if it has no members. Adds the values that are hidden to `hidden`.
pub(super) fn of_input(input: &Node, hidden: &mut Vec<String>) -> Value {
    let members = input
        .children()
        // They say which operation it is.
        .filter(|(name, _)| !matches!(*name, "Action" | "Version"));
    let members: Map<_, _> = members
        .map(|(name, node)| member(name, node, hidden))
        .collect();
    match members.is_empty() {
        true => Value::Null,
        false => Value::Object(members),
    }
}

fn member(name: &str, node: &Node, hidden: &mut Vec<String>) -> (String, Value) {
    let value = match is_secret(name) {
        true => {
            hide(node, hidden);
            HIDDEN.into()
        }
        false => of_node(node, hidden),
    };
    (lower_camel(name), value)
}

fn of_node(node: &Node, hidden: &mut Vec<String>) -> Value {
    if let Some(text) = node.value() {
        return text.into();
    }
    if let Some(list) = node.child("member") {
        return of_node(list, hidden);
    }
    let mut elements: Vec<_> = node
        .children()
        .filter_map(|(name, element)| Some((name.parse::<u32>().ok()?, element)))
        .collect();
    if elements.len() == node.children().count() {
        elements.sort_by_key(|(number, _)| *number);
        let elements = elements.into_iter();
        return elements.map(|(_, it)| of_node(it, hidden)).collect();
    }
    let members = node
        .children()
        .map(|(name, node)| member(name, node, hidden));
    Value::Object(members.collect())
}

/// Every text in `node` is a part of a secret.
fn hide(node: &Node, hidden: &mut Vec<String>) {
    hidden.extend(node.value().filter(|it| !it.is_empty()).map(str::to_owned));
    for (_, child) in node.children() {
        hide(child, hidden);
    }
}

/// The result of an operation; null if it has no members.
pub(super) fn of_outcome(outcome: Outcome<'_>) -> Value {
    match outcome {
        Outcome::Xml(xml) if xml.as_str().is_empty() => Value::Null,
        Outcome::Xml(xml) => of_xml(xml.as_str()),
        Outcome::Json(result) => result.map_or(Value::Null, of_json),
    }
}

fn of_json(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let shown = |(name, value): (&String, &Value)| {
                let value = match is_secret(name) {
                    true => HIDDEN.into(),
                    false => of_json(value),
                };
                (lower_camel(name), value)
            };
            Value::Object(members.iter().map(shown).collect())
        }
        Value::Array(elements) => elements.iter().map(of_json).collect(),
        plain => plain.clone(),
    }
}

/// What [`crate::xml::Xml`] has printed: elements without attributes, with text or elements in them.
fn of_xml(printed: &str) -> Value {
    if !printed.starts_with('<') {
        return unescaped(printed).into();
    }
    let mut list = Vec::new();
    let mut members = Map::new();
    let mut rest = printed;
    while let Some((name, content, after)) = first_element(rest) {
        rest = after;
        match name {
            "member" | "item" => list.push(of_xml(content)),
            name if is_secret(name) => drop(members.insert(lower_camel(name), HIDDEN.into())),
            name => drop(members.insert(lower_camel(name), of_xml(content))),
        }
    }
    match list.is_empty() {
        true => Value::Object(members),
        false => Value::Array(list),
    }
}

/// Name, content and what follows of the first element.
fn first_element(printed: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = printed.strip_prefix('<')?.split_once('>')?;
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    // An element may be inside one of the same name, as the values of a list of lists are.
    let (mut depth, mut at) = (1, 0);
    while depth > 0 {
        let next_close = at + rest[at..].find(&close)?;
        let next_open = rest[at..next_close].find(&open);
        (depth, at) = match next_open {
            Some(open_at) => (depth + 1, at + open_at + open.len()),
            None => (depth - 1, next_close + close.len()),
        };
    }
    Some((name, &rest[..at - close.len()], &rest[at..]))
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#13;", "\r"),
        // Last, so that what it makes is not taken for another one.
        ("&amp;", "&"),
    ];
    named
        .into_iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::query::{self, Lists};
    use crate::xml::Xml;

    #[test]
    fn an_input_becomes_json_without_its_secrets() {
        for (form, expected, secrets) in [
            ("Action=A&Version=1", Value::Null, &[][..]),
            (
                "Names.member.2=b&Names.member.10=c&Names.member.1=a&PageSize=4",
                json!({ "names": ["a", "b", "c"], "pageSize": "4" }),
                &[],
            ),
            (
                "Filter.1.Name=vpc-id&Filter.1.Value.1=v",
                json!({ "filter": [{ "name": "vpc-id", "value": ["v"] }] }),
                &[],
            ),
            (
                "Actions.member.1.AuthenticateOidcConfig.ClientSecret=hush&Actions.member.1.Order=1",
                json!({ "actions": [{ "authenticateOidcConfig": { "clientSecret": HIDDEN }, "order": "1" }] }),
                &["hush"],
            ),
            (
                "PRIVATEKEY=a&Passphrase.x.y=b",
                json!({ "pRIVATEKEY": HIDDEN, "passphrase": HIDDEN }),
                &["a", "b"],
            ),
        ] {
            let mut hidden = Vec::new();
            let input = query::decode(form.as_bytes()).expect(form);
            assert_eq!(of_input(&input, &mut hidden), expected, "{form}");
            assert_eq!(hidden, secrets, "{form}");
        }
    }

    #[test]
    fn a_result_becomes_json_without_its_secrets() {
        let mut xml = Xml::new(Lists::Member);
        assert_eq!(of_outcome(Outcome::Xml(&xml)), Value::Null);
        xml.text("Name", "a <&lt;> \"b\"");
        xml.list("Rules", [1, 2], |xml, n| {
            xml.text("Priority", n);
            xml.texts("Values", ["x", "y"]);
        });
        xml.element("AccessKey", |xml| xml.text("SecretAccessKey", "hush"));
        let expected = json!({
            "name": "a <&lt;> \"b\"",
            "rules": [
                { "priority": "1", "values": ["x", "y"] },
                { "priority": "2", "values": ["x", "y"] },
            ],
            "accessKey": { "secretAccessKey": HIDDEN },
        });
        assert_eq!(of_outcome(Outcome::Xml(&xml)), expected);
        let result = json!({ "CertificateArn": "arn", "PrivateKey": "hush", "N": [1] });
        let expected = json!({ "certificateArn": "arn", "privateKey": HIDDEN, "n": [1] });
        assert_eq!(of_outcome(Outcome::Json(Some(&result))), expected);
    }
}

//! Inputs and results as CloudTrail has them: names in lower camel case, values and lists as `members` has them,
//! secrets hidden.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Outcome;
use super::members::{self, ListNames};
use crate::input::lower_camel;
use crate::query::Node;
use crate::service::Service;
use crate::xml::Xml;

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
pub(super) fn of_input(
    service: Service,
    operation: &str,
    input: &Node,
    hidden: &mut Vec<String>,
) -> Value {
    let members = input
        .children()
        // They say which operation it is.
        .filter(|(name, _)| !matches!(*name, "Action" | "Version"));
    let mut members = structure(service, "", members, hidden);
    if (service, operation) == (Service::Ec2, "RunInstances") {
        members::gather_instances(&mut members);
    }
    match members.is_empty() {
        true => Value::Null,
        false => Value::Object(members),
    }
}

fn structure<'n>(
    service: Service,
    parent: &str,
    members: impl Iterator<Item = (&'n str, &'n Node)>,
    hidden: &mut Vec<String>,
) -> Map<String, Value> {
    members
        .map(|(name, node)| member(service, parent, name, node, hidden))
        .collect()
}

fn member(
    service: Service,
    parent: &str,
    name: &str,
    node: &Node,
    hidden: &mut Vec<String>,
) -> (String, Value) {
    let lower = lower_camel(name);
    let is_key = || node.value().is_some_and(is_private_key);
    if is_secret(name) || is_key() {
        hide(node, hidden);
        return (lower, HIDDEN.into());
    }
    if let Some(text) = node.value() {
        let value = members::value(service, parent, &lower, text);
        return (lower, value);
    }
    let Some(elements) = elements_of(node) else {
        let members = structure(service, &lower, node.children(), hidden);
        return (lower, Value::Object(members));
    };
    let names = ListNames::of_input(service, parent, name);
    let elements = elements
        .into_iter()
        .map(|element| match (element.value(), &names.element) {
            (Some(text), None) => text.into(),
            (Some(text), Some(name)) => [(name.clone(), Value::from(text))].into_iter().collect(),
            (None, _) => Value::Object(structure(service, &names.list, element.children(), hidden)),
        });
    let list = names.with_elements(elements.collect());
    (names.list, list)
}

/// The elements of a list in the order of their numbers; `None` for what is none.
fn elements_of(node: &Node) -> Option<Vec<&Node>> {
    let list = node.child("member").unwrap_or(node);
    let numbered = list
        .children()
        .map(|(name, element)| Some((name.parse::<u32>().ok()?, element)));
    let mut elements = numbered.collect::<Option<Vec<_>>>()?;
    elements.sort_by_key(|(number, _)| *number);
    Some(elements.into_iter().map(|(_, element)| element).collect())
}

/// Whether a private key is in a text, as it stands or in base64, as JSON has files: it may come where a certificate is
/// wanted.
///
/// Source: RFC 7468 sections 10 and 11; the labels of OpenSSL's older forms end likewise.
fn is_private_key(text: &str) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY-----";
    let has_label = |bytes: &[u8]| bytes.windows(LABEL.len()).any(|part| part == LABEL);
    has_label(text.as_bytes()) || STANDARD.decode(text).is_ok_and(|bytes| has_label(&bytes))
}

/// Every text in `node` is a part of a secret.
fn hide(node: &Node, hidden: &mut Vec<String>) {
    hidden.extend(node.value().filter(|it| !it.is_empty()).map(str::to_owned));
    for (_, child) in node.children() {
        hide(child, hidden);
    }
}

/// The result of an operation; null if it has no members.
pub(super) fn of_outcome(service: Service, outcome: Outcome<'_>) -> Value {
    match outcome {
        Outcome::Xml(xml) if xml.as_str().is_empty() => Value::Null,
        Outcome::Xml(xml) => of_xml(service, xml, "", "", xml.as_str()),
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

/// The content of an element that [`Xml`] has printed, without attributes, with text or elements in it.
fn of_xml(service: Service, xml: &Xml, parent: &str, name: &str, content: &str) -> Value {
    if xml.is_empty_list(content) {
        return members::list(service, Vec::new());
    }
    if !content.starts_with('<') {
        return members::value(service, parent, name, &unescaped(content));
    }
    let mut list = Vec::new();
    let mut members = Map::new();
    let mut rest = content;
    while let Some((inner, content, after)) = first_element(rest) {
        rest = after;
        match inner {
            "member" | "item" => list.push(of_xml(service, xml, parent, name, content)),
            inner if is_secret(inner) => {
                members.insert(lower_camel(inner), HIDDEN.into());
            }
            inner => {
                let lower = lower_camel(inner);
                let value = of_xml(service, xml, name, &lower, content);
                members.insert(members::result_name(&lower), value);
            }
        }
    }
    match list.is_empty() {
        true => Value::Object(members),
        false => members::list(service, list),
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

    const SERVICE: Service = Service::ElasticLoadBalancing;

    #[test]
    fn an_input_becomes_json_without_its_secrets() {
        for (form, expected, secrets) in [
            ("Action=A&Version=1", Value::Null, &[][..]),
            (
                "Names.member.2=b&Names.member.10=c&Names.member.1=a&PageSize=4",
                json!({ "names": ["a", "b", "c"], "pageSize": 4 }),
                &[],
            ),
            (
                "Actions.member.1.AuthenticateOidcConfig.ClientSecret=hush&Actions.member.1.Order=1",
                json!({ "actions": [{ "authenticateOidcConfig": { "clientSecret": HIDDEN }, "order": 1 }] }),
                &["hush"],
            ),
            (
                "Body=-----BEGIN+EC+PRIVATE+KEY-----&Tags.1.Value=-----END+PRIVATE+KEY-----",
                json!({ "body": HIDDEN, "tags": [{ "value": HIDDEN }] }),
                &[
                    "-----BEGIN EC PRIVATE KEY-----",
                    "-----END PRIVATE KEY-----",
                ],
            ),
            (
                "PRIVATEKEY=a&Passphrase.x.y=b",
                json!({ "pRIVATEKEY": HIDDEN, "passphrase": HIDDEN }),
                &["a", "b"],
            ),
        ] {
            let mut hidden = Vec::new();
            let input = query::decode(form.as_bytes()).expect(form);
            let found = of_input(SERVICE, "", &input, &mut hidden);
            assert_eq!(found, expected, "{form}");
            assert_eq!(hidden, secrets, "{form}");
        }
    }

    #[test]
    fn a_result_becomes_json_without_its_secrets() {
        let mut xml = Xml::new(Lists::Member);
        assert_eq!(of_outcome(SERVICE, Outcome::Xml(&xml)), Value::Null);
        xml.text("Name", "a <&lt;> \"b\"");
        xml.list("Rules", [1, 2], |xml, n| {
            xml.text("Priority", n);
            xml.texts("Values", ["x", "y"]);
        });
        xml.texts("Tags", [""; 0]);
        xml.text("Message", "");
        xml.element("AccessKey", |xml| xml.text("SecretAccessKey", "hush"));
        let expected = json!({
            "name": "a <&lt;> \"b\"",
            "rules": [
                { "priority": "1", "values": ["x", "y"] },
                { "priority": "2", "values": ["x", "y"] },
            ],
            "tags": [],
            "message": "",
            "accessKey": { "secretAccessKey": HIDDEN },
        });
        assert_eq!(of_outcome(SERVICE, Outcome::Xml(&xml)), expected);
        let result = json!({ "CertificateArn": "arn", "PrivateKey": "hush", "N": [1] });
        let expected = json!({ "certificateArn": "arn", "privateKey": HIDDEN, "n": [1] });
        assert_eq!(of_outcome(SERVICE, Outcome::Json(Some(&result))), expected);
    }

    #[test]
    fn lists_of_ec2_have_items() {
        for (form, expected) in [
            (
                "Action=RunInstances&ImageId=ami&MinCount=1&MaxCount=2&SubnetId=s",
                json!({
                    "instancesSet": { "items": [{ "imageId": "ami", "minCount": 1, "maxCount": 2 }] },
                    "subnetId": "s",
                }),
            ),
            (
                "Filter.1.Name=vpc-id&Filter.1.Value.1=v&InstanceId.1=i&DryRun=true",
                json!({
                    "filterSet": { "items": [{ "name": "vpc-id", "valueSet": { "items": [{ "value": "v" }] } }] },
                    "instancesSet": { "items": [{ "instanceId": "i" }] },
                    "dryRun": true,
                }),
            ),
            (
                "IpPermissions.1.FromPort=80&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
                json!({ "ipPermissions": { "items": [
                    { "fromPort": 80, "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] } },
                ] } }),
            ),
            (
                "TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=a&SecurityGroupId.1=sg",
                json!({
                    "tagSpecificationSet": { "items": [{ "resourceType": "vpc", "tags": [{ "key": "a" }] }] },
                    "groupSet": { "items": [{ "groupId": "sg" }] },
                }),
            ),
        ] {
            let input = query::decode(form.as_bytes()).expect(form);
            let operation = input.text("Action").unwrap_or_default();
            let found = of_input(Service::Ec2, operation, &input, &mut Vec::new());
            assert_eq!(found, expected, "{form}");
        }
        let mut xml = Xml::new(Lists::Flat);
        xml.text("return", true);
        xml.texts("groupSet", [""; 0]);
        xml.list("instancesSet", ["i"], |xml, id| xml.text("instanceId", id));
        let expected = json!({
            "_return": true,
            "groupSet": {},
            "instancesSet": { "items": [{ "instanceId": "i" }] },
        });
        assert_eq!(of_outcome(Service::Ec2, Outcome::Xml(&xml)), expected);
    }
}

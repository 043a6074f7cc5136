//! What CloudTrail's records make of the members of requests and results: which of them are numbers or switches, and
//! how those of EC2 have their lists.
//!
//! Source: the API models of the services; the records in "Logging API calls" of the guides of Elastic Load Balancing
//! and EC2.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::input::lower_camel;
use crate::service::Service;

/// The members that are numbers or switches: the name that the service signs with, `number` or `switch`, the structure
/// that the member is in and the member. `value_types.py` writes it from the models and says more.
const VALUE_TYPES: &str = include_str!("value_types.txt");

/// Stands for every structure in `VALUE_TYPES`.
const ANYWHERE: &str = "*";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    Number,
    Switch,
}

/// A service by the name that it signs with, a structure and a member of it.
type Member<'a> = (&'a str, &'a str, &'a str);

static TYPES: LazyLock<HashMap<Member<'static>, ValueType>> =
    LazyLock::new(|| VALUE_TYPES.lines().map(member_type).collect());

fn member_type(line: &'static str) -> (Member<'static>, ValueType) {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("a line has three words");
    let (service, kind) = (word(), word());
    let (parent, name) = word().split_once('.').expect("a member has a structure");
    let kind = match kind {
        "number" => ValueType::Number,
        _ => ValueType::Switch,
    };
    ((service, parent, name), kind)
}

/// The value of a member of `parent`, both in lower camel case. What is no number where the model has one stays the
/// text that it is.
pub(super) fn value(service: Service, parent: &str, name: &str, text: &str) -> Value {
    let service = service.signing_name();
    let kind = [ANYWHERE, parent]
        .into_iter()
        .find_map(|parent| TYPES.get(&(service, parent, name)));
    match kind {
        Some(ValueType::Number) => text
            .parse::<i64>()
            .map_or_else(|_| text.into(), Value::from),
        Some(ValueType::Switch) => text
            .parse::<bool>()
            .map_or_else(|_| text.into(), Value::from),
        None => text.into(),
    }
}

/// The name of a member in a result.
pub(super) fn result_name(name: &str) -> String {
    match name {
        // The answer of EC2 to what has no other one.
        "return" => "_return".to_owned(),
        name => name.to_owned(),
    }
}

/// What a list in the input of an operation becomes: `InstanceId.1` of EC2 is
/// `"instancesSet": {"items": [{"instanceId": …}]}`.
pub(super) struct ListNames {
    /// The name of the list.
    pub(super) list: String,
    /// The name of the one member that a plain element becomes; `None`: it stays plain.
    pub(super) element: Option<String>,
    has_items: bool,
}

impl ListNames {
    /// Those of a list that is a member of `parent`.
    pub(super) fn of_input(service: Service, parent: &str, name: &str) -> Self {
        let lower = lower_camel(name);
        if service != Service::Ec2 {
            return Self {
                list: lower,
                element: None,
                has_items: false,
            };
        }
        let (list, element) = match name {
            "AllocationId" => ("allocationIdsSet".to_owned(), lower),
            "GroupId" => ("securityGroupIdSet".to_owned(), lower),
            "GroupName" => ("securityGroupSet".to_owned(), lower),
            "InstanceId" => ("instancesSet".to_owned(), lower),
            "PublicIp" => ("publicIpsSet".to_owned(), lower),
            "ResourceId" => ("resourcesSet".to_owned(), lower),
            "SecurityGroupId" => ("groupSet".to_owned(), "groupId".to_owned()),
            "Tag" if parent == "tagSpecificationSet" => ("tags".to_owned(), lower),
            "Groups" | "IpPermissions" | "IpRanges" | "Ipv6Ranges" | "PrefixListIds" => {
                (lower.clone(), lower)
            }
            _ => (format!("{lower}Set"), lower),
        };
        Self {
            has_items: list != "tags",
            list,
            element: Some(element),
        }
    }

    /// The list with these elements.
    pub(super) fn with_elements(&self, elements: Vec<Value>) -> Value {
        match self.has_items {
            true => json!({ "items": elements }),
            false => elements.into(),
        }
    }
}

/// Puts what RunInstances says of its machines where the records have it.
pub(super) fn gather_instances(members: &mut Map<String, Value>) {
    let names = ["imageId", "keyName", "maxCount", "minCount"];
    let taken = names
        .into_iter()
        .filter_map(|name| members.remove_entry(name));
    let taken: Map<_, _> = taken.collect();
    if !taken.is_empty() {
        members.insert("instancesSet".to_owned(), json!({ "items": [taken] }));
    }
}

/// A list in a result of the service.
pub(super) fn list(service: Service, elements: Vec<Value>) -> Value {
    match service {
        Service::Ec2 if elements.is_empty() => json!({}),
        Service::Ec2 => json!({ "items": elements }),
        _ => elements.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_have_the_types_of_the_model() {
        const EC2: Service = Service::Ec2;
        const ELB: Service = Service::ElasticLoadBalancing;
        for (service, parent, name, text, expected) in [
            (ELB, "", "port", "80", json!(80)),
            (ELB, "redirectConfig", "port", "443", json!("443")),
            (ELB, "", "priority", "5", json!(5)),
            (ELB, "rules", "priority", "5", json!("5")),
            (ELB, "state", "code", "active", json!("active")),
            (ELB, "", "pageSize", "x", json!("x")),
            (ELB, "attributes", "value", "true", json!("true")),
            (ELB, "tags", "key", "80", json!("80")),
            (EC2, "currentState", "code", "16", json!(16)),
            (EC2, "", "dryRun", "true", json!(true)),
            (EC2, "enableDnsSupport", "value", "true", json!(true)),
            (EC2, "tagSet", "value", "true", json!("true")),
        ] {
            let found = value(service, parent, name, text);
            assert_eq!(found, expected, "{service:?} {parent}.{name}");
        }
    }

    #[test]
    fn the_types_are_those_of_services_that_are_here() {
        let services: BTreeSet<_> = Service::ALL.map(Service::signing_name).into();
        for line in VALUE_TYPES.lines() {
            let ((service, _, name), _) = member_type(line);
            assert!(services.contains(service), "{line}");
            assert_eq!(lower_camel(name), name, "{line}");
            let kind = line.split(' ').nth(1);
            assert!(matches!(kind, Some("number" | "switch")), "{line}");
        }
    }
}

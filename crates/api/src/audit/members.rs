//! What CloudTrail's records make of the members of requests and results: which of them are numbers or switches, and
//! how those of EC2 have their lists.
//!
//! Source: the API models of the services; the records in "Logging API calls" of the guides of Elastic Load Balancing
//! and EC2.

use serde_json::{Map, Value, json};

use crate::input::lower_camel;
use crate::service::Service;

/// Members that hold numbers, in lower camel case. Where one of them holds a text, it has other characters than digits,
/// unless it is one of `TEXTS`.
const NUMBERS: &[&str] = &[
    "amiLaunchIndex",
    "availableIpAddressCount",
    "capacityUnits",
    "code",
    "currentVersion",
    "daysBeforeExpiry",
    "decreaseRequestsRemaining",
    "deviceIndex",
    "durationSeconds",
    "effectiveCapacityUnits",
    "fromPort",
    "healthCheckIntervalSeconds",
    "healthCheckTimeoutSeconds",
    "healthyThresholdCount",
    "ipv4NetmaskLength",
    "ipv6AddressCount",
    "ipv6NetmaskLength",
    "maxCount",
    "maxEntries",
    "maxItems",
    "maxResults",
    "minCount",
    "networkCardIndex",
    "numberOfCaCertificates",
    "numberOfRevokedEntries",
    "order",
    "pageSize",
    "port",
    "priority",
    "revocationId",
    "ruleNumber",
    "sessionTimeout",
    "targetControlPort",
    "targetVersion",
    "toPort",
    "totalRevokedEntries",
    "unhealthyThresholdCount",
    "version",
    "weight",
];

/// Members that hold true or false.
const SWITCHES: &[&str] = &[
    "allAvailabilityZones",
    "allRegions",
    "amazonProvidedIpv6CidrBlock",
    "assignIpv6AddressOnCreation",
    "associatePublicIpAddress",
    "configured",
    "default",
    "defaultForAz",
    "deleteOnTermination",
    "denyAllIgwTraffic",
    "disableApiStop",
    "disableApiTermination",
    "dryRun",
    "ebsOptimized",
    "egress",
    "enaSupport",
    "enableDns64",
    "enablePrimaryIpv6",
    "enableResourceNameDnsAAAARecord",
    "enableResourceNameDnsARecord",
    "enabled",
    "exported",
    "force",
    "healthCheckEnabled",
    "hibernate",
    "ignoreClientCertificateExpiry",
    "inUse",
    "includeAllInstances",
    "includeManagedResources",
    "ipv6Native",
    "isDefault",
    "isEgress",
    "isPrimaryIpv6",
    "main",
    "mapCustomerOwnedIpOnLaunch",
    "mapPublicIpOnLaunch",
    "primary",
    "privateDnsEnabled",
    "requesterManaged",
    "resetCapacityReservation",
    "resetTransforms",
    "return",
    "skipOsShutdown",
    "sourceDestCheck",
    "useExistingClientSecret",
];

/// Members, with the structure they are in, that hold texts whatever the digits in them: a redirect's port may be
/// `#{port}`, the priority of a rule that is shown `default`.
const TEXTS: &[(&str, &str)] = &[("redirectConfig", "port"), ("rules", "priority")];

/// The value of a member of `parent`, both in lower camel case.
pub(super) fn value(parent: &str, name: &str, text: &str) -> Value {
    if TEXTS.contains(&(parent, name)) {
        return text.into();
    }
    let number = || text.parse::<i64>().ok().filter(|_| NUMBERS.contains(&name));
    match text {
        "true" | "false" if SWITCHES.contains(&name) => (text == "true").into(),
        _ => number().map_or_else(|| text.into(), Value::from),
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
    use super::*;

    #[test]
    fn values_have_the_types_of_the_model() {
        for (parent, name, text, expected) in [
            ("", "port", "80", json!(80)),
            ("redirectConfig", "port", "443", json!("443")),
            ("", "priority", "5", json!(5)),
            ("rules", "priority", "5", json!("5")),
            ("state", "code", "active", json!("active")),
            ("currentState", "code", "16", json!(16)),
            ("", "dryRun", "true", json!(true)),
            ("tags", "value", "true", json!("true")),
            ("tags", "key", "80", json!("80")),
        ] {
            assert_eq!(value(parent, name, text), expected, "{parent}.{name}");
        }
    }

    #[test]
    fn the_names_are_sorted_and_in_lower_camel_case() {
        for names in [NUMBERS, SWITCHES] {
            assert!(names.is_sorted());
            assert!(names.iter().all(|name| lower_camel(name) == *name));
        }
    }
}

//! What the doctor has to know beside load balancers and targets: security groups, instances, certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Cidr;
use model::certificate::KeyAlgorithm;
use serde_json::{Value, json};

use super::super::if_there;
use super::super::inventory::{Inventory, Listener, Target, TargetGroup};
use super::dropped::DroppedByTarget;
use crate::client::call::{Call, Service};
use crate::client::xml::Element;
use crate::client::{CallError, Client};
use crate::explain::Asked;

const NEXT_TOKEN: (&str, &str) = ("NextToken", "nextToken");

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// What may come in, by the id of the security group.
    pub(crate) security_groups: BTreeMap<String, Vec<Permission>>,
    /// By id.
    pub(crate) instances: BTreeMap<String, Instance>,
    /// What security groups keep from targets.
    pub(crate) dropped: DroppedByTarget,
    /// By ARN.
    pub(crate) certificates: BTreeMap<String, Certificate>,
    /// The attributes of each load balancer, and of each target group that one uses, by its ARN.
    pub(crate) attributes: BTreeMap<String, BTreeMap<String, String>>,
    /// The ARNs of the certificates of each listener that has any, by its ARN.
    pub(crate) listener_certificates: BTreeMap<String, ListenerCertificates>,
}

/// Who may connect to which ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permission {
    /// First and last; `None`: every port.
    pub(crate) ports: Option<(u16, u16)>,
    /// Those of prefix lists among them.
    pub(crate) blocks: Vec<Cidr>,
    /// Security groups whose members may.
    pub(crate) groups: Vec<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) ipv4: Ipv4Addr,
    /// It has one at most; an instance in a target group of IPv6 has it as the primary one.
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// The name of its zone.
    pub(crate) zone: String,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Hosts and wildcards.
    pub(crate) names: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub(crate) not_after_seconds: i64,
    /// Whether ACM has issued it, and renews it.
    pub(crate) is_issued: bool,
}

/// The certificates of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListenerCertificates {
    /// What clients get that ask for no name, or for one that no certificate has. It can be replaced, not removed.
    pub(crate) default: String,
    /// Those beside it.
    pub(crate) additional: BTreeSet<String>,
}

impl Surroundings {
    /// Asks a running elbow.
    ///
    /// # Errors
    /// Elbow is not there, or refuses a call.
    pub(crate) async fn ask(client: &Client, inventory: &Inventory) -> Result<Self, CallError> {
        let mut found = Self::default();
        let call = Call::new(Service::Ec2, "DescribeSecurityGroups");
        let groups = super::super::pages(client, call, "securityGroupInfo", NEXT_TOKEN).await?;
        let prefix_lists = prefix_lists(client, &groups).await?;
        for group in &groups {
            let permissions = group.list("ipPermissions").iter();
            let permissions = permissions.filter_map(|it| Permission::read(it, &prefix_lists));
            let permissions = permissions.collect();
            found
                .security_groups
                .insert(group.text_at("groupId").to_owned(), permissions);
        }
        let call = Call::new(Service::Ec2, "DescribeInstances");
        for reservation in super::super::pages(client, call, "reservationSet", NEXT_TOKEN).await? {
            for instance in reservation.list("instancesSet") {
                if let Some(read) = Instance::read(instance) {
                    found
                        .instances
                        .insert(instance.text_at("instanceId").to_owned(), read);
                }
            }
        }
        for balancer in &inventory.load_balancers {
            let call = Call::new(Service::Elbv2, "DescribeLoadBalancerAttributes");
            let call = call.with("LoadBalancerArn", &balancer.arn);
            let attributes = attributes(client, call).await?;
            found.attributes.insert(balancer.arn.clone(), attributes);
        }
        let groups = inventory.target_groups.iter();
        for group in groups.filter(|group| !group.load_balancers.is_empty()) {
            let call = Call::new(Service::Elbv2, "DescribeTargetGroupAttributes");
            let call = call.with("TargetGroupArn", &group.arn);
            let attributes = attributes(client, call).await?;
            found.attributes.insert(group.arn.clone(), attributes);
        }
        let asked =
            serde_json::to_string(&Asked::DroppedConnections).map_err(CallError::NotJson)?;
        let dropped = client.explain(asked).await?;
        let dropped = serde_json::from_str(&dropped).map_err(CallError::NotJson)?;
        found.dropped = DroppedByTarget::of(dropped);
        found.certificates = certificates(client).await?;
        let listeners = inventory.load_balancers.iter().flat_map(|it| &it.listeners);
        for listener in listeners.filter(|listener| listener.ssl_policy.is_some()) {
            let call = Call::new(Service::Elbv2, "DescribeListenerCertificates");
            let call = call.with("ListenerArn", &listener.arn);
            let marker = ("Marker", "NextMarker");
            let own = super::super::pages(client, call, "Certificates", marker).await;
            let own = if_there(own)?.unwrap_or_default();
            let mut certificates = ListenerCertificates::default();
            for certificate in own {
                let arn = certificate.text_at("CertificateArn").to_owned();
                match certificate.text_at("IsDefault") {
                    "true" => certificates.default = arn,
                    _ => drop(certificates.additional.insert(arn)),
                }
            }
            // The default stands in the answer twice.
            certificates.additional.remove(&certificates.default);
            found
                .listener_certificates
                .insert(listener.arn.clone(), certificates);
        }
        Ok(found)
    }

    /// An attribute of a load balancer or a target group.
    pub(crate) fn attribute(&self, arn: &str, key: &str) -> Option<&str> {
        let attributes = self.attributes.get(arn)?;
        attributes.get(key).map(String::as_str)
    }

    /// The zone of a target; `None`: it is of all of them, or nobody knows.
    pub(crate) fn zone_of<'a>(&'a self, target: &'a Target) -> Option<&'a str> {
        let instance = self.instances.get(&target.id).map(|it| &*it.zone);
        let zone = target.zone.as_deref().filter(|zone| *zone != "all");
        instance.or(zone)
    }

    /// The names in the certificates of a listener.
    pub(crate) fn names(&self, listener: &Listener) -> Vec<&str> {
        let own = self.listener_certificates.get(&listener.arn);
        let arns = own
            .into_iter()
            .flat_map(|it| it.additional.iter().chain([&it.default]));
        let certificates = arns.filter_map(|arn| self.certificates.get(arn));
        certificates
            .flat_map(|it| &it.names)
            .map(String::as_str)
            .collect()
    }

    /// The permissions of these groups for a port.
    pub(crate) fn permissions<'a>(
        &'a self,
        groups: &'a [String],
        port: u16,
    ) -> impl Iterator<Item = &'a Permission> {
        let all = groups
            .iter()
            .filter_map(|group| self.security_groups.get(group))
            .flatten();
        all.filter(move |it| {
            it.ports
                .is_none_or(|(first, last)| (first..=last).contains(&port))
        })
    }
}

impl Permission {
    /// `None` if it is not about TCP.
    fn read(permission: &Element, prefix_lists: &BTreeMap<String, Vec<Cidr>>) -> Option<Self> {
        let port = |name| permission.text_at(name).parse().ok();
        let ports = match permission.text_at("ipProtocol") {
            "-1" => None,
            "tcp" => Some((port("fromPort")?, port("toPort")?)),
            _ => return None,
        };
        let texts = |list: &str, name: &'static str| {
            let items = permission.list(list).iter();
            items
                .map(|item| item.text_at(name).to_owned())
                .collect::<Vec<_>>()
        };
        let blocks = [texts("ipRanges", "cidrIp"), texts("ipv6Ranges", "cidrIpv6")].concat();
        let blocks = blocks.iter().filter_map(|block| block.parse().ok());
        let lists = texts("prefixListIds", "prefixListId");
        let entries = lists.iter().filter_map(|id| prefix_lists.get(id));
        Some(Self {
            ports,
            blocks: blocks.chain(entries.flatten().copied()).collect(),
            groups: texts("groups", "groupId"),
        })
    }
}

impl Instance {
    /// `None` if it has no address any more.
    fn read(instance: &Element) -> Option<Self> {
        Some(Self {
            ipv4: instance.text_at("privateIpAddress").parse().ok()?,
            ipv6: instance.text_at("ipv6Address").parse().ok(),
            zone: instance.text_at("placement/availabilityZone").to_owned(),
        })
    }

    /// Where requests and health checks of a target group go.
    pub(crate) fn address_for(&self, group: &TargetGroup) -> Option<IpAddr> {
        match &*group.ip_address_type {
            "ipv6" => self.ipv6.map(IpAddr::V6),
            _ => Some(IpAddr::V4(self.ipv4)),
        }
    }
}

impl Certificate {
    /// From a `CertificateSummary`.
    fn read(summary: &Value) -> Self {
        Self {
            names: names(summary, "SubjectAlternativeNameSummaries"),
            // A timestamp of this protocol is a number of seconds, maybe with a fraction.
            not_after_seconds: summary["NotAfter"].as_f64().unwrap_or(f64::MAX) as i64,
            is_issued: summary["Type"] == "AMAZON_ISSUED",
        }
    }
}

/// The names of a certificate, each once: the domain name is mostly one of the alternative names.
fn names(certificate: &Value, alternative: &str) -> Vec<String> {
    let names = certificate[alternative].as_array();
    let names = names.into_iter().flatten();
    let names = names.chain([&certificate["DomainName"]]);
    let names = names.filter_map(Value::as_str).map(str::to_owned);
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The blocks of every prefix list that admits somebody to one of these security groups.
async fn prefix_lists(
    client: &Client,
    groups: &[Element],
) -> Result<BTreeMap<String, Vec<Cidr>>, CallError> {
    let permissions = groups.iter().flat_map(|group| group.list("ipPermissions"));
    let references = permissions.flat_map(|permission| permission.list("prefixListIds"));
    let ids: BTreeSet<_> = references.map(|it| it.text_at("prefixListId")).collect();
    let mut found = BTreeMap::new();
    for id in ids {
        let call = Call::new(Service::Ec2, "GetManagedPrefixListEntries").with("PrefixListId", id);
        let entries = super::super::pages(client, call, "entrySet", NEXT_TOKEN).await;
        let entries = if_there(entries)?.unwrap_or_default();
        let blocks = entries.iter().map(|entry| entry.text_at("cidr").parse());
        found.insert(id.to_owned(), blocks.filter_map(Result::ok).collect());
    }
    Ok(found)
}

async fn attributes(client: &Client, call: Call) -> Result<BTreeMap<String, String>, CallError> {
    let answer = if_there(client.call(&call).await)?.unwrap_or_default();
    let attributes = answer.list("Attributes").iter();
    let text = |it: &Element, name: &str| it.text_at(name).to_owned();
    Ok(attributes
        .map(|it| (text(it, "Key"), text(it, "Value")))
        .collect())
}

async fn certificates(client: &Client) -> Result<BTreeMap<String, Certificate>, CallError> {
    let mut found = BTreeMap::new();
    // Without a filter ACM tells of RSA with 2,048 bits alone.
    let key_types: Vec<_> = KeyAlgorithm::ALL.iter().map(|it| it.as_str()).collect();
    let includes = json!({ "keyTypes": key_types });
    let mut input = json!({ "Includes": includes });
    loop {
        let page = client.call_acm("ListCertificates", &input).await?;
        for summary in page["CertificateSummaryList"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let arn = summary["CertificateArn"].as_str().unwrap_or_default();
            let mut certificate = Certificate::read(summary);
            // Source: ACM API, `CertificateSummary`: it has the first 100 names.
            if summary["HasAdditionalSubjectAlternativeNames"] == true {
                let asked = json!({ "CertificateArn": arn });
                let described = client.call_acm("DescribeCertificate", &asked).await;
                let described = if_there(described)?.unwrap_or_default();
                certificate.names = names(&described["Certificate"], "SubjectAlternativeNames");
            }
            found.insert(arn.to_owned(), certificate);
        }
        match page["NextToken"].as_str() {
            Some(token) => input = json!({ "Includes": includes, "NextToken": token }),
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_has_each_of_its_names_once() {
        let summary = json!({
            "DomainName": "a.example",
            "SubjectAlternativeNameSummaries": ["a.example", "b.example"],
            "NotAfter": 1_800_000_000.5,
            "Type": "IMPORTED",
        });
        let expected = Certificate {
            names: ["a.example", "b.example"].map(str::to_owned).to_vec(),
            not_after_seconds: 1_800_000_000,
            is_issued: false,
        };
        assert_eq!(Certificate::read(&summary), expected);
        let gone = names(&Value::Null["Certificate"], "SubjectAlternativeNames");
        assert!(gone.is_empty(), "what it is for is not known");
    }

    #[test]
    fn an_instance_is_asked_where_its_group_sends() {
        let ipv4: Ipv4Addr = [10, 0, 0, 2].into();
        let ipv6 = "fd00::2".parse::<Ipv6Addr>().unwrap();
        for (has, wanted, expected) in [
            (Some(ipv6), "ipv4", Some(ipv4.into())),
            (Some(ipv6), "ipv6", Some(ipv6.into())),
            (None, "ipv6", None),
        ] {
            let instance = Instance {
                ipv4,
                ipv6: has,
                zone: "a".to_owned(),
            };
            let group = TargetGroup {
                ip_address_type: wanted.to_owned(),
                ..TargetGroup::default()
            };
            assert_eq!(instance.address_for(&group), expected, "{wanted}");
        }
    }
}

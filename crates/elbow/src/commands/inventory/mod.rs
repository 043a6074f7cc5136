//! What a running elbow has: load balancers with their listeners and rules, target groups with their targets.
//!
//! Everything comes from the public API, page by page: one call for each load balancer, each listener and each
//! target group, and none for a single rule or target.

pub(crate) mod rules;

use std::collections::BTreeMap;

use serde::Serialize;

use self::rules::{Action, Rule};
use super::if_there;
use crate::client::call::{Call, Service, list};
use crate::client::xml::Element;
use crate::client::{CallError, Client};

const MARKER: (&str, &str) = ("Marker", "NextMarker");

/// All load balancers with what they use, or one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Inventory {
    /// In the order of their names.
    pub(crate) load_balancers: Vec<LoadBalancer>,
    /// In the order of their names; those that no load balancer uses are here only if all were asked for.
    pub(crate) target_groups: Vec<TargetGroup>,
}

/// A load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LoadBalancer {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) dns_name: String,
    /// Such as `active`.
    pub(crate) state: String,
    pub(crate) addresses: Vec<Address>,
    pub(crate) security_groups: Vec<String>,
    /// The names of the enabled zones.
    pub(crate) zones: Vec<String>,
    /// In the order of their ports.
    pub(crate) listeners: Vec<Listener>,
}

/// An address of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Address {
    pub(crate) zone: String,
    pub(crate) address: String,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Listener {
    pub(crate) arn: String,
    /// `HTTP` or `HTTPS`.
    pub(crate) protocol: String,
    pub(crate) port: u16,
    /// The security policy, if it speaks TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ssl_policy: Option<String>,
    /// In the order of their priorities, the default last.
    pub(crate) rules: Vec<Rule>,
}

/// A target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TargetGroup {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `HTTP` or `HTTPS`.
    pub(crate) protocol: String,
    /// `HTTP1`, `HTTP2` or `GRPC`.
    pub(crate) protocol_version: String,
    /// `ipv4` or `ipv6`: which address of an instance gets its requests and health checks.
    pub(crate) ip_address_type: String,
    pub(crate) port: u16,
    pub(crate) health_check: HealthCheck,
    /// The ARNs of the load balancers whose rules name it, if only for copies of requests.
    pub(crate) load_balancers: Vec<String>,
    pub(crate) targets: Vec<Target>,
}

/// How targets are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct HealthCheck {
    /// `HTTP` or `HTTPS`.
    pub(crate) protocol: String,
    pub(crate) path: String,
    pub(crate) timeout_seconds: String,
    /// The statuses of healthy targets.
    pub(crate) matcher: String,
}

/// A registered target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Target {
    /// An instance id or an address.
    pub(crate) id: String,
    pub(crate) port: u16,
    /// Where health checks go.
    pub(crate) health_check_port: u16,
    /// Such as `healthy`.
    pub(crate) state: String,
    /// Such as `Target.Timeout`; empty for healthy ones.
    pub(crate) reason: String,
    /// The reason in words; empty for healthy ones.
    pub(crate) description: String,
    /// Whether traffic is shifted away from its zone.
    pub(crate) is_shifted: bool,
    /// Whether its requests fail more often than those of the other targets of its group.
    pub(crate) is_anomalous: bool,
    /// The zone of an address, or `all`; those of instances are told by EC2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
}

/// What the rules do with a target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Some rule sends requests to it.
    Forwarded,
    /// Rules name it with the weight 0 alone: it gets requests once somebody raises that.
    Standby,
    /// Load balancers have it and no rule forwards to it: it gets copies of the requests of others.
    Mirrored,
    /// No load balancer has it.
    Unused,
}

impl Inventory {
    /// Asks a running elbow, for everything or for one load balancer. What is deleted meanwhile is not in it.
    ///
    /// # Errors
    /// Elbow is not there, or refuses a call; there is no load balancer of that name.
    pub(crate) async fn ask(client: &Client, name: Option<&str>) -> Result<Self, CallError> {
        let mut balancers = elbv2("DescribeLoadBalancers");
        if let Some(name) = name {
            balancers = balancers.with("Names", list([name]));
        }
        let balancers = super::pages(client, balancers, "LoadBalancers", MARKER).await?;
        let mut addresses = addresses(client).await?;
        let mut inventory = Self::default();
        for balancer in &balancers {
            let mut read = LoadBalancer::read(balancer);
            read.addresses = addresses
                .remove(interface_owner(&read.arn))
                .unwrap_or_default();
            if let Some(listeners) = if_there(listeners(client, &read.arn).await)? {
                read.listeners = listeners;
                inventory.load_balancers.push(read);
            }
        }
        inventory.load_balancers.sort_by(|a, b| a.name.cmp(&b.name));
        inventory.target_groups = inventory.ask_target_groups(client, name.is_some()).await?;
        Ok(inventory)
    }

    async fn ask_target_groups(
        &self,
        client: &Client,
        is_filtered: bool,
    ) -> Result<Vec<TargetGroup>, CallError> {
        let mut groups = Vec::new();
        if is_filtered {
            for balancer in &self.load_balancers {
                let call = elbv2("DescribeTargetGroups").with("LoadBalancerArn", &balancer.arn);
                let own = super::pages(client, call, "TargetGroups", MARKER).await;
                groups.extend(if_there(own)?.unwrap_or_default());
            }
        } else {
            let call = elbv2("DescribeTargetGroups");
            groups = super::pages(client, call, "TargetGroups", MARKER).await?;
        }
        let mut found = Vec::new();
        for mut group in groups.iter().map(TargetGroup::read) {
            let call = elbv2("DescribeTargetHealth").with("TargetGroupArn", &group.arn);
            let call = call.with("Include", list(["AnomalyDetection"]));
            let Some(answer) = if_there(client.call(&call).await)? else {
                continue;
            };
            let targets = answer.list("TargetHealthDescriptions").iter();
            group.targets = targets.map(Target::read).collect();
            found.push(group);
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// What becomes of each target group, by its ARN.
    pub(crate) fn usages(&self) -> BTreeMap<&str, Usage> {
        let listeners = self.load_balancers.iter().flat_map(|it| &it.listeners);
        let rules = listeners.flat_map(|listener| &listener.rules);
        let mut weights = BTreeMap::<&str, u32>::new();
        for action in rules.flat_map(|rule| &rule.actions) {
            let Action::Forward { target_groups } = action else {
                continue;
            };
            for group in target_groups {
                let highest = weights.entry(&group.target_group).or_default();
                *highest = group.weight.max(*highest);
            }
        }
        let usage = |group: &TargetGroup| match weights.get(&*group.arn) {
            Some(0) => Usage::Standby,
            Some(_) => Usage::Forwarded,
            None if group.load_balancers.is_empty() => Usage::Unused,
            None => Usage::Mirrored,
        };
        let groups = self.target_groups.iter();
        groups.map(|it| (it.arn.as_str(), usage(it))).collect()
    }

    /// The target groups that a load balancer uses, by name.
    pub(crate) fn target_groups_of(&self, arn: &str) -> impl Iterator<Item = &TargetGroup> {
        let groups = self.target_groups.iter();
        groups.filter(move |group| group.load_balancers.iter().any(|it| it == arn))
    }
}

impl LoadBalancer {
    fn read(balancer: &Element) -> Self {
        let text = |name| balancer.text_at(name).to_owned();
        let groups = balancer.list("SecurityGroups").iter();
        let zones = balancer.list("AvailabilityZones").iter();
        Self {
            name: text("LoadBalancerName"),
            arn: text("LoadBalancerArn"),
            dns_name: text("DNSName"),
            state: text("State/Code"),
            addresses: Vec::new(),
            security_groups: groups.map(|group| group.text.clone()).collect(),
            zones: zones
                .map(|zone| zone.text_at("ZoneName").to_owned())
                .collect(),
            listeners: Vec::new(),
        }
    }
}

impl TargetGroup {
    fn read(group: &Element) -> Self {
        let text = |name| group.text_at(name).to_owned();
        let matcher = match text("Matcher/HttpCode") {
            codes if codes.is_empty() => text("Matcher/GrpcCode"),
            codes => codes,
        };
        let users = group.list("LoadBalancerArns").iter();
        Self {
            name: text("TargetGroupName"),
            arn: text("TargetGroupArn"),
            protocol: text("Protocol"),
            protocol_version: text("ProtocolVersion"),
            ip_address_type: text("IpAddressType"),
            port: number(group.text_at("Port")),
            health_check: HealthCheck {
                protocol: text("HealthCheckProtocol"),
                path: text("HealthCheckPath"),
                timeout_seconds: text("HealthCheckTimeoutSeconds"),
                matcher,
            },
            load_balancers: users.map(|arn| arn.text.clone()).collect(),
            targets: Vec::new(),
        }
    }
}

impl Target {
    fn read(description: &Element) -> Self {
        let text = |name| description.text_at(name).to_owned();
        Self {
            id: text("Target/Id"),
            port: number(description.text_at("Target/Port")),
            health_check_port: number(description.text_at("HealthCheckPort")),
            state: text("TargetHealth/State"),
            reason: text("TargetHealth/Reason"),
            description: text("TargetHealth/Description"),
            is_shifted: description.text_at("AdministrativeOverride/State") == "zonal_shift_active",
            is_anomalous: description.text_at("AnomalyDetection/Result") == "anomalous",
            zone: description
                .find("Target")
                .and_then(|target| target.find("AvailabilityZone"))
                .map(|zone| zone.text.clone()),
        }
    }
}

async fn listeners(client: &Client, balancer: &str) -> Result<Vec<Listener>, CallError> {
    let call = elbv2("DescribeListeners").with("LoadBalancerArn", balancer);
    let mut listeners = Vec::new();
    for listener in super::pages(client, call, "Listeners", MARKER).await? {
        let arn = listener.text_at("ListenerArn").to_owned();
        let call = elbv2("DescribeRules").with("ListenerArn", &arn);
        let rules = super::pages(client, call, "Rules", MARKER).await;
        let Some(rules) = if_there(rules)? else {
            continue;
        };
        let mut rules: Vec<_> = rules.iter().map(Rule::read).collect();
        rules.sort_by_key(|rule| rule.priority.parse().unwrap_or(u32::MAX));
        let policy = listener.find("SslPolicy");
        listeners.push(Listener {
            arn,
            protocol: listener.text_at("Protocol").to_owned(),
            port: number(listener.text_at("Port")),
            ssl_policy: policy.map(|policy| policy.text.clone()),
            rules,
        });
    }
    listeners.sort_by_key(|listener| listener.port);
    Ok(listeners)
}

/// The addresses of all load balancers, by what the descriptions of their network interfaces name.
///
/// Source: ALB guide, "View the IP addresses of your load balancer".
async fn addresses(client: &Client) -> Result<BTreeMap<String, Vec<Address>>, CallError> {
    let call = Call::new(Service::Ec2, "DescribeNetworkInterfaces");
    let token = ("NextToken", "nextToken");
    let mut addresses = BTreeMap::<_, Vec<Address>>::new();
    for interface in super::pages(client, call, "networkInterfaceSet", token).await? {
        let Some(owner) = interface.text_at("description").strip_prefix("ELB ") else {
            continue;
        };
        let v4 = interface.text_at("privateIpAddress");
        let v6 = interface.list("ipv6AddressesSet").iter();
        let v6 = v6.map(|item| item.text_at("ipv6Address"));
        let address = |address: &str| Address {
            zone: interface.text_at("availabilityZone").to_owned(),
            address: address.to_owned(),
        };
        let own = addresses.entry(owner.to_owned()).or_default();
        own.extend([v4].into_iter().chain(v6).map(address));
    }
    for own in addresses.values_mut() {
        own.sort_by(|a, b| a.zone.cmp(&b.zone));
    }
    Ok(addresses)
}

fn interface_owner(arn: &str) -> &str {
    arn.split_once(":loadbalancer/")
        .map_or(arn, |(_, owner)| owner)
}

fn elbv2(action: &'static str) -> Call {
    Call::new(Service::Elbv2, action)
}

/// Ports; elbow writes nothing else there.
fn number(text: &str) -> u16 {
    text.parse().unwrap_or(0)
}

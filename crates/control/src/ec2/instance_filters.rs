//! What instances can be filtered by: every filter that EC2 documents.

use model::ec2::{InstanceIpv6Address, NetworkInterface, NetworkInterfaceId};

use crate::ec2::describe_instances::{
    InstanceDescription, InstanceStatus, state_reason, transition_reason,
};
use crate::ec2::filter::{Column, Filters};
use crate::ec2::names;

const ZONE_NAME: Column<InstanceDescription> = Column::new("availability-zone", zone_name);
const ZONE_ID: Column<InstanceDescription> = Column::new("availability-zone-id", |it| {
    vec![it.instance.zone.id.clone()]
});
const STATE_NAME: Column<InstanceDescription> = Column::new("instance-state-name", |it| {
    vec![it.instance.state.name().into()]
});
const STATE_CODE: Column<InstanceDescription> = Column::new("instance-state-code", |it| {
    vec![it.instance.state.code().to_string()]
});

/// Filters of DescribeInstances.
pub(crate) const FILTERS: Filters<InstanceDescription> = Filters {
    columns: &[
        Column::new("instance-id", |it| vec![it.instance.id.to_string()]),
        Column::new("reservation-id", |it| {
            vec![it.instance.reservation_id.to_string()]
        }),
        Column::new("launch-index", |it| {
            vec![it.instance.launch_index.to_string()]
        }),
        Column::new("owner-id", |it| vec![it.owner_id.clone()]),
        Column::new("image-id", |it| {
            it.instance.image_id.iter().cloned().collect()
        }),
        Column::new("instance-type", |it| {
            it.instance.instance_type.iter().cloned().collect()
        }),
        Column::new("client-token", |it| {
            it.instance.client_token.iter().cloned().collect()
        }),
        STATE_NAME,
        STATE_CODE,
        Column::new("private-ip-address", address),
        Column::new("network-interface.addresses.private-ip-address", address),
        Column::new("network-interface.private-ip-address", address),
        Column::new("subnet-id", subnet),
        Column::new("network-interface.subnet-id", subnet),
        Column::new("vpc-id", vpc),
        Column::new("network-interface.vpc-id", vpc),
        ZONE_NAME,
        Column::new("network-interface.availability-zone", zone_name),
        ZONE_ID,
        Column::new("instance.group-id", group_ids),
        Column::new("network-interface.group-id", group_ids),
        Column::new("group-id", group_ids),
        Column::new("instance.group-name", group_names),
        Column::new("network-interface.group-name", group_names),
        Column::new("group-name", group_names),
        Column::new("network-interface.network-interface-id", network_interface),
        Column::new("network-interface.status", |it| if_present(it, "in-use")),
        Column::new("tenancy", |_| vec!["default".into()]),
        Column::new("monitoring-state", |_| vec!["disabled".into()]),
        Column::new("launch-time", launch_time),
        Column::new("network-interface.attachment.attach-time", |it| {
            let attached = names::timestamp(it.instance.launched_at_millis);
            if_present(it, attached)
        }),
        Column::new("reason", |it| vec![transition_reason(it.instance.state)]),
        Column::new("state-reason-code", |it| {
            state_reason(it.instance.state)
                .iter()
                .map(|it| it.0.into())
                .collect()
        }),
        Column::new("state-reason-message", |it| {
            state_reason(it.instance.state)
                .iter()
                .map(|it| it.1.into())
                .collect()
        }),
        Column::new("source-dest-check", |it| if_present(it, true)),
        Column::new("network-interface.source-dest-check", |it| {
            if_present(it, true)
        }),
        Column::new("ebs-optimized", off),
        Column::new("enclave-options.enabled", off),
        Column::new("hibernation-options.configured", off),
        Column::new("private-dns-name", private_dns_name),
        Column::new("network-interface.private-dns-name", private_dns_name),
        Column::new(
            "network-interface.addresses.private-dns-name",
            private_dns_name,
        ),
        Column::new("network-interface.mac-address", |it| {
            let id = it.instance.network_interface_id();
            if_present(it, NetworkInterface::mac_address(&id))
        }),
        Column::new("network-interface.attachment.network-card-index", |it| {
            if_present(it, 0)
        }),
        Column::new("network-interface.attachment.attachment-id", attachment),
        Column::new("network-interface.attachment.delete-on-termination", |it| {
            if_present(it, true)
        }),
        Column::new("network-interface.attachment.device-index", |it| {
            if_present(it, 0)
        }),
        Column::new("network-interface.attachment.instance-id", |it| {
            if_present(it, &it.instance.id)
        }),
        Column::new("network-interface.attachment.instance-owner-id", |it| {
            if_present(it, &it.owner_id)
        }),
        Column::new("network-interface.attachment.status", |it| {
            if_present(it, "attached")
        }),
        Column::new("network-interface.addresses.primary", |it| {
            if_present(it, true)
        }),
        Column::new("ipv6-address", ipv6_address),
        Column::new("network-interface.ipv6-address", ipv6_address),
        Column::new(
            "network-interface.ipv6-addresses.ipv6-address",
            ipv6_address,
        ),
        Column::new("network-interface.ipv6-addresses.is-primary-ipv6", |it| {
            ipv6(it, |ipv6| ipv6.is_primary.to_string())
        }),
        Column::new("network-interface.description", |it| if_present(it, "")),
        Column::new("network-interface.tag-key", |it| {
            it.interface_tags.keys().cloned().collect()
        }),
        Column::new("network-interface.tag-value", |it| {
            it.interface_tags.values().cloned().collect()
        }),
        Column::new("network-interface.owner-id", |it| {
            if_present(it, &it.owner_id)
        }),
        Column::new("network-interface.requester-managed", |it| {
            if_present(it, false)
        }),
    ],
    // What belongs to machines that EC2 starts, and to addresses outside the VPC.
    absent: &[
        "affinity",
        "architecture",
        "block-device-mapping.attach-time",
        "block-device-mapping.delete-on-termination",
        "block-device-mapping.device-name",
        "block-device-mapping.status",
        "block-device-mapping.volume-id",
        "boot-mode",
        "capacity-reservation-id",
        "capacity-reservation-specification.capacity-reservation-preference",
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn",
        "current-instance-boot-mode",
        "dns-name",
        "ena-support",
        "host-id",
        "hypervisor",
        "iam-instance-profile.arn",
        "iam-instance-profile.id",
        "instance-lifecycle",
        "ip-address",
        "kernel-id",
        "key-name",
        "maintenance-options.auto-recovery",
        "metadata-options.http-endpoint",
        "metadata-options.http-protocol-ipv4",
        "metadata-options.http-protocol-ipv6",
        "metadata-options.http-put-response-hop-limit",
        "metadata-options.http-tokens",
        "metadata-options.instance-metadata-tags",
        "metadata-options.state",
        "network-interface.addresses.association.allocation-id",
        "network-interface.addresses.association.association-id",
        "network-interface.addresses.association.carrier-ip",
        "network-interface.addresses.association.customer-owned-ip",
        "network-interface.addresses.association.ip-owner-id",
        "network-interface.addresses.association.public-dns-name",
        "network-interface.addresses.association.public-ip",
        "network-interface.association.allocation-id",
        "network-interface.association.association-id",
        "network-interface.association.carrier-ip",
        "network-interface.association.customer-owned-ip",
        "network-interface.association.ip-owner-id",
        "network-interface.association.public-dns-name",
        "network-interface.association.public-ip",
        "network-interface.deny-all-igw-traffic",
        "network-interface.ipv4-prefixes.ipv4-prefix",
        "network-interface.ipv6-native",
        "network-interface.ipv6-prefixes.ipv6-prefix",
        "network-interface.operator.managed",
        "network-interface.operator.principal",
        "network-interface.outpost-arn",
        "network-interface.public-dns-name",
        "network-interface.requester-id",
        "network-performance-options.bandwidth-weighting",
        "operator.managed",
        "operator.principal",
        "outpost-arn",
        "placement-group-name",
        "placement-partition-number",
        "platform",
        "platform-details",
        "private-dns-name-options.enable-resource-name-dns-a-record",
        "private-dns-name-options.enable-resource-name-dns-aaaa-record",
        "private-dns-name-options.hostname-type",
        "product-code",
        "product-code.type",
        "ramdisk-id",
        "requester-id",
        "root-device-name",
        "root-device-type",
        "spot-instance-request-id",
        "tpm-support",
        "usage-operation",
        "usage-operation-update-time",
        "virtualization-type",
    ],
    tags: Some(|it| &it.instance.tags),
};

/// Filters of DescribeInstanceStatus.
pub(crate) const STATUS_FILTERS: Filters<InstanceDescription> = Filters {
    columns: &[
        ZONE_NAME,
        ZONE_ID,
        STATE_NAME,
        STATE_CODE,
        Column::new("instance-status.status", status),
        Column::new("system-status.status", status),
        Column::new("instance-status.reachability", reachability),
        Column::new("system-status.reachability", reachability),
    ],
    absent: &[
        "application-status.status",
        "attached-ebs-status.status",
        "event.code",
        "event.description",
        "event.instance-event-id",
        "event.not-after",
        "event.not-before",
        "event.not-before-deadline",
        "operator.managed",
        "operator.principal",
    ],
    tags: None,
};

/// What only machines that EC2 starts can have.
fn off(_: &InstanceDescription) -> Vec<String> {
    vec!["false".into()]
}

fn private_dns_name(it: &InstanceDescription) -> Vec<String> {
    if_present(it, &it.private_dns_name)
}

fn status(it: &InstanceDescription) -> Vec<String> {
    vec![InstanceStatus::of(it.instance.state).name.to_owned()]
}

fn reachability(it: &InstanceDescription) -> Vec<String> {
    let reachability = InstanceStatus::of(it.instance.state).reachability;
    reachability.into_iter().map(str::to_owned).collect()
}

/// A terminated instance has let go of its address and its network.
fn if_present(it: &InstanceDescription, text: impl ToString) -> Vec<String> {
    it.instance
        .holds_address()
        .then(|| text.to_string())
        .into_iter()
        .collect()
}

fn ipv6_address(it: &InstanceDescription) -> Vec<String> {
    ipv6(it, |ipv6| ipv6.address.to_string())
}

fn ipv6(it: &InstanceDescription, text: fn(InstanceIpv6Address) -> String) -> Vec<String> {
    let ipv6 = it.instance.ipv6_address;
    let ipv6 = ipv6.filter(|_| it.instance.holds_address());
    ipv6.map(text).into_iter().collect()
}

fn zone_name(it: &InstanceDescription) -> Vec<String> {
    vec![it.instance.zone.name.clone()]
}

fn address(it: &InstanceDescription) -> Vec<String> {
    if_present(it, it.instance.private_address)
}

fn subnet(it: &InstanceDescription) -> Vec<String> {
    if_present(it, &it.instance.subnet_id)
}

fn vpc(it: &InstanceDescription) -> Vec<String> {
    if_present(it, &it.instance.vpc_id)
}

fn network_interface(it: &InstanceDescription) -> Vec<String> {
    if_present(it, it.instance.network_interface_id())
}

fn attachment(it: &InstanceDescription) -> Vec<String> {
    let interfaces = network_interface(it).into_iter();
    interfaces
        .map(|id| id.replacen(NetworkInterfaceId::PREFIX, "eni-attach-", 1))
        .collect()
}

fn launch_time(it: &InstanceDescription) -> Vec<String> {
    vec![names::timestamp(it.instance.running_since_millis())]
}

fn group_ids(it: &InstanceDescription) -> Vec<String> {
    it.groups.iter().map(|(id, _)| id.to_string()).collect()
}

fn group_names(it: &InstanceDescription) -> Vec<String> {
    it.groups.iter().map(|(_, name)| name.clone()).collect()
}

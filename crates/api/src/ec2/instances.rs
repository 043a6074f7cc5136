//! `RunInstances`, `DescribeInstances`, `DescribeInstanceStatus`.

use control::ec2::describe_instances::{
    DescribeInstanceStatus, DescribeInstances, InstanceDescription, InstanceStatus, state_reason,
    transition_reason,
};
use control::ec2::run_instances::{RequestedZone, RunInstances};
use control::ec2::{Ec2, Ec2Error};
use model::ec2::{InstanceProtection, NetworkInterface, NetworkInterfaceId};

use super::cpu_credits::read_specification;
use super::input::Fields;
use super::shapes::{
    print_groups, print_instance_state, print_ipv6_addresses, print_tags, read_filters, read_page,
    read_tag_specifications,
};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::{Xml, timestamp};

/// What says how to start a machine, and thus nothing about one that its owner runs.
const STARTING: &[&str] = &[
    "AdditionalInfo",
    "BlockDeviceMapping",
    "CapacityReservationSpecification",
    "CpuOptions",
    "ElasticGpuSpecification",
    "ElasticInferenceAccelerator",
    "EnclaveOptions",
    "IamInstanceProfile",
    "InstanceInitiatedShutdownBehavior",
    "InstanceMarketOptions",
    "KernelId",
    "KeyName",
    "LaunchTemplate",
    "LicenseSpecification",
    "MaintenanceOptions",
    "MetadataOptions",
    "NetworkPerformanceOptions",
    "Operator",
    "PrivateDnsNameOptions",
    "RamdiskId",
    "SecondaryInterface",
    "UserData",
];
/// The same, for switches that are off unless they are turned on.
const STARTING_SWITCHES: &[&str] = &["EbsOptimized"];
/// The same, for switches inside a structure, with what else is in it.
const STARTING_OPTIONS: &[(&str, &str, &[&str])] = &[
    ("HibernationOptions", "Configured", &[]),
    ("Monitoring", "Enabled", &["MetricCategoryId"]),
];
const BECAUSE: &str = "it registers machines that you run and does not start any; leave it out";

pub(super) fn read_run(fields: &Fields<'_>) -> Result<RunInstances, ApiError> {
    fields.refuse(STARTING, BECAUSE)?;
    fields.refuse_true(STARTING_SWITCHES, BECAUSE)?;
    fields.refuse(
        &["Ipv6AddressCount"],
        "it draws no addresses of IPv6; give the machine's own as Ipv6Address",
    )?;
    let (ipv6_addresses, has_primary_ipv6) =
        read_ipv6_addresses(fields, "Ipv6Address", "EnablePrimaryIpv6")?;
    for (structure, switch, others) in STARTING_OPTIONS {
        fields.structure(structure, |options| {
            options.refuse(others, BECAUSE)?;
            options.refuse_true(&[switch], BECAUSE)
        })?;
    }
    let protection = InstanceProtection {
        from_termination: fields.boolean("DisableApiTermination")?.unwrap_or(false),
        from_stop: fields.boolean("DisableApiStop")?.unwrap_or(false),
    };
    let request = RunInstances {
        min_count: fields.integer("MinCount")?,
        max_count: fields.integer("MaxCount")?,
        private_address: fields.text("PrivateIpAddress")?,
        ipv6_addresses,
        has_primary_ipv6,
        subnet_id: fields.text("SubnetId")?,
        security_group_ids: fields.texts("SecurityGroupId")?,
        security_group_names: fields.texts("SecurityGroup")?,
        image_id: fields.text("ImageId")?,
        instance_type: fields.text("InstanceType")?,
        cpu_credits: read_specification(fields)?,
        protection,
        zone: fields
            .structure("Placement", read_placement)?
            .unwrap_or_default(),
        client_token: fields.text("ClientToken")?,
        tag_specifications: read_tag_specifications(fields)?,
    };
    let mut interfaces = fields
        .structures("NetworkInterface", read_interface)?
        .into_iter();
    match (interfaces.next(), interfaces.next()) {
        (None, _) => Ok(request),
        (Some(interface), None) => with_interface(request, interface),
        (Some(_), Some(_)) => Err(Ec2Error::InvalidCombination(
            "elbow knows a machine by one address: give one NetworkInterface at most",
        )
        .into()),
    }
}

/// The addresses in a list of structures, and whether the first one is to be the primary one.
fn read_ipv6_addresses(
    fields: &Fields<'_>,
    list: &'static str,
    switch: &'static str,
) -> Result<(Vec<String>, bool), ApiError> {
    let mut has_primary = fields.boolean(switch)?.unwrap_or(false);
    let mut addresses = Vec::new();
    for (address, is_primary) in fields.structures(list, |it| {
        Ok((it.text("Ipv6Address")?, it.boolean("IsPrimaryIpv6")?))
    })? {
        addresses.extend(address);
        has_primary |= is_primary.unwrap_or(false);
    }
    Ok((addresses, has_primary))
}

fn read_placement(placement: &Fields<'_>) -> Result<RequestedZone, ApiError> {
    let hosts = "it starts no machines, so that there is no host to choose";
    let others = [
        "Affinity",
        "GroupId",
        "HostId",
        "HostResourceGroupArn",
        "PartitionNumber",
        "SpreadDomain",
    ];
    placement.refuse(&others, hosts)?;
    for (name, default) in [("GroupName", ""), ("Tenancy", "default")] {
        if placement.text(name)?.is_some_and(|given| given != default) {
            return Err(placement.unsupported(name, hosts));
        }
    }
    Ok(RequestedZone {
        name: placement.text("AvailabilityZone")?,
        id: placement.text("AvailabilityZoneId")?,
    })
}

/// Where a machine is, said about its one network interface.
struct Interface {
    private_address: Option<String>,
    ipv6_addresses: Vec<String>,
    has_primary_ipv6: bool,
    subnet_id: Option<String>,
    security_group_ids: Vec<String>,
}

fn read_interface(interface: &Fields<'_>) -> Result<Interface, ApiError> {
    let others = [
        "AssociateCarrierIpAddress",
        "ConnectionTrackingSpecification",
        "Description",
        "EnaQueueCount",
        "EnaSrdSpecification",
        "InterfaceType",
        "Ipv4Prefix",
        "Ipv4PrefixCount",
        "Ipv6AddressCount",
        "Ipv6Prefix",
        "Ipv6PrefixCount",
        "NetworkInterfaceId",
        "SecondaryPrivateIpAddressCount",
    ];
    interface.refuse(&others, "it knows a machine by one private address")?;
    interface.refuse_true(
        &["AssociatePublicIpAddress"],
        "it gives no addresses to machines",
    )?;
    for name in ["DeviceIndex", "NetworkCardIndex"] {
        if interface.integer(name)?.is_some_and(|index| index != 0) {
            return Err(interface.unsupported(name, "it knows the first interface only"));
        }
    }
    if interface.boolean("DeleteOnTermination")? == Some(false) {
        let because = "an interface goes together with its instance";
        return Err(interface.unsupported("DeleteOnTermination", because));
    }
    let (ipv6_addresses, has_primary_ipv6) =
        read_ipv6_addresses(interface, "Ipv6Addresses", "PrimaryIpv6")?;
    Ok(Interface {
        private_address: read_interface_address(interface)?,
        ipv6_addresses,
        has_primary_ipv6,
        subnet_id: interface.text("SubnetId")?,
        security_group_ids: interface.texts("SecurityGroupId")?,
    })
}

/// The one address of IPv4: as such, or as the primary one in a list, where the `aws` command puts it beside
/// `--no-associate-public-ip-address`.
fn read_interface_address(interface: &Fields<'_>) -> Result<Option<String>, ApiError> {
    let address = interface.text("PrivateIpAddress")?;
    let listed = interface.structures("PrivateIpAddresses", |it| {
        Ok((
            it.text("PrivateIpAddress")?,
            it.boolean("Primary")?.unwrap_or(false),
        ))
    })?;
    match (address, listed.as_slice()) {
        (address, []) => Ok(address),
        (None, [(address, true)]) => Ok(address.clone()),
        (Some(_), [(_, true)]) => Err(Ec2Error::InvalidCombination(
            "Only one private IP address can be primary: give it as PrivateIpAddress or in PrivateIpAddresses",
        )
        .into()),
        _ => Err(interface.unsupported(
            "PrivateIpAddresses",
            "it knows a machine by one private address, the primary one",
        )),
    }
}

/// The request with what its interface says in place of what it says itself.
fn with_interface(request: RunInstances, interface: Interface) -> Result<RunInstances, ApiError> {
    if request.private_address.is_some()
        || !request.ipv6_addresses.is_empty()
        || request.subnet_id.is_some()
        || !request.security_group_ids.is_empty()
        || !request.security_group_names.is_empty()
    {
        return Err(Ec2Error::InvalidCombination(
            "Network interfaces and an instance-level subnet ID, address or security groups may not be \
             specified on the same request",
        )
        .into());
    }
    Ok(RunInstances {
        private_address: interface.private_address,
        ipv6_addresses: interface.ipv6_addresses,
        has_primary_ipv6: request.has_primary_ipv6 || interface.has_primary_ipv6,
        subnet_id: interface.subnet_id,
        security_group_ids: interface.security_group_ids,
        ..request
    })
}

pub(super) async fn run(ec2: &Ec2<'_>, request: RunInstances) -> Result<Xml, Ec2Error> {
    let instances = ec2.run_instances(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_reservation(&mut xml, &instances);
    Ok(xml)
}

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeInstances, ApiError> {
    // Nobody manages instances but their owner, so there are none to include.
    fields.boolean("IncludeManagedResources")?;
    Ok(DescribeInstances {
        instance_ids: fields.texts("InstanceId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeInstances) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_instances(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    let reservation = |it: &InstanceDescription| it.instance.reservation_id.clone();
    let reservations = page
        .items
        .chunk_by(|one, next| reservation(one) == reservation(next));
    xml.list("reservationSet", reservations, print_reservation);
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_status(fields: &Fields<'_>) -> Result<DescribeInstanceStatus, ApiError> {
    fields.boolean("IncludeManagedResources")?;
    Ok(DescribeInstanceStatus {
        instance_ids: fields.texts("InstanceId")?,
        include_all: fields.boolean("IncludeAllInstances")?.unwrap_or(false),
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe_status(
    ec2: &Ec2<'_>,
    request: DescribeInstanceStatus,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_instance_status(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("instanceStatusSet", &page.items, |xml, instance| {
        xml.text("instanceId", &instance.id);
        xml.text("availabilityZone", &instance.zone.name);
        xml.text("availabilityZoneId", &instance.zone.id);
        print_instance_state(xml, "instanceState", instance.state);
        let status = InstanceStatus::of(instance.state);
        print_status(xml, "systemStatus", status);
        print_status(xml, "instanceStatus", status);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

fn print_status(xml: &mut Xml, name: &str, status: InstanceStatus) {
    xml.element(name, |xml| {
        xml.text("status", status.name);
        if let Some(reachability) = status.reachability {
            xml.list("details", [reachability], |xml, reachability| {
                xml.text("name", "reachability");
                xml.text("status", reachability);
            });
        }
    });
}

/// Instances of one request, one at least.
fn print_reservation(xml: &mut Xml, instances: &[InstanceDescription]) {
    if let Some(first) = instances.first() {
        xml.text("reservationId", &first.instance.reservation_id);
        xml.text("ownerId", &first.owner_id);
    }
    xml.texts("groupSet", [""; 0]);
    xml.list("instancesSet", instances, print);
}

fn print(xml: &mut Xml, description: &InstanceDescription) {
    let instance = &description.instance;
    xml.text("instanceId", &instance.id);
    xml.optional("imageId", instance.image_id.as_ref());
    print_instance_state(xml, "instanceState", instance.state);
    xml.text("privateDnsName", &description.private_dns_name);
    xml.text("dnsName", "");
    xml.text("reason", transition_reason(instance.state));
    xml.text("amiLaunchIndex", instance.launch_index);
    xml.texts("productCodes", [""; 0]);
    xml.optional("instanceType", instance.instance_type.as_ref());
    xml.text("launchTime", timestamp(instance.running_since_millis()));
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &instance.zone.name);
        xml.text("availabilityZoneId", &instance.zone.id);
        xml.text("groupName", "");
        xml.text("tenancy", "default");
    });
    xml.element("monitoring", |xml| xml.text("state", "disabled"));
    if let Some((code, message)) = state_reason(instance.state) {
        xml.element("stateReason", |xml| {
            xml.text("code", code);
            xml.text("message", message);
        });
    }
    xml.texts("blockDeviceMapping", [""; 0]);
    xml.text("ebsOptimized", false);
    xml.element("hibernationOptions", |xml| xml.text("configured", false));
    xml.element("enclaveOptions", |xml| xml.text("enabled", false));
    if instance.holds_address() {
        xml.text("sourceDestCheck", true);
        xml.text("subnetId", &instance.subnet_id);
        xml.text("vpcId", &instance.vpc_id);
        xml.text("privateIpAddress", instance.private_address);
        let ipv6_address = instance.ipv6_address.map(|ipv6| ipv6.address);
        xml.optional("ipv6Address", ipv6_address);
    }
    print_groups(xml, &description.groups);
    xml.optional("clientToken", instance.client_token.as_ref());
    print_tags(xml, &instance.tags);
    let attached = Some(description).filter(|_| instance.holds_address());
    xml.list("networkInterfaceSet", attached, print_interface);
}

fn print_interface(xml: &mut Xml, description: &InstanceDescription) {
    let instance = &description.instance;
    let id = instance.network_interface_id();
    xml.text("networkInterfaceId", &id);
    xml.text("subnetId", &instance.subnet_id);
    xml.text("vpcId", &instance.vpc_id);
    xml.text("description", "");
    xml.text("ownerId", &description.owner_id);
    xml.text("status", "in-use");
    xml.text("macAddress", NetworkInterface::mac_address(&id));
    xml.text("sourceDestCheck", true);
    xml.text("privateIpAddress", instance.private_address);
    xml.text("privateDnsName", &description.private_dns_name);
    print_ipv6_addresses(xml, instance.ipv6_address);
    print_groups(xml, &description.groups);
    xml.element("attachment", |xml| {
        let attachment = id
            .as_str()
            .replacen(NetworkInterfaceId::PREFIX, "eni-attach-", 1);
        xml.text("attachmentId", attachment);
        xml.text("deviceIndex", 0);
        xml.text("networkCardIndex", 0);
        xml.text("status", "attached");
        xml.text("attachTime", timestamp(instance.launched_at_millis));
        xml.text("deleteOnTermination", true);
    });
    xml.list(
        "privateIpAddressesSet",
        [instance.private_address],
        |xml, address| {
            xml.text("privateIpAddress", address);
            xml.text("privateDnsName", &description.private_dns_name);
            xml.text("primary", true);
        },
    );
    xml.text("interfaceType", "interface");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::input::decode;
    use crate::query;

    #[test]
    fn an_address_is_made_the_primary_one_by_a_switch_or_by_itself() {
        let address = "Ipv6Address.1.Ipv6Address=fd65::1";
        let interface = "NetworkInterface.1.Ipv6Addresses.1.Ipv6Address=fd65::1";
        for (form, is_primary) in [
            (address.to_owned(), false),
            (format!("{address}&EnablePrimaryIpv6=true"), true),
            (format!("{address}&Ipv6Address.1.IsPrimaryIpv6=true"), true),
            (
                format!("{address}&Ipv6Address.1.IsPrimaryIpv6=false"),
                false,
            ),
            (interface.to_owned(), false),
            (
                format!("{interface}&NetworkInterface.1.PrimaryIpv6=true"),
                true,
            ),
            (
                format!("{interface}&NetworkInterface.1.Ipv6Addresses.1.IsPrimaryIpv6=true"),
                true,
            ),
        ] {
            let input = query::decode(form.as_bytes()).expect("it is a form");
            let (_, request) = decode(&input, read_run).expect("all of it is read");
            assert_eq!(request.ipv6_addresses, ["fd65::1"], "{form}");
            assert_eq!(request.has_primary_ipv6, is_primary, "{form}");
        }
    }
}

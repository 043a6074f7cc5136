//! `DescribeNetworkInterfaces`.

use control::ec2::network_interfaces::{DescribeNetworkInterfaces, NetworkInterfaceDescription};
use control::ec2::{Ec2, Ec2Error};
use model::ec2::{InterfaceKind, NetworkInterface};

use super::input::Fields;
use super::shapes::{print_groups, print_ipv6_addresses, print_tag_set, read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::{Xml, timestamp};

pub(super) fn read(fields: &Fields<'_>) -> Result<DescribeNetworkInterfaces, ApiError> {
    // Those of load balancers are always shown, as on EC2, so there are none to include.
    fields.boolean("IncludeManagedResources")?;
    Ok(DescribeNetworkInterfaces {
        network_interface_ids: fields.texts("NetworkInterfaceId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeNetworkInterfaces,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_network_interfaces(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("networkInterfaceSet", &page.items, print);
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

fn print(xml: &mut Xml, description: &NetworkInterfaceDescription) {
    let interface = &description.interface;
    xml.text("networkInterfaceId", &interface.id);
    xml.text("subnetId", &interface.subnet_id);
    xml.text("vpcId", &interface.vpc_id);
    xml.text("availabilityZone", &interface.zone.name);
    xml.text("availabilityZoneId", &interface.zone.id);
    xml.text("description", interface.description());
    xml.text("ownerId", &description.owner_id);
    xml.optional("requesterId", description.requester_id());
    xml.text("requesterManaged", description.requester_id().is_some());
    xml.text("status", "in-use");
    xml.text("macAddress", NetworkInterface::mac_address(&interface.id));
    xml.text("sourceDestCheck", true);
    xml.text("privateIpAddress", interface.private_address);
    xml.text("privateDnsName", &description.private_dns_name);
    print_ipv6_addresses(xml, interface.ipv6_address);
    print_groups(xml, &description.groups);
    xml.element("attachment", |xml| print_attachment(xml, description));
    xml.list(
        "privateIpAddressesSet",
        [interface.private_address],
        |xml, address| {
            xml.text("privateIpAddress", address);
            xml.text("privateDnsName", &description.private_dns_name);
            xml.text("primary", true);
        },
    );
    xml.text("interfaceType", "interface");
    print_tag_set(xml, &interface.tags);
}

fn print_attachment(xml: &mut Xml, description: &NetworkInterfaceDescription) {
    xml.text("attachmentId", description.attachment_id());
    xml.text("instanceOwnerId", description.instance_owner_id());
    xml.text("status", "attached");
    if let InterfaceKind::Instance { id, .. } = &description.interface.kind {
        xml.text("instanceId", id);
    }
    xml.text("deviceIndex", description.device_index());
    xml.text("networkCardIndex", 0);
    xml.optional(
        "attachTime",
        description.attached_at_millis().map(timestamp),
    );
    xml.text(
        "deleteOnTermination",
        description.is_deleted_on_termination(),
    );
}

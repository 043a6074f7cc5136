//! `ModifyNetworkInterfaceAttribute`, `DeleteNetworkInterface`, `DetachNetworkInterface`.

use control::ec2::instance_attributes::InstanceChange;
use control::ec2::network_interface_changes::ModifyNetworkInterfaceAttribute;
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::instance_attributes::check_destination;
use super::shapes::print_return;
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_modify(
    fields: &Fields<'_>,
) -> Result<ModifyNetworkInterfaceAttribute, ApiError> {
    let others = [
        "AssociatePublicIpAddress",
        "AssociatedSubnetId",
        "Attachment",
        "ConnectionTrackingSpecification",
        "Description",
        "EnaSrdSpecification",
        "EnablePrimaryIpv6",
    ];
    fields.refuse(
        &others,
        "an interface is made from its instance; change SecurityGroupId",
    )?;
    let groups = fields.texts("SecurityGroupId")?;
    let check = fields.boolean_value("SourceDestCheck")?;
    let change = match (groups.is_empty(), check) {
        (false, None) => InstanceChange::Groups(groups),
        (true, Some(is_on)) => check_destination(fields, "SourceDestCheck", is_on)?,
        (false, Some(_)) => {
            return Err(Ec2Error::InvalidCombination(
                "Fields for multiple attribute types specified; change one attribute at a time",
            )
            .into());
        }
        (true, None) => {
            return Err(Ec2Error::InvalidCombination("No attributes specified.").into());
        }
    };
    Ok(ModifyNetworkInterfaceAttribute {
        network_interface_id: fields.required("NetworkInterfaceId", "networkInterfaceId")?,
        change,
    })
}

pub(super) async fn modify(
    ec2: &Ec2<'_>,
    request: ModifyNetworkInterfaceAttribute,
) -> Result<Xml, Ec2Error> {
    ec2.modify_network_interface_attribute(request).await?;
    Ok(returned())
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("NetworkInterfaceId", "networkInterfaceId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, id: String) -> Result<Xml, Ec2Error> {
    ec2.delete_network_interface(&id)?;
    Ok(returned())
}

/// An attachment is never detached, with force or without.
pub(super) fn read_detach(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.boolean("Force")?;
    fields.required("AttachmentId", "attachmentId")
}

pub(super) async fn detach(ec2: &Ec2<'_>, attachment: String) -> Result<Xml, Ec2Error> {
    ec2.detach_network_interface(&attachment)?;
    Ok(returned())
}

fn returned() -> Xml {
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    xml
}

//! `DescribeInstanceAttribute`, `ModifyInstanceAttribute`.

use control::ec2::instance_attributes::{
    AttributeValue, DescribeInstanceAttribute, InstanceChange, ModifyInstanceAttribute,
    require_attribute,
};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::{print_groups, print_return};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeInstanceAttribute, ApiError> {
    Ok(DescribeInstanceAttribute {
        instance_id: fields.required("InstanceId", "instanceId")?,
        attribute: fields.required("Attribute", "attribute")?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeInstanceAttribute,
) -> Result<Xml, Ec2Error> {
    let attribute = ec2.describe_instance_attribute(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.text("instanceId", &attribute.instance.id);
    match &attribute.value {
        AttributeValue::Switch(is_on) => {
            xml.element(attribute.name, |xml| xml.text("value", is_on));
        }
        AttributeValue::Text(text) => {
            xml.element(attribute.name, |xml| xml.optional("value", text.as_ref()));
        }
        AttributeValue::NoItems => xml.texts(attribute.name, [""; 0]),
        AttributeValue::Groups(groups) => print_groups(&mut xml, groups),
    }
    Ok(xml)
}

/// What EC2 can change about the machines it starts.
const OF_MACHINES: &[&str] = &[
    "BlockDeviceMapping",
    "EnclaveOptions",
    "InstanceInitiatedShutdownBehavior",
    "Kernel",
    "Ramdisk",
    "SriovNetSupport",
    "UserData",
];
const NOT_STARTED: &str = "it registers machines that you run and does not start any";

pub(super) fn read_modify(fields: &Fields<'_>) -> Result<ModifyInstanceAttribute, ApiError> {
    fields.refuse(OF_MACHINES, NOT_STARTED)?;
    let instance_type = fields.structure("InstanceType", |it| it.text("Value"))?;
    let groups = Some(fields.texts("GroupId")?).filter(|ids| !ids.is_empty());
    let mut given = vec![
        groups.map(InstanceChange::Groups),
        fields
            .boolean_value("DisableApiTermination")?
            .map(InstanceChange::ProtectFromTermination),
        fields
            .boolean_value("DisableApiStop")?
            .map(InstanceChange::ProtectFromStop),
        instance_type.flatten().map(InstanceChange::InstanceType),
        match fields.boolean_value("SourceDestCheck")? {
            Some(is_on) => Some(check_destination(fields, "SourceDestCheck", is_on)?),
            None => None,
        },
        read_named(fields)?,
    ];
    for name in ["EbsOptimized", "EnaSupport"] {
        if let Some(is_on) = fields.boolean_value(name)? {
            given.push(Some(keep_off(fields, name, is_on)?));
        }
    }
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(change), None) => Ok(ModifyInstanceAttribute {
            instance_id: fields.required("InstanceId", "instanceId")?,
            change,
        }),
        (Some(_), Some(_)) => Err(Ec2Error::InvalidCombination(
            "Fields for multiple attribute types specified; change one attribute at a time",
        )
        .into()),
        (None, _) => Err(Ec2Error::InvalidCombination("No attributes specified.").into()),
    }
}

/// `Attribute` and `Value`, the older form of the same.
fn read_named(fields: &Fields<'_>) -> Result<Option<InstanceChange>, ApiError> {
    let Some(name) = fields.text("Attribute")? else {
        fields.refuse(
            &["Value"],
            "it needs the name of the attribute as Attribute",
        )?;
        return Ok(None);
    };
    let change = match name.as_str() {
        "instanceType" => InstanceChange::InstanceType(fields.required("Value", "value")?),
        "disableApiTermination" => InstanceChange::ProtectFromTermination(read_value(fields)?),
        "disableApiStop" => InstanceChange::ProtectFromStop(read_value(fields)?),
        "sourceDestCheck" => check_destination(fields, "Value", read_value(fields)?)?,
        "ebsOptimized" | "enaSupport" => keep_off(fields, "Value", read_value(fields)?)?,
        _ => {
            require_attribute(&name)?;
            return Err(fields.unsupported("Attribute", &format!("{name} cannot be changed")));
        }
    };
    Ok(Some(change))
}

fn read_value(fields: &Fields<'_>) -> Result<bool, ApiError> {
    match fields.boolean("Value")? {
        Some(is_on) => Ok(is_on),
        None => Err(Ec2Error::MissingParameter("value").into()),
    }
}

/// What only a machine that EC2 starts can have, and thus is off.
fn keep_off(fields: &Fields<'_>, parameter: &str, is_on: bool) -> Result<InstanceChange, ApiError> {
    match is_on {
        true => Err(fields.unsupported(parameter, NOT_STARTED)),
        false => Ok(InstanceChange::AsItIs),
    }
}

/// `sourceDestCheck`, which cannot be turned off.
pub(super) fn check_destination(
    fields: &Fields<'_>,
    parameter: &str,
    is_on: bool,
) -> Result<InstanceChange, ApiError> {
    match is_on {
        true => Ok(InstanceChange::AsItIs),
        false => Err(fields.unsupported(
            parameter,
            "it sends an instance what is for its own address and nothing else",
        )),
    }
}

pub(super) async fn modify(
    ec2: &Ec2<'_>,
    request: ModifyInstanceAttribute,
) -> Result<Xml, Ec2Error> {
    ec2.modify_instance_attribute(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

//! `DescribeInstanceTypes` and `DescribeInstanceTypeOfferings`.

use control::ec2::instance_type_offerings::DescribeInstanceTypeOfferings;
use control::ec2::instance_types::DescribeInstanceTypes;
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::{read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> Result<DescribeInstanceTypes, ApiError> {
    // All types that are known are supported here, so that there are no others to include.
    fields.boolean("IncludeUnsupportedInRegion")?;
    Ok(DescribeInstanceTypes {
        names: fields.texts("InstanceType")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeInstanceTypes,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_instance_types(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("instanceTypeSet", &page.items, |xml, it| {
        xml.text("instanceType", &it.name);
        xml.text("bareMetal", it.is_bare_metal);
        xml.element("processorInfo", |xml| {
            xml.texts("supportedArchitectures", it.architectures);
        });
        xml.text("burstablePerformanceSupported", it.is_burstable);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_offerings(
    fields: &Fields<'_>,
) -> Result<DescribeInstanceTypeOfferings, ApiError> {
    Ok(DescribeInstanceTypeOfferings {
        location_type: fields.text("LocationType")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe_offerings(
    ec2: &Ec2<'_>,
    request: DescribeInstanceTypeOfferings,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_instance_type_offerings(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("instanceTypeOfferingSet", &page.items, |xml, it| {
        xml.text("instanceType", &it.instance_type);
        xml.text("locationType", it.location_type);
        xml.text("location", &it.location);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

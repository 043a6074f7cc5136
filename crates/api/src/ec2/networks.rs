//! `DescribeVpcs`, `DescribeAvailabilityZones`, `DescribeRegions`, `DescribeAccountAttributes`.

use control::ec2::networks::{
    DescribeAvailabilityZones, DescribeRegions, DescribeVpcs, cidr_association_id, region_endpoint,
    zone_group,
};
use control::ec2::{Ec2, Ec2Error};
use model::arn::Place;
use model::ec2::Vpc;

use super::input::Fields;
use super::ipv6_blocks;
use super::shapes::{print_block_public_access, print_tags, read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_vpcs(fields: &Fields<'_>) -> Result<DescribeVpcs, ApiError> {
    Ok(DescribeVpcs {
        vpc_ids: fields.texts("VpcId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe_vpcs(ec2: &Ec2<'_>, request: DescribeVpcs) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_vpcs(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("vpcSet", &page.items, |xml, vpc| {
        print_vpc(xml, vpc, ec2.place())
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

/// A `Vpc`.
pub(super) fn print_vpc(xml: &mut Xml, vpc: &Vpc, place: &Place) {
    xml.text("vpcId", &vpc.id);
    xml.text("ownerId", &place.account);
    xml.text("state", "available");
    xml.text("cidrBlock", vpc.cidr);
    xml.list("cidrBlockAssociationSet", [vpc], |xml, vpc| {
        xml.text("cidrBlock", vpc.cidr);
        xml.text("associationId", cidr_association_id(vpc));
        xml.element("cidrBlockState", |xml| xml.text("state", "associated"));
    });
    if !vpc.ipv6_blocks.is_empty() {
        xml.list(
            "ipv6CidrBlockAssociationSet",
            &vpc.ipv6_blocks,
            |xml, block| ipv6_blocks::print_of_vpc(xml, block, "associated", &place.region),
        );
    }
    xml.text("dhcpOptionsId", "default");
    xml.text("instanceTenancy", "default");
    xml.text("isDefault", vpc.is_default);
    print_block_public_access(xml);
    print_tags(xml, &vpc.tags);
}

/// There are no zones and regions but those that are shown, so asking for all of them changes nothing.
pub(super) fn read_availability_zones(
    fields: &Fields<'_>,
) -> Result<DescribeAvailabilityZones, ApiError> {
    fields.boolean("AllAvailabilityZones")?;
    Ok(DescribeAvailabilityZones {
        zone_names: fields.texts("ZoneName")?,
        zone_ids: fields.texts("ZoneId")?,
        filters: read_filters(fields)?,
    })
}

pub(super) async fn describe_availability_zones(
    ec2: &Ec2<'_>,
    request: DescribeAvailabilityZones,
) -> Result<Xml, Ec2Error> {
    let zones = ec2.describe_availability_zones(&request)?;
    let region = &ec2.place().region;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("availabilityZoneInfo", &zones, |xml, zone| {
        xml.text("optInStatus", "opt-in-not-required");
        xml.texts("messageSet", [""; 0]);
        xml.text("regionName", region);
        xml.text("zoneName", &zone.name);
        xml.text("zoneId", &zone.id);
        xml.text("groupName", zone_group(region));
        xml.text("networkBorderGroup", region);
        xml.text("zoneType", "availability-zone");
        xml.text("zoneState", "available");
    });
    Ok(xml)
}

pub(super) fn read_regions(fields: &Fields<'_>) -> Result<DescribeRegions, ApiError> {
    fields.boolean("AllRegions")?;
    Ok(DescribeRegions {
        region_names: fields.texts("RegionName")?,
        filters: read_filters(fields)?,
    })
}

pub(super) async fn describe_regions(
    ec2: &Ec2<'_>,
    request: DescribeRegions,
) -> Result<Xml, Ec2Error> {
    let regions = ec2.describe_regions(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("regionInfo", &regions, |xml, region| {
        xml.text("regionName", region);
        xml.text("regionEndpoint", region_endpoint(region));
        xml.text("optInStatus", "opt-in-not-required");
    });
    Ok(xml)
}

pub(super) fn read_account_attributes(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    fields.texts("AttributeName")
}

pub(super) async fn describe_account_attributes(
    ec2: &Ec2<'_>,
    names: Vec<String>,
) -> Result<Xml, Ec2Error> {
    let attributes = ec2.describe_account_attributes(&names)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("accountAttributeSet", &attributes, |xml, attribute| {
        xml.text("attributeName", attribute.name);
        xml.list("attributeValueSet", &attribute.values, |xml, value| {
            xml.text("attributeValue", value);
        });
    });
    Ok(xml)
}

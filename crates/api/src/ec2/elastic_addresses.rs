//! `AllocateAddress`, `ReleaseAddress`, `DescribeAddresses`, `DescribeAddressesAttribute`.

use control::ec2::elastic_addresses::{AllocateAddress, DescribeAddresses, POOL, ReleaseAddress};
use control::ec2::{Ec2, Ec2Error, PageRequest};

use super::input::Fields;
use super::shapes::{print_return, print_tags, read_filters, read_page, read_tag_specifications};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_allocate(fields: &Fields<'_>) -> Result<AllocateAddress, ApiError> {
    fields.refuse(
        &["IpamPoolId", "CustomerOwnedIpv4Pool"],
        "its addresses come from the one block of its configuration",
    )?;
    if fields.text("Domain")?.is_some_and(|domain| domain != "vpc") {
        return Err(fields.unsupported("Domain", "every address is for VPCs"));
    }
    Ok(AllocateAddress {
        address: fields.text("Address")?,
        pool: fields.text("PublicIpv4Pool")?,
        network_border_group: fields.text("NetworkBorderGroup")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn allocate(ec2: &Ec2<'_>, request: AllocateAddress) -> Result<Xml, Ec2Error> {
    let address = ec2.allocate_address(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.text("publicIp", address.address);
    xml.text("allocationId", &address.id);
    xml.text("publicIpv4Pool", POOL);
    xml.text("domain", "vpc");
    xml.text("networkBorderGroup", &ec2.place().region);
    Ok(xml)
}

pub(super) fn read_release(fields: &Fields<'_>) -> Result<ReleaseAddress, ApiError> {
    fields.refuse(&["PublicIp"], "name the address by its AllocationId")?;
    Ok(ReleaseAddress {
        allocation_id: fields.required("AllocationId", "allocationId")?,
        network_border_group: fields.text("NetworkBorderGroup")?,
    })
}

pub(super) async fn release(ec2: &Ec2<'_>, request: ReleaseAddress) -> Result<Xml, Ec2Error> {
    ec2.release_address(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeAddresses, ApiError> {
    Ok(DescribeAddresses {
        allocation_ids: fields.texts("AllocationId")?,
        public_ips: fields.texts("PublicIp")?,
        filters: read_filters(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeAddresses) -> Result<Xml, Ec2Error> {
    let addresses = ec2.describe_addresses(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("addressesSet", &addresses, |xml, address| {
        xml.text("publicIp", address.address);
        xml.text("allocationId", &address.id);
        xml.text("domain", "vpc");
        print_tags(xml, &address.tags);
        xml.text("publicIpv4Pool", POOL);
        xml.text("networkBorderGroup", &ec2.place().region);
    });
    Ok(xml)
}

/// `domain-name`, the name that stands for the address, is the one attribute there is.
pub(super) fn read_attribute(fields: &Fields<'_>) -> Result<(Vec<String>, PageRequest), ApiError> {
    let attribute = fields.text("Attribute")?;
    if attribute.is_some_and(|name| name != "domain-name") {
        return Err(fields.unsupported("Attribute", "an address has domain-name alone"));
    }
    Ok((fields.texts("AllocationId")?, read_page(fields)?))
}

pub(super) async fn describe_attribute(
    ec2: &Ec2<'_>,
    (ids, page): (Vec<String>, PageRequest),
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_addresses_attribute(&ids, &page)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("addressSet", &page.items, |xml, address| {
        xml.text("publicIp", address.address);
        xml.text("allocationId", &address.id);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

//! The structures that several operations read or print.

use control::ec2::{Filter, PageRequest, TagSpecification};
use model::ec2::{InstanceIpv6Address, InstanceState, SecurityGroupId, Tags};

use super::input::Fields;
use crate::ApiError;
use crate::xml::Xml;

/// `Filters`.
pub(super) fn read_filters(fields: &Fields<'_>) -> Result<Vec<Filter>, ApiError> {
    fields.structures("Filter", |filter| {
        Ok(Filter {
            name: filter.text("Name")?.unwrap_or_default(),
            values: filter.texts("Value")?,
        })
    })
}

/// `MaxResults` and `NextToken`.
pub(super) fn read_page(fields: &Fields<'_>) -> Result<PageRequest, ApiError> {
    Ok(PageRequest {
        max_results: fields.integer("MaxResults")?,
        // An empty one asks for the first page, as the first of a loop over pages may have it.
        next_token: fields.text("NextToken")?,
    })
}

/// `TagSpecifications`.
pub(super) fn read_tag_specifications(
    fields: &Fields<'_>,
) -> Result<Vec<TagSpecification>, ApiError> {
    fields.structures("TagSpecification", |specification| {
        Ok(TagSpecification {
            resource_type: specification.text("ResourceType")?.unwrap_or_default(),
            tags: read_tags(specification)?,
        })
    })
}

/// `Tags`; a tag without a value has the empty one.
pub(super) fn read_tags(fields: &Fields<'_>) -> Result<Vec<(String, String)>, ApiError> {
    fields.structures("Tag", |tag| {
        Ok((
            tag.text("Key")?.unwrap_or_default(),
            tag.text("Value")?.unwrap_or_default(),
        ))
    })
}

/// `tagSet`, of what EC2 shows without one where there are no tags.
pub(super) fn print_tags(xml: &mut Xml, tags: &Tags) {
    if !tags.is_empty() {
        print_tag_set(xml, tags);
    }
}

/// `tagSet`, of what EC2 shows with an empty one where there are no tags.
///
/// Source: AWS CLI Command Reference, the examples of the operations.
pub(super) fn print_tag_set(xml: &mut Xml, tags: &Tags) {
    xml.list("tagSet", tags, |xml, (key, value)| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

/// `groupSet`: groups with their names.
pub(super) fn print_groups(xml: &mut Xml, groups: &[(SecurityGroupId, String)]) {
    xml.list("groupSet", groups, |xml, (id, name)| {
        xml.text("groupId", id);
        xml.text("groupName", name);
    });
}

/// `ipv6AddressesSet`: the address of IPv6 of an interface.
pub(super) fn print_ipv6_addresses(xml: &mut Xml, address: Option<InstanceIpv6Address>) {
    xml.list("ipv6AddressesSet", address, |xml, ipv6| {
        xml.text("ipv6Address", ipv6.address);
        xml.text("isPrimaryIpv6", ipv6.is_primary);
    });
}

/// An `InstanceState`.
pub(super) fn print_instance_state(xml: &mut Xml, name: &str, state: InstanceState) {
    xml.element(name, |xml| {
        xml.text("code", state.code());
        xml.text("name", state.name());
    });
}

/// The answer of an operation that has nothing else to say.
pub(super) fn print_return(xml: &mut Xml) {
    xml.text("return", true);
}

/// What "VPC Block Public Access" keeps out of a VPC or a subnet: nothing, because elbow does not have it.
pub(super) fn print_block_public_access(xml: &mut Xml) {
    xml.element("blockPublicAccessStates", |xml| {
        xml.text("internetGatewayBlockMode", "off");
    });
}

//! `CreateRoute`, `ReplaceRoute`, `DeleteRoute`.

use control::ec2::routes::{PutRoute, RouteReference};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::print_return;
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

/// What routes of EC2 can lead to beside internet gateways.
const OTHER_TARGETS: &[&str] = &[
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
];

pub(super) fn read_reference(fields: &Fields<'_>) -> Result<RouteReference, ApiError> {
    fields.refuse(
        &["DestinationPrefixListId"],
        "its routes are for CIDR blocks; give each block of the list",
    )?;
    Ok(RouteReference {
        route_table_id: fields.required("RouteTableId", "routeTableId")?,
        ipv4_block: fields.text("DestinationCidrBlock")?,
        ipv6_block: fields.text("DestinationIpv6CidrBlock")?,
    })
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<PutRoute, ApiError> {
    fields.refuse(OTHER_TARGETS, "its routes lead to internet gateways")?;
    Ok(PutRoute {
        route: read_reference(fields)?,
        gateway_id: fields.text("GatewayId")?,
    })
}

/// The route to the VPC itself always leads there, so that there is none to lead back.
pub(super) fn read_replace(fields: &Fields<'_>) -> Result<PutRoute, ApiError> {
    fields.refuse_true(&["LocalTarget"], "its local routes are never replaced")?;
    read_create(fields)
}

pub(super) async fn create(ec2: &Ec2<'_>, request: PutRoute) -> Result<Xml, Ec2Error> {
    ec2.create_route(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) async fn replace(ec2: &Ec2<'_>, request: PutRoute) -> Result<Xml, Ec2Error> {
    ec2.replace_route(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) async fn delete(ec2: &Ec2<'_>, request: RouteReference) -> Result<Xml, Ec2Error> {
    ec2.delete_route(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

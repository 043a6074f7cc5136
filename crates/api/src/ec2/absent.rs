//! Describe operations of what elbow never has, such as `DescribeNatGateways`.

use control::ec2::absent::{AbsentKind, DescribeAbsent};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::{read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

/// A reader for each kind, with the parameter that has its ids.
macro_rules! readers {
    ($($name:ident => $kind:ident, $ids:literal;)+) => {
        $(pub(super) fn $name(fields: &Fields<'_>) -> Result<DescribeAbsent, ApiError> {
            Ok(DescribeAbsent {
                kind: AbsentKind::$kind,
                ids: fields.texts($ids)?,
                filters: read_filters(fields)?,
                page: read_page(fields)?,
            })
        })+
    };
}

readers! {
    dhcp_options => DhcpOptions, "DhcpOptionsId";
    egress_only_internet_gateways => EgressOnlyInternetGateway, "EgressOnlyInternetGatewayId";
    nat_gateways => NatGateway, "NatGatewayId";
    vpc_endpoints => VpcEndpoint, "VpcEndpointId";
    vpc_peering_connections => VpcPeeringConnection, "VpcPeeringConnectionId";
    vpn_gateways => VpnGateway, "VpnGatewayId";
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeAbsent) -> Result<Xml, Ec2Error> {
    ec2.describe_absent(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.texts(set(request.kind), [""; 0]);
    Ok(xml)
}

/// The list in which an answer would have them.
fn set(kind: AbsentKind) -> &'static str {
    match kind {
        AbsentKind::DhcpOptions => "dhcpOptionsSet",
        AbsentKind::EgressOnlyInternetGateway => "egressOnlyInternetGatewaySet",
        AbsentKind::NatGateway => "natGatewaySet",
        AbsentKind::VpcEndpoint => "vpcEndpointSet",
        AbsentKind::VpcPeeringConnection => "vpcPeeringConnectionSet",
        AbsentKind::VpnGateway => "vpnGatewaySet",
    }
}

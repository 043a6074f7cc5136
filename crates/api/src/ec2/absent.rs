//! Describe operations of what elbow never has, such as `DescribeNatGateways`.

use control::ec2::absent::{AbsentKind, DescribeAbsent};
use control::ec2::{Ec2, Ec2Error, PageRequest};

use super::input::Fields;
use super::shapes::{read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

/// A reader for each kind, with the parameter that has its ids, and those that choose among what there is: switches
/// for more of it, and lists of whose it may be.
macro_rules! readers {
    ($($name:ident => $kind:ident, $ids:literal $(, switches $switches:expr)? $(, lists $lists:expr)?;)+) => {
        $(pub(super) fn $name(fields: &Fields<'_>) -> Result<DescribeAbsent, ApiError> {
            $(for switch in $switches {
                fields.boolean(switch)?;
            })?
            $(for list in $lists {
                fields.texts(list)?;
            })?
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
    images => Image, "ImageId",
        switches ["IncludeDeprecated", "IncludeDisabled"], lists ["ExecutableBy", "Owner"];
    nat_gateways => NatGateway, "NatGatewayId";
    prefix_lists => ServicePrefixList, "PrefixListId";
    snapshots => Snapshot, "SnapshotId", lists ["Owner", "RestorableBy"];
    volumes => Volume, "VolumeId", switches ["IncludeManagedResources"];
    vpc_endpoints => VpcEndpoint, "VpcEndpointId";
    vpc_peering_connections => VpcPeeringConnection, "VpcPeeringConnectionId";
    vpn_gateways => VpnGateway, "VpnGatewayId";
}

/// They are named by ids and by names, and do not come in pages.
pub(super) fn key_pairs(fields: &Fields<'_>) -> Result<DescribeAbsent, ApiError> {
    fields.boolean("IncludePublicKey")?;
    let mut ids = fields.texts("KeyPairId")?;
    ids.extend(fields.texts("KeyName")?);
    Ok(DescribeAbsent {
        kind: AbsentKind::KeyPair,
        ids,
        filters: read_filters(fields)?,
        page: PageRequest::default(),
    })
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
        AbsentKind::Image => "imagesSet",
        AbsentKind::KeyPair => "keySet",
        AbsentKind::NatGateway => "natGatewaySet",
        AbsentKind::ServicePrefixList => "prefixListSet",
        AbsentKind::Snapshot => "snapshotSet",
        AbsentKind::Volume => "volumeSet",
        AbsentKind::VpcEndpoint => "vpcEndpointSet",
        AbsentKind::VpcPeeringConnection => "vpcPeeringConnectionSet",
        AbsentKind::VpnGateway => "vpnGatewaySet",
    }
}

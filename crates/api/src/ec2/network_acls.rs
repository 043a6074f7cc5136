//! `DescribeNetworkAcls`.

use control::ec2::network_acls::{DescribeNetworkAcls, NetworkAcl};
use control::ec2::{Ec2, Ec2Error};

use super::input::Fields;
use super::shapes::{read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> Result<DescribeNetworkAcls, ApiError> {
    Ok(DescribeNetworkAcls {
        network_acl_ids: fields.texts("NetworkAclId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeNetworkAcls) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_network_acls(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("networkAclSet", &page.items, print);
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

fn print(xml: &mut Xml, acl: &NetworkAcl) {
    xml.text("networkAclId", &acl.id);
    xml.text("vpcId", &acl.vpc.id);
    xml.text("ownerId", &acl.owner_id);
    xml.text("default", true);
    xml.list("entrySet", acl.entries(), |xml, entry| {
        xml.text("ruleNumber", entry.number);
        xml.text("protocol", "-1");
        xml.text("ruleAction", entry.action);
        xml.text("egress", entry.is_egress);
        let is_ipv4 = entry.block.network().is_ipv4();
        let name = if is_ipv4 {
            "cidrBlock"
        } else {
            "ipv6CidrBlock"
        };
        xml.text(name, entry.block);
    });
    xml.list("associationSet", &acl.subnet_ids, |xml, subnet_id| {
        xml.text(
            "networkAclAssociationId",
            NetworkAcl::association_id(subnet_id),
        );
        xml.text("networkAclId", &acl.id);
        xml.text("subnetId", subnet_id);
    });
    xml.texts("tagSet", [""; 0]);
}

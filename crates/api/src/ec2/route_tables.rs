//! `CreateRouteTable`, `DescribeRouteTables`, `DeleteRouteTable`, and the associations of route tables.

use control::ec2::route_table_associations::{AssociateRouteTable, ReplaceRouteTableAssociation};
use control::ec2::route_tables::{
    CreateRouteTable, DescribeRouteTables, RouteDescription, RouteTableDescription,
};
use control::ec2::{Ec2, Ec2Error};
use model::ec2::{Association, RouteTable, RouteTableAssociation};

use super::input::Fields;
use super::shapes::{
    print_return, print_tag_set, read_filters, read_page, read_tag_specifications,
};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeRouteTables, ApiError> {
    Ok(DescribeRouteTables {
        route_table_ids: fields.texts("RouteTableId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(ec2: &Ec2<'_>, request: DescribeRouteTables) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_route_tables(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("routeTableSet", &page.items, print);
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateRouteTable, ApiError> {
    Ok(CreateRouteTable {
        vpc_id: fields.required("VpcId", "vpcId")?,
        client_token: fields.text("ClientToken")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

pub(super) async fn create(ec2: &Ec2<'_>, request: CreateRouteTable) -> Result<Xml, Ec2Error> {
    let table = ec2.create_route_table(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("routeTable", |xml| print(xml, &table));
    xml.optional("clientToken", table.table.client_token.as_ref());
    Ok(xml)
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("RouteTableId", "routeTableId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, id: String) -> Result<Xml, Ec2Error> {
    ec2.delete_route_table(id).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_associate(fields: &Fields<'_>) -> Result<AssociateRouteTable, ApiError> {
    fields.refuse(
        &["GatewayId", "PublicIpv4Pool"],
        "its route tables are for subnets",
    )?;
    Ok(AssociateRouteTable {
        route_table_id: fields.required("RouteTableId", "routeTableId")?,
        subnet_id: fields.required("SubnetId", "subnetId")?,
    })
}

pub(super) async fn associate(
    ec2: &Ec2<'_>,
    request: AssociateRouteTable,
) -> Result<Xml, Ec2Error> {
    let id = ec2.associate_route_table(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.text("associationId", id);
    print_association_state(&mut xml);
    Ok(xml)
}

pub(super) fn read_disassociate(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("AssociationId", "associationId")
}

pub(super) async fn disassociate(ec2: &Ec2<'_>, id: String) -> Result<Xml, Ec2Error> {
    ec2.disassociate_route_table(id).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_replace_association(
    fields: &Fields<'_>,
) -> Result<ReplaceRouteTableAssociation, ApiError> {
    Ok(ReplaceRouteTableAssociation {
        association_id: fields.required("AssociationId", "associationId")?,
        route_table_id: fields.required("RouteTableId", "routeTableId")?,
    })
}

pub(super) async fn replace_association(
    ec2: &Ec2<'_>,
    request: ReplaceRouteTableAssociation,
) -> Result<Xml, Ec2Error> {
    let id = ec2.replace_route_table_association(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.text("newAssociationId", id);
    print_association_state(&mut xml);
    Ok(xml)
}

fn print(xml: &mut Xml, description: &RouteTableDescription) {
    let table = &description.table;
    xml.text("routeTableId", &table.id);
    xml.text("vpcId", &table.vpc_id);
    xml.text("ownerId", &description.owner_id);
    xml.list("routeSet", &description.routes, print_route);
    xml.list("associationSet", &table.associations, |xml, it| {
        print_association(xml, table, it)
    });
    xml.texts("propagatingVgwSet", [""; 0]);
    print_tag_set(xml, &table.tags);
}

fn print_route(xml: &mut Xml, route: &RouteDescription) {
    let name = match route.destination.network().is_ipv4() {
        true => "destinationCidrBlock",
        false => "destinationIpv6CidrBlock",
    };
    xml.text(name, route.destination);
    xml.text("gatewayId", route.gateway());
    xml.text("state", route.state());
    xml.text("origin", route.origin());
}

fn print_association(xml: &mut Xml, table: &RouteTable, association: &RouteTableAssociation) {
    xml.text("routeTableAssociationId", &association.id);
    xml.text("routeTableId", &table.id);
    if let Association::Subnet(id) = &association.with {
        xml.text("subnetId", id);
    }
    xml.text("main", association.with == Association::Main);
    print_association_state(xml);
}

fn print_association_state(xml: &mut Xml) {
    xml.element("associationState", |xml| xml.text("state", "associated"));
}

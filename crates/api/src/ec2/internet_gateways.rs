//! Internet gateways: `Create`, `Describe`, `Attach`, `Detach`, `Delete`.

use control::ec2::internet_gateways::{DescribeInternetGateways, InternetGatewayAttachment};
use control::ec2::{Ec2, Ec2Error, TagSpecification};
use model::arn::Place;
use model::ec2::InternetGateway;

use super::input::Fields;
use super::shapes::{
    print_return, print_tag_set, read_filters, read_page, read_tag_specifications,
};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeInternetGateways, ApiError> {
    Ok(DescribeInternetGateways {
        internet_gateway_ids: fields.texts("InternetGatewayId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeInternetGateways,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_internet_gateways(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("internetGatewaySet", &page.items, |xml, gateway| {
        print(xml, gateway, ec2.place())
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<Vec<TagSpecification>, ApiError> {
    read_tag_specifications(fields)
}

pub(super) async fn create(ec2: &Ec2<'_>, request: Vec<TagSpecification>) -> Result<Xml, Ec2Error> {
    let gateway = ec2.create_internet_gateway(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    xml.element("internetGateway", |xml| print(xml, &gateway, ec2.place()));
    Ok(xml)
}

pub(super) fn read_attachment(fields: &Fields<'_>) -> Result<InternetGatewayAttachment, ApiError> {
    Ok(InternetGatewayAttachment {
        internet_gateway_id: fields.required("InternetGatewayId", "internetGatewayId")?,
        vpc_id: fields.required("VpcId", "vpcId")?,
    })
}

pub(super) async fn attach(
    ec2: &Ec2<'_>,
    request: InternetGatewayAttachment,
) -> Result<Xml, Ec2Error> {
    ec2.attach_internet_gateway(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) async fn detach(
    ec2: &Ec2<'_>,
    request: InternetGatewayAttachment,
) -> Result<Xml, Ec2Error> {
    ec2.detach_internet_gateway(request).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("InternetGatewayId", "internetGatewayId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, id: String) -> Result<Xml, Ec2Error> {
    ec2.delete_internet_gateway(id).await?;
    let mut xml = Xml::new(Lists::Flat);
    print_return(&mut xml);
    Ok(xml)
}

fn print(xml: &mut Xml, gateway: &InternetGateway, place: &Place) {
    xml.text("internetGatewayId", &gateway.id);
    xml.text("ownerId", &place.account);
    xml.list("attachmentSet", &gateway.vpc_id, |xml, vpc_id| {
        xml.text("vpcId", vpc_id);
        xml.text("state", "available");
    });
    print_tag_set(xml, &gateway.tags);
}

//! `CreditSpecification`, and `DescribeInstanceCreditSpecifications`.

use control::ec2::cpu_credits::DescribeInstanceCreditSpecifications;
use control::ec2::{Ec2, Ec2Error};
use model::ec2::CpuCredits;

use super::input::Fields;
use super::shapes::{read_filters, read_page};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

/// The `CreditSpecification` of a request that registers instances.
pub(super) fn read_specification(fields: &Fields<'_>) -> Result<Option<CpuCredits>, ApiError> {
    fields.structure("CreditSpecification", |it| {
        let Some(name) = it.text("CpuCredits")? else {
            return Err(Ec2Error::MissingParameter("CreditSpecification.CpuCredits").into());
        };
        let all = [CpuCredits::Standard, CpuCredits::Unlimited];
        let named = all.into_iter().find(|credits| credits.name() == name);
        named.ok_or_else(|| it.invalid("CpuCredits", &name, "It is standard or unlimited."))
    })
}

pub(super) fn read(fields: &Fields<'_>) -> Result<DescribeInstanceCreditSpecifications, ApiError> {
    Ok(DescribeInstanceCreditSpecifications {
        instance_ids: fields.texts("InstanceId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeInstanceCreditSpecifications,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_instance_credit_specifications(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    let name = "instanceCreditSpecificationSet";
    xml.list(name, &page.items, |xml, (instance, credits)| {
        xml.text("instanceId", &instance.id);
        xml.text("cpuCredits", credits.name());
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

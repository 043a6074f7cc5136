//! `DescribeSSLPolicies`: the protocols and ciphers of each policy.

use control::Control;
use control::elb::ElbError;
use control::elb::describe_ssl_policies::DescribeSslPolicies;
use model::load_balancer::LoadBalancerType;
use model::ssl_policy::SslPolicy;

use super::shapes::paging;
use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> DescribeSslPolicies {
    DescribeSslPolicies {
        names: fields.list("Names", TEXT),
        load_balancer_type: fields.optional("LoadBalancerType", OneOf(LoadBalancerType::ALL)),
        paging: paging::read(fields),
    }
}

pub(super) async fn call(control: &Control, input: DescribeSslPolicies) -> Result<Xml, ElbError> {
    let page = control.describe_ssl_policies(input).await?;
    let mut xml = Xml::new(Lists::Member);
    xml.list("SslPolicies", page.items, print);
    xml.optional("NextMarker", page.next_marker);
    Ok(xml)
}

fn print(xml: &mut Xml, policy: &SslPolicy) {
    xml.texts("SslProtocols", policy.protocols);
    xml.list(
        "Ciphers",
        policy.ciphers.iter().zip(1..),
        |xml, (name, priority)| {
            xml.text("Name", name);
            xml.text("Priority", priority);
        },
    );
    xml.text("Name", policy.name);
    xml.texts(
        "SupportedLoadBalancerTypes",
        policy.supported_load_balancer_types,
    );
}

//! `ModifyIpPools`: pools can be removed, for no load balancer has any.

use control::Control;
use control::elb::ElbError;
use control::elb::capacity_reservations::ModifyIpPools;

use crate::input::{Fields, OneOf, TEXT};
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read(fields: &Fields<'_>) -> ModifyIpPools {
    ModifyIpPools {
        load_balancer_arn: fields.required("LoadBalancerArn", TEXT),
        ipv4_ipam_pool_id: fields.structure("IpamPools", |pools| {
            pools.optional("Ipv4IpamPoolId", TEXT.at_most(1000))
        }),
        removed_count: fields.list("RemoveIpamPools", OneOf(&["ipv4"])).len(),
    }
}

pub(super) async fn call(control: &Control, input: ModifyIpPools) -> Result<Xml, ElbError> {
    control.modify_ip_pools(input).await?;
    Ok(Xml::new(Lists::Member))
}

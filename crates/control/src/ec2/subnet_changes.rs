//! ModifySubnetAttribute, DeleteSubnet: what becomes of a subnet that is there.

use model::ec2::Subnet;

use crate::ec2::route_table_associations::forget_subnet;
use crate::ec2::{Ec2, Ec2Error, lookups};
use crate::state::Draft;

/// New values for attributes of a subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifySubnetAttribute {
    /// The subnet.
    pub subnet_id: String,
    /// `MapPublicIpOnLaunch`.
    pub map_public_ip_on_launch: Option<bool>,
}

impl Ec2<'_> {
    /// Sets attributes of a subnet.
    ///
    /// # Errors
    /// `SubnetNotFound`.
    pub async fn modify_subnet_attribute(
        &self,
        request: ModifySubnetAttribute,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| modify(draft, &request)).await
    }
}

fn modify(draft: &mut Draft, request: &ModifySubnetAttribute) -> Result<(), Ec2Error> {
    let subnet = lookups::subnet(&draft.state().ec2, &request.subnet_id)
        .ok_or_else(|| Ec2Error::SubnetNotFound(request.subnet_id.clone()))?;
    match request.map_public_ip_on_launch {
        Some(maps_public_address) if maps_public_address != subnet.maps_public_address => {
            let changed = Subnet {
                maps_public_address,
                ..Subnet::clone(subnet)
            };
            draft.put(changed);
        }
        Some(_) | None => {}
    }
    Ok(())
}

/// # Errors
/// `SubnetNotFound`, `DefaultSubnet`, `HasDependencies` while an instance or a load balancer is in it.
pub(crate) fn delete(draft: &mut Draft, subnet_id: &str) -> Result<(), Ec2Error> {
    let state = draft.state();
    let subnet = lookups::subnet(&state.ec2, subnet_id)
        .ok_or_else(|| Ec2Error::SubnetNotFound(subnet_id.to_owned()))?;
    let id = subnet.id.clone();
    if subnet.is_default_for_zone {
        return Err(Ec2Error::DefaultSubnet(id));
    }
    let mut present = state
        .ec2
        .instances
        .values()
        .filter(|instance| instance.holds_address());
    let has_instance = present.any(|instance| instance.subnet_id == id);
    if has_instance
        || state
            .elb
            .holdings()
            .iter()
            .any(|holding| holding.subnet_id == id)
    {
        return Err(Ec2Error::HasDependencies("subnet", id.to_string()));
    }
    forget_subnet(draft, &id);
    draft.remove::<Subnet>(&id);
    Ok(())
}

//! DescribeAccountAttributes.

use crate::ec2::{Ec2Error, lookups};
use crate::settings::Ec2Limits;
use crate::state::State;

/// One fact about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountAttribute {
    /// Such as `default-vpc`.
    pub name: &'static str,
    /// Its values.
    pub values: Vec<String>,
}

/// The attributes with these names; all for an empty list.
///
/// # Errors
/// `InvalidValue` for a name that elbow does not know.
pub(crate) fn describe(
    state: &State,
    limits: &Ec2Limits,
    names: &[String],
) -> Result<Vec<AccountAttribute>, Ec2Error> {
    let elastic_addresses = vec![limits.elastic_addresses.to_string()];
    let groups = limits.security_groups_per_network_interface;
    let default_vpc = lookups::default_vpc(&state.ec2).map(|vpc| vpc.id.to_string());
    let all = [
        ("supported-platforms", vec!["VPC".to_owned()]),
        ("default-vpc", default_vpc.into_iter().collect()),
        ("max-instances", vec![room_for_instances(state).to_string()]),
        ("max-elastic-ips", elastic_addresses.clone()),
        ("vpc-max-elastic-ips", elastic_addresses),
        (
            "vpc-max-security-groups-per-interface",
            vec![groups.to_string()],
        ),
    ];
    let is_known = |name: &str| all.iter().any(|(known, _)| *known == name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        return Err(Ec2Error::InvalidValue {
            parameter: "attributeName",
            value: unknown.clone(),
            expectation: format!("elbow knows {}.", known.join(", ")),
        });
    }
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let wanted = all.into_iter().filter(|(name, _)| is_wanted(name));
    Ok(wanted
        .map(|(name, values)| AccountAttribute { name, values })
        .collect())
}

/// How many instances the subnets have room for, those that are there included. There is no other limit.
fn room_for_instances(state: &State) -> usize {
    let ec2 = &state.ec2;
    let instances = ec2.instances.values();
    let present = instances.filter(|it| it.holds_address()).count();
    let taken = state.elb.addresses();
    let subnets = ec2.subnets.values();
    let free = subnets.map(|subnet| lookups::free_address_count(ec2, subnet, &taken));
    present + free.map(|count| count as usize).sum::<usize>()
}

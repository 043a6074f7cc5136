//! `CreateLoadBalancer`: takes an address in each zone and gives the load balancer its names.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::arn::LoadBalancerArn;
use model::attributes::Attributes;
use model::ec2::{SecurityGroupId, VpcId};
use model::id::LoadBalancerId;
use model::load_balancer::{LoadBalancer, LoadBalancerName, LoadBalancerType, Scheme};
use model::protocol::IpAddressType;
use model::tag::Tags;

use super::check::unsupported;
use super::input::{Pairs, SubnetMapping};
use super::{ElbError, LoadBalancerDescription, LoadBalancerStateCode, zones};
use crate::ec2::lookups;
use crate::{Control, Draft};

/// Source: ELB API, `CreateLoadBalancer`.
#[derive(Clone, Debug, Default)]
pub struct CreateLoadBalancer {
    /// `Name`.
    pub name: String,
    /// `Subnets`.
    pub subnets: Vec<String>,
    /// `SubnetMappings`.
    pub subnet_mappings: Vec<SubnetMapping>,
    /// `SecurityGroups`.
    pub security_groups: Vec<String>,
    /// `Scheme`.
    pub scheme: Option<Scheme>,
    /// `Tags`.
    pub tags: Pairs,
    /// `Type`.
    pub load_balancer_type: Option<LoadBalancerType>,
    /// `IpAddressType`.
    pub ip_address_type: Option<IpAddressType>,
    /// `CustomerOwnedIpv4Pool`.
    pub customer_owned_ipv4_pool: Option<String>,
    /// `EnablePrefixForIpv6SourceNat`.
    pub enable_prefix_for_ipv6_source_nat: Option<String>,
    /// `IpamPools.Ipv4IpamPoolId`.
    pub ipv4_ipam_pool_id: Option<String>,
}

impl Control {
    /// Creates a load balancer, or finds the one with this name and the same settings.
    ///
    /// # Errors
    /// `Validation`, `DuplicateLoadBalancerName`, `DuplicateTagKeys`, `InvalidConfigurationRequest`,
    /// `InvalidSecurityGroup`, `InvalidSubnet`, `SubnetNotFound`, `TooManyLoadBalancers`, `TooManyTags`.
    pub async fn create_load_balancer(
        &self,
        input: CreateLoadBalancer,
    ) -> Result<LoadBalancerDescription, ElbError> {
        let (load_balancer, state) = self.transact(move |draft| create(draft, input)).await?;
        Ok(self.describe_load_balancer(load_balancer, state))
    }
}

fn create(
    draft: &mut Draft,
    input: CreateLoadBalancer,
) -> Result<(Arc<LoadBalancer>, LoadBalancerStateCode), ElbError> {
    let name = LoadBalancerName::new(&input.name);
    let name = name
        .map_err(|error| ElbError::Validation(error.to_string()))?
        .into_string();
    refuse_unsupported(&input)?;
    let tags = Tags::default().with(&input.tags)?;
    let scheme = input.scheme.unwrap_or(Scheme::InternetFacing);
    let ip_address_type = input.ip_address_type.unwrap_or(IpAddressType::Ipv4);
    zones::check_scheme(scheme, ip_address_type)?;
    let ids = zones::subnet_ids(input.subnets, input.subnet_mappings)?;
    let namesake = draft
        .state()
        .elb
        .load_balancers
        .values()
        .find(|it| it.name() == name);
    let namesake = namesake.cloned();
    let present = namesake.as_ref().map_or(&[][..], |it| &it.zones);
    let (vpc_id, zones) = zones::zones(draft.state(), &ids, ip_address_type, present)?;
    if scheme == Scheme::InternetFacing
        && lookups::internet_gateway_of(&draft.state().ec2, &vpc_id).is_none()
    {
        return Err(ElbError::InvalidSubnet(format!(
            "VPC {vpc_id} has no internet gateway"
        )));
    }
    let security_groups = security_groups(draft, &input.security_groups, &vpc_id)?;
    if let Some(namesake) = namesake {
        let is_same = namesake.zones == zones
            && namesake.scheme == scheme
            && namesake.ip_address_type == ip_address_type
            && sorted(&namesake.security_groups) == sorted(&security_groups)
            && namesake.tags == tags;
        let error = || {
            ElbError::DuplicateLoadBalancerName(format!(
                "A load balancer with the same name '{name}' exists, but with different settings"
            ))
        };
        let present = (namesake, LoadBalancerStateCode::Active);
        return is_same.then_some(present).ok_or_else(error);
    }
    let limit = draft.settings().limits.load_balancers;
    if draft.state().elb.load_balancers.len() >= limit {
        return Err(ElbError::TooManyLoadBalancers(
            "The maximum number of load balancers has been reached".to_owned(),
        ));
    }
    let dns_name = dns_name(draft, &name, scheme);
    let created = draft.put(LoadBalancer {
        arn: LoadBalancerArn {
            place: draft.place(),
            kind: LoadBalancerType::Application,
            name,
            id: new_id(draft),
        },
        dns_name,
        created_at_millis: draft.now_millis(),
        scheme,
        vpc_id,
        zones,
        security_groups,
        ip_address_type,
        attributes: Attributes::default(),
        tags,
    });
    Ok((created, LoadBalancerStateCode::Provisioning))
}

fn refuse_unsupported(input: &CreateLoadBalancer) -> Result<(), ElbError> {
    match input.load_balancer_type {
        None | Some(LoadBalancerType::Application) => {}
        Some(other) => return Err(unsupported(&format!("Load balancer type '{other}'"))),
    }
    refuse_source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    if input.customer_owned_ipv4_pool.is_some() {
        return Err(unsupported("CustomerOwnedIpv4Pool"));
    }
    if input.ipv4_ipam_pool_id.is_some() {
        return Err(unsupported("IpamPools"));
    }
    Ok(())
}

/// Refuses what only Network Load Balancers have.
pub(super) fn refuse_source_nat(value: Option<&str>) -> Result<(), ElbError> {
    match value {
        None => Ok(()),
        Some(_) => Err(ElbError::Validation(
            "'EnablePrefixForIpv6SourceNat' can only be specified for LoadBalancer type 'network'."
                .to_owned(),
        )),
    }
}

/// The groups of a request if they exist in this VPC; the VPC's default group if there are none.
pub(super) fn security_groups(
    draft: &Draft,
    ids: &[String],
    vpc_id: &VpcId,
) -> Result<Vec<SecurityGroupId>, ElbError> {
    let ec2 = &draft.state().ec2;
    if ids.is_empty() {
        let default = lookups::default_security_group(ec2, vpc_id.as_str());
        return Ok(default.iter().map(|group| group.id.clone()).collect());
    }
    let mut groups: Vec<SecurityGroupId> = Vec::new();
    for id in ids {
        if id.parse::<SecurityGroupId>().is_err() {
            return Err(ElbError::Validation(format!(
                "Security group '{id}' is not valid"
            )));
        }
        let Some(group) = lookups::security_group(ec2, id) else {
            return Err(ElbError::InvalidSecurityGroup(format!(
                "The security group '{id}' does not exist"
            )));
        };
        if group.vpc_id != *vpc_id {
            let message = "One or more security groups are invalid";
            return Err(ElbError::InvalidSecurityGroup(message.to_owned()));
        }
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    let limits = &draft.settings().limits.ec2;
    if groups.len() > limits.security_groups_per_network_interface {
        return Err(ElbError::InvalidConfigurationRequest(
            "The maximum number of security groups per load balancer has been reached.".to_owned(),
        ));
    }
    Ok(groups)
}

fn sorted(groups: &[SecurityGroupId]) -> BTreeSet<&SecurityGroupId> {
    groups.iter().collect()
}

/// `NAME-DIGITS.REGION.BASE-DOMAIN`, with `internal-` in front for internal load balancers.
fn dns_name(draft: &Draft, name: &str, scheme: Scheme) -> String {
    let prefix = match scheme {
        Scheme::InternetFacing => "",
        Scheme::Internal => "internal-",
    };
    // Nine or ten digits.
    let digits = 100_000_000 + draft.draw() % 9_900_000_000;
    let settings = draft.settings();
    format!(
        "{prefix}{name}-{digits}.{}.{}",
        settings.place.region, settings.base_domain
    )
}

fn new_id(draft: &Draft) -> LoadBalancerId {
    loop {
        let id = LoadBalancerId(draft.draw());
        if draft.state().find::<LoadBalancer>(&id).is_none() {
            return id;
        }
    }
}

//! Internet gateways: Create, Describe, Attach, Detach, Delete.

use std::sync::Arc;

use model::ec2::{InternetGateway, InternetGatewayId, Tags, VpcId};
use model::load_balancer::Scheme;

use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::vpcs;
use crate::ec2::{
    Ec2, Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, lookups, names, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// Which internet gateways to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInternetGateways {
    /// These alone; all for an empty list.
    pub internet_gateway_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A gateway and a VPC that it is to be attached to, or detached from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternetGatewayAttachment {
    /// The gateway.
    pub internet_gateway_id: String,
    /// The VPC.
    pub vpc_id: String,
}

impl Ec2<'_> {
    /// Makes a gateway that is not attached yet.
    ///
    /// # Errors
    /// `TooManyInternetGateways`, and those of tags.
    pub async fn create_internet_gateway(
        &self,
        request: Vec<TagSpecification>,
    ) -> Result<Arc<InternetGateway>, Ec2Error> {
        self.change(move |draft| {
            let tags = tags::specified(&request, "internet-gateway")?;
            create(draft, None, tags)
        })
        .await
    }

    /// The internet gateways.
    ///
    /// # Errors
    /// `InternetGatewayNotFound`, and those of filters and pages.
    pub fn describe_internet_gateways(
        &self,
        request: &DescribeInternetGateways,
    ) -> Result<Page<Arc<InternetGateway>>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }

    /// Attaches a gateway to a VPC.
    ///
    /// # Errors
    /// `InternetGatewayNotFound`, `VpcNotFound`, `GatewayAttached`, `VpcHasGateway`.
    pub async fn attach_internet_gateway(
        &self,
        request: InternetGatewayAttachment,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| attach(draft, &request)).await
    }

    /// Detaches a gateway from a VPC.
    ///
    /// # Errors
    /// `InternetGatewayNotFound`, `GatewayNotAttached`, and `PublicAddressesMapped` while a load balancer that faces the
    /// internet is in the VPC.
    pub async fn detach_internet_gateway(
        &self,
        request: InternetGatewayAttachment,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| detach(draft, &request)).await
    }

    /// Removes the gateway with this id.
    ///
    /// # Errors
    /// `InternetGatewayNotFound`, and `HasDependencies` while it is attached.
    pub async fn delete_internet_gateway(&self, id: String) -> Result<(), Ec2Error> {
        self.change(move |draft| delete(draft, &id)).await
    }
}

const FILTERS: Filters<(Arc<InternetGateway>, String)> = Filters {
    columns: &[
        Column {
            name: "internet-gateway-id",
            texts: |(gateway, _)| vec![gateway.id.to_string()],
        },
        Column {
            name: "attachment.vpc-id",
            texts: |(gateway, _)| gateway.vpc_id.iter().map(VpcId::to_string).collect(),
        },
        Column {
            name: "attachment.state",
            texts: |(gateway, _)| gateway.vpc_id.iter().map(|_| "available".into()).collect(),
        },
        Column {
            name: "owner-id",
            texts: |(_, account)| vec![account.clone()],
        },
    ],
    absent: &[],
    tags: Some(|(gateway, _)| &gateway.tags),
};

/// Makes a gateway, attached to `vpc_id` if there is one.
pub(crate) fn create(
    draft: &mut Draft,
    vpc_id: Option<VpcId>,
    tags: Tags,
) -> Result<Arc<InternetGateway>, Ec2Error> {
    let gateways = &draft.state().ec2.internet_gateways;
    let max = draft.settings().limits.ec2.internet_gateways;
    if gateways.len() >= max {
        return Err(Ec2Error::TooManyInternetGateways(max));
    }
    let gateway = InternetGateway {
        id: names::fresh(draft, InternetGatewayId::from_bits, gateways),
        vpc_id,
        tags,
    };
    Ok(draft.put(gateway))
}

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeInternetGateways,
) -> Result<Page<Arc<InternetGateway>>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    for id in &request.internet_gateway_ids {
        find(&state.ec2, id)?;
    }
    let account = &settings.place.account;
    let found = state
        .ec2
        .internet_gateways
        .values()
        .filter(|gateway| is_named(&request.internet_gateway_ids, gateway.id.as_str()))
        .filter(|gateway| is_wanted(&(Arc::clone(gateway), account.clone())))
        .cloned();
    request
        .page
        .cut("internet-gateways", found, |gateway| gateway.id.to_string())
}

fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<InternetGateway>, Ec2Error> {
    let gateway = ec2.internet_gateways.get(id);
    gateway.ok_or_else(|| Ec2Error::InternetGatewayNotFound(id.to_owned()))
}

fn attach(draft: &mut Draft, request: &InternetGatewayAttachment) -> Result<(), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let gateway = find(ec2, &request.internet_gateway_id)?;
    let vpc_id = vpcs::find(ec2, &request.vpc_id)?.id.clone();
    if let Some(present) = &gateway.vpc_id {
        return Err(Ec2Error::GatewayAttached {
            gateway_id: gateway.id.clone(),
            vpc_id: present.clone(),
        });
    }
    if lookups::internet_gateway_of(ec2, &vpc_id).is_some() {
        return Err(Ec2Error::VpcHasGateway(vpc_id));
    }
    let attached = InternetGateway {
        vpc_id: Some(vpc_id),
        ..InternetGateway::clone(gateway)
    };
    draft.put(attached);
    Ok(())
}

fn detach(draft: &mut Draft, request: &InternetGatewayAttachment) -> Result<(), Ec2Error> {
    let state = draft.state();
    let gateway = find(&state.ec2, &request.internet_gateway_id)?;
    // Whether the VPC is still there is not asked: who detaches twice at a time may find it gone, and takes this answer
    // for success.
    let attached = gateway.vpc_id.as_ref();
    let Some(vpc_id) = attached.filter(|it| it.as_str() == request.vpc_id) else {
        return Err(Ec2Error::GatewayNotAttached {
            gateway_id: gateway.id.clone(),
            vpc_id: request.vpc_id.clone(),
        });
    };
    let faces_internet = state
        .elb
        .load_balancers
        .values()
        .any(|it| it.vpc_id == *vpc_id && it.scheme == Scheme::InternetFacing);
    if faces_internet {
        return Err(Ec2Error::PublicAddressesMapped(vpc_id.clone()));
    }
    let detached = InternetGateway {
        vpc_id: None,
        ..InternetGateway::clone(gateway)
    };
    draft.put(detached);
    Ok(())
}

fn delete(draft: &mut Draft, id: &str) -> Result<(), Ec2Error> {
    let gateway = find(&draft.state().ec2, id)?;
    let id = gateway.id.clone();
    if gateway.vpc_id.is_some() {
        return Err(Ec2Error::HasDependencies("internetGateway", id.to_string()));
    }
    draft.remove::<InternetGateway>(&id);
    Ok(())
}

//! Routes of a route table: CreateRoute, ReplaceRoute, DeleteRoute.

use model::Cidr;
use model::ec2::{InternetGatewayId, Route, RouteTable};

use crate::ec2::route_tables::{find, local_blocks};
use crate::ec2::subnets::parse_block;
use crate::ec2::{Ec2, Ec2Error, Ec2State};
use crate::state::Draft;

/// Names a route by its table and its block: one of the two families.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteReference {
    /// The table.
    pub route_table_id: String,
    /// An IPv4 block.
    pub ipv4_block: Option<String>,
    /// An IPv6 block.
    pub ipv6_block: Option<String>,
}

/// A route and where it is to lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutRoute {
    /// The route.
    pub route: RouteReference,
    /// An internet gateway, the only target that routes of elbow have.
    pub gateway_id: Option<String>,
}

impl Ec2<'_> {
    /// Gives a route to a table.
    ///
    /// # Errors
    /// Those of the reference and of the gateway; `RouteExists`, `RouteInsideVpc`, `TooManyRoutes`.
    pub async fn create_route(&self, request: PutRoute) -> Result<(), Ec2Error> {
        self.change(move |draft| create(draft, &request)).await
    }

    /// Has a route lead elsewhere.
    ///
    /// # Errors
    /// Those of the reference and of the gateway; `NoRouteToReplace`.
    pub async fn replace_route(&self, request: PutRoute) -> Result<(), Ec2Error> {
        self.change(move |draft| replace(draft, &request)).await
    }

    /// Takes a route from a table.
    ///
    /// # Errors
    /// Those of the reference; `LocalRoute`, `RouteNotFound`.
    pub async fn delete_route(&self, request: RouteReference) -> Result<(), Ec2Error> {
        self.change(move |draft| delete(draft, &request)).await
    }
}

impl RouteReference {
    /// # Errors
    /// `MissingParameter`, `InvalidCombination`, `InvalidValue` for what is no block of its family.
    fn destination(&self) -> Result<Cidr, Ec2Error> {
        let (parameter, text, is_ipv4) = match (&self.ipv4_block, &self.ipv6_block) {
            (Some(text), None) => ("destinationCidrBlock", text, true),
            (None, Some(text)) => ("destinationIpv6CidrBlock", text, false),
            (None, None) => return Err(Ec2Error::MissingParameter("destinationCidrBlock")),
            (Some(_), Some(_)) => {
                return Err(Ec2Error::InvalidCombination(
                    "The parameters destinationCidrBlock and destinationIpv6CidrBlock cannot be used \
                     together",
                ));
            }
        };
        match parse_block(parameter, text)? {
            block if block.network().is_ipv4() == is_ipv4 => Ok(block),
            _ => Err(Ec2Error::InvalidValue {
                parameter,
                value: text.clone(),
                expectation: "This is not a block of the parameter's family.".to_owned(),
            }),
        }
    }
}

fn create(draft: &mut Draft, request: &PutRoute) -> Result<(), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let mut table = RouteTable::clone(find(ec2, &request.route.route_table_id)?);
    let destination = request.route.destination()?;
    let blocks = local_blocks(ec2, &table.vpc_id);
    let is_taken = table.routes.iter().any(|it| it.destination == destination);
    if is_taken || blocks.contains(&destination) {
        return Err(Ec2Error::RouteExists(destination));
    }
    if blocks.iter().any(|block| block.covers(&destination)) {
        return Err(Ec2Error::RouteInsideVpc(destination));
    }
    let max = draft.settings().limits.ec2.routes_per_route_table;
    if table.routes.len() >= max {
        return Err(Ec2Error::TooManyRoutes(max));
    }
    table.routes.push(Route {
        destination,
        gateway_id: gateway(ec2, &table, request)?,
    });
    draft.put(table);
    Ok(())
}

fn replace(draft: &mut Draft, request: &PutRoute) -> Result<(), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let mut table = RouteTable::clone(find(ec2, &request.route.route_table_id)?);
    let destination = request.route.destination()?;
    let gateway_id = gateway(ec2, &table, request)?;
    let mut routes = table.routes.iter_mut();
    let route = routes.find(|it| it.destination == destination);
    let route = route.ok_or(Ec2Error::NoRouteToReplace(destination))?;
    if route.gateway_id != gateway_id {
        route.gateway_id = gateway_id;
        draft.put(table);
    }
    Ok(())
}

/// The gateway of a request, if it is attached to the VPC of the table.
fn gateway(
    ec2: &Ec2State,
    table: &RouteTable,
    request: &PutRoute,
) -> Result<InternetGatewayId, Ec2Error> {
    let id = request
        .gateway_id
        .as_ref()
        .ok_or(Ec2Error::MissingParameter("gatewayId"))?;
    let gateway = ec2.internet_gateways.get(id.as_str());
    let gateway = gateway.ok_or_else(|| Ec2Error::GatewayNotFound(id.clone()))?;
    if gateway.vpc_id.as_ref() != Some(&table.vpc_id) {
        return Err(Ec2Error::OtherNetwork {
            table_id: table.id.clone(),
            with: format!("network gateway {id}"),
        });
    }
    Ok(gateway.id.clone())
}

fn delete(draft: &mut Draft, request: &RouteReference) -> Result<(), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let mut table = RouteTable::clone(find(ec2, &request.route_table_id)?);
    let destination = request.destination()?;
    if local_blocks(ec2, &table.vpc_id).contains(&destination) {
        return Err(Ec2Error::LocalRoute {
            destination,
            table_id: table.id,
        });
    }
    let mut routes = table.routes.iter();
    let Some(position) = routes.position(|it| it.destination == destination) else {
        return Err(Ec2Error::RouteNotFound {
            destination,
            table_id: table.id,
        });
    };
    table.routes.remove(position);
    draft.put(table);
    Ok(())
}

//! Route tables: Create, Describe, Delete.

use std::ops::RangeInclusive;
use std::sync::Arc;

use model::Cidr;
use model::ec2::{Association, InternetGatewayId, RouteTable, RouteTableId, VpcId};

use crate::ec2::client_tokens::{RequestNote, TokenForm};
use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::{
    Ec2, Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, lookups, names, tags,
    vpcs,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// How many route tables a page may have.
///
/// Source: EC2 API, `DescribeRouteTables`, `MaxResults`.
const PAGE: RangeInclusive<i64> = 5..=100;

/// Which route tables to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeRouteTables {
    /// These alone; all for an empty list.
    pub route_table_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A new route table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateRouteTable {
    /// The VPC it belongs to.
    pub vpc_id: String,
    /// A repetition with the same token makes nothing and shows the same table.
    pub client_token: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// A route table, and what follows from everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTableDescription {
    /// The table.
    pub table: Arc<RouteTable>,
    /// Its routes in the order in which they are shown, that to the VPC itself first.
    pub routes: Vec<RouteDescription>,
    /// The account it belongs to.
    pub owner_id: String,
}

/// A route, and whether its gateway is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteDescription {
    /// The block.
    pub destination: Cidr,
    /// The gateway; `None` for the VPC itself.
    pub gateway_id: Option<InternetGatewayId>,
    /// Whether the gateway is attached to the VPC.
    pub is_active: bool,
}

impl RouteDescription {
    /// What EC2 shows as the id of the gateway.
    #[must_use]
    pub fn gateway(&self) -> &str {
        self.gateway_id
            .as_ref()
            .map_or("local", InternetGatewayId::as_str)
    }

    /// Which operation made it.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        match self.gateway_id {
            Some(_) => "CreateRoute",
            None => "CreateRouteTable",
        }
    }

    /// What EC2 calls its state.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.is_active {
            "active"
        } else {
            "blackhole"
        }
    }
}

impl Ec2<'_> {
    /// The route tables.
    ///
    /// # Errors
    /// `MalformedId`, `RouteTableNotFound`, and those of filters and pages.
    pub fn describe_route_tables(
        &self,
        request: &DescribeRouteTables,
    ) -> Result<Page<RouteTableDescription>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }

    /// Makes a route table.
    ///
    /// # Errors
    /// `VpcNotFound`, `TokenMismatch`, `TooManyRouteTables`, and those of tags.
    pub async fn create_route_table(
        &self,
        request: CreateRouteTable,
    ) -> Result<RouteTableDescription, Ec2Error> {
        self.change(move |draft| create(draft, &request)).await
    }

    /// Removes the route table with this id.
    ///
    /// # Errors
    /// `MalformedId`, `RouteTableNotFound`, and `HasDependencies` while something follows it.
    pub async fn delete_route_table(&self, id: String) -> Result<(), Ec2Error> {
        self.change(move |draft| delete(draft, &id)).await
    }
}

const FILTERS: Filters<RouteTableDescription> = Filters {
    columns: &[
        Column {
            name: "route-table-id",
            texts: |it| vec![it.table.id.to_string()],
        },
        Column {
            name: "vpc-id",
            texts: |it| vec![it.table.vpc_id.to_string()],
        },
        Column {
            name: "owner-id",
            texts: |it| vec![it.owner_id.clone()],
        },
        Column {
            name: "association.main",
            texts: |it| associations(it, |with| Some((*with == Association::Main).to_string())),
        },
        Column {
            name: "association.route-table-association-id",
            texts: |it| {
                let all = it.table.associations.iter();
                all.map(|association| association.id.to_string()).collect()
            },
        },
        Column {
            name: "association.route-table-id",
            texts: |it| associations(it, |_| Some(it.table.id.to_string())),
        },
        Column {
            name: "association.subnet-id",
            texts: |it| {
                associations(it, |with| match with {
                    Association::Subnet(id) => Some(id.to_string()),
                    Association::Main => None,
                })
            },
        },
        Column {
            name: "route.destination-cidr-block",
            texts: |it| destinations(it, |block| block.network().is_ipv4()),
        },
        Column {
            name: "route.destination-ipv6-cidr-block",
            texts: |it| destinations(it, |block| block.network().is_ipv6()),
        },
        Column {
            name: "route.gateway-id",
            texts: |it| routes(it, |route| route.gateway().to_owned()),
        },
        Column {
            name: "route.origin",
            texts: |it| routes(it, |route| route.origin().to_owned()),
        },
        Column {
            name: "route.state",
            texts: |it| routes(it, |route| route.state().to_owned()),
        },
    ],
    // What routes of elbow do not lead to.
    absent: &[
        "association.gateway-id",
        "route.destination-prefix-list-id",
        "route.egress-only-internet-gateway-id",
        "route.instance-id",
        "route.nat-gateway-id",
        "route.transit-gateway-id",
        "route.vpc-peering-connection-id",
        "transit-gateway-id",
    ],
    tags: Some(|it| &it.table.tags),
};

fn associations(
    it: &RouteTableDescription,
    text: impl Fn(&Association) -> Option<String>,
) -> Vec<String> {
    let with = it.table.associations.iter().map(|it| &it.with);
    with.filter_map(text).collect()
}

fn routes(it: &RouteTableDescription, text: impl Fn(&RouteDescription) -> String) -> Vec<String> {
    it.routes.iter().map(text).collect()
}

fn destinations(it: &RouteTableDescription, is_meant: fn(&Cidr) -> bool) -> Vec<String> {
    let blocks = it.routes.iter().map(|route| route.destination);
    blocks
        .filter(is_meant)
        .map(|block| block.to_string())
        .collect()
}

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeRouteTables,
) -> Result<Page<RouteTableDescription>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    for id in &request.route_table_ids {
        find(&state.ec2, id)?;
    }
    let tables = state
        .ec2
        .route_tables
        .values()
        .filter(|table| is_named(&request.route_table_ids, table.id.as_str()))
        .map(|table| description(&state.ec2, settings, table))
        .filter(is_wanted);
    request
        .page
        .cut_within("route-tables", PAGE, tables, |it| it.table.id.to_string())
}

fn description(
    ec2: &Ec2State,
    settings: &Settings,
    table: &Arc<RouteTable>,
) -> RouteTableDescription {
    let gateway = lookups::internet_gateway_of(ec2, &table.vpc_id);
    let to_vpc = local_blocks(ec2, &table.vpc_id)
        .into_iter()
        .map(|destination| RouteDescription {
            destination,
            gateway_id: None,
            is_active: true,
        });
    let others = table.routes.iter().map(|route| RouteDescription {
        destination: route.destination,
        gateway_id: Some(route.gateway_id.clone()),
        is_active: gateway.is_some_and(|gateway| gateway.id == route.gateway_id),
    });
    RouteTableDescription {
        table: Arc::clone(table),
        routes: to_vpc.chain(others).collect(),
        owner_id: settings.place.account.clone(),
    }
}

/// The blocks of a VPC: every table of it has routes to them that nobody can take away.
pub(crate) fn local_blocks(ec2: &Ec2State, vpc_id: &VpcId) -> Vec<Cidr> {
    let vpc = lookups::vpc(ec2, vpc_id.as_str());
    vpc.map_or_else(Vec::new, |vpc| {
        let ipv6 = vpc.ipv6_blocks.iter().map(|block| block.cidr);
        std::iter::once(vpc.cidr).chain(ipv6).collect()
    })
}

/// The table with this id.
///
/// # Errors
/// `MalformedId`, `RouteTableNotFound`.
pub(crate) fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<RouteTable>, Ec2Error> {
    let id: RouteTableId = id.parse()?;
    let table = ec2.route_tables.get(&id);
    table.ok_or_else(|| Ec2Error::RouteTableNotFound(id.to_string()))
}

fn create(
    draft: &mut Draft,
    request: &CreateRouteTable,
) -> Result<RouteTableDescription, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let vpc_id = vpcs::find(ec2, &request.vpc_id)?.id.clone();
    let tags = tags::specified(&request.tag_specifications, "route-table")?;
    let note = RequestNote::new(
        request.client_token.as_ref(),
        TokenForm::USUAL,
        &(&vpc_id, &tags),
    )?;
    if let Some(table) = note.made(&ec2.route_tables, |table| table.vpc_id == vpc_id)? {
        return Ok(description(ec2, draft.settings(), table));
    }
    let of_vpc = ec2.route_tables.values().filter(|it| it.vpc_id == vpc_id);
    let max = draft.settings().limits.ec2.route_tables_per_vpc;
    if of_vpc.count() >= max {
        return Err(Ec2Error::TooManyRouteTables(max));
    }
    let table = RouteTable {
        id: names::fresh(draft, RouteTableId::from_bits, &ec2.route_tables),
        vpc_id,
        routes: Vec::new(),
        associations: Vec::new(),
        client_token: note.token,
        request_digest: note.digest,
        tags,
    };
    let table = draft.put(table);
    Ok(description(&draft.state().ec2, draft.settings(), &table))
}

fn delete(draft: &mut Draft, id: &str) -> Result<(), Ec2Error> {
    let table = find(&draft.state().ec2, id)?;
    let id = table.id.clone();
    if !table.associations.is_empty() {
        return Err(Ec2Error::HasDependencies("routeTable", id.to_string()));
    }
    draft.remove::<RouteTable>(&id);
    Ok(())
}

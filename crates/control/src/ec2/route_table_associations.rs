//! Which subnets follow a route table: AssociateRouteTable, DisassociateRouteTable,
//! ReplaceRouteTableAssociation.

use model::ec2::{
    Association, RouteTable, RouteTableAssociation, RouteTableAssociationId, SubnetId,
};

use crate::ec2::route_tables::find;
use crate::ec2::{Ec2, Ec2Error, Ec2State, lookups};
use crate::state::Draft;

/// A route table and a subnet that is to follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssociateRouteTable {
    /// The table.
    pub route_table_id: String,
    /// The subnet.
    pub subnet_id: String,
}

/// An association, and the table that is to take the place of the one it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplaceRouteTableAssociation {
    /// The association, also that of a main route table.
    pub association_id: String,
    /// The table.
    pub route_table_id: String,
}

impl Ec2<'_> {
    /// Has a subnet follow a table. One that does already keeps its association.
    ///
    /// # Errors
    /// `MalformedId`, `RouteTableNotFound`, `SubnetNotFound`, `OtherNetwork`, and `AlreadyAssociated` while
    /// the subnet follows another table.
    pub async fn associate_route_table(
        &self,
        request: AssociateRouteTable,
    ) -> Result<RouteTableAssociationId, Ec2Error> {
        self.change(move |draft| associate(draft, &request)).await
    }

    /// Has a subnet follow the main table again.
    ///
    /// # Errors
    /// `MalformedId`, `AssociationNotFound`, `MainAssociation`.
    pub async fn disassociate_route_table(&self, id: String) -> Result<(), Ec2Error> {
        self.change(move |draft| disassociate(draft, &id)).await
    }

    /// Has a subnet follow another table, or makes another table the main one. The association gets a new
    /// id.
    ///
    /// # Errors
    /// `MalformedId`, `AssociationNotFound`, `RouteTableNotFound`, `OtherNetwork`.
    pub async fn replace_route_table_association(
        &self,
        request: ReplaceRouteTableAssociation,
    ) -> Result<RouteTableAssociationId, Ec2Error> {
        self.change(move |draft| replace(draft, &request)).await
    }
}

fn associate(
    draft: &mut Draft,
    request: &AssociateRouteTable,
) -> Result<RouteTableAssociationId, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let table = find(ec2, &request.route_table_id)?;
    let subnet = lookups::subnet(ec2, &request.subnet_id)
        .ok_or_else(|| Ec2Error::SubnetNotFound(request.subnet_id.clone()))?;
    if subnet.vpc_id != table.vpc_id {
        return Err(Ec2Error::OtherNetwork {
            table_id: table.id.clone(),
            with: format!("subnet {}", subnet.id),
        });
    }
    let with = Association::Subnet(subnet.id.clone());
    for other in ec2.route_tables.values() {
        if let Some(present) = other.associations.iter().find(|it| it.with == with) {
            return if other.id == table.id {
                Ok(present.id.clone())
            } else {
                Err(Ec2Error::AlreadyAssociated(table.id.clone()))
            };
        }
    }
    let table = RouteTable::clone(table);
    Ok(add(draft, table, with))
}

fn add(draft: &mut Draft, mut table: RouteTable, with: Association) -> RouteTableAssociationId {
    let id = RouteTableAssociationId::from_bits(draft.draw());
    table.associations.push(RouteTableAssociation {
        id: id.clone(),
        with,
    });
    draft.put(table);
    id
}

fn disassociate(draft: &mut Draft, id: &str) -> Result<(), Ec2Error> {
    let (mut table, position) = locate(&draft.state().ec2, id)?;
    let association = table.associations.remove(position);
    if association.with == Association::Main {
        return Err(Ec2Error::MainAssociation(association.id));
    }
    draft.put(table);
    Ok(())
}

/// The table that has the association `id`, and where.
fn locate(ec2: &Ec2State, id: &str) -> Result<(RouteTable, usize), Ec2Error> {
    let id: RouteTableAssociationId = id.parse()?;
    let mut tables = ec2.route_tables.values();
    let found = tables.find_map(|table| {
        let position = table.associations.iter().position(|it| it.id == id)?;
        Some((RouteTable::clone(table), position))
    });
    found.ok_or_else(|| Ec2Error::AssociationNotFound(id.to_string()))
}

fn replace(
    draft: &mut Draft,
    request: &ReplaceRouteTableAssociation,
) -> Result<RouteTableAssociationId, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let (mut from, position) = locate(ec2, &request.association_id)?;
    let to = find(ec2, &request.route_table_id)?;
    if to.vpc_id != from.vpc_id {
        return Err(Ec2Error::OtherNetwork {
            table_id: to.id.clone(),
            with: format!("route table {}", from.id),
        });
    }
    if to.id == from.id {
        return Ok(from.associations[position].id.clone());
    }
    let to = RouteTable::clone(to);
    let with = from.associations.remove(position).with;
    draft.put(from);
    Ok(add(draft, to, with))
}

/// Takes the association of a subnet that is about to go.
pub(crate) fn forget_subnet(draft: &mut Draft, subnet_id: &SubnetId) {
    let with = Association::Subnet(subnet_id.clone());
    let tables = draft.state().ec2.route_tables.values();
    let mut following = tables.filter(|table| table.associations.iter().any(|it| it.with == with));
    if let Some(table) = following.next() {
        let mut table = RouteTable::clone(table);
        table.associations.retain(|it| it.with != with);
        draft.put(table);
    }
}

//! Managed prefix lists: `Create`, `Modify`, `Delete`, `Describe`, and `Get` of their entries and
//! associations.

use control::ec2::prefix_lists::{
    CreateManagedPrefixList, DescribeManagedPrefixLists, EntryInput, GetManagedPrefixListEntries,
    ModifyManagedPrefixList,
};
use control::ec2::{Ec2, Ec2Error, PageRequest, names};
use model::arn::Place;
use model::ec2::PrefixList;

use super::input::Fields;
use super::shapes::{print_tag_set, read_filters, read_page, read_tag_specifications};
use crate::ApiError;
use crate::query::Lists;
use crate::xml::Xml;

pub(super) fn read_describe(fields: &Fields<'_>) -> Result<DescribeManagedPrefixLists, ApiError> {
    Ok(DescribeManagedPrefixLists {
        prefix_list_ids: fields.texts("PrefixListId")?,
        filters: read_filters(fields)?,
        page: read_page(fields)?,
    })
}

pub(super) async fn describe(
    ec2: &Ec2<'_>,
    request: DescribeManagedPrefixLists,
) -> Result<Xml, Ec2Error> {
    let page = ec2.describe_managed_prefix_lists(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("prefixListSet", &page.items, |xml, list| {
        print(xml, list, state(list), ec2.place())
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_entries(fields: &Fields<'_>) -> Result<GetManagedPrefixListEntries, ApiError> {
    Ok(GetManagedPrefixListEntries {
        prefix_list_id: fields.required("PrefixListId", "prefixListId")?,
        target_version: fields.integer("TargetVersion")?,
        page: read_page(fields)?,
    })
}

pub(super) async fn entries(
    ec2: &Ec2<'_>,
    request: GetManagedPrefixListEntries,
) -> Result<Xml, Ec2Error> {
    let page = ec2.managed_prefix_list_entries(&request)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("entrySet", &page.items, |xml, entry| {
        xml.text("cidr", entry.cidr);
        xml.optional("description", entry.description.as_ref());
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_associations(fields: &Fields<'_>) -> Result<(String, PageRequest), ApiError> {
    Ok((
        fields.required("PrefixListId", "prefixListId")?,
        read_page(fields)?,
    ))
}

pub(super) async fn associations(
    ec2: &Ec2<'_>,
    (id, page): (String, PageRequest),
) -> Result<Xml, Ec2Error> {
    let page = ec2.managed_prefix_list_associations(&id, &page)?;
    let mut xml = Xml::new(Lists::Flat);
    xml.list("prefixListAssociationSet", &page.items, |xml, id| {
        xml.text("resourceId", id);
        xml.text("resourceOwner", &ec2.place().account);
    });
    xml.optional("nextToken", page.next_token);
    Ok(xml)
}

pub(super) fn read_create(fields: &Fields<'_>) -> Result<CreateManagedPrefixList, ApiError> {
    Ok(CreateManagedPrefixList {
        name: fields.required("PrefixListName", "prefixListName")?,
        family: fields.required("AddressFamily", "addressFamily")?,
        entries_max: fields.integer("MaxEntries")?,
        entries: fields.structures("Entry", read_entry)?,
        client_token: fields.text("ClientToken")?,
        tag_specifications: read_tag_specifications(fields)?,
    })
}

fn read_entry(entry: &Fields<'_>) -> Result<EntryInput, ApiError> {
    Ok(EntryInput {
        cidr: entry.required("Cidr", "cidr")?,
        description: entry.text("Description")?,
    })
}

pub(super) async fn create(
    ec2: &Ec2<'_>,
    request: CreateManagedPrefixList,
) -> Result<Xml, Ec2Error> {
    let list = ec2.create_managed_prefix_list(request).await?;
    Ok(print_one(&list, state(&list), ec2.place()))
}

pub(super) fn read_modify(fields: &Fields<'_>) -> Result<ModifyManagedPrefixList, ApiError> {
    fields.refuse(
        &["IpamPrefixListResolverSyncEnabled"],
        "it has no IP Address Manager",
    )?;
    Ok(ModifyManagedPrefixList {
        prefix_list_id: fields.required("PrefixListId", "prefixListId")?,
        current_version: fields.integer("CurrentVersion")?,
        name: fields.text("PrefixListName")?,
        entries_max: fields.integer("MaxEntries")?,
        add: fields.structures("AddEntry", read_entry)?,
        remove: fields.structures("RemoveEntry", |entry| entry.required("Cidr", "cidr"))?,
    })
}

pub(super) async fn modify(
    ec2: &Ec2<'_>,
    request: ModifyManagedPrefixList,
) -> Result<Xml, Ec2Error> {
    let list = ec2.modify_managed_prefix_list(request).await?;
    Ok(print_one(&list, state(&list), ec2.place()))
}

pub(super) fn read_delete(fields: &Fields<'_>) -> Result<String, ApiError> {
    fields.required("PrefixListId", "prefixListId")
}

pub(super) async fn delete(ec2: &Ec2<'_>, id: String) -> Result<Xml, Ec2Error> {
    let list = ec2.delete_managed_prefix_list(id).await?;
    Ok(print_one(&list, "delete-complete", ec2.place()))
}

fn print_one(list: &PrefixList, state: &str, place: &Place) -> Xml {
    let mut xml = Xml::new(Lists::Flat);
    xml.element("prefixList", |xml| print(xml, list, state, place));
    xml
}

/// What has become of a list that is there. A change is complete when its call returns, so that there are no
/// states in between.
fn state(list: &PrefixList) -> &'static str {
    // The version tells of changes that were not noted.
    match list.is_modified || list.version > 1 {
        true => "modify-complete",
        false => "create-complete",
    }
}

fn print(xml: &mut Xml, list: &PrefixList, state: &str, place: &Place) {
    xml.text("prefixListId", &list.id);
    xml.text("addressFamily", list.family.name());
    xml.text("state", state);
    let arn = names::arn(place, &format!("prefix-list/{}", list.id));
    xml.text("prefixListArn", arn);
    xml.text("prefixListName", &list.name);
    xml.text("maxEntries", list.entries_max);
    xml.text("version", list.version);
    print_tag_set(xml, &list.tags);
    xml.text("ownerId", &place.account);
}

//! Managed prefix lists: Create, Modify, Delete, Describe, their entries, and what refers to them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::Cidr;
use model::ec2::{
    AddressFamily, Peer, PrefixList, PrefixListEntry, PrefixListId, SecurityGroupId,
    SecurityGroupRule,
};

use crate::ec2::client_tokens::{RequestNote, TokenForm};
use crate::ec2::filter::{Column, Filters};
use crate::ec2::networks::is_named;
use crate::ec2::security_group_rules::require_few_rules;
use crate::ec2::subnets::parse_block;
use crate::ec2::{
    Ec2, Ec2Error, Ec2State, Filter, Page, PageRequest, TagSpecification, names, tags,
};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// How many entries a request may add, and how many it may remove.
///
/// Source: EC2 API, `ModifyManagedPrefixList`, `AddEntries` and `RemoveEntries`.
pub const ENTRIES_PER_REQUEST_MAX: usize = 100;
/// The longest name and the longest description, in characters.
///
/// Source: EC2 API, `CreateManagedPrefixList`, `PrefixListName`.
pub const TEXT_CHARACTERS_MAX: usize = 255;
/// What the names of AWS's own lists begin with.
const RESERVED_PREFIX: &str = "com.amazonaws";
/// How many lists or entries a page may have.
///
/// Source: EC2 API, `GetManagedPrefixListEntries`, `MaxResults`.
const PAGE: RangeInclusive<i64> = 1..=100;
/// How many associations a page may have.
///
/// Source: EC2 API, `GetManagedPrefixListAssociations`, `MaxResults`.
const ASSOCIATIONS_PAGE: RangeInclusive<i64> = 5..=255;

/// Which prefix lists to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeManagedPrefixLists {
    /// These alone; all for an empty list.
    pub prefix_list_ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

/// A block as a request gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryInput {
    /// The block; host bits are cleared, as EC2 does.
    pub cidr: String,
    /// What it is for.
    pub description: Option<String>,
}

/// A new prefix list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateManagedPrefixList {
    /// What it is called.
    pub name: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// How many entries it may have.
    pub entries_max: Option<i64>,
    /// Its first entries.
    pub entries: Vec<EntryInput>,
    /// A repetition with the same token makes nothing and shows the same list.
    pub client_token: Option<String>,
    /// Tags for it.
    pub tag_specifications: Vec<TagSpecification>,
}

/// What to change about a prefix list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifyManagedPrefixList {
    /// The list.
    pub prefix_list_id: String,
    /// The version that the caller has seen.
    pub current_version: Option<i64>,
    /// Its new name.
    pub name: Option<String>,
    /// How many entries it may have; not together with entries.
    pub entries_max: Option<i64>,
    /// Entries to add; the description of one that is there is replaced.
    pub add: Vec<EntryInput>,
    /// The blocks of entries to remove.
    pub remove: Vec<String>,
}

/// Which entries of which list to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetManagedPrefixListEntries {
    /// The list.
    pub prefix_list_id: String,
    /// The version whose entries are meant; elbow keeps the present one.
    pub target_version: Option<i64>,
    /// Which part of the answer.
    pub page: PageRequest,
}

impl Ec2<'_> {
    /// The prefix lists.
    ///
    /// # Errors
    /// `MalformedId`, `PrefixListNotFound`, and those of filters and pages.
    pub fn describe_managed_prefix_lists(
        &self,
        request: &DescribeManagedPrefixLists,
    ) -> Result<Page<Arc<PrefixList>>, Ec2Error> {
        self.show(|it| describe(it.state, it.settings, request))
    }

    /// The entries of a prefix list.
    ///
    /// # Errors
    /// `MalformedId`, `PrefixListNotFound`, `InvalidValue` for a version that is not the present one, and
    /// those of pages.
    pub fn managed_prefix_list_entries(
        &self,
        request: &GetManagedPrefixListEntries,
    ) -> Result<Page<PrefixListEntry>, Ec2Error> {
        self.show(|it| entries(it.state, request))
    }

    /// The security groups whose rules refer to a prefix list.
    ///
    /// # Errors
    /// `MalformedId`, `PrefixListNotFound`, and those of pages.
    pub fn managed_prefix_list_associations(
        &self,
        prefix_list_id: &str,
        page: &PageRequest,
    ) -> Result<Page<SecurityGroupId>, Ec2Error> {
        self.show(|it| {
            let id = &find(&it.state.ec2, prefix_list_id)?.id;
            let users = users(&it.state.ec2, id);
            page.cut_within(
                "prefix-list-associations",
                ASSOCIATIONS_PAGE,
                users,
                SecurityGroupId::to_string,
            )
        })
    }

    /// Makes a prefix list.
    ///
    /// # Errors
    /// `InvalidValue`, `TokenMismatch`, `TooManyPrefixLists`, `TooManyEntries`, `TooManyEntriesInRequest`, and those of
    /// tags.
    pub async fn create_managed_prefix_list(
        &self,
        request: CreateManagedPrefixList,
    ) -> Result<Arc<PrefixList>, Ec2Error> {
        self.change(move |draft| create(draft, &request)).await
    }

    /// Changes a prefix list. Listeners obey its entries when this returns.
    ///
    /// # Errors
    /// `MalformedId`, `PrefixListNotFound`, `PrefixListVersion`, `InvalidCombination`, `InvalidValue`,
    /// `TooManyEntries`, `TooManyEntriesInRequest`, `EntryAddedAndRemoved`, `EntryNotFound`, `TooManyRules`.
    pub async fn modify_managed_prefix_list(
        &self,
        request: ModifyManagedPrefixList,
    ) -> Result<Arc<PrefixList>, Ec2Error> {
        self.change(move |draft| modify(draft, &request)).await
    }

    /// Removes the prefix list with this id; shows what it was.
    ///
    /// # Errors
    /// `MalformedId`, `PrefixListNotFound`, and `HasDependencies` while a rule refers to it.
    pub async fn delete_managed_prefix_list(
        &self,
        id: String,
    ) -> Result<Arc<PrefixList>, Ec2Error> {
        self.change(move |draft| delete(draft, &id)).await
    }
}

const FILTERS: Filters<(Arc<PrefixList>, String)> = Filters {
    columns: &[
        Column {
            name: "prefix-list-id",
            texts: |(list, _)| vec![list.id.to_string()],
        },
        Column {
            name: "prefix-list-name",
            texts: |(list, _)| vec![list.name.clone()],
        },
        Column {
            name: "owner-id",
            texts: |(_, account)| vec![account.clone()],
        },
    ],
    absent: &[],
    tags: Some(|(list, _)| &list.tags),
};

fn describe(
    state: &State,
    settings: &Settings,
    request: &DescribeManagedPrefixLists,
) -> Result<Page<Arc<PrefixList>>, Ec2Error> {
    let is_wanted = FILTERS.parse(&request.filters)?;
    for id in &request.prefix_list_ids {
        find(&state.ec2, id)?;
    }
    let account = &settings.place.account;
    let lists = state.ec2.prefix_lists.values();
    let wanted = lists
        .filter(|list| is_named(&request.prefix_list_ids, list.id.as_str()))
        .filter(|list| is_wanted(&(Arc::clone(list), account.clone())))
        .cloned();
    request
        .page
        .cut_within("prefix-lists", PAGE, wanted, |list| list.id.to_string())
}

fn entries(
    state: &State,
    request: &GetManagedPrefixListEntries,
) -> Result<Page<PrefixListEntry>, Ec2Error> {
    let list = find(&state.ec2, &request.prefix_list_id)?;
    if let Some(version) = request.target_version.filter(|it| !is_version(list, *it)) {
        return Err(Ec2Error::InvalidValue {
            parameter: "targetVersion",
            value: version.to_string(),
            expectation: format!(
                "elbow keeps the present version alone, which is {}.",
                list.version
            ),
        });
    }
    let mut entries = list.entries.clone();
    entries.sort_by_key(|entry| entry.cidr.to_string());
    request
        .page
        .cut_within("prefix-list-entries", PAGE, entries, |entry| {
            entry.cidr.to_string()
        })
}

fn is_version(list: &PrefixList, version: i64) -> bool {
    u64::try_from(version) == Ok(list.version)
}

/// The list with this id.
///
/// # Errors
/// `MalformedId`, `PrefixListNotFound`.
pub(crate) fn find<'a>(ec2: &'a Ec2State, id: &str) -> Result<&'a Arc<PrefixList>, Ec2Error> {
    let id: PrefixListId = id.parse()?;
    let list = ec2.prefix_lists.get(&id);
    list.ok_or_else(|| Ec2Error::PrefixListNotFound(id.to_string()))
}

/// The groups with a rule that refers to the list `id`, in ascending order.
fn users<'a>(
    ec2: &'a Ec2State,
    id: &'a PrefixListId,
) -> impl Iterator<Item = SecurityGroupId> + 'a {
    let refers = move |rule: &SecurityGroupRule| matches!(&rule.peer, Peer::PrefixList(other) if other == id);
    let groups = ec2.security_groups.values();
    groups
        .filter(move |group| group.rules.iter().any(refers))
        .map(|group| group.id.clone())
}

fn create(
    draft: &mut Draft,
    request: &CreateManagedPrefixList,
) -> Result<Arc<PrefixList>, Ec2Error> {
    let family = match request.family.as_str() {
        "IPv4" => AddressFamily::Ipv4,
        "IPv6" => AddressFamily::Ipv6,
        other => return Err(invalid("addressFamily", other, "It is IPv4 or IPv6.")),
    };
    let lists = &draft.state().ec2.prefix_lists;
    let mut list = PrefixList {
        id: names::fresh(draft, PrefixListId::from_bits, lists),
        name: name(&request.name)?,
        family,
        entries_max: entries_max(draft, request.entries_max)?,
        entries: Vec::new(),
        version: 1,
        is_modified: false,
        client_token: None,
        request_digest: None,
        tags: tags::specified(&request.tag_specifications, "prefix-list")?,
    };
    add_entries(&mut list, &request.entries)?;
    let asked = (
        &list.name,
        list.family,
        list.entries_max,
        &list.entries,
        &list.tags,
    );
    let note = RequestNote::new(request.client_token.as_ref(), TokenForm::LONG, &asked)?;
    let is_same = |made: &PrefixList| made.name == list.name && made.family == list.family;
    if let Some(made) = note.made(lists, is_same)? {
        return Ok(Arc::clone(made));
    }
    let max = draft.settings().limits.ec2.prefix_lists;
    if lists.len() >= max {
        return Err(Ec2Error::TooManyPrefixLists(max));
    }
    list.client_token = note.token;
    list.request_digest = note.digest;
    Ok(draft.put(list))
}

fn invalid(parameter: &'static str, value: &str, expectation: &str) -> Ec2Error {
    Ec2Error::InvalidValue {
        parameter,
        value: value.to_owned(),
        expectation: expectation.to_owned(),
    }
}

fn name(text: &str) -> Result<String, Ec2Error> {
    if text.chars().count() > TEXT_CHARACTERS_MAX || text.starts_with(RESERVED_PREFIX) {
        let expectation = "A name has up to 255 characters and does not begin with com.amazonaws.";
        return Err(invalid("prefixListName", text, expectation));
    }
    Ok(text.to_owned())
}

fn entries_max(draft: &Draft, number: Option<i64>) -> Result<usize, Ec2Error> {
    let number = number.ok_or(Ec2Error::MissingParameter("maxEntries"))?;
    let max = draft.settings().limits.ec2.entries_per_prefix_list;
    match usize::try_from(number) {
        Ok(count) if (1..=max).contains(&count) => Ok(count),
        _ => Err(invalid(
            "maxEntries",
            &number.to_string(),
            &format!("It is from 1 to {max}."),
        )),
    }
}

fn require_few<T>(entries: &[T]) -> Result<(), Ec2Error> {
    match entries.len() {
        0..=ENTRIES_PER_REQUEST_MAX => Ok(()),
        _ => Err(Ec2Error::TooManyEntriesInRequest(ENTRIES_PER_REQUEST_MAX)),
    }
}

fn add_entries(list: &mut PrefixList, new: &[EntryInput]) -> Result<(), Ec2Error> {
    require_few(new)?;
    let mut given = BTreeSet::new();
    for entry in new {
        let cidr: Cidr = parse_block("cidr", &entry.cidr)?;
        let expectation = if !list.family.has(&cidr) {
            "It is not of the family of the list."
        } else if !given.insert(cidr) {
            "It is given twice."
        } else if entry
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() > TEXT_CHARACTERS_MAX)
        {
            "Its description has more than 255 characters."
        } else {
            list.entries.retain(|present| present.cidr != cidr);
            list.entries.push(PrefixListEntry {
                cidr,
                description: entry.description.clone(),
            });
            continue;
        };
        return Err(invalid("cidr", &entry.cidr, expectation));
    }
    if list.entries.len() > list.entries_max {
        return Err(Ec2Error::TooManyEntries(list.entries_max));
    }
    Ok(())
}

fn parse_blocks<'a>(blocks: impl IntoIterator<Item = &'a String>) -> Result<Vec<Cidr>, Ec2Error> {
    let blocks = blocks.into_iter();
    blocks.map(|block| parse_block("cidr", block)).collect()
}

fn modify(
    draft: &mut Draft,
    request: &ModifyManagedPrefixList,
) -> Result<Arc<PrefixList>, Ec2Error> {
    let before = Arc::clone(find(&draft.state().ec2, &request.prefix_list_id)?);
    let mut list = PrefixList::clone(&before);
    if let Some(version) = request.current_version
        && !is_version(&list, version)
    {
        return Err(Ec2Error::PrefixListVersion);
    }
    let has_entries = !request.add.is_empty() || !request.remove.is_empty();
    if has_entries && request.current_version.is_none() {
        return Err(Ec2Error::MissingParameter("currentVersion"));
    }
    if has_entries && request.entries_max.is_some() {
        return Err(Ec2Error::InvalidCombination(
            "You cannot modify the entries and the maximum entries for the prefix list in the same request.",
        ));
    }
    if let Some(new) = &request.name {
        list.name = name(new)?;
    }
    list.is_modified = true;
    require_few(&request.remove)?;
    let added = parse_blocks(request.add.iter().map(|entry| &entry.cidr))?;
    for cidr in parse_blocks(&request.remove)? {
        if added.contains(&cidr) {
            return Err(Ec2Error::EntryAddedAndRemoved(cidr));
        }
        let position = list.entries.iter().position(|entry| entry.cidr == cidr);
        list.entries
            .remove(position.ok_or(Ec2Error::EntryNotFound(cidr))?);
    }
    add_entries(&mut list, &request.add)?;
    if list.entries != before.entries {
        list.version += 1;
    }
    if let Some(number) = request.entries_max {
        list.entries_max = entries_max(draft, Some(number))?;
        if list.entries.len() > list.entries_max {
            return Err(Ec2Error::TooManyEntries(list.entries_max));
        }
    }
    if list == *before {
        return Ok(before);
    }
    let list = draft.put(list);
    let ec2 = &draft.state().ec2;
    for id in users(ec2, &list.id) {
        require_few_rules(draft, &ec2.security_groups[&id])?;
    }
    Ok(list)
}

fn delete(draft: &mut Draft, id: &str) -> Result<Arc<PrefixList>, Ec2Error> {
    let ec2 = &draft.state().ec2;
    let list = Arc::clone(find(ec2, id)?);
    if users(ec2, &list.id).next().is_some() {
        return Err(Ec2Error::HasDependencies("prefixList", list.id.to_string()));
    }
    draft.remove::<PrefixList>(&list.id);
    Ok(list)
}

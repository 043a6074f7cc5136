//! ModifySecurityGroupRules and UpdateSecurityGroupRuleDescriptionsIngress and …Egress: other words and other
//! traffic for rules that keep their ids.

use std::sync::Arc;

use model::ec2::{Direction, SecurityGroup, SecurityGroupRule, SecurityGroupRuleId};

use crate::ec2::security_group_rules::{IpPermission, in_words, meant, require_few_rules};
use crate::ec2::security_groups::{self, GroupReference, text};
use crate::ec2::{Ec2, Ec2Error, Ec2State};
use crate::state::Draft;

/// New contents for rules of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifySecurityGroupRules {
    /// The group that has them.
    pub group_id: String,
    /// The id of each rule, with all that it is to say; it has one peer.
    pub rules: Vec<(String, IpPermission)>,
}

/// New descriptions for rules of a group; a rule whose description is absent loses its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateSecurityGroupRuleDescriptions {
    /// The group that has them.
    pub group: GroupReference,
    /// Which of its sides.
    pub direction: Direction,
    /// The rules by what they allow.
    pub permissions: Vec<IpPermission>,
    /// The rules by their ids, each with its description.
    pub by_id: Vec<(String, Option<String>)>,
}

impl Ec2<'_> {
    /// Replaces rules; listeners obey them when this returns.
    ///
    /// # Errors
    /// `MissingParameter`, `MalformedId`, `SecurityGroupNotFound`, `SecurityGroupRuleNotFound`,
    /// `NotOnePeer`, `DuplicatePermission`, `TooManyRules`, and those of permissions.
    pub async fn modify_security_group_rules(
        &self,
        request: ModifySecurityGroupRules,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| modify(draft, &request)).await
    }

    /// Describes rules anew.
    ///
    /// # Errors
    /// `MissingParameter`, `InvalidCombination`, `PermissionNotFound`, `MalformedId`,
    /// `SecurityGroupRuleNotFound`, `InvalidGroupText`, and those of the group and of permissions.
    pub async fn update_security_group_rule_descriptions(
        &self,
        request: UpdateSecurityGroupRuleDescriptions,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| update_descriptions(draft, &request))
            .await
    }
}

fn modify(draft: &mut Draft, request: &ModifySecurityGroupRules) -> Result<(), Ec2Error> {
    let ec2 = &draft.state().ec2;
    let before = security_groups::find(ec2, &request.group_id)?;
    if request.rules.is_empty() {
        return Err(Ec2Error::MissingParameter("securityGroupRules"));
    }
    let mut group = SecurityGroup::clone(before);
    for (id, permission) in &request.rules {
        let position = position(&group, id)?;
        let direction = group.rules[position].direction;
        let new = meant(draft, &group, std::slice::from_ref(permission), direction)?;
        let [new] = &new[..] else {
            return Err(Ec2Error::NotOnePeer);
        };
        let rule = &mut group.rules[position];
        *rule = SecurityGroupRule {
            id: rule.id.clone(),
            tags: std::mem::take(&mut rule.tags),
            ..new.clone()
        };
    }
    require_distinct(&group)?;
    require_few_rules(draft, &group)?;
    put_changed(draft, &request.group_id, group)
}

fn position(group: &SecurityGroup, id: &str) -> Result<usize, Ec2Error> {
    let id: SecurityGroupRuleId = id.parse()?;
    let position = group.rules.iter().position(|rule| rule.id == id);
    position.ok_or_else(|| Ec2Error::SecurityGroupRuleNotFound(id.to_string()))
}

fn require_distinct(group: &SecurityGroup) -> Result<(), Ec2Error> {
    for (index, rule) in group.rules.iter().enumerate() {
        let mut others = group.rules[..index].iter();
        if others.any(|other| other.allows_same_as(rule)) {
            return Err(Ec2Error::DuplicatePermission(in_words(rule)));
        }
    }
    Ok(())
}

fn put_changed(draft: &mut Draft, id: &str, group: SecurityGroup) -> Result<(), Ec2Error> {
    if **security_groups::find(&draft.state().ec2, id)? != group {
        draft.put(group);
    }
    Ok(())
}

fn update_descriptions(
    draft: &mut Draft,
    request: &UpdateSecurityGroupRuleDescriptions,
) -> Result<(), Ec2Error> {
    let ec2: &Ec2State = &draft.state().ec2;
    let before: &Arc<SecurityGroup> = request.group.resolve(ec2)?;
    let mut group = SecurityGroup::clone(before);
    let meant = meant(draft, &group, &request.permissions, request.direction)?;
    match (meant.is_empty(), request.by_id.is_empty()) {
        (true, true) => return Err(Ec2Error::MissingParameter("ipPermissions")),
        (false, false) => {
            return Err(Ec2Error::InvalidCombination(
                "The parameters ipPermissions and securityGroupRuleDescriptions cannot be used together",
            ));
        }
        _ => {}
    }
    for new in meant {
        let mut present = group.rules.iter_mut();
        let rule = present.find(|rule| rule.allows_same_as(&new));
        rule.ok_or(Ec2Error::PermissionNotFound)?.description = new.description;
    }
    for (id, description) in &request.by_id {
        let position = position(&group, id)?;
        let rule = &mut group.rules[position];
        if rule.direction != request.direction {
            return Err(Ec2Error::SecurityGroupRuleNotFound(id.clone()));
        }
        let description = description.as_deref();
        rule.description = description
            .map(|it| text("rule description", it))
            .transpose()?;
    }
    let id = group.id.to_string();
    put_changed(draft, &id, group)
}

//! `AddTags`, `RemoveTags` and `DescribeTags`.

use model::action::Actions;
use model::arn::ResourceArn;
use model::id::LoadBalancerId;
use model::listener::Listener;
use model::load_balancer::LoadBalancer;
use model::rule::Rule;
use model::tag::{InvalidTag, Tags};
use model::target_group::TargetGroup;
use model::trust_store::TrustStore;

use super::find::FoundRule;
use super::input::Pairs;
use super::{ElbError, TagDescription, find, forwarding, mirroring};
use crate::{Control, Draft, State};

/// Most resources in one `DescribeTags`.
const DESCRIBED_MAX: usize = 20;

/// Source: ELB API, `AddTags`.
#[derive(Clone, Debug, Default)]
pub struct AddTags {
    /// `ResourceArns`.
    pub resource_arns: Vec<String>,
    /// `Tags`.
    pub tags: Pairs,
}

/// Source: ELB API, `RemoveTags`.
#[derive(Clone, Debug, Default)]
pub struct RemoveTags {
    /// `ResourceArns`.
    pub resource_arns: Vec<String>,
    /// `TagKeys`.
    pub tag_keys: Vec<String>,
}

/// Source: ELB API, `DescribeTags`.
#[derive(Clone, Debug, Default)]
pub struct DescribeTags {
    /// `ResourceArns`.
    pub resource_arns: Vec<String>,
}

impl Control {
    /// Adds or replaces tags by key on all of the resources, or on none.
    ///
    /// # Errors
    /// `DuplicateTagKeys`, `TooManyTags`, the not-found error of each kind of resource, `Validation`.
    pub async fn add_tags(&self, input: AddTags) -> Result<(), ElbError> {
        self.transact(move |draft| {
            if input.tags.is_empty() {
                return Err(ElbError::Validation(
                    "At least one tag must be specified".to_owned(),
                ));
            }
            change_all(draft, &input.resource_arns, |arn, tags| {
                Ok(match arn {
                    ResourceArn::Rule(_) => tags.with_of_rule(&input.tags),
                    _ => tags.with(&input.tags),
                }?)
            })
        })
        .await
    }

    /// Removes tags by key; keys that are not there do not matter.
    ///
    /// # Errors
    /// The not-found error of each kind of resource, `Validation`.
    pub async fn remove_tags(&self, input: RemoveTags) -> Result<(), ElbError> {
        self.transact(move |draft| {
            change_all(draft, &input.resource_arns, |arn, tags| {
                Ok(match arn {
                    ResourceArn::Rule(_) => tags
                        .without_of_rule(&input.tag_keys)
                        .map_err(InvalidTag::from)?,
                    _ => tags.without(&input.tag_keys),
                })
            })
        })
        .await
    }

    /// The tags of each resource, in the order of the request.
    ///
    /// # Errors
    /// The not-found error of each kind of resource, `Validation`.
    pub async fn describe_tags(
        &self,
        input: DescribeTags,
    ) -> Result<Vec<TagDescription>, ElbError> {
        if input.resource_arns.len() > DESCRIBED_MAX {
            return Err(ElbError::Validation(format!(
                "The tags of at most {DESCRIBED_MAX} resources can be described in one request"
            )));
        }
        self.read(|state| {
            let described = |text: &String| {
                let resource_arn: ResourceArn = text.parse()?;
                let tags = tags_of(state, &resource_arn)?;
                Ok(TagDescription { resource_arn, tags })
            };
            input.resource_arns.iter().map(described).collect()
        })
    }
}

/// The tags of the resource with this ARN.
pub(super) fn tags_of(state: &State, arn: &ResourceArn) -> Result<Tags, ElbError> {
    let text = arn.to_string();
    Ok(match arn {
        ResourceArn::LoadBalancer(_) => find::load_balancer(state, &text)?.tags.clone(),
        ResourceArn::Listener(_) => find::listener(state, &text)?.tags.clone(),
        ResourceArn::TargetGroup(_) => find::target_group(state, &text)?.tags.clone(),
        ResourceArn::TrustStore(_) => find::trust_store(state, &text)?.tags.clone(),
        ResourceArn::Rule(_) => match find::rule(state, &text)? {
            FoundRule::Numbered(rule) => rule.tags.clone(),
            FoundRule::Default(listener) => listener.default_rule_tags.clone(),
        },
    })
}

fn change_all(
    draft: &mut Draft,
    arns: &[String],
    change: impl Fn(&ResourceArn, &Tags) -> Result<Tags, ElbError>,
) -> Result<(), ElbError> {
    for text in arns {
        let arn: ResourceArn = text.parse()?;
        let present = tags_of(draft.state(), &arn)?;
        let tags = change(&arn, &present)?;
        if tags != present {
            set_tags(draft, &arn, tags)?;
        }
    }
    Ok(())
}

fn set_tags(draft: &mut Draft, arn: &ResourceArn, tags: Tags) -> Result<(), ElbError> {
    let text = arn.to_string();
    match arn {
        ResourceArn::LoadBalancer(_) => {
            let present = LoadBalancer::clone(find::load_balancer(draft.state(), &text)?);
            draft.put(LoadBalancer { tags, ..present });
        }
        ResourceArn::Listener(_) => {
            let present = Listener::clone(find::listener(draft.state(), &text)?);
            draft.put(Listener { tags, ..present });
        }
        ResourceArn::TargetGroup(_) => {
            let present = TargetGroup::clone(find::target_group(draft.state(), &text)?);
            draft.put(TargetGroup { tags, ..present });
        }
        ResourceArn::TrustStore(_) => {
            let present = TrustStore::clone(find::trust_store(draft.state(), &text)?);
            draft.put(TrustStore { tags, ..present });
        }
        ResourceArn::Rule(_) => match find::rule(draft.state(), &text)? {
            FoundRule::Numbered(rule) => {
                let present = Rule::clone(rule);
                let owner = present.arn.listener.load_balancer.id;
                check_rule(draft.state(), owner, &present.actions, &tags)?;
                draft.put(Rule { tags, ..present });
                forwarding::check_limits(draft.state(), &draft.settings().limits, owner)?;
            }
            FoundRule::Default(listener) => {
                let present = Listener::clone(listener);
                let owner = present.arn.load_balancer.id;
                check_rule(draft.state(), owner, &present.default_actions, &tags)?;
                draft.put(Listener {
                    default_rule_tags: tags,
                    ..present
                });
                forwarding::check_limits(draft.state(), &draft.settings().limits, owner)?;
            }
        },
    }
    Ok(())
}

/// Whether a rule of this load balancer with these actions can have these tags.
fn check_rule(
    state: &State,
    owner: LoadBalancerId,
    actions: &Actions,
    tags: &Tags,
) -> Result<(), ElbError> {
    mirroring::check(state, &state.elb.load_balancers[&owner], actions, tags)
}

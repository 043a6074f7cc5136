//! ARNs of other accounts and Regions. Without this the operations that succeed for what is gone already, such as
//! DeleteLoadBalancer, would say that they had deleted something elsewhere.

use control::Control;

use crate::ApiError;
use crate::query::Node;

/// The operation with a member that is for resources of others, and that member.
const FOR_OTHERS: (&str, &str) = ("DeleteSharedTrustStoreAssociation", "ResourceArn");

/// Refuses an input with an ARN of a load balancing resource that belongs elsewhere.
pub(super) fn check(control: &Control, operation: &str, input: &Node) -> Result<(), ApiError> {
    check_members(control, (operation, ""), input)
}

/// `name` is that of the member that `node` is, or is an element of.
fn check_members(
    control: &Control,
    (operation, name): (&str, &str),
    node: &Node,
) -> Result<(), ApiError> {
    let is_arn = name.ends_with("Arn") || name.ends_with("Arns");
    let is_checked = is_arn && (operation, name) != FOR_OTHERS;
    if let Some(text) = node.value().filter(|_| is_checked) {
        control.check_place(text)?;
    }
    node.children().try_for_each(|(part, child)| {
        let is_element = part == "member" || part.starts_with(|c: char| c.is_ascii_digit());
        let name = if is_element { name } else { part };
        check_members(control, (operation, name), child)
    })
}

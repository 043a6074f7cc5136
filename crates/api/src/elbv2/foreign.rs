//! ARNs of other accounts and Regions. Without this the operations that succeed for what is gone already, such as
//! DeleteLoadBalancer, would say that they had deleted something elsewhere.

use control::Control;

use crate::ApiError;
use crate::query::Node;

/// Refuses an input with an ARN of a load balancing resource that belongs elsewhere.
pub(super) fn check(control: &Control, input: &Node) -> Result<(), ApiError> {
    check_members(control, "", input)
}

/// `name` is that of the member that `node` is, or is an element of.
fn check_members(control: &Control, name: &str, node: &Node) -> Result<(), ApiError> {
    // The one member that is for resources of others is `ResourceArn`, of DeleteSharedTrustStoreAssociation.
    let is_arn = name.ends_with("Arn") && name != "ResourceArn" || name.ends_with("Arns");
    if let Some(text) = node.value().filter(|_| is_arn) {
        control.check_place(text)?;
    }
    node.children().try_for_each(|(part, child)| {
        let is_element = part == "member" || part.starts_with(|c: char| c.is_ascii_digit());
        check_members(control, if is_element { name } else { part }, child)
    })
}

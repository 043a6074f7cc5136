//! From the transforms of a request to those of a rule.
//!
//! Source: ELB API, `RuleTransform`; ALB guide, "Transforms for listener rules".

use model::transform::{Rewrite, TransformType, Transforms};

use super::ElbError;
use super::input::{Pairs, RuleTransform};

const HOST_CONFIG: &str = "HostHeaderRewriteConfig";
const URL_CONFIG: &str = "UrlRewriteConfig";

/// What the transforms of a request mean.
pub(super) fn parse(transforms: &[RuleTransform]) -> Result<Transforms, ElbError> {
    let mut parsed = Transforms::default();
    for transform in transforms {
        let transform_type = transform.transform_type;
        let host = (HOST_CONFIG, &transform.host_header_rewrite_config);
        let url = (URL_CONFIG, &transform.url_rewrite_config);
        let (slot, own, other) = match transform_type {
            TransformType::HostHeaderRewrite => (&mut parsed.host, host, url),
            TransformType::UrlRewrite => (&mut parsed.url, url, host),
        };
        if other.1.is_some() {
            return Err(invalid(&format!(
                "'{}' cannot be specified for transforms of type '{transform_type}'",
                other.0
            )));
        }
        let (member, Some(rewrites)) = own else {
            return Err(invalid(&format!(
                "For transforms of type '{transform_type}', you must specify the following fields: '{}'",
                own.0
            )));
        };
        if slot.is_some() {
            return Err(invalid(&format!(
                "A rule can only have one '{transform_type}' transform"
            )));
        }
        *slot = Some(only(member, rewrites)?);
    }
    Ok(parsed)
}

/// The one rewrite of a transform.
fn only(member: &str, rewrites: &Pairs) -> Result<Rewrite, ElbError> {
    let [(regex, replace)] = rewrites.as_slice() else {
        return Err(invalid(&format!(
            "You must specify exactly one rewrite in '{member}'"
        )));
    };
    Rewrite::new(regex.clone(), replace.clone()).map_err(|error| invalid(&error.to_string()))
}

fn invalid(message: &str) -> ElbError {
    ElbError::Validation(message.to_owned())
}

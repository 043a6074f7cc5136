//! `ListTagsForCertificate`.

use control::Control;
use control::acm::AcmError;
use control::acm::tags::ListTagsForCertificate;
use serde_json::{Value, json};

use super::shapes::ARN;
use crate::input::Fields;

pub(super) fn read(fields: &Fields<'_>) -> ListTagsForCertificate {
    ListTagsForCertificate {
        certificate_arn: fields.required("CertificateArn", ARN),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ListTagsForCertificate,
) -> Result<Option<Value>, AcmError> {
    let tags = control.list_tags_for_certificate(input).await?;
    let pair = |(key, value): (&str, &str)| json!({ "Key": key, "Value": value });
    let tags: Vec<_> = tags.iter().map(pair).collect();
    Ok(Some(json!({ "Tags": tags })))
}

//! `ListCertificates`: those that the filters let through.

use control::Control;
use control::acm::AcmError;
use control::acm::list_certificates::{
    CertificateKeyPairOrigin, Filters, ListCertificates, SortBy, SortOrder,
};
use model::certificate::{
    CertificateExport, CertificateManagedBy, CertificateStatus, ExtendedKeyUsageName, KeyAlgorithm,
    KeyUsage,
};
use serde_json::{Value, json};

use super::shapes::{read_paging, summary};
use crate::input::{Fields, OneOf};

pub(super) fn read(fields: &Fields<'_>) -> ListCertificates {
    let includes = fields.structure("Includes", |filters| Filters {
        extended_key_usage: filters.list("extendedKeyUsage", OneOf(ExtendedKeyUsageName::ALL)),
        key_usage: filters.list("keyUsage", OneOf(KeyUsage::ALL)),
        key_types: filters.list("keyTypes", OneOf(KeyAlgorithm::ALL)),
        export_option: filters.optional("exportOption", OneOf(CertificateExport::ALL)),
        managed_by: filters.optional("managedBy", OneOf(CertificateManagedBy::ALL)),
    });
    let origins = OneOf(CertificateKeyPairOrigin::ALL);
    ListCertificates {
        certificate_statuses: fields.list("CertificateStatuses", OneOf(CertificateStatus::ALL)),
        certificate_key_pair_origins: fields.list("CertificateKeyPairOrigins", origins),
        includes: includes.unwrap_or_default(),
        paging: read_paging(fields),
        sort_by: fields.optional("SortBy", OneOf(SortBy::ALL)),
        sort_order: fields.optional("SortOrder", OneOf(SortOrder::ALL)),
    }
}

pub(super) async fn call(
    control: &Control,
    input: ListCertificates,
) -> Result<Option<Value>, AcmError> {
    let page = control.list_certificates(input).await?;
    let summaries: Vec<_> = page.items.iter().map(summary).collect();
    let mut value = json!({ "CertificateSummaryList": summaries });
    if let Some(token) = page.next_token {
        value["NextToken"] = json!(token);
    }
    Ok(Some(value))
}

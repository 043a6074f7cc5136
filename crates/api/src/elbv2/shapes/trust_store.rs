//! `TrustStore`, `TrustStoreRevocation` and where both come from.

use control::ObjectName;
use control::elb::trust_store_revocations::{
    RevocationContent, RevocationDescription, RevocationType,
};
use control::elb::trust_stores::TrustStoreDescription;

use crate::input::{Fields, OneOf, TEXT};
use crate::xml::Xml;

/// Trust stores are ready when the call that made them returns.
const STATUS: &str = "ACTIVE";

/// The members that begin with `CaCertificatesBundleS3`.
pub(crate) fn read_bundle(fields: &Fields<'_>) -> ObjectName {
    ObjectName {
        bucket: fields.required("CaCertificatesBundleS3Bucket", TEXT),
        key: fields.required("CaCertificatesBundleS3Key", TEXT),
        version: fields.optional("CaCertificatesBundleS3ObjectVersion", TEXT),
    }
}

/// `RevocationContent`.
pub(crate) fn read_revocation(fields: &Fields<'_>) -> RevocationContent {
    RevocationContent {
        s3_bucket: fields.optional("S3Bucket", TEXT),
        s3_key: fields.optional("S3Key", TEXT),
        s3_object_version: fields.optional("S3ObjectVersion", TEXT),
        revocation_type: fields.optional("RevocationType", OneOf(RevocationType::ALL)),
    }
}

pub(crate) fn print_all(
    xml: &mut Xml,
    descriptions: impl IntoIterator<Item = TrustStoreDescription>,
) {
    xml.list("TrustStores", descriptions, |xml, description| {
        let trust_store = &description.trust_store;
        xml.text("Name", &trust_store.arn.name);
        xml.text("TrustStoreArn", &trust_store.arn);
        xml.text("Status", STATUS);
        xml.text("NumberOfCaCertificates", trust_store.authority_count);
        xml.text("TotalRevokedEntries", description.total_revoked_entries);
    });
}

pub(crate) fn print_revocations(
    xml: &mut Xml,
    descriptions: impl IntoIterator<Item = RevocationDescription>,
) {
    xml.list("TrustStoreRevocations", descriptions, |xml, description| {
        xml.text("TrustStoreArn", &description.trust_store.arn);
        xml.text("RevocationId", description.revocation.key.id);
        xml.text("RevocationType", RevocationType::Crl);
        xml.text("NumberOfRevokedEntries", description.revocation.entry_count);
    });
}

//! Errors that the model of ACM names and no call gets from elbow, with the reasons.

use crate::golden::Unreachable;

pub(super) const UNREACHABLE: [Unreachable; 8] = [
    (
        "AccessDeniedException",
        &[
            "GetAccountConfiguration",
            "ListCertificateDomainValidations",
            "SearchCertificates",
        ],
        "every key may read",
    ),
    (
        "ConflictException",
        &[
            "DeleteCertificate",
            "ImportCertificate",
            "PutAccountConfiguration",
            "UpdateCertificateOptions",
        ],
        "changes are made one after the other, so that none finds another one in progress",
    ),
    (
        "InvalidArnException",
        &["RequestCertificate"],
        "the one ARN that it takes is that of a private authority, and there are none",
    ),
    (
        "InvalidParameterException",
        &[
            "AddTagsToCertificate",
            "ImportCertificate",
            "RemoveTagsFromCertificate",
        ],
        "what is wrong with a parameter is a ValidationException or an InvalidTagException",
    ),
    (
        "LimitExceededException",
        &["UpdateCertificateOptions"],
        "options count toward no limit",
    ),
    (
        "TagPolicyException",
        &[
            "AddTagsToCertificate",
            "ImportCertificate",
            "RemoveTagsFromCertificate",
            "RequestCertificate",
        ],
        "there are no tag policies",
    ),
    (
        "ThrottlingException",
        &["ListCertificateDomainValidations", "RevokeCertificate"],
        "AWS publishes no rate for them, and elbow has none",
    ),
    (
        "TooManyTagsException",
        &["ImportCertificate", "RequestCertificate"],
        "more tags in one request than a certificate can have are a ValidationException",
    ),
];

//! Errors that the model of ARC zonal shift names and no call gets from elbow, with the reasons.

use crate::golden::Unreachable;

pub(super) const UNREACHABLE: [Unreachable; 3] = [
    (
        "AccessDeniedException",
        &[
            "GetManagedResource",
            "ListManagedResources",
            "ListZonalShifts",
        ],
        "every key may read",
    ),
    (
        "InternalServerException",
        &[
            "GetManagedResource",
            "ListManagedResources",
            "ListZonalShifts",
        ],
        "what they read is in memory",
    ),
    (
        "ThrottlingException",
        &[
            "CancelZonalShift",
            "GetManagedResource",
            "ListManagedResources",
            "ListZonalShifts",
            "StartZonalShift",
            "UpdateZonalShift",
        ],
        "AWS publishes no rate for them, and elbow has none",
    ),
];

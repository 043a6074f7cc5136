//! Why an operation of ARC zonal shift did nothing.

use model::id::ZonalShiftId;
use model::text_enum;

use crate::CommitError;

text_enum! {
    /// Those of the reasons of `ValidationException` that concern zonal shifts.
    ///
    /// Source: ARC zonal shift API, `ValidationExceptionReason`.
    pub enum ValidationReason {
        /// The shift would last for no time, or too long.
        InvalidExpiresIn = "InvalidExpiresIn",
        /// There is no such status.
        InvalidStatus = "InvalidStatus",
        /// Nothing is asked for.
        MissingValue = "MissingValue",
        /// The token is not that of a page.
        InvalidToken = "InvalidToken",
        /// The text cannot name a load balancer.
        InvalidResourceIdentifier = "InvalidResourceIdentifier",
        /// There is no such zone.
        InvalidAz = "InvalidAz",
        /// The load balancer is not in the zone.
        UnsupportedAz = "UnsupportedAz",
    }
}

text_enum! {
    /// Those of the reasons of `ConflictException` that concern zonal shifts.
    ///
    /// Source: ARC zonal shift API, `ConflictExceptionReason`.
    pub enum ConflictReason {
        /// Traffic of the load balancer is shifted already.
        ZonalShiftAlreadyExists = "ZonalShiftAlreadyExists",
        /// The shift has ended.
        ZonalShiftStatusNotActive = "ZonalShiftStatusNotActive",
    }
}

/// An error of the ARC zonal shift API. Variants are named for their codes without `Exception`.
#[derive(Debug, thiserror::Error)]
pub enum ZonalShiftError {
    /// The input cannot be obeyed. Status 400.
    #[error("{message}")]
    Validation {
        /// `reason`.
        reason: ValidationReason,
        /// What is wrong and what to do.
        message: String,
    },
    /// It contradicts what is. Status 409.
    #[error("{message}")]
    Conflict {
        /// `reason`.
        reason: ConflictReason,
        /// What is wrong and what to do.
        message: String,
        /// `zonalShiftId`: the shift that stands in the way.
        zonal_shift_id: ZonalShiftId,
    },
    /// There is no such shift, or no such managed resource. Status 404.
    #[error("{0}")]
    ResourceNotFound(String),
    /// `InternalServer`, status 500: the change could not be made; the cause belongs in the log.
    #[error("the change could not be saved and nothing was changed; the request may be repeated")]
    Internal(#[from] CommitError),
}

impl ZonalShiftError {
    pub(super) fn validation(reason: ValidationReason, message: impl Into<String>) -> Self {
        Self::Validation {
            reason,
            message: message.into(),
        }
    }
}

//! A zonal shift: traffic of a load balancer is kept away from one of its zones for a while.
//!
//! Source: ARC zonal shift API, `ZonalShift` and `StartZonalShift`.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::arn::LoadBalancerArn;
use crate::ec2::Zone;
use crate::id::ZonalShiftId;
use crate::text_enum;

text_enum! {
    /// Whether a zonal shift keeps traffic away.
    pub enum ZonalShiftStatus {
        /// It does.
        Active = "ACTIVE",
        /// Its time is over.
        Expired = "EXPIRED",
        /// It was ended before its time.
        Canceled = "CANCELED",
    }
}

/// A zonal shift, also one that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonalShift {
    /// Its name.
    pub id: ZonalShiftId,
    /// The load balancer whose traffic is shifted; it may be gone once the shift has ended.
    pub resource: LoadBalancerArn,
    /// The zone that gets no traffic.
    pub away_from: Zone,
    /// When it was started, in milliseconds since 1970.
    pub started_at_millis: u64,
    /// When it ends by itself, in milliseconds since 1970.
    pub expires_at_millis: u64,
    /// What was last stored about it; see `status_at`.
    pub status: ZonalShiftStatus,
    /// Why it was started, in the words of the caller.
    pub comment: String,
}

impl ZonalShift {
    /// Its status at a time, in milliseconds since 1970, whether its end has been stored by then or not.
    #[must_use]
    pub fn status_at(&self, now_millis: u64) -> ZonalShiftStatus {
        match self.status {
            ZonalShiftStatus::Active if self.expires_at_millis <= now_millis => {
                ZonalShiftStatus::Expired
            }
            status => status,
        }
    }
}

/// How long a zonal shift lasts from the moment of the request: 1 minute to 3 days, such as `90m` or `20h`.
///
/// Source: ARC zonal shift API, `StartZonalShift`, `expiresIn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiresIn(Duration);

/// The text is not a time that a zonal shift can last.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not how long a zonal shift can last; write a whole number and 'm' for minutes or 'h' for hours, \
     such as 20h, of 72 hours at most"
)]
pub struct InvalidExpiresIn(pub String);

impl ExpiresIn {
    /// The longest: 72 hours.
    pub const MAX: Self = Self(Duration::from_secs(72 * 60 * 60));

    /// As a time.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for ExpiresIn {
    type Err = InvalidExpiresIn;

    fn from_str(text: &str) -> Result<Self, InvalidExpiresIn> {
        let parse = || {
            let (digits, seconds) = match (text.strip_suffix('m'), text.strip_suffix('h')) {
                (Some(digits), _) => (digits, 60),
                (None, Some(digits)) => (digits, 60 * 60),
                (None, None) => return None,
            };
            let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            let count: u64 = digits.parse().ok().filter(|_| is_number)?;
            let duration = Duration::from_secs(count.checked_mul(seconds)?);
            (duration <= Self::MAX.0).then_some(Self(duration))
        };
        parse().ok_or_else(|| InvalidExpiresIn(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_lasts_minutes_or_hours_up_to_three_days() {
        for (text, minutes) in [
            ("1m", Some(1)),
            ("90m", Some(90)),
            ("4320m", Some(4320)),
            ("20h", Some(1200)),
            ("72h", Some(4320)),
            ("73h", None),
            ("4321m", None),
            ("0m", None),
            ("01h", None),
            ("+1h", None),
            ("1d", None),
            ("1", None),
            ("h", None),
            ("", None),
            ("1 h", None),
            ("99999999999999999999m", None),
            ("18446744073709551615h", None),
        ] {
            let parsed: Option<ExpiresIn> = text.parse().ok();
            let expected = minutes.map(|minutes| Duration::from_secs(minutes * 60));
            assert_eq!(parsed.map(ExpiresIn::duration), expected, "{text:?}");
        }
    }
}

//! How many requests of one client a rule lets pass: `elbow:rate-limit.…`.

use super::fields::{RESERVED, is_name};
use super::{InvalidExtension, Tag};

/// The limit of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests of one key in each period, in the long run; 1 to 1,000,000.
    pub requests: u32,
    /// 1 to 3600 s, default 1.
    pub period_seconds: u32,
    /// Requests that may come at once after a pause; 1 to 1,000,000, default as many as `requests`.
    pub burst: u32,
    /// Whose requests are counted together.
    pub key: RateLimitKey,
}

/// Whose requests are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RateLimitKey {
    /// Those of one address of IPv4, or of one /64 network of IPv6.
    #[default]
    SourceIp,
    /// Those with one value of this field. Those without the field are not limited.
    Field(Box<str>),
}

/// The tags of a rule that were seen of a limit.
#[derive(Default)]
pub(super) struct RateLimitTags {
    requests: Option<u32>,
    period_seconds: Option<u32>,
    burst: Option<u32>,
    key: Option<RateLimitKey>,
    /// The key of one of them.
    seen: Option<String>,
}

impl RateLimitTags {
    /// Takes in the tag whose key ends in `rest`.
    pub(super) fn add(&mut self, tag: &Tag<'_>, rest: &str) -> Result<(), InvalidExtension> {
        match rest {
            "requests" => self.requests = Some(count(tag)?),
            "burst" => self.burst = Some(count(tag)?),
            "period-seconds" => {
                let expected = "a whole number from 1 to 3600";
                self.period_seconds = Some(tag.number(1, 3600, expected)?);
            }
            "key" => self.key = Some(key(tag)?),
            _ => return Err(tag.unknown()),
        }
        self.seen = Some(tag.key.to_owned());
        Ok(())
    }

    /// The limit, if there is one.
    pub(super) fn finish(self) -> Result<Option<RateLimit>, InvalidExtension> {
        match (self.requests, self.seen) {
            (None, None) => Ok(None),
            (None, Some(key)) => Err(InvalidExtension::Missing {
                key,
                needed: "elbow:rate-limit.requests",
            }),
            (Some(requests), _) => Ok(Some(RateLimit {
                requests,
                period_seconds: self.period_seconds.unwrap_or(1),
                burst: self.burst.unwrap_or(requests),
                key: self.key.unwrap_or_default(),
            })),
        }
    }
}

fn count(tag: &Tag<'_>) -> Result<u32, InvalidExtension> {
    tag.number(1, 1_000_000, "a whole number from 1 to 1000000")
}

fn key(tag: &Tag<'_>) -> Result<RateLimitKey, InvalidExtension> {
    if tag.value == "source-ip" {
        return Ok(RateLimitKey::SourceIp);
    }
    let name = tag.value.strip_prefix("header:");
    let name = name.filter(|name| is_name(name)).ok_or_else(|| {
        tag.must_be("'source-ip', or 'header:' and a field's name of letters, digits and hyphens")
    })?;
    if RESERVED.iter().any(|it| it.eq_ignore_ascii_case(name)) {
        return Err(InvalidExtension::ReservedField {
            key: tag.key.to_owned(),
            name: name.to_owned(),
        });
    }
    Ok(RateLimitKey::Field(name.into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_limit_has_defaults() {
        let limit = parse("elbow:rate-limit.requests=5").unwrap().rate_limit;
        let expected = RateLimit {
            requests: 5,
            period_seconds: 1,
            burst: 5,
            key: RateLimitKey::SourceIp,
        };
        assert_eq!(limit, Some(expected));
        let limit = parse(
            "elbow:rate-limit.requests=1000000
             elbow:rate-limit.period-seconds=3600
             elbow:rate-limit.burst=1
             elbow:rate-limit.key=header:X-Api-Key",
        );
        let expected = RateLimit {
            requests: 1_000_000,
            period_seconds: 3600,
            burst: 1,
            key: RateLimitKey::Field("X-Api-Key".into()),
        };
        assert_eq!(limit.unwrap().rate_limit, Some(expected));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let check = |key: &str, values: &[&str], expected: &str| {
            for value in values {
                let error = parse(&format!("elbow:rate-limit.{key}={value}")).unwrap_err();
                assert!(error.contains(expected), "{key} {value}: {error}");
            }
        };
        let numbers = ["0", "1000001", "", "+5", "1.5", "-1", "4294967297"];
        check(
            "requests",
            &numbers,
            "must be a whole number from 1 to 1000000",
        );
        check(
            "burst",
            &numbers,
            "must be a whole number from 1 to 1000000",
        );
        check("period-seconds", &["0", "3601", "1s"], "from 1 to 3600");
        check(
            "key",
            &["", "ip", "header:", "header:X Y", "Source-IP"],
            "must be 'source-ip'",
        );
        check("key", &["header:Host"], "cannot name the field 'Host'");
        check("window", &["1"], "none that elbow knows");
    }

    #[test]
    fn the_other_tags_need_the_number_of_requests() {
        let error = parse("elbow:rate-limit.burst=5").unwrap_err();
        assert_eq!(
            error,
            "The tag 'elbow:rate-limit.burst' needs the tag 'elbow:rate-limit.requests' beside it"
        );
    }
}

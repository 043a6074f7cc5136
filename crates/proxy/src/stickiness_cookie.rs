//! What the stickiness cookies of a request name, and why one of them does not count.
//!
//! Source: ALB guide, "Sticky sessions for your Application Load Balancer".

use std::sync::Arc;

use engine::{Forward, Pool, Stickiness, StickinessToken};

use crate::cookie;
use crate::cookie_seal::{CookieSeal, Purpose};
use crate::http1::Fields;

/// A cookie, and its copy that pages of other sites send too. The copy counts if both are there.
pub(crate) struct Names {
    pub(crate) plain: &'static str,
    pub(crate) cross_site: &'static str,
}

pub(crate) const POOL: Names = Names {
    plain: "AWSALBTG",
    cross_site: "AWSALBTGCORS",
};
pub(crate) const ENDPOINT: Names = Names {
    plain: "AWSALB",
    cross_site: "AWSALBCORS",
};
/// A session fits the first of them; the others are told to go away.
pub(crate) const APPLICATION: [&str; 4] =
    ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"];
pub(crate) const REMOVED: &[u8] = b"_remove_";

/// A stickiness cookie that a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StickinessCookie<T> {
    /// Its name.
    pub name: &'static str,
    /// What it names.
    pub named: Result<T, Unusable>,
}

/// Why a stickiness cookie does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It was sealed with another key or for another purpose, or was changed.
    #[error("this elbow has not made it")]
    Foreign,
    /// The duration of the stickiness is over.
    #[error("it has expired")]
    Expired,
    /// The action does not have the pool.
    #[error("it names another target group")]
    OtherPool,
    /// It is of a session that has ended with the cookie of the application.
    #[error("the request lacks the cookie of the application")]
    WithoutApplicationCookie,
}

/// The cookie about the target, with what belongs to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EndpointCookie {
    /// It names an `Endpoint::key`.
    pub(crate) sent: Option<StickinessCookie<u64>>,
    /// Whether there is the cookie of the application that a session of it depends on.
    pub(crate) has_application_cookie: bool,
}

/// Opens cookies at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opener<'s> {
    pub(crate) seal: &'s CookieSeal,
    /// Since 1970.
    pub(crate) now_seconds: u64,
}

impl Opener<'_> {
    /// The cookie about the pool, if the action keeps clients with pools.
    pub(crate) fn pool_cookie<'f>(
        self,
        forward: &'f Forward,
        fields: Fields<'_, '_>,
    ) -> Option<StickinessCookie<&'f Arc<Pool>>> {
        forward.stickiness?;
        let (name, value) = either(fields, &POOL)?;
        let token = self.open(value, Purpose::Pool);
        let pool = |token: StickinessToken| {
            let pool = forward.pool_by_id(token.pool);
            pool.ok_or(Unusable::OtherPool)
        };
        Some(StickinessCookie {
            name,
            named: token.and_then(pool),
        })
    }

    /// The cookie about the target, if the pool keeps clients with targets.
    pub(crate) fn endpoint_cookie(self, pool: &Pool, fields: Fields<'_, '_>) -> EndpointCookie {
        let endpoint = |value, purpose| {
            let token: StickinessToken = self.open(value, purpose)?;
            let endpoint = token.endpoint.filter(|_| token.pool == pool.id);
            endpoint.ok_or(Unusable::OtherPool)
        };
        match &pool.settings.stickiness {
            Stickiness::Off => EndpointCookie::default(),
            Stickiness::LoadBalancerCookie { .. } => EndpointCookie {
                sent: either(fields, &ENDPOINT).map(|(name, value)| StickinessCookie {
                    name,
                    named: endpoint(value, Purpose::Endpoint),
                }),
                has_application_cookie: false,
            },
            Stickiness::ApplicationCookie { name, .. } => {
                let has_application_cookie = cookie::sent(fields, name).is_some();
                let sent = cookie::sent(fields, APPLICATION[0]).filter(|it| *it != REMOVED);
                EndpointCookie {
                    sent: sent.map(|value| StickinessCookie {
                        name: APPLICATION[0],
                        // Without the application's cookie its session is over, and ours with it.
                        named: match has_application_cookie {
                            true => endpoint(value, Purpose::Application),
                            false => Err(Unusable::WithoutApplicationCookie),
                        },
                    }),
                    has_application_cookie,
                }
            }
        }
    }

    fn open(self, value: &[u8], purpose: Purpose) -> Result<StickinessToken, Unusable> {
        let token = self.seal.open(value, purpose).ok_or(Unusable::Foreign)?;
        match token.is_valid_at(self.now_seconds) {
            true => Ok(token),
            false => Err(Unusable::Expired),
        }
    }
}

/// The name and the value of the one that counts.
fn either<'b>(fields: Fields<'_, 'b>, names: &Names) -> Option<(&'static str, &'b [u8])> {
    let sent = |name| Some((name, cookie::sent(fields, name)?));
    sent(names.cross_site).or_else(|| sent(names.plain))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::{PoolId, PoolSettings};
    use model::health_check::HealthCheck;

    use super::*;
    use crate::cookie_seal::CookieKey;
    use crate::http1::FieldStorage;
    use crate::http1::request;

    const NOW: u64 = 1000;

    fn pool(id: u64, stickiness: Stickiness) -> Arc<Pool> {
        let settings = PoolSettings {
            stickiness,
            ..PoolSettings::new(HealthCheck::default())
        };
        Arc::new(Pool::new(PoolId(id), settings, Vec::new(), None))
    }

    /// What `say` says of a request with these cookies; `[pool/endpoint/expiry]` stands for a sealed one.
    fn said<T>(
        cookies: &str,
        purpose: Purpose,
        say: impl Fn(Opener<'_>, Fields<'_, '_>) -> T,
    ) -> T {
        let seal = CookieSeal::new(CookieKey::new([1; CookieKey::BYTES]));
        let mut sealed = String::new();
        for part in cookies.split_inclusive(['[', ']']) {
            match part.strip_suffix(']') {
                Some(token) => {
                    let numbers: Vec<_> = token.split('/').map(|it| it.parse().ok()).collect();
                    let token = StickinessToken {
                        pool: PoolId(numbers[0].unwrap()),
                        endpoint: numbers[1],
                        expires_at_seconds: numbers[2].unwrap(),
                    };
                    let value = seal.seal(&token, purpose);
                    sealed += str::from_utf8(&value).unwrap();
                }
                None => sealed += part.trim_end_matches('['),
            }
        }
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {sealed}\r\n\r\n");
        let mut storage = FieldStorage::new();
        let fields = request::parse(head.as_bytes(), &mut storage)
            .unwrap()
            .fields;
        let opener = Opener {
            seal: &seal,
            now_seconds: NOW,
        };
        say(opener, fields)
    }

    #[test]
    fn a_cookie_names_a_target_or_says_why_it_does_not() {
        let hour = Duration::from_secs(3600);
        let by_us = pool(1, Stickiness::LoadBalancerCookie { duration: hour });
        for (cookies, expected) in [
            ("a=1", None),
            ("AWSALB=[1/7/1001]", Some(("AWSALB", Ok(7)))),
            (
                "AWSALB=[1/7/1001]; AWSALBCORS=[1/8/1001]",
                Some(("AWSALBCORS", Ok(8))),
            ),
            (
                "AWSALB=[1/7/1000]",
                Some(("AWSALB", Err(Unusable::Expired))),
            ),
            (
                "AWSALB=[2/7/1001]",
                Some(("AWSALB", Err(Unusable::OtherPool))),
            ),
            (
                "AWSALB=[1//1001]",
                Some(("AWSALB", Err(Unusable::OtherPool))),
            ),
            ("AWSALB=forged", Some(("AWSALB", Err(Unusable::Foreign)))),
        ] {
            let sent = said(cookies, Purpose::Endpoint, |opener, fields| {
                opener.endpoint_cookie(&by_us, fields).sent
            });
            assert_eq!(sent.map(|it| (it.name, it.named)), expected, "{cookies}");
        }
        let name = "session".into();
        let application = Stickiness::ApplicationCookie {
            name,
            duration: hour,
        };
        let of_application = pool(1, application);
        for (cookies, expected) in [
            ("session=1", (None, true)),
            ("session=1; AWSALBAPP-0=[1/7/1001]", (Some(Ok(7)), true)),
            (
                "AWSALBAPP-0=[1/7/1001]",
                (Some(Err(Unusable::WithoutApplicationCookie)), false),
            ),
            ("session=1; AWSALBAPP-0=_remove_", (None, true)),
            ("session=1; AWSALB=[1/7/1001]", (None, true)),
        ] {
            let cookie = said(cookies, Purpose::Application, |opener, fields| {
                opener.endpoint_cookie(&of_application, fields)
            });
            let sent = cookie.sent.map(|it| it.named);
            assert_eq!((sent, cookie.has_application_cookie), expected, "{cookies}");
        }
        let other_purpose = said(
            "AWSALB=[1/7/1001]",
            Purpose::Application,
            |opener, fields| opener.endpoint_cookie(&by_us, fields).sent,
        );
        let foreign = Some(Err(Unusable::Foreign));
        assert_eq!(other_purpose.map(|it| it.named), foreign);
    }
}

//! Keeps clients with the pool and the target of their first request, by cookies.
//!
//! Source: ALB guide, "Sticky sessions for your Application Load Balancer".

use std::sync::Arc;
use std::time::Duration;

use engine::{Endpoint, Forward, Pool, PoolId, Stickiness, StickinessToken};

use crate::buffer::Buffer;
use crate::cookie;
use crate::cookie_seal::{Purpose, Sealed};
use crate::counters::Counters;
use crate::exchange::Exchange;
use crate::head_sink::HeadSink;
use crate::http1::Fields;
use crate::stickiness_cookie::{APPLICATION, ENDPOINT, Names, Opener, POOL, REMOVED};
use crate::worker::Worker;

/// How long clients are told to keep cookies. What a cookie says can end before.
pub(crate) const COOKIE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where a client is to stay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stay {
    /// With which pool, and how long; `None`: every request may go to another.
    pool: Option<(PoolId, Duration)>,
    /// The target (`Endpoint::key`) that its cookies name.
    pub(crate) endpoint: Option<u64>,
    /// Whether the client has sent the cookie of the application that its session depends on.
    has_application_cookie: bool,
    /// Whether the browser keeps cookies from pages of other sites only if they say so.
    wants_same_site: bool,
    is_tls: bool,
}

/// The pool that the cookies of a request name, if the action keeps clients with pools.
pub(crate) fn pool_of<'f>(
    worker: &Worker,
    forward: &'f Forward,
    fields: Fields<'_, '_>,
) -> Option<&'f Arc<Pool>> {
    let cookie = opener(worker).pool_cookie(forward, fields)?;
    cookie.named.ok()
}

impl Stay {
    /// Where a client stays whose request goes to this pool. `is_tls`: it speaks TLS.
    pub(crate) fn of(
        worker: &Worker,
        forward: &Forward,
        pool: &Pool,
        fields: Fields<'_, '_>,
        is_tls: bool,
    ) -> Self {
        let cookie = opener(worker).endpoint_cookie(pool, fields);
        let is_application = matches!(
            pool.settings.stickiness,
            Stickiness::ApplicationCookie { .. }
        );
        Self {
            pool: forward.stickiness.map(|duration| (pool.id, duration)),
            endpoint: cookie.sent.and_then(|sent| sent.named.ok()),
            has_application_cookie: cookie.has_application_cookie,
            wants_same_site: is_application && is_chromium_80(fields),
            is_tls,
        }
    }

    /// The values of `Set-Cookie` that keep the client with its pool, for an answer that is made here.
    ///
    /// Those about a target stand in the responses of targets alone: another than the last may be the next.
    pub(crate) fn pool_cookies(self, worker: &Worker) -> Vec<String> {
        let Some((pool, duration)) = self.pool else {
            return Vec::new();
        };
        let value = seal(worker, pool, Purpose::Pool, None, duration);
        let cookies = [(POOL.plain, false), (POOL.cross_site, true)];
        let written = cookies.map(|(name, same_site)| {
            let mut out = Buffer::default();
            self.put_cookie(&mut out, worker, name, &value, same_site);
            String::from_utf8(out.filled().to_vec()).expect("names, base64 and dates are ASCII")
        });
        written.into()
    }

    /// Appends the value of a `Set-Cookie`.
    fn put_cookie(
        self,
        out: &mut Buffer,
        worker: &Worker,
        name: &str,
        value: &[u8],
        same_site: bool,
    ) {
        out.put(name.as_bytes());
        out.put(b"=");
        out.put(value);
        out.put(b"; Expires=");
        out.put(worker.cookie_expiry().as_bytes());
        out.put(b"; Path=/");
        if same_site {
            out.put(b"; SameSite=None");
            // A browser keeps no secure cookie of a site in clear text.
            if self.is_tls {
                out.put(b"; Secure");
            }
        }
    }

    /// Counts a target that was chosen although clients of the pool stay.
    pub(crate) fn count_choice(self, pool: &Pool, chosen: &Endpoint, counters: &Counters) {
        if self.endpoint == Some(chosen.key) {
            return;
        }
        match pool.settings.stickiness {
            Stickiness::Off => {}
            Stickiness::LoadBalancerCookie { .. } => counters.requests_not_sticky.increment(),
            Stickiness::ApplicationCookie { .. } => {
                counters.requests_not_sticky_to_application.increment();
            }
        }
    }
}

fn opener(worker: &Worker) -> Opener<'_> {
    Opener {
        seal: &worker.cookie_seal,
        now_seconds: worker.date().seconds(),
    }
}

fn seal(
    worker: &Worker,
    pool: PoolId,
    purpose: Purpose,
    endpoint: Option<u64>,
    duration: Duration,
) -> Sealed {
    let token = StickinessToken {
        pool,
        endpoint,
        expires_at_seconds: worker.date().seconds().saturating_add(duration.as_secs()),
    };
    worker.cookie_seal.seal(&token, purpose)
}

/// Whether the client is a Chromium from version 80 on, which keeps cookies from pages of other sites only if
/// they say `SameSite=None`.
fn is_chromium_80(fields: Fields<'_, '_>) -> bool {
    let mut fields = fields.iter();
    let agent = fields.find(|(_, name, _)| name.eq_ignore_ascii_case("user-agent"));
    let Some((_, _, agent)) = agent else {
        return false;
    };
    [&b"Chrome/"[..], b"Chromium/"].into_iter().any(|product| {
        memchr::memmem::find(agent, product).is_some_and(|at| {
            let version = &agent[at + product.len()..];
            let digits = version.iter().take_while(|b| b.is_ascii_digit());
            digits.fold(0_u32, |number, digit| {
                number
                    .saturating_mul(10)
                    .saturating_add(u32::from(digit - b'0'))
            }) >= 80
        })
    })
}

/// The cookies that the responses of one target set.
pub(crate) struct StayCookies<'a> {
    pub(crate) worker: &'a Worker,
    pool: &'a Pool,
    endpoint: &'a Endpoint,
    stay: Stay,
    /// Values of `Set-Cookie` for the session of a login.
    session: &'a [String],
}

impl<'a> StayCookies<'a> {
    /// Those of the responses of `endpoint` to the request of `exchange`.
    pub(crate) fn of(
        worker: &'a Worker,
        exchange: &'a Exchange,
        pool: &'a Pool,
        endpoint: &'a Endpoint,
    ) -> Self {
        Self {
            worker,
            pool,
            endpoint,
            stay: exchange.stay,
            session: &exchange.set_cookies,
        }
    }

    /// Writes them behind the fields of the target's response.
    pub(crate) fn write(&self, sink: &mut impl HeadSink, response: Fields<'_, '_>) {
        for value in self.session {
            sink.field("Set-Cookie", value.as_bytes());
        }
        if let Some((pool, duration)) = self.stay.pool {
            let value = seal(self.worker, pool, Purpose::Pool, None, duration);
            self.write_both(sink, &POOL, &value);
        }
        let sealed = |purpose, duration| {
            let key = Some(self.endpoint.key);
            seal(self.worker, self.pool.id, purpose, key, duration)
        };
        match &self.pool.settings.stickiness {
            Stickiness::Off => {}
            Stickiness::LoadBalancerCookie { duration } => {
                self.write_both(sink, &ENDPOINT, &sealed(Purpose::Endpoint, *duration));
            }
            // The session is with the target that has answered, whether the client came with it or has moved. There
            // is none while the client has no cookie of the application, or no longer has.
            Stickiness::ApplicationCookie { name, duration } => {
                let same_site = self.stay.wants_same_site && self.stay.is_tls;
                let [first, rest @ ..] = APPLICATION;
                if self.stay.has_application_cookie || cookie::is_set(response, name) {
                    let value = sealed(Purpose::Application, *duration);
                    self.write_cookie(sink, first, &value, same_site);
                } else {
                    self.write_cookie(sink, first, REMOVED, same_site);
                }
                for name in rest {
                    self.write_cookie(sink, name, REMOVED, same_site);
                }
            }
        }
    }

    fn write_both(&self, sink: &mut impl HeadSink, names: &Names, value: &[u8]) {
        self.write_cookie(sink, names.plain, value, false);
        self.write_cookie(sink, names.cross_site, value, true);
    }

    fn write_cookie(&self, sink: &mut impl HeadSink, name: &str, value: &[u8], same_site: bool) {
        sink.field_of("Set-Cookie", |out| {
            self.stay
                .put_cookie(out, self.worker, name, value, same_site);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    use engine::{EndpointState, PoolSettings, Reach};
    use model::health_check::HealthCheck;

    use super::*;
    use crate::head_sink::Http1Head;
    use crate::http1::FieldStorage;
    use crate::http1::{request, response};
    use crate::plane::Config;
    use crate::worker::ClearText;

    #[test]
    fn the_user_agent_tells_a_chromium_from_80_on() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
                true,
            ),
            ("Mozilla/5.0 Chrome/80.0", true),
            ("Mozilla/5.0 Chrome/79.0", false),
            ("Mozilla/5.0 Firefox/120.0", false),
            ("Chromium/99", true),
            ("Chrome/", false),
            ("Chrome/99999999999999999999", true),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n");
            let mut storage = FieldStorage::new();
            let fields = request::parse(head.as_bytes(), &mut storage)
                .unwrap()
                .fields;
            assert_eq!(is_chromium_80(fields), expected, "{agent}");
        }
    }

    #[test]
    fn cookies_for_other_sites_are_secure_where_there_is_tls() {
        let worker = Worker::new(Arc::default(), 1, &Config::for_tests(), ClearText::Http1);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let endpoint = Endpoint {
            address,
            check_address: address,
            reach: Reach::FULL,
            zone: None,
            key: 7,
            state: Arc::new(EndpointState::new(1)),
        };
        let hour = Duration::from_secs(3600);
        let name = "session".into();
        let application = Stickiness::ApplicationCookie {
            name,
            duration: hour,
        };
        let by_us = Stickiness::LoadBalancerCookie { duration: hour };
        for (stickiness, is_tls, wants_same_site, cookie, expected) in [
            (&by_us, true, false, "AWSALB", "Path=/"),
            (
                &by_us,
                true,
                false,
                "AWSALBCORS",
                "Path=/; SameSite=None; Secure",
            ),
            (&by_us, false, false, "AWSALBCORS", "Path=/; SameSite=None"),
            (
                &application,
                true,
                true,
                "AWSALBAPP-0",
                "Path=/; SameSite=None; Secure",
            ),
            (&application, true, false, "AWSALBAPP-0", "Path=/"),
            (&application, false, true, "AWSALBAPP-0", "Path=/"),
        ] {
            let settings = PoolSettings {
                stickiness: stickiness.clone(),
                ..PoolSettings::new(HealthCheck::default())
            };
            let cookies = StayCookies {
                worker: &worker,
                pool: &Pool::new(PoolId(1), settings, Vec::new(), None),
                endpoint: &endpoint,
                stay: Stay {
                    wants_same_site,
                    is_tls,
                    ..Stay::default()
                },
                session: &[],
            };
            let mut storage = FieldStorage::new();
            let response = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\n\r\n";
            let fields = response::parse(response, false, &mut storage)
                .unwrap()
                .fields;
            let mut out = Buffer::default();
            cookies.write(&mut Http1Head(&mut out), fields);
            let text = String::from_utf8(out.filled().to_vec()).unwrap();
            let start = format!("Set-Cookie: {cookie}=");
            let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
            let (_, attributes) = line.split_once(" GMT; ").unwrap();
            assert_eq!(attributes, expected, "{cookie} {is_tls} {wants_same_site}");
        }
    }
}

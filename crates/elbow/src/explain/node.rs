//! Which listener, and which node of it, a question is about; or that a client finds nothing there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use control::State;
use engine::{Frontend, FrontendId, Snapshot};
use model::id::{ListenerId, LoadBalancerId};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;

use super::url::Url;
use super::{Question, QuestionError, family};

/// What the client comes to.
pub(super) enum Place<'s> {
    Node(Node<'s>),
    Nothing(Nothing),
}

/// There is a load balancer, and nothing of it to connect to.
pub(super) struct Nothing {
    pub(super) load_balancer: LoadBalancerId,
    pub(super) listener: Option<String>,
    /// What the client would connect to.
    pub(super) address: String,
    /// Why nothing is there.
    pub(super) reason: String,
}

/// Where the client connects to.
pub(super) struct Node<'s> {
    pub(super) frontend: &'s Frontend,
    pub(super) listener: Arc<Listener>,
    pub(super) address: SocketAddr,
    pub(super) zone: Arc<str>,
}

/// The two ends of the connection, as far as the question says.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    /// The client's address.
    pub(super) from: IpAddr,
    /// The load balancer's address; `None`: the client asks DNS for one.
    to: Option<IpAddr>,
}

impl Ends {
    /// # Errors
    /// `QuestionError::Family`.
    pub(super) fn of(question: &Question, url: &Url<'_>) -> Result<Self, QuestionError> {
        // With a listener the host of the URL may be anything, also an address of something in front of elbow.
        let host = match &question.listener {
            Some(_) => None,
            None => url.host.parse().ok(),
        };
        let to = question.address.or(host).map(|it| it.to_canonical());
        let from = match (question.from.map(|it| it.to_canonical()), to) {
            (Some(from), Some(to)) if from.is_ipv4() != to.is_ipv4() => {
                return Err(QuestionError::Family { from, to });
            }
            (Some(from), _) => from,
            (None, Some(IpAddr::V6(_))) => Ipv6Addr::LOCALHOST.into(),
            (None, _) => Ipv4Addr::LOCALHOST.into(),
        };
        Ok(Self { from, to })
    }
}

impl<'s> Place<'s> {
    /// # Errors
    /// `QuestionError` if it is about nothing that there is.
    pub(super) fn find(
        snapshot: &'s Snapshot,
        state: &State,
        question: &Question,
        url: &Url<'_>,
        ends: Ends,
    ) -> Result<Self, QuestionError> {
        let wanted = ends.to;
        let frontend = match &question.listener {
            Some(arn) => listener_named(snapshot, state, arn)?,
            None => {
                let balancer = balancer_at(state, wanted, url)?;
                match listener_of(snapshot, balancer, wanted, url) {
                    Ok(frontend) => frontend,
                    Err(nothing) => return Ok(Self::Nothing(nothing)),
                }
            }
        };
        let listener = state.elb.listeners.get(&ListenerId(frontend.id.0));
        let unknown = || QuestionError::NoListener(url.authority.to_owned());
        let listener = Arc::clone(listener.ok_or_else(unknown)?);
        let out = snapshot.zones_out_of_dns(&frontend.dns_name);
        // A client that has asked DNS comes to an address of its family, in a zone that is in the answer.
        let is_wanted = |(address, zone): &(&SocketAddr, &Arc<str>)| match wanted {
            Some(ip) => address.ip() == ip,
            None => !out.contains(zone) && address.is_ipv4() == ends.from.is_ipv4(),
        };
        let mut nodes = frontend.addresses.iter().zip(&frontend.zones);
        match (nodes.find(is_wanted), wanted) {
            (Some((address, zone)), _) => Ok(Self::Node(Node {
                frontend,
                address: *address,
                zone: Arc::clone(zone),
                listener,
            })),
            (None, Some(ip)) => Err(QuestionError::NoAddress {
                listener: listener.arn.to_string(),
                wanted: ip,
            }),
            (None, None) => Ok(Self::Nothing(Nothing {
                load_balancer: listener.arn.load_balancer.id,
                listener: Some(listener.arn.to_string()),
                address: frontend.dns_name.to_string(),
                reason: format!(
                    "the load balancer has no address of {}, which the client has; --from says another client",
                    family(ends.from)
                ),
            })),
        }
    }
}

fn listener_named<'s>(
    snapshot: &'s Snapshot,
    state: &State,
    arn: &str,
) -> Result<&'s Frontend, QuestionError> {
    let mut listeners = state.elb.listeners.values();
    let named = listeners.find(|it| it.arn.to_string() == *arn);
    let frontend = named.and_then(|it| snapshot.frontend(FrontendId(it.arn.id.0)));
    let frontend = frontend.ok_or_else(|| QuestionError::NoListener(arn.to_owned()))?;
    Ok(frontend)
}

/// The load balancer that has this address, or the URL's host as its name.
fn balancer_at<'a>(
    state: &'a State,
    wanted: Option<IpAddr>,
    url: &Url<'_>,
) -> Result<&'a LoadBalancer, QuestionError> {
    let mut balancers = state.elb.load_balancers.values();
    let found = balancers.find(|balancer| match wanted {
        Some(ip) => balancer
            .zones
            .iter()
            .any(|it| it.addresses().any(|own| own == ip)),
        None => balancer.dns_name.eq_ignore_ascii_case(url.host),
    });
    let balancer = found.ok_or_else(|| QuestionError::NoLoadBalancer {
        host: wanted.map_or(url.host.to_owned(), |ip| ip.to_string()),
    })?;
    Ok(balancer)
}

/// The listener on the URL's port.
fn listener_of<'s>(
    snapshot: &'s Snapshot,
    balancer: &LoadBalancer,
    wanted: Option<IpAddr>,
    url: &Url<'_>,
) -> Result<&'s Frontend, Nothing> {
    let is_its = |it: &&Arc<Frontend>| *it.dns_name == *balancer.dns_name;
    let own: Vec<_> = snapshot.frontends.iter().filter(is_its).collect();
    let on_port = own.iter().find(|frontend| frontend.port() == url.port);
    Ok(on_port.ok_or_else(|| nothing_on_port(&own, balancer, wanted, url))?)
}

fn nothing_on_port(
    own: &[&Arc<Frontend>],
    balancer: &LoadBalancer,
    wanted: Option<IpAddr>,
    url: &Url<'_>,
) -> Nothing {
    let ports: Vec<_> = own
        .iter()
        .map(|frontend| frontend.port().to_string())
        .collect();
    let listeners = match ports.len() {
        0 => "has no listeners".to_owned(),
        _ => format!("has listeners on {}", ports.join(", ")),
    };
    Nothing {
        load_balancer: balancer.arn.id,
        listener: None,
        address: match wanted {
            Some(ip) => SocketAddr::new(ip, url.port).to_string(),
            None => format!("{}:{}", url.host, url.port),
        },
        reason: format!(
            "no listener is on port {}; the load balancer {listeners}",
            url.port
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_the_family_of_the_address_it_connects_to() {
        let ends = |url: &str, from: Option<&str>, address: Option<&str>, is_named: bool| {
            let question = Question {
                method: "GET".to_owned(),
                url: url.to_owned(),
                headers: Vec::new(),
                from: from.map(|it| it.parse().unwrap()),
                listener: is_named.then(|| "arn".to_owned()),
                address: address.map(|it| it.parse().unwrap()),
                client_certificate: None,
                is_http2: false,
            };
            let ends = Ends::of(&question, &Url::parse(url).unwrap()).ok()?;
            Some((ends.from.to_string(), ends.to.map(|to| to.to_string())))
        };
        for (url, from, address, is_named, expected) in [
            ("http://a/", None, None, false, Some(("127.0.0.1", None))),
            ("http://a/", Some("::2"), None, false, Some(("::2", None))),
            (
                "http://[fd00::1]/",
                None,
                None,
                false,
                Some(("::1", Some("fd00::1"))),
            ),
            (
                "http://[fd00::1]/",
                None,
                None,
                true,
                Some(("127.0.0.1", None)),
            ),
            (
                "http://a/",
                None,
                Some("fd00::1"),
                true,
                Some(("::1", Some("fd00::1"))),
            ),
            ("http://10.0.0.1/", Some("::1"), None, false, None),
            ("http://[fd00::1]/", Some("10.0.0.1"), None, false, None),
            (
                "http://10.0.0.1/",
                Some("::ffff:10.0.0.2"),
                None,
                false,
                Some(("10.0.0.2", Some("10.0.0.1"))),
            ),
            (
                "http://[::ffff:10.0.0.1]/",
                None,
                None,
                false,
                Some(("127.0.0.1", Some("10.0.0.1"))),
            ),
        ] {
            let expected = expected.map(|(from, to)| (from.to_owned(), to.map(str::to_owned)));
            assert_eq!(
                ends(url, from, address, is_named),
                expected,
                "{url} {from:?} {address:?}"
            );
        }
    }
}

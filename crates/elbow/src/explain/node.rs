//! Which listener, and which node of it, a question is about; or that a client finds nothing there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use control::State;
use engine::{Frontend, FrontendId, Snapshot};
use model::id::{ListenerId, LoadBalancerId};
use model::listener::Listener;
use model::load_balancer::LoadBalancer;

use super::url::Url;
use super::{Question, QuestionError};

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

impl<'s> Place<'s> {
    /// # Errors
    /// `QuestionError` if it is about nothing that there is.
    pub(super) fn find(
        snapshot: &'s Snapshot,
        state: &State,
        question: &Question,
        url: &Url<'_>,
    ) -> Result<Self, QuestionError> {
        let (frontend, wanted) = match &question.listener {
            // The host of the URL may be anything then, also an address of something in front of elbow.
            Some(arn) => (listener_named(snapshot, state, arn)?, question.address),
            None => {
                let wanted = question.address.or_else(|| url.host.parse().ok());
                let balancer = balancer_at(state, wanted, url)?;
                match listener_of(snapshot, balancer, wanted, url) {
                    Ok(frontend) => (frontend, wanted),
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
            None => !out.contains(zone) && address.is_ipv4() == question.from.is_ipv4(),
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
                    if question.from.is_ipv4() {
                        "IPv4"
                    } else {
                        "IPv6"
                    }
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

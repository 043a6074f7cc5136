//! Which listener, and which node of it, a question is about.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use control::State;
use engine::{Frontend, FrontendId, Snapshot};
use model::id::ListenerId;
use model::listener::Listener;

use super::url::Url;
use super::{Question, QuestionError};

/// Where the client connects to.
pub(super) struct Node<'s> {
    pub(super) frontend: &'s Frontend,
    pub(super) listener: Arc<Listener>,
    pub(super) address: SocketAddr,
    pub(super) zone: Arc<str>,
}

impl<'s> Node<'s> {
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
                (listener_at(snapshot, state, wanted, url)?, wanted)
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
        let node = nodes.find(is_wanted);
        let (address, zone) = node.ok_or_else(|| QuestionError::NoAddress {
            listener: listener.arn.to_string(),
            wanted: match (wanted, question.from) {
                (Some(ip), _) => ip.to_string(),
                (None, IpAddr::V4(_)) => "IPv4".to_owned(),
                (None, IpAddr::V6(_)) => "IPv6".to_owned(),
            },
        })?;
        Ok(Self {
            frontend,
            address: *address,
            zone: Arc::clone(zone),
            listener,
        })
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

/// The listener on the URL's port of the load balancer that has this address, or the URL's host as its name.
fn listener_at<'s>(
    snapshot: &'s Snapshot,
    state: &State,
    wanted: Option<IpAddr>,
    url: &Url<'_>,
) -> Result<&'s Frontend, QuestionError> {
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
    let is_its = |it: &&Arc<Frontend>| *it.dns_name == *balancer.dns_name;
    let own: Vec<_> = snapshot.frontends.iter().filter(is_its).collect();
    let on_port = own.iter().find(|frontend| frontend.port() == url.port);
    Ok(on_port.ok_or_else(|| no_port(&own, url, wanted))?)
}

fn no_port(own: &[&Arc<Frontend>], url: &Url<'_>, wanted: Option<IpAddr>) -> QuestionError {
    let ports: Vec<_> = own
        .iter()
        .map(|frontend| frontend.port().to_string())
        .collect();
    QuestionError::NoPort {
        address: wanted.map_or(url.host.to_owned(), |ip| ip.to_string()),
        port: url.port,
        listeners: match ports.len() {
            0 => "The load balancer has no listeners".to_owned(),
            _ => format!("The load balancer has listeners on {}", ports.join(", ")),
        },
    }
}

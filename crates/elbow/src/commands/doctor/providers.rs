//! Findings about identity providers: whether this machine, which elbow runs on, reaches those that rules ask.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use model::authentication::{Schemes, parse_url};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;

use super::super::inventory::Inventory;
use super::super::inventory::rules::{Action, Rule};
use super::finding::Finding;

/// How long a name, and then a connection, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(2);

/// Providers that are looked at; the others are taken to be well.
const PROVIDERS_MAX: usize = 64;

/// Where a provider answers: host, without brackets, and port.
type Place = (String, u16);

/// Why a provider cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// Its name has no address.
    Unknown,
    /// Its name could not be looked up, with the error: there may be no such name, or nobody who can be asked.
    Unresolved(String),
    /// Its name was not looked up in time.
    Unanswered,
    /// The connection was refused.
    Closed,
    /// There was no connection in time.
    Unreachable,
}

/// Looks whether the providers that rules ask can be reached; those that cannot, with the reason.
pub(crate) async fn look_at(inventory: &Inventory) -> BTreeMap<Place, Unreached> {
    let rules = rules(inventory).flat_map(|(_, rule)| places(rule));
    let all: BTreeSet<_> = rules.map(|(place, _)| place).collect();
    let mut looking = JoinSet::new();
    for place in all.into_iter().take(PROVIDERS_MAX) {
        looking.spawn(async move { (look(&place).await, place) });
    }
    let found = looking.join_all().await.into_iter();
    found
        .filter_map(|(unreached, place)| Some((place, unreached?)))
        .collect()
}

async fn look((host, port): &Place) -> Option<Unreached> {
    let lookup = tokio::time::timeout(STEP_TIMEOUT, lookup_host((&**host, *port))).await;
    let addresses = match judge(lookup) {
        Ok(addresses) => addresses,
        Err(unreached) => return Some(unreached),
    };
    let mut unreached = Unreached::Unknown;
    for address in addresses {
        let connect = tokio::time::timeout(STEP_TIMEOUT, TcpStream::connect(address));
        unreached = match connect.await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Unreached::Closed,
            Ok(Err(_)) | Err(_) => Unreached::Unreachable,
        };
    }
    Some(unreached)
}

/// The addresses that a lookup has found, or what is known of why it found none.
fn judge<A>(lookup: Result<io::Result<A>, Elapsed>) -> Result<A, Unreached> {
    match lookup {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(Unreached::Unresolved(error.to_string())),
        Err(_) => Err(Unreached::Unanswered),
    }
}

/// The rules that ask somebody who cannot be reached.
pub(crate) fn findings(
    inventory: &Inventory,
    unreached: &BTreeMap<Place, Unreached>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (subject, rule) in rules(inventory) {
        // The endpoints of a provider are mostly at one place.
        let places: BTreeMap<_, _> = places(rule).collect();
        for (place, (method, endpoint)) in places {
            let Some(why) = unreached.get(&place) else {
                continue;
            };
            let (host, port) = place;
            let why = match why {
                Unreached::Unknown => format!("{host} has no address"),
                Unreached::Unresolved(error) => format!("{host} could not be looked up ({error})"),
                Unreached::Unanswered => {
                    let seconds = STEP_TIMEOUT.as_secs();
                    format!("{host} could not be looked up within {seconds} s")
                }
                Unreached::Closed => format!("{host} refuses connections to port {port}"),
                Unreached::Unreachable => {
                    format!("there is no connection to port {port} of {host}")
                }
            };
            let wrong = match method {
                "jwt-validation" => format!(
                    "It asks {endpoint} for keys, and {why}: tokens get 500 once the keys it has are too old."
                ),
                _ => format!(
                    "It asks {endpoint} who its users are, and {why}: whoever comes anew gets 500."
                ),
            };
            found.push(Finding::error(
                format!("rule {} of {subject}", rule.priority),
                &rule.arn,
                wrong,
                format!("Start the provider, open the way to it, or correct the rule; then it answers: curl -v {endpoint}"),
            ));
        }
    }
    found
}

/// All rules, each with the words for its listener.
fn rules(inventory: &Inventory) -> impl Iterator<Item = (String, &Rule)> {
    let balancers = inventory.load_balancers.iter();
    balancers.flat_map(|balancer| {
        balancer.listeners.iter().flat_map(move |listener| {
            let subject = super::listeners::subject(balancer, listener);
            listener
                .rules
                .iter()
                .map(move |rule| (subject.clone(), rule))
        })
    })
}

/// The method and the endpoint of what a rule asks, by where it is.
fn places(rule: &Rule) -> impl Iterator<Item = (Place, (&str, &str))> {
    let asked = rule.actions.iter().filter_map(|action| match action {
        Action::Authenticate { method, endpoints } => Some((&**method, endpoints)),
        _ => None,
    });
    let asked = asked.flat_map(|(method, endpoints)| endpoints.iter().map(move |it| (method, it)));
    asked.filter_map(|(method, endpoint)| {
        let url = parse_url(endpoint, Schemes::HttpsAndHttp).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let place = (host, url.port_or_known_default()?);
        Some((place, (method, &**endpoint)))
    })
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::net::TcpListener;

    use super::super::super::inventory::{Listener, LoadBalancer};
    use super::*;

    const OIDC: &str = "authenticate-oidc";

    fn inventory(method: &str, endpoints: &[String]) -> Inventory {
        let rule = Rule {
            priority: "1".to_owned(),
            actions: vec![Action::Authenticate {
                method: method.to_owned(),
                endpoints: endpoints.to_vec(),
            }],
            ..Rule::default()
        };
        let listener = Listener {
            rules: vec![rule],
            ..Listener::default()
        };
        Inventory {
            load_balancers: vec![LoadBalancer {
                listeners: vec![listener],
                ..LoadBalancer::default()
            }],
            ..Inventory::default()
        }
    }

    async fn wrong(method: &str, endpoints: &[String]) -> Vec<String> {
        let inventory = inventory(method, endpoints);
        let unreached = look_at(&inventory).await;
        let found = findings(&inventory, &unreached).into_iter();
        found.map(|it| it.wrong).collect()
    }

    #[tokio::test]
    async fn a_provider_is_found_if_it_cannot_be_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endpoints = ["token", "user"].map(|path| format!("https://{address}/{path}"));
        assert!(wrong(OIDC, &endpoints).await.is_empty());

        drop(listener);
        let closed = format!(
            "It asks https://{address}/user who its users are, and 127.0.0.1 refuses connections to port {}: whoever \
             comes anew gets 500.",
            address.port()
        );
        assert_eq!(wrong(OIDC, &endpoints).await, [closed], "it is told once");

        // RFC 6761 section 6.4: no such name has an address.
        let unknown = ["https://idp.invalid/keys".to_owned()];
        let found = wrong("jwt-validation", &unknown).await;
        let [found] = &found[..] else {
            panic!("one rule asks it")
        };
        // Whom the system can ask decides what it says of that.
        let beginning =
            "It asks https://idp.invalid/keys for keys, and idp.invalid could not be looked up ";
        assert!(found.starts_with(beginning), "{found}");
        let end = ": tokens get 500 once the keys it has are too old.";
        assert!(found.ends_with(end), "{found}");
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_from_one_that_was_not_looked_up() {
        let endpoint = "https://idp.example.com/user";
        let place = ("idp.example.com".to_owned(), 443);
        let inventory = inventory(OIDC, &[endpoint.to_owned()]);
        let too_late = tokio::time::timeout(Duration::ZERO, pending()).await;
        let failed = io::Error::other("Temporary failure in name resolution");
        for (unreached, expected) in [
            (Unreached::Unknown, "has no address"),
            (
                judge::<()>(Ok(Err(failed))).unwrap_err(),
                "could not be looked up (Temporary failure in name resolution)",
            ),
            (
                judge::<()>(too_late).unwrap_err(),
                "could not be looked up within 2 s",
            ),
        ] {
            let unreached = BTreeMap::from([(place.clone(), unreached)]);
            let [finding] = &findings(&inventory, &unreached)[..] else {
                panic!("one rule asks it")
            };
            let expected = format!(
                "It asks {endpoint} who its users are, and idp.example.com {expected}: whoever comes anew gets 500."
            );
            assert_eq!(finding.wrong, expected);
        }
    }
}

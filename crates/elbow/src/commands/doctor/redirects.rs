//! Findings about redirects that lead nowhere, and about those that lead to themselves.

use super::super::inventory::rules::{Action, Condition, Rule};
use super::super::inventory::{Listener, LoadBalancer};
use super::finding::Finding;
use super::names::{fits, overlap};
use super::rules::{matches_all_of, modify};

/// Everything that is wrong with the redirects of a listener; `subject` is the listener, `names` are those in its
/// certificates.
pub(super) fn findings(
    subject: &str,
    balancer: &LoadBalancer,
    listener: &Listener,
    names: &[&str],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, rule) in listener.rules.iter().enumerate() {
        let location = rule.actions.iter().find_map(|action| match action {
            Action::Redirect { location, .. } => Some(location),
            _ => None,
        });
        let Some((location, to)) =
            location.and_then(|it| Some((it, Destination::of(it, listener)?)))
        else {
            continue;
        };
        let subject = format!("rule {} of {subject}", rule.priority);
        let modify = modify(listener, rule);
        found.extend(match obstacle(balancer, &to) {
            Some(Obstacle::NoListener) => Some(Finding::warning(
                subject,
                &rule.arn,
                format!(
                    "It redirects to {location}, and the load balancer has no listener on port {}: who follows gets no \
                     answer, unless something in front of elbow takes that port.",
                    to.port
                ),
                format!(
                    "Make the listener: aws elbv2 create-listener --load-balancer-arn {} --protocol {} --port {} \
                     --default-actions ACTIONS; or redirect to another port: {modify} ACTIONS",
                    balancer.arn, to.protocol, to.port
                ),
            )),
            Some(Obstacle::Speaks(protocol)) => Some(Finding::error(
                subject,
                &rule.arn,
                format!(
                    "It redirects to {location}, and the listener on port {} speaks {protocol}: who follows gets an error.",
                    to.port
                ),
                format!("Redirect to a port whose listener speaks {}: {modify} ACTIONS", to.protocol),
            )),
            None if is_endless(balancer, listener, place, &to, names) => Some(Finding::error(
                subject,
                &rule.arn,
                format!("It redirects to {location}, which it redirects again: who follows never gets an answer."),
                format!("Put a rule for what it leads to before it, or redirect to something else: {modify} ACTIONS"),
            )),
            None => None,
        });
    }
    found
}

/// Where a redirect leads to.
#[derive(Debug)]
struct Destination {
    /// `HTTP` or `HTTPS`.
    protocol: String,
    port: u16,
    /// A pattern; `None`: the request's.
    host: Option<String>,
    /// A pattern; `None`: the request's.
    path: Option<String>,
    keeps_query: bool,
}

impl Destination {
    /// `None`: the location is not understood.
    fn of(location: &str, listener: &Listener) -> Option<Self> {
        let (protocol, rest) = location.split_once("://")?;
        let (authority, path_and_query) = rest.split_at(rest.find('/')?);
        let (host, port) = authority.rsplit_once(':')?;
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        // What a placeholder stands for may be anything.
        let pattern = |text: &str| {
            text.replace("#{port}", &listener.port.to_string())
                .replace("#{host}", "*")
                .replace("#{path}", "*")
        };
        Some(Self {
            protocol: match protocol {
                "#{protocol}" => listener.protocol.clone(),
                given => given.to_ascii_uppercase(),
            },
            port: match port {
                "#{port}" => listener.port,
                given => given.parse().ok()?,
            },
            host: (host != "#{host}").then(|| pattern(host)),
            path: (path != "/#{path}").then(|| pattern(path)),
            keeps_query: query == "#{query}",
        })
    }
}

/// Why a redirect to the load balancer itself leads nowhere.
enum Obstacle<'a> {
    NoListener,
    /// The listener there speaks this protocol, and not that of the redirect.
    Speaks(&'a str),
}

/// `None`: it leads to a listener, or to somebody else.
fn obstacle<'a>(balancer: &'a LoadBalancer, to: &Destination) -> Option<Obstacle<'a>> {
    if !to.host.as_ref().is_none_or(|host| is_own(balancer, host)) {
        return None;
    }
    let mut listeners = balancer.listeners.iter();
    match listeners.find(|listener| listener.port == to.port) {
        None => Some(Obstacle::NoListener),
        Some(listener) if listener.protocol != to.protocol => {
            Some(Obstacle::Speaks(&listener.protocol))
        }
        Some(_) => None,
    }
}

fn is_own(balancer: &LoadBalancer, host: &str) -> bool {
    host.eq_ignore_ascii_case(&balancer.dns_name)
        || balancer.addresses.iter().any(|it| it.address == host)
}

/// Whether what follows the redirect of the rule at this place comes to the same rule again, as far as that is easy
/// to see.
fn is_endless(
    balancer: &LoadBalancer,
    listener: &Listener,
    place: usize,
    to: &Destination,
    names: &[&str],
) -> bool {
    let (earlier, rule) = (&listener.rules[..place], &listener.rules[place]);
    let leads_here = to.host.as_ref().is_none_or(|host| {
        let is_served = || {
            names.iter().any(|name| fits(name, host))
                || rule.conditions.iter().any(|it| it.field == "host-header")
        };
        // A host with a placeholder in it may be anybody's.
        is_own(balancer, host) || (!host.contains('*') && is_served())
    });
    (&*to.protocol, to.port) == (&*listener.protocol, listener.port)
        && leads_here
        && rule.conditions.iter().all(|it| is_met_again(it, to))
        && !earlier.iter().any(|earlier| may_match(earlier, to))
}

/// What a redirect makes of that which a condition looks at.
enum Change<'a> {
    /// Nothing.
    None,
    /// Something that has this pattern.
    To(&'a str),
    /// Nobody knows.
    Unknown,
}

fn change<'a>(condition: &Condition, to: &'a Destination) -> Change<'a> {
    let to_pattern =
        |pattern: &'a Option<String>| pattern.as_deref().map_or(Change::None, Change::To);
    match &*condition.field {
        "host-header" => to_pattern(&to.host),
        "path-pattern" => to_pattern(&to.path),
        "query-string" if !to.keeps_query => Change::Unknown,
        // RFC 9110 sections 15.4.2 and 15.4.3: what follows with GET may have been POST; all other methods stay.
        "http-request-method"
            if condition
                .values
                .iter()
                .any(|it| matches!(&**it, "GET" | "POST")) =>
        {
            Change::To("GET")
        }
        _ => Change::None,
    }
}

/// Whether a request that met the condition does so after the redirect for certain.
fn is_met_again(condition: &Condition, to: &Destination) -> bool {
    match change(condition, to) {
        Change::None => true,
        Change::To(pattern) => condition
            .values
            .iter()
            .any(|value| matches_all_of(&condition.field, value, pattern)),
        Change::Unknown => false,
    }
}

/// Whether a rule that has not matched a request may match it after the redirect: if what changes can make one of its
/// conditions come true, and no other one false.
fn may_match(rule: &Rule, to: &Destination) -> bool {
    let may_hold = |condition: &Condition| match change(condition, to) {
        Change::None => None,
        Change::To(pattern) => Some(
            condition
                .values
                .iter()
                .any(|value| value.starts_with("regex:") || overlap(pattern, value)),
        ),
        Change::Unknown => Some(true),
    };
    let mut changed = rule.conditions.iter().filter_map(may_hold).peekable();
    changed.peek().is_some() && changed.all(|holds| holds)
}

#[cfg(test)]
#[path = "redirects_tests.rs"]
mod tests;

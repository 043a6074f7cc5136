//! Finds listeners that forward what the world sends in clear text, and says how to lead it to HTTPS. Clients that are
//! redirected to where nobody listens are lost, so what has to listen there comes first.

use super::super::inventory::rules::{Action, Rule};
use super::super::inventory::{Listener, LoadBalancer};
use super::admission::{Family, authorize, open_families};
use super::finding::Finding;
use super::listeners::CURRENT_POLICY;
use super::rules::{is_hidden, modify};
use super::surroundings::Surroundings;

const HTTPS_PORT: u16 = 443;

/// What a certificate authority fetches in clear text (RFC 8555 section 8.3).
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// A listener to which everybody can connect, and which forwards in clear text; `subject` is the listener.
pub(super) fn finding(
    subject: &str,
    balancer: &LoadBalancer,
    listener: &Listener,
    surroundings: &Surroundings,
) -> Option<Finding> {
    let open: Vec<_> = open_families(balancer, listener.port, surroundings).collect();
    let rules: Vec<_> = forwarding(listener).collect();
    if listener.protocol != "HTTP" || open.is_empty() || rules.is_empty() {
        return None;
    }
    let priorities: Vec<_> = rules.iter().map(|rule| &*rule.priority).collect();
    Some(Finding::warning(
        subject.to_owned(),
        &listener.arn,
        format!(
            "It is open to the world, and rules of it forward in clear text: {}.",
            priorities.join(", ")
        ),
        remedy(balancer, listener, &rules, &open, surroundings),
    ))
}

/// The rules that forward what anybody sends.
fn forwarding(listener: &Listener) -> impl Iterator<Item = &Rule> {
    let rules = listener.rules.iter().enumerate();
    let rules = rules.filter(|(place, rule)| {
        let mut actions = rule.actions.iter();
        actions.any(|action| matches!(action, Action::Forward { .. }))
            && is_for_everybody(rule)
            && !is_for_challenges(rule)
            && !is_hidden(&listener.rules[..*place], rule)
    });
    rules.map(|(_, rule)| rule)
}

fn is_for_everybody(rule: &Rule) -> bool {
    let mut sources = rule.conditions.iter().filter(|it| it.field == "source-ip");
    sources.all(|it| it.values.iter().any(|block| block.ends_with("/0")))
}

fn is_for_challenges(rule: &Rule) -> bool {
    let is_challenge = |path: &String| path.starts_with(CHALLENGES);
    let mut conditions = rule.conditions.iter();
    conditions.any(|it| it.field == "path-pattern" && it.values.iter().all(is_challenge))
}

/// First a listener that clients can be sent to, then what sends them there.
fn remedy(
    balancer: &LoadBalancer,
    listener: &Listener,
    rules: &[&Rule],
    open: &[Family],
    surroundings: &Surroundings,
) -> String {
    let secure = balancer
        .listeners
        .iter()
        .filter(|it| it.protocol == "HTTPS");
    let (port, mut steps) = match secure.min_by_key(|it| (it.port != HTTPS_PORT, it.port)) {
        Some(secure) => {
            let has_rules = format!(
                "See that the listener HTTPS:{} has the same rules",
                secure.port
            );
            (secure.port, vec![has_rules])
        }
        None => (
            HTTPS_PORT,
            vec![CERTIFICATE.to_owned(), speak_https(balancer)],
        ),
    };
    let admitted: Vec<_> = open_families(balancer, port, surroundings).collect();
    let shut = open.iter().filter(|it| !admitted.contains(it));
    let ranges: Vec<_> = shut.map(|it| it.range(it.everybody())).collect();
    if !ranges.is_empty() {
        let command = authorize(balancer, port, &ranges);
        steps.push(format!("admit clients there: {command}"));
    }
    // A listener that takes to HTTPS itself has nothing to redirect.
    if listener.port != port {
        steps.extend(rules.iter().map(|rule| {
            format!(
                "redirect rule {}: {} 'Type=redirect,RedirectConfig={{Protocol=HTTPS,Port={port},StatusCode=HTTP_301}}'",
                rule.priority,
                modify(listener, rule)
            )
        }));
    }
    steps.join("; then ")
}

const CERTIFICATE: &str = "Get a certificate: aws acm request-certificate --domain-name NAME --validation-method DNS, \
     or aws acm import-certificate --certificate fileb://CERTIFICATE --private-key fileb://KEY";

/// The step that makes a load balancer without HTTPS speak it.
fn speak_https(balancer: &LoadBalancer) -> String {
    let mut listeners = balancer.listeners.iter();
    match listeners.find(|it| it.port == HTTPS_PORT) {
        Some(clear) => format!(
            "have the listener on port {HTTPS_PORT} speak HTTPS: aws elbv2 modify-listener --listener-arn {} \
             --protocol HTTPS --ssl-policy {CURRENT_POLICY} --certificates CertificateArn=ARN",
            clear.arn
        ),
        None => format!(
            "make a listener for HTTPS with the same rules: aws elbv2 create-listener --load-balancer-arn {} \
             --protocol HTTPS --port {HTTPS_PORT} --ssl-policy {CURRENT_POLICY} --certificates CertificateArn=ARN \
             --default-actions ACTIONS",
            balancer.arn
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::inventory::rules::Condition;
    use super::super::admission::tests::{admitting, balancer};
    use super::*;

    const TO_HTTPS: &str =
        "'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'";

    /// A listener on this port, each of whose rules is `PRIORITY FIELD VALUES -> ACTION`.
    fn listener(protocol: &str, port: u16, rules: &str) -> Listener {
        let rule = |text: &str| {
            let (head, action) = text.split_once(" -> ").expect("an action");
            let mut words = head.split_whitespace();
            let priority = words.next().expect("a priority").to_owned();
            let condition = words.next().map(|field| Condition {
                field: field.to_owned(),
                values: words.map(str::to_owned).collect(),
                ..Condition::default()
            });
            Rule {
                arn: format!("arn:rule/{priority}"),
                priority,
                conditions: Vec::from_iter(condition),
                actions: vec![match action {
                    "forward" => Action::Forward {
                        target_groups: Vec::new(),
                    },
                    "fixed" => Action::FixedResponse { status: 404 },
                    location => Action::Redirect {
                        status: 301,
                        location: location.to_owned(),
                    },
                }],
            }
        };
        Listener {
            arn: format!("arn:listener/{port}"),
            protocol: protocol.to_owned(),
            port,
            rules: rules.lines().map(str::trim).map(rule).collect(),
            ..Listener::default()
        }
    }

    /// What is found at the first of these listeners, which the world can reach on these ports.
    fn found(listeners: Vec<Listener>, ports: (u16, u16)) -> Option<Finding> {
        let mut balancer = balancer(&["10.0.0.10"]);
        balancer.listeners = listeners;
        let surroundings = admitting(&["0.0.0.0/0"], ports);
        finding("it", &balancer, &balancer.listeners[0], &surroundings)
    }

    #[test]
    fn each_rule_that_forwards_for_the_world_is_told() {
        for (rules, expected) in [
            ("default -> forward", Some("default")),
            ("default -> fixed", None),
            ("default -> https://#{host}:443/", None),
            (
                "10 path-pattern /a -> forward
                 20 path-pattern /b -> fixed
                 30 path-pattern /c -> forward
                 default -> https://#{host}:443/",
                Some("10, 30"),
            ),
            (
                "10 path-pattern /* -> https://#{host}:443/
                 20 path-pattern /a -> forward
                 default -> forward",
                None,
            ),
            (
                "10 path-pattern /.well-known/acme-challenge/* -> forward
                 default -> https://#{host}:443/",
                None,
            ),
            (
                "10 path-pattern /.well-known/acme-challenge/* /a -> forward
                 default -> https://#{host}:443/",
                Some("10"),
            ),
            (
                "10 source-ip 10.0.0.0/8 -> forward
                 20 source-ip 10.0.0.0/8 0.0.0.0/0 -> forward
                 default -> fixed",
                Some("20"),
            ),
        ] {
            let told = found(vec![listener("HTTP", 80, rules)], (80, 80));
            let expected = expected.map(|rules| {
                format!("It is open to the world, and rules of it forward in clear text: {rules}.")
            });
            assert_eq!(told.map(|it| it.wrong), expected, "{rules}");
        }
        let encrypted = listener("HTTPS", 443, "default -> forward");
        assert_eq!(found(vec![encrypted], (443, 443)), None);
        let shut = listener("HTTP", 80, "default -> forward");
        assert_eq!(found(vec![shut], (443, 443)), None);
    }

    #[test]
    fn clients_are_redirected_to_what_is_there() {
        let clear = || {
            listener(
                "HTTP",
                80,
                "10 path-pattern /a -> forward\ndefault -> forward",
            )
        };
        let redirects = |port: &str| {
            let action = TO_HTTPS.replace("443", port);
            format!(
                "redirect rule 10: aws elbv2 modify-rule --rule-arn arn:rule/10 --actions {action}; then redirect rule \
                 default: aws elbv2 modify-listener --listener-arn arn:listener/80 --default-actions {action}"
            )
        };
        let admit = "admit clients there: aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions \
                     'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0}]'";
        let make = "make a listener for HTTPS with the same rules: aws elbv2 create-listener --load-balancer-arn \
                    arn:lb --protocol HTTPS --port 443 --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06 --certificates CertificateArn=ARN --default-actions ACTIONS";
        let change = "have the listener on port 443 speak HTTPS: aws elbv2 modify-listener --listener-arn \
                      arn:listener/443 --protocol HTTPS --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06 --certificates CertificateArn=ARN";
        let see = |port: &str| format!("See that the listener HTTPS:{port} has the same rules");
        let https = |port| listener("HTTPS", port, "default -> forward");
        let clear_443 = || listener("HTTP", 443, "default -> forward");
        let all = (1, 65_535);
        for (listeners, ports, expected) in [
            (
                vec![clear()],
                (80, 80),
                vec![
                    CERTIFICATE.to_owned(),
                    make.to_owned(),
                    admit.to_owned(),
                    redirects("443"),
                ],
            ),
            (
                vec![clear()],
                all,
                vec![CERTIFICATE.to_owned(), make.to_owned(), redirects("443")],
            ),
            (
                vec![clear(), https(443), https(440)],
                all,
                vec![see("443"), redirects("443")],
            ),
            (
                vec![clear(), https(443)],
                (80, 80),
                vec![see("443"), admit.to_owned(), redirects("443")],
            ),
            (
                vec![clear(), https(8443)],
                all,
                vec![see("8443"), redirects("8443")],
            ),
            (
                vec![clear(), clear_443()],
                all,
                vec![CERTIFICATE.to_owned(), change.to_owned(), redirects("443")],
            ),
            (
                vec![clear_443()],
                all,
                vec![CERTIFICATE.to_owned(), change.to_owned()],
            ),
        ] {
            let told = found(listeners, ports).map(|it| it.remedy);
            assert_eq!(told, Some(expected.join("; then ")));
        }
    }
}

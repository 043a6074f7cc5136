//! `elbow hosts`: the names of the load balancers with their addresses, for /etc/hosts.
//!
//! The addresses are those that belong into the DNS answer: without those of a zone that traffic is shifted away
//! from or that is not well enough.

use super::CommandError;
use crate::cli::ClientArgs;
use crate::client::Client;
use crate::client::call::{Call, Service};
use crate::client::xml::Element;
use crate::metrics;

/// Prints a line for each address of each load balancer that belongs into the DNS answer.
///
/// # Errors
/// Elbow is not there, or refuses the calls.
pub(crate) async fn run(args: ClientArgs) -> Result<(), CommandError> {
    let client = super::client(args)?;
    let call = Call::new(Service::Elbv2, "DescribeLoadBalancers");
    let marker = ("Marker", "NextMarker");
    let metrics = client.self_report().await?.metrics;
    let zones_out = metrics::zones_out_of_dns(&metrics);
    for balancer in super::pages(&client, call, "LoadBalancers", marker).await? {
        let name = balancer.text_at("DNSName");
        for interface in interfaces(&client, &balancer).await? {
            let zone = interface.text_at("availabilityZone");
            if !zones_out.contains(&(name, zone)) {
                for address in addresses(&interface) {
                    super::print(&format!("{address} {name}\n"))?;
                }
            }
        }
    }
    Ok(())
}

/// The network interfaces of one load balancer.
async fn interfaces(client: &Client, balancer: &Element) -> Result<Vec<Element>, CommandError> {
    let call = describe_interfaces(balancer.text_at("LoadBalancerArn"));
    let token = ("NextToken", "nextToken");
    Ok(super::pages(client, call, "networkInterfaceSet", token).await?)
}

/// Those of both families.
fn addresses(interface: &Element) -> impl Iterator<Item = &str> {
    let ipv6 = interface.list("ipv6AddressesSet").iter();
    let ipv6 = ipv6.map(|item| item.text_at("ipv6Address"));
    std::iter::once(interface.text_at("privateIpAddress")).chain(ipv6)
}

/// Asks for the network interfaces that ELB holds for a load balancer; their addresses are its own.
///
/// Source: ALB guide, "View the IP addresses of your load balancer": the interfaces' descriptions are
/// `ELB` and what follows `loadbalancer/` in the ARN.
pub(crate) fn describe_interfaces(arn: &str) -> Call {
    let name = arn
        .split_once(":loadbalancer/")
        .map_or(arn, |(_, name)| name);
    Call::new(Service::Ec2, "DescribeNetworkInterfaces")
        .filter("description", &format!("ELB {name}"))
}

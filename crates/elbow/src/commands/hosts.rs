//! `elbow hosts`: the names of the load balancers with their addresses, for /etc/hosts.

use super::CommandError;
use crate::cli::ClientArgs;
use crate::client::Client;
use crate::client::call::{Call, Service};
use crate::client::xml::Element;

/// Prints a line for each address of each load balancer.
///
/// # Errors
/// Elbow is not there, or refuses the calls.
pub(crate) async fn run(args: ClientArgs) -> Result<(), CommandError> {
    let client = super::client(args)?;
    let call = Call::new(Service::Elbv2, "DescribeLoadBalancers");
    let marker = ("Marker", "NextMarker");
    for balancer in super::pages(&client, call, "LoadBalancers", marker).await? {
        for address in addresses(&client, &balancer).await? {
            println!("{address} {}", balancer.text_at("DNSName"));
        }
    }
    Ok(())
}

/// The addresses of one load balancer.
async fn addresses(client: &Client, balancer: &Element) -> Result<Vec<String>, CommandError> {
    let call = describe_interfaces(balancer.text_at("LoadBalancerArn"));
    let token = ("NextToken", "nextToken");
    let interfaces = super::pages(client, call, "networkInterfaceSet", token).await?;
    let address = |interface: &Element| interface.text_at("privateIpAddress").to_owned();
    Ok(interfaces.iter().map(address).collect())
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

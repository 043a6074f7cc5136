//! `elbow instance`: registers the machines that targets of type `instance` are made of.

use std::net::IpAddr;

use model::Cidr;

use super::CommandError;
use crate::cli::{ClientArgs, InstanceAddArgs, InstanceRemoveArgs};
use crate::client::Client;
use crate::client::call::{self, Call, Name, Service, Value, structure};
use crate::client::xml::Element;

const NEXT_TOKEN: (&str, &str) = ("NextToken", "nextToken");

/// Registers a machine and prints its instance id.
///
/// # Errors
/// The address is in no subnet or taken, or elbow is not there.
pub(crate) async fn add(args: InstanceAddArgs) -> Result<(), CommandError> {
    let client = super::client(args.client)?;
    let subnet = subnet_of(&client, args.address).await?;
    let answer = client
        .call(&run_instances(
            &subnet,
            args.address,
            args.name.as_deref(),
            &args.security_groups,
        ))
        .await?;
    let id = answer.text_at("instancesSet/item/instanceId");
    super::print(&format!("{id}\n"))
}

/// Prints id, address, zone, state and name of each instance.
///
/// # Errors
/// Elbow is not there, or refuses the call.
pub(crate) async fn list(args: ClientArgs) -> Result<(), CommandError> {
    let client = super::client(args)?;
    let call = Call::new(Service::Ec2, "DescribeInstances");
    for reservation in super::pages(&client, call, "reservationSet", NEXT_TOKEN).await? {
        for instance in reservation.list("instancesSet") {
            super::print(&format!("{}\n", describe(instance)))?;
        }
    }
    Ok(())
}

/// Terminates instances.
///
/// # Errors
/// One of them does not exist, or elbow is not there.
pub(crate) async fn remove(args: InstanceRemoveArgs) -> Result<(), CommandError> {
    let client = super::client(args.client)?;
    let ids = values(&args.ids);
    let call = Call::new(Service::Ec2, "TerminateInstances")
        .with(Name::renamed("InstanceIds", "InstanceId"), ids);
    client.call(&call).await?;
    Ok(())
}

/// The call that registers the machine at `address`.
pub(crate) fn run_instances(
    subnet: &str,
    address: IpAddr,
    name: Option<&str>,
    security_groups: &[String],
) -> Call {
    let mut call = Call::new(Service::Ec2, "RunInstances")
        .implied("MinCount", 1)
        .implied("MaxCount", 1)
        .with("SubnetId", subnet)
        .with("PrivateIpAddress", &address.to_string());
    if !security_groups.is_empty() {
        let groups = Name::renamed("SecurityGroupIds", "SecurityGroupId");
        call = call.with(groups, values(security_groups));
    }
    match name {
        Some(name) => call.with(
            Name::renamed("TagSpecifications", "TagSpecification"),
            call::list([name_tag(name)]),
        ),
        None => call,
    }
}

fn name_tag(name: &str) -> Value {
    let tag = structure([("Key", "Name".into()), ("Value", name.into())]);
    Value::Structure(vec![
        ("ResourceType".into(), "instance".into()),
        (Name::renamed("Tags", "Tag"), call::list([tag])),
    ])
}

/// The id of the subnet whose block holds `address`.
async fn subnet_of(client: &Client, address: IpAddr) -> Result<String, CommandError> {
    let call = Call::new(Service::Ec2, "DescribeSubnets");
    let subnets = super::pages(client, call, "subnetSet", NEXT_TOKEN).await?;
    let holds = |subnet: &&Element| {
        let block = subnet.text_at("cidrBlock").parse::<Cidr>();
        block.is_ok_and(|block| block.contains(address))
    };
    match subnets.iter().find(holds) {
        Some(subnet) => Ok(subnet.text_at("subnetId").to_owned()),
        None => {
            let blocks: Vec<_> = subnets
                .iter()
                .map(|subnet| subnet.text_at("cidrBlock"))
                .collect();
            Err(CommandError::NoSubnet {
                address,
                subnets: blocks.join(", "),
            })
        }
    }
}

fn describe(instance: &Element) -> String {
    let tags = instance.list("tagSet").iter();
    let mut names = tags.filter(|tag| tag.text_at("key") == "Name");
    let name = names.next().map_or("", |tag| tag.text_at("value"));
    let fields = [
        instance.text_at("instanceId"),
        instance.text_at("privateIpAddress"),
        instance.text_at("placement/availabilityZone"),
        instance.text_at("instanceState/name"),
        name,
    ];
    fields.join("\t").trim_end().to_owned()
}

fn values(texts: &[String]) -> Value {
    Value::List(texts.iter().map(Value::from).collect())
}

//! What the demo makes through the public API, call by call; the README shows the same calls.

use std::net::IpAddr;

use crate::client::call::{Call, Name, Service, Value, list, structure};
use crate::client::xml::Element;
use crate::client::{CallError, Client};
use crate::commands::hosts;
use crate::commands::instance::run_instances;

/// The port the demo's instances listen on.
pub(super) const INSTANCE_PORT: u16 = 8080;

/// The port a load balancer usually listens on, and the one for those who may not.
pub(super) const PORT: u16 = 80;
pub(super) const UNPRIVILEGED_PORT: u16 = 8080;

/// Makes calls and shows each of them with what came back.
pub(super) struct Setup<'a> {
    client: &'a Client,
}

/// The finished load balancer.
#[derive(Debug)]
pub(super) struct Balancer {
    pub(super) dns_name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) port: u16,
    /// The target group of the default action.
    pub(super) web: String,
}

/// An instance as the API knows it.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) id: String,
    pub(super) role: Role,
}

/// What an instance is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Everything the rules leave.
    Web,
    /// What is below `/api/`.
    Api,
}

impl<'a> Setup<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Shows and makes a call.
    async fn ask(&self, call: &Call) -> Result<Element, CallError> {
        println!("$ {call}");
        self.client.call(call).await
    }

    /// Shows and makes a call, then shows the texts at `paths` of the answer.
    async fn make(&self, call: Call, paths: &[&str]) -> Result<Element, CallError> {
        let answer = self.ask(&call).await?;
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(path);
            println!("  {name}: {}", answer.text_at(path));
        }
        println!();
        Ok(answer)
    }

    /// Shows and makes a call that answers with a list, then shows two members of each element: the one
    /// it is found by, and the one that is returned, in the order of the first.
    async fn list(
        &self,
        call: Call,
        list: &str,
        [by, wanted]: [&str; 2],
    ) -> Result<Vec<String>, CallError> {
        let answer = self.ask(&call).await?;
        let elements = answer.list(list).iter();
        let mut found: Vec<_> = elements
            .map(|it| (it.text_at(by), it.text_at(wanted)))
            .collect();
        found.sort_unstable();
        for (by, wanted) in &found {
            println!("  {by}: {wanted}");
        }
        println!();
        let wanted = found.into_iter().map(|(_, wanted)| wanted.to_owned());
        Ok(wanted.collect())
    }

    /// The ids of the zones' subnets, in the order of the zones.
    pub(super) async fn subnets(&self) -> Result<Vec<String>, CallError> {
        let call = Call::new(Service::Ec2, "DescribeSubnets");
        self.list(call, "subnetSet", ["availabilityZone", "subnetId"])
            .await
    }

    /// Registers the machine at `address`.
    pub(super) async fn instance(
        &self,
        name: &str,
        role: Role,
        address: IpAddr,
        subnet: &str,
    ) -> Result<Registered, CallError> {
        let id = "instancesSet/item/instanceId";
        let call = run_instances(subnet, address, Some(name), &[]);
        let answer = self.make(call, &[id]).await?;
        Ok(Registered {
            id: answer.text_at(id).to_owned(),
            role,
        })
    }

    /// Makes the load balancer with everything that belongs to it.
    pub(super) async fn balancer(
        &self,
        subnets: &[String],
        instances: &[Registered],
    ) -> Result<Balancer, CallError> {
        let vpc = "vpcSet/item/vpcId";
        let vpcs = self
            .make(Call::new(Service::Ec2, "DescribeVpcs"), &[vpc])
            .await?;
        let vpc = vpcs.text_at(vpc);
        let group = self.security_group(vpc).await?;
        let web = self.target_group("web", vpc, instances, Role::Web).await?;
        let api = self.target_group("api", vpc, instances, Role::Api).await?;
        let (arn, dns_name) = self.load_balancer(subnets, &group).await?;
        let (listener, port) = self.listener(&arn, &web).await?;
        self.rules(&listener, &api).await?;
        self.make(describe(&arn), &["LoadBalancers/member/State/Code"])
            .await?;
        let call = hosts::describe_interfaces(&arn);
        let members = ["availabilityZone", "privateIpAddress"];
        let addresses = self.list(call, "networkInterfaceSet", members).await?;
        Ok(Balancer {
            dns_name,
            addresses: addresses
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
            port,
            web,
        })
    }

    /// A group that lets everybody reach the ports of the listener.
    async fn security_group(&self, vpc: &str) -> Result<String, CallError> {
        let call = Call::new(Service::Ec2, "CreateSecurityGroup")
            .with("GroupName", "shop")
            .with(
                Name::renamed("Description", "GroupDescription"),
                "Everybody may enter the shop",
            )
            .with("VpcId", vpc);
        let group = self
            .make(call, &["groupId"])
            .await?
            .text_at("groupId")
            .to_owned();
        let permission = |port: u16| {
            structure([
                ("IpProtocol", "tcp".into()),
                ("FromPort", port.into()),
                ("ToPort", port.into()),
                (
                    "IpRanges",
                    list([structure([("CidrIp", "0.0.0.0/0".into())])]),
                ),
            ])
        };
        let call = Call::new(Service::Ec2, "AuthorizeSecurityGroupIngress")
            .with("GroupId", &group)
            .with(
                "IpPermissions",
                list([PORT, UNPRIVILEGED_PORT].map(permission)),
            );
        self.make(call, &["return"]).await?;
        Ok(group)
    }

    async fn target_group(
        &self,
        name: &str,
        vpc: &str,
        instances: &[Registered],
        role: Role,
    ) -> Result<String, CallError> {
        let arn = "TargetGroups/member/TargetGroupArn";
        let call = Call::new(Service::Elbv2, "CreateTargetGroup")
            .with("Name", name)
            .with("Protocol", "HTTP")
            .with("Port", INSTANCE_PORT)
            .with("VpcId", vpc)
            .with("HealthCheckPath", "/health")
            .with("HealthCheckIntervalSeconds", 5)
            .with("HealthCheckTimeoutSeconds", 2);
        let arn = self.make(call, &[arn]).await?.text_at(arn).to_owned();
        let members = instances.iter().filter(|instance| instance.role == role);
        let targets = members.map(|instance| structure([("Id", Value::from(&instance.id))]));
        let call = Call::new(Service::Elbv2, "RegisterTargets")
            .with("TargetGroupArn", &arn)
            .with("Targets", list(targets));
        self.make(call, &[]).await?;
        Ok(arn)
    }

    async fn load_balancer(
        &self,
        subnets: &[String],
        group: &str,
    ) -> Result<(String, String), CallError> {
        let [arn, name] = ["LoadBalancerArn", "DNSName"];
        let [arn, name] = [arn, name].map(|name| format!("LoadBalancers/member/{name}"));
        let call = Call::new(Service::Elbv2, "CreateLoadBalancer")
            .with("Name", "shop")
            .with("Subnets", list(subnets.iter()))
            .with("SecurityGroups", list([group]));
        let answer = self.make(call, &[&arn, &name]).await?;
        Ok((
            answer.text_at(&arn).to_owned(),
            answer.text_at(&name).to_owned(),
        ))
    }

    /// The listener, on port 80 where that is allowed; else says how to allow it and takes 8080.
    async fn listener(&self, balancer: &str, web: &str) -> Result<(String, u16), CallError> {
        let arn = "Listeners/member/ListenerArn";
        let call = |port: u16| {
            Call::new(Service::Elbv2, "CreateListener")
                .with("LoadBalancerArn", balancer)
                .with("Protocol", "HTTP")
                .with("Port", port)
                .with("DefaultActions", list([forward(web)]))
        };
        match self.make(call(PORT), &[arn]).await {
            Ok(answer) => Ok((answer.text_at(arn).to_owned(), PORT)),
            Err(refused @ CallError::Refused { .. }) => {
                let text = refused.to_string();
                println!("  {text}\n");
                if text.contains("permission denied") {
                    println!("{HOW_TO_ALLOW}");
                }
                println!("Going on with port {UNPRIVILEGED_PORT}.\n");
                let answer = self.make(call(UNPRIVILEGED_PORT), &[arn]).await?;
                Ok((answer.text_at(arn).to_owned(), UNPRIVILEGED_PORT))
            }
            Err(error) => Err(error),
        }
    }

    async fn rules(&self, listener: &str, api: &str) -> Result<(), CallError> {
        let moved = structure([("Path", "/".into()), ("StatusCode", "HTTP_301".into())]);
        let moved = structure([("Type", "redirect".into()), ("RedirectConfig", moved)]);
        for (priority, path, action) in [(10, "/api/*", forward(api)), (20, "/old/*", moved)] {
            let condition = structure([("Field", "path-pattern".into()), ("Values", list([path]))]);
            let call = Call::new(Service::Elbv2, "CreateRule")
                .with("ListenerArn", listener)
                .with("Priority", priority)
                .with("Conditions", list([condition]))
                .with("Actions", list([action]));
            self.make(call, &["Rules/member/RuleArn"]).await?;
        }
        Ok(())
    }
}

const HOW_TO_ALLOW: &str = "\
To use port 80, do one of these as root, once, and run the demo again:
  sysctl net.ipv4.ip_unprivileged_port_start=80        (until the next reboot, for everybody)
  setcap cap_net_bind_service=+ep \"$(command -v elbow)\"  (for this binary)
";

fn forward(group: &str) -> Value {
    structure([("Type", "forward".into()), ("TargetGroupArn", group.into())])
}

fn describe(balancer: &str) -> Call {
    Call::new(Service::Elbv2, "DescribeLoadBalancers").with("LoadBalancerArns", list([balancer]))
}

/// The state of each target of a group, by instance id.
pub(super) async fn health(
    client: &Client,
    group: &str,
) -> Result<Vec<(String, String)>, CallError> {
    let call = Call::new(Service::Elbv2, "DescribeTargetHealth").with("TargetGroupArn", group);
    let answer = client.call(&call).await?;
    let state = |target: &Element| {
        let reason = [
            target.text_at("TargetHealth/State"),
            target.text_at("TargetHealth/Reason"),
        ];
        (
            target.text_at("Target/Id").to_owned(),
            reason.join(" ").trim_end().to_owned(),
        )
    };
    Ok(answer
        .list("TargetHealthDescriptions")
        .iter()
        .map(state)
        .collect())
}

//! What a request is about, as IAM names it to a caller who may not do it.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service.

use model::arn::Place;

use crate::query::Node;
use crate::service::Service;

/// The ARN of what the request would make or change: of several the first, and `*` if it is nothing that has one.
pub(crate) fn resource(place: &Place, service: Service, operation: &str, input: &Node) -> String {
    let arn = |resource: String| {
        let Place {
            partition,
            region,
            account,
        } = place;
        let service = service.signing_name();
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    };
    let of_made = || made(operation, input).map(arn);
    let of_present = || match service {
        Service::Ec2 => present_in_ec2(input).map(arn),
        _ => first(input, &|_, text| {
            text.starts_with("arn:").then(|| text.to_owned())
        }),
    };
    of_made()
        .or_else(of_present)
        .unwrap_or_else(|| "*".to_owned())
}

/// What an operation would make, which has no id yet.
fn made(operation: &str, input: &Node) -> Option<String> {
    let kind = match operation {
        "CreateLoadBalancer" => "loadbalancer/app",
        "CreateTargetGroup" => "targetgroup",
        "CreateTrustStore" => "truststore",
        "RequestCertificate" => "certificate",
        "ImportCertificate" if input.child("CertificateArn").is_none() => "certificate",
        "AllocateAddress" => "elastic-ip",
        "CreateInternetGateway" => "internet-gateway",
        "CreateManagedPrefixList" => "prefix-list",
        "CreateRouteTable" => "route-table",
        "CreateSecurityGroup" => "security-group",
        "CreateDefaultSubnet" | "CreateSubnet" => "subnet",
        "CreateDefaultVpc" | "CreateVpc" => "vpc",
        "RunInstances" => "instance",
        _ => return None,
    };
    Some(match input.text("Name") {
        Some(name) => format!("{kind}/{name}/*"),
        None => format!("{kind}/*"),
    })
}

/// What an id in the request names.
fn present_in_ec2(input: &Node) -> Option<String> {
    let named = |id: &str| {
        let (prefix, _) = id.rsplit_once('-')?;
        let kind = match prefix {
            "eipalloc" => "elastic-ip",
            "eni" => "network-interface",
            "i" => "instance",
            "igw" => "internet-gateway",
            "pl" => "prefix-list",
            "rtb" => "route-table",
            "sg" => "security-group",
            "sgr" => "security-group-rule",
            "subnet" => "subnet",
            "vpc" => "vpc",
            _ => return None,
        };
        Some(format!("{kind}/{id}"))
    };
    // A route is a part of its table, wherever it leads.
    let table = input.text("RouteTableId").and_then(named);
    let in_member = |member: &str, text: &str| match member.ends_with("Id") {
        true => named(text),
        // Names and values may begin as ids do.
        false => None,
    };
    table.or_else(|| first(input, &in_member))
}

/// The first value of which `found` makes something, those that are less deep before others. It gets the name of the
/// member that the value is, or is an element of.
fn first(input: &Node, found: &dyn Fn(&str, &str) -> Option<String>) -> Option<String> {
    let mut level = vec![("", input)];
    while !level.is_empty() {
        let values = level
            .iter()
            .filter_map(|(name, node)| Some((*name, node.value()?)));
        if let Some(it) = values.filter_map(|(name, text)| found(name, text)).next() {
            return Some(it);
        }
        let below = level.iter().flat_map(|&(above, node)| {
            let is_element = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
            let children = node.children();
            children.map(move |(name, node)| (if is_element(name) { above } else { name }, node))
        });
        level = below.collect();
    }
    None
}

#[cfg(test)]
mod tests {
    use control::Settings;

    use super::*;
    use crate::query;

    fn check(service: Service, form: &str, expected: &str) {
        let input = query::decode(form.as_bytes()).expect(form);
        let operation = input.text("Action").expect(form);
        let found = resource(&Settings::default().place, service, operation, &input);
        assert_eq!(found, expected, "{form}");
    }

    #[test]
    fn a_load_balancer_and_what_belongs_to_it() {
        let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:";
        let check = |form: &str, expected: &str| {
            let (form, expected) = (form.replace("ARN:", arn), expected.replace("ARN:", arn));
            check(Service::ElasticLoadBalancing, &form, &expected);
        };
        check(
            "Action=DeleteLoadBalancer&LoadBalancerArn=ARN:loadbalancer/app/a/1",
            "ARN:loadbalancer/app/a/1",
        );
        check(
            "Action=CreateLoadBalancer&Name=a&Subnets.member.1=subnet-1",
            "ARN:loadbalancer/app/a/*",
        );
        check("Action=CreateTargetGroup&Name=a", "ARN:targetgroup/a/*");
        check("Action=CreateTrustStore&Name=a", "ARN:truststore/a/*");
        check(
            "Action=CreateRule&Actions.member.1.TargetGroupArn=ARN:targetgroup/a/1&ListenerArn=ARN:listener/app/a/1/2",
            "ARN:listener/app/a/1/2",
        );
        check(
            "Action=SetRulePriorities&RulePriorities.member.1.RuleArn=ARN:rule/1&RulePriorities.member.2.RuleArn=ARN:rule/2",
            "ARN:rule/1",
        );
        check("Action=DeleteLoadBalancer", "*");
    }

    #[test]
    fn a_certificate() {
        let present = "arn:aws:acm:us-east-1:123456789012:certificate/1";
        let new = "arn:aws:acm:us-east-1:123456789012:certificate/*";
        check(
            Service::Acm,
            &format!("Action=DeleteCertificate&CertificateArn={present}"),
            present,
        );
        check(
            Service::Acm,
            &format!("Action=ImportCertificate&CertificateArn={present}"),
            present,
        );
        check(Service::Acm, "Action=ImportCertificate", new);
        check(
            Service::Acm,
            "Action=RequestCertificate&CertificateAuthorityArn=arn:aws:acm-pca:a",
            new,
        );
        check(Service::Acm, "Action=PutAccountConfiguration", "*");
    }

    #[test]
    fn what_ids_of_ec2_name() {
        let arn = "arn:aws:ec2:us-east-1:123456789012:";
        for (form, expected) in [
            ("Action=RunInstances&SubnetId=subnet-1", "instance/*"),
            ("Action=CreateSecurityGroup&VpcId=vpc-1", "security-group/*"),
            (
                "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.2=i-2",
                "instance/i-1",
            ),
            (
                "Action=CreateRoute&GatewayId=igw-1&RouteTableId=rtb-1",
                "route-table/rtb-1",
            ),
            (
                "Action=ReleaseAddress&AllocationId=eipalloc-1",
                "elastic-ip/eipalloc-1",
            ),
            (
                "Action=CreateTags&ResourceId.1=vpc-1&Tag.1.Key=k&Tag.1.Value=v",
                "vpc/vpc-1",
            ),
        ] {
            check(Service::Ec2, form, &format!("{arn}{expected}"));
        }
        for form in [
            "Action=DetachNetworkInterface&AttachmentId=eni-attach-1",
            "Action=DeleteSecurityGroup&GroupName=vpc-endpoints",
            "Action=CreateTags&ResourceId.1=acl-1&Tag.1.Key=k&Tag.1.Value=vpc-prod",
        ] {
            check(Service::Ec2, form, "*");
        }
    }
}

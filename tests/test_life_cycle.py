"""The whole life of a load balancer through the real `aws` command, waiters included."""

import pytest

from harness.elbow import AwsError
from harness.http import Connection, get
from harness.shop import listener_port, unique
from harness.target import HEALTH_PATH, Target


def described(elbow, arn):
    answer = elbow.aws("elbv2", "describe-load-balancers", "--load-balancer-arns", arn)
    return answer["LoadBalancers"][0]


@pytest.fixture
def servers(elbow):
    """Two machines that answer on port 8080, one in each zone."""
    servers = [Target(elbow.network.free_host(zone), f"machine-{zone}") for zone in (0, 1)]
    yield servers
    for server in servers:
        server.close()


def test_a_load_balancer_lives_and_dies(elbow, servers):
    aws, port, name = elbow.aws, listener_port(), unique("life")

    # The account and its network.
    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
    vpc = aws("ec2", "describe-vpcs")["Vpcs"][0]["VpcId"]
    zones = aws("ec2", "describe-availability-zones")["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-east-1a", "us-east-1b"]
    default = ("--filters", f"Name=vpc-id,Values={vpc}", "Name=default-for-az,Values=true")
    subnets = aws("ec2", "describe-subnets", *default)["Subnets"]
    subnets = sorted(subnets, key=lambda subnet: subnet["AvailabilityZone"])
    subnet_ids = [subnet["SubnetId"] for subnet in subnets]

    # Everybody may reach the listener's port.
    group = aws(
        *("ec2", "create-security-group", "--group-name", name),
        *("--description", "test", "--vpc-id", vpc),
    )["GroupId"]
    aws(
        *("ec2", "authorize-security-group-ingress", "--group-id", group),
        *("--protocol", "tcp", "--port", port, "--cidr", "0.0.0.0/0"),
    )

    # Two instances.
    instances = []
    for server, subnet in zip(servers, subnet_ids):
        run = aws(
            *("ec2", "run-instances", "--count", 1, "--subnet-id", subnet),
            *("--private-ip-address", server.address),
            *("--tag-specifications", f"ResourceType=instance,Tags=[{{Key=Name,Value={name}}}]"),
        )
        instances.append(run["Instances"][0]["InstanceId"])
    aws("ec2", "wait", "instance-running", "--instance-ids", *instances)

    # The load balancer.
    created = aws(
        *("elbv2", "create-load-balancer", "--name", name, "--subnets", *subnet_ids),
        *("--security-groups", group, "--tags", "Key=stage,Value=test"),
    )["LoadBalancers"][0]
    arn = created["LoadBalancerArn"]
    aws("elbv2", "wait", "load-balancer-exists", "--load-balancer-arns", arn)
    aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", arn)
    balancer = described(elbow, arn)
    assert balancer["State"]["Code"] == "active"
    assert balancer["DNSName"].endswith(".us-east-1.elb.internal")
    assert balancer["SecurityGroups"] == [group]

    # The target group, the listener, a rule.
    target_group = aws(
        *("elbv2", "create-target-group", "--name", name, "--protocol", "HTTP", "--port", 8080),
        *("--vpc-id", vpc, "--health-check-path", HEALTH_PATH),
        *("--health-check-interval-seconds", 5, "--health-check-timeout-seconds", 2),
    )["TargetGroups"][0]["TargetGroupArn"]
    aws(
        *("elbv2", "modify-target-group-attributes", "--target-group-arn", target_group),
        *("--attributes", "Key=deregistration_delay.timeout_seconds,Value=0"),
    )
    aws(
        *("elbv2", "register-targets", "--target-group-arn", target_group),
        *("--targets", *(f"Id={instance}" for instance in instances)),
    )
    listener = aws(
        *("elbv2", "create-listener", "--load-balancer-arn", arn),
        *("--protocol", "HTTP", "--port", port),
        *("--default-actions", f"Type=forward,TargetGroupArn={target_group}"),
    )["Listeners"][0]["ListenerArn"]
    rule = aws(
        *("elbv2", "create-rule", "--listener-arn", listener, "--priority", 10),
        *("--conditions", "Field=path-pattern,Values=/teapot"),
        "--actions",
        "Type=fixed-response,FixedResponseConfig={StatusCode=418,MessageBody=short,ContentType=text/plain}",
    )["Rules"][0]["RuleArn"]
    aws("elbv2", "wait", "target-in-service", "--target-group-arn", target_group)

    # Real traffic, on each of its addresses, to each of its targets.
    interfaces = aws(
        *("ec2", "describe-network-interfaces", "--filters"),
        f"Name=description,Values=ELB {arn.split(':loadbalancer/')[1]}",
    )["NetworkInterfaces"]
    addresses = sorted(interface["PrivateIpAddress"] for interface in interfaces)
    assert len(addresses) == 2
    hosts = elbow.run("hosts").splitlines()
    assert {f"{address} {balancer['DNSName']}" for address in addresses} <= set(hosts)
    for address in addresses:
        answered = {get(address, port=port, host=balancer["DNSName"]).text for _ in range(8)}
        assert answered == {"machine-0", "machine-1"}
        assert get(address, "/teapot", port=port).status == 418

    # It cannot go while it is protected, nor can the target group while it is used.
    protection = ("elbv2", "modify-load-balancer-attributes", "--load-balancer-arn", arn)
    aws(*protection, "--attributes", "Key=deletion_protection.enabled,Value=true")
    with pytest.raises(AwsError) as refused:
        aws("elbv2", "delete-load-balancer", "--load-balancer-arn", arn)
    assert refused.value.code == "OperationNotPermitted"
    aws(*protection, "--attributes", "Key=deletion_protection.enabled,Value=false")
    with pytest.raises(AwsError) as refused:
        aws("elbv2", "delete-target-group", "--target-group-arn", target_group)
    assert refused.value.code == "ResourceInUse"

    # One target leaves: the other serves everything from now on.
    leaving = ("--target-group-arn", target_group, "--targets", f"Id={instances[0]}")
    aws("elbv2", "deregister-targets", *leaving)
    answered = {get(addresses[0], port=port).text for _ in range(8)}
    assert answered == {"machine-1"}
    aws("elbv2", "wait", "target-deregistered", *leaving)

    # And everything goes, in order.
    aws("elbv2", "delete-rule", "--rule-arn", rule)
    assert get(addresses[0], "/teapot", port=port).text == "machine-1"
    aws("elbv2", "delete-listener", "--listener-arn", listener)
    with pytest.raises(ConnectionRefusedError):
        Connection(addresses[0], port)
    aws("elbv2", "delete-load-balancer", "--load-balancer-arn", arn)
    aws("elbv2", "wait", "load-balancers-deleted", "--load-balancer-arns", arn)
    aws("elbv2", "delete-target-group", "--target-group-arn", target_group)
    aws("ec2", "terminate-instances", "--instance-ids", *instances)
    aws("ec2", "wait", "instance-terminated", "--instance-ids", *instances)
    aws("ec2", "delete-security-group", "--group-id", group)
    assert balancer["DNSName"] not in elbow.run("hosts")

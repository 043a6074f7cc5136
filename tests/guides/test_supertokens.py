"""The guide that scales a service over several HTTPS servers, step by step with the `aws` command.

The rows are those of the requirements, ST2 to ST22; logs, DNS and alarms are not here.
"""

import ssl

import pytest

from harness.certificates import Authority, server_context
from harness.elbow import AwsError
from harness.http import Connection
from harness.https import TlsConnection
from harness.target import Target
from harness.wait import until

PORT = 3567
DOMAIN = "*.aws.supertokens.com"
FAST_CHECKS = ("--health-check-interval-seconds", 5, "--health-check-timeout-seconds", 2)


@pytest.fixture
def elbow(make_elbow):
    """The ports of the guide are only free on a network of one's own."""
    return make_elbow()


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def core(elbow, tmp_path):
    """Three servers of the service with certificates of their own: core(number) answers with its name."""
    tls = server_context(tmp_path, Authority().issue("localhost"))
    servers = []

    def start(address=None, **options):
        address = address or elbow.network.free_host(len(servers) % 2)
        servers.append(Target(address, f"core-{len(servers)}", tls=tls, **{"port": PORT} | options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def subnets(elbow):
    found = elbow.aws("ec2", "describe-subnets")["Subnets"]
    return [it["SubnetId"] for it in sorted(found, key=lambda it: it["AvailabilityZone"])]


def run_instances(elbow, addresses):
    ids = []
    for number, address in enumerate(addresses):
        subnet = subnets(elbow)[number % 2]
        run = elbow.aws(
            *("ec2", "run-instances", "--count", 1, "--subnet-id", subnet, "--private-ip-address", address),
        )
        ids.append(run["Instances"][0]["InstanceId"])
    return ids


def target_group(elbow, *options, path="/hello"):
    """ST3 to ST12."""
    vpc = elbow.aws("ec2", "describe-vpcs")["Vpcs"][0]["VpcId"]
    made = elbow.aws(
        *("elbv2", "create-target-group", "--name", "supertokens", "--target-type", "instance"),
        *("--protocol", "HTTPS", "--port", PORT, "--protocol-version", "HTTP1", "--vpc-id", vpc),
        *("--health-check-protocol", "HTTPS", "--health-check-path", path),
        *("--healthy-threshold-count", 5, "--unhealthy-threshold-count", 2, "--matcher", "HttpCode=200", *options),
    )["TargetGroups"][0]
    return made["TargetGroupArn"], made


def load_balancer(elbow, *options):
    """ST13 to ST17."""
    return elbow.aws(
        *("elbv2", "create-load-balancer", "--name", "supertokens", "--scheme", "internet-facing"),
        *("--ip-address-type", "ipv4", "--subnets", *subnets(elbow), *options),
    )["LoadBalancers"][0]


def import_certificate(elbow, tmp_path, issued):
    for name, content in zip(("certificate", "chain", "key"), issued):
        (tmp_path / name).write_bytes(content)
    return elbow.aws(
        *("acm", "import-certificate", "--certificate", f"fileb://{tmp_path}/certificate"),
        *("--certificate-chain", f"fileb://{tmp_path}/chain", "--private-key", f"fileb://{tmp_path}/key"),
    )["CertificateArn"]


def address_of(elbow, balancer):
    lines = [line.split() for line in elbow.run("hosts").splitlines()]
    return next(line[0] for line in lines if balancer["DNSName"] in line)


def is_check(request):
    return request.header("user-agent") == "ELB-HealthChecker/2.0"


def test_three_servers_behind_port_3567(elbow, core, authority, tmp_path):
    """ST3 to ST7, ST13 to ST16, ST18, ST19, ST22."""
    servers = [core() for _ in range(3)]
    group, made = target_group(elbow, *FAST_CHECKS)
    assert (made["ProtocolVersion"], made["HealthCheckPath"], made["Port"]) == ("HTTP1", "/hello", PORT)
    assert (made["HealthyThresholdCount"], made["UnhealthyThresholdCount"]) == (5, 2)
    ids = run_instances(elbow, [server.address for server in servers])
    elbow.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", *[f"Id={it}" for it in ids])
    balancer = load_balancer(elbow)
    certificate = import_certificate(elbow, tmp_path, authority.issue(DOMAIN))
    listener = elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTPS", "--port", PORT, "--certificates", f"CertificateArn={certificate}"),
        *("--ssl-policy", "ELBSecurityPolicy-2016-08"),
        *("--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )["Listeners"][0]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    elbow.aws("elbv2", "wait", "target-in-service", "--target-group-arn", group)
    address = address_of(elbow, balancer)
    served = set()
    with TlsConnection(address, PORT, authority.context(), "a.aws.supertokens.com") as client:
        assert client.socket.version() == "TLSv1.2", "the policy has no TLS 1.3"
        for _ in range(6):
            served.add(client.request(host="a.aws.supertokens.com").text)
    assert served == {"core-0", "core-1", "core-2"}
    assert all(any(is_check(it) and it.path == "/hello" for it in server.requests) for server in servers)
    # A wildcard is for one label: below it the default certificate is shown, whose name does not fit.
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsConnection(address, PORT, authority.context(), "a.b.aws.supertokens.com")


def test_a_server_that_answers_otherwise_than_200_is_not_healthy(elbow, core, tmp_path, authority):
    """ST12: the matcher is 200, and 204 is something else."""
    server = core(script=lambda request: request.respond("204 No Content"))
    group, _ = target_group(elbow, *FAST_CHECKS)
    [instance] = run_instances(elbow, [server.address])
    elbow.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", f"Id={instance}")
    balancer = load_balancer(elbow)
    elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )

    def found():
        [target] = elbow.aws("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"]
        health = target["TargetHealth"]
        return health if health["State"] == "unhealthy" else None

    health = until(found, "an unhealthy target")
    assert health["Reason"] == "Target.ResponseCodeMismatch"
    assert health["Description"] == "Health checks failed with these codes: [204]"


def test_servers_may_be_registered_before_they_answer(elbow, core):
    """ST2: a server that starts late is taken in when it answers."""
    address = elbow.network.free_host(0)
    [instance] = run_instances(elbow, [address])
    group, _ = target_group(elbow, *FAST_CHECKS)
    elbow.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", f"Id={instance}")
    balancer = load_balancer(elbow)
    elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )
    # Nobody answers yet: that is a bad gateway, and no reason to drop the registration.
    with Connection(address_of(elbow, balancer), 8080) as client:
        assert client.request().status == 502
    core(address)
    elbow.aws("elbv2", "wait", "target-in-service", "--target-group-arn", group)
    with Connection(address_of(elbow, balancer), 8080) as client:
        assert client.request().text == "core-0"


def test_the_checks_are_those_of_the_guide(elbow):
    """ST6 and ST8 to ST12, as they are set; what they do is tested with a clock of its own beside the prober."""
    group, _ = target_group(elbow, "--health-check-timeout-seconds", 10, "--health-check-interval-seconds", 30)
    [found] = elbow.aws("elbv2", "describe-target-groups", "--target-group-arns", group)["TargetGroups"]
    assert (found["HealthyThresholdCount"], found["UnhealthyThresholdCount"]) == (5, 2)
    assert (found["HealthCheckTimeoutSeconds"], found["HealthCheckIntervalSeconds"]) == (10, 30)
    assert (found["HealthCheckPath"], found["Matcher"]) == ("/hello", {"HttpCode": "200"})


def test_a_zone_can_be_had_once(make_elbow):
    """ST17: all three of them at once, and none twice."""
    elbow = make_elbow(zones=3)
    zones = elbow.aws("ec2", "describe-availability-zones")["AvailabilityZones"]
    made = load_balancer(elbow)["AvailabilityZones"]
    assert {it["ZoneName"] for it in made} == {it["ZoneName"] for it in zones} and len(zones) == 3
    one = subnets(elbow)[0]
    with pytest.raises(AwsError) as refused:
        elbow.aws("elbv2", "create-load-balancer", "--name", "twice", "--subnets", one, one)
    assert refused.value.code == "InvalidConfigurationRequest"


def test_one_server_with_two_ports(elbow, core):
    """HA3: the same instance twice, with different ports."""
    first = core()
    second = core(first.address, port=PORT + 1)
    group, _ = target_group(elbow, *FAST_CHECKS)
    [instance] = run_instances(elbow, [first.address])
    elbow.aws(
        *("elbv2", "register-targets", "--target-group-arn", group),
        *("--targets", f"Id={instance}", f"Id={instance},Port={second.port}"),
    )
    balancer = load_balancer(elbow)
    elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )
    elbow.aws("elbv2", "wait", "target-in-service", "--target-group-arn", group)
    with Connection(address_of(elbow, balancer), 8080) as client:
        assert {client.request().text for _ in range(4)} == {"core-0", "core-1"}


def test_security_groups_add_up(elbow):
    """ST20 and ST21: the default group and groups of the user's own, several on one load balancer."""
    vpc = elbow.aws("ec2", "describe-vpcs")["Vpcs"][0]["VpcId"]
    named = ("--filters", "Name=group-name,Values=default")
    assert len(elbow.aws("ec2", "describe-security-groups", *named)["SecurityGroups"]) == 1
    groups = {}
    for name, block in [("ping-ssh", "127.9.0.0/16"), ("supertokens-nginx-port", "127.8.0.1/32")]:
        groups[name] = elbow.aws(
            *("ec2", "create-security-group", "--group-name", name, "--description", "d", "--vpc-id", vpc),
        )["GroupId"]
        elbow.aws(
            *("ec2", "authorize-security-group-ingress", "--group-id", groups[name]),
            *("--protocol", "tcp", "--port", 8080, "--cidr", block),
        )
    balancer = load_balancer(elbow, "--security-groups", *groups.values())
    elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080),
        *("--default-actions", "Type=fixed-response,FixedResponseConfig={StatusCode=200}"),
    )
    address = address_of(elbow, balancer)
    for source in ("127.9.1.1", "127.8.0.1"):
        with Connection(address, 8080, source=source) as client:
            assert client.request().status == 200
    with pytest.raises(OSError):
        Connection(address, 8080, source="127.8.0.2", timeout=1).request()


def test_the_default_rule_leads_to_its_target_group(elbow):
    """HA46 to HA49, by the API: load balancer, listeners, rules with the default last, its group."""
    group, _ = target_group(elbow)
    balancer = load_balancer(elbow)
    arn = balancer["LoadBalancerArn"]
    listener = elbow.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", arn, "--protocol", "HTTP", "--port", 8080),
        *("--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )["Listeners"][0]["ListenerArn"]
    for priority in (20, 10):
        elbow.aws(
            *("elbv2", "create-rule", "--listener-arn", listener, "--priority", priority),
            *("--conditions", f"Field=path-pattern,Values=/{priority}"),
            *("--actions", "Type=fixed-response,FixedResponseConfig={StatusCode=200}"),
        )
    [found] = elbow.aws("elbv2", "describe-listeners", "--load-balancer-arn", arn)["Listeners"]
    rules = elbow.aws("elbv2", "describe-rules", "--listener-arn", found["ListenerArn"])["Rules"]
    assert [rule["Priority"] for rule in rules] == ["10", "20", "default"]
    leads_to = rules[-1]["Actions"][0]["TargetGroupArn"]
    [described] = elbow.aws("elbv2", "describe-target-groups", "--target-group-arns", leads_to)["TargetGroups"]
    assert described["TargetGroupName"] == "supertokens" and described["LoadBalancerArns"] == [arn]

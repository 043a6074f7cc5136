"""The guide that puts one server with two services behind a load balancer, step by step with the `aws` command.

The rows are those of the requirements, CS1 to CS53; templates, DNS and pages of the console are not here.
"""

import pytest
from websockets.sync.client import connect

from harness.certificates import Authority, expired_context
from harness.elbow import AwsError
from harness.http import Connection
from harness.https import TlsConnection
from harness.target import Target
from harness.wait import until
from test_websocket import EchoServer

HOST = "my-load-balancer-name.mycompany.com"
CLIENTS, CLIENT, STRANGER = "127.9.0.0/16", "127.9.0.1", "127.8.0.1"
STATUS = "/no-auth/status"
# The ports of the services, which are also those of the listeners: API and Broadcaster.
HTTP = {"api": 80, "broadcaster": 12080}
HTTPS = {"api": 443, "broadcaster": 12443}


class Guide:
    """What the reader of the guide has made so far."""

    def __init__(self, elbow, directory):
        self.aws, self.elbow, self.directory = elbow.aws, elbow, directory
        self.host = elbow.network.free_host(0)
        self.services = {}

    def run(self, ports, tls=None):
        """CS41 and CS52: starts the services on the one server."""
        self.services = {
            name: Target(self.host, name, port=port, tls=tls, script=answer_status) for name, port in ports.items()
        }

    def stop(self):
        for service in self.services.values():
            service.close()
        self.services = {}

    def instance(self):
        """CS1: the only server, on a subnet of its own zone (CS9 and CS10)."""
        self.vpc = self.aws("ec2", "describe-vpcs")["Vpcs"][0]["VpcId"]
        found = self.aws("ec2", "describe-subnets")["Subnets"]
        self.subnets = [it["SubnetId"] for it in sorted(found, key=lambda it: it["AvailabilityZone"])]
        assert self.vpc.startswith("vpc-") and all(it.startswith("subnet-") for it in self.subnets)
        made = self.aws(
            *("ec2", "run-instances", "--count", 1, "--subnet-id", self.subnets[0]),
            *("--private-ip-address", self.host),
        )
        return made["Instances"][0]["InstanceId"]

    def security_group(self, ports):
        """CS28 and CS29: the clients and the server itself, to each of the ports, with descriptions."""
        group = self.aws(
            *("ec2", "create-security-group", "--group-name", "codestream-elb", "--description", "CodeStream"),
            *("--vpc-id", self.vpc),
        )["GroupId"]
        for port in ports.values():
            for block, what in ((CLIENTS, "clients"), (f"{self.host}/32", "the server itself")):
                self.aws(
                    *("ec2", "authorize-security-group-ingress", "--group-id", group, "--ip-permissions"),
                    f"IpProtocol=tcp,FromPort={port},ToPort={port},IpRanges=[{{CidrIp={block},Description={what}}}]",
                )
        return group

    def target_groups(self, ports, protocol):
        """CS19 to CS22, CS36 and CS37: a group for each service."""
        arns = {}
        for name, port in ports.items():
            group = self.aws(
                *("elbv2", "create-target-group", "--name", f"codestream-{name}-targets"),
                *("--target-type", "instance", "--protocol", protocol, "--port", port, "--vpc-id", self.vpc),
                *("--health-check-protocol", protocol, "--health-check-path", STATUS),
                *("--health-check-port", "traffic-port", "--matcher", "HttpCode=200"),
                *("--health-check-interval-seconds", 15, "--health-check-timeout-seconds", 5),
                *("--healthy-threshold-count", 5, "--unhealthy-threshold-count", 2),
                *("--tags", f"Key=Name,Value=codestream-{name}-targets"),
            )["TargetGroups"][0]
            assert (group["HealthCheckPath"], group["HealthCheckPort"]) == (STATUS, "traffic-port")
            assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (15, 5)
            arns[name] = group["TargetGroupArn"]
        return arns

    def load_balancer(self, security_group):
        """CS2, CS23, CS24 and CS34."""
        made = self.aws(
            *("elbv2", "create-load-balancer", "--name", "codestream-alb", "--type", "application"),
            *("--scheme", "internet-facing", "--ip-address-type", "ipv4", "--subnets", *self.subnets),
            *("--security-groups", security_group, "--tags", "Key=Name,Value=codestream-alb"),
        )["LoadBalancers"][0]
        assert (made["Type"], made["SecurityGroups"]) == ("application", [security_group])
        return made

    def listener(self, balancer, port, protocol, group, *options):
        """CS35 and CS47."""
        self.aws(
            *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
            *("--protocol", protocol, "--port", port, *options),
            *("--default-actions", f"Type=forward,TargetGroupArn={group}"),
        )

    def register(self, groups, instance):
        """CS43, CS45 and CS53: the same instance in both groups."""
        for group in groups.values():
            self.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", f"Id={instance}")
        for group in groups.values():
            self.aws("elbv2", "wait", "target-in-service", "--target-group-arn", group)

    def state(self, group):
        [target] = self.aws("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"]
        return target["TargetHealth"]["State"]

    def address(self, balancer):
        """CS38 and CS40: what the DNS name of the load balancer leads to."""
        lines = [line.split() for line in self.elbow.run("hosts").splitlines()]
        return next(line[0] for line in lines if balancer["DNSName"] in line)


def answer_status(request):
    """CS8: the path arrives unchanged."""
    request.respond(body=b"OK") if request.path == STATUS else request.respond("404 Not Found")


@pytest.fixture
def guide(make_elbow, tmp_path):
    guide = Guide(make_elbow(), tmp_path)
    yield guide
    guide.stop()


def test_two_services_of_one_server_over_http(guide):
    """CS1 to CS4, CS9, CS10, CS12 to CS15, CS20 to CS24, CS28, CS29, CS34 to CS38 and CS40 to CS45."""
    instance = guide.instance()
    balancer = guide.load_balancer(guide.security_group(HTTP))
    groups = guide.target_groups(HTTP, "HTTP")
    for name, port in HTTP.items():
        guide.listener(balancer, port, "HTTP", groups[name])
    address = guide.address(balancer)
    for port in HTTP.values():
        with Connection(address, port, source=CLIENT) as client:
            assert client.request(path=STATUS, host=HOST).status == 503, "no service is registered yet"
    guide.run(HTTP)
    guide.register(groups, instance)
    for service in guide.services.values():
        checks = [request for request in service.requests if request.header("host") != HOST]
        assert len(checks) < 5, "CS44: the first check that passes suffices, whatever the threshold"
    # Anybody of the clients, and the server itself, which is then client and target in one.
    for source in (CLIENT, guide.host):
        for port in HTTP.values():
            with Connection(address, port, source=source) as client:
                assert client.request(path=STATUS, host=HOST).text == "OK"
    for service in guide.services.values():
        # A load balancer adds the port of the listener if it is not the scheme's own.
        host = HOST if service.port == 80 else f"{HOST}:{service.port}"
        assert host in [request.header("host") for request in service.requests], "the custom name arrives"
    for port in HTTP.values():
        with pytest.raises(OSError):
            Connection(address, port, source=STRANGER, timeout=1)
    # CS41 and CS42: the services are stopped, and started with another configuration.
    for group in groups.values():
        fast = ("--health-check-interval-seconds", 5, "--health-check-timeout-seconds", 2)
        guide.aws("elbv2", "modify-target-group", "--target-group-arn", group, *fast, "--healthy-threshold-count", 2)
    guide.stop()
    for port in HTTP.values():
        with Connection(address, port, source=CLIENT) as client:
            assert client.request(path=STATUS, host=HOST).status == 502
    for group in groups.values():
        until(lambda: guide.state(group) == "unhealthy", "an unhealthy target")
    guide.run(HTTP)
    for port in HTTP.values():
        with Connection(address, port, source=CLIENT) as client:
            assert client.request(path=STATUS, host=HOST).text == "OK", "none is healthy: each is tried"
    for group in groups.values():
        until(lambda: guide.state(group) == "healthy", "a healthy target")


def test_two_services_of_one_server_over_https(guide):
    """CS5, CS6, CS11, CS26, CS47 to CS49 and CS51 to CS53."""
    instance = guide.instance()
    balancer = guide.load_balancer(guide.security_group(HTTPS))
    groups = guide.target_groups(HTTPS, "HTTPS")
    with pytest.raises(AwsError) as refused:
        guide.listener(balancer, 443, "HTTPS", groups["api"])
    assert refused.value.code == "ValidationError"
    authority = Authority()
    for file, content in zip(("certificate", "chain", "key"), authority.issue(HOST)):
        (guide.directory / file).write_bytes(content)
    certificate = guide.aws(
        *("acm", "import-certificate", "--certificate", f"fileb://{guide.directory}/certificate"),
        *("--certificate-chain", f"fileb://{guide.directory}/chain", "--private-key", f"fileb://{guide.directory}/key"),
    )["CertificateArn"]
    assert certificate.startswith("arn:aws:acm:us-east-1:")
    for name, port in HTTPS.items():
        options = ("--certificates", f"CertificateArn={certificate}", "--ssl-policy", "ELBSecurityPolicy-2016-08")
        guide.listener(balancer, port, "HTTPS", groups[name], *options)
    # CS51: the server's own certificate, which is worth nothing.
    guide.run(HTTPS, tls=expired_context(guide.directory))
    guide.register(groups, instance)
    for port in HTTPS.values():
        with TlsConnection(guide.address(balancer), port, authority.context(), HOST, source=CLIENT) as client:
            assert client.socket.version() == "TLSv1.2", "the policy has no TLS 1.3"
            assert client.request(path=STATUS, host=HOST).text == "OK"


def test_the_broadcaster_keeps_websockets(guide):
    """CS46."""
    instance = guide.instance()
    balancer = guide.load_balancer(guide.security_group(HTTP))
    group = guide.aws(
        *("elbv2", "create-target-group", "--name", "codestream-broadcaster-targets", "--protocol", "HTTP"),
        *("--port", HTTP["broadcaster"], "--vpc-id", guide.vpc, "--health-check-path", "/target-health"),
        *("--health-check-interval-seconds", 5, "--health-check-timeout-seconds", 2),
    )["TargetGroups"][0]["TargetGroupArn"]
    guide.listener(balancer, HTTP["broadcaster"], "HTTP", group)
    guide.services["broadcaster"] = EchoServer(guide.host, "broadcaster", port=HTTP["broadcaster"])
    guide.register({"broadcaster": group}, instance)
    address = (guide.address(balancer), HTTP["broadcaster"])
    with connect(f"ws://{HOST}:{address[1]}/", sock=Connection(*address, source=CLIENT).socket, proxy=None) as client:
        client.send("who")
        assert client.recv(timeout=10) == "broadcaster"
        assert client.ping().wait(timeout=10), "a ping is answered"

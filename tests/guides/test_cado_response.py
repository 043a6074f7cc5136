"""The guide that puts one HTTPS server behind a load balancer, step by step with the `aws` command.

The rows are those of the requirements, CA1 to CA38; what they say of pages of the console is not here.
"""

import json
import ssl
import subprocess
import threading

import pytest
from websockets.sync.client import connect

from harness.certificates import expired_context
from harness.elbow import AwsError, binary, quiet_environment
from harness.http import Connection
from harness.https import TlsConnection
from harness.load import Load
from harness.target import Target
from harness.wait import until
from test_websocket import EchoServer

DOMAIN = "cado-response.your-company.com"
PORT = 443
REPORT = "0123456789abcdef" * 200_000
FAST_CHECKS = ("--health-check-interval-seconds", 5, "--health-check-timeout-seconds", 2)


class Guide:
    """What the reader of the guide has made so far."""

    def __init__(self, elbow, directory):
        self.elbow, self.aws, self.directory = elbow, elbow.aws, directory
        self.servers = []

    def server(self, zone=0, **options):
        """A platform server with HTTPS on port 443 and a certificate that is worth nothing."""
        tls = expired_context(self.directory)
        server = Target(self.elbow.network.free_host(zone), "cado", port=PORT, tls=tls, **options)
        self.servers.append(server)
        return server

    def instance(self, server, zone=0):
        """The instance that the server runs on."""
        return self.run_instance(self.subnets[zone]["SubnetId"], "--private-ip-address", server.address)

    def run_instance(self, subnet, *options):
        run = self.aws("ec2", "run-instances", "--count", 1, "--subnet-id", subnet, *options)
        return run["Instances"][0]["InstanceId"]

    @property
    def vpc(self):
        return self.aws("ec2", "describe-vpcs")["Vpcs"][0]["VpcId"]

    @property
    def subnets(self):
        subnets = self.aws("ec2", "describe-subnets")["Subnets"]
        return sorted(subnets, key=lambda subnet: subnet["AvailabilityZone"])

    def certificate(self):
        """CA4: a certificate for a domain you own is requested from ACM."""
        arn = self.aws(
            *("acm", "request-certificate", "--domain-name", DOMAIN, "--validation-method", "DNS"),
        )["CertificateArn"]
        self.aws("acm", "wait", "certificate-validated", "--certificate-arn", arn)
        described = self.aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
        assert described["Status"] == "ISSUED"
        record = described["DomainValidationOptions"][0]["ResourceRecord"]
        assert record["Type"] == "CNAME" and record["Name"].endswith(f".{DOMAIN}.")
        listed = self.aws("acm", "list-certificates", "--certificate-statuses", "ISSUED")
        assert arn in [one["CertificateArn"] for one in listed["CertificateSummaryList"]]
        return arn

    def target_group(self, *options):
        """CA6 to CA11: instances, HTTPS on 443, version HTTP1, checked by HTTPS at `/`."""
        group = self.aws(
            *("elbv2", "create-target-group", "--name", "cado-tg", "--target-type", "instance"),
            *("--protocol", "HTTPS", "--port", PORT, "--vpc-id", self.vpc),
            *("--health-check-protocol", "HTTPS", "--health-check-path", "/", *FAST_CHECKS, *options),
        )["TargetGroups"][0]
        assert group["ProtocolVersion"] == "HTTP1"
        assert (group["HealthCheckProtocol"], group["HealthCheckPath"]) == ("HTTPS", "/")
        assert group["Matcher"] == {"HttpCode": "200"}
        return group["TargetGroupArn"]

    def load_balancer(self, *options, name="cado-alb-test"):
        """CA15 to CA22."""
        ids = [subnet["SubnetId"] for subnet in self.subnets[:2]]
        made = self.aws(
            *("elbv2", "create-load-balancer", "--name", name, "--type", "application"),
            *("--ip-address-type", "ipv4", "--subnets", *ids, *options),
        )["LoadBalancers"][0]
        self.aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", made["LoadBalancerArn"])
        return made

    def listener(self, balancer, certificate, group):
        """CA21."""
        return self.aws(
            *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
            *("--protocol", "HTTPS", "--port", PORT, "--certificates", f"CertificateArn={certificate}"),
            *("--default-actions", f"Type=forward,TargetGroupArn={group}"),
        )["Listeners"][0]

    def register(self, group, *ids):
        self.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", *[f"Id={it}" for it in ids])

    def health(self, group):
        described = self.aws("elbv2", "describe-target-health", "--target-group-arn", group)
        return [one["TargetHealth"] for one in described["TargetHealthDescriptions"]]

    def wait_until_healthy(self, group):
        self.aws("elbv2", "wait", "target-in-service", "--target-group-arn", group)

    def addresses(self, balancer):
        """What the DNS name resolves to: the lines of `elbow hosts`."""
        lines = [line.split() for line in self.elbow.run("hosts").splitlines()]
        return [line[0] for line in lines if balancer["DNSName"] in line]

    def hint(self, subject):
        """What `elbow doctor` says of something, and what to do."""
        command = [str(binary()), "doctor", "--json", "--data-dir", str(self.elbow.data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=quiet_environment())
        [found] = [it for it in json.loads(done.stdout)["findings"] if it["subject"].startswith(subject)]
        return f"{found['wrong']} {found['remedy']}"

    def curl(self, balancer, *options, zone=0, path="/"):
        """CA24 and CA25: a browser that trusts the authority and knows the custom name. Status and body."""
        (self.directory / "ca.pem").write_text(self.elbow.run("ca"))
        resolve = f"{DOMAIN}:{PORT}:{self.addresses(balancer)[zone]}"
        command = ["curl", "--silent", "--show-error", "--cacert", str(self.directory / "ca.pem"), "--resolve", resolve]
        command += ["--write-out", "\n%{http_code}", "--max-time", "10", *options, f"https://{DOMAIN}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body


@pytest.fixture
def guide(make_elbow, tmp_path):
    guide = Guide(make_elbow(), tmp_path)
    yield guide
    for server in guide.servers:
        server.close()


def test_one_server_gets_a_valid_https_connection(guide):
    """CA1, CA3, CA4, CA6 to CA9, CA11, CA13 to CA19, CA21 to CA25, CA38."""
    server = guide.server(script=lambda request: request.respond(headers=["Set-Cookie: session=1"], body=b"cado"))
    group = guide.target_group()
    instance = guide.instance(server)
    guide.register(group, instance)
    balancer = guide.load_balancer()
    assert ":loadbalancer/app/cado-alb-test/" in balancer["LoadBalancerArn"]
    assert balancer["Scheme"] == "internet-facing"
    assert balancer["DNSName"].startswith("cado-alb-test-") and ".us-east-1.elb." in balancer["DNSName"]
    assert [zone["SubnetId"] for zone in balancer["AvailabilityZones"]] == [it["SubnetId"] for it in guide.subnets[:2]]
    listener = guide.listener(balancer, guide.certificate(), group)
    assert guide.health(group)[0]["State"] in ("initial", "healthy")
    guide.wait_until_healthy(group)
    assert guide.curl(balancer) == (200, "cado")
    checks = [one for one in server.requests if one.header("user-agent") == "ELB-HealthChecker/2.0"]
    assert checks and checks[0].path == "/"
    request = server.requests[-1]
    assert request.header("host") == DOMAIN
    assert request.header("x-forwarded-proto") == "https"
    assert request.header("x-forwarded-port") == str(PORT)
    assert request.header("x-forwarded-for") == "127.0.0.1"
    # The address of the empty zone serves too.
    assert len(guide.addresses(balancer)) == 2
    assert guide.curl(balancer, zone=1) == (200, "cado")
    # CA23: the overview shows what was made.
    named = ("--names", "cado-alb-test")
    [shown] = guide.aws("elbv2", "describe-load-balancers", *named)["LoadBalancers"]
    assert (shown["Type"], shown["IpAddressType"], shown["VpcId"]) == ("application", "ipv4", guide.vpc)
    assert shown["State"]["Code"] == "active" and shown["DNSName"] == balancer["DNSName"]
    described = guide.aws("elbv2", "describe-listeners", "--load-balancer-arn", balancer["LoadBalancerArn"])
    assert [one["ListenerArn"] for one in described["Listeners"]] == [listener["ListenerArn"]]
    # CA38: without the instance there is nobody to ask.
    guide.aws("elbv2", "deregister-targets", "--target-group-arn", group, "--targets", f"Id={instance}")
    assert guide.curl(balancer)[0] == 503


def platform(request):
    """A form for those who are not logged in, and a long report for those who are."""
    if request.method == "POST":
        is_right = request.body() == b"user=admin&password=a%26b"
        headers = [f"Location: https://{DOMAIN}/report?page=1", "Set-Cookie: session=s1; Path=/; Secure; HttpOnly"]
        request.respond("302 Found", headers=headers) if is_right else request.respond("403 Forbidden")
    elif request.header("cookie") == "session=s1":
        request.respond(body=REPORT.encode())
    else:
        request.respond(body=b"the form")


def test_a_user_logs_in_and_reads(guide):
    """CA26: cookies, redirects, forms and long answers pass as they are."""
    server = guide.server(script=platform)
    group = guide.target_group()
    guide.register(group, guide.instance(server))
    balancer = guide.load_balancer()
    guide.listener(balancer, guide.certificate(), group)
    guide.wait_until_healthy(group)
    assert guide.curl(balancer) == (200, "the form")
    jar = str(guide.directory / "jar")
    browser = ("--location", "--cookie", jar, "--cookie-jar", jar)
    assert guide.curl(balancer, *browser, "--data", "user=admin&password=wrong", path="/login")[0] == 403
    assert guide.curl(balancer, *browser, "--data", "user=admin&password=a%26b", path="/login") == (200, REPORT)
    assert server.requests[-1].path == "/report?page=1"
    assert guide.curl(balancer, *browser) == (200, REPORT), "the user stays logged in"


def test_a_user_keeps_a_websocket(guide):
    """CA26."""
    address, tls = guide.elbow.network.free_host(0), expired_context(guide.directory)
    guide.servers.append(EchoServer(address, "cado", port=PORT, tls=tls, health_path="/"))
    group = guide.target_group()
    guide.register(group, guide.instance(guide.servers[0]))
    balancer = guide.load_balancer()
    guide.listener(balancer, guide.certificate(), group)
    guide.wait_until_healthy(group)
    socket = Connection(guide.addresses(balancer)[0], PORT).socket
    trusting = ssl.create_default_context(cadata=guide.elbow.run("ca"))
    with connect(f"wss://{DOMAIN}/live", sock=socket, ssl=trusting, server_hostname=DOMAIN, proxy=None) as client:
        for message in ("who", "x" * 100_000):
            client.send(message)
            assert client.recv(timeout=20) == ("cado" if message == "who" else message)


def test_a_certificate_of_ones_own_does_without_a_domain(guide):
    """CA5: nobody vouches for it, so that a browser warns, and goes on if its user says so."""
    files = ("--certificate", f"fileb://{guide.directory}/cert", "--private-key", f"fileb://{guide.directory}/key")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=cado"]
    make += ["-keyout", str(guide.directory / "key"), "-out", str(guide.directory / "cert")]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    certificate = guide.aws("acm", "import-certificate", *files)["CertificateArn"]
    group = guide.target_group()
    guide.register(group, guide.instance(guide.server()))
    balancer = guide.load_balancer()
    guide.listener(balancer, certificate, group)
    guide.wait_until_healthy(group)
    address = guide.addresses(balancer)[0]
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsConnection(address, PORT, ssl.create_default_context(), balancer["DNSName"])
    trusting = ssl.create_default_context(cafile=guide.directory / "cert")
    trusting.check_hostname = False
    with TlsConnection(address, PORT, trusting, balancer["DNSName"]) as client:
        assert client.request(host=balancer["DNSName"]).text == "cado"


def test_an_instance_of_another_network_is_refused(guide):
    """CA10."""
    group = guide.target_group()
    zone = ("--availability-zone", guide.subnets[0]["AvailabilityZone"])
    other = guide.aws("ec2", "create-vpc", "--cidr-block", "10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = guide.aws("ec2", "create-subnet", "--vpc-id", other, *zone, "--cidr-block", "10.9.1.0/24")["Subnet"]
    stranger = guide.run_instance(subnet["SubnetId"], "--private-ip-address", "10.9.1.10")
    with pytest.raises(AwsError) as refused:
        guide.register(group, stranger)
    assert refused.value.code == "InvalidTarget"
    assert guide.health(group) == []


def test_one_subnet_is_not_enough(guide):
    """CA19 and CA20."""
    first = guide.subnets[0]["SubnetId"]
    with pytest.raises(AwsError) as refused:
        guide.aws("elbv2", "create-load-balancer", "--name", "cado", "--subnets", first)
    assert refused.value.code == "ValidationError"
    block = guide.elbow.network.vpc.replace(".0.0/16", ".9.0/24")
    zone = guide.subnets[1]["AvailabilityZone"]
    added = guide.aws(
        *("ec2", "create-subnet", "--vpc-id", guide.vpc, "--availability-zone", zone, "--cidr-block", block),
    )["Subnet"]["SubnetId"]
    made = guide.aws("elbv2", "create-load-balancer", "--name", "cado", "--subnets", first, added)["LoadBalancers"][0]
    assert {it["SubnetId"] for it in made["AvailabilityZones"]} == {first, added}
    # One that has been made already takes another subnet.
    other = guide.subnets[1]["SubnetId"]
    balancer = made["LoadBalancerArn"]
    moved = guide.aws("elbv2", "set-subnets", "--load-balancer-arn", balancer, "--subnets", first, other)
    assert {it["SubnetId"] for it in moved["AvailabilityZones"]} == {first, other}


def test_internal_load_balancers_have_names_of_their_own(guide):
    """CA16."""
    made = guide.load_balancer("--scheme", "internal", name="inside")
    assert made["Scheme"] == "internal" and made["DNSName"].startswith("internal-inside-")


def test_a_server_by_its_address(guide):
    """CA32: a local address instead of an instance; addresses outside the allowed ranges are refused."""
    group = guide.aws(
        *("elbv2", "create-target-group", "--name", "by-address", "--target-type", "ip"),
        *("--protocol", "HTTPS", "--port", PORT, "--vpc-id", guide.vpc),
    )["TargetGroups"][0]["TargetGroupArn"]
    target = "Id=10.0.0.12,AvailabilityZone=all"
    guide.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", target)
    assert [one["State"] for one in guide.health(group)] == ["unused"]
    with pytest.raises(AwsError) as refused:
        guide.aws("elbv2", "register-targets", "--target-group-arn", group, "--targets", "Id=8.8.8.8")
    assert refused.value.code == "ValidationError"


def test_an_update_of_the_platform_loses_no_request(guide):
    """CA33: the new instance is registered, the old one leaves, while people work."""
    old, new = guide.server(), guide.server(zone=1)
    group = guide.target_group()
    before = guide.instance(old)
    guide.register(group, before)
    balancer = guide.load_balancer()
    guide.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )
    guide.wait_until_healthy(group)
    with Load(guide.addresses(balancer), 8080) as load:
        after = guide.instance(new, zone=1)
        guide.register(group, after)
        guide.wait_until_healthy(group)
        guide.aws("elbv2", "deregister-targets", "--target-group-arn", group, "--targets", f"Id={before}")
        asked = len(old.requests)
        until(lambda: len(new.requests) > 50, "requests at the new instance")
    assert load.failures == []
    assert len([it for it in old.requests[asked:] if it.header("user-agent") != "ELB-HealthChecker/2.0"]) == 0


def test_a_check_by_http_of_a_server_that_speaks_https_says_so(guide):
    """CA35."""
    group = guide.target_group()
    guide.register(group, guide.instance(guide.server()))
    balancer = guide.load_balancer()
    guide.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )
    guide.wait_until_healthy(group)
    guide.aws("elbv2", "modify-target-group", "--target-group-arn", group, "--health-check-protocol", "HTTP")

    expected = {"State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}
    until(lambda: guide.health(group) == [expected], "a target that fails its checks")
    hint = guide.hint("target ")
    assert "TLS" in hint and "--health-check-protocol HTTPS" in hint


def test_a_server_that_says_nothing_is_a_gateway_timeout(guide):
    """CA37; nobody listed is CA38."""
    release = threading.Event()

    def answer(request):
        if request.path == "/report":
            release.wait(30)
            return False
        request.respond(body=b"welcome")

    group = guide.target_group()
    instance = guide.instance(guide.server(script=answer))
    guide.register(group, instance)
    balancer = guide.load_balancer()
    arn = balancer["LoadBalancerArn"]
    guide.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", arn, "--protocol", "HTTP", "--port", 8080),
        *("--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )
    guide.wait_until_healthy(group)
    with Connection(guide.addresses(balancer)[0], 8080) as client:
        assert client.request().text == "welcome"
    guide.aws(
        *("elbv2", "modify-load-balancer-attributes", "--load-balancer-arn", arn),
        *("--attributes", "Key=idle_timeout.timeout_seconds,Value=1"),
    )
    try:
        with Connection(guide.addresses(balancer)[0], 8080) as client:
            assert client.request(path="/report").status == 504
    finally:
        release.set()
    guide.aws("elbv2", "deregister-targets", "--target-group-arn", group, "--targets", f"Id={instance}")
    with Connection(guide.addresses(balancer)[0], 8080) as client:
        assert client.request().status == 503


def test_a_security_group_without_the_rule_lets_nobody_in(guide):
    """CA36: the client hangs without the rule and is served with it."""
    group = guide.aws(
        *("ec2", "create-security-group", "--group-name", "cado-lb", "--description", "d", "--vpc-id", guide.vpc),
    )["GroupId"]
    balancer = guide.load_balancer("--security-groups", group)
    guide.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080),
        *("--default-actions", "Type=fixed-response,FixedResponseConfig={StatusCode=200}"),
    )
    address = guide.addresses(balancer)[0]
    with pytest.raises(OSError):
        Connection(address, 8080, timeout=1).request()
    guide.aws(
        *("ec2", "authorize-security-group-ingress", "--group-id", group),
        *("--protocol", "tcp", "--port", 8080, "--cidr", "127.0.0.0/8"),
    )
    with Connection(address, 8080) as client:
        assert client.request().status == 200


def test_a_server_is_reached_once_its_security_group_admits_the_load_balancer(guide):
    """CA36: both groups must allow the path; without the rule of the server's group the client gets 504."""

    def security_group(name):
        made = guide.aws(
            *("ec2", "create-security-group", "--group-name", name, "--description", "d", "--vpc-id", guide.vpc),
        )
        return made["GroupId"]

    front, back = security_group("cado-lb"), security_group("cado-server")
    guide.aws(
        *("ec2", "authorize-security-group-ingress", "--group-id", front),
        *("--protocol", "tcp", "--port", 8080, "--cidr", "127.0.0.0/8"),
    )
    server, group = guide.server(), guide.target_group("--healthy-threshold-count", 2)
    options = ("--private-ip-address", server.address, "--security-group-ids", back)
    guide.register(group, guide.run_instance(guide.subnets[0]["SubnetId"], *options))
    balancer = guide.load_balancer("--security-groups", front)
    guide.aws(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"]),
        *("--protocol", "HTTP", "--port", 8080, "--default-actions", f"Type=forward,TargetGroupArn={group}"),
    )

    def ask():
        # Longer than a connection to a target may take.
        with Connection(guide.addresses(balancer)[0], 8080, timeout=20) as client:
            return client.request().status

    def has_timed_out():
        return [(one["State"], one.get("Reason")) for one in guide.health(group)] == [("unhealthy", "Target.Timeout")]

    assert ask() == 504
    until(has_timed_out, "checks that get no answer")
    guide.aws(
        *("ec2", "authorize-security-group-ingress", "--group-id", back),
        *("--protocol", "tcp", "--port", PORT, "--source-group", front),
    )
    assert ask() == 200
    guide.wait_until_healthy(group)

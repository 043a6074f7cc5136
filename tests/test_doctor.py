"""`elbow doctor`: what is wrong, found at a running elbow with real targets, and what to do about it."""

import asyncio
import datetime
import json
import os
import resource
import shlex
import socket
import ssl
import subprocess
import threading

import pytest
import trustme

from harness.certificates import Authority, import_certificate
from harness.dual_stack import associate, dualstack
from harness.elbow import Elbow, binary, quiet_environment
from harness.guard import EVERYTHING_OUT, Guard, tcp
from harness.http import get
from harness.https import TlsConnection, https_listener
from harness.namespace import ip, own_network
from harness.shop import Shop, fixed, forward
from harness.target import Target, failing
from harness.wait import until


@pytest.fixture
def own(make_elbow):
    """A shop in an elbow of its own: nothing that other tests leave is found in it."""
    shop = Shop(make_elbow())
    yield shop
    shop.close()


@pytest.fixture
def own6(make_elbow):
    """A shop with IPv6 blocks, in a network of its own: loopback has one address of IPv6."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user cannot make a network")
    with own_network():
        shop = Shop(make_elbow())
        associate(shop)
        yield shop


class Routed:
    """A network that the world reaches, as far as elbow knows."""

    vpc = "10.65.0.0/16"
    zones = [("us-east-1a", "10.65.1.0/24"), ("us-east-1b", "10.65.2.0/24")]


@pytest.fixture
def routed(tmp_path):
    """A shop there, in a network of its own."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user cannot make a network")
    path = tmp_path / "elbow.toml"
    path.write_text('[topology]\naddresses = "routed"\n')
    with own_network():
        ip("route", "add", "local", Routed.vpc, "dev", "lo")
        server = Elbow(tmp_path, Routed, arguments=["--config", str(path)])
        server.start()
        yield Shop(server)
        server.stop()


@pytest.fixture
def serve(own):
    """Starts targets on addresses of that elbow."""
    targets = []

    def start(name, **options):
        targets.append(Target(own.elbow.network.free_host(0), name, **options))
        return targets[-1]

    yield start
    for one in targets:
        one.close()


def run(elbow, *arguments):
    command = [str(binary()), "doctor", *arguments, "--data-dir", str(elbow.data)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=quiet_environment()
    )


def findings(shop):
    """What is wrong with each thing, without what this machine lacks."""
    done = run(shop.elbow, "--json")
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)["findings"]
    assert (done.returncode == 1) == bool(found)
    of_machine = ("limit of open files", "data directory", "security groups")
    return {one["subject"]: one for one in found if one["subject"] not in of_machine}


def subject_of(group, target):
    return f"target {target.address}:{target.port} of {group.split('/')[1]}"


def follow(shop, remedy):
    """Does what the doctor says, which is one command."""
    shop.elbow.aws(*shlex.split(remedy.split(": aws ")[1]))


def wrong(shop, group, target):
    return findings(shop)[subject_of(group, target)]["wrong"]


def unhealthy(shop, group):
    shop.wait_for_state(group, "unhealthy", timeout=60)


class Closed:
    """A target on which nothing listens."""

    def __init__(self, address, port=8080):
        self.address, self.port = address, port


class Blurting(Closed):
    """A target that says the same to everybody and hangs up."""

    def __init__(self, address, said):
        self._socket = socket.create_server((address, 0))
        super().__init__(*self._socket.getsockname())
        threading.Thread(target=self._serve, args=(said,), daemon=True).start()

    def _serve(self, said):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.sendall(said)
                connection.recv(1024)


class Asynchronous(Closed):
    """A target of asyncio that speaks TLS. It hangs up without an alert on a client that it has nothing in common with."""

    def __init__(self, address, context):
        self._loop = asyncio.new_event_loop()
        serving = asyncio.start_server(self._answer, address, 0, ssl=context)
        server = self._loop.run_until_complete(serving)
        super().__init__(*server.sockets[0].getsockname())
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    @staticmethod
    async def _answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()


@pytest.fixture
def asynchronous(own):
    """Starts such targets with a certificate of a kind, and with a version and a group of their own if wanted."""
    authority = Authority()

    def start(key_type=trustme.KeyType.ECDSA, version=None, group=None, address=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.ca.issue_cert("target.example", key_type=key_type).configure_cert(context)
        if version:
            context.minimum_version = context.maximum_version = version
        if group:
            context.set_ecdh_curve(group)
        return Asynchronous(address or own.elbow.network.free_host(0), context)

    return start


def test_what_is_well_is_not_found(own, serve):
    _, group, _ = own.serve(serve("one"))
    own.wait_for_state(group, "healthy")
    assert findings(own) == {}


def test_each_reason_why_a_target_fails_its_checks(own, serve, asynchronous):
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("target.example").configure_cert(context)
    tls = serve("tls", tls=context)
    version = ssl.TLSVersion
    of_tls = [
        asynchronous(),
        asynchronous(trustme.KeyType.RSA, version.TLSv1_2),
        asynchronous(version=version.TLSv1_2, group="secp384r1"),
        asynchronous(trustme.KeyType.RSA, version.TLSv1_3, "secp384r1"),
    ]
    plain = serve("plain")
    sick = serve("sick", health="503 Service Unavailable")
    closed = Closed(own.elbow.network.free_host(0))
    # It accepts connections and says nothing.
    silent = socket.create_server((own.elbow.network.free_host(0), 0))
    mute = Closed(*silent.getsockname())
    shell = Blurting(own.elbow.network.free_host(0), b"SSH-2.0-x\r\n")
    rude = Blurting(own.elbow.network.free_host(0), b"")
    picky = serve("picky", health="401 Unauthorized")

    cases = [
        (tls, {}, "Its health checks speak HTTP, and port 8080 speaks TLS."),
        *((one, {}, f"Its health checks speak HTTP, and port {one.port} speaks TLS.") for one in of_tls),
        (
            plain,
            {"HealthCheckProtocol": "HTTPS"},
            "Its health checks speak TLS, and port 8080 speaks plain HTTP.",
        ),
        (
            sick,
            {},
            "Health checks failed with these codes: [503]. The path is /target-health, the matcher 200.",
        ),
        (closed, {}, "Port 8080 is closed: the connection is refused."),
        (mute, {}, f"It does not answer /target-health on port {mute.port} within 2 s."),
        (shell, {}, f"Port {shell.port} answers 'SSH-2.0-x', which is not HTTP."),
        (rude, {}, f"Port {rude.port} closes the connection without an answer."),
        (
            serve("old"),
            {"ProtocolVersion": "HTTP2"},
            "Port 8080 speaks HTTP/1.1, and the target group wants HTTP/2 (version HTTP2).",
        ),
        (
            picky,
            {},
            "Health checks failed with these codes: [401]. The path is /target-health, the matcher 200.",
        ),
    ]
    groups = [own.group(target, **options) for target, options, _ in cases]
    # HTTP/2 is for listeners of HTTPS.
    certificate = import_certificate(own, authority.issue("shop.example"))
    listener = https_listener(own, own.balancer(), certificate, forward(groups[0]))
    for priority, group in enumerate(groups[1:], 1):
        conditions = [{"Field": "path-pattern", "Values": [f"/{priority}"]}]
        own.rule(listener, priority, conditions, forward(group))
    for group in groups:
        unhealthy(own, group)
    expected = {subject_of(group, target): wrong for group, (target, _, wrong) in zip(groups, cases)}

    with silent:
        # A busy machine may have a server answer later than the doctor waits for it.
        for _ in range(5):
            found = findings(own)
            told = {subject: found[subject]["wrong"] for subject in expected if subject in found}
            if told == expected:
                break
        assert told == expected
        text = run(own.elbow).stdout
    assert f"--target-group-arn {groups[0]} --health-check-protocol HTTPS" in text
    assert f"curl -v http://{rude.address}:{rude.port}/target-health" in text
    advice = text.split(f"or accept 401: aws elbv2 modify-target-group --target-group-arn {groups[-1]} --matcher ")[1]
    accepted = shlex.split(advice.splitlines()[0])
    own.elbow.aws("elbv2", "modify-target-group", "--target-group-arn", groups[-1], "--matcher", *accepted)
    own.wait_for_state(groups[-1], "healthy")
    assert text.rstrip().endswith("findings")


def test_healthy_targets_whose_requests_fail(own, serve, asynchronous):
    plain, open_beside = serve("plain"), serve("beside", port=8081)
    tls = asynchronous(address=serve("plain beside", port=8081).address)
    closed = Closed(open_beside.address)
    two_ports = serve("two")
    cases = [
        (
            plain,
            {"Protocol": "HTTPS", "HealthCheckProtocol": "HTTP"},
            "Requests to it speak TLS, and port 8080 speaks plain HTTP: they get 502, and its health checks pass "
            "because they speak HTTP.",
        ),
        (
            closed,
            {"HealthCheckPort": "8081"},
            "Port 8080, where requests go, is closed: they get 502, and its health checks pass on port 8081.",
        ),
        (
            tls,
            {"HealthCheckPort": "8081"},
            f"Requests to it speak plain HTTP, and port {tls.port} speaks TLS: they fail, and its health checks pass "
            "on port 8081.",
        ),
    ]
    well = own.group(two_ports, HealthCheckPort="8080", Port=8080)
    groups = [own.group(target, **options) for target, options, _ in cases]
    balancer = own.balancer()
    listener = own.listener(balancer, forward(well))
    for priority, group in enumerate(groups, 1):
        own.rule(listener, priority, [{"Field": "path-pattern", "Values": [f"/{priority}"]}], forward(group))
    for group in (well, *groups):
        own.wait_for_state(group, "healthy")
    for priority, (group, (target, _, expected)) in enumerate(zip(groups, cases), 1):
        assert wrong(own, group, target) == expected
        assert get(own.addresses(balancer)[0], f"/{priority}", port=own.port).status == 502, "it is true"
    assert len(findings(own)) == len(cases)


def test_a_group_in_which_nothing_gets_requests(own, serve):
    leaving, instance_target = serve("leaving"), serve("instance")
    address = instance_target.address
    instance = own.elbow.run("instance", "add", "--address", address).strip()
    machines = own.group(TargetType="instance")
    own.elbv2.register_targets(TargetGroupArn=machines, Targets=[{"Id": instance}])
    drained = own.group(leaving)
    balancer = own.balancer()
    listener = own.listener(balancer, forward(machines))
    own.rule(listener, 1, [{"Field": "path-pattern", "Values": ["/a"]}], forward(drained))
    own.wait_for_state(machines, "healthy")
    own.wait_for_state(drained, "healthy")
    assert findings(own) == {}

    own.deregister(drained, leaving)
    own.ec2.stop_instances(InstanceIds=[instance])
    own.wait_for_state(machines, "unused")
    found = findings(own)
    assert "none of its targets gets requests (1 draining)" in found[f"target group {drained.split('/')[1]}"]["wrong"]
    assert "none of its targets gets requests (1 unused)" in found[f"target group {machines.split('/')[1]}"]["wrong"]
    stopped = found[f"target {instance}:8080 of {machines.split('/')[1]}"]
    assert stopped["severity"] == "warning" and "in the stopped state" in stopped["wrong"]
    assert f"aws ec2 start-instances --instance-ids {instance}" in stopped["remedy"]
    assert len(found) == 3


def test_target_groups_without_targets_and_without_users(own, serve):
    empty = own.group()
    idle = own.group(serve("idle"))
    balancer = own.balancer()
    own.listener(balancer, forward(empty))
    # Neither a copy nor a weight of 0 makes a client wait for these two.
    shadow, standby = own.group(), own.group()
    rule = own.rule(
        own.listener(balancer, forward((empty, 1), (standby, 0)), port=own.port + 1),
        1,
        [{"Field": "path-pattern", "Values": ["/copied"]}],
        forward(empty),
    )
    own.elbv2.add_tags(
        ResourceArns=[rule], Tags=[{"Key": "elbow:mirror.target-group", "Value": shadow}]
    )
    bare = own.balancer()
    found = findings(own)
    copies = found[f"target group {shadow.split('/')[1]}"]
    assert copies["severity"] == "warning" and "nobody gets the copies" in copies["wrong"]
    assert f"target group {standby.split('/')[1]}" not in found
    assert found[f"target group {empty.split('/')[1]}"]["severity"] == "error"
    assert "503" in found[f"target group {empty.split('/')[1]}"]["wrong"]
    assert found[f"target group {idle.split('/')[1]}"]["severity"] == "warning"
    assert "no listeners" in found[f"load balancer {bare['LoadBalancerName']}"]["wrong"]
    assert len(found) == 4


def test_a_rule_whose_weights_are_all_0(own, serve):
    one, two = own.group(serve("one")), own.group(serve("two"))
    listener = own.listener(own.balancer(), forward((one, 0), (two, 0)))
    rule = own.rule(
        listener,
        1,
        [{"Field": "path-pattern", "Values": ["/new"]}],
        forward((one, 0), (two, 0)),
    )
    found = findings(own)
    assert all(one["severity"] == "error" and "503" in one["wrong"] for one in found.values())
    by_priority = {name.split()[1]: one["remedy"] for name, one in found.items()}
    assert by_priority.keys() == {"1", "default"}
    assert f"aws elbv2 modify-rule --rule-arn {rule} " in by_priority["1"]
    assert f"aws elbv2 modify-listener --listener-arn {listener} " in by_priority["default"]


def test_redirects_and_rules_that_lead_nowhere(own, serve):
    group = own.group(serve("one"))
    own.wait_for_state(group, "unused")
    balancer = own.balancer()

    def redirect(**parts):
        return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"} | parts}]

    def path(pattern):
        return [{"Field": "path-pattern", "Values": [pattern]}]

    listener = own.listener(balancer, forward(group))
    own.rule(listener, 1, path("/old/*"), redirect(Protocol="HTTPS", Port="8443"))
    own.rule(listener, 2, path("/login*"), redirect(Path="/login"))
    own.rule(listener, 3, path("/login/new"), fixed())
    own.wait_for_state(group, "healthy")
    subject = f"of listener HTTP:{own.port} of {balancer['LoadBalancerName']}"
    found = findings(own)
    assert "has no listener on port 8443" in found[f"rule 1 {subject}"]["wrong"]
    told = [one["wrong"] for one in json.loads(run(own.elbow, "--json").stdout)["findings"]]
    assert any("/login?#{query}, which it redirects again" in wrong for wrong in told), told
    assert any("never reached: 3." in wrong for wrong in told), told
    assert len(found) == 2, "two of the findings are of one rule"

    certificate = import_certificate(own, Authority().issue("shop.example"))
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    https_listener(own, balancer, certificate, forward(group), port=8443, SslPolicy=policy)
    own.elbv2.set_rule_priorities(
        RulePriorities=[
            {"RuleArn": rule["RuleArn"], "Priority": {"2": 3, "3": 2}[rule["Priority"]]}
            for rule in own.elbv2.describe_rules(ListenerArn=listener)["Rules"]
            if rule["Priority"] in "23"
        ]
    )
    found = findings(own)
    assert list(found) == [f"rule 3 {subject}"], "the redirect to itself is still there"


def test_identity_providers_that_cannot_be_reached(own):
    certificate = import_certificate(own, Authority().issue("shop.example"))
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    balancer = own.balancer()
    listener = https_listener(own, balancer, certificate, fixed(), SslPolicy=policy)
    closed = Closed(own.elbow.network.free_host(0))
    provider = f"https://{closed.address}:{closed.port}"
    with socket.create_server((own.elbow.network.free_host(0), 0)) as keys:
        address, port = keys.getsockname()
        login = {
            "Issuer": provider,
            "AuthorizationEndpoint": f"{provider}/authorize",
            "TokenEndpoint": f"{provider}/token",
            "UserInfoEndpoint": f"{provider}/user",
            "ClientId": "shop",
            "ClientSecret": "secret",
        }
        token = {"JwksEndpoint": f"https://{address}:{port}/keys", "Issuer": provider}
        for priority, action in [
            (1, {"Type": "authenticate-oidc", "AuthenticateOidcConfig": login}),
            (2, {"Type": "jwt-validation", "JwtValidationConfig": token}),
        ]:
            condition = {"Field": "path-pattern", "Values": [f"/{priority}"]}
            own.rule(listener, priority, [condition], [action | {"Order": 1}, fixed()[0] | {"Order": 2}])
        subject = f"of listener HTTPS:8443 of {balancer['LoadBalancerName']}"
        found = findings(own)
        assert list(found) == [f"rule 1 {subject}"]
        refusal = f"and {closed.address} refuses connections to port {closed.port}: whoever comes anew gets 500"
        assert refusal in found[f"rule 1 {subject}"]["wrong"]
    wrong = findings(own)[f"rule 2 {subject}"]["wrong"]
    assert f"{address} refuses connections to port {port}" in wrong


def test_http2_that_is_not_offered(own, serve):
    certificate = import_certificate(own, Authority().issue("shop.example"))
    balancer = own.balancer()
    calls = own.group(ProtocolVersion="GRPC", HealthCheckPath="/", Matcher={"GrpcCode": "0"})
    https_listener(own, balancer, certificate, forward(calls))
    name = f"load balancer {balancer['LoadBalancerName']}"
    assert name not in findings(own)
    attributes = [{"Key": "routing.http2.enabled", "Value": "false"}]
    own.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=attributes)
    assert calls.split("/")[1] in findings(own)[name]["wrong"]


def test_a_target_whose_requests_fail_more_often(own, serve):
    servers = [serve("bad", script=failing), *(serve(name) for name in "abc")]
    address, group, _ = own.serve(*servers)
    own.wait_for_state(group, "healthy")
    assert findings(own) == {}
    subject = subject_of(group, servers[0])

    def is_found():
        for _ in range(100):
            get(address, port=own.port)
        return list(findings(own)) == [subject]

    until(is_found, "the anomaly being found", timeout=30)


def test_addresses_that_this_machine_does_not_have(own6):
    balancer, _, ipv6 = dualstack(own6)
    own6.listener(balancer, fixed())
    assert findings(own6) == {}, "elbow has made them local"
    ip("-6", "route", "del", "local", ipv6[1], "dev", "lo")
    found = findings(own6)
    assert list(found) == [f"load balancer {balancer['LoadBalancerName']}"]
    assert f"does not have its address {ipv6[1]}" in found.popitem()[1]["wrong"]


def test_security_groups_that_keep_a_family_out(own6):
    guard = Guard(own6, tcp("127.0.0.0/8"))
    balancer, _, _ = dualstack(own6, SecurityGroups=[guard.id])
    target = Target(own6.elbow.network.free_host(0), "one")
    group = own6.group(target)
    own6.listener(balancer, forward(group))
    own6.wait_for_state(group, "healthy")
    [found] = findings(own6).values()
    assert f"({guard.id}) admit nobody over IPv6 on port {own6.port}" in found["wrong"]
    follow(own6, found["remedy"].replace("BLOCK", "::/0"))
    assert findings(own6) == {}, "the world does not reach this machine's loopback"
    target.close()


def test_clear_text_for_the_world_ends_and_the_site_is_served_throughout(routed):
    target = Target("10.65.1.200", "one")
    group = routed.group(target)
    guard = Guard(routed, tcp("0.0.0.0/0", 80, 80))
    balancer = routed.balancer(SecurityGroups=[guard.id])
    listener = routed.listener(balancer, forward(group), port=80)
    routed.rule(listener, 1, [{"Field": "path-pattern", "Values": ["/a"]}], forward(group))
    routed.wait_for_state(group, "healthy")
    [found] = findings(routed).values()
    assert found["wrong"] == "It is open to the world, and rules of it forward in clear text: 1, default."

    authority = Authority()
    certificate = import_certificate(routed, authority.issue("shop.example"))
    address = routed.addresses(balancer)[0]

    def is_served(path):
        answer = get(address, path, port=80)
        if answer.status == 200:
            return True
        assert answer.header("Location").startswith(f"https://shop.example:443{path}")
        with TlsConnection(address, 443, authority.context()) as connection:
            return connection.request(path=path).text == "one"

    _, *steps = found["remedy"].split("; then ")
    for number, step in enumerate(steps):
        command = step.split(": aws ")[1].replace("CertificateArn=ARN", f"CertificateArn={certificate}")
        routed.elbow.aws(*shlex.split(command.replace("ACTIONS", f"Type=forward,TargetGroupArn={group}")))
        assert is_served("/a") and is_served("/b"), step
        is_last = number == len(steps) - 1
        assert (findings(routed) == {}) == is_last, "as long as one rule forwards in clear text, it is told"
    assert get(address, "/a", port=80).status == get(address, "/b", port=80).status == 301
    target.close()


def test_what_attributes_make_of_zones(own, serve):
    one = serve("one")
    _, group, _ = own.serve(one)
    own.wait_for_state(group, "healthy")

    def told(**attributes):
        attributes = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
        own.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
        found = json.loads(run(own.elbow, "--json").stdout)["findings"]
        return [one["wrong"] for one in found if one["id"] == group]

    routing = "target_group_health__unhealthy_state_routing__minimum_healthy_targets__count"
    dns = "target_group_health__dns_failover__minimum_healthy_targets__count"
    bare = "It is not cross-zone and has no target in us-east-1b: what comes to the load balancer there gets 503."
    cross_zone = "load_balancing__cross_zone__enabled"
    assert told(**{cross_zone: "false"}) == [bare]
    assert told(**{cross_zone: "true"}) == []
    wants = "It wants 2 healthy targets and has 1 in all: "
    found = told(**{routing: "2", dns: "2"})
    assert len(found) == 2 and all(wrong.startswith(wants) for wrong in found)
    machine = own.elbow.run("instance", "add", "--address", own.elbow.network.free_host(1)).strip()
    machines = own.group(TargetType="instance")
    own.elbv2.register_targets(TargetGroupArn=machines, Targets=[{"Id": machine}])
    attributes = [{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]
    own.elbv2.modify_target_group_attributes(TargetGroupArn=machines, Attributes=attributes)
    own.listener(own.balancer(), forward(machines))
    until(lambda: own.health(machines)[machine, 8080][0] == "unhealthy", "it is checked")
    assert "has no target in us-east-1a" in findings(own)[f"target group {machines.split('/')[1]}"]["wrong"]


def test_security_groups_that_keep_everybody_out(own, serve):
    def security_group(name):
        made = own.ec2.create_security_group(GroupName=name, Description=name, VpcId=own.vpc)
        return made["GroupId"]

    closed = security_group("closed")
    balancer = own.balancer(SecurityGroups=[closed])
    own.listener(balancer, fixed())
    found = findings(own)
    name = balancer["LoadBalancerName"]
    assert f"admit nobody on port {own.port}" in found[f"listener HTTP:{own.port} of {name}"]["wrong"]

    # An instance whose group does not admit the load balancer, and whose application is silent.
    silent = socket.create_server((own.elbow.network.free_host(0), 8080))
    address = silent.getsockname()[0]
    app = security_group("app")
    instance = own.elbow.run("instance", "add", "--address", address, "--security-group", app).strip()
    group = own.group(TargetType="instance")
    own.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    own.listener(balancer, forward(group), port=own.port + 1)
    unhealthy(own, group)
    subject = f"target {instance}:8080 of {group.split('/')[1]}"

    with silent:
        own.ec2.revoke_security_group_egress(GroupId=closed, IpPermissions=[EVERYTHING_OUT])
        denied = findings(own)[subject]
        assert f"For requests and health checks, no egress rule of {closed} lets {name}" in denied["wrong"]
        follow(own, denied["remedy"])
        denied = findings(own)[subject]
        assert f"no ingress rule of {app} lets {name} in on port 8080" in denied["wrong"]
        follow(own, denied["remedy"])
        assert "does not answer" in findings(own)[subject]["wrong"]


def test_security_groups_that_admit_checks_alone(own, serve):
    made = own.ec2.create_security_group(GroupName="checked", Description="checked", VpcId=own.vpc)
    checked = made["GroupId"]
    checks = serve("checks")
    own.ec2.authorize_security_group_ingress(
        GroupId=checked, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp=own.elbow.network.vpc
    )
    instance = own.elbow.run("instance", "add", "--address", checks.address, "--security-group", checked).strip()
    group = own.group(TargetType="instance", HealthCheckPort="8080")
    own.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8081}])
    own.listener(own.balancer(), forward(group))
    own.wait_for_state(group, "healthy")
    [found] = findings(own).values()
    assert "For requests, no ingress rule" in found["wrong"] and "on port 8081" in found["wrong"]


def test_a_prefix_list_admits_whom_it_names(own):
    network = own.elbow.network.vpc
    entries = [{"Cidr": network}]
    made = own.ec2.create_managed_prefix_list(
        PrefixListName="inside", AddressFamily="IPv4", MaxEntries=5, Entries=entries
    )
    prefix_list = made["PrefixList"]["PrefixListId"]
    made = own.ec2.create_security_group(GroupName="listed", Description="listed", VpcId=own.vpc)
    listed = made["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "PrefixListIds": [{"PrefixListId": prefix_list}]}
    own.ec2.authorize_security_group_ingress(GroupId=listed, IpPermissions=[permission])
    balancer = own.balancer(SecurityGroups=[listed])

    # The instance's security group admits the load balancer by the same list; only its application is at fault.
    silent = socket.create_server((own.elbow.network.free_host(0), 8080))
    address = silent.getsockname()[0]
    instance = own.elbow.run("instance", "add", "--address", address, "--security-group", listed).strip()
    group = own.group(TargetType="instance")
    own.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    own.listener(balancer, forward(group))
    unhealthy(own, group)
    with silent:
        found = findings(own)
    subject = f"target {instance}:8080 of {group.split('/')[1]}"
    assert list(found) == [subject], "the listener admits clients"
    assert "does not answer" in found[subject]["wrong"]

    own.ec2.modify_managed_prefix_list(
        PrefixListId=prefix_list, CurrentVersion=1, RemoveEntries=[{"Cidr": network}]
    )
    name = balancer["LoadBalancerName"]
    assert "admit nobody" in findings(own)[f"listener HTTP:{own.port} of {name}"]["wrong"]


def test_certificates_and_policies(own):
    authority = Authority()
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7, hours=12)
    certificate = import_certificate(own, authority.issue("shop.example", not_after=soon))
    additional = import_certificate(own, authority.issue("idle.example"))
    balancer = own.balancer()
    listener = own.elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=own.port + 1,
        Certificates=[{"CertificateArn": certificate}],
        SslPolicy="ELBSecurityPolicy-2016-08",
        DefaultActions=fixed(404),
    )["Listeners"][0]["ListenerArn"]
    own.elbv2.add_listener_certificates(
        ListenerArn=listener, Certificates=[{"CertificateArn": additional}]
    )
    other = own.rule(listener, 1, [{"Field": "host-header", "Values": ["other.example"]}], fixed(404))
    # Lists of certificates have the first 100 of their names.
    names = [f"{number}.crowd.example" for number in range(100, 220)]
    crowd = import_certificate(own, authority.issue(*names))
    own.elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": crowd}])
    own.rule(listener, 2, [{"Field": "host-header", "Values": [names[-1]]}], fixed(404))

    def told():
        found = json.loads(run(own.elbow, "--json").stdout)["findings"]
        return {one["wrong"]: one["id"] for one in found}

    found = told()
    assert found["It expires soon; whole days that are left: 7."] == certificate
    assert found["No rule of the listener serves idle.example."] == additional
    assert listener in found.values(), "its security policy is old"
    assert not any("crowd.example" in wrong for wrong in found)
    assert not any("shop.example" in wrong for wrong in found), "the default certificate cannot be removed"
    bare = "No certificate of the listener is for other.example: clients that go there are shown one they refuse."
    assert found[bare] == other
    # The default rule is for every host.
    own.elbv2.modify_listener(ListenerArn=listener, DefaultActions=fixed(200))
    assert additional not in told().values()


def test_a_low_limit_of_open_files_is_found(make_elbow):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    elbow = make_elbow()
    resource.prlimit(elbow.pid, resource.RLIMIT_NOFILE, (512, hard))
    told = json.loads(run(elbow, "--json").stdout)["findings"]
    assert [one["wrong"] for one in told if one["subject"] == "limit of open files"] == [
        "elbow may open 512 files and sockets, two for each request in progress."
    ]


def test_without_an_elbow_the_status_is_2(tmp_path):
    command = [str(binary()), "doctor", "--data-dir", str(tmp_path / "nothing")]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment())
    assert done.returncode == 2 and "elbow serve" in done.stderr

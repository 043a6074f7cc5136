"""IPv6: blocks of subnets, dual-stack load balancers, targets of IPv6, and where the addresses come from.

Loopback has one address of IPv6, so everything here happens in a network namespace of its own, which only root
can make.
"""

import itertools
import os
import re
import shlex
import subprocess

import pytest

from harness.dual_stack import BLOCK, FIRST, SECOND, associate, dualstack
from harness.elbow import AwsError, Elbow
from harness.errors import refused
from harness.explain import explain, run
from harness.guard import PATIENCE, Guard, is_answered, tcp
from harness.http import Connection, get
from harness.load import MARK, Load
from harness.namespace import add_address, ip, local_routes, own_network
from harness.network import Network
from harness.shop import Shop, fixed, forward, unique
from harness.target import Target
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user cannot make a network")


@pytest.fixture(scope="module", autouse=True)
def namespace():
    with own_network():
        yield


@pytest.fixture
def apart():
    """A network without the routes of the elbow of the other tests, which has the same blocks."""
    with own_network():
        yield


@pytest.fixture(scope="module")
def elbow(namespace, tmp_path_factory):
    """An elbow in the namespace, whose VPC and default subnets have IPv6 blocks."""
    with Network.claim() as network:
        server = Elbow(tmp_path_factory.mktemp("elbow"), network)
        server.start()
        associate(Shop(server))
        yield server
        server.stop()


@pytest.fixture
def target6(elbow):
    """Starts HTTP servers on addresses of IPv6: target6(name, host), in the first subnet."""
    targets = []

    def start(name, host, **options):
        targets.append(Target(add_address(f"{FIRST}{host}"), name, **options))
        return targets[-1]

    yield start
    for one in targets:
        one.close()


def group6(shop, *targets, **options):
    return shop.group(*targets, IpAddressType="ipv6", **options)


def test_a_dual_stack_load_balancer_lives_and_dies(apart, make_elbow):
    """All of it by the real `aws` command, as its owner would."""
    elbow = make_elbow()
    aws = elbow.aws
    [vpc] = aws("ec2", "describe-vpcs")["Vpcs"]
    assert "Ipv6CidrBlockAssociationSet" not in vpc, "as on AWS a default VPC has none"
    vpc = vpc["VpcId"]
    made = aws("ec2", "associate-vpc-cidr-block", "--vpc-id", vpc, "--amazon-provided-ipv6-cidr-block")
    block = made["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"]
    assert re.fullmatch(r"fd[0-9a-f:]+::/56", block), block
    default = ("--filters", "Name=default-for-az,Values=true", "--query", "Subnets[].SubnetId")
    subnets = aws("ec2", "describe-subnets", *default)
    prefix = block.removesuffix("00::/56")
    associations = []
    for number, subnet in enumerate(subnets):
        made = aws(
            *("ec2", "associate-subnet-cidr-block", "--subnet-id", subnet),
            *("--ipv6-cidr-block", f"{prefix}{number:02x}::/64"),
        )
        associations.append(made["Ipv6CidrBlockAssociation"]["AssociationId"])
    states = aws("ec2", "describe-subnets", "--subnet-ids", *subnets)["Subnets"]
    states = [one["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"] for one in states]
    assert states == ["associated", "associated"]

    name, port = unique("six"), Shop(elbow).port
    [made] = aws(
        *("elbv2", "create-load-balancer", "--name", name, "--subnets", *subnets),
        *("--ip-address-type", "dualstack"),
    )["LoadBalancers"]
    arn = made["LoadBalancerArn"]
    assert made["IpAddressType"] == "dualstack"
    aws(
        *("elbv2", "create-listener", "--load-balancer-arn", arn, "--protocol", "HTTP"),
        *("--port", port, "--default-actions"),
        "Type=fixed-response,FixedResponseConfig={StatusCode=200}",
    )
    hosts = [line.split(" ") for line in elbow.run("hosts").splitlines()]
    assert {host for _, host in hosts} == {made["DNSName"]}
    addresses = [address for address, _ in hosts]
    assert len([address for address in addresses if ":" in address]) == 2
    for address in addresses:
        assert get(address, port=port).status == 200, address

    in_use = ("ec2", "disassociate-subnet-cidr-block", "--association-id")
    with pytest.raises(AwsError) as caught:
        aws(*in_use, associations[0])
    assert caught.value.code == "InvalidCidrBlock.InUse"
    [ipv4] = [address for address in addresses[:1]]
    with Connection(ipv4, port) as connection:
        assert connection.request().status == 200
        for kind in ("ipv4", "dualstack-without-public-ipv4", "dualstack", "ipv4"):
            set_type = ("elbv2", "set-ip-address-type", "--load-balancer-arn", arn)
            assert aws(*set_type, "--ip-address-type", kind) == {"IpAddressType": kind}
            described = aws("elbv2", "describe-load-balancers", "--names", name)["LoadBalancers"]
            assert [one["IpAddressType"] for one in described] == [kind]
            for address in addresses:
                listens = ":" not in address or kind != "ipv4"
                assert is_answered(address, port, None) == listens, (kind, address)
            assert connection.request().status == 200, "IPv4 has not noticed"
    for association in associations:
        aws(*in_use, association)
    aws("elbv2", "delete-load-balancer", "--load-balancer-arn", arn)
    assert elbow.run("hosts") == ""


def test_targets_of_ipv6_get_requests_of_both_families(shop, target6):
    server = target6("six", 77)
    group = group6(shop, server)
    balancer, ipv4, ipv6 = dualstack(shop)
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    for address in ipv4 + ipv6:
        assert get(address, port=shop.port).text == "six"
    assert shop.health(group) == {(f"{FIRST}77", 8080): ("healthy", None)}
    peers = {request.header("X-Forwarded-For") for request in server.requests}
    assert "::1" in peers and len(peers) == 2


def test_health_checks_name_targets_in_brackets(shop, target6):
    """The check of such a target would fail if its Host were not one."""
    seen = []

    def note(request):
        seen.append(request.header("Host"))
        request.respond(body=b"ok")

    server = target6("six", 78, script=note)
    group = group6(shop, server, HealthCheckPath="/checked")
    balancer, _, _ = dualstack(shop)
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    assert set(seen) == {f"[{FIRST}78]:8080"}


def test_targets_of_ipv4_get_requests_of_clients_of_ipv6(shop, target):
    server = target("four")
    group = shop.group(server)
    balancer, _, ipv6 = dualstack(shop)
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    attribute = {"Key": "routing.http.xff_client_port.enabled", "Value": "true"}
    shop.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=[attribute]
    )
    with Connection(ipv6[0], shop.port) as connection:
        assert connection.request(host=f"[{ipv6[0]}]").text == "four"
        port = connection.socket.getsockname()[1]
    [request] = server.requests
    assert request.header("X-Forwarded-For") == f"[::1]:{port}"
    assert request.header("Host") == f"[{ipv6[0]}]"


def test_an_instance_is_a_target_by_its_primary_ipv6_address(shop, elbow, target6):
    server = target6("machine", 79)
    made = shop.ec2.run_instances(
        **{"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1, "SubnetId": shop.subnets[0]},
        PrivateIpAddress=elbow.network.free_host(0),
        Ipv6Addresses=[{"Ipv6Address": server.address}],
        EnablePrimaryIpv6=True,
    )
    [instance] = made["Instances"]
    shop.undo(shop.ec2.terminate_instances, InstanceIds=[instance["InstanceId"]])
    assert instance["Ipv6Address"] == server.address
    group = group6(shop, TargetType="instance")
    target = {"Id": instance["InstanceId"]}
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[target])
    balancer, _, ipv6 = dualstack(shop)
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    assert get(ipv6[1], port=shop.port).text == "machine"


def test_families_do_not_mix(shop):
    group = group6(shop)
    balancer = shop.balancer()
    with refused("InvalidConfigurationRequest", "cannot associate an IPv6 target group"):
        shop.listener(balancer, forward(group))
    target = [{"Id": "127.0.0.1"}]
    with refused("ValidationError", "not a valid IPv6 address"):
        shop.elbv2.register_targets(TargetGroupArn=group, Targets=target)
    with refused("ValidationError", "not a valid IPv4 address"):
        shop.elbv2.register_targets(TargetGroupArn=shop.group(), Targets=[{"Id": "::1"}])
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "::1"}])


def test_no_request_starts_on_a_deregistered_target(shop, target6):
    """The drain promise does not depend on the family."""
    stays, leaves = target6("stays", "80"), target6("leaves", "81")
    group = group6(shop, stays, leaves)
    balancer, ipv4, ipv6 = dualstack(shop)
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    with Load([ipv6[0], ipv4[0], ipv6[1]], shop.port, clients=6, fresh=2) as load:
        for _ in range(5):
            load.wait_for_every_client(requests=5)
            shop.deregister(group, leaves)
            mark = load.next_mark()
            load.wait_for_every_client(requests=5)
            late = [one for one in leaves.requests if int(one.header(MARK)) >= mark]
            assert late == [], "a request started on a target that was deregistered"
            shop.register(group, leaves)
            until(lambda: shop.health(group)[leaves.address, 8080][0] == "healthy", "its return")
    assert load.failures == []
    assert set(load.answers) == {"stays", "leaves"}


def test_source_ip_conditions_have_blocks_of_ipv6(shop):
    balancer, ipv4, ipv6 = dualstack(shop)
    client = add_address("2001:db8:1::7")
    listener = shop.listener(balancer, fixed(200, "others", "text/plain"))
    source = {"Field": "source-ip", "SourceIpConfig": {"Values": ["2001:db8:1::/48"]}}
    shop.rule(listener, 1, [source], fixed(200, "those", "text/plain"))
    guard = Guard(shop, tcp("::/0"), tcp("0.0.0.0/0"))
    shop.elbv2.set_security_groups(
        LoadBalancerArn=balancer["LoadBalancerArn"], SecurityGroups=[guard.id]
    )
    assert get(ipv6[0], port=shop.port, source=client).text == "those"
    assert get(ipv6[0], port=shop.port).text == "others"
    assert get(ipv4[0], port=shop.port).text == "others"


def test_security_groups_guard_each_family_by_its_own_ranges(shop):
    allowed, denied = add_address("2001:db8:2::1"), add_address("2001:db8:3::1")
    guard = Guard(shop, tcp("2001:db8:2::/48", shop.port, shop.port))
    balancer, ipv4, ipv6 = dualstack(shop, SecurityGroups=[guard.id])
    shop.listener(balancer, fixed(200))
    with Connection(ipv6[0], shop.port, source=allowed) as connection:
        for address in ipv6:
            assert is_answered(address, shop.port, allowed)
            with pytest.raises(TimeoutError):
                Connection(address, shop.port, source=denied, timeout=PATIENCE)
        assert not is_answered(ipv4[0], shop.port, None), "a range of IPv6 admits nobody of IPv4"
        guard.revoke(tcp("2001:db8:2::/48", shop.port, shop.port))
        guard.admit(tcp("0.0.0.0/0"))
        assert is_answered(ipv4[0], shop.port, None)
        assert not is_answered(ipv6[0], shop.port, allowed), "and the other way round"
        guard.admit(tcp("::/0"))
        assert is_answered(ipv6[0], shop.port, denied)
        assert connection.request().status == 200, "a connection that was allowed goes on"


def test_explain_takes_a_client_of_the_family_of_the_address(shop, elbow):
    balancer, ipv4, ipv6 = dualstack(shop)
    shop.listener(balancer, fixed(200))
    guard = Guard(shop, tcp("::1/128"))
    arn = balancer["LoadBalancerArn"]
    shop.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[guard.id])
    for address, host, client, is_admitted in [
        (ipv4[0], ipv4[0], "127.0.0.1", False),
        (ipv6[0], f"[{ipv6[0]}]", "::1", True),
    ]:
        told = explain(elbow, "GET", f"http://{host}:{shop.port}/")
        assert (told["from"], told["is_admitted"]) == (client, is_admitted)
        assert is_answered(address, shop.port, None) == is_admitted, "explain says what elbow does"
    for host, other in ((ipv4[0], "::1"), (f"[{ipv6[0]}]", "127.0.0.1")):
        code, text, errors = run(elbow, "GET", f"http://{host}:{shop.port}/", "--from", other)
        assert (code, text) == (2, "") and f"the address {other} cannot connect" in errors, errors
    named = f"http://{balancer['DNSName']}:{shop.port}/"
    assert explain(elbow, "GET", named)["from"] == "127.0.0.1"
    told = explain(elbow, "GET", named, "--from", "::1")
    assert told["address"] == f"[{ipv6[0]}]:{shop.port}" and told["is_admitted"]


def test_a_member_of_a_group_is_admitted_by_both_of_its_addresses(shop):
    front = Guard(shop)
    pair = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": front.id}]}
    balancer, ipv4, ipv6 = dualstack(shop, SecurityGroups=[Guard(shop, pair).id])
    shop.listener(balancer, fixed(200))
    _, other_ipv4, other_ipv6 = dualstack(shop, SecurityGroups=[front.id])
    # The address is local by a route alone, and a client can only bind what an interface has.
    source = add_address(other_ipv6[0])
    assert is_answered(ipv4[0], shop.port, other_ipv4[0])
    assert is_answered(ipv6[0], shop.port, source)
    assert not is_answered(ipv6[0], shop.port, None), "this machine is no member"


def test_internal_load_balancers_can_be_dual_stack(shop):
    with refused("InvalidConfigurationRequest", "'dualstack-without-public-ipv4' is not supported"):
        shop.balancer(IpAddressType="dualstack-without-public-ipv4", Scheme="internal")
    balancer, _, ipv6 = dualstack(shop, Scheme="internal")
    shop.listener(balancer, fixed(200))
    assert get(ipv6[0], port=shop.port).status == 200
    arn = balancer["LoadBalancerArn"]
    attributes = shop.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    key = "ipv6.deny_all_igw_traffic"
    assert {"Key": key, "Value": "true"} in attributes
    with refused("InvalidConfigurationRequest", key):
        shop.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": "false"}]
        )


def routed(address):
    """Whether there is a route that makes the address local, and no interface that has it."""
    return any(line.startswith(f"local {address} dev lo proto 65 ") for line in local_routes())


def test_addresses_are_local_as_long_as_elbow_runs(apart, make_elbow):
    server = make_elbow()
    shop = Shop(server)
    associate(shop)
    balancer, _, ipv6 = dualstack(shop)
    shop.listener(balancer, fixed(200))
    assert all(routed(address) for address in ipv6)
    server.kill()
    assert all(routed(address) for address in ipv6), "a crash leaves them"
    server.start()
    assert get(ipv6[0], port=shop.port).status == 200
    assert server.stop() == 0
    assert not any(routed(address) for address in ipv6), "an orderly stop does not"
    server.start()
    assert get(ipv6[0], port=shop.port).status == 200, "a start makes them again"


def test_a_route_goes_with_its_address_and_not_with_another_elbow(apart, make_elbow):
    server, other = make_elbow(), make_elbow()
    shop, others = Shop(server), Shop(other)
    associate(shop)
    associate(others)
    balancer, _, ipv6 = dualstack(shop)
    arn = balancer["LoadBalancerArn"]
    shop.listener(balancer, fixed(200))
    _, _, found = dualstack(others)
    assert found == ipv6, "the other one has the same addresses, and finds them local"
    assert other.stop() == 0
    assert all(routed(address) for address in ipv6)

    with Connection(ipv6[0], shop.port) as connection:
        assert connection.request().status == 200
        shop.elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")
        assert not routed(ipv6[1])
        assert connection.request().status == 200, "a connection to the address goes on"

    timeouts = itertools.count(61)

    def is_gone_with_a_change():
        attribute = {"Key": "idle_timeout.timeout_seconds", "Value": str(next(timeouts))}
        shop.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
        return not routed(ipv6[0])

    until(is_gone_with_a_change, "the end of the route")


@pytest.fixture
def powerless(apart, make_elbow):
    """An elbow that may not make routes, with IPv6 blocks."""
    server = make_elbow(through=["setpriv", "--bounding-set=-net_admin"])
    associate(Shop(server))
    return server


def test_without_the_privilege_the_error_says_what_to_do(powerless):
    shop = Shop(powerless)
    balancer = shop.balancer()
    arn = balancer["LoadBalancerArn"]
    with refused("InvalidConfigurationRequest", "CAP_NET_ADMIN"):
        dualstack(shop)
    assert len(shop.elbv2.describe_load_balancers()["LoadBalancers"]) == 1
    said = []
    for _ in range(2):
        with pytest.raises(shop.elbv2.exceptions.ClientError) as caught:
            shop.elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
        [command] = re.findall(r"'(ip -6 route add local .*?)'", str(caught.value))
        said.append(command)
        subprocess.run(shlex.split(command), check=True, timeout=10)
    assert [block.split()[5] for block in said] == [f"{FIRST}/64", f"{SECOND}/64"]
    shop.elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
    shop.listener(balancer, fixed(200))
    for address in shop.ipv6_addresses(balancer):
        assert get(address, port=shop.port).status == 200
    powerless.stop()
    lines = local_routes()
    for command in said:
        block = command.split()[5]
        assert any(line.startswith(f"local {block} ") for line in lines), "they are not elbow's"
        ip("-6", "route", "del", "local", block, "dev", "lo")


CONFIGURATION = f"""
[topology]
addresses = "routed"
vpc_ipv6_cidr = "{BLOCK}"
vpc_cidr = "10.65.0.0/16"

[[topology.zones]]
name = "us-east-1a"
subnet_cidr = "10.65.1.0/24"
subnet_ipv6_cidr = "{FIRST}/64"

[[topology.zones]]
name = "us-east-1b"
subnet_cidr = "10.65.2.0/24"
subnet_ipv6_cidr = "{SECOND}/64"
"""


class Configured:
    """The network of the configuration file, in the place of one that flags describe."""

    vpc, zones = "10.65.0.0/16", []


def test_the_configuration_gives_blocks_that_somebody_else_routes(apart, tmp_path):
    path = tmp_path / "elbow.toml"
    path.write_text(CONFIGURATION)
    server = Elbow(tmp_path, Configured, arguments=["--config", str(path)])
    server.start()
    try:
        shop = Shop(server)
        [vpc] = shop.ec2.describe_vpcs()["Vpcs"]
        assert vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] == BLOCK
        with refused("InvalidConfigurationRequest", f"{FIRST}/64"):
            dualstack(shop)
        ip("route", "add", "local", "10.65.0.0/16", "dev", "lo")
        ip("-6", "route", "add", "local", BLOCK, "dev", "lo", "src", "::1")
        balancer, ipv4, ipv6 = dualstack(shop)
        shop.listener(balancer, fixed(200))
        for address in ipv4 + ipv6:
            assert get(address, port=shop.port).status == 200
        assert not any(routed(address) for address in ipv6), "it makes no routes of its own"
    finally:
        server.stop()

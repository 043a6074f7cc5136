"""Security groups: who is not allowed gets no answer at all, at the listener and at targets."""

import os

import pytest

from harness.guard import EVERYTHING_OUT, PATIENCE, Guard, is_answered, members, tcp
from harness.http import Connection, get
from harness.shop import fixed, forward
from harness.wait import until

ALLOWED, DENIED = "127.8.8.8", "127.9.9.9"


@pytest.fixture
def guarded(shop):
    """Makes load balancers with these security groups; gives their first address and their ARN."""

    def make(*guards):
        balancer = shop.balancer(SecurityGroups=[guard.id for guard in guards])
        shop.listener(balancer, fixed(200))
        return shop.addresses(balancer)[0], balancer["LoadBalancerArn"]

    return make


def test_an_allowed_client_is_served_and_another_is_not(shop, guarded):
    address, _ = guarded(Guard(shop, tcp(f"{ALLOWED}/32", shop.port, shop.port)))
    assert is_answered(address, shop.port, ALLOWED)
    assert not is_answered(address, shop.port, DENIED)
    assert is_answered(address, shop.port, ALLOWED)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may not attach the filter")
def test_a_denied_client_cannot_even_connect(shop, guarded):
    address, _ = guarded(Guard(shop, tcp(f"{ALLOWED}/32")))
    with pytest.raises(TimeoutError):
        Connection(address, shop.port, source=DENIED, timeout=PATIENCE)


# Permissions, made from the listener's port, and whether they admit DENIED's neighbour 127.9.9.8.
PERMISSIONS = {
    "a wider block": (lambda port: tcp("127.9.9.0/28"), True),
    "the block next to it": (lambda port: tcp("127.9.9.16/28"), False),
    "everybody": (lambda port: tcp("0.0.0.0/0"), True),
    "a range that begins with the port": (lambda port: tcp("127.9.0.0/16", port, port + 1), True),
    "a range that ends before the port": (lambda port: tcp("127.9.0.0/16", 1, port - 1), False),
    "every protocol": (lambda port: {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "127.9.9.8/32"}]}, True),
    "another protocol": (lambda port: tcp("127.9.0.0/16") | {"IpProtocol": "udp"}, False),
}


@pytest.mark.parametrize("case", PERMISSIONS)
def test_what_a_permission_admits(shop, guarded, case):
    permission, is_admitted = PERMISSIONS[case]
    address, _ = guarded(Guard(shop, permission(shop.port)))
    assert is_answered(address, shop.port, "127.9.9.8") == is_admitted


def test_several_groups_admit_what_any_of_them_admits(shop, guarded):
    address, _ = guarded(Guard(shop, tcp(f"{ALLOWED}/32")), Guard(shop, tcp(f"{DENIED}/32")))
    assert is_answered(address, shop.port, ALLOWED)
    assert is_answered(address, shop.port, DENIED)
    assert not is_answered(address, shop.port, "127.10.10.10")


def test_a_group_without_permissions_admits_nobody(shop, guarded):
    address, _ = guarded(Guard(shop))
    assert not is_answered(address, shop.port, ALLOWED)


def test_a_change_of_the_permissions_is_live_at_once(shop, guarded):
    guard = Guard(shop, tcp(f"{ALLOWED}/32"))
    address, _ = guarded(guard)
    with Connection(address, shop.port, source=ALLOWED) as allowed:
        assert allowed.request().status == 200
        for _ in range(3):
            guard.admit(tcp(f"{DENIED}/32"))
            with Connection(address, shop.port, source=DENIED) as other:
                assert other.request().status == 200
                guard.revoke(tcp(f"{DENIED}/32"))
                assert not is_answered(address, shop.port, DENIED)
                assert other.request().status == 200, "a connection that was allowed goes on"
            assert allowed.request().status == 200, "the allowed one has not noticed"


def test_a_change_of_the_groups_is_live_at_once(shop, guarded):
    one, other = Guard(shop, tcp(f"{ALLOWED}/32")), Guard(shop, tcp(f"{DENIED}/32"))
    address, balancer = guarded(one)
    with Connection(address, shop.port, source=ALLOWED) as connection:
        assert connection.request().status == 200
        shop.elbv2.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=[other.id])
        assert is_answered(address, shop.port, DENIED)
        assert not is_answered(address, shop.port, ALLOWED)
        assert connection.request().status == 200, "a connection that was allowed goes on"
        shop.elbv2.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=[one.id])
    assert is_answered(address, shop.port, ALLOWED)
    assert not is_answered(address, shop.port, DENIED)


def test_a_new_listener_is_guarded_from_its_first_moment(shop):
    balancer = shop.balancer(SecurityGroups=[Guard(shop, tcp(f"{ALLOWED}/32")).id])
    shop.listener(balancer, fixed(200), port=9001)
    for address in shop.addresses(balancer):
        assert not is_answered(address, 9001, DENIED)
        assert is_answered(address, 9001, ALLOWED)


def run_instance(shop, address, *groups):
    """Registers a machine; its id."""
    made = shop.ec2.run_instances(
        **{"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1, "SubnetId": shop.subnets[0]},
        PrivateIpAddress=address,
        SecurityGroupIds=[group.id for group in groups],
    )
    [instance] = made["Instances"]
    shop.undo(shop.ec2.terminate_instances, InstanceIds=[instance["InstanceId"]])
    return instance["InstanceId"]


def test_a_group_as_source_admits_its_members(shop, elbow, guarded):
    clients = Guard(shop)
    address, _ = guarded(Guard(shop, members(clients.id)))
    member, stranger = elbow.network.free_host(0), elbow.network.free_host(0)
    assert not is_answered(address, shop.port, member), "it is not a member yet"
    instance = run_instance(shop, member, clients)
    run_instance(shop, stranger, Guard(shop))
    assert is_answered(address, shop.port, member)
    assert not is_answered(address, shop.port, stranger)
    shop.ec2.terminate_instances(InstanceIds=[instance])
    assert not is_answered(address, shop.port, member), "it is not a member any more"


def test_a_load_balancer_is_a_member_of_its_groups(shop, guarded):
    front = Guard(shop)
    address, _ = guarded(Guard(shop, members(front.id)))
    other = shop.balancer(SecurityGroups=[front.id])
    for source in shop.addresses(other):
        assert is_answered(address, shop.port, source)
    shop.elbv2.set_security_groups(
        LoadBalancerArn=other["LoadBalancerArn"], SecurityGroups=[Guard(shop).id]
    )
    assert not is_answered(address, shop.port, shop.addresses(other)[0])


def answer_once(request):
    """A script: each request comes on a connection of its own."""
    request.body()
    request.respond(headers=["Connection: close"], body=b"app")
    return False


class Front:
    """A load balancer whose requests go to one target."""

    def __init__(self, shop, guard, group):
        self._shop, self.group = shop, group
        balancer = shop.balancer(SecurityGroups=[guard.id])
        shop.listener(balancer, forward(group))
        self.address = shop.addresses(balancer)[0]

    def get(self):
        # Longer than a connection to the target may take.
        return get(self.address, port=self._shop.port, timeout=20)

    def times_out(self):
        """Whether a request gets 504, and the checks get no answer either."""
        status = self.get().status
        until(lambda: ("unhealthy", "Target.Timeout") in self._health(), "the checks timing out")
        return status == 504

    def _health(self):
        return self._shop.health(self.group).values()


@pytest.fixture
def front_guard(shop):
    """The security group of a load balancer that everybody reaches."""
    return Guard(shop, tcp("0.0.0.0/0"))


def instances(shop, *servers, guard):
    """A target group of instances at the addresses of servers, which carry this security group."""
    group = shop.group(TargetType="instance", HealthyThresholdCount=2)
    ids = [run_instance(shop, server.address, guard) for server in servers]
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": id} for id in ids])
    return group


def test_an_instance_is_reached_when_its_groups_admit_the_load_balancer(shop, target, front_guard):
    guard, server = Guard(shop), target("app", script=answer_once)
    front = Front(shop, front_guard, instances(shop, server, guard=guard))
    assert front.times_out()
    assert server.connections == 0, "not a packet has come so far"
    guard.admit(members(front_guard.id))
    assert front.get().text == "app", "at once, although it is unhealthy still"
    shop.wait_for_state(front.group, "healthy")
    guard.revoke(members(front_guard.id))
    assert front.times_out()
    guard.admit(tcp(f"{front.address}/32", 8080, 8080))
    assert front.get().text == "app"


def test_a_target_is_reached_when_the_groups_of_the_load_balancer_let_packets_out(shop, target, front_guard):
    server = target("app", script=answer_once)
    front = Front(shop, front_guard, shop.group(server, HealthyThresholdCount=2))
    shop.wait_for_state(front.group, "healthy")
    front_guard.revoke_egress(EVERYTHING_OUT)
    assert front.times_out()
    front_guard.admit_egress(tcp(f"{server.address}/32", 8080, 8080))
    assert front.get().text == "app"
    shop.wait_for_state(front.group, "healthy")


def test_an_open_connection_to_a_target_goes_on(shop, target, front_guard):
    guard, server = Guard(shop, tcp(shop.elbow.network.vpc)), target("app")
    front = Front(shop, front_guard, instances(shop, server, guard=guard))
    with Connection(front.address, shop.port) as client:
        assert client.request().status == 200
        guard.revoke(tcp(shop.elbow.network.vpc))
        assert client.request().status == 200


def test_another_target_that_is_reached_gets_the_requests(shop, target, front_guard):
    open_to_all, closed = Guard(shop, tcp("0.0.0.0/0")), Guard(shop)
    near, far = target("near"), target("far")
    group = instances(shop, near, guard=open_to_all)
    shop.elbv2.register_targets(
        TargetGroupArn=group, Targets=[{"Id": run_instance(shop, far.address, closed)}]
    )
    front = Front(shop, front_guard, group)
    both = {("healthy", None), ("unhealthy", "Target.Timeout")}
    until(lambda: set(shop.health(group).values()) == both, "the checks of both")
    assert {front.get().text for _ in range(5)} == {"near"}
    closed.admit(members(front_guard.id))
    until(lambda: {front.get().text for _ in range(10)} == {"near", "far"}, "requests at both")

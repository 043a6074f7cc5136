"""Security groups at the listener: who is not allowed gets no answer at all."""

import os

import pytest

from harness.http import Connection, get
from harness.shop import fixed, unique

ALLOWED, DENIED = "127.8.8.8", "127.9.9.9"


def admit(shop, group, cidr, revoke=False):
    permission = {
        "IpProtocol": "tcp",
        "FromPort": shop.port,
        "ToPort": shop.port,
        "IpRanges": [{"CidrIp": cidr}],
    }
    call = shop.ec2.revoke_security_group_ingress if revoke else shop.ec2.authorize_security_group_ingress
    call(GroupId=group, IpPermissions=[permission])


@pytest.fixture
def guarded(shop):
    """A load balancer that only ALLOWED may reach: (address, security group)."""
    group = shop.ec2.create_security_group(GroupName=unique("guard"), Description="test", VpcId=shop.vpc)
    shop.undo(shop.ec2.delete_security_group, GroupId=group["GroupId"])
    admit(shop, group["GroupId"], f"{ALLOWED}/32")
    balancer = shop.balancer(SecurityGroups=[group["GroupId"]])
    shop.listener(balancer, fixed(200))
    return shop.addresses(balancer)[0], group["GroupId"]


def is_answered(address, port, source):
    """Whether a client at `source` gets anything: a connection that is closed at once is nothing."""
    try:
        return get(address, port=port, source=source, timeout=1.5).status == 200
    except (TimeoutError, ConnectionError):
        return False


def test_an_allowed_client_is_served_and_another_is_not(shop, guarded):
    address, _ = guarded
    assert is_answered(address, shop.port, ALLOWED)
    assert not is_answered(address, shop.port, DENIED)
    assert is_answered(address, shop.port, ALLOWED)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may not attach the filter")
def test_a_denied_client_cannot_even_connect(shop, guarded):
    address, _ = guarded
    with pytest.raises(TimeoutError):
        Connection(address, shop.port, source=DENIED, timeout=1.5)


def test_a_change_of_the_rules_is_live_at_once(shop, guarded):
    address, group = guarded
    with Connection(address, shop.port, source=ALLOWED) as connection:
        assert connection.request().status == 200
        admit(shop, group, f"{DENIED}/32")
        assert is_answered(address, shop.port, DENIED)
        admit(shop, group, f"{DENIED}/32", revoke=True)
        assert not is_answered(address, shop.port, DENIED)
        assert connection.request().status == 200, "the allowed one has not noticed"


def test_a_change_of_the_groups_is_live_at_once(shop, guarded):
    address, group = guarded
    other = shop.ec2.create_security_group(GroupName=unique("other"), Description="test", VpcId=shop.vpc)
    shop.undo(shop.ec2.delete_security_group, GroupId=other["GroupId"])
    admit(shop, other["GroupId"], f"{DENIED}/32")
    [balancer] = [
        lb
        for lb in shop.elbv2.describe_load_balancers()["LoadBalancers"]
        if lb["SecurityGroups"] == [group]
    ]
    shop.elbv2.set_security_groups(
        LoadBalancerArn=balancer["LoadBalancerArn"], SecurityGroups=[other["GroupId"]]
    )
    assert is_answered(address, shop.port, DENIED)
    assert not is_answered(address, shop.port, ALLOWED)


def test_a_group_without_rules_admits_nobody(shop):
    group = shop.ec2.create_security_group(GroupName=unique("shut"), Description="test", VpcId=shop.vpc)
    shop.undo(shop.ec2.delete_security_group, GroupId=group["GroupId"])
    balancer = shop.balancer(SecurityGroups=[group["GroupId"]])
    shop.listener(balancer, fixed(200))
    assert not is_answered(shop.addresses(balancer)[0], shop.port, ALLOWED)

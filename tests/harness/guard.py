"""Security groups for tests, and who gets an answer through them."""

import errno

from .http import get
from .shop import unique

# Long enough for a handshake on a busy machine; a client that is not allowed waits this long.
PATIENCE = 0.5


def tcp(cidr, first=0, last=65535):
    """The permission of a block for these TCP ports."""
    permission = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last}
    if ":" in cidr:
        return permission | {"Ipv6Ranges": [{"CidrIpv6": cidr}]}
    return permission | {"IpRanges": [{"CidrIp": cidr}]}


def members(group):
    """The permission of everything that carries a security group."""
    return {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}


# What every security group lets out at first.
EVERYTHING_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Guard:
    """A security group of a test's own; nobody is admitted at first, and everything goes out."""

    def __init__(self, shop, *permissions):
        self._ec2 = shop.ec2
        made = self._ec2.create_security_group(
            GroupName=unique("guard"), Description="test", VpcId=shop.vpc
        )
        self.id = made["GroupId"]
        shop.undo(self._ec2.delete_security_group, GroupId=self.id)
        for permission in permissions:
            self.admit(permission)

    def admit(self, permission):
        self._ec2.authorize_security_group_ingress(GroupId=self.id, IpPermissions=[permission])

    def revoke(self, permission):
        self._ec2.revoke_security_group_ingress(GroupId=self.id, IpPermissions=[permission])

    def admit_egress(self, permission):
        self._ec2.authorize_security_group_egress(GroupId=self.id, IpPermissions=[permission])

    def revoke_egress(self, permission):
        self._ec2.revoke_security_group_egress(GroupId=self.id, IpPermissions=[permission])


def is_answered(address, port, source):
    """Whether a client at `source` gets anything: a connection that is closed at once is nothing."""
    try:
        return get(address, port=port, source=source, timeout=PATIENCE).status == 200
    except (TimeoutError, ConnectionError):
        return False
    except OSError as error:
        # An address of IPv6 that no load balancer has any more is not local any more.
        if ":" in address and error.errno == errno.ENETUNREACH:
            return False
        raise

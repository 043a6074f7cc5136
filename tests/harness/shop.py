"""Load balancers for tests, made through the public API and removed after the test."""

import itertools
import os
import socket
from contextlib import suppress

from botocore.exceptions import ClientError

from .target import HEALTH_PATH
from .wait import until

_numbers = itertools.count(1)


def unique(prefix):
    """A name that no other test of this run uses."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def listener_port():
    """80 where this user may listen on it, else a port above the privileged ones."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 80))
        except PermissionError:
            return 8000
        except OSError:
            pass
    return 80


def forward(*groups):
    """A forward action: to one group, or to several as (arn, weight)."""
    if len(groups) == 1 and isinstance(groups[0], str):
        return [{"Type": "forward", "TargetGroupArn": groups[0]}]
    tuples = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}}]


def fixed(status=200, body=None, content_type=None):
    """A fixed-response action."""
    config = {"StatusCode": str(status), "MessageBody": body, "ContentType": content_type}
    config = {key: value for key, value in config.items() if value is not None}
    return [{"Type": "fixed-response", "FixedResponseConfig": config}]


class Shop:
    """Makes things in an elbow and remembers what to remove."""

    def __init__(self, elbow):
        self.elbow = elbow
        self.elbv2 = elbow.client("elbv2")
        self.ec2 = elbow.client("ec2")
        self.port = listener_port()
        self._undo = []

    def close(self):
        for undo in reversed(self._undo):
            with suppress(ClientError):
                undo()

    def undo(self, call, **arguments):
        """Has `call` made after the test; errors of things already gone do not matter."""
        self._undo.append(lambda: call(**arguments))

    @property
    def vpc(self):
        default = [{"Name": "is-default", "Values": ["true"]}]
        return self.ec2.describe_vpcs(Filters=default)["Vpcs"][0]["VpcId"]

    @property
    def subnets(self):
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
        ordered = sorted(subnets["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
        return [subnet["SubnetId"] for subnet in ordered]

    def balancer(self, **options):
        """A load balancer in all zones; its description."""
        arguments = {"Name": unique("lb"), "Subnets": self.subnets} | options
        balancer = self.elbv2.create_load_balancer(**arguments)["LoadBalancers"][0]
        self.undo(self.elbv2.delete_load_balancer, LoadBalancerArn=balancer["LoadBalancerArn"])
        return balancer

    def group(self, *targets, **options):
        """A target group of type ip with these targets; its ARN."""
        arguments = {
            "Name": unique("tg"),
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckPath": HEALTH_PATH,
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
        } | options
        group = self.elbv2.create_target_group(**arguments)["TargetGroups"][0]["TargetGroupArn"]
        self.undo(self.elbv2.delete_target_group, TargetGroupArn=group)
        if targets:
            self.register(group, *targets)
        return group

    def register(self, group, *targets):
        self.elbv2.register_targets(TargetGroupArn=group, Targets=[identity(t) for t in targets])

    def deregister(self, group, *targets):
        self.elbv2.deregister_targets(TargetGroupArn=group, Targets=[identity(t) for t in targets])

    def listener(self, balancer, actions, port=None):
        """A listener; its ARN."""
        made = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port or self.port,
            DefaultActions=actions,
        )
        return made["Listeners"][0]["ListenerArn"]

    def rule(self, listener, priority, conditions, actions):
        """A rule; its ARN."""
        made = self.elbv2.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=actions
        )
        return made["Rules"][0]["RuleArn"]

    def addresses(self, balancer):
        """The addresses of a load balancer, in the order of its zones."""
        return [interface["PrivateIpAddress"] for interface in self._interfaces(balancer)]

    def ipv6_addresses(self, balancer):
        """Those of IPv6, in the order of the zones."""
        interfaces = self._interfaces(balancer)
        return [one["Ipv6Address"] for i in interfaces for one in i["Ipv6Addresses"]]

    def _interfaces(self, balancer):
        name = balancer["LoadBalancerArn"].split(":loadbalancer/")[1]
        filters = [{"Name": "description", "Values": [f"ELB {name}"]}]
        found = self.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        return sorted(found, key=lambda interface: interface["AvailabilityZone"])

    def serve(self, *targets, **options):
        """A load balancer with one group of targets behind it: (address, group, listener)."""
        group = self.group(*targets, **options)
        balancer = self.balancer()
        listener = self.listener(balancer, forward(group))
        return self.addresses(balancer)[0], group, listener

    def health(self, group):
        """State and reason of each target, by (id, port)."""
        described = self.elbv2.describe_target_health(TargetGroupArn=group)
        return {
            (one["Target"]["Id"], one["Target"]["Port"]): (
                one["TargetHealth"]["State"],
                one["TargetHealth"].get("Reason"),
            )
            for one in described["TargetHealthDescriptions"]
        }

    def wait_for_state(self, group, state, timeout=30):
        """Waits until every target of the group is in `state`."""

        def states():
            return {found for found, _ in self.health(group).values()} == {state}

        until(states, f"state {state} of {group}", timeout)


def attributes(shop, group, **values):
    """Sets attributes of a target group; `__` stands for a dot of their names."""
    given = [{"Key": key.replace("__", "."), "Value": value} for key, value in values.items()]
    shop.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=given)


def identity(target):
    return {"Id": target.address, "Port": target.port}

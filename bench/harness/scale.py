"""elbow with many load balancers: what describing and changing them costs.

Everything is made and changed through the public API by boto3, whose own time is in the figures.
"""

import http.client
import itertools
import re
import statistics
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .processes import Child, free_port, process_tree
from .proxies.base import stopped_on_error
from .proxies.elbow import wait_for_endpoint

# Enough to keep the endpoint busy while Python signs the next calls.
CALLS_IN_FLIGHT = 4

# A /16 of 127.0.0.0/8 for the addresses of the load balancers, another one for the targets: nothing
# answers there, so that a check costs one refused connection.
VPC = "127.66.0.0/16"
ZONES = {"us-east-1a": "127.66.0.0/17", "us-east-1b": "127.66.128.0/17"}
TARGET_PORT = 9

Row = namedtuple("Row", "what median_ms worst_ms")


@dataclass(frozen=True)
class Size:
    """How many there are; rules and listeners follow from it."""

    load_balancers: int
    groups: int
    targets: int

    def __str__(self):
        groups = self.load_balancers * self.groups
        return (
            f"{self.load_balancers:,} load balancers with a listener each, {groups:,} target groups, each the "
            f"target of one rule or a default rule, {groups * self.targets:,} targets"
        )


CHANGE = "ModifyRule, and a request that sees it"
# How long a change may take until it is live, whatever the size: the goal that docs/benchmarks.md names.
CHANGE_MS_MAX = 50


@dataclass(frozen=True)
class Figures:
    size: Size
    build_seconds: float
    restart_seconds: float
    change_compile_ms: float
    whole_compile_ms: float
    resident_mib: float
    rows: list

    def is_change_in_time(self):
        [change] = [row for row in self.rows if row.what == CHANGE]
        return change.median_ms <= CHANGE_MS_MAX


def measure(binary, size, rounds, directory, say):
    """Builds everything, times operations on it, and starts elbow again after a kill."""
    port = free_port()
    child, variables = start(binary, size, port, directory)
    with stopped_on_error(child):
        account = Account(variables)
        say(f"making {size}")
        begun = time.monotonic()
        built = Built(account, size)
        build_seconds = time.monotonic() - begun
        say(f"made in {build_seconds:.0f} s")
        rows = [time_operation(*operation, rounds) for operation in operations(account, built)]
        account.elbv2.modify_rule(RuleArn=built.rules[0][0], Actions=[answer("last")])
        change_compile_ms = compile_ms(port)
        resident = resident_mib(child.pid)
        child.kill()
    begun = time.monotonic()
    child, variables = start(binary, size, port, directory)
    with stopped_on_error(child):
        # Connections are taken before there is anything to answer them with.
        Account(variables).elbv2.describe_account_limits()
        restart_seconds = time.monotonic() - begun
        whole_compile_ms = compile_ms(port)
    child.stop()
    return Figures(size, build_seconds, restart_seconds, change_compile_ms, whole_compile_ms, resident, rows)


def start(binary, size, port, directory):
    """elbow once its endpoint serves, and the variables that point clients at it."""
    command = [binary, "serve", "--data-dir", str(directory / "data"), "--listen", f"127.0.0.1:{port}"]
    command += ["--workers", "1", "--log", "error", "--vpc-cidr", VPC]
    for zone, block in ZONES.items():
        command += ["--zone", f"{zone}={block}"]
    limits = {
        "application-load-balancers": size.load_balancers + 1,
        "target-groups": size.load_balancers * size.groups + 1,
    }
    for name, value in limits.items():
        command += ["--limit", f"{name}={value}"]
    child = Child(command, None, directory / "log")
    with stopped_on_error(child):
        child.wait_until_accepting(("127.0.0.1", port))
        return child, wait_for_endpoint(binary, child, directory / "data")


class Account:
    """The clients of one running elbow."""

    def __init__(self, variables):
        # Not at the top: bench/scale starts before there is a boto3.
        import boto3
        from botocore.config import Config

        session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        config = Config(read_timeout=300, max_pool_connections=CALLS_IN_FLIGHT, retries={"total_max_attempts": 1})
        url = variables["AWS_ENDPOINT_URL"]
        self.ec2, self.elbv2 = (session.client(it, endpoint_url=url, config=config) for it in ("ec2", "elbv2"))


class Built:
    """What has been made."""

    def __init__(self, account, size):
        subnets = account.ec2.describe_subnets()["Subnets"]
        self.vpc_id = subnets[0]["VpcId"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets]
        self._elbv2 = account.elbv2
        self._size = size
        self._target_numbers = itertools.count()
        with ThreadPoolExecutor(CALLS_IN_FLIGHT) as pool:
            made = list(pool.map(self._make, range(size.load_balancers)))
        self.load_balancers, self.listeners, self.rules, self.groups = (list(kind) for kind in zip(*made))

    def _make(self, number):
        elbv2 = self._elbv2
        groups = [self._make_group(f"group-{number}-{at}") for at in range(self._size.groups)]
        load_balancer = elbv2.create_load_balancer(Name=f"lb-{number}", Subnets=self.subnets)["LoadBalancers"][0]
        listener = elbv2.create_listener(
            LoadBalancerArn=load_balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=8080,
            DefaultActions=[forward(groups[0])],
        )["Listeners"][0]["ListenerArn"]
        rules = [
            elbv2.create_rule(
                ListenerArn=listener, Priority=at, Conditions=[path(f"/{at}/*")], Actions=[forward(groups[at])]
            )["Rules"][0]["RuleArn"]
            for at in range(1, len(groups))
        ]
        return load_balancer["LoadBalancerArn"], listener, rules, groups

    def _make_group(self, name):
        group = self._elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=TARGET_PORT,
            VpcId=self.vpc_id,
            TargetType="ip",
            HealthCheckIntervalSeconds=300,
        )["TargetGroups"][0]["TargetGroupArn"]
        targets = [{"Id": target_address(next(self._target_numbers))} for _ in range(self._size.targets)]
        self._elbv2.register_targets(TargetGroupArn=group, Targets=targets)
        return group


def operations(account, built):
    """What is timed: a title, and a call with the number of the round."""
    elbv2 = account.elbv2
    listener, rules, groups = built.listeners[0], built.rules[0], built.groups[0]
    address = address_of(account, built.load_balancers[0])
    extra = {}

    def change_rule(round_):
        elbv2.modify_rule(RuleArn=rules[0], Actions=[answer(f"round {round_}")])
        got = get(address, "/1/x")
        if got != f"round {round_}":
            raise AssertionError(f"the change is not live: {got!r}")

    def create_rule(round_):
        made = elbv2.create_rule(
            ListenerArn=listener, Priority=1000 + round_, Conditions=[path(f"/r/{round_}")], Actions=[answer("x")]
        )
        extra[round_] = made["Rules"][0]["RuleArn"]

    def create_group(round_):
        made = elbv2.create_target_group(
            Name=f"extra-{round_}", Protocol="HTTP", Port=TARGET_PORT, VpcId=built.vpc_id, TargetType="ip"
        )
        elbv2.delete_target_group(TargetGroupArn=made["TargetGroups"][0]["TargetGroupArn"])

    def create_load_balancer(round_):
        made = elbv2.create_load_balancer(Name=f"extra-{round_}", Subnets=built.subnets)
        elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"])

    target = [{"Id": "127.67.255.254"}]
    return [
        (CHANGE, change_rule),
        ("CreateRule", create_rule),
        ("DeleteRule", lambda round_: elbv2.delete_rule(RuleArn=extra[round_])),
        ("RegisterTargets, one", lambda _: elbv2.register_targets(TargetGroupArn=groups[0], Targets=target)),
        ("DeregisterTargets, one", lambda _: elbv2.deregister_targets(TargetGroupArn=groups[0], Targets=target)),
        ("CreateTargetGroup and DeleteTargetGroup", create_group),
        ("CreateLoadBalancer and DeleteLoadBalancer", create_load_balancer),
        ("DescribeLoadBalancers, one by ARN",
         lambda _: elbv2.describe_load_balancers(LoadBalancerArns=built.load_balancers[:1])),
        ("DescribeLoadBalancers, all pages", lambda _: all_pages(elbv2, "describe_load_balancers")),
        ("DescribeTargetGroups, all pages", lambda _: all_pages(elbv2, "describe_target_groups")),
        ("DescribeTargetGroups of one load balancer",
         lambda _: elbv2.describe_target_groups(LoadBalancerArn=built.load_balancers[0])),
        ("DescribeRules of one listener", lambda _: elbv2.describe_rules(ListenerArn=listener)),
        ("DescribeTargetHealth of one group", lambda _: elbv2.describe_target_health(TargetGroupArn=groups[0])),
        ("DescribeTags of 20 target groups",
         lambda _: elbv2.describe_tags(ResourceArns=[arn for all_ in built.groups for arn in all_][:20])),
    ]


def time_operation(what, call, rounds):
    times = []
    for round_ in range(rounds):
        begun = time.perf_counter()
        call(round_)
        times.append((time.perf_counter() - begun) * 1000)
    return Row(what, statistics.median(times), max(times))


def to_markdown(figures):
    lines = [
        f"{figures.size}; made in {figures.build_seconds:.0f} s, {figures.resident_mib:,.0f} MiB resident, "
        f"answering again {figures.restart_seconds:.1f} s after a kill. Compiling the whole state takes "
        f"{figures.whole_compile_ms:,.0f} ms, a change to one rule {figures.change_compile_ms:,.1f} ms.",
        "",
        "| operation | median ms | worst ms |",
        "| --- | --: | --: |",
    ]
    lines += [f"| {row.what} | {row.median_ms:,.1f} | {row.worst_ms:,.1f} |" for row in figures.rows]
    return "\n".join(lines)


def compile_ms(port):
    """What elbow says about the change before."""
    metrics = get(("127.0.0.1", port), "/_elbow/metrics")
    seconds = re.search(r"^elbow_compile_seconds\{.*\} (\S+)$", metrics, re.MULTILINE)
    return float(seconds[1]) * 1000


def address_of(account, load_balancer):
    """Where the load balancer listens: the address of one of its network interfaces."""
    name = load_balancer.partition(":loadbalancer/")[2]
    found = account.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [f"ELB {name}"]}])
    return found["NetworkInterfaces"][0]["PrivateIpAddress"], 8080


def get(address, path_):
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("GET", path_)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


def all_pages(client, operation):
    return sum(1 for _ in client.get_paginator(operation).paginate())


def target_address(number):
    return f"127.67.{number // 250 % 250}.{number % 250 + 1}" if number < 62_500 else \
        f"127.68.{number // 250 % 250}.{number % 250 + 1}"


def forward(group):
    return {"Type": "forward", "TargetGroupArn": group}


def answer(text):
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}


def path(pattern):
    return {"Field": "path-pattern", "Values": [pattern]}


def resident_mib(pid):
    """Of the process and its descendants."""
    pages = sum(int(open(f"/proc/{it}/statm").read().split()[1]) for it in process_tree(pid))
    return pages * 4096 / 2**20

"""Sixteen clients change load balancers at once: what they are told is as if each call had been alone.

`CONCURRENCY_MINUTES=1` in the environment has them go on for a minute.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.linear import (
    Call, History, Refused, load_balancer, registers, rules, security_groups, serial_order, target_groups,
)  # fmt: skip
from harness.shop import Shop, fixed, forward

CLIENTS, CALLS, ROUNDS = 16, 25, 2
MINUTES = float(os.environ.get("CONCURRENCY_MINUTES", 0))
# Few of each, so that the clients are in each other's way.
PRIORITIES, KEYS, TARGETS = range(1, 9), [f"key-{n}" for n in range(6)], 6
ATTRIBUTES = {"idle_timeout.timeout_seconds": range(10, 90), "client_keep_alive.seconds": range(60, 900)}
PORTS = [9101, 9102]
PATH = [{"Field": "path-pattern", "Values": ["/concurrency"]}]


def order_of(step, state, *calls):
    made = [Call(start, end, operation, answer) for start, end, operation, answer in calls]
    return serial_order(made, state, step)


NONE = frozenset()
ONE, TWO = frozenset({("x", 1)}), frozenset({("x", 2)})
RULES = frozenset({("a", 1, ""), ("b", 2, "")})
SWAP = ("order", {"a": 2, "b": 1})
LISTENERS = frozenset({("l", 1, "x")})


@pytest.mark.parametrize("step, state, calls", [
    # A read of what had been replaced before the read began.
    (registers, NONE, [(0, 1, ("write", {"x": 1}), None), (2, 3, ("write", {"x": 2}), None), (4, 5, ("read",), ONE)]),
    # Two readers that see two writes in different orders.
    (registers, NONE, [
        (0, 9, ("write", {"x": 1}), None), (0, 9, ("write", {"x": 2}), None),
        (1, 2, ("read",), ONE), (3, 4, ("read",), TWO), (5, 6, ("read",), ONE),
    ]),
    # Half of a call that writes two values.
    (registers, NONE, [(0, 9, ("write", {"x": 1, "y": 1}), None), (1, 2, ("read",), ONE)]),
    # Half of a swap.
    (rules, RULES, [(0, 9, SWAP, None), (1, 2, ("read",), frozenset({("a", 2, ""), ("b", 2, "")}))]),
    # Two rules of one priority.
    (rules, NONE, [(0, 9, ("create", 1, ""), "a"), (0, 9, ("create", 1, ""), "b")]),
    # A refusal without a reason, and one that is missing.
    (rules, NONE, [(0, 1, ("create", 1, ""), Refused("PriorityInUse"))]),
    (rules, RULES, [(0, 1, ("delete", "a"), None), (2, 3, ("delete", "a"), None)]),
    # A group that is deleted while the load balancer has it.
    (security_groups, (frozenset("ab"), frozenset("a")), [
        (0, 9, ("set", frozenset("b")), None), (0, 9, ("delete", "b"), None),
    ]),
    (target_groups, (frozenset("a"), frozenset("a")), [(0, 9, ("delete", "a"), None)]),
    # Two load balancers of one name, and one that is found after it was deleted.
    (load_balancer, (None, NONE), [(0, 9, ("create",), "a"), (0, 9, ("create",), "b")]),
    (load_balancer, ("a", NONE), [(0, 1, ("delete", "a"), None), (2, 3, ("find",), "a")]),
    # A listener that outlives its load balancer, or goes over to its successor.
    (load_balancer, ("a", LISTENERS), [(0, 1, ("delete", "a"), None), (2, 3, ("unlisten", "l"), None)]),
    (load_balancer, ("a", LISTENERS), [
        (0, 1, ("delete", "a"), None), (0, 9, ("create",), "b"), (10, 11, ("list", "b"), LISTENERS),
    ]),
    # Two listeners on one port.
    (load_balancer, ("a", NONE), [(0, 9, ("listen", "a", 1, "x"), "l"), (0, 9, ("listen", "a", 1, "y"), "m")]),
])  # fmt: skip
def test_a_history_without_an_order_is_found_out(step, state, calls):
    assert order_of(step, state, *calls) is None


@pytest.mark.parametrize("step, state, calls", [
    (registers, NONE, [
        (0, 9, ("write", {"x": 1}), None), (0, 9, ("write", {"x": 2}), None),
        (1, 2, ("read",), TWO), (3, 4, ("read",), ONE),
    ]),
    (rules, RULES, [
        (0, 9, SWAP, None), (0, 9, ("delete", "b"), None), (8, 9, ("read",), frozenset({("a", 2, "")})),
        (1, 9, ("create", 1, "new"), Refused("PriorityInUse")),
    ]),
    (load_balancer, ("a", LISTENERS), [
        (0, 9, ("delete", "a"), None), (0, 9, ("create",), "b"), (0, 9, ("create",), "b"),
        (1, 9, ("listen", "b", 1, "y"), "m"), (1, 9, ("listen", "b", 1, "y"), "m"),
        (1, 9, ("listen", "a", 1, "y"), Refused("DuplicateListener")),
        (2, 9, ("find",), Refused("LoadBalancerNotFound")),
    ]),
])  # fmt: skip
def test_an_order_is_found_if_there_is_one(step, state, calls):
    order = order_of(step, state, *calls)
    assert sorted(order, key=str) == sorted((Call(*call) for call in calls), key=str)


class Listener:
    """Rules that are made, deleted, changed and moved; and the action where none of them matches."""

    step = staticmethod(rules)

    def __init__(self, shop, balancer, port):
        self.elbv2, self.known = shop.elbv2, []
        self.arn = shop.listener(balancer, fixed(200, "default"), port=port)

    def note(self, history):
        history.call(("read",), self.read)

    def read(self):
        found = self.elbv2.describe_rules(ListenerArn=self.arn)["Rules"]
        return frozenset((it["RuleArn"], int(it["Priority"]), text_of(it)) for it in found if not it["IsDefault"])

    def call(self, history, draw, text):
        priority, known = draw.choice(PRIORITIES), list(self.known)
        kind = draw.choice(["create", "delete", "modify", "order", "order", "read"]) if known else "create"
        if kind == "read":
            return history.call(("read",), self.read)
        if kind == "create":
            answer = history.call(("create", priority, text), lambda: self.create(priority, text))
            return answer if isinstance(answer, Refused) else self.known.append(answer)
        arn = draw.choice(known)
        if kind == "delete":
            return history.call(("delete", arn), lambda: nothing(self.elbv2.delete_rule(RuleArn=arn)))
        if kind == "modify":
            change = {"RuleArn": arn, "Actions": fixed(200, text)}
            return history.call(("modify", arn, text), lambda: nothing(self.elbv2.modify_rule(**change)))
        wanted = dict(zip(dict.fromkeys([arn, *draw.choices(known, k=2)]), draw.sample(PRIORITIES, 3)))
        moves = [{"RuleArn": arn, "Priority": priority} for arn, priority in wanted.items()]
        change = lambda: nothing(self.elbv2.set_rule_priorities(RulePriorities=moves))
        return history.call(("order", wanted), change)

    def create(self, priority, text):
        made = self.elbv2.create_rule(
            ListenerArn=self.arn, Priority=priority, Conditions=PATH, Actions=fixed(200, text)
        )
        return made["Rules"][0]["RuleArn"]


def text_of(rule):
    return rule["Actions"][0]["FixedResponseConfig"]["MessageBody"]


def nothing(_):
    """What a call answers beside whether it was done is not judged."""


class Values:
    """Things with a value by name, of which a call writes several at once."""

    step = staticmethod(registers)

    def note(self, history):
        history.call(("read",), self.read)

    def call(self, history, draw, text):
        if draw.random() < 0.3:
            return history.call(("read",), self.read)
        written = self.choose(draw, text)
        return history.call(("write", written), lambda: nothing(self.write(written)))


class DefaultActions(Values):
    def __init__(self, shop, arns):
        self.elbv2, self.arns = shop.elbv2, arns

    def read(self):
        found = self.elbv2.describe_listeners(ListenerArns=self.arns)["Listeners"]
        return frozenset(
            (it["ListenerArn"], it["DefaultActions"][0]["FixedResponseConfig"]["MessageBody"]) for it in found
        )

    def choose(self, draw, text):
        return {draw.choice(self.arns): text}

    def write(self, written):
        for arn, text in written.items():
            self.elbv2.modify_listener(ListenerArn=arn, DefaultActions=fixed(200, text))


class Tags(Values):
    """On several resources, which one call tags alike."""

    def __init__(self, shop, arns):
        self.elbv2, self.arns = shop.elbv2, arns

    def read(self):
        found = self.elbv2.describe_tags(ResourceArns=self.arns)["TagDescriptions"]
        return frozenset(((it["ResourceArn"], tag["Key"]), tag["Value"]) for it in found for tag in it["Tags"])

    def choose(self, draw, text):
        value = draw.choice([text, text, None])
        arns = draw.sample(self.arns, draw.randint(1, len(self.arns)))
        return {(arn, key): value for key in draw.sample(KEYS, 2) for arn in arns}

    def write(self, written):
        arns, keys = sorted({arn for arn, _ in written}), sorted({key for _, key in written})
        [value] = set(written.values())
        if value is None:
            return self.elbv2.remove_tags(ResourceArns=arns, TagKeys=keys)
        return self.elbv2.add_tags(ResourceArns=arns, Tags=[{"Key": key, "Value": value} for key in keys])


class Attributes(Values):
    def __init__(self, shop, balancer):
        self.elbv2, self.balancer = shop.elbv2, {"LoadBalancerArn": balancer["LoadBalancerArn"]}

    def read(self):
        found = self.elbv2.describe_load_balancer_attributes(**self.balancer)["Attributes"]
        return frozenset((it["Key"], it["Value"]) for it in found if it["Key"] in ATTRIBUTES)

    def choose(self, draw, _):
        keys = draw.sample(sorted(ATTRIBUTES), draw.randint(1, 2))
        return {key: str(draw.choice(ATTRIBUTES[key])) for key in keys}

    def write(self, written):
        attributes = [{"Key": key, "Value": value} for key, value in written.items()]
        self.elbv2.modify_load_balancer_attributes(**self.balancer, Attributes=attributes)


class Targets(Values):
    """Of a group that the load balancer forwards to; one that drains is not registered any more."""

    def __init__(self, shop, group):
        self.elbv2, self.group = shop.elbv2, {"TargetGroupArn": group}
        self.addresses = [shop.elbow.network.free_host(0) for _ in range(TARGETS)]

    def read(self):
        found = self.elbv2.describe_target_health(**self.group)["TargetHealthDescriptions"]
        return frozenset((it["Target"]["Id"], True) for it in found if it["TargetHealth"]["State"] != "draining")

    def choose(self, draw, _):
        is_there = draw.choice([True, None])
        return dict.fromkeys(draw.sample(self.addresses, 2), is_there)

    def write(self, written):
        change = self.elbv2.deregister_targets if None in written.values() else self.elbv2.register_targets
        change(**self.group, Targets=[{"Id": address} for address in written])


class LoadBalancer:
    """One that is made and deleted under one name, and its listeners with it."""

    step = staticmethod(load_balancer)

    def __init__(self, shop):
        self.shop, self.elbv2, self.name = shop, shop.elbv2, "concurrent"
        self.subnets, self.listeners = shop.subnets, []
        self.known = [self.create()]

    def create(self):
        made = self.elbv2.create_load_balancer(Name=self.name, Subnets=self.subnets)
        return made["LoadBalancers"][0]["LoadBalancerArn"]

    def find(self):
        return self.elbv2.describe_load_balancers(Names=[self.name])["LoadBalancers"][0]["LoadBalancerArn"]

    def list(self, arn):
        found = self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return frozenset(
            (it["ListenerArn"], it["Port"], it["DefaultActions"][0]["FixedResponseConfig"]["MessageBody"])
            for it in found
        )

    def read(self):
        try:
            arn = self.find()
        except ClientError:
            return None, frozenset()
        return arn, self.list(arn)

    def note(self, history):
        history.call(("find",), self.find)
        for arn in self.known[-2:]:
            history.call(("list", arn), lambda: self.list(arn))

    def call(self, history, draw, _):
        kind = draw.choice(["create", "create", "delete", "find", "list", "listen", "listen", "unlisten"])
        arn, listener = draw.choice(self.known[-2:]), draw.choice(self.listeners[-3:] or [None])
        if kind == "create":
            answer = history.call(("create",), self.create)
            # A refusal is for the model to judge.
            return isinstance(answer, Refused) or answer in self.known or self.known.append(answer)
        if kind == "delete":
            delete = lambda: nothing(self.elbv2.delete_load_balancer(LoadBalancerArn=arn))
            return history.call(("delete", arn), delete)
        if kind == "find":
            return history.call(("find",), self.find)
        if kind == "list":
            return history.call(("list", arn), lambda: self.list(arn))
        if kind == "unlisten" and listener:
            delete = lambda: nothing(self.elbv2.delete_listener(ListenerArn=listener))
            return history.call(("unlisten", listener), delete)
        port, text = draw.choice(PORTS), draw.choice(["x", "y"])
        listen = lambda: self.shop.listener({"LoadBalancerArn": arn}, fixed(200, text), port=port)
        answer = history.call(("listen", arn, port, text), listen)
        return isinstance(answer, Refused) or self.listeners.append(answer)


class Used:
    """Things that are made and deleted, and another thing that uses some of them."""

    def __init__(self, shop, prefix):
        self.shop, self.prefix = shop, prefix
        self.known = [self.create("first")]
        self.use({self.known[0]})

    def read(self):
        return self.there(), self.used()

    def note(self, history):
        history.call(("list",), self.there)
        history.call(("read",), self.used)

    def call(self, history, draw, text):
        kind, known = draw.choice(["create", "delete", "set", "set", "read", "list"]), self.known[-5:]
        if kind == "read":
            return history.call(("read",), self.used)
        if kind == "list":
            return history.call(("list",), self.there)
        if kind == "create":
            return self.known.append(history.call(("create",), lambda: self.create(text)))
        one = draw.choice(known)
        if kind == "delete":
            return history.call(("delete", one), lambda: nothing(self.delete(one)))
        wanted = frozenset({one, draw.choice(known)})
        return history.call(("set", wanted), lambda: nothing(self.use(wanted)))


class SecurityGroups(Used):
    """Of a load balancer."""

    step = staticmethod(security_groups)

    def __init__(self, shop, balancer):
        self.balancer = balancer["LoadBalancerArn"]
        super().__init__(shop, f"concurrent-{balancer['LoadBalancerName']}")

    def create(self, text):
        name = f"{self.prefix}-{text}"
        made = self.shop.ec2.create_security_group(GroupName=name, Description="test", VpcId=self.shop.vpc)
        return made["GroupId"]

    def delete(self, group):
        self.shop.ec2.delete_security_group(GroupId=group)

    def use(self, groups):
        self.shop.elbv2.set_security_groups(LoadBalancerArn=self.balancer, SecurityGroups=sorted(groups))

    def used(self):
        [found] = self.shop.elbv2.describe_load_balancers(LoadBalancerArns=[self.balancer])["LoadBalancers"]
        return frozenset(found["SecurityGroups"])

    def there(self):
        named = [{"Name": "group-name", "Values": [f"{self.prefix}-*"]}]
        found = self.shop.ec2.describe_security_groups(Filters=named)["SecurityGroups"]
        return frozenset(it["GroupId"] for it in found)


class TargetGroups(Used):
    """That a listener forwards to."""

    step = staticmethod(target_groups)

    def __init__(self, shop, balancer, port):
        self.listener = shop.listener(balancer, fixed(200, "default"), port=port)
        super().__init__(shop, "used")

    def create(self, text):
        name = f"{self.prefix}-{text}"
        made = self.shop.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.shop.vpc)
        return made["TargetGroups"][0]["TargetGroupArn"]

    def delete(self, arn):
        self.shop.elbv2.delete_target_group(TargetGroupArn=arn)

    def use(self, arns):
        self.shop.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=forward(*((arn, 1) for arn in sorted(arns))))

    def used(self):
        [found] = self.shop.elbv2.describe_listeners(ListenerArns=[self.listener])["Listeners"]
        groups = found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return frozenset(group["TargetGroupArn"] for group in groups)

    def there(self):
        found = self.shop.elbv2.describe_target_groups()["TargetGroups"]
        named = (it for it in found if it["TargetGroupName"].startswith(self.prefix))
        return frozenset(it["TargetGroupArn"] for it in named)


@pytest.fixture
def objects(make_elbow):
    """What the clients change, each a thing of its own: no call touches two of them."""
    elbow = make_elbow()
    shop = Shop(elbow)
    # Each client has a connection.
    many = {"config": Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS)}
    shop.elbv2, shop.ec2 = elbow.client("elbv2", **many), elbow.client("ec2", **many)
    balancer = shop.balancer()
    group = shop.group(HealthCheckIntervalSeconds=300)
    shop.listener(balancer, forward(group), port=9000)
    listeners = [Listener(shop, balancer, port) for port in (9001, 9002)]
    arns = [it.arn for it in listeners]
    return [
        *listeners,
        DefaultActions(shop, arns),
        Tags(shop, [balancer["LoadBalancerArn"], *arns]),
        Attributes(shop, balancer),
        Targets(shop, group),
        SecurityGroups(shop, balancer),
        TargetGroups(shop, balancer, 9003),
        LoadBalancer(shop),
    ]


def test_concurrent_changes_are_as_if_each_had_been_alone(objects):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    until, rounds = time.monotonic() + 60 * MINUTES, 0
    while rounds < ROUNDS or time.monotonic() < until:
        histories = change_at_once(objects, f"{seed}-{rounds}")
        rounds += 1
        for one, (state, history) in zip(objects, histories):
            order = serial_order(history.calls, state, one.step)
            told = "\n".join(map(str, sorted(history.calls, key=lambda call: call.start)))
            assert order is not None, f"{type(one).__name__} had {state}, and no order explains\n{told}"
            assert len(order) == len(history.calls) > CLIENTS
    print(f"{rounds} rounds of {CLIENTS * CALLS} calls")


def change_at_once(objects, seed):
    """For each object the state before a round, and the history of the round."""
    histories = [(one.read(), History()) for one in objects]
    together = threading.Barrier(CLIENTS)

    def run(client):
        draw = random.Random(f"{seed}-{client}")
        together.wait(timeout=60)
        for turn in range(CALLS):
            number = draw.randrange(len(objects))
            objects[number].call(histories[number][1], draw, f"{seed}-{client}-{turn}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, range(CLIENTS)))
    for one, (_, history) in zip(objects, histories):
        one.note(history)
    return histories

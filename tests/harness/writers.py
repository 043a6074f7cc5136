"""Writers for crash tests: each changes things of one kind and keeps a book of what was acknowledged."""

import random
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError

from .http import get
from .shop import fixed

TEXT = "text/plain"


class Writer:
    """Makes one change after the other until the server is gone.

    The book says what there has to be, in the form in which `found` reads it from the server. Of the
    change that the crash interrupted there is either all or nothing: the server then holds the book from
    before it or the book from after it, and nothing else.
    """

    # Things that a writer keeps at most, so that deletions are as frequent as creations.
    THINGS_MAX = 5

    def __init__(self, shop, seed):
        self.shop, self.elbv2, self.ec2 = shop, shop.elbv2, shop.ec2
        self.random = random.Random(seed)
        self.book = {}
        self.book_in_doubt = None
        self.acknowledged = 0
        self.survived_in_doubt = 0
        self._names = 0

    def run(self):
        """Writes until the crash; any other error is the test's."""
        while self.make(*self.next_change()):
            pass

    def make(self, call, after):
        """Makes one change; returns whether it was acknowledged, which only a crash prevents."""
        self.book_in_doubt = after
        try:
            call()
        except BotoCoreError:
            return False
        self.book, self.book_in_doubt = after, None
        self.acknowledged += 1
        return True

    def check(self):
        """Compares the server after the crash with the book, and goes on from what there is."""
        found = self.found()
        assert found in (self.book, self.book_in_doubt), (
            f"{type(self).__name__}: found {found}; acknowledged was {self.book}; "
            f"the change in doubt would have made it {self.book_in_doubt}"
        )
        self.survived_in_doubt += found == self.book_in_doubt
        self.book, self.book_in_doubt = found, None

    def next_change(self):
        """The next call, and the book after it."""
        name = self.random.choice(sorted(self.book)) if self.book else None
        if name is None or (len(self.book) < self.THINGS_MAX and self.random.random() < 0.3):
            self._names += 1
            return self.create(f"{type(self).__name__.lower()}-{self._names}")
        if self.random.random() < 0.2:
            return self.delete(name)
        return self.random.choice(self.changes)(self, name)

    def with_entry(self, name, entry):
        return self.book | {name: entry}

    def without(self, name):
        return {other: entry for other, entry in self.book.items() if other != name}

    def tags_of(self, arns):
        described = self.elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"] if arns else []
        return {one["ResourceArn"]: as_set(one["Tags"]) for one in described}


def tags(*keys):
    return [{"Key": key, "Value": f"value of {key}"} for key in keys]


def as_set(tag_list):
    return frozenset((tag["Key"], tag["Value"]) for tag in tag_list)


class TargetGroups(Writer):
    """Book: the tags and the targets of each target group, by name."""

    def __init__(self, shop, seed):
        super().__init__(shop, seed)
        self.vpc, self.arns = shop.vpc, {}

    def create(self, name):
        made = tags("one", "two", "three")

        def call():
            arguments = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip"}
            answer = self.elbv2.create_target_group(Name=name, Tags=made, **arguments)
            self.arns[name] = answer["TargetGroups"][0]["TargetGroupArn"]

        return call, self.with_entry(name, (as_set(made), frozenset()))

    def delete(self, name):
        return lambda: self.elbv2.delete_target_group(TargetGroupArn=self.arns[name]), self.without(name)

    def register(self, name):
        tagged, targets = self.book[name]
        network = self.shop.elbow.network
        new = {(network.free_host(n % 2), 8000 + n) for n in range(3)}
        call = lambda: self.elbv2.register_targets(TargetGroupArn=self.arns[name], Targets=described(new))
        return call, self.with_entry(name, (tagged, targets | new))

    def deregister(self, name):
        tagged, targets = self.book[name]
        if not targets:
            return self.register(name)
        gone = set(self.random.sample(sorted(targets), min(2, len(targets))))
        call = lambda: self.elbv2.deregister_targets(TargetGroupArn=self.arns[name], Targets=described(gone))
        return call, self.with_entry(name, (tagged, targets - gone))

    def tag(self, name):
        tagged, targets = self.book[name]
        new = tags("four", "five")
        call = lambda: self.elbv2.add_tags(ResourceArns=[self.arns[name]], Tags=new)
        return call, self.with_entry(name, (tagged | as_set(new), targets))

    def untag(self, name):
        tagged, targets = self.book[name]
        gone = {"one", "four"}
        call = lambda: self.elbv2.remove_tags(ResourceArns=[self.arns[name]], TagKeys=sorted(gone))
        left = frozenset(tag for tag in tagged if tag[0] not in gone)
        return call, self.with_entry(name, (left, targets))

    changes = (register, register, deregister, tag, untag)

    def found(self):
        groups = self.elbv2.describe_target_groups()["TargetGroups"]
        named = [group for group in groups if group["TargetGroupName"].startswith("targetgroups-")]
        self.arns = {group["TargetGroupName"]: group["TargetGroupArn"] for group in named}
        tagged = self.tags_of(list(self.arns.values()))
        return {name: (tagged[arn], self.targets_of(arn)) for name, arn in self.arns.items()}

    def targets_of(self, arn):
        health = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return frozenset((one["Target"]["Id"], one["Target"]["Port"]) for one in health)


def described(targets):
    return [{"Id": address, "Port": port} for address, port in sorted(targets)]


class Rules(Writer):
    """Book: priority and answer of each rule of one listener, by its path."""

    DEFAULT = "the default rule"

    def __init__(self, shop, seed, balancer, port):
        super().__init__(shop, seed)
        self.address, self.port, self.arns = shop.addresses(balancer)[0], port, {}
        self.listener = shop.listener(balancer, fixed(200, self.DEFAULT, TEXT), port=port)

    def free_priority(self):
        taken = {priority for priority, _ in self.book.values()}
        return self.random.choice([n for n in range(1, 50) if n not in taken])

    def create(self, name):
        path, priority = f"/{name}", self.free_priority()
        condition = [{"Field": "path-pattern", "Values": [path]}]

        def call():
            self.arns[path] = self.shop.rule(self.listener, priority, condition, fixed(200, name, TEXT))

        return call, self.with_entry(path, (priority, name))

    def delete(self, path):
        return lambda: self.elbv2.delete_rule(RuleArn=self.arns[path]), self.without(path)

    def modify(self, path):
        priority, _ = self.book[path]
        body = f"answer {self.random.random()}"
        call = lambda: self.elbv2.modify_rule(RuleArn=self.arns[path], Actions=fixed(200, body, TEXT))
        return call, self.with_entry(path, (priority, body))

    def change_places(self, path):
        other = self.random.choice(sorted(self.book))
        if other == path:
            priorities = {path: self.free_priority()}
        else:
            priorities = {path: self.book[other][0], other: self.book[path][0]}
        wanted = [{"RuleArn": self.arns[p], "Priority": n} for p, n in priorities.items()]
        after = {p: (n, self.book[p][1]) for p, n in priorities.items()}
        return lambda: self.elbv2.set_rule_priorities(RulePriorities=wanted), self.book | after

    changes = (modify, change_places)

    def found(self):
        rules = self.elbv2.describe_rules(ListenerArn=self.listener)["Rules"]
        [default] = [rule for rule in rules if rule["IsDefault"]]
        assert answer_of(default) == self.DEFAULT
        rules = [rule for rule in rules if not rule["IsDefault"]]
        self.arns = {rule["Conditions"][0]["Values"][0]: rule["RuleArn"] for rule in rules}
        assert len(self.arns) == len(rules), "no rule is there twice"
        return {
            rule["Conditions"][0]["Values"][0]: (int(rule["Priority"]), answer_of(rule)) for rule in rules
        }

    def check(self):
        super().check()
        for path, (_, body) in self.book.items():
            assert get(self.address, path, port=self.port).text == body
        assert get(self.address, "/no-rule", port=self.port).text == self.DEFAULT


def answer_of(rule):
    return rule["Actions"][0]["FixedResponseConfig"]["MessageBody"]


class Balancers(Writer):
    """Book: the tags of each load balancer and the answers of its listeners by port, by name."""

    THINGS_MAX = 3

    def __init__(self, shop, seed):
        super().__init__(shop, seed)
        self.subnets, self.descriptions, self.listeners = shop.subnets, {}, {}

    def create(self, name):
        made = tags("one", "two", "three")

        def call():
            answer = self.elbv2.create_load_balancer(Name=name, Subnets=self.subnets, Tags=made)
            self.descriptions[name] = answer["LoadBalancers"][0]

        return call, self.with_entry(name, (as_set(made), ()))

    def delete(self, name):
        """With its listeners and their rules."""
        arn = self.descriptions[name]["LoadBalancerArn"]
        return lambda: self.elbv2.delete_load_balancer(LoadBalancerArn=arn), self.without(name)

    def listen(self, name):
        tagged, answers = self.book[name]
        port = 9000 + len(answers)
        body = f"{name} at {port}"

        def call():
            arn = self.shop.listener(self.descriptions[name], fixed(200, body, TEXT), port=port)
            self.listeners[name, port] = arn

        return call, self.with_entry(name, (tagged, (*answers, (port, body))))

    def modify(self, name):
        tagged, answers = self.book[name]
        if not answers:
            return self.listen(name)
        (port, _), body = answers[-1], f"{name} answers {self.random.random()}"
        arn = self.listeners[name, port]
        call = lambda: self.elbv2.modify_listener(ListenerArn=arn, DefaultActions=fixed(200, body, TEXT))
        return call, self.with_entry(name, (tagged, (*answers[:-1], (port, body))))

    def stop_listening(self, name):
        tagged, answers = self.book[name]
        if not answers:
            return self.listen(name)
        arn = self.listeners[name, answers[-1][0]]
        call = lambda: self.elbv2.delete_listener(ListenerArn=arn)
        return call, self.with_entry(name, (tagged, answers[:-1]))

    changes = (listen, listen, modify, stop_listening)

    def found(self):
        balancers = self.elbv2.describe_load_balancers()["LoadBalancers"]
        named = [one for one in balancers if one["LoadBalancerName"].startswith("balancers-")]
        self.descriptions = {one["LoadBalancerName"]: one for one in named}
        tagged = self.tags_of([one["LoadBalancerArn"] for one in named])
        self.listeners = {}
        return {
            name: (tagged[one["LoadBalancerArn"]], self.answers_of(name))
            for name, one in self.descriptions.items()
        }

    def answers_of(self, name):
        answers = {}
        arn = self.descriptions[name]["LoadBalancerArn"]
        for listener in self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            rules = self.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            assert [rule["IsDefault"] for rule in rules] == [True], "a listener has its default rule"
            answers[listener["Port"]] = answer_of(rules[0])
            self.listeners[name, listener["Port"]] = listener["ListenerArn"]
        return tuple(sorted(answers.items()))

    def check(self):
        super().check()
        for name, (_, answers) in self.book.items():
            for address in self.shop.addresses(self.descriptions[name]):
                for port, body in answers:
                    assert get(address, port=port).text == body


class SecurityGroups(Writer):
    """Book: the blocks that each security group admits, by name."""

    def __init__(self, shop, seed):
        super().__init__(shop, seed)
        self.vpc, self.ids = shop.vpc, {}

    def create(self, name):
        def call():
            made = self.ec2.create_security_group(GroupName=name, Description="test", VpcId=self.vpc)
            self.ids[name] = made["GroupId"]

        return call, self.with_entry(name, frozenset())

    def delete(self, name):
        return lambda: self.ec2.delete_security_group(GroupId=self.ids[name]), self.without(name)

    def authorize(self, name):
        number = self.random.randrange(10**6)
        blocks = {f"10.{number % 256}.{number // 256 % 256}.{n}/32" for n in range(3)} - self.book[name]
        if not blocks:
            return self.revoke(name)
        call = lambda: self.ec2.authorize_security_group_ingress(
            GroupId=self.ids[name], IpPermissions=[permission(blocks)]
        )
        return call, self.with_entry(name, self.book[name] | blocks)

    def revoke(self, name):
        if not self.book[name]:
            return self.authorize(name)
        admitted = sorted(self.book[name])
        blocks = set(self.random.sample(admitted, min(2, len(admitted))))
        call = lambda: self.ec2.revoke_security_group_ingress(
            GroupId=self.ids[name], IpPermissions=[permission(blocks)]
        )
        return call, self.with_entry(name, self.book[name] - blocks)

    changes = (authorize, authorize, revoke)

    def found(self):
        groups = self.ec2.describe_security_groups()["SecurityGroups"]
        named = [group for group in groups if group["GroupName"].startswith("securitygroups-")]
        self.ids = {group["GroupName"]: group["GroupId"] for group in named}
        return {
            group["GroupName"]: frozenset(
                block["CidrIp"]
                for permission in group["IpPermissions"]
                for block in permission["IpRanges"]
            )
            for group in named
        }


def permission(blocks):
    return {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": block} for block in sorted(blocks)],
    }


class Crew:
    """Writers at work, each in a thread of its own."""

    def __init__(self, writers):
        self.writers = writers

    @property
    def acknowledged(self):
        return sum(writer.acknowledged for writer in self.writers)

    def work_until(self, crash):
        """Lets all of them write while `crash` runs, which ends them; raises what went wrong."""
        with ThreadPoolExecutor(len(self.writers)) as pool:
            running = [pool.submit(writer.run) for writer in self.writers]
            crash()
            for one in running:
                one.result(timeout=60)

"""kill -9 during writes: everything that was acknowledged is there afterwards, and it serves again."""

import random
import threading
import time

from botocore.exceptions import BotoCoreError

from harness.http import get
from harness.shop import Shop, fixed

ROUNDS = 6


class Writer(threading.Thread):
    """Creates target groups and tags them until the server is gone; remembers what was acknowledged."""

    def __init__(self, shop, round_):
        super().__init__()
        self.elbv2, self.vpc, self.round = shop.elbv2, shop.vpc, round_
        self.acknowledged = {}

    def run(self):
        try:
            for number in range(10_000):
                name = f"crash-{self.round}-{number}"
                made = self.elbv2.create_target_group(
                    Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc
                )
                arn = made["TargetGroups"][0]["TargetGroupArn"]
                self.acknowledged[arn] = set()
                for value in ("one", "two"):
                    tags = [{"Key": value, "Value": name}]
                    self.elbv2.add_tags(ResourceArns=[arn], Tags=tags)
                    self.acknowledged[arn].add(value)
        except (BotoCoreError, ConnectionError):
            pass  # This is the crash.


def stored(elbv2):
    """The keys of the tags of each target group."""
    pages = elbv2.get_paginator("describe_target_groups").paginate()
    arns = [group["TargetGroupArn"] for page in pages for group in page["TargetGroups"]]
    found = {}
    for start in range(0, len(arns), 20):
        described = elbv2.describe_tags(ResourceArns=arns[start : start + 20])
        for one in described["TagDescriptions"]:
            found[one["ResourceArn"]] = {tag["Key"] for tag in one["Tags"]}
    return found


def test_what_was_acknowledged_survives_a_crash(make_elbow):
    elbow = make_elbow()
    shop = Shop(elbow)
    balancer = shop.balancer()
    shop.listener(balancer, fixed(200, "still here", "text/plain"))
    address = shop.addresses(balancer)[0]
    expected = {}
    for round_ in range(ROUNDS):
        writer = Writer(shop, round_)
        writer.start()
        time.sleep(random.uniform(0.2, 1.0))
        elbow.kill()
        writer.join()
        elbow.start()
        expected |= writer.acknowledged
        found = stored(shop.elbv2)
        for arn, tags in expected.items():
            assert arn in found, f"{arn} was acknowledged and is gone (round {round_})"
            assert tags <= found[arn], f"tags of {arn} were acknowledged and are gone"
        # At most the one write that was under way may be there without having been acknowledged.
        assert len(found) - len(expected) <= round_ + 1
        assert get(address, port=shop.port).text == "still here"
    assert len(expected) > ROUNDS * 3, "there were writes to crash into"
    [after] = shop.elbv2.describe_load_balancers()["LoadBalancers"]
    assert after["LoadBalancerArn"] == balancer["LoadBalancerArn"]

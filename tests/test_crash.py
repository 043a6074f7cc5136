"""kill -9 during writes: everything that was acknowledged is there afterwards, and it serves again."""

import random

import pytest

from harness.elbow import Elbow
from harness.guard import Guard, is_answered, tcp
from harness.http import get
from harness.shop import Shop, forward
from harness.target import Target
from harness.wait import until
from harness.writers import Balancers, Crew, Rules, SecurityGroups, TargetGroups

ROUNDS = 12
# Changes of a round that are acknowledged before the crash.
CHANGES_MIN, CHANGES_MAX = 20, 80


@pytest.fixture
def crashing(make_elbow):
    """An elbow to crash, with a load balancer before a target that stay as they are."""
    elbow = make_elbow()
    server = Target(elbow.network.free_host(0), "server")
    yield elbow, Shop(elbow), server
    server.close()


def test_what_was_acknowledged_survives_a_crash(crashing):
    elbow, shop, server = crashing
    group = shop.group(server)
    balancer = shop.balancer(SecurityGroups=[Guard(shop, tcp("127.0.0.1/32")).id])
    shop.listener(balancer, forward(group))
    address = shop.addresses(balancer)[0]
    crew = Crew([
        TargetGroups(shop, seed=1),
        Rules(shop, 2, balancer, port=9001),
        Rules(shop, 3, balancer, port=9002),
        Balancers(shop, seed=4),
        SecurityGroups(shop, seed=5),
    ])
    for _ in range(ROUNDS):
        goal = crew.acknowledged + random.randint(CHANGES_MIN, CHANGES_MAX)

        def crash():
            until(lambda: crew.acknowledged >= goal, f"{goal} changes", pause=0.001)
            elbow.kill()

        crew.work_until(crash)
        elbow.start()
        assert get(address, port=shop.port).text == "server", "it serves from its first moment"
        for writer in crew.writers:
            writer.check()
    assert not is_answered(address, shop.port, "127.9.9.9"), "security groups are in force again"
    assert all(writer.acknowledged > ROUNDS for writer in crew.writers), "each of them had its turn"
    survived = sum(writer.survived_in_doubt for writer in crew.writers)
    print(f"{crew.acknowledged} changes and {ROUNDS} crashes; {survived} changes made it without an answer")


@pytest.mark.parametrize("file", ["", "state.redb", "credentials", "endpoint"])
def test_a_crash_during_the_first_start_leaves_nothing_half_made(tmp_path, network, file):
    """The start is killed as soon as a file is there; the next one ends what it began."""
    elbow = Elbow(tmp_path, network)
    elbow.launch()
    try:
        until((elbow.data / file).exists, f"the data directory having '{file}'", pause=0)
        elbow.kill()
        elbow.start()
        ec2 = elbow.client("ec2")
        [vpc] = ec2.describe_vpcs()["Vpcs"]
        assert vpc["IsDefault"] and vpc["CidrBlock"] == network.vpc
        subnets = ec2.describe_subnets()["Subnets"]
        found = sorted((subnet["AvailabilityZone"], subnet["CidrBlock"]) for subnet in subnets)
        assert found == sorted(network.zones)
        [group] = ec2.describe_security_groups()["SecurityGroups"]
        assert group["GroupName"] == "default"
    finally:
        elbow.stop()

"""Any change is live, atomically, with no connection lost: 10,000 requests during 200 changes."""

import itertools

import pytest

from harness.guard import Guard, is_answered, tcp
from harness.http import Connection, get
from harness.load import App, Load
from harness.shop import fixed, forward

REQUESTS, CHANGES = 10_000, 200
STRANGER = "127.9.9.9"


@pytest.fixture
def apps(elbow):
    apps = [App(elbow.network.free_host(n % 2), f"app-{n}") for n in range(4)]
    yield apps
    for app in apps:
        app.close()


class Site:
    """The load balancer that is changed while it serves."""

    def __init__(self, shop, apps):
        self.shop = shop
        self.elbv2 = shop.elbv2
        self.apps = apps
        checks = {"HealthCheckPath": "/health"}
        self.groups = [shop.group(*apps[:3], **checks), shop.group(apps[3], **checks)]
        self.guard = Guard(shop, tcp("127.0.0.1/32"))
        balancer = shop.balancer(SecurityGroups=[self.guard.id])
        self.balancer = balancer["LoadBalancerArn"]
        self.addresses = shop.addresses(balancer)
        self.listener = shop.listener(balancer, forward(self.groups[0]))
        self.other_listener = lambda port: shop.listener(balancer, fixed(200), port=port)
        shop.wait_for_state(self.groups[0], "healthy")


def changes(site, connection):
    """An endless sequence of changes, of every kind in turn.

    After each one the next request on `connection` has to see it.
    """
    shop, elbv2, [one, two] = site.shop, site.elbv2, site.groups
    condition = [{"Field": "path-pattern", "Values": ["/changed"]}]
    names = {one: {"app-0", "app-1", "app-2"}, two: {"app-3"}}
    defaults = itertools.cycle([
        (forward(two), names[two]),
        (forward((one, 1), (two, 1)), names[one] | names[two]),
        (forward(one), names[one]),
    ])
    algorithms = itertools.cycle(["least_outstanding_requests", "round_robin"])
    timeouts = itertools.cycle(["61", "60"])
    thresholds = itertools.cycle([3, 4])
    staying = names[one]

    def status():
        return connection.request(path="/changed").status

    def who():
        return {connection.request().text.split(" ", 1)[0] for _ in range(6)}

    for number in itertools.count():
        first, second = 2 * number + 1, 2 * number + 2
        rule = shop.rule(site.listener, first, condition, fixed(418))
        assert status() == 418
        yield
        after = shop.rule(site.listener, second, condition, fixed(404))
        assert status() == 418, "the rule before it still decides"
        yield
        swapped = [{"RuleArn": rule, "Priority": second}, {"RuleArn": after, "Priority": first}]
        elbv2.set_rule_priorities(RulePriorities=swapped)
        assert status() == 404
        yield
        elbv2.modify_rule(RuleArn=after, Actions=fixed(410))
        assert status() == 410
        yield
        actions, expected = next(defaults)
        elbv2.modify_listener(ListenerArn=site.listener, DefaultActions=actions)
        assert who() <= expected
        yield
        leaver = site.apps[2]
        shop.deregister(one, leaver)
        assert leaver.name not in who()
        yield
        elbv2.modify_target_group_attributes(
            TargetGroupArn=one,
            Attributes=[{"Key": "load_balancing.algorithm.type", "Value": next(algorithms)}],
        )
        yield
        elbv2.modify_target_group(TargetGroupArn=one, HealthyThresholdCount=next(thresholds))
        yield
        shop.register(one, leaver)
        yield
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=site.balancer,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": next(timeouts)}],
        )
        yield
        site.guard.admit(tcp(f"{STRANGER}/32"))
        assert is_answered(site.addresses[0], shop.port, STRANGER)
        yield
        site.guard.revoke(tcp(f"{STRANGER}/32"))
        assert not is_answered(site.addresses[0], shop.port, STRANGER)
        yield
        other = site.other_listener(9000 + number)
        assert get(site.addresses[1], port=9000 + number).status == 200
        yield
        elbv2.delete_rule(RuleArn=after)
        assert status() == 418, "the other rule decides again"
        yield
        elbv2.delete_rule(RuleArn=rule)
        assert status() == 200, "the listener's default action decides"
        yield
        elbv2.delete_listener(ListenerArn=other)
        with pytest.raises(ConnectionRefusedError):
            Connection(site.addresses[1], 9000 + number)
        yield


def test_nobody_notices_changes(shop, apps):
    site = Site(shop, apps)
    with Load(site.addresses, shop.port, clients=4) as load, Connection(site.addresses[0], shop.port) as connection:
        sequence = changes(site, connection)
        for change in range(CHANGES):
            # Spread over all the requests, as far as these are slower than the changes.
            load.wait_until_answered(change * REQUESTS // CHANGES)
            next(sequence)
        load.wait_until_answered(REQUESTS)
    print(f"{load.answered} requests during {CHANGES} changes: {load.answers}")
    assert load.failures == [], f"{len(load.failures)} of {load.answered} failed: {set(load.failures)}"
    assert set(load.answers) == {app.name for app in apps}, "every target had its turn"

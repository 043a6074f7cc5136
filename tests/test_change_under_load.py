"""Any change is live, atomically, with no connection lost: 10,000 requests during 200 changes."""

import itertools

from harness.load import App, Load
from harness.shop import fixed, forward

REQUESTS, CHANGES = 10_000, 200


def changes(shop, groups, listener, balancer, app):
    """An endless sequence of calls that each change the configuration, of every kind in turn."""
    elbv2 = shop.elbv2
    algorithms = itertools.cycle(["least_outstanding_requests", "round_robin"])
    timeouts = itertools.cycle(["61", "60"])
    targets = itertools.cycle([shop.deregister, shop.register])
    actions = itertools.cycle([forward(groups[1]), forward((groups[0], 1), (groups[1], 1)), forward(groups[0])])
    condition = [{"Field": "path-pattern", "Values": ["/elsewhere/*"]}]
    for priority in itertools.count(10):
        rule = shop.rule(listener, priority, condition, fixed(418))
        yield
        elbv2.modify_rule(RuleArn=rule, Actions=fixed(404))
        yield
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": rule, "Priority": priority + 10_000}])
        yield
        elbv2.modify_listener(ListenerArn=listener, DefaultActions=next(actions))
        yield
        elbv2.modify_target_group_attributes(
            TargetGroupArn=groups[0],
            Attributes=[{"Key": "load_balancing.algorithm.type", "Value": next(algorithms)}],
        )
        yield
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": next(timeouts)}],
        )
        yield
        next(targets)(groups[0], app)
        yield
        other = shop.listener(balancer, fixed(200), port=9000 + priority)
        yield
        elbv2.delete_rule(RuleArn=rule)
        yield
        elbv2.delete_listener(ListenerArn=other)
        yield


def test_nobody_notices_changes(shop, elbow):
    apps = [App(elbow.network.free_host(n % 2), f"app-{n}") for n in range(4)]
    try:
        groups = [shop.group(*apps[:3], HealthCheckPath="/health"), shop.group(apps[3], HealthCheckPath="/health")]
        balancer = shop.balancer()
        listener = shop.listener(balancer, forward(groups[0]))
        shop.wait_for_state(groups[0], "healthy")
        with Load(shop.addresses(balancer)[0], shop.port) as load:
            sequence = changes(shop, groups, listener, balancer, apps[2])
            for change in range(CHANGES):
                # Spread over all the requests, as far as these are slower than the changes.
                load.wait_until_sent(change * REQUESTS // CHANGES)
                next(sequence)
            load.wait_until_sent(REQUESTS)
        print(f"{load.sent} requests during {CHANGES} changes: {load.answers}")
        assert load.failures == [], f"{len(load.failures)} of {load.sent} failed: {set(load.failures)}"
        assert load.sent >= REQUESTS
        assert len(load.answers) == 4, "every target had its turn"
    finally:
        for app in apps:
            app.close()

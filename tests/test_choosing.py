"""Which target a request gets, as far as the attributes of its target group decide it."""

import threading

import pytest

from harness.http import get
from harness.shop import forward
from harness.target import failing
from harness.wait import until


def modify(shop, group, **attributes):
    """Sets attributes, whose dots are written `__`."""
    listed = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    shop.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=listed)


def names(shop, address, count=20):
    return [get(address, port=shop.port).text for _ in range(count)]


def cookie(response, name):
    """The value that a response sets a cookie to."""
    values = [value for field, value in response.fields if field.lower() == "set-cookie"]
    [found] = [value for value in values if value.startswith(f"{name}=")]
    return found.split(";")[0]


def test_with_cross_zone_off_each_node_uses_its_own_zone(shop, target):
    servers = [target("a", zone=0), target("b", zone=1)]
    group = shop.group(*servers)
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    nodes = shop.addresses(balancer)
    assert {*names(shop, nodes[0])} == {"a", "b"}
    modify(shop, group, load_balancing__cross_zone__enabled="false")
    assert [{*names(shop, node)} for node in nodes[:2]] == [{"a"}, {"b"}]
    shop.deregister(group, servers[1])
    assert get(nodes[1], port=shop.port).status == 503, "nobody is left in its zone"
    assert {*names(shop, nodes[0])} == {"a"}


def test_below_the_routing_threshold_the_unhealthy_are_asked_too(shop, target):
    well, ill = target("well"), target("ill", health="500 Internal Server Error")
    address, group, _ = shop.serve(well, ill)
    until(
        lambda: {state for state, _ in shop.health(group).values()} == {"healthy", "unhealthy"},
        "one healthy and one unhealthy target",
        timeout=30,
    )
    assert {*names(shop, address)} == {"well"}
    thresholds = {
        "target_group_health__dns_failover__minimum_healthy_targets__count": "2",
        "target_group_health__unhealthy_state_routing__minimum_healthy_targets__count": "2",
    }
    modify(shop, group, **thresholds)
    assert {*names(shop, address)} == {"well", "ill"}


def test_weighted_random_asks_everybody(shop, target):
    address, group, _ = shop.serve(*(target(name) for name in "abc"))
    shop.wait_for_state(group, "healthy")
    modify(shop, group, load_balancing__algorithm__type="weighted_random")
    answers = names(shop, address, 150)
    assert all(answers.count(name) > 20 for name in "abc"), answers


def test_a_target_in_slow_start_gets_few_requests_at_first(shop, target):
    address, group, _ = shop.serve(target("old"))
    shop.wait_for_state(group, "healthy")
    modify(shop, group, slow_start__duration_seconds="900")
    shop.register(group, target("new"))
    shop.wait_for_state(group, "healthy")
    # A full share would be 50 of them; in the first seconds of 900 it is one or none.
    assert names(shop, address, 100).count("new") < 25


@pytest.mark.parametrize("name", ["AWSALB", "AWSALBCORS"])
def test_a_client_stays_with_its_target(shop, target, name):
    address, group, _ = shop.serve(target("a"), target("b"), target("c"))
    shop.wait_for_state(group, "healthy")
    modify(shop, group, stickiness__enabled="true", stickiness__type="lb_cookie")
    first = get(address, port=shop.port)
    header = [f"Cookie: {cookie(first, name)}"]
    answers = {get(address, port=shop.port, headers=header).text for _ in range(10)}
    assert answers == {first.text}
    assert {*names(shop, address)} == {"a", "b", "c"}, "without the cookie it is anybody"


def test_a_client_stays_with_its_group_whatever_its_weight(shop, target):
    groups = [shop.group(target(name)) for name in "ab"]
    tuples = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
    config = {
        "TargetGroups": tuples,
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    balancer = shop.balancer()
    shop.listener(balancer, [{"Type": "forward", "ForwardConfig": config}])
    for group in groups:
        shop.wait_for_state(group, "healthy")
    address = shop.addresses(balancer)[0]
    first = get(address, port=shop.port)
    header = [f"Cookie: {cookie(first, 'AWSALBTG')}"]
    answers = {get(address, port=shop.port, headers=header).text for _ in range(10)}
    assert answers == {first.text}
    assert {*names(shop, address)} == {"a", "b"}


def test_an_anomalous_target_is_found_and_spared(shop, target):
    servers = [target("bad", script=failing), *(target(name) for name in "abc")]
    address, group, _ = shop.serve(*servers)
    shop.wait_for_state(group, "healthy")
    modify(
        shop,
        group,
        load_balancing__algorithm__type="weighted_random",
        load_balancing__algorithm__anomaly_mitigation="on",
    )
    done = threading.Event()

    def load():
        while not done.is_set():
            get(address, port=shop.port)

    thread = threading.Thread(target=load)
    thread.start()

    def found():
        described = shop.elbv2.describe_target_health(TargetGroupArn=group, Include=["AnomalyDetection"])
        return {
            one["Target"]["Id"]: tuple(one["AnomalyDetection"].values())
            for one in described["TargetHealthDescriptions"]
        }

    try:
        expected = {server.address: ("normal", "no") for server in servers}
        expected[servers[0].address] = ("anomalous", "yes")
        until(lambda: found() == expected, "the anomaly being found and mitigated", timeout=30)
    finally:
        done.set()
        thread.join()

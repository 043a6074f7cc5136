"""Zonal shifts: clients are kept away from a zone and requests from its targets, until the shift ends."""

from urllib.request import urlopen

import pytest

from harness.elbow import AwsError
from harness.http import get
from harness.shop import Shop, forward
from harness.target import Target
from harness.wait import until

AWAY = "use1-az1"


def enable(shop, balancer):
    shop.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "zonal_shift.config.enabled", "Value": "true"}],
    )


def shifted_shop(shop, *targets):
    """A load balancer that can be shifted, in front of healthy targets: (description, group)."""
    group = shop.group(*targets)
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    enable(shop, balancer)
    return balancer, group


def answers(shop, balancer, count=12):
    """Who answers at each address of the load balancer, in the order of its zones."""
    nodes = shop.addresses(balancer)
    return [{get(node, port=shop.port).text for _ in range(count)} for node in nodes]


def in_dns(elbow, balancer):
    """The addresses that `elbow hosts` prints for the load balancer."""
    lines = [line.split() for line in elbow.run("hosts").splitlines()]
    return sorted(address for address, name in lines if name == balancer["DNSName"])


def overrides(shop, group):
    described = shop.elbv2.describe_target_health(TargetGroupArn=group)
    return {
        one["Target"]["Id"]: (one["TargetHealth"]["State"], one["AdministrativeOverride"])
        for one in described["TargetHealthDescriptions"]
    }


def start(elbow, balancer, expires_in="20h", away=AWAY):
    """Starts a shift with the `aws` command."""
    return elbow.aws(
        *("arc-zonal-shift", "start-zonal-shift"),
        *("--resource-identifier", balancer["LoadBalancerArn"]),
        *("--away-from", away, "--expires-in", expires_in, "--comment", "a bad deployment"),
    )


def test_no_request_goes_to_the_zone_until_the_shift_is_canceled(elbow, shop, target):
    first, second = target("first", zone=0), target("second", zone=1)
    balancer, group = shifted_shop(shop, first, second)
    nodes = shop.addresses(balancer)
    assert answers(shop, balancer) == [{"first", "second"}] * 2
    assert in_dns(elbow, balancer) == sorted(nodes)

    shift = start(elbow, balancer)
    assert shift["status"] == "ACTIVE" and shift["awayFrom"] == AWAY
    assert answers(shop, balancer) == [{"second"}] * 2, "whoever comes to the zone is served by the other"
    assert in_dns(elbow, balancer) == [nodes[1]]
    metrics = urlopen(f"{elbow.url}/_elbow/metrics").read().decode()
    gauge = f'elbow_zone_in_dns{{dns_name="{balancer["DNSName"]}",zone="us-east-1a"}} 0'
    assert gauge in metrics.splitlines()
    found = overrides(shop, group)
    assert found[first.address] == (
        "healthy",
        {
            "State": "zonal_shift_active",
            "Reason": "AdministrativeOverride.ZonalShiftActive",
            "Description": "Zonal shift is active in target Availability Zone",
        },
    )
    assert found[second.address][1]["State"] == "no_override"

    managed = elbow.aws(
        *("arc-zonal-shift", "get-managed-resource"),
        *("--resource-identifier", balancer["LoadBalancerArn"]),
    )
    assert managed["appliedWeights"] == {AWAY: 0.0, "use1-az2": 1.0}
    assert [one["zonalShiftId"] for one in managed["zonalShifts"]] == [shift["zonalShiftId"]]

    identity = ("--zonal-shift-id", shift["zonalShiftId"])
    updated = elbow.aws("arc-zonal-shift", "update-zonal-shift", *identity, "--expires-in", "3h")
    assert updated["expiryTime"] < shift["expiryTime"]
    canceled = elbow.aws("arc-zonal-shift", "cancel-zonal-shift", *identity)
    assert canceled["status"] == "CANCELED"
    assert answers(shop, balancer) == [{"first", "second"}] * 2
    assert in_dns(elbow, balancer) == sorted(nodes)


def test_with_cross_zone_off_the_zone_serves_those_who_come(elbow, shop, target):
    balancer, group = shifted_shop(shop, target("first", zone=0), target("second", zone=1))
    shop.elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}],
    )
    start(elbow, balancer)
    assert answers(shop, balancer) == [{"first"}, {"second"}]
    assert in_dns(elbow, balancer) == [shop.addresses(balancer)[1]]


def test_a_shift_has_no_effect_without_a_healthy_target_elsewhere(elbow, shop, target):
    first, second = target("first", zone=0), target("second", zone=1)
    balancer, group = shifted_shop(shop, first, second)
    start(elbow, balancer)
    assert answers(shop, balancer) == [{"second"}] * 2
    second.health = "500 Internal Server Error"
    key = (second.address, second.port)
    until(lambda: shop.health(group)[key][0] == "unhealthy", "the failing target", timeout=40)
    assert answers(shop, balancer) == [{"first"}] * 2
    assert in_dns(elbow, balancer) == sorted(shop.addresses(balancer))


def test_errors_have_their_codes_and_reasons(elbow, shop):
    shifts = elbow.client("arc-zonal-shift")
    balancer = shop.balancer()
    arguments = {
        "resourceIdentifier": balancer["LoadBalancerArn"],
        "awayFrom": AWAY,
        "expiresIn": "1h",
        "comment": "",
    }
    with pytest.raises(shifts.exceptions.ResourceNotFoundException, match="zonal_shift.config.enabled"):
        shifts.start_zonal_shift(**arguments)
    enable(shop, balancer)
    with pytest.raises(shifts.exceptions.ValidationException) as refused:
        shifts.start_zonal_shift(**arguments | {"expiresIn": "4d"})
    assert refused.value.response["reason"] == "InvalidExpiresIn"
    shift = shifts.start_zonal_shift(**arguments)
    assert shift["ResponseMetadata"]["HTTPStatusCode"] == 201
    with pytest.raises(shifts.exceptions.ConflictException) as refused:
        shifts.start_zonal_shift(**arguments)
    assert refused.value.response["reason"] == "ZonalShiftAlreadyExists"
    assert refused.value.response["zonalShiftId"] == shift["zonalShiftId"]
    with pytest.raises(shifts.exceptions.AccessDeniedException, match="StartPracticeRun"):
        shifts.start_practice_run(
            resourceIdentifier=balancer["LoadBalancerArn"], awayFrom=AWAY, comment=""
        )
    with pytest.raises(AwsError) as refused:
        elbow.aws("arc-zonal-shift", "cancel-zonal-shift", "--zonal-shift-id", "no-such-shift")
    assert refused.value.code == "ResourceNotFoundException"


def test_pages_have_every_shift_of_a_resource(elbow, shop):
    shifts = elbow.client("arc-zonal-shift")
    balancers = [shop.balancer() for _ in range(2)]
    started = []
    for balancer in balancers:
        enable(shop, balancer)
    for _ in range(3):
        started.append(start(elbow, balancers[0])["zonalShiftId"])
        shifts.cancel_zonal_shift(zonalShiftId=started[-1])
    start(elbow, balancers[1])
    pages = shifts.get_paginator("list_zonal_shifts").paginate(
        resourceIdentifier=balancers[0]["LoadBalancerArn"], PaginationConfig={"PageSize": 2}
    )
    sizes, found = [], []
    for page in pages:
        sizes.append(len(page["items"]))
        found += [item["zonalShiftId"] for item in page["items"]]
    assert sizes == [2, 1] and found == started
    managed = shifts.get_paginator("list_managed_resources").paginate(PaginationConfig={"PageSize": 1})
    names = {item["name"] for page in managed for item in page["items"]}
    assert {balancer["LoadBalancerName"] for balancer in balancers} <= names
    arn = balancers[1]["LoadBalancerArn"]
    shop.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    [ended] = shifts.list_zonal_shifts(resourceIdentifier=arn)["items"]
    assert ended["status"] == "CANCELED"


def test_a_shift_survives_a_crash(make_elbow):
    elbow = make_elbow()
    shop = Shop(elbow)
    servers = [Target(elbow.network.free_host(zone), f"zone-{zone}") for zone in range(2)]
    try:
        balancer, group = shifted_shop(shop, *servers)
        shift = start(elbow, balancer)
        elbow.kill()
        elbow.start()
        shifts = elbow.client("arc-zonal-shift")
        [found] = shifts.list_zonal_shifts(status="ACTIVE")["items"]
        assert found["zonalShiftId"] == shift["zonalShiftId"]
        shop.wait_for_state(group, "healthy")
        assert answers(shop, balancer) == [{"zone-1"}] * 2
        shifts.cancel_zonal_shift(zonalShiftId=shift["zonalShiftId"])
        elbow.kill()
        elbow.start()
        [found] = elbow.client("arc-zonal-shift").list_zonal_shifts()["items"]
        assert found["status"] == "CANCELED"
    finally:
        for server in servers:
            server.close()

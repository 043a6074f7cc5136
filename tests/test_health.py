"""Health checks: states, reasons, and who gets the requests."""

import threading

from harness.http import get
from harness.shop import forward
from harness.target import HEALTH_PATH
from harness.wait import until


def test_a_new_target_becomes_healthy_and_gets_requests(shop, target):
    server = target("well")
    address, group, _ = shop.serve(server)
    shop.wait_for_state(group, "healthy")
    assert shop.health(group) == {(server.address, 8080): ("healthy", None)}
    assert get(address, port=shop.port).text == "well"


def test_a_target_that_fails_loses_its_requests_and_gets_them_back(shop, target):
    well, ill = target("well"), target("ill")
    address, group, _ = shop.serve(well, ill, HealthyThresholdCount=2)
    shop.wait_for_state(group, "healthy")
    ill.health = "503 Service Unavailable"

    def state():
        return shop.health(group)[ill.address, 8080]

    until(lambda: state()[0] == "unhealthy", "the failed target being noticed")
    assert state() == ("unhealthy", "Target.ResponseCodeMismatch")
    [one] = [
        found
        for found in shop.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        if found["Target"]["Id"] == ill.address
    ]
    assert one["TargetHealth"]["Description"] == "Health checks failed with these codes: [503]"
    assert {get(address, port=shop.port).text for _ in range(10)} == {"well"}
    ill.health = "200 OK"
    until(lambda: state()[0] == "healthy", "the recovery being noticed")
    assert {get(address, port=shop.port).text for _ in range(10)} == {"well", "ill"}


def test_when_nobody_is_healthy_everybody_is_asked(shop, target):
    servers = [target(name, health="500 Internal Server Error") for name in ("a", "b")]
    address, group, _ = shop.serve(*servers)
    shop.wait_for_state(group, "unhealthy")
    assert {get(address, port=shop.port).text for _ in range(10)} == {"a", "b"}


def test_a_target_that_refuses_connections(shop, elbow):
    group = shop.group()
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": elbow.network.free_host(0)}])
    shop.listener(shop.balancer(), forward(group))
    shop.wait_for_state(group, "unhealthy")
    assert [reason for _, reason in shop.health(group).values()] == ["Target.FailedHealthChecks"]


def test_a_target_that_does_not_answer_its_checks(shop, target):
    release = threading.Event()

    def stay_silent(request):
        release.wait(60)
        return False

    group = shop.group(target("silent", script=stay_silent), HealthCheckPath="/silent")
    shop.listener(shop.balancer(), forward(group))
    shop.wait_for_state(group, "unhealthy")
    assert [reason for _, reason in shop.health(group).values()] == ["Target.Timeout"]
    release.set()


def test_what_a_check_looks_like(shop, target):
    server = target("checked")
    group = shop.group(server, HealthCheckPath="/up?deep=1", Matcher={"HttpCode": "200-299"})
    shop.listener(shop.balancer(), forward(group))
    shop.wait_for_state(group, "healthy")
    check = server.requests[0]
    assert (check.method, check.path, check.version) == ("GET", "/up?deep=1", "HTTP/1.1")
    assert check.header("user-agent") == "ELB-HealthChecker/2.0"
    assert check.header("host") == f"{server.address}:8080"
    assert check.header("connection") == "close"


def test_checks_stop_when_nobody_uses_the_group(shop, target):
    server = target("checked")
    _, group, listener = shop.serve(server, HealthCheckPath=HEALTH_PATH)
    shop.wait_for_state(group, "healthy")
    shop.elbv2.delete_listener(ListenerArn=listener)
    assert shop.health(group) == {(server.address, 8080): ("unused", "Target.NotInUse")}

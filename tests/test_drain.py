"""The drain promise: when DeregisterTargets has returned, no new request starts on the target."""

import threading
import time

from harness.http import get
from harness.load import Load
from harness.shop import Shop, forward
from harness.target import slow
from harness.wait import until

DELAY = "deregistration_delay.timeout_seconds"


def set_delay(shop, group, seconds):
    attributes = [{"Key": DELAY, "Value": str(seconds)}]
    shop.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)


def test_no_request_starts_after_the_call_has_returned(shop, target):
    """Requests carry the number of the round in which they were sent; the target looks for late ones."""
    round_, left = 0, threading.Event()
    late = []

    def watch(request):
        if left.is_set() and request.header("x-round") == f"{round_}-after":
            late.append(request)
        time.sleep(0.002)
        request.respond(body=b"leaving")

    def stay(request):
        time.sleep(0.002)
        request.respond(body=b"staying")

    leaving, staying = target("leaving", script=watch), target("staying", script=stay, zone=1)
    address, group, _ = shop.serve(leaving, staying)
    set_delay(shop, group, 30)
    shop.wait_for_state(group, "healthy")

    def headers():
        return [f"X-Round: {round_}-{'after' if left.is_set() else 'before'}"]

    with Load(address, shop.port, clients=8, headers=headers) as load:
        for round_ in range(15):
            before = leaving.started
            until(lambda: leaving.started > before + 5, "the target getting requests")
            shop.deregister(group, leaving)
            left.set()
            load.wait_until_sent(load.sent + 100)
            left.clear()
            round_ += 1
            shop.register(group, leaving)
            until(lambda: shop.health(group)[leaving.address, 8080][0] == "healthy", "health")
    assert late == [], f"{len(late)} requests started on a target that had left"
    assert load.failures == [], f"{len(load.failures)} of {load.sent} requests failed"
    assert load.sent > 1500


def test_requests_in_flight_finish(shop, target):
    server = target("slow", script=slow(2))
    address, group, _ = shop.serve(server)
    set_delay(shop, group, 30)
    outcome = []
    client = threading.Thread(target=lambda: outcome.append(get(address, port=shop.port).status))
    client.start()
    until(lambda: server.in_flight, "the request arriving")
    shop.deregister(group, server)
    assert shop.health(group)[server.address, 8080] == ("draining", "Target.DeregistrationInProgress")
    assert get(address, port=shop.port).status == 503, "there is nobody else for a new request"
    client.join()
    assert outcome == [200]


def test_the_delay_ends_what_is_still_in_flight(shop, target):
    release = threading.Event()
    server = target("endless", script=lambda request: release.wait(60) and False)
    address, group, _ = shop.serve(server)
    set_delay(shop, group, 1)
    outcome = []
    client = threading.Thread(target=lambda: outcome.append(get(address, port=shop.port).status))
    client.start()
    until(lambda: server.in_flight, "the request arriving")
    shop.deregister(group, server)
    client.join(timeout=10)
    assert outcome == [502]
    until(lambda: shop.health(group) == {}, "the target being gone")
    release.set()


def test_a_delay_survives_a_restart(make_elbow):
    elbow = make_elbow()
    shop = Shop(elbow)
    address = elbow.network.free_host(0)
    group = shop.group()
    set_delay(shop, group, 3)
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    shop.listener(shop.balancer(), forward(group))
    shop.elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    elbow.stop()
    elbow.start()
    assert shop.health(group)[address, 8080][0] == "draining"
    until(lambda: shop.health(group) == {}, "the delay being over", timeout=10)

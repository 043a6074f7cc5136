"""The drain promise: when DeregisterTargets has returned, no new request starts on the target."""

import queue
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.http import Connection, get
from harness.load import MARK, Load
from harness.shop import Shop, forward
from harness.signed import form, send, signed
from harness.wait import until

DELAY = "deregistration_delay.timeout_seconds"
DRAINING = ("draining", "Target.DeregistrationInProgress")


def set_delay(shop, group, seconds):
    attributes = [{"Key": DELAY, "Value": str(seconds)}]
    shop.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)


class Holders:
    """Targets that answer with their names, and keep a request to /held until `release` is called."""

    def __init__(self, target, count):
        self._arrived, self._permits = queue.Queue(), threading.Semaphore(0)
        self.all = [target(f"target-{n}", zone=n % 2, script=self._script(n)) for n in range(count)]

    def _script(self, number):
        def script(request):
            request.body()
            if request.path == "/held":
                self._arrived.put(number)
                if not self._permits.acquire(timeout=60):
                    return False
            request.respond(body=self.all[number].name.encode())
            return True

        return script

    def next_holder(self):
        """Waits for a request to /held; the target that has it."""
        return self.all[self._arrived.get(timeout=20)]

    def release(self, count=1):
        self._permits.release(count)


@pytest.fixture
def holders(target):
    """Makes holders, and lets go of everything after the test."""
    made = []

    def make(count):
        made.append(Holders(target, count))
        return made[-1]

    yield make
    for one in made:
        one.release(100)


@pytest.fixture
def background():
    """Runs calls beside the test: background(function, argument)."""
    with ThreadPoolExecutor() as pool:
        yield pool.submit


def key(target):
    return target.address, target.port


def test_a_target_leaves_and_comes_back_under_load(shop, holders, background):
    """Each round a target that has a request in flight leaves.

    Requests carry the mark that was current when their clients began them. A mark that is made after
    DeregisterTargets has returned, and is no client's any more when the target comes back, must never
    arrive at that target.
    """
    staff = holders(3)
    group = shop.group(*staff.all)
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    addresses = shop.addresses(balancer)
    set_delay(shop, group, 60)
    shop.wait_for_state(group, "healthy")
    away = {target.name: set() for target in staff.all}
    with Load(addresses, shop.port, clients=6, fresh=2) as load:
        for number in range(12):
            held = background(get, addresses[number % 2], "/held", shop.port)
            leaver = staff.next_holder()

            shop.deregister(group, leaver)
            away[leaver.name].add(str(load.next_mark()))
            load.wait_for_every_client(requests=10)
            assert shop.health(group)[key(leaver)] == DRAINING
            until(lambda: leaver.in_flight == 1, "only the held request being there")
            assert not held.done(), "the request in flight goes on"
            load.next_mark()
            load.wait_for_every_client()

            comes_back_first = number % 2
            if comes_back_first:
                shop.register(group, leaver)
                shop.wait_for_state(group, "healthy")
            staff.release()
            response = held.result(timeout=20)
            assert (response.status, response.text) == (200, leaver.name)
            if not comes_back_first:
                shop.register(group, leaver)
                shop.wait_for_state(group, "healthy")
            before = leaver.started
            until(lambda: leaver.started > before, "requests at the target that is back")
    late = [
        request.path
        for target in staff.all
        for request in target.requests
        if request.header(MARK) in away[target.name]
    ]
    assert late == [], f"{len(late)} of {load.answered} requests began at a target that had left"
    assert load.failures == [], f"{len(load.failures)} of {load.answered} failed: {set(load.failures)}"


def test_the_very_next_request_goes_elsewhere(shop, elbow, target):
    """Requests leave on open connections in the moment in which the answer of the API has come."""
    leaving, staying = target("leaving"), target("staying", zone=1)
    address, group, _ = shop.serve(leaving, staying)
    shop.wait_for_state(group, "healthy")
    parameters = {
        "TargetGroupArn": group,
        "Targets.member.1.Id": leaving.address,
        "Targets.member.1.Port": leaving.port,
    }
    body = form("elasticloadbalancing", "DeregisterTargets", **parameters)
    connections = [Connection(address, shop.port) for _ in range(24)]
    for _ in range(15):
        asked = {connection.request().text for connection in connections}
        assert asked == {"leaving", "staying"}, "both are in use before"
        deregistration = signed(elbow, body, service="elasticloadbalancing")
        assert send(deregistration).status == 200
        for connection in connections:
            connection.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert {connection.read_response().text for connection in connections} == {"staying"}
        shop.register(group, leaving)
        shop.wait_for_state(group, "healthy")
    for connection in connections:
        connection.close()


def test_requests_in_flight_finish(shop, holders, background):
    staff = holders(1)
    address, group, _ = shop.serve(*staff.all)
    set_delay(shop, group, 60)
    held = background(get, address, "/held", shop.port)
    leaver = staff.next_holder()
    shop.deregister(group, leaver)
    assert shop.health(group)[key(leaver)] == DRAINING
    assert get(address, port=shop.port).status == 503, "there is nobody else for a new request"
    staff.release()
    assert held.result(timeout=20).status == 200


@pytest.mark.parametrize("delay", [0, 1])
def test_the_delay_ends_what_is_still_in_flight(shop, holders, background, delay):
    staff = holders(2)
    address, group, _ = shop.serve(*staff.all)
    set_delay(shop, group, delay)
    # A target that holds a request has more in flight than the other one, so each gets one.
    attributes = [{"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}]
    shop.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
    shop.wait_for_state(group, "healthy")
    calls = {}
    for _ in staff.all:
        call = background(get, address, "/held", shop.port)
        calls[staff.next_holder()] = call
    leaver, other = calls
    start = time.monotonic()
    shop.deregister(group, leaver)
    assert calls[leaver].result(timeout=20).status == 502
    # The clock of the delay counts whole milliseconds.
    assert time.monotonic() - start > delay - 0.01, "it had its time"
    until(lambda: key(leaver) not in shop.health(group), "the target being gone")
    assert not calls[other].done(), "the request at the other target goes on"
    staff.release(2)
    assert calls[other].result(timeout=20).status == 200


def test_a_response_that_the_delay_ends_is_seen_to_be_cut(shop, target):
    """The head is gone already, so there is no 502; the client must not take a part for the whole."""
    release = threading.Event()

    def script(request):
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        release.wait(60)
        return False

    server = target("talker", script=script)
    address, group, _ = shop.serve(server)
    set_delay(shop, group, 0)
    with Connection(address, shop.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        until(lambda: b"12345" in connection.socket.recv(4096, socket.MSG_PEEK), "half of the body")
        shop.deregister(group, server)
        with pytest.raises(ConnectionError):
            connection.read_response()
    release.set()


def test_a_delay_survives_a_crash(make_elbow):
    elbow = make_elbow()
    shop = Shop(elbow)
    targets = {}
    balancer = shop.balancer()
    for port, delay in ((9001, 1), (9002, 300)):
        group = shop.group()
        set_delay(shop, group, delay)
        target = {"Id": elbow.network.free_host(0), "Port": 8080}
        shop.elbv2.register_targets(TargetGroupArn=group, Targets=[target])
        shop.listener(balancer, forward(group), port=port)
        targets[delay] = group, target
    for group, target in targets.values():
        shop.elbv2.deregister_targets(TargetGroupArn=group, Targets=[target])
    elbow.kill()
    elbow.start()
    group, target = targets[300]
    assert shop.health(group) == {(target["Id"], 8080): DRAINING}
    until(lambda: shop.health(targets[1][0]) == {}, "the shorter delay being over", timeout=10)
    assert shop.health(group) == {(target["Id"], 8080): DRAINING}

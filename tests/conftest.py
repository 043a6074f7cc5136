"""Fixtures: a running elbow, and what a test may make in it."""

import pytest

from harness.elbow import Elbow
from harness.network import Network
from harness.shop import Shop
from harness.target import Target


@pytest.fixture(scope="session")
def network():
    """A loopback /16 that belongs to this test process alone."""
    with Network.claim() as network:
        yield network


@pytest.fixture(scope="session")
def elbow(network, tmp_path_factory):
    """One elbow for all tests that only use the API and leave nothing running in it."""
    server = Elbow(tmp_path_factory.mktemp("elbow"), network)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make_elbow(tmp_path):
    """Makes elbows that a test may kill, each with a network of its own."""
    servers, networks = [], []

    def make(zones=2, **options):
        networks.append(Network.claim(zones))
        server = Elbow(tmp_path / f"elbow-{len(servers)}", networks[-1], **options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()
    for network in networks:
        network.release()


@pytest.fixture
def elbv2(elbow):
    return elbow.client("elbv2")


@pytest.fixture
def ec2(elbow):
    return elbow.client("ec2")


@pytest.fixture
def shop(elbow):
    """Makes load balancers and what belongs to them, and removes all of it after the test."""
    shop = Shop(elbow)
    yield shop
    shop.close()


@pytest.fixture
def target(elbow):
    """Starts HTTP servers on addresses of the subnets: target(name), target(name, script=...)."""
    targets = []

    def start(name, zone=0, **options):
        targets.append(Target(elbow.network.free_host(zone), name, **options))
        return targets[-1]

    yield start
    for one in targets:
        one.close()

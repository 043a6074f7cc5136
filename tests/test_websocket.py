"""WebSockets with a real client and a real server."""

import asyncio
import threading

import pytest
import websockets
from websockets.sync.client import connect

from harness.certificates import Authority, import_certificate
from harness.https import PORT, https_listener
from harness.shop import forward
from harness.wait import until

SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000]


class EchoServer:
    """Sends every message back, and its own name when asked for it.

    `tls` is the context of one that speaks TLS; requests for `health_path` are answered with 200.
    """

    def __init__(self, address, name, port=8080, tls=None, health_path="/target-health"):
        self.address, self.port, self.name = address, port, name
        self.health_path = health_path
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def run():
            self.stop = asyncio.Event()
            async with websockets.serve(
                self._echo, address, port, ssl=tls, max_size=2**22, process_request=self._health
            ):
                started.set()
                await self.stop.wait()

        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(run(),))
        self.thread.start()
        assert started.wait(10), "the echo server does not start"

    async def _echo(self, connection):
        async for message in connection:
            await connection.send(self.name if message == "who" else message)

    def _health(self, connection, request):
        if request.path == self.health_path:
            return connection.respond(200, "healthy\n")
        return None

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(timeout=10)


@pytest.fixture
def echo(elbow):
    servers = []

    def start(name):
        servers.append(EchoServer(elbow.network.free_host(0), name))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_messages_of_every_size_pass_both_ways(shop, echo):
    address, _, _ = shop.serve(echo("one"))
    with connect(f"ws://{address}:{shop.port}/", max_size=2**22, proxy=None) as client:
        for size in SIZES:
            client.send(b"\xff" * size)
            assert client.recv(timeout=20) == b"\xff" * size
            client.send("é" * size)
            assert client.recv(timeout=20) == "é" * size


def test_messages_pass_over_tls(shop, echo):
    authority = Authority()
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(shop, balancer, certificate, forward(shop.group(echo("one"))))
    url = f"wss://{shop.addresses(balancer)[0]}:{PORT}/"
    context = authority.context()
    with connect(url, ssl=context, server_hostname="shop.example", max_size=2**22, proxy=None) as c:
        for size in SIZES:
            c.send(b"\xff" * size)
            assert c.recv(timeout=20) == b"\xff" * size


def test_a_connection_stays_with_its_target(shop, echo):
    address, _, _ = shop.serve(echo("one"), echo("two"))
    names = set()
    for _ in range(4):
        with connect(f"ws://{address}:{shop.port}/", proxy=None) as client:
            answers = set()
            for _ in range(5):
                client.send("who")
                answers.add(client.recv(timeout=10))
            assert len(answers) == 1
            names |= answers
    assert names == {"one", "two"}


def test_a_connection_lives_until_the_deregistration_delay_is_over(shop, echo):
    server = echo("one")
    address, group, _ = shop.serve(server)
    key = "deregistration_delay.timeout_seconds"
    shop.elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": key, "Value": "2"}]
    )
    with connect(f"ws://{address}:{shop.port}/", proxy=None) as client:
        client.send("who")
        assert client.recv(timeout=10) == "one"
        shop.deregister(group, server)
        client.send("who")
        assert client.recv(timeout=10) == "one", "a draining target keeps its connections"
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(timeout=20)
    until(lambda: shop.health(group) == {}, "the target being gone")

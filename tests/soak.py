"""Twenty minutes of mixed traffic with a change every second: no failed request, flat memory.

Not a test that `make test` runs: `make soak` does.
"""

import argparse
import itertools
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import httpx  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from harness.certificates import Authority, import_certificate  # noqa: E402
from harness.elbow import Elbow  # noqa: E402
from harness.http import Connection  # noqa: E402
from harness.https import PORT, TlsConnection, https_listener  # noqa: E402
from harness.load import App  # noqa: E402
from harness.network import Network  # noqa: E402
from harness.shop import Shop, fixed, forward  # noqa: E402
from test_websocket import EchoServer  # noqa: E402


class Traffic:
    """Clients of several kinds, each in a thread of its own, until `stop`."""

    def __init__(self):
        self.failures, self.answered = [], {}
        self.done = threading.Event()
        self.threads = []

    def start(self, kind, one_round):
        self.answered[kind] = 0

        def run():
            while not self.done.is_set():
                try:
                    self.answered[kind] += one_round()
                except Exception as error:
                    self.failures.append(f"{time.strftime('%H:%M:%S')} {kind}: {error!r}")
                    time.sleep(0.1)

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(timeout=60)


def resident_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def expect(response, status=200):
    code = getattr(response, "status_code", None) or response.status
    assert code == status, f"status {code}"
    return 1


def start_traffic(traffic, address, port, authority, body):
    context = authority.context()

    def plain():
        with Connection(address, port) as client:
            return sum(expect(client.request(path=f"/p{n}")) for n in range(50))

    def upload():
        # The application answers before it has read the body, which ends the connection.
        with Connection(address, port) as client:
            return expect(client.request("POST", "/upload", body=body))

    def tls():
        with TlsConnection(address, PORT, context) as client:
            return sum(expect(client.request(path=f"/t{n}")) for n in range(10))

    def http2():
        verify = authority.context(check_hostname=False)
        with httpx.Client(http2=True, verify=verify, trust_env=False, timeout=20) as client:
            url = f"https://{address}:{PORT}/"
            return sum(expect(client.post(url, content=body[:size])) for size in (0, 10, 70_000))

    def websocket():
        with connect(f"ws://{address}:{port}/socket", proxy=None, max_size=2**22) as client:
            for size in (0, 10, 1000, 70_000):
                client.send(body[:size])
                assert client.recv(timeout=20) == body[:size]
            return 4

    for kind in (plain, plain, upload, tls, http2, websocket):
        traffic.start(kind.__name__, kind)


def changes(shop, balancer, listener, secure, groups, apps, certificates):
    """An endless sequence of changes of every kind."""
    elbv2 = shop.elbv2
    for turn in itertools.count():
        yield elbv2.modify_listener, {"ListenerArn": listener, "DefaultActions": forward(groups[turn % 2])}
        app = random.choice(apps)
        yield shop.deregister, {"group": groups[0], "app": app}
        yield shop.register, {"group": groups[0], "app": app}
        yield elbv2.modify_listener, {
            "ListenerArn": secure,
            "Certificates": [{"CertificateArn": certificates[turn % 2]}],
        }
        rule = shop.rule(
            listener, 1 + turn % 1000, [{"Field": "path-pattern", "Values": ["/never"]}], fixed(200)
        )
        yield elbv2.delete_rule, {"RuleArn": rule}
        yield elbv2.modify_target_group_attributes, {
            "TargetGroupArn": groups[0],
            "Attributes": [{"Key": "stickiness.enabled", "Value": ["true", "false"][turn % 2]}],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as directory, Network.claim() as network:
        elbow = Elbow(directory, network)
        elbow.start()
        apps = [App(network.free_host(n % 2), f"app-{n}") for n in range(4)]
        echo = EchoServer(network.free_host(0), "echo")
        try:
            return soak(elbow, apps, echo, minutes * 60)
        finally:
            echo.close()
            for app in apps:
                app.close()
            elbow.stop()


def soak(elbow, apps, echo, seconds):
    shop, authority = Shop(elbow), Authority()
    checks = {"HealthCheckPath": "/health"}
    groups = [shop.group(*apps, **checks), shop.group(*apps[:2], **checks)]
    sockets = shop.group(echo)
    balancer = shop.balancer()
    certificates = [import_certificate(shop, authority.issue("shop.example")) for _ in range(2)]
    listener = shop.listener(balancer, forward(groups[0]))
    path = [{"Field": "path-pattern", "Values": ["/socket"]}]
    shop.rule(listener, 40_000, path, forward(sockets))
    secure = https_listener(shop, balancer, certificates[0], forward(groups[0]))
    for group in (groups[0], sockets):
        shop.wait_for_state(group, "healthy")
    traffic = Traffic()
    address = shop.addresses(balancer)[0]
    start_traffic(traffic, address, shop.port, authority, random.randbytes(200_000))
    steps = changes(shop, balancer, listener, secure, groups, apps, certificates)
    readings, made, start = [], 0, time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        call, arguments = next(steps)
        call(*arguments.values()) if call in (shop.register, shop.deregister) else call(**arguments)
        made += 1
        readings.append((elapsed, resident_kib(elbow.pid)))
        time.sleep(1)
    traffic.stop()
    # The first half is for caches and pools to fill: they do so once, at some peak of the load.
    settled = [kib for elapsed, kib in readings if elapsed > seconds / 2]
    half = len(settled) // 2
    early, late = max(settled[:half]), max(settled[half:])
    print(f"{made} changes; answered: {traffic.answered}; resident KiB: {early} then {late}")
    for failure in traffic.failures[:20]:
        print(f"failed: {failure}")
    grown = late > early * 1.1 + 1024
    if grown:
        print("memory has grown")
    return 1 if traffic.failures or grown else 0


if __name__ == "__main__":
    sys.exit(main())

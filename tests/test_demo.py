"""`elbow demo` from the first line to the last."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness.elbow import binary, quiet_environment
from harness.network import Network

NOBODY = 65534


@pytest.fixture
def demo():
    """Starts the demo in a network of its own."""
    with Network.claim() as network, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()

        def start(*arguments, program=None, **options):
            command = [str(program or binary()), "demo", "--vpc-cidr", network.vpc, "--listen", listen]
            return subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=quiet_environment(),
                **options,
            )

        start.network = network
        yield start


def processes(output):
    """The ids of the instances that the demo has started."""
    return [int(number) for number in re.findall(r"^Started \S+ on \S+, process (\d+)$", output, re.M)]


def is_running(process):
    return Path(f"/proc/{process}").exists()


def assert_nobody_noticed(output):
    """Thousands of requests were served. The one that a dying instance had just taken may get 502, as on AWS."""
    tally = re.search(r"(\d+) requests sent, (\d+) answered 200, (\d+) failed", output)
    sent, served, failed = map(int, tally.groups())
    assert served >= 200 and sent == served + failed, output
    assert failed <= 1 and re.findall(r"failed: (.*)", output) in ([], ["status 502"]), output


def test_the_demo_shows_that_nobody_notices_a_crash(demo):
    process = demo("--exit")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "$ aws elbv2 create-load-balancer --name shop" in output
    assert re.search(r"\.us-east-1\.elb\.internal", output)
    assert "HTTP/1.1 200 OK" in output
    assert "HTTP/1.1 301 Moved Permanently" in output
    assert_nobody_noticed(output)
    assert "unhealthy Target.FailedHealthChecks" in output
    assert f"Open http://127.{demo.network.second}." in output
    instances = processes(output)
    assert len(instances) == 4
    assert not any(is_running(instance) for instance in instances)


def test_it_stays_until_it_is_stopped(demo):
    process = demo()
    output = ""
    for line in process.stdout:
        output += line
        if line.startswith("Press Ctrl-C"):
            break
    alive = [instance for instance in processes(output) if is_running(instance)]
    assert len(alive) == 3, "one was killed in the show"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert not any(is_running(instance) for instance in alive)


def may_not_listen_on_80():
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return os.geteuid() == 0 and int(start.read_text()) > 80


@pytest.mark.skipif(not may_not_listen_on_80(), reason="needs root, to become an ordinary user")
def test_an_ordinary_user_gets_port_8080(demo, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    program = home / "elbow"
    shutil.copy(binary(), program)
    for directory in (home, *home.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/tmp") and str(directory).startswith("/tmp/"):
            directory.chmod(0o755)
    process = demo("--exit", program=program, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "permission denied" in output, "the API's own words"
    assert "net.ipv4.ip_unprivileged_port_start" in output, "how to allow it"
    assert "--port 8080" in output
    assert_nobody_noticed(output)
    assert f"Open http://127.{demo.network.second}." in output

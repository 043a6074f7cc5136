"""What is measured: one row of the result table is one scenario."""

from dataclasses import dataclass
from fnmatch import fnmatch

from .processes import BenchError


@dataclass(frozen=True)
class Scenario:
    """One kind of load. Every proxy gets exactly the same one."""

    name: str
    title: str
    path: str = "/64"
    request_body_bytes: int = 0
    response_body_bytes: int = 64
    connection_per_request: bool = False
    # Rules of the listener. Each is one path pattern that forwards to the target, and requests
    # are spread evenly over them; 0 is a listener with only its default action.
    rules: int = 0


@dataclass(frozen=True)
class IdleScenario:
    """Memory held for client connections that made one request and then stay open."""

    name: str
    title: str
    connections: int


LOADS = [
    Scenario("keepalive", "GET 64 B, keep-alive"),
    Scenario("post-1k", "POST 1 KiB, keep-alive", path="/length", request_body_bytes=1024, response_body_bytes=5),
    Scenario("get-64k", "GET 64 KiB, keep-alive", path="/64k", response_body_bytes=64 << 10),
    Scenario("get-1m", "GET 1 MiB, keep-alive", path="/1m", response_body_bytes=1 << 20),
    Scenario("new-connection", "GET 64 B, a new connection for each", connection_per_request=True),
    Scenario("rules-1", "GET 64 B through 1 rule", rules=1),
    Scenario("rules-100", "GET 64 B through 100 rules", rules=100),
    Scenario("rules-10000", "GET 64 B through 10,000 rules", rules=10_000),
    Scenario("rules-100000", "GET 64 B through 100,000 rules", rules=100_000),
]

IDLE = IdleScenario("idle", "idle keep-alive connection", connections=10_000)

NAMES = [scenario.name for scenario in LOADS] + [IDLE.name]


def select(patterns):
    """The names of the scenarios that match any of the shell patterns, in table order.

    Raises BenchError for a pattern that matches none.
    """
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in NAMES):
            raise BenchError(f"no scenario is called {pattern}; there are {', '.join(NAMES)}")
    return [name for name in NAMES if any(fnmatch(name, pattern) for pattern in patterns)]


def request_path(load, rule):
    """The path of a request that rule number `rule` forwards, or the default action if there are no rules."""
    return load.path if load.rules == 0 else rule_path(rule) + load.path.removeprefix("/")


def rule_path(index):
    """The path prefix of rule number `index`, counted from 0. The rule's pattern is this and `*`."""
    return f"/service-{index}/"

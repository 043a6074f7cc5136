"""What is measured: one row of the result table is one scenario."""

from dataclasses import dataclass
from fnmatch import fnmatch

from .processes import BenchError

# Kinds of target, each a program of its own; see target.py.
HTTP = "http"
GRPC = "grpc"
WEBSOCKET = "websocket"

# Kinds of client; see load.py.
WRK = "wrk"
H2LOAD = "h2load"
HANDSHAKES = "handshake-load"
WEBSOCKETS = "websocket-load"


@dataclass(frozen=True)
class Configuration:
    """What a proxy is set up for. Scenarios with the same one are measured on the same process."""

    # Rules of the listener. Each is one path pattern that forwards to the target, and requests
    # are spread evenly over them; 0 is a listener with only its default action.
    rules: int = 0
    # Whether the listener speaks TLS, and with it HTTP/2 to clients that offer it.
    tls: bool = False
    target: str = HTTP

    @property
    def scheme(self):
        """Of the listener's URLs, and the value of X-Forwarded-Proto."""
        return "https" if self.tls else "http"

    def __str__(self):
        return f"{self.scheme} to a target of kind {self.target}, {self.rules:,} rules"


@dataclass(frozen=True)
class Scenario:
    """One kind of load. Every proxy gets exactly the same one."""

    name: str
    title: str
    path: str = "/64"
    request_body: bytes = b""
    response_body_bytes: int = 64
    connection_per_request: bool = False
    configuration: Configuration = Configuration()
    client: str = WRK
    # The CPU time per request that elbow may take at most, as a ratio to the reference.
    goal: float = 1.0


@dataclass(frozen=True)
class IdleScenario:
    """Memory held for client connections that made one request and then stay open."""

    name: str
    title: str
    connections: int
    # The private memory per connection that elbow may take at most.
    goal_bytes: int
    configuration: Configuration = Configuration()


def grpc_message(payload):
    """A message as gRPC frames it: not compressed, then its length."""
    return b"\0" + len(payload).to_bytes(4, "big") + payload


TLS = Configuration(tls=True)
# The target sends back the message it got.
GRPC_ECHO = grpc_message(b"m" * 64)

LOADS = [
    Scenario("keepalive", "GET 64 B, keep-alive", goal=0.6),
    Scenario("post-1k", "POST 1 KiB, keep-alive", path="/length", request_body=b"b" * 1024, response_body_bytes=5),
    Scenario("get-64k", "GET 64 KiB, keep-alive", path="/64k", response_body_bytes=64 << 10),
    Scenario("get-1m", "GET 1 MiB, keep-alive", path="/1m", response_body_bytes=1 << 20),
    Scenario("new-connection", "GET 64 B, a new connection for each", connection_per_request=True),
    Scenario("rules-1", "GET 64 B through 1 rule", configuration=Configuration(rules=1)),
    Scenario("rules-100", "GET 64 B through 100 rules", configuration=Configuration(rules=100)),
    Scenario("rules-10000", "GET 64 B through 10,000 rules", configuration=Configuration(rules=10_000)),
    Scenario("rules-100000", "GET 64 B through 100,000 rules", configuration=Configuration(rules=100_000)),
    Scenario("tls-keepalive", "TLS: GET 64 B, keep-alive", configuration=TLS, goal=0.7),
    Scenario(
        "tls-handshake", "TLS: full handshake and GET 64 B for each",
        connection_per_request=True, configuration=TLS, client=HANDSHAKES, goal=0.6,
    ),
    Scenario("tls-get-1m", "TLS: GET 1 MiB, keep-alive", path="/1m", response_body_bytes=1 << 20, configuration=TLS),
    Scenario("tls-http2", "TLS: GET 64 B over HTTP/2", configuration=TLS, client=H2LOAD, goal=0.8),
    Scenario(
        "tls-grpc", "TLS: gRPC unary call of 64 B", path="/bench.Echo/Echo",
        request_body=GRPC_ECHO, response_body_bytes=len(GRPC_ECHO),
        configuration=Configuration(tls=True, target=GRPC), client=H2LOAD, goal=0.8,
    ),
    Scenario(
        "websocket", "WebSocket: message of 64 B and its echo",
        configuration=Configuration(target=WEBSOCKET), client=WEBSOCKETS, goal=0.8,
    ),
]

IDLES = [
    IdleScenario("idle", "idle keep-alive connection", connections=10_000, goal_bytes=1 << 10),
    IdleScenario(
        "tls-idle", "idle keep-alive connection over TLS", connections=2_000, goal_bytes=16 << 10, configuration=TLS
    ),
]

TITLES = {scenario.name: scenario.title for scenario in LOADS + IDLES}
NAMES = list(TITLES)


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
    return load.path if load.configuration.rules == 0 else rule_path(rule) + load.path.removeprefix("/")


def rule_path(index):
    """The path prefix of rule number `index`, counted from 0. The rule's pattern is this and `*`."""
    return f"/service-{index}/"

"""Memory of idle client connections."""

import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

from .exchange import client_context
from .processes import BenchError
from .usage import memory

# Connections before the first reading, so that pools and the connection to the target are in it.
WARM_UP_CONNECTIONS = 64

REQUEST = b"GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n"
RESPONSE_BODY_BYTES = 64

# A connection is idle once it has been silent for a while: proxies keep buffers from one request to the next.
SETTLE_SECONDS = 3


@dataclass(frozen=True)
class IdleResult:
    """How much the proxy grew by, divided by the number of connections."""

    private_bytes_per_connection: float
    resident_bytes: int


def measure_idle(proxy, connections):
    """Opens connections one after another, makes one request on each, and leaves them open."""
    context = client_context()
    with ExitStack() as open_connections:
        for _ in range(WARM_UP_CONNECTIONS):
            open_connections.enter_context(_used_connection(proxy, context))
        time.sleep(SETTLE_SECONDS)
        before = memory(proxy.pid)
        for _ in range(connections):
            open_connections.enter_context(_used_connection(proxy, context))
        time.sleep(SETTLE_SECONDS)
        after = memory(proxy.pid)
    grown_bytes = after.private_bytes - before.private_bytes
    return IdleResult(grown_bytes / connections, after.resident_bytes)


def _used_connection(proxy, context):
    connection = socket.create_connection(proxy.address, timeout=10)
    if proxy.configuration.tls:
        connection = context.wrap_socket(connection)
    connection.sendall(REQUEST)
    received = b""
    while len(received.partition(b"\r\n\r\n")[2]) < RESPONSE_BODY_BYTES:
        piece = connection.recv(4096)
        if not piece:
            raise BenchError(f"{proxy.name} closed a connection instead of answering: {received[:200]}")
        received += piece
    if not received.startswith(b"HTTP/1.1 200"):
        raise BenchError(f"{proxy.name} answered {received[:200]}")
    return connection

"""HTTP as a client with raw sockets speaks it: nothing is normalised, nothing is repeated."""

import socket
from dataclasses import dataclass, field

TIMEOUT = 10


@dataclass
class Response:
    status: int
    reason: str
    fields: list = field(default_factory=list)
    body: bytes = b""

    def header(self, name):
        """The value of the first field of this name, or None."""
        return next((v for n, v in self.fields if n.lower() == name.lower()), None)

    @property
    def text(self):
        return self.body.decode()


class Connection:
    """One client connection; `source` is the address it comes from."""

    def __init__(self, address, port=80, source=None, timeout=TIMEOUT):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        try:
            self.socket.connect((address, port))
        except OSError:
            self.socket.close()
            raise
        self._stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def request(self, method="GET", path="/", host="shop.example", headers=(), body=b""):
        """Sends a request of HTTP/1.1 and reads the response."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return self.read_response(method)

    def read_response(self, method="GET"):
        """Reads one response, skipping 100 (Continue)."""
        while True:
            response = self._read_head()
            if response.status != 100:
                break
        response.body = self._read_body(response, method)
        return response

    def _read_head(self):
        line = self._stream.readline()
        if not line:
            raise ConnectionError("the connection was closed before a response")
        version, status, reason = line.decode().rstrip("\r\n").split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), line
        fields = []
        while (line := self._stream.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
        return Response(int(status), reason, fields)

    def _read_body(self, response, method):
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return b""
        if "chunked" in (response.header("transfer-encoding") or ""):
            return b"".join(iter(self._read_chunk, b""))
        length = response.header("content-length")
        if length is None:
            return self._stream.read()
        body = self._stream.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("the connection was closed in the middle of a body")
        return body

    def _read_chunk(self):
        size = int(self._stream.readline().split(b";")[0], 16)
        chunk = self._stream.read(size)
        if size == 0:
            while self._stream.readline() not in (b"\r\n", b"\n", b""):
                pass
        else:
            self._stream.readline()
        return chunk

    def is_closed(self):
        """Waits for the other side to close; False if it sends something instead."""
        try:
            return self._stream.read(1) == b""
        except ConnectionError:
            return True


def get(address, path="/", port=80, source=None, timeout=TIMEOUT, **request):
    """One request over a connection of its own."""
    with Connection(address, port, source, timeout) as connection:
        return connection.request("GET", path, **request)

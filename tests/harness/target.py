"""Targets: small HTTP servers that say who they are, or follow a script."""

import socket
import socketserver
import threading
import time

# Answered with 200 whatever the script does, so that a target can misbehave and still be healthy.
HEALTH_PATH = "/target-health"


class Request:
    """A request as it arrived."""

    def __init__(self, line, fields, stream, connection):
        self.method, self.path, self.version = line.split(" ", 2)
        self.fields = fields
        self.stream = stream
        self.connection = connection

    def header(self, name):
        return next((v for n, v in self.fields if n.lower() == name.lower()), None)

    def body(self):
        if "chunked" in (self.header("transfer-encoding") or ""):
            body = b""
            while size := int(self.stream.readline().split(b";")[0], 16):
                body += self.stream.read(size)
                self.stream.readline()
            self.stream.readline()
            return body
        return self.stream.read(int(self.header("content-length") or 0))

    def respond(self, status="200 OK", body=b"", headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.connection.sendall("\r\n".join(lines).encode("latin-1") + body)


def failing(request):
    """A script whose every answer is an error of the server."""
    request.body()
    request.respond("500 Internal Server Error", b"bad")


class Target:
    """An HTTP server on its own address.

    `script` is called with each request that is not a health check; without one the target answers
    with its name. A script that returns False closes the connection. `health` is the status line
    that health checks get; it can be changed. `tls` is the context of a target that speaks TLS.
    """

    def __init__(self, address, name, port=8080, script=None, health="200 OK", tls=None):
        self.address, self.port, self.name = address, port, name
        self.script = script or self._say_name
        self.health = health
        self.requests = []
        self.connections = 0
        self.started = 0
        self.in_flight = 0
        self._lock = threading.Lock()
        self._connections = set()
        target = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def setup(self):
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self):
                target._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self._server = Server((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _serve(self, connection, stream):
        with self._lock:
            self._connections.add(connection)
            self.connections += 1
        try:
            while request := self._read(stream, connection):
                if request.path == HEALTH_PATH:
                    request.respond(self.health, b"health")
                    continue
                with self._lock:
                    self.requests.append(request)
                    self.started += 1
                    self.in_flight += 1
                try:
                    stays = self.script(request)
                finally:
                    with self._lock:
                        self.in_flight -= 1
                if stays is False:
                    return
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._connections.discard(connection)

    @staticmethod
    def _read(stream, connection):
        line = stream.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return None
        fields = []
        while (field := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, value = field.split(":", 1)
            fields.append((name, value.strip()))
        return Request(line, fields, stream, connection)

    def _say_name(self, request):
        request.body()
        request.respond(body=self.name.encode())

    def close(self):
        """Stops as a killed process would: the listener and every connection are gone."""
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def slow(seconds):
    """A script that answers with an empty 200 after a while."""

    def script(request):
        request.body()
        time.sleep(seconds)
        request.respond()

    return script

"""Single requests from the harness to a proxy, which prove what it answers before it is measured."""

import http.client
import re
import ssl
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .processes import BenchError

TIMEOUT_SECONDS = 10

TLS_VERSION = "TLSv1.3"
TLS_CIPHER = "TLS_AES_128_GCM_SHA256"

GRPC_FIELDS = ("content-type: application/grpc", "te: trailers")
GRPC_OK = "0"


@dataclass(frozen=True)
class Answer:
    """A response as far as the checks look at it."""

    status: int
    body: bytes
    # "1.1" or "2".
    http_version: str
    grpc_status: str | None = None


def connect(address, tls):
    """An http.client connection, with the certificate not verified: it is the harness's own."""
    if tls:
        return http.client.HTTPSConnection(*address, timeout=TIMEOUT_SECONDS, context=client_context())
    return http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)


def client_context():
    """Accepts any certificate and offers what OpenSSL offers by default, without HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def exchange(address, tls, method, path, body=b""):
    """One HTTP/1.1 request on a connection of its own."""
    with closing(connect(address, tls)) as connection:
        connection.request(method, path, body or None)
        response = connection.getresponse()
        return Answer(response.status, response.read(), "1.1")


def exchange_http2(address, path, body=b"", fields=()):
    """One request over TLS with HTTP/2 offered: a POST if there is a body, otherwise a GET.

    Raises BenchError if there is no response.
    """
    with tempfile.TemporaryDirectory("-exchange") as name:
        request, response, head = (Path(name) / part for part in ("request", "response", "head"))
        request.write_bytes(body)
        command = ["curl", "--silent", "--show-error", "--insecure", "--http2", "--noproxy", "*"]
        command += ["--max-time", str(TIMEOUT_SECONDS), "--output", str(response), "--dump-header", str(head)]
        command += ["--write-out", "%{http_version} %{response_code}"]
        command += ["--data-binary", f"@{request}"] if body else []
        command += [word for field in fields for word in ("--header", field)]
        command.append("https://%s:%d%s" % (*address, path))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"no response over HTTP/2: {done.stderr.strip()}")
        version, status = done.stdout.split()
        answered = response.read_bytes() if response.exists() else b""
        return Answer(int(status), answered, version, find_grpc_status(head.read_text()))


def find_grpc_status(head):
    """The value of grpc-status, which curl prints with the head also when it is a trailer."""
    found = re.search(r"^grpc-status: *(\S+)\s*$", head, re.MULTILINE | re.IGNORECASE)
    return found and found.group(1)


def check_tls(address, certificate):
    """Raises BenchError unless version, cipher suite and certificate are those that all proxies have."""
    with closing(connect(address, tls=True)) as connection:
        connection.connect()
        version, (cipher, *_) = connection.sock.version(), connection.sock.cipher()
        if (version, cipher) != (TLS_VERSION, TLS_CIPHER):
            raise BenchError(f"the handshake agreed on {version} with {cipher}, not {TLS_VERSION} with {TLS_CIPHER}")
        if connection.sock.getpeercert(binary_form=True) != certificate.der:
            raise BenchError("the handshake showed another certificate than the one the proxy was given")

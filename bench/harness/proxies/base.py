"""What the harness asks of a proxy."""

import os
import subprocess
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from .. import exchange
from ..certificate import Certificate
from ..processes import BenchError, Child
from ..scenarios import GRPC, H2LOAD, WEBSOCKETS, WRK, Configuration, grpc_message, request_path

FIELDS_TO_ADD = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id")


@dataclass(frozen=True)
class Setup:
    """What a proxy is started with."""

    # Empty, for configuration, logs and state of this one start.
    directory: Path
    core: int
    target: tuple[str, int]
    configuration: Configuration
    certificate: Certificate
    # The limit of open files of this process, inherited by the proxy.
    files_max: int

    @property
    def target_text(self):
        return "%s:%d" % self.target


class Proxy(ABC):
    """A kind of proxy. It has no state: one may be started several times."""

    name: str
    # More rules than this are not tried.
    rules_max: int

    @abstractmethod
    def start(self, setup):
        """Starts it and returns a Running that serves. Raises BenchError if it does not come up."""

    @abstractmethod
    def version(self):
        """What was measured, in one line for the report."""


@dataclass(frozen=True)
class Running:
    """A started proxy. Whoever starts it stops it."""

    name: str
    address: tuple[str, int]
    child: Child
    configuration: Configuration

    @property
    def pid(self):
        return self.child.pid

    def stop(self):
        self.child.stop()

    def check_tls(self, certificate):
        """Raises BenchError unless a client gets the handshake that all proxies are measured with."""
        try:
            exchange.check_tls(self.address, certificate)
        except (OSError, BenchError) as error:
            raise BenchError(f"{self.name}: {error}") from error

    def check_fields_added(self):
        """Asks the target which fields it got, so that no proxy is measured doing less.

        Raises BenchError naming those that are missing, wrong or do not change.
        """
        first, second = (self._fields_added() for _ in range(2))
        expected = {"X-Forwarded-Proto": self.configuration.scheme, "X-Forwarded-Port": str(self.address[1])}
        wrong = [
            name for name, value in zip(FIELDS_TO_ADD, first)
            if not value or value != expected.get(name, value)
        ]
        if not wrong and first[-1] == second[-1]:
            wrong = [f"a new {FIELDS_TO_ADD[-1]} for each request"]
        if wrong:
            raise BenchError(f"{self.name} did not add {', '.join(wrong)}: the target got {first}")

    def check_answer(self, load):
        """Makes one request of `load`. Raises BenchError if the answer is not as it should be."""
        if load.client == WEBSOCKETS:
            # This client checks every byte of every answer itself.
            return
        path = request_path(load, load.configuration.rules - 1)
        answer = self._exchange(load.client, path, load.request_body)
        if len(answer) != load.response_body_bytes:
            raise BenchError(f"{self.name} answered {load.name} with {len(answer)} B: {answer[:200]}")

    def _fields_added(self):
        if self.configuration.target == GRPC:
            answer = self._exchange(H2LOAD, "/bench.Echo/Added", grpc_message(b""))[len(grpc_message(b"")):]
        else:
            answer = self._exchange(WRK, "/added")
        return answer.decode().split("|")

    def _exchange(self, client, path, body=b""):
        """The body of the answer to a request such as that client makes; its status must be 200."""
        is_grpc = self.configuration.target == GRPC
        try:
            if client == H2LOAD:
                fields = exchange.GRPC_FIELDS if is_grpc else ()
                answer = exchange.exchange_http2(self.address, path, body, fields)
            else:
                method = "POST" if body else "GET"
                answer = exchange.exchange(self.address, self.configuration.tls, method, path, body)
        except (OSError, HTTPException, BenchError) as error:
            raise BenchError(f"{self.name} did not answer {path}: {error}") from error
        if answer.status != 200:
            raise BenchError(f"{self.name} answered {path} with {answer.status}: {answer.body[:200]}")
        if client == H2LOAD and answer.http_version != "2":
            raise BenchError(f"{self.name} answered {path} over HTTP/{answer.http_version}, not HTTP/2")
        if is_grpc and answer.grpc_status != exchange.GRPC_OK:
            raise BenchError(f"{self.name} answered {path} with grpc-status {answer.grpc_status}")
        return answer.body


def start_program(proxy, command, setup, address):
    """Starts a program that needs nothing but its command line, and waits until it accepts."""
    child = Child(command, setup.core, setup.directory / "log")
    with stopped_on_error(child):
        child.wait_until_accepting(address)
    return Running(proxy.name, address, child, setup.configuration)


@contextmanager
def stopped_on_error(child):
    """Leaves no process behind when its start fails half way."""
    try:
        yield
    except BaseException:
        child.stop()
        raise


def first_line(command):
    """The first line a program prints about its version."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip().splitlines()[0]


def is_root():
    return os.geteuid() == 0

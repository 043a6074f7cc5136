"""What the harness asks of a proxy."""

import http.client
import os
import subprocess
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..processes import BenchError, Child
from ..scenarios import request_path

FIELDS_TO_ADD = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id")


@dataclass(frozen=True)
class Setup:
    """What a proxy is started with."""

    # Empty, for configuration, logs and state of this one start.
    directory: Path
    core: int
    target: tuple[str, int]
    rules: int
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

    @property
    def pid(self):
        return self.child.pid

    def stop(self):
        self.child.stop()

    def check_fields_added(self):
        """Asks the target which fields it got, so that no proxy is measured doing less.

        Raises BenchError naming those that are missing or do not change.
        """
        first, second = (self._exchange("GET", "/added").split("|") for _ in range(2))
        wrong = [name for name, value in zip(FIELDS_TO_ADD, first) if not value]
        if not wrong and first[-1] == second[-1]:
            wrong = [f"a new {FIELDS_TO_ADD[-1]} for each request"]
        if wrong:
            raise BenchError(f"{self.name} did not add {', '.join(wrong)}: the target got {first}")

    def check_answer(self, load):
        """Makes one request of `load`. Raises BenchError if the answer is not of the size it should be."""
        body = b"b" * load.request_body_bytes
        answer = self._exchange("POST" if body else "GET", request_path(load, load.rules - 1), body)
        if len(answer) != load.response_body_bytes:
            raise BenchError(f"{self.name} answered {load.name} with {len(answer)} B: {answer[:200]}")

    def _exchange(self, method, path, body=b""):
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            connection.request(method, path, body or None)
            response = connection.getresponse()
            answer = response.read().decode()
        finally:
            connection.close()
        if response.status != 200:
            raise BenchError(f"{self.name} answered {method} {path} with {response.status}: {answer[:200]}")
        return answer


def start_program(proxy, command, setup, address):
    """Starts a program that needs nothing but its command line, and waits until it accepts."""
    child = Child(command, setup.core, setup.directory / "log")
    with stopped_on_error(child):
        child.wait_until_accepting(address)
    return Running(proxy.name, address, child)


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

"""Steady traffic of several clients, each on a connection of its own."""

import subprocess
import threading
import time

from .elbow import binary, quiet_environment
from .http import Connection


class Load:
    """Clients that send one request after the other until the block ends.

    Every response is to be 200 and no connection may be lost; anything else is a failure in words.
    """

    def __init__(self, address, port, clients=4, headers=lambda: ()):
        self.address, self.port, self.headers = address, port, headers
        self.sent = 0
        self.failures = []
        self.answers = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self):
        connection = None
        while not self._stop.is_set():
            try:
                connection = connection or Connection(self.address, self.port)
                response = connection.request(headers=self.headers())
                problem = None if response.status == 200 else f"status {response.status}"
                who = response.text.split(" ", 1)[0]
            except (OSError, ValueError, AssertionError) as error:
                connection, problem, who = None, repr(error), None
            with self._lock:
                self.sent += 1
                if problem:
                    self.failures.append(problem)
                else:
                    self.answers[who] = self.answers.get(who, 0) + 1
        if connection:
            connection.close()

    def wait_until_sent(self, count, timeout=120):
        deadline = time.monotonic() + timeout
        while self.sent < count:
            assert time.monotonic() < deadline, f"only {self.sent} requests in {timeout} s"
            time.sleep(0.05)


class App:
    """The demo application as a process: a target that costs this process nothing."""

    def __init__(self, address, name, port=8080):
        self.address, self.port, self.name = address, port, name
        command = [str(binary()), "app", "--listen", f"{address}:{port}", "--name", name]
        self._process = subprocess.Popen(
            command + ["--stop-at-end-of-input"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=quiet_environment(),
        )
        assert self._process.stdout.readline(), "the application does not start"

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

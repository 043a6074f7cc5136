"""Steady traffic of several clients, each on a connection of its own."""

import itertools
import subprocess
import threading
import time

from .elbow import binary, quiet_environment
from .http import Connection

MARK = "X-Mark"


class Load:
    """Clients that send one request after the other until the block ends.

    Every response is to be 200 and no connection may be lost or closed; anything else is a failure in
    words. The last `fresh` clients open a connection for each request, the others keep theirs.

    A request carries the mark that was current when its client began it, so that what began after some
    moment can be told from what was under way.
    """

    def __init__(self, addresses, port, clients=4, fresh=0):
        self.port = port
        self.failures = []
        self.answers = {}
        self.mark = 0
        self._marks = itertools.count(1)
        self._answered = [0] * clients
        self._answered_since_mark = [0] * clients
        self._stop = threading.Event()
        self._lock = threading.Lock()
        clients = zip(range(clients), itertools.cycle(addresses))
        keeping = len(self._answered) - fresh
        self._threads = [
            threading.Thread(target=self._run, args=(number, address, number < keeping))
            for number, address in clients
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    @property
    def answered(self):
        """Requests that have come to an end, good or bad."""
        return sum(self._answered)

    def next_mark(self):
        """Every request that begins after this call carries the mark that it returns."""
        with self._lock:
            self.mark = next(self._marks)
            self._answered_since_mark = [0] * len(self._answered)
        return self.mark

    def wait_for_every_client(self, requests=1):
        """Waits until each client has an answer to so many requests of the current mark.

        A client has one request at a time, so none of an older mark is under way after this.
        """
        self._wait(lambda: min(self._answered_since_mark) >= requests, "every client going on")

    def wait_until_answered(self, count):
        self._wait(lambda: self.answered >= count, f"{count} requests")

    def _wait(self, condition, what, timeout=120):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"no {what} in {timeout} s; {self.answered} answered"
            time.sleep(0.005)

    def _run(self, client, address, keeps):
        connection = None
        while not self._stop.is_set():
            mark = self.mark
            try:
                connection = connection or Connection(address, self.port)
                response = connection.request(headers=[f"{MARK}: {mark}"])
                problem = None if response.status == 200 else f"status {response.status}"
                who = response.text.split(" ", 1)[0]
            except (OSError, ValueError, AssertionError) as error:
                problem, who = repr(error), None
            if connection and (problem or not keeps):
                connection.close()
                connection = None
            self._note(client, mark, problem, who)
        if connection:
            connection.close()

    def _note(self, client, mark, problem, who):
        with self._lock:
            self._answered[client] += 1
            self._answered_since_mark[client] += mark == self.mark
            if problem:
                self.failures.append(problem)
            else:
                self.answers[who] = self.answers.get(who, 0) + 1


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

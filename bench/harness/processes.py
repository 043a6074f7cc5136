"""Child processes: pinned to a core, ended by their own id whatever happens to the harness."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SERVERS_CNF = Path(__file__).parent / "openssl" / "servers.cnf"

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 5


class BenchError(Exception):
    """Something the user can act on; printed without a stack trace."""


@dataclass(frozen=True)
class Cores:
    """Which core runs what. The proxy never shares its core unless there is only one."""

    proxy: int
    client: int
    target: int

    @staticmethod
    def choose():
        """From the cores this process may use: one for each part if there are three."""
        usable = sorted(os.sched_getaffinity(0))
        return Cores(proxy=usable[0], client=usable[-1], target=usable[1 % len(usable)])


class Child:
    """A running program with its output in a log file, on one core or, without a core, on all."""

    def __init__(self, command, core, log_path):
        self._command = command
        self._log_path = log_path
        # `setpriv` has the kernel end the child if the harness itself is killed.
        prefix = ["setpriv", "--pdeathsig", "TERM"]
        if core is not None:
            prefix += ["taskset", "--cpu-list", str(core)]
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(
                prefix + command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Its own process group, so that ctrl-C reaches the harness first.
                start_new_session=True,
                env=os.environ | {"OPENSSL_CONF": str(SERVERS_CNF)},
            )

    @property
    def pid(self):
        """The id of the program itself: setpriv and taskset replaced themselves by it."""
        return self._process.pid

    def check_running(self):
        """Raises BenchError with the end of the log if the program is gone."""
        if self._process.poll() is not None:
            with open(self._log_path, errors="replace") as log:
                tail = log.read()[-2000:]
            raise BenchError(f"{self._command[0]} ended with {self._process.returncode}: {tail.strip()}")

    def wait_until_accepting(self, address):
        """Returns when a TCP connection to `address` succeeds."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            self.check_running()
            try:
                socket.create_connection(address, timeout=1).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise BenchError(f"{self._command[0]} does not accept on {address}: {error}") from error
                time.sleep(0.05)

    def stop(self):
        """Ends the program: SIGTERM, and SIGKILL after a while."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """Ends the program at once: SIGKILL."""
        self._kill_tree()
        self._process.wait()

    def _kill_tree(self):
        for pid in process_tree(self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def process_tree(pid):
    """`pid` and all its descendants (NGINX has a master and a worker)."""
    found = [pid]
    for parent in found:
        try:
            threads = os.listdir(f"/proc/{parent}/task")
        except FileNotFoundError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{parent}/task/{thread}/children") as children:
                    found.extend(int(child) for child in children.read().split())
            except FileNotFoundError:
                pass
    return found


def memory_directory():
    """Where files need no disk, so that nothing measured waits for one; None if there is no such place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def free_port(address="127.0.0.1"):
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]

"""Loopback networks: each test process has a /16 of 127.0.0.0/8, so that tests can run side by side."""

import fcntl
import itertools
import random
import tempfile
from pathlib import Path

# 127.0 has the machine's own services, 127.65 an elbow with the default configuration.
SECOND_OCTETS = range(100, 250)
# Load balancers take addresses from the low end of a subnet, targets from here on.
FIRST_HOST = 120
LAST_HOST = 250


class Network:
    """127.N.0.0/16 with two zones, or more."""

    def __init__(self, second, lock, zones):
        self.second = second
        self.zones = [(f"us-east-1{name}", f"127.{second}.{at}.0/24") for at, name in zip(range(1, zones + 1), "abcdef")]
        self._lock = lock
        self._hosts = [itertools.cycle(range(FIRST_HOST, LAST_HOST)) for _ in self.zones]

    @classmethod
    def claim(cls, zones=2):
        """Takes a network that no other test process has; the lock goes with the process."""
        candidates = list(SECOND_OCTETS)
        random.shuffle(candidates)
        for second in candidates:
            lock = open(Path(tempfile.gettempdir()) / f"elbow-tests-127.{second}.lock", "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return cls(second, lock, zones)
        raise RuntimeError("every loopback network is taken by another test process")

    def release(self):
        self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    @property
    def vpc(self):
        return f"127.{self.second}.0.0/16"

    def free_host(self, zone):
        """An address of the zone's subnet, not handed out lately."""
        return f"127.{self.second}.{zone + 1}.{next(self._hosts[zone])}"

"""Network namespaces: a loopback interface of one's own, for tests that need addresses and routes."""

import ctypes
import os
import subprocess
import threading
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextmanager
def own_network():
    """Within the block this thread, and what it starts, are in a new network with nothing but loopback."""
    before = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    try:
        _check(_libc.unshare(CLONE_NEWNET))
        try:
            ip("link", "set", "lo", "up")
            yield
        finally:
            _check(_libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)


def ip(*arguments):
    """Runs the `ip` command in the network of this thread; its output."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, f"ip {arguments} failed: {done.stderr}"
    return done.stdout


def add_address(address):
    """Gives loopback an address, until the namespace goes."""
    ip("-6", "address", "replace", f"{address}/128", "dev", "lo", "nodad")
    return address


def local_routes():
    """What `ip` says about the IPv6 routes that make addresses local, one a line."""
    return ip("-6", "route", "show", "table", "local").splitlines()

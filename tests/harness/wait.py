"""Waiting for what is bound to happen."""

import time


def until(condition, what, timeout=30, pause=0.1):
    """Returns the first true value of `condition`; fails with the last one after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout} s; last seen: {value!r}")
        time.sleep(pause)

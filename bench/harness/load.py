"""The client: wrk, and what its output says."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import BenchError

LUA = Path(__file__).parent / "lua"
CONNECTIONS = 64

UNITS_IN_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


@dataclass(frozen=True)
class LoadResult:
    """What the client saw."""

    requests: int
    seconds: float
    latency_p50_us: float
    latency_p99_us: float


def run_wrk(address, scenario, seconds, core):
    """Loads `address` for some seconds over CONNECTIONS connections.

    Raises BenchError if any request failed: figures of a proxy that fails are not comparable.
    """
    host, port = address
    command = ["taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--connections", str(CONNECTIONS)]
    command += ["--duration", f"{seconds}s", "--timeout", "10s", "--latency"]
    command += ["--script", str(LUA / "scenario.lua"), f"http://{host}:{port}{scenario.path}", "--"]
    command += [str(scenario.request_body_bytes), str(int(scenario.connection_per_request)), str(scenario.rules)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise BenchError(f"wrk failed:\n{done.stdout}{done.stderr}")
    return parse_wrk(done.stdout)


def parse_wrk(text):
    """Reads wrk's report. Raises BenchError if it names a failure."""
    for failure in (r"Non-2xx or 3xx responses: \d+", r"Socket errors: .*"):
        if found := re.search(failure, text):
            raise BenchError(f"the load did not pass cleanly: {found.group()}")
    requests, seconds = _search(r"(\d+) requests in ([\d.]+)s", text).groups()
    if int(requests) == 0:
        raise BenchError("no request was answered")
    return LoadResult(
        requests=int(requests),
        seconds=float(seconds),
        latency_p50_us=_latency("50%", text),
        latency_p99_us=_latency("99%", text),
    )


def _latency(percentile, text):
    value, unit = _search(rf"^\s+{percentile}\s+([\d.]+)(us|ms|s|m)$", text).groups()
    return float(value) * UNITS_IN_MICROSECONDS[unit]


def _search(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise BenchError(f"wrk's report has no {pattern}:\n{text}")
    return found

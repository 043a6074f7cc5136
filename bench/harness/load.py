"""The clients: wrk, h2load and those of bench/peers, and what their output says."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .exchange import GRPC_FIELDS
from .processes import BenchError, memory_directory
from .programs import bench_peers
from .scenarios import GRPC, H2LOAD, HANDSHAKES, WEBSOCKETS, WRK

LUA = Path(__file__).parent / "lua"
CONNECTIONS = 64
HTTP2_CONNECTIONS = 16
HTTP2_STREAMS = 16
# A connection of HTTP/2 carries 10,000 requests on an Application Load Balancer, and h2load opens no
# other one: so it gets a number of requests, not a time.
HTTP2_REQUESTS_MAX = HTTP2_CONNECTIONS * 9_000
HTTP2_REQUESTS_PER_SECOND = 20_000

UNITS_IN_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


@dataclass(frozen=True)
class LoadResult:
    """What the client saw."""

    requests: int
    seconds: float
    latency_p50_us: float
    latency_p99_us: float


def run_load(address, scenario, seconds, core):
    """Loads `address` for some seconds with the scenario's client, in a closed loop.

    Raises BenchError if any request failed: figures of a proxy that fails are not comparable.
    """
    return CLIENTS[scenario.client](address, scenario, seconds, core)


def _run_wrk(address, scenario, seconds, core):
    configuration = scenario.configuration
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS)]
    command += ["--duration", f"{seconds}s", "--timeout", "10s", "--latency"]
    command += ["--script", str(LUA / "scenario.lua"), _url(address, scenario), "--"]
    command += [str(len(scenario.request_body)), str(int(scenario.connection_per_request)), str(configuration.rules)]
    return parse_wrk(_output(command, seconds, core))


def _run_h2load(address, scenario, seconds, core):
    with tempfile.TemporaryDirectory("-h2load", dir=memory_directory()) as name:
        log, body = Path(name) / "log", Path(name) / "body"
        command = ["h2load", "--threads", "1", "--clients", str(HTTP2_CONNECTIONS)]
        command += ["--max-concurrent-streams", str(HTTP2_STREAMS)]
        command += ["--requests", str(http2_requests(seconds))]
        command += ["--log-file", str(log)]
        if scenario.request_body:
            body.write_bytes(scenario.request_body)
            command += ["--data", str(body)]
        if scenario.configuration.target == GRPC:
            command += [word for field in GRPC_FIELDS for word in ("--header", field)]
        report = _output([*command, _url(address, scenario)], seconds, core)
        return parse_h2load(report, log.read_text(), scenario.response_body_bytes)


def _run_peer(address, scenario, seconds, core):
    command = [bench_peers(), scenario.client, "%s:%d" % address, str(CONNECTIONS), str(seconds)]
    return LoadResult(**json.loads(_output(command, seconds, core)))


def http2_requests(seconds):
    """The requests of a turn that is to take about so long."""
    return min(seconds * HTTP2_REQUESTS_PER_SECOND, HTTP2_REQUESTS_MAX)


CLIENTS = {WRK: _run_wrk, H2LOAD: _run_h2load, HANDSHAKES: _run_peer, WEBSOCKETS: _run_peer}


def _url(address, scenario):
    return "%s://%s:%d%s" % (scenario.configuration.scheme, *address, scenario.path)


def _output(command, seconds, core):
    pinned = ["taskset", "--cpu-list", str(core), *command]
    done = subprocess.run(pinned, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise BenchError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


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


def parse_h2load(text, log, response_body_bytes):
    """Reads h2load's report and its log for the latencies.

    Raises BenchError if a request failed or the bodies are not as long as they should be: the
    status of a gRPC call that failed is 200 as well, but it brings no message.
    """
    counts, by_status = _counts("requests", text), _counts("status codes", text)
    done = counts["done"]
    if done == 0:
        raise BenchError("no request was answered")
    if counts["failed"] + counts["errored"] + counts["timeout"] > 0 or by_status["2xx"] < done:
        raise BenchError(f"the load did not pass cleanly: {counts}, {by_status}")
    data_bytes = int(_search(r"^traffic: .*\((\d+)\) data$", text).group(1))
    if data_bytes != done * response_body_bytes:
        raise BenchError(f"{done} responses of {response_body_bytes} B should not be {data_bytes} B of data")
    # A line is the time of the start, the status and the latency in microseconds.
    latencies = sorted(int(line.split("\t")[2]) for line in log.splitlines())
    value, unit = _search(r"^finished in ([\d.]+)(us|ms|s|m)\b", text).groups()
    seconds = float(value) * UNITS_IN_MICROSECONDS[unit] / 1e6
    return LoadResult(done, seconds, percentile(latencies, 50), percentile(latencies, 99))


def percentile(ordered, percent):
    """The value below which that part of the sorted values lies."""
    return float(ordered[(len(ordered) - 1) * percent // 100])


def _counts(title, text):
    """The counts of a line such as "status codes: 5 2xx, 0 3xx, 0 4xx, 0 5xx"."""
    line = _search(rf"^{title}: .*", text).group()
    return {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", line)}


def _latency(percentage, text):
    value, unit = _search(rf"^\s+{percentage}\s+([\d.]+)(us|ms|s|m)$", text).groups()
    return float(value) * UNITS_IN_MICROSECONDS[unit]


def _search(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise BenchError(f"the client's report has no {pattern}:\n{text}")
    return found

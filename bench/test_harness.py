"""The parts of the harness that compute: python3 -m unittest discover bench"""

import os
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from types import SimpleNamespace

from harness import usage
from harness.certificate import make_certificate
from harness.exchange import find_grpc_status
from harness.goals import MOST_RULES, ONE_RULE, Goal, cpu_ratios, goals
from harness.idle import IdleResult
from harness.load import http2_requests, parse_h2load, parse_wrk
from harness.measure import Absence, Results, rotated
from harness.processes import BenchError
from harness.proxies.base import Setup
from harness.proxies.raw import Raw
from harness.report import to_markdown
from harness.scenarios import LOADS, NAMES, Configuration, Scenario, grpc_message, request_path, select

WRK_REPORT = """Running 4s test @ http://127.0.0.1:1/64
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.63ms    0.90ms  14.88ms   86.46%
    Req/Sec    40.19k     3.61k   46.19k    72.50%
  Latency Distribution
     50%  987.00us
     75%    1.82ms
     90%    2.45ms
     99%    1.02s
  160001 requests in 4.00s, 32.96MB read
{failure}Requests/sec:  40000.25
Transfer/sec:      8.24MB
"""


H2LOAD_REPORT = """starting benchmark...

finished in 1.00s, 4.00 req/s, 1.24KB/s
requests: 4 total, 6 started, 4 done, 4 succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {good} 2xx, 0 3xx, 0 4xx, {bad} 5xx
traffic: 1.20KB (1229) total, 113B (113) headers (space savings 96.00%), {data}B ({data}) data
                     min         max         mean         sd        +/- sd
time for request:      118us      1.05ms       319us       106us    79.00%
"""

# The time of the start, the status and the latency in microseconds.
H2LOAD_LOG = "1792565400000001\t200\t40\n1792565400000002\t200\t10\n" * 2


def h2load(log=H2LOAD_LOG, failed=0, good=4, bad=0, data=256):
    report = H2LOAD_REPORT.format(failed=failed, good=good, bad=bad, data=data)
    return parse_h2load(report, log, response_body_bytes=64)


def sample(number, cpu_ns, scenario="keepalive", proxy="elbow"):
    return SimpleNamespace(round=number, cpu_ns_per_request=cpu_ns, scenario=scenario, proxy=proxy)


class Load(unittest.TestCase):
    def test_the_report_of_wrk_is_read_with_its_units(self):
        seen = parse_wrk(WRK_REPORT.format(failure=""))
        self.assertEqual(
            (seen.requests, seen.seconds, seen.latency_p50_us, seen.latency_p99_us), (160001, 4.0, 987.0, 1.02e6)
        )

    def test_a_load_with_failures_has_no_figures(self):
        for failure in (
            "  Non-2xx or 3xx responses: 1\n",
            "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
        ):
            with self.assertRaises(BenchError, msg=failure):
                parse_wrk(WRK_REPORT.format(failure=failure))

    def test_a_load_without_an_answer_has_no_figures(self):
        with self.assertRaises(BenchError):
            parse_wrk(WRK_REPORT.format(failure="").replace("160001", "0"))

    def test_a_report_without_figures_is_refused(self):
        with self.assertRaises(BenchError):
            parse_wrk("unable to connect to 127.0.0.1:1 Connection refused")


    def test_the_report_of_h2load_is_read_with_the_latencies_of_its_log(self):
        seen = h2load()
        self.assertEqual(
            (seen.requests, seen.seconds, seen.latency_p50_us, seen.latency_p99_us), (4, 1.0, 10.0, 40.0)
        )

    def test_an_http2_load_with_failures_has_no_figures(self):
        for failure in (
            {"failed": 1},
            {"good": 3, "bad": 1},
            # gRPC calls that failed: status 200 without a message.
            {"data": 0},
            {"data": 1 << 20},
        ):
            with self.assertRaises(BenchError, msg=failure):
                h2load(**failure)

    def test_an_http2_connection_is_given_no_more_than_it_carries(self):
        self.assertEqual([http2_requests(seconds) for seconds in (1, 4, 60)], [20_000, 80_000, 144_000])

    def test_a_grpc_message_follows_its_length(self):
        self.assertEqual(grpc_message(b"abc"), b"\0\0\0\0\3abc")


class Answers(unittest.TestCase):
    def test_the_status_of_a_call_is_found_in_its_trailers(self):
        head = "HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\n"
        self.assertEqual(find_grpc_status(head + "grpc-status: 0\r\n"), "0")
        self.assertEqual(find_grpc_status("HTTP/2 200 \r\nGrpc-Status: 14\r\n\r\n"), "14")
        self.assertIsNone(find_grpc_status(head))


class Certificates(unittest.TestCase):
    def test_the_certificate_is_made_for_p256_and_fits_its_key(self):
        with tempfile.TemporaryDirectory() as name:
            certificate = make_certificate(Path(name))
            for chain, key in ((certificate.chain, certificate.key), (certificate.both, None)):
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
            command = ["openssl", "x509", "-in", str(certificate.chain), "-noout", "-text"]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            self.assertIn("ASN1 OID: prime256v1", text)
            self.assertIn(certificate.chain.read_text(), certificate.both.read_text())


class Proxies(unittest.TestCase):
    def test_a_raw_command_is_not_measured_with_what_it_was_not_told(self):
        raw = Raw.parse("mine=proxy {listen} {target}")
        for configuration in (Configuration(tls=True), Configuration(target="websocket")):
            setup = Setup(Path(), 0, ("127.0.0.1", 1), configuration, certificate=None, files_max=1)
            with self.assertRaisesRegex(BenchError, "HTTP/1.1 only"):
                raw.start(setup)


class Goals(unittest.TestCase):
    def check(self, figure, reached, at_most=0.8, digits=2):
        self.assertEqual(Goal("", at_most, figure, digits).cells[-1], reached)

    def test_a_goal_is_reached_by_what_is_printed(self):
        self.check(0.8, "yes")
        self.check(0.804, "yes")
        self.check(0.806, "**no**")
        self.check(None, "no figures")
        self.check(16_384.4, "yes", at_most=16_384, digits=0)
        self.check(16_385.0, "**no**", at_most=16_384, digits=0)

    def test_goals_are_those_of_what_was_run(self):
        results = Results(
            samples=[
                sample(0, 6, "tls-keepalive"), sample(0, 10, "tls-keepalive", "haproxy"),
                sample(0, 10, ONE_RULE), sample(0, 12, MOST_RULES),
            ],
            idle={"tls-idle": {"elbow": IdleResult(15_000.0, 1), "envoy": IdleResult(1.0, 1)}},
            absences=[Absence("tls-grpc", "elbow", "refused"), Absence("websocket", "nginx", "refused")],
        )
        self.assertEqual(
            [(goal.title, goal.at_most, goal.figure) for goal in goals(results)],
            [
                ("TLS: GET 64 B, keep-alive: CPU time, haproxy = 1", 0.7, 0.6),
                ("TLS: gRPC unary call of 64 B: CPU time, haproxy = 1", 0.8, None),
                ("100,000 rules: CPU time, one rule = 1", 1.15, 1.2),
                ("idle keep-alive connection over TLS: bytes", 16_384, 15_000.0),
            ],
        )

    def test_the_goals_of_the_release_stand_in_the_scenarios(self):
        self.assertEqual(
            {load.name: load.goal for load in LOADS if load.goal != 1.0},
            {
                "keepalive": 0.6, "tls-keepalive": 0.7, "tls-handshake": 0.6,
                "tls-http2": 0.8, "tls-grpc": 0.8, "websocket": 0.8,
            },
        )


class Report(unittest.TestCase):
    def test_idle_figures_of_both_kinds_have_tables_of_their_own(self):
        figures = {"haproxy": IdleResult(1234.0, 5 << 20)}
        text = to_markdown(Results(idle={"idle": figures, "tls-idle": figures}))
        self.assertEqual(text.count("| haproxy | 1,234 | 5 |"), 2)
        self.assertIn("### tls-idle: ", text)

    def test_a_ratio_compares_samples_of_the_same_round(self):
        reference = [sample(0, 10), sample(1, 20), sample(2, 40)]
        # Round 1 has no sample: the proxy failed in it.
        self.assertEqual(cpu_ratios([sample(2, 20), sample(0, 10)], reference), [0.5, 1.0])

    def test_without_the_reference_there_is_no_ratio(self):
        self.assertEqual(cpu_ratios([sample(0, 10)], []), [])


class Usage(unittest.TestCase):
    def test_the_cpu_time_of_threads_that_ended_still_counts(self):
        def work():
            while time.thread_time_ns() < 5_000_000:
                pass

        before = usage.cpu(os.getpid())
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertGreaterEqual((usage.cpu(os.getpid()) - before).total_ns, 5_000_000)


class Order(unittest.TestCase):
    def test_every_proxy_begins_a_round_in_turn(self):
        orders = ["".join(rotated(["a", "b", "c"], number)) for number in range(4)]
        self.assertEqual(orders, ["abc", "bca", "cab", "abc"])
        self.assertEqual(rotated([], 5), [])


class Selection(unittest.TestCase):
    def test_patterns_choose_scenarios_in_table_order(self):
        chosen = select(["rules-?", "tls-h*", "keepalive"])
        self.assertEqual(chosen, ["keepalive", "rules-1", "tls-handshake", "tls-http2"])
        self.assertEqual(select(["*"]), NAMES)

    def test_a_request_goes_through_its_rule_if_there_are_rules(self):
        self.assertEqual(request_path(Scenario("", "", path="/64"), -1), "/64")
        with_rules = Scenario("", "", path="/64", configuration=Configuration(rules=3))
        self.assertEqual(request_path(with_rules, 2), "/service-2/64")

    def test_a_pattern_that_chooses_nothing_is_refused_by_name(self):
        with self.assertRaisesRegex(BenchError, "kepalive"):
            select(["keepalive", "kepalive"])


if __name__ == "__main__":
    unittest.main()

"""The parts of the harness that compute: python3 -m unittest discover bench"""

import os
import threading
import time
import unittest
from types import SimpleNamespace

from harness import usage
from harness.load import parse_wrk
from harness.measure import rotated
from harness.processes import BenchError
from harness.report import cpu_ratios
from harness.scenarios import NAMES, Scenario, request_path, select

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


def sample(number, cpu_ns):
    return SimpleNamespace(round=number, cpu_ns_per_request=cpu_ns)


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


class Report(unittest.TestCase):
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
        self.assertEqual(select(["rules-?", "keepalive"]), ["keepalive", "rules-1"])
        self.assertEqual(select(["*"]), NAMES)

    def test_a_request_goes_through_its_rule_if_there_are_rules(self):
        self.assertEqual(request_path(Scenario("", "", path="/64"), -1), "/64")
        self.assertEqual(request_path(Scenario("", "", path="/64", rules=3), 2), "/service-2/64")

    def test_a_pattern_that_chooses_nothing_is_refused_by_name(self):
        with self.assertRaisesRegex(BenchError, "kepalive"):
            select(["keepalive", "kepalive"])


if __name__ == "__main__":
    unittest.main()

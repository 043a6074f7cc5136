"""Runs the scenarios: in each round every proxy has its turn under every load."""

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import usage
from .certificate import make_certificate
from .idle import measure_idle
from .load import run_load
from .processes import BenchError, Cores, memory_directory
from .proxies.base import Setup
from .scenarios import IDLES, LOADS
from .target import Target

# Opens the connections to the target and lets allocators and branch predictors settle.
WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Plan:
    """What to measure and how long."""

    # Names, see scenarios.py.
    scenarios: list[str]
    # Values of class Proxy.
    proxies: list
    rounds: int
    seconds: int
    files_max: int
    cores: Cores
    # Whether a proxy must prove that it adds the forwarded fields.
    check_fields: bool


@dataclass(frozen=True)
class Sample:
    """One proxy under one load in one round."""

    scenario: str
    proxy: str
    round: int
    cpu_ns_per_request: float
    cpu_user_share: float
    # Part of the time the proxy used a core: below 1 the client or the target was the limit.
    core_busy: float
    requests_per_second: float
    latency_p50_us: float
    latency_p99_us: float
    resident_bytes: int


@dataclass(frozen=True)
class Absence:
    """Why a proxy has no figures in a scenario."""

    scenario: str
    proxy: str
    reason: str


@dataclass
class Results:
    """Everything that was measured, and what could not be."""

    samples: list[Sample] = field(default_factory=list)
    # By name of the scenario: IdleResult by name of the proxy.
    idle: dict = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)


class Bench:
    """One run of a plan."""

    def __init__(self, plan, say):
        """`say` is called with a line for the user on each step."""
        self._plan = plan
        self._say = say
        self._results = Results()
        self._cores = plan.cores
        # Memory per idle connection is measured by this process, as a client.
        os.sched_setaffinity(0, {self._cores.client})

    def run(self):
        """Runs the whole plan and returns the results."""
        with ExitStack() as stack:
            # In memory, because of the target's files and elbow's state.
            directory = tempfile.TemporaryDirectory("-bench", dir=memory_directory())
            self._directory = Path(stack.enter_context(directory))
            self._certificate = make_certificate(self._directory)
            self._targets = self._start_targets(stack)
            self._run_loads()
            for scenario in self._chosen(IDLES):
                self._run_idle(scenario)
        return self._results

    def _chosen(self, scenarios):
        return [scenario for scenario in scenarios if scenario.name in self._plan.scenarios]

    def _start_targets(self, stack):
        targets = {}
        for kind in dict.fromkeys(scenario.configuration.target for scenario in self._chosen(LOADS + IDLES)):
            targets[kind] = Target(kind, self._directory, self._cores.target, self._plan.files_max)
            stack.callback(targets[kind].stop)
            targets[kind].wait_until_ready()
        return targets

    def _run_loads(self):
        """Keeps every proxy up in every configuration, so that each round has all that is compared."""
        loads = self._chosen(LOADS)
        with ExitStack() as stack:
            running = {
                configuration: self._start_all(configuration, stack)
                for configuration in dict.fromkeys(load.configuration for load in loads)
            }
            for number in range(self._plan.rounds):
                for load in loads:
                    for proxy in rotated(running[load.configuration], number):
                        self._say(f"round {number + 1} of {self._plan.rounds}: {load.name}, {proxy.name}")
                        self._take_sample(load, proxy, number)

    def _start_all(self, configuration, stack):
        running = []
        for proxy in self._plan.proxies:
            self._say(f"starting {proxy.name} for {configuration}")
            try:
                if configuration.rules > proxy.rules_max:
                    raise BenchError(f"not tried with more than {proxy.rules_max:,} rules")
                running.append(self._start(proxy, configuration))
                stack.callback(running[-1].stop)
            except BenchError as error:
                names = [load.name for load in LOADS if load.configuration == configuration]
                self._note_absence(names, proxy.name, error)
        return running

    def _start(self, proxy, configuration):
        directory = Path(tempfile.mkdtemp(prefix=f"{proxy.name}-", dir=self._directory))
        running = proxy.start(
            Setup(
                directory=directory,
                core=self._cores.proxy,
                target=self._targets[configuration.target].address,
                configuration=configuration,
                certificate=self._certificate,
                files_max=self._plan.files_max,
            )
        )
        try:
            if configuration.tls:
                running.check_tls(self._certificate)
            if self._plan.check_fields:
                running.check_fields_added()
        except BaseException:
            running.stop()
            raise
        return running

    def _take_sample(self, load, proxy, number):
        try:
            self._results.samples.append(self._sample(load, proxy, number))
        except BenchError as error:
            self._note_absence([load.name], proxy.name, error)

    def _sample(self, load, proxy, number):
        proxy.check_answer(load)
        run_load(proxy.address, load, WARM_UP_SECONDS, self._cores.client)
        before = usage.cpu(proxy.pid)
        seen = run_load(proxy.address, load, self._plan.seconds, self._cores.client)
        used = usage.cpu(proxy.pid) - before
        return Sample(
            scenario=load.name,
            proxy=proxy.name,
            round=number,
            cpu_ns_per_request=used.total_ns / seen.requests,
            cpu_user_share=used.user_share,
            core_busy=used.total_ns / 1e9 / seen.seconds,
            requests_per_second=seen.requests / seen.seconds,
            latency_p50_us=seen.latency_p50_us,
            latency_p99_us=seen.latency_p99_us,
            resident_bytes=usage.memory(proxy.pid).resident_bytes,
        )

    def _run_idle(self, scenario):
        # Each connection is an open file here and one in the proxy, and both need some more.
        connections = min(scenario.connections, self._plan.files_max - 1000)
        for proxy in self._plan.proxies:
            self._say(f"{scenario.name}: {connections:,} connections, {proxy.name}")
            try:
                running = self._start(proxy, scenario.configuration)
                try:
                    result = measure_idle(running, connections)
                    self._results.idle.setdefault(scenario.name, {})[proxy.name] = result
                finally:
                    running.stop()
            except BenchError as error:
                self._note_absence([scenario.name], proxy.name, error)

    def _note_absence(self, scenarios, proxy, error):
        self._say(f"no figures for {proxy}: {error}")
        self._results.absences += [
            Absence(name, proxy, str(error)) for name in scenarios if name in self._plan.scenarios
        ]


def rotated(items, number):
    """`items` beginning with another one each round, so that none always follows the same."""
    start = number % max(1, len(items))
    return items[start:] + items[:start]

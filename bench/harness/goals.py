"""What elbow is meant to reach, beside what it did; the goals of single scenarios are in scenarios.py."""

from dataclasses import dataclass
from statistics import median

from .scenarios import IDLES, LOADS

SUBJECT = "elbow"
REFERENCE = "haproxy"

ONE_RULE = "rules-1"
MOST_RULES = "rules-100000"
# CPU time per request with the most rules, with one rule = 1.
GROWTH_GOAL = 1.15


@dataclass(frozen=True)
class Goal:
    """A figure that should be at most so much."""

    title: str
    at_most: float
    # None if it could not be measured.
    figure: float | None
    # Digits after the point that are shown and compared.
    digits: int

    @property
    def cells(self):
        """Title, goal, figure, and whether it is reached."""
        if self.figure is None:
            return [self.title, self._text(self.at_most), "–", "no figures"]
        # As printed: a figure that reads like the goal has reached it.
        is_reached = round(self.figure, self.digits) <= self.at_most
        return [self.title, self._text(self.at_most), self._text(self.figure), "yes" if is_reached else "**no**"]

    def _text(self, number):
        return f"{number:,.{self.digits}f}"


def goals(results):
    """The goals of all scenarios in which elbow was to be measured, in table order."""
    absent = {absence.scenario for absence in results.absences if absence.proxy == SUBJECT}
    found = []
    for load in LOADS:
        ratio = cpu_ratio(results.samples, (load.name, SUBJECT), (load.name, REFERENCE))
        if ratio or load.name in absent:
            found.append(Goal(f"{load.title}: CPU time, {REFERENCE} = 1", load.goal, ratio, 2))
    if growth := cpu_ratio(results.samples, (MOST_RULES, SUBJECT), (ONE_RULE, SUBJECT)):
        found.append(Goal("100,000 rules: CPU time, one rule = 1", GROWTH_GOAL, growth, 2))
    for scenario in IDLES:
        result = results.idle.get(scenario.name, {}).get(SUBJECT)
        if result or scenario.name in absent:
            size_bytes = result and result.private_bytes_per_connection
            found.append(Goal(f"{scenario.title}: bytes", scenario.goal_bytes, size_bytes, 0))
    return found


def cpu_ratio(samples, subject, reference):
    """The median of `cpu_ratios` between two pairs of scenario and proxy, or None."""
    own, others = (
        [sample for sample in samples if (sample.scenario, sample.proxy) == pair] for pair in (subject, reference)
    )
    ratios = cpu_ratios(own, others)
    return median(ratios) if ratios else None


def cpu_ratios(samples, references):
    """CPU time per request of each sample divided by that of the reference in the same round."""
    reference_ns = {sample.round: sample.cpu_ns_per_request for sample in references}
    return [
        sample.cpu_ns_per_request / reference_ns[sample.round]
        for sample in samples
        if sample.round in reference_ns
    ]

"""From samples to figures, and from figures to the table on the screen, the file and the page."""

from dataclasses import asdict
from statistics import median

from .goals import ONE_RULE, REFERENCE, cpu_ratio, cpu_ratios, goals
from .scenarios import IDLES, LOADS


def summarise(results):
    """One dict per scenario and proxy: medians over the rounds, ratios within each round.

    Machines are shared and their speed drifts, so a proxy is compared with the reference in the
    same round, seconds apart, and the median of those ratios is the figure to look at.
    """
    rows = []
    for load in LOADS:
        samples = [sample for sample in results.samples if sample.scenario == load.name]
        for proxy in dict.fromkeys(sample.proxy for sample in samples):
            own = [sample for sample in samples if sample.proxy == proxy]
            ratios = cpu_ratios(own, [sample for sample in samples if sample.proxy == REFERENCE])
            rows.append({
                "scenario": load.name,
                "proxy": proxy,
                "rounds": len(own),
                "cpu_ratio": median(ratios) if ratios else None,
                "cpu_ratio_min": min(ratios, default=None),
                "cpu_ratio_max": max(ratios, default=None),
            } | {
                name: median(getattr(sample, name) for sample in own)
                for name in (
                    "cpu_ns_per_request", "cpu_user_share", "core_busy", "requests_per_second",
                    "latency_p50_us", "latency_p99_us", "resident_bytes",
                )
            })
    return rows


def to_json(results, versions):
    """Everything, for other programs."""
    return {
        "versions": versions,
        "summary": summarise(results),
        "samples": [asdict(sample) for sample in results.samples],
        "idle": {
            scenario: {proxy: asdict(result) for proxy, result in by_proxy.items()}
            for scenario, by_proxy in results.idle.items()
        },
        "absences": [asdict(absence) for absence in results.absences],
    }


GOAL_HEADINGS = ["goal", "at most", "elbow", "reached"]
LOAD_HEADINGS = [
    "proxy", f"CPU/{REFERENCE}", "range", "CPU µs/request", "in user mode", "requests/s", "p50 µs", "p99 µs",
    "core busy", "resident MiB",
]
IDLE_HEADINGS = ["proxy", "bytes per connection", "resident MiB"]


def tables(results):
    """(title, headings, rows of cells): goals, an overview, then one table per scenario with figures."""
    summary = summarise(results)
    if aims := goals(results):
        yield "Goals", GOAL_HEADINGS, [goal.cells for goal in aims]
    if any(row["cpu_ratio"] is not None for row in summary):
        yield overview(summary)
    if any(sample.scenario == ONE_RULE for sample in results.samples):
        yield growth(results.samples)
    for load in LOADS:
        rows = [load_cells(row) for row in summary if row["scenario"] == load.name]
        if rows:
            yield f"{load.name}: {load.title}", LOAD_HEADINGS, rows
    for scenario in IDLES:
        rows = [
            [proxy, f"{result.private_bytes_per_connection:,.0f}", mebibytes(result.resident_bytes)]
            for proxy, result in results.idle.get(scenario.name, {}).items()
        ]
        if rows:
            yield f"{scenario.name}: {scenario.title}", IDLE_HEADINGS, rows


def overview(summary):
    """The table of ratios: a line per scenario, a column per proxy."""
    ratios = {(row["scenario"], row["proxy"]): row["cpu_ratio"] for row in summary}
    proxies = list(dict.fromkeys(row["proxy"] for row in summary))
    rows = [
        [load.title] + [ratio_text(ratios.get((load.name, proxy))) for proxy in proxies]
        for load in LOADS
        if any((load.name, proxy) in ratios for proxy in proxies)
    ]
    return f"CPU time of the proxy per request, {REFERENCE} = 1", ["scenario"] + proxies, rows


def growth(samples):
    """The table of what more rules cost: each proxy beside itself with one rule, in the same round."""
    proxies = list(dict.fromkeys(sample.proxy for sample in samples))
    measured = {sample.scenario for sample in samples}
    loads = [load for load in LOADS if load.configuration.rules and load.name in measured]
    rows = [
        [load.title] + [ratio_text(cpu_ratio(samples, (load.name, proxy), (ONE_RULE, proxy))) for proxy in proxies]
        for load in loads
    ]
    return "CPU time of the proxy per request, the same proxy with 1 rule = 1", ["scenario"] + proxies, rows


def load_cells(row):
    """The cells of one proxy under one load."""
    return [
        row["proxy"],
        ratio_text(row["cpu_ratio"]),
        f"{ratio_text(row['cpu_ratio_min'])} to {ratio_text(row['cpu_ratio_max'])}",
        f"{row['cpu_ns_per_request'] / 1000:.1f}",
        f"{row['cpu_user_share']:.0%}",
        f"{row['requests_per_second']:,.0f}",
        f"{row['latency_p50_us']:,.0f}",
        f"{row['latency_p99_us']:,.0f}",
        f"{row['core_busy']:.0%}",
        mebibytes(row["resident_bytes"]),
    ]


def ratio_text(ratio):
    return "–" if ratio is None else f"{ratio:.2f}"


def mebibytes(size_bytes):
    return f"{size_bytes / (1 << 20):.0f}"


def to_text(results):
    """The tables with aligned columns, for a terminal."""
    parts = []
    for title, headings, rows in tables(results):
        widths = [max(map(len, column)) for column in zip(headings, *rows)]
        lines = [
            "  ".join([line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])])
            for line in [headings] + rows
        ]
        parts.append("\n".join([title] + lines))
    return "\n\n".join(parts + absence_lines(results))


def to_markdown(results):
    """The tables for the page in docs/."""
    parts = []
    for title, headings, rows in tables(results):
        rule = ["---"] + ["--:"] * (len(headings) - 1)
        lines = ["| " + " | ".join(line) + " |" for line in [headings, rule] + rows]
        parts.append("\n".join([f"### {title}", ""] + lines))
    return "\n\n".join(parts + [f"- {line}" for line in absence_lines(results)])


def absence_lines(results):
    return [
        f"{absence.scenario}, {absence.proxy}: no figures: {absence.reason}" for absence in results.absences
    ]

"""Writes the figures into docs/benchmarks.md. The text around them is kept by hand."""

import platform
import shlex
from pathlib import Path

from .processes import BenchError
from .report import to_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by bench/run --write-page -->"
END = "<!-- end of figures -->"


def write_page(results, versions, cores, arguments):
    """Replaces what stands between the two marks of the page."""
    text = PAGE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchError(f"{PAGE} lacks the lines {BEGIN} and {END}")
    figures = [f"Command: `{shlex.join(['bench/run', *arguments])}`", about_machine(cores), about_versions(versions)]
    figures.append(to_markdown(results))
    PAGE.write_text(before + "\n\n".join([BEGIN, *figures, END]) + after)


def about_machine(cores):
    """How the cores were shared out; ratios depend on little else."""
    kernel = ".".join(platform.release().split(".")[:2])
    congestion_control = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    if cores.client == cores.target:
        layout = "the proxy on one core, client and target together on another"
    else:
        layout = "proxy, client and target on a core each"
    return f"Linux {kernel}, {platform.machine()}, TCP congestion control {congestion_control}; {layout}."


def about_versions(versions):
    return "\n".join(f"- {name}: {version}" for name, version in versions.items())

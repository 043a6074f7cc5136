"""Writes figures into docs/benchmarks.md. The text around them is kept by hand."""

import os
import platform
import shlex
from pathlib import Path

from .processes import BenchError
from .report import to_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by bench/run --write-page -->"
END = "<!-- end of figures -->"


def write_page(results, versions, cores, arguments):
    """Writes the figures beside other proxies."""
    figures = [f"Command: `{shlex.join(['bench/run', *arguments])}`", about_machine(cores), about_versions(versions)]
    replace_between(BEGIN, END, [*figures, to_markdown(results)])


def replace_between(begin, end, paragraphs):
    """Replaces what stands between two lines of the page."""
    text = PAGE.read_text()
    before, has_begin, rest = text.partition(begin)
    _, has_end, after = rest.partition(end)
    if not (has_begin and has_end):
        raise BenchError(f"{PAGE} lacks the lines {begin} and {end}")
    PAGE.write_text(before + "\n\n".join([begin, *paragraphs, end]) + after)


def about_machine(cores):
    """How the cores were shared out; ratios depend on little else."""
    congestion_control = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    if cores.client == cores.target:
        layout = "the proxy on one core, client and target together on another"
    else:
        layout = "proxy, client and target on a core each"
    return f"{about_system()}, TCP congestion control {congestion_control}; {layout}."


def about_system():
    """Kernel, architecture, and how many cores there are."""
    kernel = ".".join(platform.release().split(".")[:2])
    return f"Linux {kernel}, {platform.machine()}, {os.cpu_count()} cores"


def about_versions(versions):
    return "\n".join(f"- {name}: {version}" for name, version in versions.items())

"""The programs of this tree, built optimised when they are first asked for."""

import os
import subprocess
from functools import cache
from pathlib import Path

from .processes import BenchError

ROOT = Path(__file__).resolve().parents[2]

# Built together, so that nothing is left to build once measuring has begun.
ELBOW = "--package elbow --bin elbow --package proxy --example plain_proxy"


def elbow():
    """The load balancer itself."""
    return _built(ELBOW, "elbow")


def plain_proxy():
    """The data plane of elbow alone, with a snapshot made by an example program."""
    return _built(ELBOW, "examples/plain_proxy")


def bench_peers():
    """The targets and clients in bench/peers, which no packaged program offers."""
    return _built("--package bench-peers", "bench-peers")


@cache
def _built(selection, path):
    done = subprocess.run(["cargo", "build", "--locked", "--release", *selection.split()], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise BenchError(f"{path} cannot be built")
    return str(ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / path)

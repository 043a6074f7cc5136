"""`elbow explain`, run as its user runs it."""

import json
import subprocess

from .elbow import binary, quiet_environment


def run(elbow, *arguments):
    """Exit status, output and errors of `elbow explain`."""
    command = [str(binary()), "explain", *arguments, "--data-dir", str(elbow.data)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=quiet_environment()
    )
    return done.returncode, done.stdout, done.stderr


def explain(elbow, *arguments):
    """What `elbow explain --json` answers, whatever its status."""
    code, text, errors = run(elbow, *arguments, "--json")
    assert code in (0, 1), errors
    return json.loads(text)

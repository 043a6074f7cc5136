"""The commands of the README, run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.elbow import REPOSITORY, binary
from harness.shop import listener_port


def quick_start():
    text = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"<!-- tests/test_readme.py runs this. -->\n```sh\n(.*?)```", text, re.S)
    assert len(blocks) == 2
    return "\n".join(blocks)


@pytest.mark.skipif(listener_port() != 80, reason="the commands listen on port 80")
def test_the_quick_start_serves_a_request(make_elbow, tmp_path):
    elbow = make_elbow()
    path = [str(binary().parent), str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    script = quick_start().replace("127.65.", f"127.{elbow.network.second}.")
    environment = elbow.environment | {"PATH": ":".join(path), "ELBOW_DATA_DIR": str(elbow.data)}
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        del environment[name]  # The commands set them.
    ended = "trap 'kill $(jobs -p)' EXIT\n"
    done = subprocess.run(
        ["bash", "-euc", ended + script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^127\.{elbow.network.second}\.1\.10 shop-\d+\.us-east-1\.elb\.internal$", done.stdout, re.M)
    assert re.search(r"^(one|two) \(process \d+\) got$", done.stdout, re.M)
    assert "x-forwarded-port: 80" in done.stdout
    assert "x-forwarded-proto: https" in done.stdout

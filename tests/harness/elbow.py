"""A running `elbow serve`."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
READY = re.compile(r"^elbow serves (?P<url>http://\S+)")


def binary():
    """The elbow under test: $ELBOW_BINARY, or what `cargo build` left."""
    built = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "debug" / "elbow"
    path = Path(os.environ.get("ELBOW_BINARY", built))
    assert path.exists(), f"{path} does not exist: run `make test`, which builds it"
    return path


def quiet_environment():
    """The environment without anything that AWS clients or elbow would take up."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ELBOW_"))}
    nowhere = "/nonexistent"
    return kept | {
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


class AwsError(Exception):
    """The `aws` command failed."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        code = re.search(r"\((\w[\w.]*)\) when calling", text)
        self.code = code.group(1) if code else None


class Elbow:
    """An `elbow serve` with a data directory and a network of its own, on a free port.

    `through` is a command that runs it, with other privileges for example.
    """

    def __init__(self, directory, network, arguments=(), through=()):
        self.data = Path(directory) / "data"
        self.network = network
        self.arguments = list(arguments)
        self.through = list(through)
        self.process = None
        self.url = None

    def launch(self):
        """Starts the process and does not wait until it is ready."""
        zones = [part for name, cidr in self.network.zones for part in ("--zone", f"{name}={cidr}")]
        # The endpoint stays where it was, so that clients find a server that was started again.
        listen = self.url.removeprefix("http://") if self.url else "127.0.0.1:0"
        command = [*self.through, str(binary()), "serve"]
        command += ["--data-dir", str(self.data), "--listen", listen]
        command += ["--vpc-cidr", self.network.vpc, *zones, "--stop-at-end-of-input"]
        self.process = subprocess.Popen(
            command + self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=quiet_environment(),
        )

    def start(self):
        self.launch()
        line = self.process.stdout.readline()
        ready = READY.match(line)
        assert ready, f"the server said {line!r} instead of being ready; its log is above"
        self.url = ready["url"]

    def stop(self):
        """Ends it in order; returns its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self._forget()
        return status

    def kill(self):
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=30)
        self._forget()

    def _forget(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def run(self, *arguments, **options):
        """Runs another command of the binary against this elbow; returns its output."""
        command = [str(binary()), *arguments, "--data-dir", str(self.data)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=quiet_environment(), **options
        )
        assert done.returncode == 0, f"{command} failed: {done.stderr}"
        return done.stdout

    @property
    def environment(self):
        """What `elbow env` says, over an environment that has nothing else for AWS clients."""
        said = re.findall(r"^export (\w+)=(.*)$", self.run("env"), re.MULTILINE)
        return quiet_environment() | dict(said)

    def key(self):
        environment = self.environment
        return environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]

    def client(self, service, **options):
        """A boto3 client with the root key; it neither checks nor repeats."""
        access_key, secret_key = self.key()
        defaults = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            # The server is to see what a careful client would not send.
            "config": Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        }
        return boto3.client(service, **(defaults | options))

    def aws(self, *arguments, environment=()):
        """Runs the real `aws` command; returns its JSON output."""
        command = [str(Path(sys.executable).parent / "aws"), *map(str, arguments)]
        command += ["--output", "json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, env=self.environment | dict(environment)
        )
        if done.returncode != 0:
            raise AwsError(done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

"""Any other program, for measuring a part of elbow while it is being made."""

import shlex

from ..processes import BenchError, free_port
from ..scenarios import HTTP
from .base import Proxy, start_program


class Raw(Proxy):
    """A command in which {listen} and {target} stand for HOST:PORT and {rules} for a number."""

    def __init__(self, name, command):
        self.name = name
        self._command = command
        self.rules_max = 100_000 if "{rules}" in command else 0

    @classmethod
    def parse(cls, text):
        """Reads NAME=COMMAND. Raises BenchError for anything else."""
        name, equals, command = text.partition("=")
        if not (name and equals and "{listen}" in command and "{target}" in command):
            raise BenchError(f"--raw {text}: write NAME=COMMAND with {{listen}} and {{target}} in the command")
        return cls(name, command)

    def start(self, setup):
        if setup.configuration.tls or setup.configuration.target != HTTP:
            raise BenchError("a command is measured with plain HTTP/1.1 only")
        address = ("127.0.0.1", free_port())
        values = {
            "listen": "%s:%d" % address,
            "target": setup.target_text,
            "rules": str(setup.configuration.rules),
        }
        return start_program(self, [word.format(**values) for word in shlex.split(self._command)], setup, address)

    def version(self):
        return self._command

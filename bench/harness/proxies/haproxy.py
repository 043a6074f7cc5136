"""HAProxy, one thread. Rules are a map looked up by prefix: a tree, not a list of ACLs."""

from ..processes import free_port
from ..scenarios import rule_path
from .base import Proxy, first_line, start_program

CONFIG = """
global
    nbthread 1
    maxconn 12000
    no strict-limits
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
    http-reuse always
frontend listener
    bind 127.0.0.1:{port} backlog 4096
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Amzn-Trace-Id Root=%[uuid()]
    {use_backend}
    default_backend target
backend target
    server target {target}
"""


class HaProxy(Proxy):
    name = "haproxy"
    rules_max = 100_000

    def start(self, setup):
        address = ("127.0.0.1", free_port())
        use_backend = ""
        if setup.rules:
            rules = setup.directory / "rules.map"
            rules.write_text("".join(f"{rule_path(index)} target\n" for index in range(setup.rules)))
            use_backend = f"use_backend %[path,map_beg({rules})]"
        config = setup.directory / "haproxy.cfg"
        config.write_text(CONFIG.format(port=address[1], target=setup.target_text, use_backend=use_backend))
        return start_program(self, ["haproxy", "-db", "-f", str(config)], setup, address)

    def version(self):
        return first_line(["haproxy", "-v"]).split(" 20")[0]

"""HAProxy, one thread. Rules are a map looked up by prefix: a tree, not a list of ACLs."""

from ..processes import free_port
from ..scenarios import GRPC, rule_path
from .base import Proxy, first_line, start_program

CONFIG = """
global
    nbthread 1
    maxconn 12000
    no strict-limits
    tune.ssl.cachesize 0
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
    http-reuse always
frontend listener
    bind 127.0.0.1:{port} backlog 4096 {tls}
    option forwardfor
    http-request set-header X-Forwarded-Proto {scheme}
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Amzn-Trace-Id Root=%[uuid()]
    {use_backend}
    default_backend target
backend target
    server target {target} {target_protocol}
"""


# The policy that elbow's listener has. Tickets hold the sessions, so that a cache would be idle work.
TLS = (
    "ssl crt {certificate.both} alpn h2,http/1.1 ssl-min-ver TLSv1.2"
    " ciphersuites TLS_AES_128_GCM_SHA256"
)


class HaProxy(Proxy):
    name = "haproxy"
    rules_max = 100_000

    def start(self, setup):
        address = ("127.0.0.1", free_port())
        configuration = setup.configuration
        use_backend = ""
        if configuration.rules:
            rules = setup.directory / "rules.map"
            paths = (rule_path(index) for index in range(configuration.rules))
            rules.write_text("".join(f"{path} target\n" for path in paths))
            use_backend = f"use_backend %[path,map_beg({rules})]"
        config = setup.directory / "haproxy.cfg"
        config.write_text(
            CONFIG.format(
                port=address[1],
                tls=TLS.format(certificate=setup.certificate) if configuration.tls else "",
                scheme=configuration.scheme,
                target=setup.target_text,
                target_protocol="proto h2" if configuration.target == GRPC else "",
                use_backend=use_backend,
            )
        )
        return start_program(self, ["haproxy", "-db", "-f", str(config)], setup, address)

    def version(self):
        return first_line(["haproxy", "-v"]).split(" 20")[0]

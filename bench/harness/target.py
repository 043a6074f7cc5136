"""The targets behind every proxy, on a core of their own: NGINX answering from memory, and two of
bench/peers for what NGINX does not speak."""

import os

from .processes import Child, free_port
from .programs import bench_peers
from .scenarios import GRPC, HTTP, WEBSOCKET

# In the first subnet of elbow's default VPC, where it accepts targets by address; Linux answers on
# all of 127.0.0.0/8. All proxies forward to the same address.
ADDRESS = "127.65.1.200"

CONFIG = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {files_max};
pid {directory}/target.pid;
error_log stderr crit;
events {{ worker_connections 16384; multi_accept on; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_buffer_size 16k;
    client_body_temp_path {directory}/target-body;
    proxy_temp_path {directory}/target-proxy;
    fastcgi_temp_path {directory}/target-fastcgi;
    uwsgi_temp_path {directory}/target-uwsgi;
    scgi_temp_path {directory}/target-scgi;
    open_file_cache max=16;
    server {{
        listen {address}:{port} backlog=4096;
        root {directory};
        location / {{ return 200 "{body}"; }}
        location = /64k {{ }}
        location = /1m {{ }}
        location = /length {{ return 200 "$content_length\\n"; }}
        location = /added {{
            return 200 "$http_x_forwarded_for|$http_x_forwarded_proto|$http_x_forwarded_port|$http_x_amzn_trace_id";
        }}
    }}
}}
"""

FILES = {"64k": 64 << 10, "1m": 1 << 20}


class Target:
    """Started once; all proxies forward to it."""

    def __init__(self, kind, directory, core, files_max):
        """A target of one of the kinds in scenarios.py, with its files in `directory`."""
        self.address = (ADDRESS, free_port(ADDRESS))
        command = COMMANDS[kind](directory, self.address, files_max)
        self._child = Child(command, core, directory / f"target-{kind}.log")

    def wait_until_ready(self):
        """Returns when it accepts connections."""
        self._child.wait_until_accepting(self.address)

    def stop(self):
        self._child.stop()


def _nginx(directory, address, files_max):
    for name, size in FILES.items():
        (directory / name).write_bytes(b"f" * size)
    config = directory / "target.conf"
    config.write_text(
        CONFIG.format(
            directory=directory,
            address=address[0],
            port=address[1],
            body="b" * 64,
            files_max=files_max,
            user="user root;" if os.geteuid() == 0 else "",
        )
    )
    return ["nginx", "-c", str(config), "-e", "stderr"]


def _peer(role):
    return lambda _directory, address, _files_max: [bench_peers(), role, "%s:%d" % address]


COMMANDS = {HTTP: _nginx, GRPC: _peer("grpc-target"), WEBSOCKET: _peer("websocket-target")}

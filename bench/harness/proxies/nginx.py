"""NGINX, one worker. Rules are prefix locations, which it sorts into a tree."""

from ..processes import free_port
from ..scenarios import GRPC, rule_path
from .base import Proxy, first_line, is_root, start_program

CONFIG = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {files_max};
pid {directory}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream target {{
        server {target};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }}
    map $http_upgrade $connection_to_target {{ default upgrade; "" ""; }}
    proxy_http_version 1.1;
    proxy_set_header Connection $connection_to_target;
    proxy_set_header Upgrade $http_upgrade;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    {module}_set_header Host $host;
    {module}_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    {module}_set_header X-Forwarded-Proto $scheme;
    {module}_set_header X-Forwarded-Port $server_port;
    {module}_set_header X-Amzn-Trace-Id Root=$request_id;
    {tls}
    server {{
        listen 127.0.0.1:{port} backlog=4096 {listen};
        location / {{ {module}_pass {module_scheme}://target; }}
{locations}
    }}
}}
"""

# The policy that elbow's listener has.
TLS = """
    ssl_certificate {certificate.chain};
    ssl_certificate_key {certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
"""


class Nginx(Proxy):
    name = "nginx"
    # With ten times as many it was still reading its configuration after half a minute.
    rules_max = 10_000

    def start(self, setup):
        address = ("127.0.0.1", free_port())
        configuration = setup.configuration
        is_grpc = configuration.target == GRPC
        config = setup.directory / "nginx.conf"
        config.write_text(
            CONFIG.format(
                user="user root;" if is_root() else "",
                files_max=setup.files_max,
                directory=setup.directory,
                port=address[1],
                listen="ssl http2" if configuration.tls else "",
                tls=TLS.format(certificate=setup.certificate) if configuration.tls else "",
                target=setup.target_text,
                module="grpc" if is_grpc else "proxy",
                module_scheme="grpc" if is_grpc else "http",
                locations="\n".join(
                    f"        location {rule_path(index)} {{ proxy_pass http://target; }}"
                    for index in range(configuration.rules)
                ),
            )
        )
        return start_program(self, ["nginx", "-c", str(config), "-e", "stderr"], setup, address)

    def version(self):
        return first_line(["nginx", "-v"]).removeprefix("nginx version: ")

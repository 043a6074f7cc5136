"""The proxies under test. Each module configures one of them to do the same work:

- one worker thread, keep-alive to the client and to the target, connections to the target shared;
- `X-Forwarded-For`, `-Proto` and `-Port` added, and an `X-Amzn-Trace-Id` that is new for each request;
- with TLS the same certificate and versions, HTTP/2 for clients that offer it, session tickets;
- WebSocket upgrades allowed;
- bodies streamed, no access log, no caching, no compression;
- rules in the fastest form the proxy itself has for "this path prefix, that target".
"""

from .elbow import Elbow
from .envoy import Envoy
from .haproxy import HaProxy
from .nginx import Nginx

BY_NAME = {proxy.name: proxy for proxy in (Elbow, HaProxy, Nginx, Envoy)}

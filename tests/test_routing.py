"""What a listener does with a request: conditions, actions, forwarded headers, status codes of its own."""

import threading

import pytest

from harness.http import Connection, get
from harness.shop import Shop, fixed, forward

CONDITIONS = {
    "host": ({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.api.example"]}}, 201),
    "path": ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/img/*.png"]}}, 202),
    "header": (
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["*new*"]}},
        203,
    ),
    "method": (
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PURGE"]}},
        204,
    ),
    "query": (
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
        205,
    ),
    "source": ({"Field": "source-ip", "SourceIpConfig": {"Values": ["127.9.9.0/24"]}}, 206),
    "regex": ({"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/item/[0-9]+$"]}}, 207),
}


@pytest.fixture(scope="module")
def rules(elbow):
    """A listener with a rule for each kind of condition; the default is 404."""


    shop = Shop(elbow)
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    for priority, (condition, status) in enumerate(CONDITIONS.values(), 1):
        shop.rule(listener, priority, [condition], fixed(status))
    yield shop.addresses(balancer)[0], shop.port
    shop.close()


@pytest.mark.parametrize(
    "status, request_",
    [
        (201, {"host": "a.api.example"}),
        (201, {"host": "A.B.API.EXAMPLE"}),
        (404, {"host": "api.example"}),
        (202, {"path": "/img/a/b.png"}),
        (202, {"path": "/img/a.png?x=y"}),
        (404, {"path": "/IMG/a.png"}),
        (404, {"path": "/img/a.gif"}),
        (203, {"headers": ["x-kind: A-NEW-one"]}),
        (203, {"headers": ["X-Kind: old", "X-Kind: new"]}),
        (404, {"headers": ["X-Kind: old"]}),
        (204, {"method": "PURGE"}),
        (205, {"path": "/?a=b&V=2"}),
        (404, {"path": "/?v=22"}),
        (207, {"path": "/item/42"}),
        (404, {"path": "/item/x"}),
        (202, {"path": "/img/x.png", "method": "PURGE"}),  # The lowest priority wins.
    ],
)
def test_each_condition(rules, status, request_):
    address, port = rules
    with Connection(address, port) as connection:
        assert connection.request(**request_).status == status


def test_the_source_is_the_peer_and_never_a_header(rules):
    address, port = rules
    assert get(address, port=port, source="127.9.9.9").status == 206
    assert get(address, port=port, headers=["X-Forwarded-For: 127.9.9.9"]).status == 404


def test_several_conditions_must_all_hold(shop):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    shop.rule(listener, 1, [CONDITIONS["host"][0], CONDITIONS["path"][0]], fixed(200))
    address = shop.addresses(balancer)[0]
    for host, path, status in [
        ("a.api.example", "/img/a.png", 200),
        ("a.api.example", "/", 404),
        ("shop.example", "/img/a.png", 404),
    ]:
        assert get(address, path, shop.port, host=host).status == status


def test_a_fixed_response(shop):
    balancer = shop.balancer()
    shop.listener(balancer, fixed(503, "closed for lunch", "text/plain"))
    response = get(shop.addresses(balancer)[0], port=shop.port)
    assert (response.status, response.text) == (503, "closed for lunch")
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert response.header("server") == "awselb/2.0"


@pytest.mark.parametrize(
    "config, location",
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://shop.example:443/a/b?c=d"),
        ({"Host": "www.#{host}", "Path": "/new/#{path}"}, "http://www.shop.example:{port}/new/a/b?c=d"),
        ({"Path": "/", "Query": "from=#{path}&#{query}"}, "http://shop.example:{port}/?from=a/b&c=d"),
    ],
)
def test_redirects(shop, config, location):
    balancer = shop.balancer()
    action = {"Type": "redirect", "RedirectConfig": config | {"StatusCode": "HTTP_302"}}
    shop.listener(balancer, [action])
    response = get(shop.addresses(balancer)[0], "/a/b?c=d", shop.port)
    assert response.status == 302
    assert response.header("location") == location.format(port=shop.port)


def test_weights_are_shares(shop, target):
    groups = [shop.group(target(name)) for name in ("often", "seldom", "never")]
    balancer = shop.balancer()
    shop.listener(balancer, forward(*zip(groups, (3, 1, 0))))
    address = shop.addresses(balancer)[0]
    with Connection(address, shop.port) as connection:
        answers = [connection.request().text for _ in range(600)]
    # 600 draws with probability 1/4: the deviation is 10.6, and 75 is seven of them.
    assert abs(answers.count("seldom") - 150) < 75
    assert answers.count("never") == 0
    assert answers.count("often") + answers.count("seldom") == 600


def test_round_robin_goes_round(shop, target):
    targets = [target(f"t{n}") for n in range(3)]
    address, group, _ = shop.serve(*targets)
    shop.wait_for_state(group, "healthy")
    with Connection(address, shop.port) as connection:
        answers = [connection.request().text for _ in range(30)]
    assert {answers.count(one.name) for one in targets} == {10}


def test_what_the_target_is_told(shop, target):
    server = target("echo")
    address, group, _ = shop.serve(server)
    with Connection(address, shop.port, source="127.0.0.7") as connection:
        headers = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: gopher", "Connection: X-Hop", "X-Hop: 1"]
        connection.request("POST", "/p?q=1", headers=headers, body=b"body")
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/p?q=1")
    assert request.header("x-forwarded-for") == "192.0.2.1, 127.0.0.7"
    assert request.header("x-forwarded-proto") == "http"
    assert request.header("x-forwarded-port") == str(shop.port)
    assert request.header("x-amzn-trace-id").startswith("Root=1-")
    assert request.header("x-hop") is None
    suffix = "" if shop.port == 80 else f":{shop.port}"
    assert request.header("host") == f"shop.example{suffix}"


def test_an_empty_group_is_503(shop):
    balancer = shop.balancer()
    shop.listener(balancer, forward(shop.group()))
    response = get(shop.addresses(balancer)[0], port=shop.port)
    assert (response.status, response.header("server")) == (503, "awselb/2.0")
    assert "503 Service Temporarily Unavailable" in response.text


def test_a_target_that_is_not_there_is_502(shop, elbow):
    group = shop.group()
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": elbow.network.free_host(0)}])
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    assert get(shop.addresses(balancer)[0], port=shop.port).status == 502


def test_a_target_that_hangs_up_is_502(shop, target):
    def hang_up(request):
        return False

    address, *_ = shop.serve(target("rude", script=hang_up))
    assert get(address, port=shop.port).status == 502


def test_a_target_that_talks_nonsense_is_502(shop, target):
    def nonsense(request):
        request.connection.sendall(b"HELLO\r\n\r\n")
        return False

    address, *_ = shop.serve(target("nonsense", script=nonsense))
    assert get(address, port=shop.port).status == 502


def test_a_target_that_stays_silent_is_504(shop, target):

    release = threading.Event()

    def stay_silent(request):
        release.wait(30)
        return False

    group = shop.group(target("silent", script=stay_silent))
    balancer = shop.balancer()
    shop.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "1"}],
    )
    shop.listener(balancer, forward(group))
    assert get(shop.addresses(balancer)[0], port=shop.port).status == 504
    release.set()


@pytest.mark.parametrize(
    "message, status",
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # RFC 9112 section 3.2: no Host.
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ],
    ids=lambda value: None if isinstance(value, int) else value[:40].decode(errors="replace"),
)
def test_malformed_requests_reach_no_target(shop, target, message, status):
    server = target("untouched")
    address, *_ = shop.serve(server)
    with Connection(address, shop.port) as connection:
        connection.send(message)
        assert connection.read_response().status == status
        assert connection.is_closed() or status == 405
    assert server.requests == []


def test_a_large_body_goes_through_unchanged(shop, target):
    body = bytes(range(256)) * 16384  # 4 MiB

    def echo(request):
        request.respond(body=request.body())

    address, *_ = shop.serve(target("echo", script=echo))
    with Connection(address, shop.port, timeout=30) as connection:
        assert connection.request("POST", body=body).body == body


def test_a_change_is_live_when_the_call_returns(shop):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(200))
    address = shop.addresses(balancer)[0]
    with Connection(address, shop.port) as connection:
        for status in (201, 404, 503) * 5:
            shop.elbv2.modify_listener(ListenerArn=listener, DefaultActions=fixed(status))
            assert connection.request().status == status, "on a connection that was open before"


# What each field of a listener is set to, by the name that the attribute has for it.
FIELDS = {
    "access_control_allow_credentials": "true",
    "access_control_allow_headers": "X-Kind",
    "access_control_allow_methods": "GET,PUT",
    "access_control_allow_origin": "https://shop.example",
    "access_control_expose_headers": "X-Total",
    "access_control_max_age": "600",
    "content_security_policy": "default-src 'self'",
    "strict_transport_security": "max-age=31536000",
    "x_content_type_options": "nosniff",
    "x_frame_options": "DENY",
}


def test_each_field_of_a_listener_takes_the_place_of_the_targets(shop, elbv2, target):
    names = {name: name.replace("_", "-") for name in FIELDS}
    of_target = [f"{field}: of the target" for field in names.values()]
    served = target("fields", script=lambda request: request.respond(headers=of_target))
    address, _, listener = shop.serve(served)
    with Connection(address, shop.port) as client:
        assert all(client.request().header(field) == "of the target" for field in names.values())
    keys = [(f"routing.http.response.{name}.header_value", value) for name, value in FIELDS.items()]
    attributes = [{"Key": key, "Value": value} for key, value in keys]
    elbv2.modify_listener_attributes(ListenerArn=listener, Attributes=attributes)
    with Connection(address, shop.port) as client:
        response = client.request()
    assert {name: response.header(field) for name, field in names.items()} == FIELDS

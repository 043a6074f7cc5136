"""HTTP/2 and gRPC with clients that people use."""

import asyncio
import subprocess
import threading
from concurrent import futures

import grpc
import httpx
import pytest

from harness.certificates import Authority, import_certificate
from harness.https import PORT, https_listener
from harness.shop import fixed, forward


@pytest.fixture(scope="module")
def authority():
    return Authority()


def serve(shop, authority, actions):
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(shop, balancer, certificate, actions)
    return shop.addresses(balancer)[0]


class Client(httpx.Client):
    """A client that finds shop.example at `address`."""

    def __init__(self, address, authority):
        super().__init__(http2=True, verify=authority.context(), trust_env=False, timeout=20)
        self.base_url = f"https://{address}:{PORT}"

    def send(self, request, **options):
        request.headers["Host"] = f"shop.example:{PORT}"
        request.extensions["sni_hostname"] = "shop.example"
        return super().send(request, **options)


def echo(request):
    """A target that sends the body back with the fields that it got."""
    body = request.body()
    names = ",".join(name.lower() for name, _ in request.fields)
    request.respond(body=body, headers=[f"X-Method: {request.method}", f"X-Names: {names}"])


def test_requests_reach_a_target_of_http_1(shop, target, authority):
    address = serve(shop, authority, forward(shop.group(target("one", script=echo))))
    with Client(address, authority) as client:
        for body in [b"", b"x", b"y" * 100_000, b"z" * 3_000_000]:
            response = client.post("/echo", content=body)
            assert response.http_version == "HTTP/2"
            assert response.content == body
        response = client.get("/", headers=[("cookie", "a=1"), ("cookie", "b=2")])
        assert response.headers["x-names"].count("cookie") == 1
        streamed = client.post("/", content=iter([b"a" * 50_000] * 20))
        assert streamed.content == b"a" * 1_000_000
        assert client.head("/").status_code == 200


def test_many_streams_share_a_connection(shop, target, authority):
    address = serve(shop, authority, forward(shop.group(target("one", script=echo))))

    async def run():
        context = authority.context()
        async with httpx.AsyncClient(http2=True, verify=context, trust_env=False) as client:
            extensions = {"sni_hostname": "shop.example"}
            url = f"https://{address}:{PORT}/"
            headers = {"Host": "shop.example"}
            calls = [
                client.post(url, content=str(n) * n, headers=headers, extensions=extensions)
                for n in range(100)
            ]
            return [response.text for response in await asyncio.gather(*calls)]

    assert asyncio.run(run()) == [str(n) * n for n in range(100)]


def test_without_http_2_only_http_1_is_spoken(shop, target, authority):
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(shop, balancer, certificate, fixed(200, "x"))
    address = shop.addresses(balancer)[0]
    for value, version in [("false", "HTTP/1.1"), ("true", "HTTP/2")]:
        shop.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Attributes=[{"Key": "routing.http2.enabled", "Value": value}],
        )
        with Client(address, authority) as client:
            assert client.get("/").http_version == version


@pytest.mark.parametrize("command", ["curl", "nghttp", "h2load"])
def test_command_line_clients(shop, target, authority, command, tmp_path):
    address = serve(shop, authority, forward(shop.group(target("one", script=echo))))
    url = f"https://{address}:{PORT}/path"
    arguments = {
        "curl": ["-ksS", "--http2", "-d", "hello", "-w", "%{http_version}", url],
        "nghttp": ["-nv", url],
        "h2load": ["-n", "500", "-c", "4", "-m", "16", url],
    }[command]
    done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=60)
    expected = {"curl": "hello2", "nghttp": ":status: 200", "h2load": "500 2xx, 0 3xx"}[command]
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def refuse(request):
    """A target that does not wait for the body."""
    request.respond("403 Forbidden", b"no")
    request.body()


REDIRECT = [{"Type": "redirect", "RedirectConfig": {"Path": "/else", "StatusCode": "HTTP_302"}}]


@pytest.mark.parametrize("answer", ["fixed 2xx", "fixed 4xx", "redirect", "empty group", "target"])
def test_an_early_answer_to_a_long_request_arrives(shop, target, authority, answer, tmp_path):
    status, actions = {
        "fixed 2xx": lambda: (200, fixed(200, "fixed")),
        "fixed 4xx": lambda: (403, fixed(403, "fixed")),
        "redirect": lambda: (302, REDIRECT),
        "empty group": lambda: (503, forward(shop.group())),
        "target": lambda: (403, forward(shop.group(target("one", script=refuse)))),
    }[answer]()
    address = serve(shop, authority, actions)
    body = tmp_path / "body"
    options = ["-w", "%{http_code} %{http_version}", "-H", "Expect:", "-o", "/dev/null"]
    # Once curl has a whole 2xx it reads no more, and so does not see that the windows are raised.
    lengths = [3, 200_000] if status == 200 else [3, 200_000, 5_000_000]
    for length in lengths:
        body.write_bytes(b"b" * length)
        command = ["curl", "-ksS", "--http2", "--data-binary", f"@{body}", *options]
        for _ in range(10):
            done = subprocess.run(
                [*command, f"https://{address}:{PORT}/"], capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{length} bytes: {done.stderr}"
            assert done.stdout == f"{status} 2"


class Echo(grpc.GenericRpcHandler):
    """A gRPC service of all four kinds, over plain bytes."""

    def service(self, details):
        return {
            "/shop.Echo/Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "/shop.Echo/Many": grpc.unary_stream_rpc_method_handler(self.many),
            "/shop.Echo/Join": grpc.stream_unary_rpc_method_handler(self.join),
            "/shop.Echo/Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "/shop.Echo/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
        }.get(details.method)

    def unary(self, message, context):
        context.set_trailing_metadata([("x-trailer", "end")])
        return message

    def many(self, message, context):
        yield from (message for _ in range(50))

    def join(self, messages, context):
        return b"".join(messages)

    def chat(self, messages, context):
        yield from messages

    def fail(self, message, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: ü")


class GrpcTarget:
    def __init__(self, address, port=8080):
        self.address, self.port = address, port
        self.server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Echo()])
        assert self.server.add_insecure_port(f"{address}:{port}") == port
        self.server.start()

    def close(self):
        self.server.stop(None).wait(10)


@pytest.fixture
def channel(shop, elbow, authority):
    """A channel to a gRPC service behind a load balancer."""
    server = GrpcTarget(elbow.network.free_host(0))
    group = shop.group(server, ProtocolVersion="GRPC", HealthCheckPath="/AWS.ALB/healthcheck")
    address = serve(shop, authority, forward(group))
    shop.wait_for_state(group, "healthy")
    credentials = grpc.ssl_channel_credentials(authority.pem)
    options = [("grpc.ssl_target_name_override", "shop.example"), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(f"{address}:{PORT}", credentials, options) as channel:
        yield channel
    server.close()


def test_grpc_calls_of_every_kind(channel):
    unary = channel.unary_unary("/shop.Echo/Unary")
    for message in [b"", b"x", b"y" * 1_000_000]:
        answer, call = unary.with_call(message, timeout=20)
        assert answer == message
        assert dict(call.trailing_metadata())["x-trailer"] == "end"
    assert list(channel.unary_stream("/shop.Echo/Many")(b"m" * 1000, timeout=20)) == [b"m" * 1000] * 50
    joined = channel.stream_unary("/shop.Echo/Join")(iter([b"a" * 1000] * 50), timeout=20)
    assert joined == b"a" * 50_000


def test_grpc_streams_both_ways_at_once(channel):
    answered = threading.Event()

    def messages():
        for n in range(20):
            yield str(n).encode()
            # The next message waits for the answer to this one.
            assert answered.wait(10)
            answered.clear()

    for n, answer in enumerate(channel.stream_stream("/shop.Echo/Chat")(messages(), timeout=30)):
        assert answer == str(n).encode()
        answered.set()


def test_grpc_errors_reach_the_client(channel):
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/shop.Echo/Fail")(b"", timeout=20)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "no such thing: ü"
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/shop.Echo/Missing")(b"", timeout=20)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_version_that_a_group_does_not_speak_is_464(shop, elbow, target, authority):
    server = GrpcTarget(elbow.network.free_host(0))
    try:
        group = shop.group(server, ProtocolVersion="GRPC", HealthCheckPath="/AWS.ALB/healthcheck")
        address = serve(shop, authority, forward(group))
        with Client(address, authority) as client:
            assert client.get("/").status_code == 464
        plain = httpx.Client(verify=authority.context(check_hostname=False), trust_env=False)
        assert plain.post(f"https://{address}:{PORT}/shop.Echo/Unary").status_code == 464
    finally:
        server.close()

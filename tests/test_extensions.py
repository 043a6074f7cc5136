"""What elbow has and AWS has not, asked for with a client that knows only AWS's API."""

import gzip
import queue
import subprocess
import threading
import zlib

import pytest
from botocore.exceptions import ClientError

from harness.http import Connection, get
from harness.shop import fixed, forward

PATH = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}]


def tags(pairs):
    return [{"Key": f"elbow:{key}", "Value": value} for key, value in pairs.items()]


def test_rules_change_fields_and_limit_rates(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    rule = shop.rule(listener, 1, PATH, fixed(200, "a", "text/plain"))
    address = shop.addresses(balancer)[0]
    wanted = {
        "response-header.set.1": "X-Team=blue",
        "response-header.remove.1": "Server",
        "rate-limit.requests": "1",
        "rate-limit.period-seconds": "3600",
    }
    elbv2.add_tags(ResourceArns=[rule], Tags=tags(wanted))
    first, second, other = (get(address, path, shop.port) for path in ("/a", "/a", "/b"))
    assert (first.status, first.header("X-Team"), first.header("Server")) == (200, "blue", None)
    assert second.status == 429
    # The bucket began to fill again with the first request.
    assert 3590 <= int(second.header("Retry-After")) <= 3600
    assert (other.status, other.header("X-Team")) == (404, None), "the default rule has no tags"
    elbv2.remove_tags(ResourceArns=[rule], TagKeys=[f"elbow:{key}" for key in wanted])
    after = get(address, "/a", shop.port)
    assert (after.status, after.header("X-Team"), after.header("Server")) == (200, None, "awselb/2.0")


def test_a_tag_that_cannot_be_obeyed_is_refused_by_name(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    rule = shop.rule(listener, 1, PATH, fixed(200))
    for arn, key in ((rule, "mirror.target-group"), (balancer["LoadBalancerArn"], "rate-limit.requests")):
        with pytest.raises(ClientError) as refused:
            elbv2.add_tags(ResourceArns=[arn], Tags=tags({key: "1"}))
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationError" and f"elbow:{key}" in error["Message"]


def test_a_listener_has_pages_of_its_own(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, forward(shop.group()))
    address = shop.addresses(balancer)[0]
    before = elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert not [it for it in before if it["Key"].startswith("elbow.")]

    def modify(pairs):
        attributes = [{"Key": f"elbow.error_page.{key}", "Value": value} for key, value in pairs.items()]
        elbv2.modify_listener_attributes(ListenerArn=listener, Attributes=attributes)

    modify({"5xx.body": '{"later": true}', "5xx.content_type": "application/json"})
    page = get(address, port=shop.port)
    assert (page.status, page.header("Content-Type"), page.text) == (
        503,
        "application/json",
        '{"later": true}',
    )
    with pytest.raises(ClientError) as refused:
        modify({"200.body": "x"})
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    modify({"5xx.body": "", "5xx.content_type": ""})
    assert elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"] == before
    assert get(address, port=shop.port).text.startswith("<html>")


def test_requests_are_mirrored_to_a_second_group(shop, elbv2, target):
    copies = queue.Queue()

    def record(request):
        copies.put((request.method, request.path, request.header("X-Elbow-Mirrored"), request.body()))
        request.respond("500 Internal Server Error", b"nobody reads this")

    balancer = shop.balancer()
    shadow = shop.group(target("shadow", script=record))
    listener = shop.listener(balancer, forward(shop.group(target("main"))))
    address = shop.addresses(balancer)[0]
    default = elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]

    with pytest.raises(ClientError) as refused:
        elbv2.add_tags(ResourceArns=[default], Tags=tags({"mirror.target-group": shadow[:-16] + "0" * 16}))
    assert refused.value.response["Error"]["Code"] == "TargetGroupNotFound"
    elbv2.add_tags(ResourceArns=[default], Tags=tags({"mirror.target-group": shadow}))
    shop.wait_for_state(shadow, "healthy")
    with Connection(address, shop.port) as client:
        for body in (b"", b"hello"):
            response = client.request("POST", "/a?b", body=body)
            assert (response.status, response.text) == (200, "main")
            assert copies.get(timeout=10) == ("POST", "/a?b", "true", body)

    group = elbv2.describe_target_groups(TargetGroupArns=[shadow])["TargetGroups"][0]
    assert group["LoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    with pytest.raises(ClientError) as refused:
        elbv2.delete_target_group(TargetGroupArn=shadow)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    elbv2.remove_tags(ResourceArns=[default], TagKeys=["elbow:mirror.target-group"])
    assert get(address, port=shop.port).text == "main"
    elbv2.delete_target_group(TargetGroupArn=shadow)
    assert copies.empty()


def compress(elbv2, listener, **settings):
    attributes = [{"Key": f"elbow.response_compression.{key}", "Value": value} for key, value in settings.items()]
    elbv2.modify_listener_attributes(ListenerArn=listener, Attributes=attributes)


def test_a_listener_compresses_responses(shop, elbv2, target):
    poem = b"".join(b"line %d of a long poem\n" % n for n in range(20_000))

    def answer(request):
        request.respond(body=poem, headers=["Content-Type: text/plain", 'ETag: "1"'])

    address, _, listener = shop.serve(target("a", script=answer))
    url = f"http://{address}:{shop.port}/"

    def curl(*options):
        run = subprocess.run(["curl", "-sS", "-D", "-", "-o", "-", *options, url], capture_output=True, check=True)
        head, body = run.stdout.split(b"\r\n\r\n", 1)
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
        return fields, body

    fields, body = curl("--compressed")
    assert "content-encoding" not in fields and "vary" not in fields, "off by default"
    compress(elbv2, listener, enabled="true")
    for options, coding, decode in (
        (["--compressed"], "br", lambda body: body),
        (["-H", "Accept-Encoding: gzip"], "gzip", gzip.decompress),
        (["-H", "Accept-Encoding: br;q=0.1, *;q=0.2"], "gzip", gzip.decompress),
        ([], None, lambda body: body),
    ):
        fields, body = curl(*options)
        assert fields.get("content-encoding") == coding, options
        assert fields["vary"] == "accept-encoding"
        assert fields["etag"] == ('"1"' if coding is None else 'w/"1"')
        assert decode(body) == poem
    assert len(curl("-H", "Accept-Encoding: gzip")[1]) < len(poem) / 5
    compress(elbv2, listener, content_types="text/html")
    assert "content-encoding" not in curl("--compressed")[0]


def test_events_are_not_held_back_by_compression(shop, elbv2, target):
    seen = threading.Event()

    def answer(request):
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        request.connection.sendall(head.encode() + b"data: one\n\n")
        # The second event comes only when the client has read the first.
        assert seen.wait(10)
        request.connection.sendall(b"data: two\n\n")
        return False

    address, _, listener = shop.serve(target("a", script=answer))
    compress(elbv2, listener, enabled="true")
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    with Connection(address, shop.port) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        text, received = b"", b""
        while b"\r\n\r\n" not in received:
            received += client.socket.recv(65536)
        received = received.split(b"\r\n\r\n", 1)[1]
        while not text.endswith(b"two\n\n"):
            while b"\r\n" not in received:
                received += client.socket.recv(65536)
            size, received = received.split(b"\r\n", 1)
            size = int(size, 16)
            while len(received) < size + 2:
                received += client.socket.recv(65536)
            text += decoder.decompress(received[:size])
            received = received[size + 2 :]
            if text.endswith(b"one\n\n"):
                seen.set()
    assert text == b"data: one\n\ndata: two\n\n"

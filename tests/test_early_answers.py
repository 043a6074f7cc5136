"""Answers to long requests reach clients that look for them only when they have sent everything."""

import http.client
import ssl

import pytest
import urllib3

from harness.certificates import Authority, import_certificate
from harness.https import PORT, https_listener
from harness.shop import fixed, forward

LENGTHS = [300_000, 30_000_000]


def refuse(request):
    """A target that does not wait for the body."""
    request.respond("403 Forbidden", b"no")
    request.body()


@pytest.fixture(params=["fixed", "empty group", "target"])
def answer(request, shop, target):
    """A status and the actions that lead to it."""
    return {
        "fixed": lambda: (200, fixed(200, "fixed")),
        "empty group": lambda: (503, forward(shop.group())),
        "target": lambda: (403, forward(shop.group(target("one", script=refuse)))),
    }[request.param]()


def test_in_clear_text(shop, answer):
    status, actions = answer
    balancer = shop.balancer()
    shop.listener(balancer, actions)
    for length in LENGTHS:
        for _ in range(3):
            connection = http.client.HTTPConnection(shop.addresses(balancer)[0], shop.port, timeout=30)
            connection.request("POST", "/", body=b"b" * length)
            assert connection.getresponse().status == status
            connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_through_tls(shop, answer, version):
    authority = Authority()
    status, actions = answer
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(shop, balancer, certificate, actions, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    context = authority.context()
    context.minimum_version = context.maximum_version = version
    address = shop.addresses(balancer)[0]
    for length in LENGTHS:
        for _ in range(3):
            with urllib3.HTTPSConnectionPool(
                address,
                PORT,
                ssl_context=context,
                server_hostname="shop.example",
                assert_hostname="shop.example",
                retries=False,
                timeout=30,
            ) as pool:
                response = pool.request("POST", "/", body=b"b" * length)
                assert response.status == status

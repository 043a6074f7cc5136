"""HTTPS listeners with real TLS clients: certificates, names, versions, clients' certificates, targets."""

import socket
import ssl
import subprocess
import threading

import pytest
import trustme

from harness.certificates import Authority, import_certificate, server_context
from harness.http import Connection
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import fixed, forward


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def site(shop, target, authority):
    """A load balancer with an HTTPS listener and one target: (address, listener, target)."""
    one = target("one")
    group = shop.group(one)
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    listener = https_listener(shop, balancer, certificate, forward(group))
    return shop.addresses(balancer)[0], listener, one


def test_a_request_is_served_over_tls(site, authority):
    address, _, target = site
    with TlsConnection(address, PORT, authority.context()) as client:
        assert client.socket.version() == "TLSv1.2", "the default policy goes up to 1.2"
        for _ in range(3):
            assert client.request(host="shop.example").text == "one"
    request = target.requests[0]
    assert request.header("x-forwarded-proto") == "https"
    assert request.header("x-forwarded-port") == str(PORT)
    assert request.header("x-amzn-tls-version") is None


def test_the_target_is_told_version_and_cipher_when_that_is_on(shop, target, authority):
    one = target("one")
    balancer = shop.balancer()
    key = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
    shop.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=[{"Key": key, "Value": "true"}]
    )
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(shop, balancer, certificate, forward(shop.group(one)))
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with TlsConnection(shop.addresses(balancer)[0], PORT, context) as client:
        forged = ["X-Amzn-Tls-Version: TLSv1.9"]
        assert client.request(headers=forged).status == 200
    assert one.requests[0].header("x-amzn-tls-version") == "TLSv1.2"
    assert one.requests[0].header("x-amzn-tls-cipher-suite") == "ECDHE-ECDSA-AES128-GCM-SHA256"


def test_the_certificate_follows_from_the_name(shop, site, authority):
    address, listener, _ = site
    issued = [authority.issue("*.shop.example"), authority.issue("api.shop.example")]
    arns = [import_certificate(shop, one) for one in issued]
    for arn in arns:
        given = [{"CertificateArn": arn}]
        shop.elbv2.add_listener_certificates(ListenerArn=listener, Certificates=given)
    for name, shown in [
        ("shop.example", "shop.example"),
        ("a.shop.example", "*.shop.example"),
        ("api.shop.example", "api.shop.example"),
        ("API.shop.example", "api.shop.example"),
    ]:
        with TlsConnection(address, PORT, authority.context(), name) as client:
            assert client.shown == {shown}, name
            assert client.request(host=name).status == 200
    lenient = authority.context(check_hostname=False)
    for name in ["a.b.shop.example", "other.example", None]:
        with TlsConnection(address, PORT, lenient, name) as client:
            assert client.shown == {"shop.example"}, name
    listed = shop.elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert sorted(one["IsDefault"] for one in listed) == [False, False, True]
    for arn in arns:
        given = [{"CertificateArn": arn}]
        shop.elbv2.remove_listener_certificates(ListenerArn=listener, Certificates=given)
    with TlsConnection(address, PORT, lenient, "api.shop.example") as client:
        assert client.shown == {"shop.example"}


def test_plain_http_on_an_https_port_is_told_so(site):
    address, _, _ = site
    with Connection(address, PORT) as client:
        response = client.request()
    assert response.status == 400
    assert "The plain HTTP request was sent to HTTPS port" in response.text


def handshake(address, port, *options):
    """What `openssl s_client` gets to: (version, cipher), or None if the handshake fails."""
    command = ["openssl", "s_client", "-connect", f"{address}:{port}", "-brief", *options]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    said = dict(
        line.split(": ", 1) for line in done.stderr.decode().splitlines() if ": " in line
    )
    version = said.get("Protocol version")
    return (version, said.get("Ciphersuite")) if done.returncode == 0 and version else None


OFFERS = {
    "TLSv1": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    "TLSv1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "TLSv1.2": ["-tls1_2", "-cipher", "ALL:@SECLEVEL=0"],
    "TLSv1.3": ["-tls1_3"],
}


def test_every_policy_speaks_the_versions_of_its_table(shop, authority):
    balancer = shop.balancer()
    issued = authority.issue("shop.example", key_type=trustme.KeyType.RSA)
    certificate = import_certificate(shop, issued)
    listener = https_listener(shop, balancer, certificate, fixed(200))
    address = shop.addresses(balancer)[0]
    policies = []
    for page in shop.elbv2.get_paginator("describe_ssl_policies").paginate(
        LoadBalancerType="application"
    ):
        policies += page["SslPolicies"]
    assert len(policies) > 20
    for policy in policies:
        shop.elbv2.modify_listener(ListenerArn=listener, SslPolicy=policy["Name"])
        names = {cipher["Name"] for cipher in policy["Ciphers"]}
        for version, options in OFFERS.items():
            reached = handshake(address, PORT, *options)
            if version in policy["SslProtocols"]:
                assert reached and reached[0] == version, f"{policy['Name']} with {version}"
                assert reached[1] in names, f"{policy['Name']}: {reached[1]} is not in its table"
            else:
                assert reached is None, f"{policy['Name']} with {version}"


def test_certificates_and_policies_change_without_a_failed_handshake(shop, site, authority):
    address, listener, _ = site
    certificates = [import_certificate(shop, authority.issue("shop.example")) for _ in range(2)]
    policies = ["ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08"]
    failures, done, count = [], threading.Event(), [0]

    def connect():
        while not done.is_set():
            try:
                with TlsConnection(address, PORT, authority.context()) as client:
                    assert client.request().status == 200
                count[0] += 1
            except Exception as error:
                failures.append(repr(error))

    clients = [threading.Thread(target=connect) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        for turn in range(60):
            shop.elbv2.modify_listener(
                ListenerArn=listener,
                SslPolicy=policies[turn % 2],
                Certificates=[{"CertificateArn": certificates[turn % 2]}],
            )
    finally:
        done.set()
        for client in clients:
            client.join()
    assert not failures
    assert count[0] > 20


def test_sessions_are_resumed_until_certificate_or_policy_change(shop, site, authority):
    address, listener, _ = site
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)

    def connect(session):
        client = socket.create_connection((address, PORT), timeout=10)
        with context.wrap_socket(client, server_hostname="shop.example", session=session) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
            assert tls.recv(100).startswith(b"HTTP/1.1 200")
            return tls.session, tls.session_reused

    session, is_reused = connect(None)
    assert not is_reused
    shop.elbv2.modify_listener(ListenerArn=listener, DefaultActions=fixed(200))
    assert connect(session)[1], "a change of the actions does not matter to sessions"
    other = import_certificate(shop, authority.issue("shop.example"))
    shop.elbv2.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": other}])
    assert not connect(session)[1]


@pytest.mark.parametrize("broken", ["self-signed", "expired", "wrong-name"])
def test_targets_speak_tls_whatever_their_certificate(shop, elbow, target, authority, broken, tmp_path):
    import datetime

    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    issued = {
        "self-signed": lambda: Authority().issue("localhost"),
        "expired": lambda: authority.issue("localhost", not_after=past),
        "wrong-name": lambda: authority.issue("elsewhere.example"),
    }[broken]()
    one = target("tls", tls=server_context(tmp_path, issued))
    group = shop.group(one, Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    balancer = shop.balancer()
    shop.listener(balancer, forward(group), port=8081)
    shop.wait_for_state(group, "healthy")
    with Connection(shop.addresses(balancer)[0], 8081) as client:
        for _ in range(3):
            assert client.request().text == "tls"

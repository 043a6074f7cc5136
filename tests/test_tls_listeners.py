"""ELB v2: listeners with TLS, as the API shows them."""

from contextlib import contextmanager

import pytest

from harness.errors import refused
from harness.shop import fixed
from test_acm import acm, imported  # noqa: F401  (fixtures)

IAM = "arn:aws:iam::123456789012:server-certificate/shop"


@pytest.fixture
def balancer(shop, imported):  # noqa: F811  (certificates are deleted after what uses them)
    return shop.balancer()["LoadBalancerArn"]


@pytest.fixture
def listen(elbv2, balancer):
    """Creates HTTPS listeners, which are deleted after the test."""
    made = []

    def create(certificate, port=8443, **options):
        arguments = {
            "LoadBalancerArn": balancer,
            "Protocol": "HTTPS",
            "Port": port,
            "Certificates": [{"CertificateArn": certificate}],
            "DefaultActions": fixed(200),
        } | options
        made.append(elbv2.create_listener(**arguments)["Listeners"][0])
        return made[-1]

    yield create
    for listener in made:
        elbv2.delete_listener(ListenerArn=listener["ListenerArn"])


@contextmanager
def unchanged(elbv2, balancer):
    before = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    yield
    assert elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == before


def test_a_listener_with_tls(elbv2, listen, imported, acm, balancer):  # noqa: F811
    certificate = imported("shop")
    listener = listen(certificate)
    assert listener["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert listener["Certificates"] == [{"CertificateArn": certificate}]
    assert listener["MutualAuthentication"] == {"Mode": "off"}
    assert elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == [listener]
    assert acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"] == [balancer]
    with refused("ResourceInUseException", balancer):
        acm.delete_certificate(CertificateArn=certificate)


@pytest.mark.parametrize(
    "options, code, saying",
    [
        ({"Certificates": []}, "ValidationError", "certificate must be specified"),
        ({"Certificates": [{"CertificateArn": IAM}]}, "CertificateNotFound", "IAM"),
        ({"SslPolicy": "ELBSecurityPolicy-0"}, "SSLPolicyNotFound", "ELBSecurityPolicy-0"),
        ({"AlpnPolicy": ["HTTP2Only"]}, "ValidationError", "ALPN"),
        ({"MutualAuthentication": {"Mode": "verify"}}, "ValidationError", "requires a trust store"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_are_refused(elbv2, listen, imported, balancer, options, code, saying):  # noqa: F811
    certificate = imported("shop")
    with unchanged(elbv2, balancer), refused(code, saying):
        listen(certificate, **options)


def test_a_listener_changes_between_http_and_https(elbv2, listen, imported):  # noqa: F811
    arn = listen(imported("shop"))["ListenerArn"]
    [clear] = elbv2.modify_listener(ListenerArn=arn, Protocol="HTTP")["Listeners"]
    assert clear["Protocol"] == "HTTP" and "Certificates" not in clear and "SslPolicy" not in clear
    with refused("ValidationError", "certificate must be specified"):
        elbv2.modify_listener(ListenerArn=arn, Protocol="HTTPS")
    other = imported("p256")
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    [secure] = elbv2.modify_listener(
        ListenerArn=arn, Protocol="HTTPS", SslPolicy=policy, Certificates=[{"CertificateArn": other}]
    )["Listeners"]
    assert (secure["SslPolicy"], secure["Certificates"]) == (policy, [{"CertificateArn": other}])


def test_certificates_are_added_and_removed(elbv2, listen, imported):  # noqa: F811
    one, two = imported("shop"), imported("p256")
    arn = listen(one)["ListenerArn"]

    def shown():
        pages = elbv2.get_paginator("describe_listener_certificates").paginate(ListenerArn=arn)
        return [(it["CertificateArn"], it["IsDefault"]) for page in pages for it in page["Certificates"]]

    def change(call, certificate):
        return call(ListenerArn=arn, Certificates=[{"CertificateArn": certificate}])

    assert change(elbv2.add_listener_certificates, two)["Certificates"][0]["CertificateArn"] == two
    change(elbv2.add_listener_certificates, two)
    assert shown() == [(one, True), (two, False)]
    with refused("OperationNotPermitted", "default certificate"):
        change(elbv2.remove_listener_certificates, one)
    change(elbv2.remove_listener_certificates, two)
    assert shown() == [(one, True)]


def test_policies(elbv2):
    pages = elbv2.get_paginator("describe_ssl_policies").paginate(PaginationConfig={"PageSize": 10})
    policies = {policy["Name"]: policy for page in pages for policy in page["SslPolicies"]}
    assert len(policies) > 40
    policy = policies["ELBSecurityPolicy-TLS13-1-3-2021-06"]
    assert policy["SslProtocols"] == ["TLSv1.3"]
    assert policy["Ciphers"][0] == {"Name": "TLS_AES_128_GCM_SHA256", "Priority": 1}
    with refused("SSLPolicyNotFound", "nothing"):
        elbv2.describe_ssl_policies(Names=["nothing"])

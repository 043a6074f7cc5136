"""Mutual TLS: which clients get in, and what the target is told about them."""

import datetime
import ssl
from urllib.parse import unquote

import pytest
from cryptography import x509

from harness.certificates import Authority, import_certificate
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import forward, unique

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def clients():
    """The authority of the clients."""
    return Authority()


@pytest.fixture
def bucket(make_elbow, tmp_path):
    """A directory that stands in the place of a bucket, and an elbow that reads it."""
    directory = tmp_path / "s3" / "trust"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def elbow(make_elbow, bucket, tmp_path):
    configuration = tmp_path / "elbow.toml"
    configuration.write_text(f'[s3]\ndirectory = "{bucket.parent}"\n')
    return make_elbow(arguments=["--config", str(configuration)])


def trust_store(shop, bucket, authority, *revoked):
    (bucket / "ca.pem").write_bytes(authority.pem)
    made = shop.elbv2.create_trust_store(
        Name=unique("ts"),
        CaCertificatesBundleS3Bucket=bucket.name,
        CaCertificatesBundleS3Key="ca.pem",
    )["TrustStores"][0]["TrustStoreArn"]
    shop.undo(shop.elbv2.delete_trust_store, TrustStoreArn=made)
    if revoked:
        (bucket / "crl.pem").write_bytes(authority.revocation_list(*revoked))
        contents = [{"S3Bucket": bucket.name, "S3Key": "crl.pem", "RevocationType": "CRL"}]
        shop.elbv2.add_trust_store_revocations(TrustStoreArn=made, RevocationContents=contents)
    return made


def site(shop, target, authority, mutual):
    one = target("one")
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    https_listener(
        shop, balancer, certificate, forward(shop.group(one)), MutualAuthentication=mutual
    )
    return shop.addresses(balancer)[0], one


def context(authority, tmp_path, issued=None, version=None):
    made = authority.context()
    if version:
        made.maximum_version = version
    if issued:
        path = tmp_path / "client.pem"
        path.write_bytes(issued[0] + issued[2])
        made.load_cert_chain(path)
    return made


def is_served(address, context):
    """Whether a request gets through. In TLS 1.3 a client learns at its first read that it is refused."""
    try:
        with TlsConnection(address, PORT, context) as client:
            return client.request().status == 200
    except (ssl.SSLError, ConnectionError, OSError):
        return False


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_verify_serves_only_clients_that_the_trust_store_vouches_for(
    shop, target, authority, clients, bucket, tmp_path, version
):
    good, revoked = (clients.issue("client.example") for _ in range(2))
    expired = clients.issue("client.example", not_after=PAST)
    stranger = Authority().issue("client.example")
    store = trust_store(shop, bucket, clients, revoked[0])
    address, one = site(
        shop, target, authority, {"Mode": "verify", "TrustStoreArn": store}
    )
    for issued, expected in [
        (good, True),
        (None, False),
        (expired, False),
        (stranger, False),
        (revoked, False),
        (good, True),
    ]:
        assert is_served(address, context(authority, tmp_path, issued, version)) == expected
    request = one.requests[0]
    leaf = x509.load_pem_x509_certificate(good[0])
    field = "x-amzn-mtls-clientcert"
    assert request.header(f"{field}-serial-number").lstrip("0") == f"{leaf.serial_number:X}"
    assert request.header(f"{field}-subject") == leaf.subject.rfc4514_string()
    assert request.header(f"{field}-issuer") == leaf.issuer.rfc4514_string()
    assert request.header(f"{field}-validity").startswith("NotBefore=")
    assert unquote(request.header(f"{field}-leaf")).strip() == good[0].decode().strip()
    assert len(one.requests) == 2


def test_expiry_is_ignored_when_that_is_asked_for(shop, target, authority, clients, bucket, tmp_path):
    expired = clients.issue("client.example", not_after=PAST)
    store = trust_store(shop, bucket, clients)
    mutual = {"Mode": "verify", "TrustStoreArn": store, "IgnoreClientCertificateExpiry": True}
    address, _ = site(shop, target, authority, mutual)
    assert is_served(address, context(authority, tmp_path, expired))


def test_passthrough_hands_the_certificate_on_unverified(shop, target, authority, tmp_path):
    address, one = site(shop, target, authority, {"Mode": "passthrough"})
    stranger = Authority().issue("client.example")
    assert is_served(address, context(authority, tmp_path, stranger))
    handed = unquote(one.requests[0].header("x-amzn-mtls-clientcert"))
    assert handed.strip().startswith(stranger[0].decode().strip())


def test_what_a_client_says_of_its_certificate_is_removed(shop, target, authority, tmp_path):
    address, one = site(shop, target, authority, {"Mode": "off"})
    with TlsConnection(address, PORT, authority.context()) as client:
        forged = ["X-Amzn-Mtls-Clientcert-Subject: CN=admin"]
        assert client.request(headers=forged).status == 200
    assert one.requests[0].header("x-amzn-mtls-clientcert-subject") is None

"""Mutual TLS: which clients get in, and what the target is told about them."""

import datetime
import ssl
from urllib.parse import unquote

import pytest
from cryptography import x509

from harness.certificates import Authority, import_certificate
from harness.explain import explain, run
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import fixed, forward, unique

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


def kinds(clients):
    """Certificates of clients: a good one, one to be revoked, one that has expired, and one of a stranger."""
    good, revoked = (clients.issue("client.example") for _ in range(2))
    return good, revoked, clients.issue("client.example", not_after=PAST), Authority().issue("client.example")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_verify_serves_only_clients_that_the_trust_store_vouches_for(
    shop, target, authority, clients, bucket, tmp_path, version
):
    good, revoked, expired, stranger = kinds(clients)
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


def client_file(tmp_path, issued):
    """A file as clients have it, with the private key in it."""
    path = tmp_path / "explained.pem"
    path.write_bytes(issued[2] + issued[0])
    return ("--client-certificate", str(path))


def test_explain_says_which_clients_get_through_the_handshake(
    elbow, shop, target, authority, clients, bucket, tmp_path
):
    good, revoked, expired, stranger = kinds(clients)
    store = trust_store(shop, bucket, clients, revoked[0])
    address, one = site(shop, target, authority, {"Mode": "verify", "TrustStoreArn": store})
    question = ("GET", f"https://{address}:{PORT}/")
    listener = explain(elbow, *question)["listener"]
    subject = {"HttpHeaderName": "X-Amzn-Mtls-Clientcert-Subject", "Values": ["*"]}
    condition = {"Field": "http-header", "HttpHeaderConfig": subject}
    shop.rule(listener, 1, [condition], fixed(404))
    for issued, fault, words in [
        (good, None, f"mutual TLS       {store} verifies the client's certificate\n"),
        (None, "ClientCertUntrusted", f"{store} has to verify the client's certificate, and the client has none\n"),
        (expired, "ClientCertExpired", f"{store} refuses the client's certificate (ClientCertExpired)\n"),
        (stranger, "ClientCertUntrusted", f"{store} refuses the client's certificate (ClientCertUntrusted)\n"),
        (revoked, "ClientCertCrlHit", f"{store} refuses the client's certificate (ClientCertCrlHit)\n"),
    ]:
        options = client_file(tmp_path, issued) if issued else ()
        # Rules look at what the client sends, and not at the fields that elbow adds for the target.
        served = is_served(address, context(authority, tmp_path, issued))
        assert served == (fault is None), "explain says what elbow does"
        code, text, errors = run(elbow, *question, *options)
        assert (code, errors) == (0 if served else 1, "")
        assert words in text
        told = explain(elbow, *question, *options)
        expected = {"mode": "verify", "trust_store": store, "has_certificate": issued is not None}
        assert told["mutual_tls"] == (expected | {"fault": fault} if fault else expected)
        if served:
            assert told["outcome"]["type"] == "forward"
            [failed] = told["rules"][0]["failed"]
            assert failed.endswith("does not match: the request has none")
        else:
            assert told["outcome"]["type"] == "no-connection" and told["rules"] == []
            assert f"no connection: the TLS handshake fails ({fault})" in text
    assert len(one.requests) == 1


def test_explain_says_what_becomes_of_a_certificate_that_is_not_verified(
    elbow, shop, target, authority, tmp_path
):
    stranger = client_file(tmp_path, Authority().issue("client.example"))
    for mode, options, words in [
        ("passthrough", (), "passthrough: a certificate of the client would go to the target unverified; it has none"),
        ("passthrough", stranger, "passthrough: the target gets the client's certificate unverified"),
        ("off", (), None),
        ("off", stranger, "off: the client is not asked for its certificate"),
    ]:
        address, _ = site(shop, target, authority, {"Mode": mode})
        code, text, errors = run(elbow, "GET", f"https://{address}:{PORT}/", *options)
        assert code == 0, errors
        assert (f"mutual TLS       {words}\n" in text) if words else ("mutual TLS" not in text)


def test_explain_refuses_a_client_certificate_that_it_cannot_show(elbow, tmp_path):
    issued = Authority().issue("client.example")
    code, text, errors = run(elbow, "GET", "http://shop.example/", *client_file(tmp_path, issued))
    assert (code, text) == (2, "") and "the URL says http" in errors
    (tmp_path / "key.pem").write_bytes(issued[2])
    for name, expected in [
        ("key.pem", "has no PEM block 'CERTIFICATE'"),
        ("missing.pem", "cannot be read"),
    ]:
        option = ("--client-certificate", str(tmp_path / name))
        code, text, errors = run(elbow, "GET", "https://shop.example/", *option)
        assert (code, text) == (2, "") and expected in errors, errors

"""AWS Certificate Manager: certificates that are requested, issued by the authority of elbow's own."""

import ssl
import subprocess
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.elbow import AwsError, quiet_environment
from harness.errors import refused
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import fixed
from harness.wait import until

NAME = "shop.example.com"


@pytest.fixture
def request_certificate(shop):
    """Requests a certificate with the real command, waits for it, and deletes it after the test; its ARN."""

    def make(name=NAME, *options):
        asked = ("acm", "request-certificate", "--domain-name", name, *options)
        arn = shop.elbow.aws(*asked)["CertificateArn"]
        shop.undo(shop.elbow.client("acm").delete_certificate, CertificateArn=arn)
        shop.elbow.aws("acm", "wait", "certificate-validated", "--certificate-arn", arn)
        return arn

    return make


@pytest.fixture
def describe(elbow):
    return lambda arn: elbow.aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]


@pytest.fixture
def root(elbow, tmp_path):
    """A file with what `elbow ca` prints."""
    path = tmp_path / "root.pem"
    path.write_text(elbow.run("ca"))
    return path


def trusting(root):
    context = ssl.create_default_context(cafile=root)
    # As strict as Python 3.13 is by default.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_a_requested_certificate_serves_clients_that_trust_the_root(
    shop, request_certificate, describe, root
):
    arn = request_certificate(
        NAME, "--validation-method", "DNS", "--subject-alternative-names", f"*.{NAME}"
    )
    described = describe(arn)
    assert (described["Status"], described["Type"]) == ("ISSUED", "AMAZON_ISSUED")
    validation = described["DomainValidationOptions"][0]
    assert validation["ValidationStatus"] == "SUCCESS"
    assert validation["ResourceRecord"]["Name"].endswith(f".{NAME}.")

    balancer = shop.balancer()
    https_listener(shop, balancer, arn, fixed(200, "served"))
    address = shop.addresses(balancer)[0]
    for name in (NAME, f"www.{NAME}"):
        command = ["curl", "--silent", "--show-error", "--cacert", root]
        command += ["--resolve", f"{name}:{PORT}:{address}", f"https://{name}:{PORT}/"]
        done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment())
        assert (done.returncode, done.stdout) == (0, "served"), done.stderr
    with TlsConnection(address, PORT, trusting(root), name=NAME) as client:
        assert client.shown == {NAME, f"*.{NAME}"}
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsConnection(address, PORT, ssl.create_default_context(), name=NAME)

    assert describe(arn)["InUseBy"] == [balancer["LoadBalancerArn"]]
    with pytest.raises(AwsError) as error:
        shop.elbow.aws("acm", "delete-certificate", "--certificate-arn", arn)
    assert error.value.code == "ResourceInUseException"


@pytest.mark.parametrize("algorithm", ["EC_prime256v1", "EC_secp384r1"])
def test_keys_over_curves_are_verified_too(shop, request_certificate, root, algorithm):
    arn = request_certificate(NAME, "--key-algorithm", algorithm)
    balancer = shop.balancer()
    https_listener(shop, balancer, arn, fixed(200))
    address = shop.addresses(balancer)[0]
    with TlsConnection(address, PORT, trusting(root), name=NAME) as client:
        assert client.request(host=NAME).status == 200


def test_requests_and_their_authority_survive_a_crash(make_elbow):
    elbow = make_elbow()
    acm = elbow.client("acm")
    arn = acm.request_certificate(DomainName=NAME)["CertificateArn"]
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1})
    root = elbow.run("ca")
    before = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    elbow.kill()
    assert (elbow.data / "local-authority").stat().st_mode & 0o777 == 0o600
    stored = b"".join(path.read_bytes() for path in elbow.data.iterdir() if path.is_file())
    assert b"PRIVATE KEY" not in stored
    elbow.start()
    assert elbow.run("ca") == root
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"] == before
    issued = x509.load_pem_x509_certificate(acm.get_certificate(CertificateArn=arn)["Certificate"].encode())
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(root.encode()))


def test_an_elbow_without_an_authority_only_imports(make_elbow, tmp_path):
    config = tmp_path / "elbow.toml"
    config.write_text('[certificates]\nissuer = "import-only"\n')
    elbow = make_elbow(arguments=["--config", str(config)])
    with refused("AccessDeniedException", "import-only"):
        elbow.client("acm").request_certificate(DomainName=NAME)
    assert not (elbow.data / "local-authority").exists()
    with pytest.raises(AssertionError, match="there is no local certificate authority"):
        elbow.run("ca")


def test_a_renewal_reaches_listeners_without_a_failed_handshake(
    shop, request_certificate, describe, root
):
    arn = request_certificate(NAME, "--options", "Export=ENABLED")
    balancer = shop.balancer()
    https_listener(shop, balancer, arn, fixed(200))
    address = shop.addresses(balancer)[0]

    def shown():
        """The serial number of the certificate in a new handshake, which must succeed."""
        with TlsConnection(address, PORT, trusting(root), name=NAME) as client:
            assert client.request(host=NAME).status == 200
            return x509.load_der_x509_certificate(client.socket.getpeercert(True)).serial_number

    before = shown()
    with pytest.raises(AwsError) as error:
        shop.elbow.aws("acm", "renew-certificate", "--certificate-arn", arn)
    assert error.value.code == "ValidationException", "it was never exported"
    export(shop.elbow, arn)
    shop.elbow.aws("acm", "renew-certificate", "--certificate-arn", arn)
    seen = set()
    until(lambda: seen.add(shown()) or seen - {before}, "the new certificate", pause=0)
    described = describe(arn)
    assert described["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert described["CertificateArn"] == arn


def export(elbow, arn, passphrase="hush hush"):
    """What the `aws` command exports, in bytes by its member."""
    # Read from a file, the command sends these very bytes in both of its versions.
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(passphrase)
        file.flush()
        arguments = ("--certificate-arn", arn, "--passphrase", f"fileb://{file.name}")
        exported = elbow.aws("acm", "export-certificate", *arguments)
    return {name: text.encode() for name, text in exported.items()}


@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1"])
def test_an_exported_key_opens_with_its_passphrase_and_can_be_revoked(
    shop, request_certificate, describe, root, tmp_path, algorithm
):
    options = ("--options", "Export=ENABLED", "--key-algorithm", algorithm)
    arn = request_certificate(NAME, *options)
    exported = export(shop.elbow, arn)
    assert exported["CertificateChain"] == root.read_bytes()
    certificate = x509.load_pem_x509_certificate(exported["Certificate"])
    key = serialization.load_pem_private_key(exported["PrivateKey"], b"hush hush")
    assert key.public_key() == certificate.public_key()
    with pytest.raises(ValueError):
        serialization.load_pem_private_key(exported["PrivateKey"], b"hush")
    path = tmp_path / "key.pem"
    path.write_bytes(exported["PrivateKey"])
    opened = ["openssl", "pkey", "-in", path, "-passin", "pass:hush hush", "-noout"]
    assert subprocess.run(opened, capture_output=True).returncode == 0

    reason = ("--revocation-reason", "CESSATION_OF_OPERATION")
    shop.elbow.aws("acm", "revoke-certificate", "--certificate-arn", arn, *reason)
    described = describe(arn)
    assert (described["Status"], described["RevocationReason"]) == ("REVOKED", reason[1])
    balancer = shop.balancer()
    with refused("UnsupportedCertificate", "fully-qualified domain name"):
        https_listener(shop, balancer, arn, fixed(200))


def test_the_account_has_a_configuration(make_elbow):
    elbow = make_elbow()
    days = lambda: elbow.aws("acm", "get-account-configuration")["ExpiryEvents"]["DaysBeforeExpiry"]
    assert days() == 45
    elbow.aws(
        *("acm", "put-account-configuration", "--expiry-events", "DaysBeforeExpiry=10"),
        *("--idempotency-token", "once"),
    )
    assert days() == 10

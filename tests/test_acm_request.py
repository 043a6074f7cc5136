"""AWS Certificate Manager: certificates that are requested, issued by the authority of elbow's own."""

import ssl
import subprocess

import pytest
from cryptography import x509

from harness.errors import refused
from harness.elbow import AwsError, quiet_environment
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import fixed

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

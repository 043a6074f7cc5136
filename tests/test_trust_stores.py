"""ELB v2: trust stores, read from a directory and from a service that speaks S3."""

import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from harness.errors import refused

FILES = Path(__file__).parent / "certificates"


@pytest.fixture
def in_directory(make_elbow, tmp_path):
    """An elbow with the bucket `clients`, which holds the files of tests/certificates."""
    shutil.copytree(FILES, tmp_path / "objects" / "clients")
    config = tmp_path / "elbow.toml"
    config.write_text(f"[s3]\ndirectory = '{tmp_path}/objects'\n")
    return make_elbow(arguments=["--config", str(config)]).client("elbv2")


def bundle(key, bucket="clients"):
    return {"CaCertificatesBundleS3Bucket": bucket, "CaCertificatesBundleS3Key": key}


def test_the_life_of_a_trust_store(in_directory):
    elbv2 = in_directory
    [store] = elbv2.create_trust_store(Name="clients", **bundle("root.pem"))["TrustStores"]
    arn = store["TrustStoreArn"]
    assert (store["Status"], store["NumberOfCaCertificates"], store["TotalRevokedEntries"]) == ("ACTIVE", 1, 0)
    with refused("DuplicateTrustStoreName", "clients"):
        elbv2.create_trust_store(Name="clients", **bundle("root.pem"))
    [changed] = elbv2.modify_trust_store(TrustStoreArn=arn, **bundle("chain.pem"))["TrustStores"]
    assert changed["NumberOfCaCertificates"] == 2
    contents = [{"S3Bucket": "clients", "S3Key": "revoked.crl.pem", "RevocationType": "CRL"}]
    [added] = elbv2.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=contents)["TrustStoreRevocations"]
    assert (added["RevocationId"], added["NumberOfRevokedEntries"]) == (1, 1)
    assert elbv2.describe_trust_stores(Names=["clients"])["TrustStores"][0]["TotalRevokedEntries"] == 1
    elbv2.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[1])
    with refused("RevocationIdNotFound", "1"):
        elbv2.describe_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[1])
    elbv2.delete_trust_store(TrustStoreArn=arn)
    with refused("TrustStoreNotFound", ""):
        elbv2.describe_trust_stores(TrustStoreArns=[arn])


def test_what_a_trust_store_is_made_of_is_downloaded_without_a_key(in_directory):
    elbv2 = in_directory
    arn = elbv2.create_trust_store(Name="clients", **bundle("root.pem"))["TrustStores"][0]["TrustStoreArn"]
    contents = [{"S3Bucket": "clients", "S3Key": "revoked.crl.pem", "RevocationType": "CRL"}]
    elbv2.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=contents)
    authorities = elbv2.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"]
    revoked = elbv2.get_trust_store_revocation_content(TrustStoreArn=arn, RevocationId=1)["Location"]
    assert urlopen(authorities).read().strip() == (FILES / "root.pem").read_bytes().strip()
    assert urlopen(revoked).read().strip() == (FILES / "revoked.crl.pem").read_bytes().strip()
    with pytest.raises(HTTPError, match="403"):
        urlopen(authorities.replace("expires=1", "expires=2"))
    elbv2.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[1])
    with pytest.raises(HTTPError, match="404"):
        urlopen(revoked)


@pytest.mark.parametrize(
    "object, code",
    [
        (bundle("gone.pem"), "CaCertificatesBundleNotFound"),
        (bundle("../../elbow.toml"), "CaCertificatesBundleNotFound"),
        (bundle("root.pem", "gone"), "CaCertificatesBundleNotFound"),
        (bundle("shop.pem"), "InvalidCaCertificatesBundle"),
        (bundle("root.key.pem"), "InvalidCaCertificatesBundle"),
    ],
)
def test_what_is_no_bundle_is_refused(in_directory, object, code):
    with refused(code, ""):
        in_directory.create_trust_store(Name="clients", **object)
    assert in_directory.describe_trust_stores()["TrustStores"] == []


def test_a_new_trust_store_has_no_associations_and_can_have_tags(in_directory):
    elbv2 = in_directory
    arn = elbv2.create_trust_store(Name="clients", **bundle("root.pem"))["TrustStores"][0]["TrustStoreArn"]
    assert elbv2.describe_trust_store_associations(TrustStoreArn=arn)["TrustStoreAssociations"] == []
    elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "team", "Value": "blue"}])
    [described] = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert described == {"ResourceArn": arn, "Tags": [{"Key": "team", "Value": "blue"}]}


def test_without_objects_the_error_says_what_to_configure(elbv2):
    with refused("CaCertificatesBundleNotFound", r"[s3]"):
        elbv2.create_trust_store(Name="clients", **bundle("root.pem"))


def test_objects_of_an_s3(make_elbow, tmp_path):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Authorization"]))
            path = FILES / self.path.removeprefix("/clients/")
            body = path.read_bytes() if path.exists() else b""
            self.send_response(200 if path.exists() else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = tmp_path / "elbow.toml"
        config.write_text(
            f"[s3]\nendpoint = 'http://127.0.0.1:{server.server_port}'\n"
            "access_key_id = 'KEY'\nsecret_access_key = 'secret'\n"
        )
        elbv2 = make_elbow(arguments=["--config", str(config)]).client("elbv2")
        [store] = elbv2.create_trust_store(Name="clients", **bundle("root.pem"))["TrustStores"]
        assert store["NumberOfCaCertificates"] == 1
        with refused("CaCertificatesBundleNotFound", "gone.pem"):
            elbv2.modify_trust_store(TrustStoreArn=store["TrustStoreArn"], **bundle("gone.pem"))
        server.shutdown()
    assert [path for path, _ in asked] == ["/clients/root.pem", "/clients/gone.pem"]
    assert all(signed.startswith("AWS4-HMAC-SHA256 Credential=KEY/") for _, signed in asked)

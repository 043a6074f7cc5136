"""AWS Certificate Manager: certificates that are imported."""

import datetime
import re
from pathlib import Path

import pytest

from harness.errors import refused

FILES = Path(__file__).parent / "certificates"
UNKNOWN = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def pem(name):
    return (FILES / f"{name}.pem").read_bytes()


@pytest.fixture
def acm(elbow):
    return elbow.client("acm")


@pytest.fixture
def imported(acm):
    """Imports a certificate of tests/certificates; it is deleted after the test."""
    arns = []

    def make(name, **options):
        arguments = {"Certificate": pem(name), "PrivateKey": pem(f"{name}.key")} | options
        arns.append(acm.import_certificate(**arguments)["CertificateArn"])
        return arns[-1]

    yield make
    for arn in set(arns):
        try:
            acm.delete_certificate(CertificateArn=arn)
        except acm.exceptions.ResourceNotFoundException:
            pass


def test_an_imported_certificate_is_described(acm, imported):
    arn = imported("shop", CertificateChain=pem("chain"), Tags=[{"Key": "team", "Value": "blue"}])
    assert re.fullmatch("arn:aws:acm:us-east-1:123456789012:certificate/[0-9a-f-]{36}", arn)
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["DomainName"] == "shop.example.com"
    assert described["SubjectAlternativeNames"] == ["shop.example.com", "*.shop.example.com"]
    assert (described["Type"], described["Status"]) == ("IMPORTED", "ISSUED")
    assert described["KeyAlgorithm"] == "RSA-2048"
    assert described["NotBefore"] == datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    assert described["InUseBy"] == []
    got = acm.get_certificate(CertificateArn=arn)
    assert got["Certificate"].encode() == pem("shop")
    assert got["CertificateChain"].encode() == pem("chain")
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]


def test_only_rsa_2048_is_listed_unless_asked_for(acm, imported):
    rsa, curve = imported("shop"), imported("p384")

    def listed(**options):
        pages = acm.get_paginator("list_certificates").paginate(**options)
        return [it["CertificateArn"] for page in pages for it in page["CertificateSummaryList"]]

    assert rsa in listed() and curve not in listed()
    every = listed(Includes={"keyTypes": ["RSA_2048", "EC_secp384r1"]}, PaginationConfig={"PageSize": 1})
    assert {rsa, curve} <= set(every) and len(every) == len(set(every))
    assert listed(CertificateStatuses=["EXPIRED"]) == []


def test_an_import_replaces_a_certificate(acm, imported):
    arn = imported("shop")
    assert imported("shop-renewed", CertificateArn=arn) == arn
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert "www.example.com" in described["SubjectAlternativeNames"]
    with refused("ValidationException", "key type"):
        imported("p256", CertificateArn=arn)
    with refused("ResourceNotFoundException", "Could not find"):
        imported("shop", CertificateArn=UNKNOWN)


@pytest.mark.parametrize(
    "name, options, saying",
    [
        ("shop", {"PrivateKey": pem("p256.key")}, "does not match"),
        ("shop", {"PrivateKey": pem("shop.encrypted.key")}, "unencrypted"),
        ("shop", {"PrivateKey": b"key"}, "not PEM-encoded"),
        ("shop", {"Certificate": pem("chain")}, "more than one certificate"),
        ("shop", {"CertificateChain": pem("root")}, "index within the chain of the invalid certificate is: 0"),
        ("rsa1024", {}, "not supported"),
        ("expired", {}, "expired"),
        ("future", {}, "not valid yet"),
    ],
)
def test_what_cannot_be_used_is_refused(imported, name, options, saying):
    with refused("ValidationException", saying):
        imported(name, **options)


def test_tags(acm, imported):
    arn = imported("p256")
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    with refused("InvalidTagException", "reserved"):
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "aws:a"}])


def test_certificates_are_searched_by_statements(acm, imported):
    rsa, curve = imported("shop"), imported("p384")
    named = {"CommonName": {"Value": "example.com", "ComparisonOperator": "CONTAINS"}}
    statement = {
        "And": [
            {"Filter": {"X509AttributeFilter": {"Subject": named}}},
            {"Not": {"Filter": {"X509AttributeFilter": {"KeyAlgorithm": "RSA_3072"}}}},
            {"Filter": {"AcmCertificateMetadataFilter": {"InUse": False}}},
        ]
    }
    found = acm.search_certificates(FilterStatement=statement, SortBy="COMMON_NAME")["Results"]
    found = [one for one in found if one["CertificateArn"] in (rsa, curve)]
    names = [one["X509Attributes"]["Subject"]["CommonName"] for one in found]
    assert names == ["admin.example.com", "shop.example.com"]
    metadata = found[0]["CertificateMetadata"]["AcmCertificateMetadata"]
    assert (metadata["Type"], metadata["Status"]) == ("IMPORTED", "ISSUED")
    year = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    assert found[1]["X509Attributes"]["NotBefore"] == year
    before = {"Filter": {"X509AttributeFilter": {"NotBefore": {"End": year - datetime.timedelta(seconds=1)}}}}
    none = {"And": [before, {"Filter": {"CertificateArn": rsa}}]}
    assert acm.search_certificates(FilterStatement=none)["Results"] == []


def test_a_deleted_certificate_is_gone(acm, imported):
    arn = imported("shop")
    acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException", "Could not find"):
        acm.describe_certificate(CertificateArn=arn)


def test_what_elbow_does_not_do_is_refused_by_name(acm):
    with refused("UnknownOperationException", "ResendValidationEmail"):
        acm.resend_validation_email(
            CertificateArn=UNKNOWN, Domain="shop.example.com", ValidationDomain="example.com"
        )


def test_certificates_survive_a_crash_and_their_keys_are_not_readable(make_elbow):
    elbow = make_elbow()
    arn = elbow.client("acm").import_certificate(Certificate=pem("shop"), PrivateKey=pem("shop.key"))["CertificateArn"]
    elbow.kill()
    stored = b"".join(path.read_bytes() for path in elbow.data.iterdir() if path.is_file())
    assert b"shop.example.com" in stored, "this is where the certificate is"
    assert b"PRIVATE KEY" not in stored and pem("shop.key").splitlines()[1] not in stored
    elbow.start()
    assert elbow.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    assert (elbow.data / "secret-key").stat().st_mode & 0o777 == 0o600

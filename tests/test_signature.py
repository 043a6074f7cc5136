"""Who may call: SigV4 in the header and in the query, and each way in which it can be wrong."""

from datetime import timedelta

import pytest

from harness.signed import form, presigned, send, signed

WHO = form("sts", "GetCallerIdentity")


def refused(answer, status, code):
    assert (answer.status, answer.code) == (status, code), answer.text
    assert answer.kind == "Sender", "the error envelope of the Query protocol"
    assert answer.message, "an error says what is wrong"


def test_a_good_signature_is_accepted(elbow):
    answer = send(signed(elbow, WHO))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.headers["x-amzn-requestid"] in answer.text


def test_an_unknown_access_key(elbow):
    _, secret = elbow.key()
    answer = send(signed(elbow, WHO, key=("AKIAIOSFODNN7EXAMPLE", secret)))
    refused(answer, 403, "InvalidClientTokenId")


def test_a_wrong_secret(elbow):
    access_key, _ = elbow.key()
    refused(send(signed(elbow, WHO, key=(access_key, "wrong"))), 403, "SignatureDoesNotMatch")


def test_a_body_that_was_changed_on_the_way(elbow):
    request = signed(elbow, form("elasticloadbalancing", "DescribeAccountLimits"), "elasticloadbalancing")
    request.data = form("elasticloadbalancing", "DescribeLoadBalancers")
    refused(send(request), 403, "SignatureDoesNotMatch")


def test_a_header_that_was_changed_on_the_way(elbow):
    request = signed(elbow, WHO)
    request.headers.replace_header("Content-Type", "text/plain")
    refused(send(request), 403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("age", [timedelta(minutes=16), -timedelta(minutes=16)], ids=["old", "future"])
def test_a_clock_that_is_far_off(elbow, age):
    answer = send(signed(elbow, WHO, age=age))
    refused(answer, 403, "SignatureDoesNotMatch")
    assert answer.message.startswith("Signature expired" if age > timedelta() else "Signature not yet")


@pytest.mark.parametrize("age", [timedelta(minutes=14), -timedelta(minutes=14)], ids=["old", "future"])
def test_a_clock_that_is_a_little_off(elbow, age):
    assert send(signed(elbow, WHO, age=age)).status == 200


def test_no_signature(elbow):
    request = signed(elbow, WHO)
    del request.headers["Authorization"]
    refused(send(request), 403, "MissingAuthenticationToken")


@pytest.mark.parametrize("part", ["Credential=", "SignedHeaders=", "Signature="])
def test_half_a_signature(elbow, part):
    request = signed(elbow, WHO)
    whole = request.headers["Authorization"]
    kept = [piece for piece in whole.split(" ") if not piece.startswith(part)]
    request.headers.replace_header("Authorization", " ".join(kept))
    refused(send(request), 400, "IncompleteSignature")


def test_a_signature_for_another_region(elbow):
    refused(send(signed(elbow, WHO, region="eu-west-1")), 403, "SignatureDoesNotMatch")


def test_a_presigned_url(elbow):
    assert send(presigned(elbow, WHO)).status == 200


def test_a_presigned_url_that_has_expired(elbow):
    answer = send(presigned(elbow, WHO, expires=60, age=timedelta(seconds=90)))
    refused(answer, 403, "SignatureDoesNotMatch")
    assert answer.message.startswith("Signature expired: ")


def test_a_presigned_url_that_was_changed(elbow):
    body = form("elasticloadbalancing", "DescribeAccountLimits", PageSize="1")
    request = presigned(elbow, body, "elasticloadbalancing")
    request.url = request.url.replace("PageSize=1", "PageSize=2")
    refused(send(request), 403, "SignatureDoesNotMatch")


def test_an_unknown_action_of_a_signed_caller(elbow):
    refused(send(signed(elbow, form("sts", "GetLost"))), 400, "InvalidAction")


def test_no_action(elbow):
    refused(send(signed(elbow, "Version=2011-06-15")), 400, "MissingAction")


def test_an_answer_names_its_request(elbow):
    answers = [send(signed(elbow, WHO)) for _ in range(2)]
    first, second = (answer.headers["x-amzn-requestid"] for answer in answers)
    assert first != second


def test_ec2_has_codes_and_an_envelope_of_its_own(elbow):
    body = form("ec2", "DescribeVpcs")
    access_key, _ = elbow.key()
    for key in [("AKIAIOSFODNN7EXAMPLE", "wrong"), (access_key, "wrong")]:
        answer = send(signed(elbow, body, "ec2", key=key))
        assert (answer.status, answer.code) == (401, "AuthFailure"), answer.text
        assert answer.message == "AWS was not able to validate the provided access credentials"
        assert answer.text.startswith("<?xml") and "<Response><Errors><Error>" in answer.text


def test_ec2_does_not_say_how_far_off_a_clock_is(elbow):
    answer = send(signed(elbow, form("ec2", "DescribeVpcs"), "ec2", age=timedelta(minutes=16)))
    assert (answer.status, answer.code, answer.message) == (400, "RequestExpired", "Request has expired.")


def test_a_service_that_elbow_does_not_have(elbow):
    answer = send(signed(elbow, "Action=ListBuckets&Version=2006-03-01", "s3"))
    assert answer.status == 400
    assert "'s3'" in answer.message


def test_classic_load_balancers_are_refused_by_name(elbow):
    body = "Action=DescribeLoadBalancers&Version=2012-06-01"
    answer = send(signed(elbow, body, "elasticloadbalancing"))
    refused(answer, 400, "InvalidAction")
    assert "2012-06-01" in answer.message


@pytest.mark.parametrize(
    "body, code, status",
    [
        ("Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=%zz", "MalformedQueryString", 404),
        ("Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=1&PageSize=2", "InvalidQueryParameter", 400),
        ("Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=many", "InvalidParameterValue", 400),
        ("Action=CreateRule&Version=2015-12-01", "ValidationError", 400),
        ("Action=Nonsense&Version=2015-12-01", "InvalidAction", 400),
    ],
    ids=["escape", "repeated", "not a number", "missing", "unknown"],
)
def test_malformed_requests_of_a_signed_caller(elbow, body, code, status):
    refused(send(signed(elbow, body, "elasticloadbalancing")), status, code)

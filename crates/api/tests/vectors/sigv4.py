"""Writes sigv4.json: requests as botocore signs them, the oracle for the verifier.

Run with a Python that has botocore: python3 sigv4.py > sigv4.json
"""

import datetime
import json
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
HOST = "127.0.0.1:4566"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

# name, service, region, method, target, headers, body, life of the presigned URL or None
REQUESTS = [
    ("post", "sts", "us-east-1", "POST", "/", FORM, "Action=GetCallerIdentity&Version=2011-06-15", None),
    ("post-empty", "ec2", "us-east-1", "POST", "/", FORM, "", None),
    ("get", "elasticloadbalancing", "us-east-1", "GET", "/?Action=DescribeTags&Version=2015-12-01", {}, "", None),
    ("get-escapes", "ec2", "eu-west-1", "GET", "/?B=%20%2B%2F&A=~-._&A=%C3%A4&C=", {}, "", None),
    ("get-order", "ec2", "us-east-1", "GET", "/?A-=2&A=1&a=3&A.1=4", {}, "", None),
    ("path", "elbow", "us-east-1", "GET", "/_elbow/status", {}, "", None),
    ("path-dots", "elbow", "us-east-1", "GET", "/a/./b/../c//d/", {}, "", None),
    ("path-escapes", "elbow", "us-east-1", "GET", "/a%20b/%C3%A4", {}, "", None),
    ("header-spaces", "sts", "us-east-1", "POST", "/", {**FORM, "X-Note": "  two   words  "}, "a=b", None),
    ("unsigned-payload", "sts", "us-east-1", "POST", "/", {**FORM, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, "a=b", None),
    ("presigned", "sts", "us-east-1", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", 60),
    ("presigned-header", "sts", "us-east-1", "GET", "/?Action=X&Z=%20a%2Fb", {"X-Cluster": "blue"}, "", 604800),
    ("presigned-post", "ec2", "us-east-1", "POST", "/?Action=X", {}, "", 1),
]


def sign(name, service, region, method, target, headers, body, life):
    request = AWSRequest(method=method, url=f"http://{HOST}{target}", headers=dict(headers), data=body)
    if life is None:
        signer = botocore.auth.SigV4Auth(KEY, service, region)
    else:
        signer = botocore.auth.SigV4QueryAuth(KEY, service, region, expires=life)
    if "X-Amz-Content-SHA256" in headers:
        signer.payload = lambda request: headers["X-Amz-Content-SHA256"]
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        signer.add_auth(request)
    prepared = request.prepare()
    fields = {key: value if isinstance(value, str) else value.decode() for key, value in prepared.headers.items()}
    fields.setdefault("Host", HOST)
    return {
        "name": name,
        "service": service,
        "region": region,
        "method": method,
        "target": prepared.url.removeprefix(f"http://{HOST}"),
        "headers": sorted([key, value] for key, value in fields.items() if key != "Content-Length"),
        "body": body,
    }


vectors = [sign(*request) for request in REQUESTS]
print(json.dumps({"now": NOW.isoformat(), "id": KEY.access_key, "secret": KEY.secret_key, "vectors": vectors}, indent=1))

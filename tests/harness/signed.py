"""Requests signed by botocore and sent as they are, so that a test can spoil any part of them."""

import datetime
import http.client
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from unittest import mock
from urllib.parse import urlencode, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

VERSIONS = {"sts": "2011-06-15", "elasticloadbalancing": "2015-12-01", "ec2": "2016-11-15"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass
class Answer:
    status: int
    code: str
    message: str
    kind: str
    text: str
    headers: dict


def form(service, action, **parameters):
    return urlencode({"Action": action, "Version": VERSIONS[service], **parameters})


def at(age=datetime.timedelta()):
    """Has botocore sign as if it were `age` ago."""
    then = datetime.datetime.now(datetime.timezone.utc) - age
    if hasattr(botocore.auth, "get_current_datetime"):
        naive = then.replace(tzinfo=None)
        return mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: naive)
    clock = mock.Mock(wraps=datetime.datetime)
    clock.utcnow.return_value = then.replace(tzinfo=None)
    return mock.patch.object(botocore.auth.datetime, "datetime", clock)


def signed(elbow, body, service="sts", key=None, region="us-east-1", age=datetime.timedelta()):
    """A signed POST of `body`; the caller may change it before it is sent."""
    request = AWSRequest("POST", elbow.url + "/", data=body, headers={"Content-Type": FORM})
    with at(age):
        botocore.auth.SigV4Auth(Credentials(*(key or elbow.key())), service, region).add_auth(request)
    return request


def presigned(elbow, body, service="sts", expires=60, age=datetime.timedelta()):
    """A URL that anybody may use for a while."""
    request = AWSRequest("GET", f"{elbow.url}/?{body}")
    with at(age):
        signer = botocore.auth.SigV4QueryAuth(
            Credentials(*elbow.key()), service, "us-east-1", expires=expires
        )
        signer.add_auth(request)
    return request


def send(request):
    """Sends a request exactly as it is."""
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(request.method, path, body=request.data, headers=dict(request.headers))
    response = connection.getresponse()
    text = response.read().decode()
    headers = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    find = lambda name: next((e.text for e in ElementTree.fromstring(text).iter() if local(e) == name), None)
    return Answer(response.status, find("Code"), find("Message"), find("Type"), text, headers)


def local(element):
    """The name of an element without its namespace."""
    return element.tag.rsplit("}", 1)[-1]

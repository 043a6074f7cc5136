"""What a refusal looks like to boto3."""

from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code, saying="", status=400):
    """The block makes a call that is refused with this code and status, in words that hold `saying`."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response
    found = (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
    assert found == (code, status), error["Error"]["Message"]
    assert saying in error["Error"]["Message"], error["Error"]["Message"]

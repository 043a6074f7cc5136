"""What elbow has and AWS has not, asked for with a client that knows only AWS's API."""

import pytest
from botocore.exceptions import ClientError

from harness.http import get
from harness.shop import fixed, forward

PATH = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}]


def tags(pairs):
    return [{"Key": f"elbow:{key}", "Value": value} for key, value in pairs.items()]


def test_rules_change_fields_and_limit_rates(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    rule = shop.rule(listener, 1, PATH, fixed(200, "a", "text/plain"))
    address = shop.addresses(balancer)[0]
    wanted = {
        "response-header.set.1": "X-Team=blue",
        "response-header.remove.1": "Server",
        "rate-limit.requests": "1",
        "rate-limit.period-seconds": "3600",
    }
    elbv2.add_tags(ResourceArns=[rule], Tags=tags(wanted))
    first, second, other = (get(address, path, shop.port) for path in ("/a", "/a", "/b"))
    assert (first.status, first.header("X-Team"), first.header("Server")) == (200, "blue", None)
    assert second.status == 429
    # The bucket began to fill again with the first request.
    assert 3590 <= int(second.header("Retry-After")) <= 3600
    assert (other.status, other.header("X-Team")) == (404, None), "the default rule has no tags"
    elbv2.remove_tags(ResourceArns=[rule], TagKeys=[f"elbow:{key}" for key in wanted])
    after = get(address, "/a", shop.port)
    assert (after.status, after.header("X-Team"), after.header("Server")) == (200, None, "awselb/2.0")


def test_a_tag_that_cannot_be_obeyed_is_refused_by_name(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(404))
    rule = shop.rule(listener, 1, PATH, fixed(200))
    for arn, key in ((rule, "mirror.target-group"), (balancer["LoadBalancerArn"], "rate-limit.requests")):
        with pytest.raises(ClientError) as refused:
            elbv2.add_tags(ResourceArns=[arn], Tags=tags({key: "1"}))
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationError" and f"elbow:{key}" in error["Message"]


def test_a_listener_has_pages_of_its_own(shop, elbv2):
    balancer = shop.balancer()
    listener = shop.listener(balancer, forward(shop.group()))
    address = shop.addresses(balancer)[0]
    before = elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert not [it for it in before if it["Key"].startswith("elbow.")]

    def modify(pairs):
        attributes = [{"Key": f"elbow.error_page.{key}", "Value": value} for key, value in pairs.items()]
        elbv2.modify_listener_attributes(ListenerArn=listener, Attributes=attributes)

    modify({"5xx.body": '{"later": true}', "5xx.content_type": "application/json"})
    page = get(address, port=shop.port)
    assert (page.status, page.header("Content-Type"), page.text) == (
        503,
        "application/json",
        '{"later": true}',
    )
    with pytest.raises(ClientError) as refused:
        modify({"200.body": "x"})
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    modify({"5xx.body": "", "5xx.content_type": ""})
    assert elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"] == before
    assert get(address, port=shop.port).text.startswith("<html>")

"""ELB v2: listeners, rules and their priorities."""

import re
import socket

import pytest

from harness.errors import refused
from harness.http import get
from harness.shop import Shop, fixed, forward

LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/gone/0123456789abcdef/0123456789abcdef"
RULE = LISTENER.replace(":listener/", ":listener-rule/") + "/0123456789abcdef"
PATH = [{"Field": "path-pattern", "Values": ["/x"]}]


@pytest.fixture
def balancer(shop):
    return shop.balancer()


@pytest.fixture
def listener(shop, balancer):
    return shop.listener(balancer, fixed(200))


def rules(elbv2, listener):
    return elbv2.describe_rules(ListenerArn=listener)["Rules"]


def test_a_new_listener(shop, elbv2, balancer):
    group = shop.group()
    arn = shop.listener(balancer, forward(group))
    lb = balancer["LoadBalancerArn"]
    assert re.fullmatch(lb.replace(":loadbalancer/", ":listener/") + "/[0-9a-f]{16}", arn)
    [described] = elbv2.describe_listeners(LoadBalancerArn=lb)["Listeners"]
    assert (described["Protocol"], described["Port"]) == ("HTTP", shop.port)
    [action] = described["DefaultActions"]
    assert action["Type"] == "forward"
    assert action["TargetGroupArn"] == group
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}
    [default] = rules(elbv2, arn)
    assert (default["Priority"], default["IsDefault"]) == ("default", True)


def test_creating_it_again_changes_nothing(shop, balancer, listener):
    assert shop.listener(balancer, fixed(200)) == listener
    with refused("DuplicateListener"):
        shop.listener(balancer, fixed(404))


@pytest.mark.parametrize(
    "options, code, saying",
    [
        ({"Protocol": "TCP"}, "ValidationError", "must be one of 'HTTP, HTTPS'"),
        ({"Protocol": "HTTPS"}, None, "HTTPS"),
        ({"Port": 0}, "ValidationError", "port"),
        ({"Port": 65536}, "ValidationError", "port"),
        ({"Protocol": None}, "ValidationError", "protocol"),
        ({"Port": None}, "ValidationError", "port"),
        ({"DefaultActions": []}, "ValidationError", ""),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, None, ""),
        ({"AlpnPolicy": ["HTTP2Only"]}, None, "ALPN"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_listeners_that_are_refused(elbv2, balancer, options, code, saying):
    arguments = {
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        "Protocol": "HTTP",
        "Port": 8081,
        "DefaultActions": fixed(200),
    } | options
    arguments = {key: value for key, value in arguments.items() if value is not None}
    with pytest.raises(elbv2.exceptions.ClientError) as caught:
        elbv2.create_listener(**arguments)
    error = caught.value.response["Error"]
    assert code in (None, error["Code"]), error
    assert saying.lower() in error["Message"].lower(), error
    assert elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"] == []


@pytest.mark.parametrize(
    "action, saying",
    [
        ({"Type": "fixed-response"}, "you must specify the following fields: 'FixedResponseConfig'"),
        ({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "302"}}, "302"),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}},
            "The redirect configuration is not valid because it creates a loop.",
        ),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "x"}},
            "The Port parameter must be either an integer between 1 and 65535 or '#{port}'.",
        ),
        ({"Type": "authenticate-oidc", "Order": 1}, "are supported only on HTTPS listeners"),
        ({"Type": "authenticate-cognito"}, "are supported only on HTTPS listeners"),
        ({"Type": "jwt-validation"}, "are supported only on HTTPS listeners"),
    ],
)
def test_actions_that_are_refused(elbv2, shop, balancer, listener, action, saying):
    before = rules(elbv2, listener)
    with pytest.raises(elbv2.exceptions.ClientError) as caught:
        shop.rule(listener, 1, PATH, [action])
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert saying in error["Error"]["Message"]
    assert rules(elbv2, listener) == before


@pytest.mark.parametrize(
    "conditions, saying",
    [
        ([], "A condition must be specified"),
        (PATH + PATH, "A rule can only have one 'path-pattern' condition"),
        ([{"Field": "colour", "Values": ["red"]}], "colour"),
        ([{"Field": "host-header", "Values": ["nodot"]}], "contains a character that is not valid"),
        ([{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}], "not valid"),
        ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}], "is not a valid CIDR block"),
        (
            [{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{n}" for n in range(6)]}}],
            "A rule can only have '5' condition values",
        ),
        ([{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["(?=x)"]}}], ""),
    ],
    ids=range(8),
)
def test_conditions_that_are_refused(elbv2, shop, listener, conditions, saying):
    before = rules(elbv2, listener)
    with refused("ValidationError", saying):
        shop.rule(listener, 1, conditions, fixed(200))
    assert rules(elbv2, listener) == before


def test_a_rule_reads_back_in_both_forms(elbv2, shop, listener):
    arn = shop.rule(listener, 7, PATH, fixed(404, "gone", "text/plain"))
    assert re.fullmatch(listener.replace(":listener/", ":listener-rule/") + "/[0-9a-f]{16}", arn)
    [rule] = elbv2.describe_rules(RuleArns=[arn])["Rules"]
    assert (rule["Priority"], rule["IsDefault"]) == ("7", False)
    [condition] = rule["Conditions"]
    assert condition["Values"] == ["/x"]
    assert condition["PathPatternConfig"]["Values"] == ["/x"]
    [action] = rule["Actions"]
    config = {"StatusCode": "404", "MessageBody": "gone", "ContentType": "text/plain"}
    assert action["FixedResponseConfig"] == config


def test_priorities(elbv2, shop, listener):
    low = shop.rule(listener, 10, PATH, fixed(201))
    high = shop.rule(listener, 20, PATH, fixed(202))
    with refused("PriorityInUse", "Priority '10' is currently in use"):
        shop.rule(listener, 10, PATH, fixed(203))
    for priority in (0, 50001):
        with refused("ValidationError"):
            shop.rule(listener, priority, PATH, fixed(203))

    def order():
        return [rule["RuleArn"] for rule in rules(elbv2, listener)][:2]

    assert order() == [low, high]
    pairs = lambda a, b: [{"RuleArn": low, "Priority": a}, {"RuleArn": high, "Priority": b}]
    elbv2.set_rule_priorities(RulePriorities=pairs(20, 10))
    assert order() == [high, low], "two rules can swap in one call"
    with refused("ValidationError", "was provided multiple times"):
        elbv2.set_rule_priorities(RulePriorities=pairs(5, 5))
    with refused("PriorityInUse"):
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": low, "Priority": 10}])
    default = rules(elbv2, listener)[-1]["RuleArn"]
    with refused("OperationNotPermitted"):
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": default, "Priority": 1}])
    assert order() == [high, low]


def test_the_default_rule_goes_with_its_listener(elbv2, shop, listener):
    [default] = rules(elbv2, listener)
    with refused("OperationNotPermitted"):
        elbv2.delete_rule(RuleArn=default["RuleArn"])
    with refused("OperationNotPermitted"):
        elbv2.modify_rule(RuleArn=default["RuleArn"], Conditions=PATH)
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=fixed(404))
    [after] = rules(elbv2, listener)
    assert after["RuleArn"] == default["RuleArn"]
    assert after["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "404"


def test_what_is_not_there_is_not_found(elbv2):
    for call in (elbv2.describe_rules, elbv2.delete_listener, elbv2.describe_listener_attributes):
        with refused("ListenerNotFound"):
            call(ListenerArn=LISTENER)
    with refused("RuleNotFound"):
        elbv2.describe_rules(RuleArns=[RULE])
    with refused("RuleNotFound"):
        elbv2.delete_rule(RuleArn=RULE)
    with refused("RuleNotFound"):
        elbv2.modify_rule(RuleArn=RULE, Actions=fixed(200))
    with refused("ValidationError", "is not a valid listener ARN"):
        elbv2.describe_listeners(ListenerArns=["nonsense"])
    with refused("ValidationError", "You must specify either listener ARNs or a load balancer ARN"):
        elbv2.describe_listeners()


def test_a_listener_needs_a_target_group_that_exists(elbv2, shop, balancer):
    gone = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/gone/0123456789abcdef"
    with refused("TargetGroupNotFound"):
        shop.listener(balancer, forward(gone))


def test_rules_come_in_pages(elbv2, shop, listener):
    made = [shop.rule(listener, priority, PATH, fixed(200)) for priority in range(1, 6)]
    pages = elbv2.get_paginator("describe_rules").paginate(
        ListenerArn=listener, PaginationConfig={"PageSize": 2}
    )
    found = [rule["RuleArn"] for page in pages for rule in page["Rules"]]
    assert found[:-1] == made
    assert len(found) == 6


def test_limits_can_be_set_by_the_operator(make_elbow):
    shop = Shop(make_elbow(arguments=["--limit", "rules-per-application-load-balancer=2"]))
    limits = {one["Name"]: one["Max"] for one in shop.elbv2.describe_account_limits()["Limits"]}
    assert limits["rules-per-application-load-balancer"] == "2"
    listener = shop.listener(shop.balancer(), fixed(200))
    for priority in (1, 2):
        shop.rule(listener, priority, PATH, fixed(200))
    with refused("TooManyRules"):
        shop.rule(listener, 3, PATH, fixed(200))


def test_a_port_that_is_taken_is_an_error_and_leaves_no_listener(elbv2, shop, balancer):


    address = shop.addresses(balancer)[0]
    with socket.socket() as other:
        other.bind((address, 8099))
        other.listen()
        with pytest.raises(elbv2.exceptions.ClientError) as caught:
            shop.listener(balancer, fixed(200), port=8099)
    message = caught.value.response["Error"]["Message"]
    assert f"{address}:8099" in message, message
    assert elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"] == []
    assert shop.listener(balancer, fixed(200), port=8099), "the port is free now"


def test_two_listeners_of_two_load_balancers_share_a_port_number(elbv2, shop):
    for status in (201, 202):
        balancer = shop.balancer()
        shop.listener(balancer, fixed(status))
        answers = [get(address, port=shop.port).status for address in shop.addresses(balancer)]
        assert answers == [status, status]


def url_rewrite(regex, replace):
    rewrites = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "url-rewrite", "UrlRewriteConfig": rewrites}


def host_rewrite(regex, replace):
    rewrites = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": rewrites}


def test_transforms(elbv2, listener):
    host, url = host_rewrite("^www", "shop"), url_rewrite("^/api/(.*)$", "/$1")
    [made] = elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=PATH,
        Actions=fixed(200),
        Transforms=[host, url],
    )["Rules"]
    assert made["Transforms"] == [host, url]
    [described, default] = rules(elbv2, listener)
    assert described == made
    assert not default.get("Transforms")
    arn = made["RuleArn"]
    [kept] = elbv2.modify_rule(RuleArn=arn, Actions=fixed(404))["Rules"]
    assert kept["Transforms"] == [host, url]
    [replaced] = elbv2.modify_rule(RuleArn=arn, Transforms=[url_rewrite("a", "b")])["Rules"]
    assert replaced["Transforms"] == [url_rewrite("a", "b")]
    with refused("ValidationError", "ResetTransforms"):
        elbv2.modify_rule(RuleArn=arn, Transforms=[host], ResetTransforms=True)
    [reset] = elbv2.modify_rule(RuleArn=arn, ResetTransforms=True)["Rules"]
    assert not reset.get("Transforms")


@pytest.mark.parametrize(
    "transforms, saying",
    [
        ([{"Type": "url-rewrite"}], "'UrlRewriteConfig'"),
        ([url_rewrite("(", "b")], "The regular expression '(' is not valid"),
        ([url_rewrite("(?=a)", "b")], "look-around"),
        ([host_rewrite(r"\p{L}", "b")], "Unicode"),
        ([host_rewrite("a" * 1025, "b")], "between 1 and 1024 characters"),
        ([url_rewrite("a", "b"), url_rewrite("c", "d")], "only have one 'url-rewrite' transform"),
    ],
)
def test_transforms_that_are_refused(elbv2, listener, transforms, saying):
    before = rules(elbv2, listener)
    with refused("ValidationError", saying):
        elbv2.create_rule(
            ListenerArn=listener,
            Priority=1,
            Conditions=PATH,
            Actions=fixed(200),
            Transforms=transforms,
        )
    assert rules(elbv2, listener) == before


def test_listener_attributes(elbv2, listener):
    def values():
        described = elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        return {attribute["Key"]: attribute["Value"] for attribute in described}

    def modify(key, value):
        elbv2.modify_listener_attributes(
            ListenerArn=listener, Attributes=[{"Key": key, "Value": value}]
        )

    before = values()
    assert before["routing.http.response.server.enabled"] == "true"
    assert not any(".request." in key for key in before), "those are for HTTPS"
    options = "routing.http.response.x_frame_options.header_value"
    modify(options, "DENY")
    assert values() == {**before, options: "DENY"}
    modify(options, "")
    assert values() == before
    with refused("ValidationError", "must be from the following: [DENY, SAMEORIGIN], but was 'ALLOW'"):
        modify(options, "ALLOW")
    with refused("ValidationError", "contains invalid characters"):
        modify("routing.http.response.content_security_policy.header_value", 'a "b"')
    with refused("InvalidConfigurationRequest", "The provided listener attribute is not supported"):
        modify("routing.http.request.x_amzn_tls_version.header_name", "X-Version")
    assert values() == before



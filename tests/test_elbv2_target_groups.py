"""ELB v2: target groups, their attributes and their targets."""

import re

import pytest

from harness.errors import refused
from harness.shop import fixed, forward, unique
from harness.target import HEALTH_PATH

UNKNOWN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/gone/0123456789abcdef"


def names(elbv2):
    return {group["TargetGroupName"] for group in elbv2.describe_target_groups()["TargetGroups"]}


@pytest.fixture
def create(shop, elbv2):
    """Creates a target group with only what is given; its description."""

    def create(**options):
        arguments = {"Name": unique("tg"), "Protocol": "HTTP", "Port": 80, "VpcId": shop.vpc}
        arguments = {k: v for k, v in (arguments | options).items() if v is not None}
        group = elbv2.create_target_group(**arguments)["TargetGroups"][0]
        shop.undo(elbv2.delete_target_group, TargetGroupArn=group["TargetGroupArn"])
        return group

    return create


def test_a_new_target_group_has_awss_form_and_defaults(create):
    name = unique("tg")
    group = create(Name=name)
    assert re.fullmatch(
        rf"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/[0-9a-f]{{16}}",
        group["TargetGroupArn"],
    )
    expected = {
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "TargetType": "instance",
        "IpAddressType": "ipv4",
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
    }
    assert {key: group.get(key) for key in expected} == expected


def test_creating_it_again_changes_nothing(create):
    name = unique("tg")
    first = create(Name=name)
    assert create(Name=name)["TargetGroupArn"] == first["TargetGroupArn"]
    with refused("DuplicateTargetGroupName", "exists, but with different settings"):
        create(Name=name, Port=81)


@pytest.mark.parametrize(
    "options, saying",
    [
        ({"Name": "n" * 33}, "cannot be longer than '32' characters"),
        ({"Protocol": None}, "A protocol must be specified"),
        ({"Port": None}, "A port must be specified"),
        ({"VpcId": None}, "A VPC ID must be specified"),
        ({"VpcId": "vpc-0123456789abcdef0"}, "vpc-0123456789abcdef0"),
        ({"HealthCheckIntervalSeconds": 4}, "healthCheckIntervalSeconds"),
        ({"HealthCheckTimeoutSeconds": 30}, "must be smaller than the interval"),
        ({"UnhealthyThresholdCount": 11}, "unhealthyThresholdCount"),
        ({"Matcher": {"HttpCode": "600"}}, "600"),
        ({"HealthCheckPath": "no-slash"}, "no-slash"),
        ({"HealthCheckEnabled": False}, "Health check enabled must be true"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_are_refused(create, elbv2, options, saying):
    before = names(elbv2)
    with refused("ValidationError", saying):
        create(**options)
    assert names(elbv2) == before


@pytest.mark.parametrize(
    "options, named",
    [
        ({"Protocol": "TCP"}, "TCP"),
        ({"TargetControlPort": 3000}, "TargetControlPort"),
        ({"TargetType": "lambda", "Protocol": None, "Port": None, "VpcId": None}, "lambda"),
        ({"TargetType": "alb", "Protocol": "TCP"}, "alb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kinds_that_are_not_served_are_refused_by_name(create, elbv2, options, named):
    before = names(elbv2)
    with pytest.raises(elbv2.exceptions.ClientError) as caught:
        create(**options)
    message = caught.value.response["Error"]["Message"]
    assert named.lower() in message.lower(), message
    assert names(elbv2) == before


def test_health_checks_can_be_modified(create, elbv2):
    arn = create()["TargetGroupArn"]
    [changed] = elbv2.modify_target_group(
        TargetGroupArn=arn, HealthCheckPath="/up", HealthCheckIntervalSeconds=10, Matcher={"HttpCode": "200-299"}
    )["TargetGroups"]
    assert changed["HealthCheckPath"] == "/up"
    assert changed["Matcher"] == {"HttpCode": "200-299"}
    assert changed["HealthyThresholdCount"] == 5, "what is not named stays"
    with refused("ValidationError", "must be smaller than the interval"):
        elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckTimeoutSeconds=10)
    [after] = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert after["HealthCheckTimeoutSeconds"] == 5


def attributes(elbv2, arn):
    described = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in described}


def modify(elbv2, arn, key, value):
    listed = [{"Key": key, "Value": value}]
    return elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=listed)


def test_attributes(create, elbv2):
    arn = create()["TargetGroupArn"]
    found = attributes(elbv2, arn)
    for key, value in {
        "deregistration_delay.timeout_seconds": "300",
        "stickiness.enabled": "false",
        "stickiness.type": "lb_cookie",
        "load_balancing.algorithm.type": "round_robin",
        "slow_start.duration_seconds": "0",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    }.items():
        assert found.get(key) == value, key
    modify(elbv2, arn, "load_balancing.algorithm.type", "least_outstanding_requests")
    modify(elbv2, arn, "deregistration_delay.timeout_seconds", "3600")
    for key, value, saying in [
        ("deregistration_delay.timeout_seconds", "3601", "deregistration_delay.timeout_seconds"),
        ("nonsense", "1", "is not recognized"),
        ("load_balancing.algorithm.type", "fastest", "fastest"),
    ]:
        with refused("ValidationError", saying):
            modify(elbv2, arn, key, value)
    found = attributes(elbv2, arn)
    assert found["load_balancing.algorithm.type"] == "least_outstanding_requests"
    assert found["deregistration_delay.timeout_seconds"] == "3600"


@pytest.mark.parametrize(
    "key, value",
    [
        ("stickiness.enabled", "true"),
        ("slow_start.duration_seconds", "30"),
        ("load_balancing.algorithm.type", "weighted_random"),
        ("load_balancing.cross_zone.enabled", "false"),
    ],
)
def test_attributes_that_can_be_set_alone(create, elbv2, key, value):
    arn = create()["TargetGroupArn"]
    modify(elbv2, arn, key, value)
    assert attributes(elbv2, arn)[key] == value


def test_what_is_not_there_is_not_found(elbv2):
    with refused("TargetGroupNotFound", "One or more target groups not found"):
        elbv2.describe_target_groups(TargetGroupArns=[UNKNOWN])
    with refused("TargetGroupNotFound"):
        elbv2.describe_target_groups(Names=["nobody"])
    with refused("TargetGroupNotFound"):
        elbv2.register_targets(TargetGroupArn=UNKNOWN, Targets=[{"Id": "10.0.0.1"}])
    with refused("TargetGroupNotFound"):
        elbv2.describe_target_health(TargetGroupArn=UNKNOWN)
    with refused("ValidationError", "is not a valid target group ARN"):
        elbv2.describe_target_groups(TargetGroupArns=["nonsense"])
    elbv2.delete_target_group(TargetGroupArn=UNKNOWN)


def test_filters_exclude_each_other(create, elbv2):
    group = create()
    with refused("ValidationError", "cannot be specified at the same time"):
        elbv2.describe_target_groups(
            TargetGroupArns=[group["TargetGroupArn"]], Names=[group["TargetGroupName"]]
        )


def test_pages_hold_everything_once(create, elbv2):
    made = {create()["TargetGroupArn"] for _ in range(5)}
    pages = elbv2.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 2})
    found = [group["TargetGroupArn"] for page in pages for group in page["TargetGroups"]]
    assert len(found) == len(set(found))
    assert made <= set(found)


def test_pages_follow_the_markers_of_answers(shop, elbv2):
    for _ in range(2):
        shop.group()
    page = elbv2.describe_target_groups(PageSize=1)
    following = elbv2.describe_target_groups(PageSize=1, Marker=page["NextMarker"])
    assert page["TargetGroups"] != following["TargetGroups"]
    with refused("ValidationError", "is not valid; use the NextMarker of an answer"):
        elbv2.describe_target_groups(Marker=page["TargetGroups"][0]["TargetGroupName"])


def test_a_group_in_use_stays(shop, elbv2):
    group = shop.group()
    balancer = shop.balancer()
    listener = shop.listener(balancer, fixed(200))
    condition = [{"Field": "path-pattern", "Values": ["/x"]}]
    rule = shop.rule(listener, 1, condition, forward(group))
    with refused("ResourceInUse", f"is currently in use by a listener or a rule: {rule}"):
        elbv2.delete_target_group(TargetGroupArn=group)
    other = shop.balancer()
    with refused("TargetGroupAssociationLimit", "cannot be associated with more than one load balancer"):
        shop.listener(other, forward(group))
    elbv2.delete_rule(RuleArn=rule)
    elbv2.delete_target_group(TargetGroupArn=group)


def test_targets_that_are_refused(shop, elbv2):
    by_ip = shop.group()
    with refused("ValidationError", "is not allowed"):
        elbv2.register_targets(TargetGroupArn=by_ip, Targets=[{"Id": "8.8.8.8"}])
    with pytest.raises(elbv2.exceptions.ClientError):
        elbv2.register_targets(TargetGroupArn=by_ip, Targets=[{"Id": "i-0123456789abcdef0"}])
    by_instance = shop.group(TargetType="instance")
    with refused("InvalidTarget"):
        elbv2.register_targets(TargetGroupArn=by_instance, Targets=[{"Id": "i-0123456789abcdef0"}])
    for group in (by_ip, by_instance):
        assert elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] == []


def test_registering_is_idempotent_and_by_port(shop, elbv2, elbow):
    group, address = shop.group(), elbow.network.free_host(0)
    for port in (8080, 8080, 9090):
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": port}])
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    assert set(shop.health(group)) == {(address, 8080), (address, 9090)}, "8080 is the group's port"
    # Deregistering what is not registered is no error.
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 7}])


def test_the_states_of_targets_nobody_checks(shop, elbv2, elbow):
    group, address = shop.group(), elbow.network.free_host(0)
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    assert shop.health(group) == {(address, 8080): ("unused", "Target.NotInUse")}
    stranger = elbv2.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9"}])
    [one] = stranger["TargetHealthDescriptions"]
    assert one["TargetHealth"]["State"] == "unused"
    assert one["TargetHealth"]["Reason"] == "Target.NotRegistered"
    assert "HealthCheckPort" not in one
    [one] = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert one["HealthCheckPort"] == "8080", "the effective port, never traffic-port"


def test_an_address_of_a_subnet_has_the_zone_of_the_subnet(shop, elbv2, elbow):
    group, address = shop.group(), elbow.network.free_host(0)
    zone = shop.ec2.describe_subnets(SubnetIds=[shop.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    with refused("ValidationError", f"cannot have its Availability Zone overridden to 'all' from '{zone}'"):
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "AvailabilityZone": "all"}])
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    described = {"Id": address, "Port": 8080, "AvailabilityZone": zone}
    for asked in ([], [{"Id": address}], [described]):
        [one] = elbv2.describe_target_health(TargetGroupArn=group, Targets=asked)["TargetHealthDescriptions"]
        assert one["Target"] == described
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[described])
    assert shop.health(group) == {}


def test_an_instance_takes_its_targets_with_it(shop, target, elbow):
    server = target("machine")
    run = shop.ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        SubnetId=shop.subnets[0],
        PrivateIpAddress=server.address,
    )
    instance = run["Instances"][0]["InstanceId"]
    group = shop.group(TargetType="instance", HealthCheckPath=HEALTH_PATH)
    shop.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    shop.ec2.terminate_instances(InstanceIds=[instance])
    states = shop.health(group)
    assert states.get((instance, 8080), ("unused", "Target.InvalidState")) == ("unused", "Target.InvalidState")

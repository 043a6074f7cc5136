"""ELB v2: load balancers, their attributes, zones, security groups and limits."""

import re

import pytest

from harness.errors import refused
from harness.shop import fixed, forward, unique

UNKNOWN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/gone/0123456789abcdef"


def names(elbv2):
    return {lb["LoadBalancerName"] for lb in elbv2.describe_load_balancers()["LoadBalancers"]}


def test_a_new_load_balancer_has_awss_form_and_defaults(shop, elbv2):
    name = unique("lb")
    made = shop.balancer(Name=name)
    assert re.fullmatch(
        rf"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/{name}/[0-9a-f]{{16}}",
        made["LoadBalancerArn"],
    )
    assert re.fullmatch(rf"{name}-\d{{9,10}}\.us-east-1\.elb\.internal", made["DNSName"])
    assert made["CanonicalHostedZoneId"] == "Z35SXDOTRQ7X7K"
    assert (made["Type"], made["Scheme"]) == ("application", "internet-facing")
    assert made["IpAddressType"] == "ipv4"
    assert made["VpcId"] == shop.vpc
    assert len(made["SecurityGroups"]) == 1, "the VPC's default group"
    assert [zone["ZoneName"] for zone in made["AvailabilityZones"]] == ["us-east-1a", "us-east-1b"]
    [described] = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    assert described["State"]["Code"] == "active"
    assert described["LoadBalancerArn"] == made["LoadBalancerArn"]


def test_an_internal_one_says_so_in_its_name(shop):
    name = unique("lb")
    assert shop.balancer(Name=name, Scheme="internal")["DNSName"].startswith(f"internal-{name}-")


def test_each_has_an_address_of_its_own_in_each_zone(shop):
    addresses = [address for _ in range(3) for address in shop.addresses(shop.balancer())]
    assert len(addresses) == len(set(addresses)) == 6


def test_creating_it_again_changes_nothing(shop, elbv2):
    name = unique("lb")
    first = shop.balancer(Name=name, Tags=[{"Key": "a", "Value": "b"}])
    again = shop.balancer(Name=name, Tags=[{"Key": "a", "Value": "b"}])
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    with refused("DuplicateLoadBalancerName", f"A load balancer with the same name '{name}' exists"):
        shop.balancer(Name=name, Scheme="internal")


@pytest.mark.parametrize(
    "name, saying",
    [
        ("n" * 33, "cannot be longer than '32' characters"),
        ("under_score", "can only contain characters that are alphanumeric characters and hyphens(-)"),
        ("internal-x", "cannot begin with 'internal-'"),
        ("ends-", "cannot end with a hyphen(-)"),
    ],
)
def test_names_that_are_refused(shop, elbv2, name, saying):
    before = names(elbv2)
    with refused("ValidationError", saying):
        shop.balancer(Name=name)
    assert names(elbv2) == before


def test_subnets_that_are_refused(shop, elbv2):
    before = names(elbv2)
    with refused("ValidationError", "At least two subnets in two different Availability Zones"):
        shop.balancer(Subnets=shop.subnets[:1])
    with refused("SubnetNotFound", "subnet-0123456789abcdef0"):
        shop.balancer(Subnets=[shop.subnets[0], "subnet-0123456789abcdef0"])
    with refused("ValidationError"):
        shop.balancer(Subnets=[])
    assert names(elbv2) == before


def test_options_that_are_not_honoured_are_refused_by_name(shop, elbv2):
    before = names(elbv2)
    for options, named in [
        ({"Type": "network"}, "network"),
        ({"Type": "gateway"}, "gateway"),
        ({"IpAddressType": "dualstack"}, "an associated IPv6 CIDR block"),
        ({"CustomerOwnedIpv4Pool": "ipv4pool-coip-1"}, "CustomerOwnedIpv4Pool"),
        ({"IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"}}, "IpamPools"),
    ]:
        with pytest.raises(elbv2.exceptions.ClientError) as caught:
            shop.balancer(**options)
        error = caught.value.response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert named in error["Error"]["Message"], error["Error"]["Message"]
    assert names(elbv2) == before


def test_what_is_not_there_is_not_found(elbv2):
    with refused("LoadBalancerNotFound", "One or more load balancers not found"):
        elbv2.describe_load_balancers(LoadBalancerArns=[UNKNOWN])
    with refused("LoadBalancerNotFound", "Load balancers '[nobody]' not found"):
        elbv2.describe_load_balancers(Names=["nobody"])
    with refused("LoadBalancerNotFound"):
        elbv2.describe_load_balancer_attributes(LoadBalancerArn=UNKNOWN)
    with refused("LoadBalancerNotFound"):
        elbv2.create_listener(
            LoadBalancerArn=UNKNOWN, Protocol="HTTP", Port=80, DefaultActions=fixed(200)
        )
    with refused("ValidationError", "is not a valid load balancer ARN"):
        elbv2.describe_load_balancers(LoadBalancerArns=["nonsense"])


def test_deleting_what_is_gone_succeeds(shop, elbv2):
    arn = shop.balancer()["LoadBalancerArn"]
    for _ in range(2):
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.delete_load_balancer(LoadBalancerArn=UNKNOWN)


def test_pages_hold_everything_once(shop, elbv2):
    made = {shop.balancer()["LoadBalancerArn"] for _ in range(5)}
    pages = list(elbv2.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["LoadBalancers"]) <= 2 for page in pages)
    found = [lb["LoadBalancerArn"] for page in pages for lb in page["LoadBalancers"]]
    assert len(found) == len(set(found))
    assert made <= set(found)
    for size in (0, 401):
        with refused("ValidationError", "'pageSize'"):
            elbv2.describe_load_balancers(PageSize=size)


def attributes(elbv2, arn):
    described = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in described}


def modify(elbv2, arn, **changes):
    listed = [{"Key": key.replace("__", "."), "Value": value} for key, value in changes.items()]
    return elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=listed)


def test_attributes_have_awss_defaults(shop, elbv2):
    found = attributes(elbv2, shop.balancer()["LoadBalancerArn"])
    for key, value in {
        "deletion_protection.enabled": "false",
        "idle_timeout.timeout_seconds": "60",
        "client_keep_alive.seconds": "3600",
        "access_logs.s3.enabled": "false",
        "access_logs.s3.bucket": "",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
        "load_balancing.cross_zone.enabled": "true",
    }.items():
        assert found.get(key) == value, key


def test_attributes_are_set_all_or_none(shop, elbv2):
    arn = shop.balancer()["LoadBalancerArn"]
    modify(elbv2, arn, idle_timeout__timeout_seconds="30", client_keep_alive__seconds="120")
    found = attributes(elbv2, arn)
    assert found["idle_timeout.timeout_seconds"] == "30"
    assert found["client_keep_alive.seconds"] == "120"
    with refused("ValidationError", "is not recognized"):
        modify(elbv2, arn, idle_timeout__timeout_seconds="31", nonsense__key="1")
    assert attributes(elbv2, arn)["idle_timeout.timeout_seconds"] == "30"
    for value in ("0", "4001", "soon"):
        with refused("ValidationError", "idle_timeout.timeout_seconds"):
            modify(elbv2, arn, idle_timeout__timeout_seconds=value)
    with refused("ValidationError", "must be 'true' or 'false'"):
        modify(elbv2, arn, deletion_protection__enabled="maybe")


def test_an_attribute_that_is_not_honoured_is_refused_by_name(shop, elbv2):
    arn = shop.balancer()["LoadBalancerArn"]
    before = attributes(elbv2, arn)
    for key, value in [("access_logs.s3.enabled", "true"), ("waf.fail_open.enabled", "true")]:
        with pytest.raises(elbv2.exceptions.ClientError) as caught:
            elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}]
            )
        assert key in caught.value.response["Error"]["Message"]
    assert attributes(elbv2, arn) == before
    # The present value of such an attribute is no change, and clients send whole sets back.
    modify(elbv2, arn, access_logs__s3__enabled="false")


@pytest.mark.parametrize(
    "key, values",
    [
        ("routing.http.desync_mitigation_mode", ("monitor", "strictest", "defensive")),
        ("routing.http.drop_invalid_header_fields.enabled", ("true", "false")),
        ("routing.http.preserve_host_header.enabled", ("true", "false")),
        ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", ("true", "false")),
        ("routing.http.xff_client_port.enabled", ("true", "false")),
        ("routing.http.xff_header_processing.mode", ("preserve", "remove", "append")),
        ("routing.http2.enabled", ("false", "true")),
    ],
)
def test_attributes_of_http_take_each_of_their_values(shop, elbv2, key, values):
    arn = shop.balancer()["LoadBalancerArn"]
    for value in values:
        modify(elbv2, arn, **{key.replace(".", "__"): value})
        assert attributes(elbv2, arn)[key] == value
    with refused("ValidationError", "maybe"):
        modify(elbv2, arn, **{key.replace(".", "__"): "maybe"})
    assert attributes(elbv2, arn)[key] == values[-1]


def test_deletion_protection(shop, elbv2):
    arn = shop.balancer()["LoadBalancerArn"]
    modify(elbv2, arn, deletion_protection__enabled="true")
    with refused("OperationNotPermitted", "deletion protection"):
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
    modify(elbv2, arn, deletion_protection__enabled="false")
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def test_security_groups_are_replaced_as_a_whole(shop, elbv2):
    balancer = shop.balancer()
    group = shop.ec2.create_security_group(GroupName=unique("group"), Description="test")["GroupId"]
    shop.undo(shop.ec2.delete_security_group, GroupId=group)
    arn = balancer["LoadBalancerArn"]
    assert elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])["SecurityGroupIds"] == [group]
    with refused("InvalidSecurityGroup"):
        elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=["sg-0123456789abcdef0"])
    [described] = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert described["SecurityGroups"] == [group]
    with refused("DependencyViolation"):
        shop.ec2.delete_security_group(GroupId=group)
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def test_tags(shop, elbv2):
    tags = [{"Key": "team", "Value": "shop"}]
    balancer = shop.balancer(Tags=tags)["LoadBalancerArn"]
    group = shop.group(Tags=tags)
    listener = shop.listener({"LoadBalancerArn": balancer}, fixed(200))
    elbv2.add_tags(ResourceArns=[balancer, listener], Tags=[{"Key": "stage", "Value": "test"}])
    elbv2.remove_tags(ResourceArns=[balancer], TagKeys=["team", "absent"])
    described = elbv2.describe_tags(ResourceArns=[balancer, group, listener])["TagDescriptions"]
    stage = [{"Key": "stage", "Value": "test"}]
    assert {one["ResourceArn"]: one["Tags"] for one in described} == {
        balancer: stage,
        group: tags,
        listener: stage,
    }
    with refused("DuplicateTagKeys"):
        elbv2.add_tags(ResourceArns=[balancer], Tags=stage + stage)
    with refused("LoadBalancerNotFound"):
        elbv2.add_tags(ResourceArns=[balancer, UNKNOWN], Tags=tags)
    too_many = [{"Key": f"key{n}", "Value": ""} for n in range(51)]
    with refused("TooManyTags"):
        elbv2.add_tags(ResourceArns=[balancer], Tags=too_many)
    with refused("ValidationError"):
        elbv2.add_tags(ResourceArns=[balancer], Tags=[{"Key": "aws:mine", "Value": ""}])
    [after] = elbv2.describe_tags(ResourceArns=[balancer])["TagDescriptions"]
    assert after["Tags"] == stage


def test_limits_are_those_of_aws(elbv2):
    limits = {one["Name"]: one["Max"] for one in elbv2.describe_account_limits()["Limits"]}
    assert limits["application-load-balancers"] == "50"
    assert limits["rules-per-application-load-balancer"] == "100"
    assert limits["target-groups"] == "3000"


def test_zones_can_be_changed(shop, elbv2):
    block = f"127.{shop.elbow.network.second}.3.0/24"
    extra = shop.ec2.create_subnet(
        VpcId=shop.vpc, CidrBlock=block, AvailabilityZone="us-east-1b"
    )["Subnet"]["SubnetId"]
    balancer = shop.balancer()
    arn, (first, second) = balancer["LoadBalancerArn"], shop.subnets
    before = shop.addresses(balancer)
    changed = elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[first, extra])["AvailabilityZones"]
    assert {zone["SubnetId"] for zone in changed} == {first, extra}
    after = shop.addresses(balancer)
    assert after[0] == before[0], "a zone that stays keeps its address"
    assert after[1].startswith(block.removesuffix("0/24"))
    with refused("InvalidConfigurationRequest", "multiple subnets in the same Availability Zone"):
        elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[first, second, extra])


def test_a_load_balancer_takes_its_listeners_and_leaves_its_target_groups(shop, elbv2):
    group = shop.group()
    balancer = shop.balancer()
    listener = shop.listener(balancer, forward(group))
    [described] = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert described["LoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    with refused("ListenerNotFound"):
        elbv2.describe_listeners(ListenerArns=[listener])
    [described] = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert described["LoadBalancerArns"] == []

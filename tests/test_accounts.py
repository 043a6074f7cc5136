"""Several accounts in one elbow: made with the real command, each with keys, resources and addresses of its own."""

import json

import pytest

from harness import http
from harness.elbow import AwsError
from harness.errors import refused
from harness.key import Key
from harness.network import Network
from harness.shop import Shop, forward
from harness.target import Target
from harness.wait import until

FIRST = "123456789012"
OTHER = "210987654321"


@pytest.fixture
def other_network():
    with Network.claim() as network:
        yield network


@pytest.fixture
def two(make_elbow, other_network):
    """An elbow with a second account, and a key of that one."""
    elbow = make_elbow()
    elbow.run("account", "create", OTHER, "--vpc-cidr", other_network.vpc)
    return elbow, Key(elbow, "--account", OTHER, "--name", "ci")


def serve(who, address, name):
    """A load balancer of the name `shop` with a target that answers `name`; its description."""
    shop = Shop(who)
    group = shop.group(Target(address, name), Name="shop")
    balancer = shop.balancer(Name="shop")
    shop.listener(balancer, forward(group))
    return shop, balancer


def addresses(who, balancer):
    """The addresses of a load balancer, as its network interfaces have them."""
    name = balancer["LoadBalancerArn"].split(":loadbalancer/")[1]
    wanted = [{"Name": "description", "Values": [f"ELB {name}"]}]
    found = who.client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    return [interface["PrivateIpAddress"] for interface in found]


def answers(shop, who, balancer, name):
    def all_answer():
        found = addresses(who, balancer)
        return [http.get(it, port=shop.port).body for it in found] == [name.encode()] * 2

    until(all_answer, f"{name} to answer at both addresses")


def test_two_accounts_serve_side_by_side(two, other_network):
    elbow, key = two
    target_of_first = elbow.network.free_host(0)
    target_of_other = other_network.free_host(0)
    shop, balancer = serve(elbow, target_of_first, "first")
    shop_of_other, balancer_of_other = serve(key, target_of_other, "other")
    # The same names, and two load balancers.
    assert f":{FIRST}:loadbalancer/app/shop/" in balancer["LoadBalancerArn"]
    assert f":{OTHER}:loadbalancer/app/shop/" in balancer_of_other["LoadBalancerArn"]
    assert balancer["DNSName"] != balancer_of_other["DNSName"]
    answers(shop, elbow, balancer, "first")
    answers(shop_of_other, key, balancer_of_other, "other")
    # Neither knows of the other.
    for client, mine, foreign in [
        (shop.elbv2, balancer, balancer_of_other),
        (shop_of_other.elbv2, balancer_of_other, balancer),
    ]:
        found = client.describe_load_balancers()["LoadBalancers"]
        assert [it["LoadBalancerArn"] for it in found] == [mine["LoadBalancerArn"]]
        for call in (
            lambda: client.describe_load_balancers(LoadBalancerArns=[foreign["LoadBalancerArn"]]),
            lambda: client.delete_load_balancer(LoadBalancerArn=foreign["LoadBalancerArn"]),
        ):
            with refused("ValidationError", f"'{foreign['LoadBalancerArn']}' is not a valid load balancer ARN"):
                call()
    vpcs = {vpc["VpcId"]: vpc["CidrBlock"] for vpc in shop.ec2.describe_vpcs()["Vpcs"]}
    vpcs_of_other = key.client("ec2").describe_vpcs()["Vpcs"]
    assert [vpc["CidrBlock"] for vpc in vpcs_of_other] == [other_network.vpc]
    assert not vpcs.keys() & {vpc["VpcId"] for vpc in vpcs_of_other}
    assert {vpc["OwnerId"] for vpc in vpcs_of_other} == {OTHER}
    # A change of one is none of the other's.
    shop.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    answers(shop_of_other, key, balancer_of_other, "other")


def test_accounts_survive_a_crash(two, other_network):
    elbow, key = two
    shop, balancer = serve(key, other_network.free_host(0), "other")
    answers(shop, key, balancer, "other")
    elbow.kill()
    elbow.start()
    assert key.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{OTHER}:user/ci"
    answers(shop, key, balancer, "other")
    listed = elbow.run("account", "list").split("\t")
    assert listed[:2] == [OTHER, other_network.vpc]


def test_the_commands_act_in_the_account_that_they_are_told(two, other_network):
    elbow, key = two
    shop, balancer = serve(key, other_network.free_host(0), "other")
    name = balancer["DNSName"]
    assert elbow.run("hosts") == ""
    in_other = elbow.run("hosts", "--account", OTHER)
    assert [line.split()[1] for line in in_other.splitlines()] == [name, name]
    until(lambda: "healthy" in elbow.run("status", "--account", OTHER), "a healthy target")
    assert "shop" not in elbow.run("status")
    url = f"http://{name}:{shop.port}/"
    explained = json.loads(elbow.run("explain", "GET", url, "--account", OTHER, "--json"))
    assert f":{OTHER}:listener/app/shop/" in explained["listener"]
    with pytest.raises(AssertionError, match="no load balancer"):
        elbow.run("explain", "GET", url)
    with pytest.raises(AssertionError, match="There is no account 111111111111; make it with"):
        elbow.run("status", "--account", "111111111111")
    with pytest.raises(AssertionError, match="exactly 12 digits"):
        elbow.run("status", "--account", "shop")
    keys = [line.split("\t") for line in elbow.run("key", "list").splitlines()]
    assert [(id, account) for id, _, _, _, account in keys] == [(key.id, OTHER)]
    # The names of users are each account's own.
    assert Key(elbow, "--name", "ci").client("sts").get_caller_identity()["Account"] == FIRST
    key.revoke()
    with refused("InvalidClientTokenId", status=403):
        key.client("sts").get_caller_identity()


def test_the_audit_log_says_whose_account_it_was(two):
    elbow, key = two
    key.client("elbv2").describe_load_balancers()
    elbow.run("status", "--account", OTHER)
    records = map(json.loads, (elbow.data / "audit.log").read_text().splitlines())
    of_other = [it for it in records if it["recipientAccountId"] == OTHER]
    arns = {it["userIdentity"]["arn"] for it in of_other}
    assert arns == {f"arn:aws:iam::{OTHER}:user/ci", f"arn:aws:iam::{OTHER}:root"}
    assert {it["userIdentity"]["accountId"] for it in of_other} == {OTHER}


def test_accounts_are_for_the_operator_to_make(two, other_network):
    elbow, key = two
    for arguments, reason in [
        ([OTHER], f"There is an account {OTHER} already"),
        ([FIRST], f"There is an account {FIRST} already"),
        (["111111111111", "--vpc-cidr", other_network.vpc], "overlaps"),
        (["111111111111", "--vpc-cidr", "10.0.0.0/16"], "not in 127.0.0.0/8"),
        (["12"], "exactly 12 digits"),
    ]:
        with pytest.raises(AssertionError, match=reason):
            elbow.run("account", "create", *arguments)
    assert len(elbow.run("account", "list").splitlines()) == 1


def test_the_aws_command_with_a_key_of_another_account(two, other_network):
    elbow, key = two
    environment = {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}
    vpc = key.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    create = ["elbv2", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "80"]
    with pytest.raises(AwsError) as caught:
        elbow.aws(*create, "--vpc-id", vpc)
    assert "is not" in str(caught.value), "the VPC is one of the other account"
    made = elbow.aws(*create, "--vpc-id", vpc, environment=environment)
    assert f":{OTHER}:targetgroup/web/" in made["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(AwsError) as caught:
        elbow.aws("elbv2", "describe-target-groups", "--names", "web")
    assert caught.value.code == "TargetGroupNotFound"

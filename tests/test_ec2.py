"""The EC2 inventory: networks, security groups, instances, interfaces; filters and pages as EC2 does them."""

import pytest

from harness.errors import refused
from harness.shop import fixed, unique


def test_the_default_network_is_there_from_the_start(ec2, elbow):
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    assert vpc["IsDefault"] and vpc["CidrBlock"] == elbow.network.vpc
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-east-1a", "us-east-1b"]
    by_default = [{"Name": "default-for-az", "Values": ["true"]}]
    subnets = ec2.describe_subnets(Filters=by_default)["Subnets"]
    found = {(subnet["AvailabilityZone"], subnet["CidrBlock"]) for subnet in subnets}
    assert found == set(elbow.network.zones)
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    named = [{"Name": "group-name", "Values": ["default"]}]
    [group] = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    assert group["VpcId"] == vpc["VpcId"]


def test_filters_combine_and_have_wildcards(ec2):
    def zones(*filters):
        found = ec2.describe_subnets(Filters=[{"Name": n, "Values": v} for n, v in filters])["Subnets"]
        return {subnet["AvailabilityZone"] for subnet in found}

    default = ("default-for-az", ["true"])
    assert zones(default, ("availability-zone", ["us-east-1a"])) == {"us-east-1a"}
    assert zones(default, ("availability-zone", ["us-east-1a", "us-east-1b"])) == {"us-east-1a", "us-east-1b"}
    assert zones(default, ("availability-zone", ["us-east-1?"])) == {"us-east-1a", "us-east-1b"}
    assert zones(default, ("availability-zone", ["eu-*"])) == set()
    with refused("InvalidParameterValue", "colour"):
        zones(("colour", ["red"]))


@pytest.fixture
def group(shop):
    made = shop.ec2.create_security_group(
        GroupName=unique("group"), Description="test", VpcId=shop.vpc
    )["GroupId"]
    shop.undo(shop.ec2.delete_security_group, GroupId=made)
    return made


def web(port=80, cidr="0.0.0.0/0"):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}]


def ingress(ec2, group):
    [described] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return {
        (permission["IpProtocol"], permission.get("FromPort"), block["CidrIp"])
        for permission in described["IpPermissions"]
        for block in permission["IpRanges"]
    }


def test_rules_of_a_security_group(ec2, group):
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=web())
    assert made["Return"] and len(made["SecurityGroupRules"]) == 1
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=web(443, "10.0.0.0/8"))
    assert ingress(ec2, group) == {("tcp", 80, "0.0.0.0/0"), ("tcp", 443, "10.0.0.0/8")}
    with refused("InvalidPermission.Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=web())
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert sum(not rule["IsEgress"] for rule in rules) == 2
    assert sum(rule["IsEgress"] for rule in rules) == 1, "everything may go out, as on AWS"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=web())
    assert ingress(ec2, group) == {("tcp", 443, "10.0.0.0/8")}


def test_security_groups_that_are_refused(ec2, shop, group):
    [described] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    with refused("InvalidGroup.Duplicate"):
        ec2.create_security_group(
            GroupName=described["GroupName"], Description="again", VpcId=shop.vpc
        )
    with refused("InvalidGroup.NotFound", "sg-0123456789abcdef0"):
        ec2.delete_security_group(GroupId="sg-0123456789abcdef0")
    with refused("InvalidGroupId.Malformed"):
        ec2.describe_security_groups(GroupIds=["nonsense"])
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=web(cidr="10.0.0.0/33"))
    assert ingress(ec2, group) == set()
    default = [{"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=default)["SecurityGroups"][0]["GroupId"]
    with refused("CannotDelete"):
        ec2.delete_security_group(GroupId=default)


def test_the_life_of_an_instance(ec2, shop, elbow):
    address, name = elbow.network.free_host(0), unique("machine")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    made = ec2.run_instances(
        MinCount=1, MaxCount=1, SubnetId=shop.subnets[0], PrivateIpAddress=address, TagSpecifications=tags
    )["Instances"][0]
    instance = made["InstanceId"]
    assert made["PrivateIpAddress"] == address
    with refused("InvalidIPAddress.InUse"):
        ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=shop.subnets[0], PrivateIpAddress=address)
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "stage", "Value": "test"}])
    by_name = [{"Name": "tag:Name", "Values": [name]}]
    [reservation] = ec2.describe_instances(Filters=by_name)["Reservations"]
    [described] = reservation["Instances"]
    assert described["InstanceId"] == instance
    assert described["State"]["Name"] == "running"
    assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == {"Name": name, "stage": "test"}
    ended = ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]
    assert ended["PreviousState"]["Name"] == "running"
    again = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=shop.subnets[0], PrivateIpAddress=address)
    shop.undo(ec2.terminate_instances, InstanceIds=[again["Instances"][0]["InstanceId"]])


def test_instances_that_are_refused(ec2, shop):
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=shop.subnets[0], PrivateIpAddress="10.1.1.1")
    with refused("InvalidInstanceID.NotFound", "i-0123456789abcdef0"):
        ec2.terminate_instances(InstanceIds=["i-0123456789abcdef0"])
    with refused("InvalidInstanceID.Malformed"):
        ec2.describe_instances(InstanceIds=["nonsense"])
    with refused("InvalidSubnetID.NotFound"):
        ec2.run_instances(
            MinCount=1, MaxCount=1, SubnetId="subnet-0123456789abcdef0", PrivateIpAddress="10.1.1.1"
        )


def test_pages_hold_everything_once(ec2, shop, elbow):
    made = set()
    for _ in range(7):
        run = ec2.run_instances(
            MinCount=1, MaxCount=1, SubnetId=shop.subnets[1], PrivateIpAddress=elbow.network.free_host(1)
        )
        made.add(run["Instances"][0]["InstanceId"])
    shop.undo(ec2.terminate_instances, InstanceIds=sorted(made))
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    found = [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
    assert len(found) == len(set(found))
    assert made <= set(found)


def test_a_load_balancers_interfaces(ec2, shop):
    balancer = shop.balancer()
    shop.listener(balancer, fixed(200))
    name = balancer["LoadBalancerArn"].split(":loadbalancer/")[1]
    filters = [{"Name": "description", "Values": [f"ELB {name}"]}]
    interfaces = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert {i["SubnetId"] for i in interfaces} == set(shop.subnets)
    assert {i["Status"] for i in interfaces} == {"in-use"}
    for interface in interfaces:
        assert [g["GroupId"] for g in interface["Groups"]] == balancer["SecurityGroups"]
    taken = interfaces[0]
    with refused("InvalidIPAddress.InUse"):
        ec2.run_instances(
            MinCount=1,
            MaxCount=1,
            SubnetId=taken["SubnetId"],
            PrivateIpAddress=taken["PrivateIpAddress"],
        )


def test_operations_that_elbow_does_not_have_are_refused_by_name(ec2):
    with refused("InvalidAction", "CreateVolume"):
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)


def test_options_that_are_not_honoured_are_refused_by_name(ec2, shop, elbow):
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.run_instances(
            MinCount=1,
            MaxCount=1,
            SubnetId=shop.subnets[0],
            PrivateIpAddress=elbow.network.free_host(0),
            UserData="echo hello",
        )
    assert "UserData" in caught.value.response["Error"]["Message"]

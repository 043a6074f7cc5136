"""Instances as the `aws` command and the SDKs launch, wait for, change and read them."""

import pytest

from harness.elbow import AwsError
from harness.errors import refused
from harness.http import get
from harness.shop import forward, unique
from harness.target import Target


@pytest.fixture
def run(elbow, shop):
    """Runs `aws ec2 run-instances` with these arguments; terminates the instances after the test."""

    def launch(*arguments, image="ami-0123456789abcdef0"):
        image = ["--image-id", image, "--instance-type", "t3.micro"]
        made = elbow.aws("ec2", "run-instances", *image, *arguments)
        ids = [instance["InstanceId"] for instance in made["Instances"]]
        shop.undo(shop.ec2.terminate_instances, InstanceIds=ids)
        return made

    return launch


@pytest.fixture
def group(shop):
    made = shop.ec2.create_security_group(GroupName=unique("group"), Description="test", VpcId=shop.vpc)
    shop.undo(shop.ec2.delete_security_group, GroupId=made["GroupId"])
    return made["GroupId"]


def test_instances_without_addresses_serve_at_those_they_get(ec2, elbv2, shop, run):
    made = run("--count", "2", "--subnet-id", shop.subnets[0])
    addresses = {i["InstanceId"]: i["PrivateIpAddress"] for i in made["Instances"]}
    assert len(set(addresses.values())) == 2
    assert [i["AmiLaunchIndex"] for i in made["Instances"]] == [0, 1]
    [reservation] = ec2.describe_instances(InstanceIds=list(addresses))["Reservations"]
    assert reservation["ReservationId"] == made["ReservationId"]
    assert {i["InstanceId"]: i["PrivateIpAddress"] for i in reservation["Instances"]} == addresses
    servers = [Target(address, name) for name, address in addresses.items()]
    try:
        group = shop.group(TargetType="instance", Port=servers[0].port)
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": i} for i in addresses])
        balancer = shop.balancer()
        shop.listener(balancer, forward(group))
        shop.wait_for_state(group, "healthy")
        answers = {get(shop.addresses(balancer)[0], port=shop.port).text for _ in range(4)}
        assert answers == set(addresses), "each serves at the address that it was given"
    finally:
        for server in servers:
            server.close()


def test_a_launch_without_a_subnet_goes_to_a_default_one(shop, run):
    zones = {run("--placement", f"AvailabilityZone=us-east-1{letter}")["Instances"][0]["SubnetId"] for letter in "ab"}
    assert zones == set(shop.subnets)


def test_a_launch_that_the_subnet_has_no_room_for(ec2, shop):
    with refused("InsufficientFreeAddressesInSubnet", shop.subnets[0]):
        ec2.run_instances(MinCount=255, MaxCount=255, SubnetId=shop.subnets[0])
    with refused("InvalidParameterCombination", "PrivateIpAddress"):
        ec2.run_instances(MinCount=1, MaxCount=2, SubnetId=shop.subnets[0], PrivateIpAddress="127.0.0.1")


def test_the_waiters_for_instances(ec2, elbow, run):
    [instance] = run()["Instances"]
    instance = instance["InstanceId"]

    def status(*filters):
        filters = [{"Name": name, "Values": [value]} for name, value in filters]
        found = ec2.describe_instance_status(
            InstanceIds=[instance], Filters=filters, IncludeAllInstances=True
        )
        return found["InstanceStatuses"]

    for waiter in ["instance-exists", "instance-running", "instance-status-ok", "system-status-ok"]:
        elbow.aws("ec2", "wait", waiter, "--instance-ids", instance)
    [shown] = status()
    passed = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
    assert shown["InstanceStatus"] == shown["SystemStatus"] == passed
    ec2.stop_instances(InstanceIds=[instance])
    elbow.aws("ec2", "wait", "instance-stopped", "--instance-ids", instance)
    [shown] = status()
    assert shown["InstanceStatus"] == shown["SystemStatus"] == {"Status": "not-applicable"}
    for name in ["instance-status", "system-status"]:
        assert not status((f"{name}.reachability", "passed"))
        assert status((f"{name}.status", "not-applicable"))
    ec2.terminate_instances(InstanceIds=[instance])
    elbow.aws("ec2", "wait", "instance-terminated", "--instance-ids", instance)


def test_what_is_asked_of_an_instance_that_is_so_already(ec2, elbow, run):
    [instance] = run()["Instances"]
    instance = instance["InstanceId"]
    elbow.aws("ec2", "modify-instance-attribute", "--instance-id", instance, "--no-ebs-optimized")
    elbow.aws("ec2", "modify-instance-attribute", "--instance-id", instance, "--source-dest-check")
    with refused("UnsupportedOperation", "EbsOptimized"):
        ec2.modify_instance_attribute(InstanceId=instance, EbsOptimized={"Value": True})
    elbow.aws("ec2", "stop-instances", "--instance-ids", instance, "--force")
    [shown] = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert shown["State"]["Name"] == "stopped"


def test_an_address_without_a_public_one(elbow, shop, run, group):
    address = elbow.network.free_host(0)
    place = ["--subnet-id", shop.subnets[0], "--private-ip-address", address, "--security-group-ids", group]
    [made] = run(*place, "--no-associate-public-ip-address")["Instances"]
    assert made["PrivateIpAddress"] == address
    assert [carried["GroupId"] for carried in made["SecurityGroups"]] == [group]
    [drawn] = run("--subnet-id", shop.subnets[0], "--no-associate-public-ip-address")["Instances"]
    assert drawn["SubnetId"] == shop.subnets[0]
    with pytest.raises(AwsError, match="AssociatePublicIpAddress"):
        run(*place, "--associate-public-ip-address")


def test_what_machines_have_that_elbow_does_not_start(ec2, elbow, run):
    [instance] = run()["Instances"]
    of_instance = [{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
    assert ec2.describe_volumes(Filters=of_instance)["Volumes"] == []
    assert ec2.describe_images(Owners=["self", "amazon"])["Images"] == []
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    for code, call, named in [
        ("InvalidVolume.NotFound", ec2.describe_volumes, {"VolumeIds": ["vol-0123456789abcdef0"]}),
        ("InvalidAMIID.NotFound", ec2.describe_images, {"ImageIds": [instance["ImageId"]]}),
        ("InvalidSnapshot.NotFound", ec2.describe_snapshots, {"SnapshotIds": ["snap-0123456789abcdef0"]}),
        ("InvalidKeyPair.NotFound", ec2.describe_key_pairs, {"KeyNames": ["mine"]}),
    ]:
        with refused(code):
            call(**named)
    elbow.aws("ec2", "wait", "volume-deleted", "--volume-ids", "vol-0123456789abcdef0")


def test_what_tools_read_of_an_instance_and_its_interface(ec2, run):
    [made] = run()["Instances"]
    interface = made["NetworkInterfaces"][0]
    dashed = made["PrivateIpAddress"].replace(".", "-")
    assert made["PrivateDnsName"] == interface["PrivateDnsName"] == f"ip-{dashed}.ec2.internal"
    assert made["BlockDeviceMappings"] == made["ProductCodes"] == []
    assert not made["HibernationOptions"]["Configured"] and not made["EnclaveOptions"]["Enabled"]
    first, *rest = bytes.fromhex(interface["MacAddress"].replace(":", ""))
    assert first & 3 == 2 and len(rest) == 5, "of a single interface, administered locally"
    for call, items, prefix in [
        (ec2.describe_network_interfaces, "NetworkInterfaces", ""),
        (ec2.describe_instances, "Reservations", "network-interface."),
    ]:
        for name, value in [("mac-address", interface["MacAddress"]), ("private-dns-name", made["PrivateDnsName"])]:
            found = call(Filters=[{"Name": prefix + name, "Values": [value]}])[items]
            assert len(found) == 1, (prefix, name)
    [shown] = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface["NetworkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert shown["MacAddress"] == interface["MacAddress"]
    assert shown["PrivateDnsName"] == made["PrivateDnsName"]


def test_tags_of_an_instance_and_of_its_interface(ec2, run):
    tags = "Tags=[{{Key=Name,Value={}}}]"
    instance, interface, volume, spot = (
        f"ResourceType={kind}," + tags.format(value)
        for kind, value in [
            ("instance", "web"),
            ("network-interface", "front"),
            ("volume", "root"),
            ("spot-instances-request", "cheap"),
        ]
    )
    [made] = run("--tag-specifications", instance, interface, volume)["Instances"]
    assert made["Tags"] == [{"Key": "Name", "Value": "web"}]
    [shown] = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[made["NetworkInterfaces"][0]["NetworkInterfaceId"]]
    )["NetworkInterfaces"]
    assert shown["TagSet"] == [{"Key": "Name", "Value": "front"}]
    with pytest.raises(AwsError, match="spot-instances-request"):
        run("--tag-specifications", instance, spot)

"""The network around a load balancer, as Terraform, CDK and the console build it and ask about it."""

import botocore.config
import pytest

from harness.errors import refused
from harness.guard import Guard, is_answered, tcp
from harness.http import get
from harness.shop import fixed, forward, unique

# A block outside of every network that the tests of this machine have.
BLOCK = "10.77.0.0/16"
# EC2 API, `DescribeInstanceTypes`, `InstanceTypes`.
TYPES_PER_CALL_MAX = 100


def named(name, *values):
    return {"Name": name, "Values": list(values)}


@pytest.fixture
def vpc(shop, ec2):
    """A VPC of the test's own; its id."""
    made = ec2.create_vpc(CidrBlock=BLOCK)["Vpc"]["VpcId"]
    shop.undo(ec2.delete_vpc, VpcId=made)
    return made


@pytest.fixture
def gateway(shop, ec2, vpc):
    """An internet gateway, attached to the VPC; its id."""
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    shop.undo(ec2.delete_internet_gateway, InternetGatewayId=made)
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    shop.undo(ec2.detach_internet_gateway, InternetGatewayId=made, VpcId=vpc)
    return made


@pytest.fixture
def subnets(shop, ec2, vpc):
    """A subnet of the VPC in each zone; their ids."""
    made = []
    for number, zone in enumerate(["us-east-1a", "us-east-1b"], 1):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=zone)
        made.append(subnet["Subnet"]["SubnetId"])
        shop.undo(ec2.delete_subnet, SubnetId=made[-1])
    return made


def test_what_terraform_reads_of_a_vpc(ec2, elbow, vpc):
    checked = elbow.client("ec2", config=botocore.config.Config(retries={"total_max_attempts": 1}))
    checked.get_waiter("vpc_available").wait(VpcIds=[vpc])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    shown = {
        name: ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)[name[0].upper() + name[1:]]["Value"]
        for name in ["enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"]
    }
    assert list(shown.values()) == [True, True, False], shown
    of_vpc = named("vpc-id", vpc)
    [acl] = ec2.describe_network_acls(Filters=[of_vpc, named("default", "true")])["NetworkAcls"]
    assert acl["IsDefault"] and acl["VpcId"] == vpc
    main = [of_vpc, named("association.main", "true")]
    [table] = ec2.describe_route_tables(Filters=main)["RouteTables"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    default = [of_vpc, named("group-name", "default")]
    [group] = ec2.describe_security_groups(Filters=default)["SecurityGroups"]
    [rule] = group["IpPermissions"]
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [group["GroupId"]]
    assert rule["IpRanges"] == [], "other than that of the default VPC, it admits its members alone"


def test_a_vpc_cannot_go_before_what_is_in_it(ec2, vpc, gateway, subnets):
    with refused("DependencyViolation", vpc):
        ec2.delete_vpc(VpcId=vpc)
    with refused("DefaultVpcAlreadyExists"):
        ec2.create_default_vpc()
    with refused("DryRunOperation", status=412):
        ec2.create_vpc(CidrBlock=BLOCK, DryRun=True)
    with refused("InvalidVpc.Range"):
        ec2.create_vpc(CidrBlock="10.0.0.0/8")


def test_limits_are_settings(make_elbow):
    ec2 = make_elbow(arguments=["--limit", "vpcs=2", "--limit", "internet-gateways=1"]).client("ec2")
    ec2.create_vpc(CidrBlock=BLOCK)
    with refused("VpcLimitExceeded", "has been reached: 2"):
        ec2.create_vpc(CidrBlock=BLOCK)
    with refused("InternetGatewayLimitExceeded", "has been reached: 1"):
        ec2.create_internet_gateway()


def test_a_public_subnet(ec2, shop, vpc, gateway, subnets):
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    shop.undo(ec2.delete_route_table, RouteTableId=table)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])["AssociationId"]
    shop.undo(ec2.disassociate_route_table, AssociationId=association)
    ec2.modify_subnet_attribute(SubnetId=subnets[0], MapPublicIpOnLaunch={"Value": True})
    [subnet] = ec2.describe_subnets(SubnetIds=[subnets[0]])["Subnets"]
    assert subnet["MapPublicIpOnLaunch"]
    by_subnet = [named("association.subnet-id", subnets[0])]
    [found] = ec2.describe_route_tables(Filters=by_subnet)["RouteTables"]
    assert found["RouteTableId"] == table
    assert {(r["DestinationCidrBlock"], r["State"]) for r in found["Routes"]} == {
        (BLOCK, "active"),
        ("0.0.0.0/0", "active"),
    }
    with refused("DependencyViolation", table):
        ec2.delete_route_table(RouteTableId=table)


def test_a_load_balancer_where_this_machine_has_no_addresses(elbv2, shop, vpc, gateway, subnets):
    balancer = shop.balancer(Subnets=subnets)
    assert balancer["VpcId"] == vpc
    with pytest.raises(elbv2.exceptions.ClientError) as caught:
        shop.listener(balancer, fixed(200))
    assert "10.77." in str(caught.value), "the refusal names the address that cannot be listened on"


def test_a_load_balancer_needs_a_gateway_to_face_the_internet(elbv2, shop, vpc, subnets):
    with refused("InvalidSubnet", "has no internet gateway"):
        elbv2.create_load_balancer(Name=unique("lb"), Subnets=subnets)
    shop.balancer(Subnets=subnets, Scheme="internal")


def test_what_there_is_none_of(ec2):
    assert ec2.describe_nat_gateways()["NatGateways"] == []
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] == []
    assert ec2.describe_vpn_gateways()["VpnGateways"] == []
    assert ec2.describe_dhcp_options()["DhcpOptions"] == []
    with refused("NatGatewayNotFound"):
        ec2.describe_nat_gateways(NatGatewayIds=["nat-0123456789abcdef0"])
    with refused("InvalidAction", "CreateNatGateway"):
        ec2.create_nat_gateway(SubnetId="subnet-0123456789abcdef0")


def test_prefix_lists_in_pages_and_at_the_listener(ec2, elbow, shop):
    client = f"127.{elbow.network.second}.1.200"
    made = ec2.create_managed_prefix_list(
        PrefixListName=unique("offices"), AddressFamily="IPv4", MaxEntries=5
    )["PrefixList"]["PrefixListId"]
    shop.undo(ec2.delete_managed_prefix_list, PrefixListId=made)
    guard = Guard(shop)
    guard.admit({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": made}]})
    balancer = shop.balancer(SecurityGroups=[guard.id])
    shop.listener(balancer, fixed(200))
    address = shop.addresses(balancer)[0]
    assert not is_answered(address, shop.port, client)
    entries = [{"Cidr": f"{client}/32"}, {"Cidr": "192.0.2.0/24", "Description": "elsewhere"}]
    changed = ec2.modify_managed_prefix_list(PrefixListId=made, CurrentVersion=1, AddEntries=entries)
    assert changed["PrefixList"]["Version"] == 2
    assert is_answered(address, shop.port, client)
    pages = ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=made, PaginationConfig={"PageSize": 1}
    )
    assert [e["Cidr"] for page in pages for e in page["Entries"]] == [f"{client}/32", "192.0.2.0/24"]
    with refused("DependencyViolation"):
        ec2.delete_managed_prefix_list(PrefixListId=made)


def test_a_stopped_instance_is_out_of_use_until_it_is_started(ec2, elbow, elbv2, shop, target):
    server = target("one")
    made = ec2.run_instances(
        MinCount=1, MaxCount=1, SubnetId=shop.subnets[0], PrivateIpAddress=server.address
    )["Instances"][0]["InstanceId"]
    shop.undo(ec2.terminate_instances, InstanceIds=[made])
    group = shop.group(TargetType="instance", Port=server.port)
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": made}])
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    address = shop.addresses(balancer)[0]

    def health():
        [found] = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return found["TargetHealth"]

    shop.wait_for_state(group, "healthy")
    elbow.aws("ec2", "stop-instances", "--instance-ids", made)
    elbow.aws("ec2", "wait", "instance-stopped", "--instance-ids", made)
    assert health()["State"] == "unused"
    assert health()["Reason"] == "Target.InvalidState"
    assert health()["Description"] == "Target is in the stopped state"
    assert get(address, port=shop.port).status == 503
    [shown] = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
    assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert shown["PrivateIpAddress"] == server.address
    elbow.aws("ec2", "start-instances", "--instance-ids", made)
    elbow.aws("ec2", "wait", "instance-running", "--instance-ids", made)
    shop.wait_for_state(group, "healthy")
    assert get(address, port=shop.port).status == 200


def test_an_instance_as_terraform_registers_and_reads_it(ec2, elbow, shop):
    made = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        InstanceType="m7g.large",
        Monitoring={"Enabled": False},
        HibernationOptions={"Configured": False},
        Placement={"AvailabilityZone": "us-east-1a"},
        DisableApiTermination=True,
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": shop.subnets[0],
                "PrivateIpAddress": elbow.network.free_host(0),
            }
        ],
    )["Instances"][0]["InstanceId"]
    for name in ["disableApiStop", "instanceInitiatedShutdownBehavior", "userData"]:
        ec2.describe_instance_attribute(InstanceId=made, Attribute=name)
    types = ec2.describe_instance_types(InstanceTypes=["m7g.large"])["InstanceTypes"]
    assert not types[0]["BurstablePerformanceSupported"]
    with refused("OperationNotPermitted", "disableApiTermination"):
        ec2.terminate_instances(InstanceIds=[made])
    elbow.aws("ec2", "modify-instance-attribute", "--instance-id", made, "--no-disable-api-termination")
    ec2.terminate_instances(InstanceIds=[made])


def test_every_type_that_the_model_has_can_be_asked_for(ec2):
    names = ec2.meta.service_model.shape_for("InstanceType").enum
    for first in range(0, len(names), TYPES_PER_CALL_MAX):
        some = names[first : first + TYPES_PER_CALL_MAX]
        types = ec2.describe_instance_types(InstanceTypes=some)["InstanceTypes"]
        assert {it["InstanceType"] for it in types} == set(some)
        assert all(it["ProcessorInfo"]["SupportedArchitectures"] for it in types)


def test_rules_of_a_group_keep_their_ids(ec2, elbow, shop):
    guard = Guard(shop, tcp("10.0.0.0/8", 80, 80))
    rules = ec2.describe_security_group_rules(Filters=[named("group-id", guard.id)])["SecurityGroupRules"]
    [rule] = [rule for rule in rules if not rule["IsEgress"]]
    new = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8", "Description": "tls"}
    elbow.aws(
        "ec2",
        "modify-security-group-rules",
        "--group-id",
        guard.id,
        "--security-group-rules",
        f"SecurityGroupRuleId={rule['SecurityGroupRuleId']},SecurityGroupRule={{"
        + ",".join(f"{name}={value}" for name, value in new.items())
        + "}",
    )
    [changed] = ec2.describe_security_group_rules(
        SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
    )["SecurityGroupRules"]
    assert {name: changed[name] for name in new} == new


def test_network_interfaces_belong_to_what_has_them(ec2, elbow, shop):
    balancer = shop.balancer()
    name = balancer["LoadBalancerArn"].split(":loadbalancer/")[1]
    [one, _] = ec2.describe_network_interfaces(Filters=[named("description", f"ELB {name}")])["NetworkInterfaces"]
    ec2.create_tags(Resources=[one["NetworkInterfaceId"]], Tags=[{"Key": "of", "Value": name}])
    [tagged] = ec2.describe_network_interfaces(Filters=[named("tag:of", name)])["NetworkInterfaces"]
    assert tagged["NetworkInterfaceId"] == one["NetworkInterfaceId"]
    with refused("InvalidParameterValue", "currently in use"):
        ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])
    with refused("OperationNotPermitted", "ela-attach"):
        ec2.detach_network_interface(AttachmentId=one["Attachment"]["AttachmentId"])
    made = ec2.run_instances(
        MinCount=1, MaxCount=1, PrivateIpAddress=elbow.network.free_host(0)
    )["Instances"][0]
    shop.undo(ec2.terminate_instances, InstanceIds=[made["InstanceId"]])
    guard = Guard(shop)
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=made["NetworkInterfaces"][0]["NetworkInterfaceId"], Groups=[guard.id]
    )
    [shown] = ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"][0]["Instances"]
    assert [group["GroupId"] for group in shown["SecurityGroups"]] == [guard.id]
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def test_elastic_addresses(ec2, shop):
    made = ec2.allocate_address(Domain="vpc")
    shop.undo(ec2.release_address, AllocationId=made["AllocationId"])
    [shown] = ec2.describe_addresses(AllocationIds=[made["AllocationId"]])["Addresses"]
    assert shown["PublicIp"] == made["PublicIp"]
    attributes = ec2.describe_addresses_attribute(
        AllocationIds=[made["AllocationId"]], Attribute="domain-name"
    )["Addresses"]
    assert [a["PublicIp"] for a in attributes] == [made["PublicIp"]]
    # As Terraform's aws_eip does.
    group = shown["NetworkBorderGroup"]
    ec2.release_address(AllocationId=made["AllocationId"], NetworkBorderGroup=group)
    with refused("InvalidAllocationID.NotFound"):
        ec2.describe_addresses(AllocationIds=[made["AllocationId"]])

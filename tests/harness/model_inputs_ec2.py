"""Inputs of EC2 that fit, and the things of a network that they are about."""

import itertools

from .network import FIRST_HOST, LAST_HOST

PERMISSION = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
ANYWHERE, TYPE = "0.0.0.0/0", "m7g.large"


class Inventory:
    """One thing of each kind that stays, and any number of others that may go."""

    def __init__(self, elbow):
        self.elbow, self.ec2 = elbow, elbow.client("ec2")
        self._numbers, self._blocks, self._subnets = itertools.count(1), itertools.count(0), itertools.count(0)
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = [one["SubnetId"] for one in sorted(subnets, key=lambda one: one["AvailabilityZone"])]
        self.vpc = subnets[0]["VpcId"]
        self.group = self.security_group()
        self.instance = self.new_instance()
        interface = self.ec2.describe_network_interfaces()["NetworkInterfaces"][0]
        self.interface = interface["NetworkInterfaceId"]
        self.attachment = interface["Attachment"]["AttachmentId"]
        self.prefix_list = self.new_prefix_list()

    def name(self):
        return f"walk-{next(self._numbers)}"

    def security_group(self):
        made = self.ec2.create_security_group(GroupName=self.name(), Description="walk", VpcId=self.vpc)
        return made["GroupId"]

    def authorized(self):
        """A group with a rule each way that may go."""
        group = {"GroupId": self.security_group(), "IpPermissions": [PERMISSION]}
        self.ec2.authorize_security_group_ingress(**group)
        self.ec2.authorize_security_group_egress(**group)
        return group

    def security_group_rule(self):
        group = {"GroupId": self.security_group(), "IpPermissions": [PERMISSION]}
        [made] = self.ec2.authorize_security_group_ingress(**group)["SecurityGroupRules"]
        return made

    def new_subnet(self):
        """In a block behind those of the zones."""
        block = {"VpcId": self.vpc, "CidrBlock": self.block(), "AvailabilityZone": "us-east-1a"}
        return self.ec2.create_subnet(**block)["Subnet"]["SubnetId"]

    def block(self):
        address = self.elbow.network.vpc.split("/")[0].split(".")
        number = next(self._subnets) % 16
        return f"{address[0]}.{address[1]}.255.{16 * number}/28"

    def free_address(self):
        """One that no instance has: what is started without an address gets any that is free."""
        interfaces = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        taken = {one["PrivateIpAddress"] for one in interfaces}
        hosts = (self.elbow.network.free_host(0) for _ in range(FIRST_HOST, LAST_HOST))
        free = next((host for host in hosts if host not in taken), None)
        assert free, "instances have every address that is for targets"
        return free

    def machine(self):
        return {
            "MinCount": 1,
            "MaxCount": 1,
            "InstanceType": TYPE,
            "SubnetId": self.subnets[0],
            "PrivateIpAddress": self.free_address(),
            "SecurityGroupIds": [self.group],
        }

    def new_instance(self):
        [made] = self.ec2.run_instances(**self.machine())["Instances"]
        return made["InstanceId"]

    def stopped(self):
        instance = self.new_instance()
        self.ec2.stop_instances(InstanceIds=[instance])
        return instance

    def vpc_block(self):
        return f"10.{next(self._blocks)}.0.0/16"

    def new_vpc(self):
        return self.ec2.create_vpc(CidrBlock=self.vpc_block())["Vpc"]["VpcId"]

    def subnet_of_new_vpc(self):
        """The ids of a VPC and of its one subnet, which takes up half of it."""
        vpc = self.ec2.create_vpc(CidrBlock=self.vpc_block())["Vpc"]
        half = {"VpcId": vpc["VpcId"], "CidrBlock": vpc["CidrBlock"].replace("/16", "/17")}
        return vpc["VpcId"], self.ec2.create_subnet(**half)["Subnet"]["SubnetId"]

    def ipv6_block(self, bits):
        """A block of unique local addresses (RFC 4193)."""
        return f"fd77:0:{next(self._numbers):x}::/{bits}"

    def vpc_association(self):
        """The id of the association of a VPC with a block of IPv6."""
        block = {"VpcId": self.new_vpc(), "Ipv6CidrBlock": self.ipv6_block(56)}
        return self.ec2.associate_vpc_cidr_block(**block)["Ipv6CidrBlockAssociation"]["AssociationId"]

    def subnet_block(self):
        """A subnet, and a block of IPv6 in that of its VPC."""
        vpc, subnet = self.subnet_of_new_vpc()
        block = self.ipv6_block(56)
        self.ec2.associate_vpc_cidr_block(VpcId=vpc, Ipv6CidrBlock=block)
        return {"SubnetId": subnet, "Ipv6CidrBlock": block.replace("/56", "/64")}

    def subnet_association(self):
        made = self.ec2.associate_subnet_cidr_block(**self.subnet_block())["Ipv6CidrBlockAssociation"]
        return made["AssociationId"]

    def gateway(self):
        return self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]

    def attachable(self):
        return {"InternetGatewayId": self.gateway(), "VpcId": self.new_vpc()}

    def attached(self):
        both = self.attachable()
        self.ec2.attach_internet_gateway(**both)
        return both

    def route_table(self, vpc=None):
        return self.ec2.create_route_table(VpcId=vpc or self.new_vpc())["RouteTable"]["RouteTableId"]

    def route(self):
        """What leads out of a VPC by its gateway."""
        both = self.attached()
        table = self.route_table(both["VpcId"])
        return {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE, "GatewayId": both["InternetGatewayId"]}

    def routed(self):
        route = self.route()
        self.ec2.create_route(**route)
        return route

    def associable(self):
        vpc, subnet = self.subnet_of_new_vpc()
        return {"RouteTableId": self.route_table(vpc), "SubnetId": subnet}

    def association(self):
        return self.ec2.associate_route_table(**self.associable())["AssociationId"]

    def other_association(self):
        """An association, and another route table of its VPC."""
        both = self.associable()
        association = self.ec2.associate_route_table(**both)["AssociationId"]
        [subnet] = self.ec2.describe_subnets(SubnetIds=[both["SubnetId"]])["Subnets"]
        return {"AssociationId": association, "RouteTableId": self.route_table(subnet["VpcId"])}

    def no_addresses(self):
        """Makes room for new elastic addresses, of which there are only a few."""
        for one in self.ec2.describe_addresses()["Addresses"]:
            self.ec2.release_address(AllocationId=one["AllocationId"])

    def allocation(self):
        self.no_addresses()
        return self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    def no_prefix_lists(self):
        for one in self.ec2.describe_managed_prefix_lists()["PrefixLists"]:
            if one["PrefixListName"].startswith("walk-") and one["PrefixListId"] != self.prefix_list:
                self.ec2.delete_managed_prefix_list(PrefixListId=one["PrefixListId"])

    def new_prefix_list(self):
        made = self.ec2.create_managed_prefix_list(**prefix_list(self))["PrefixList"]
        return made["PrefixListId"]


def tags():
    return [{"Key": "team", "Value": "blue"}]


def tagged(kind):
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags()}]}


def filters(name="vpc-id", values=("vpc-*",)):
    return {"Filters": [{"Name": name, "Values": list(values)}]}


def absent(name="tag:team"):
    """What there is none of is looked for, as an id would not be found."""
    return filters(name, ["blue"]) | {"MaxResults": 5}


def prefix_list(things):
    return {
        "PrefixListName": things.name(),
        "AddressFamily": "IPv4",
        "MaxEntries": 5,
        "Entries": [{"Cidr": "192.0.2.0/24", "Description": "walk"}],
        **tagged("prefix-list"),
    }


def new_list(things):
    things.no_prefix_lists()
    return prefix_list(things)


def elastic_address(things):
    things.no_addresses()
    return {"Domain": "vpc", **tagged("elastic-ip")}


def rule_change(things):
    rule = things.security_group_rule()
    request = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8", "Description": "walk"}
    changes = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": request}]
    return {"GroupId": rule["GroupId"], "SecurityGroupRules": changes}


EC2 = {
    "AllocateAddress": elastic_address,
    "AssociateRouteTable": Inventory.associable,
    "AssociateSubnetCidrBlock": Inventory.subnet_block,
    "AssociateVpcCidrBlock": lambda it: {"VpcId": it.new_vpc(), "Ipv6CidrBlock": it.ipv6_block(56)},
    "AttachInternetGateway": Inventory.attachable,
    "AuthorizeSecurityGroupEgress": lambda it: {"GroupId": it.security_group(), "IpPermissions": [PERMISSION]},
    "AuthorizeSecurityGroupIngress": lambda it: {"GroupId": it.security_group(), "IpPermissions": [PERMISSION]},
    "CreateInternetGateway": lambda it: tagged("internet-gateway"),
    "CreateManagedPrefixList": new_list,
    "CreateRoute": Inventory.route,
    "CreateRouteTable": lambda it: {"VpcId": it.new_vpc(), **tagged("route-table")},
    "CreateSecurityGroup": lambda it: {"GroupName": it.name(), "Description": "walk", "VpcId": it.vpc},
    "CreateSubnet": lambda it: {"VpcId": it.vpc, "CidrBlock": it.block(), "AvailabilityZone": "us-east-1a"},
    "CreateTags": lambda it: {"Resources": [it.group, it.vpc], "Tags": tags()},
    "CreateVpc": lambda it: {"CidrBlock": it.vpc_block(), "InstanceTenancy": "default", **tagged("vpc")},
    "DeleteInternetGateway": lambda it: {"InternetGatewayId": it.gateway()},
    "DeleteManagedPrefixList": lambda it: {"PrefixListId": it.new_prefix_list()},
    "DeleteRoute": lambda it: {key: value for key, value in it.routed().items() if key != "GatewayId"},
    "DeleteRouteTable": lambda it: {"RouteTableId": it.route_table()},
    "DeleteSecurityGroup": lambda it: {"GroupId": it.security_group()},
    "DeleteSubnet": lambda it: {"SubnetId": it.new_subnet()},
    "DeleteTags": lambda it: {"Resources": [it.group], "Tags": tags()},
    "DeleteVpc": lambda it: {"VpcId": it.new_vpc()},
    "DescribeAccountAttributes": lambda it: {"AttributeNames": ["supported-platforms"]},
    "DescribeAddresses": lambda it: {"AllocationIds": [it.allocation()]} | filters("domain", ["vpc"]),
    "DescribeAddressesAttribute": lambda it: {"AllocationIds": [it.allocation()], "Attribute": "domain-name"},
    "DescribeAvailabilityZones": lambda it: filters("zone-name", ["us-east-1a"]),
    "DescribeDhcpOptions": lambda it: absent(),
    "DescribeEgressOnlyInternetGateways": lambda it: absent(),
    "DescribeImages": lambda it: absent() | {"Owners": ["self"]},
    "DescribeInstanceAttribute": lambda it: {"InstanceId": it.instance, "Attribute": "groupSet"},
    "DescribeInstanceCreditSpecifications": lambda it: filters("instance-id", [it.instance]),
    "DescribeInstanceStatus": lambda it: {"InstanceIds": [it.instance]},
    "DescribeInstanceTypeOfferings": lambda it: filters("instance-type", [TYPE]) | {"LocationType": "region"},
    "DescribeInstanceTypes": lambda it: {"InstanceTypes": [TYPE]},
    "DescribeInstances": lambda it: {"InstanceIds": [it.instance]} | filters(),
    "DescribeInternetGateways": lambda it: filters("attachment.vpc-id"),
    "DescribeKeyPairs": lambda it: filters("tag:team", ["blue"]),
    "DescribeManagedPrefixLists": lambda it: {"PrefixListIds": [it.prefix_list]} | filters("prefix-list-name", ["*"]),
    "DescribeNatGateways": lambda it: {"Filter": [{"Name": "vpc-id", "Values": [it.vpc]}], "MaxResults": 5},
    "DescribeNetworkAcls": lambda it: filters() | {"MaxResults": 5},
    "DescribeNetworkInterfaces": lambda it: {"NetworkInterfaceIds": [it.interface]} | filters(),
    "DescribePrefixLists": lambda it: filters("prefix-list-name", ["com.amazonaws.us-east-1.s3"]) | {"MaxResults": 5},
    "DescribeRegions": lambda it: {"RegionNames": ["us-east-1"]},
    "DescribeRouteTables": lambda it: {"RouteTableIds": [it.route_table()]} | filters(),
    "DescribeSecurityGroupReferences": lambda it: {"GroupId": [it.group]},
    "DescribeSecurityGroupRules": lambda it: filters("group-id", [it.group]) | {"MaxResults": 5},
    "DescribeSecurityGroups": lambda it: {"GroupIds": [it.group]} | filters(),
    "DescribeSnapshots": lambda it: absent() | {"OwnerIds": ["self"]},
    "DescribeStaleSecurityGroups": lambda it: {"VpcId": it.vpc, "MaxResults": 5},
    "DescribeSubnets": lambda it: {"SubnetIds": [it.subnets[0]]} | filters(),
    "DescribeTags": lambda it: filters("resource-id", [it.group]) | {"MaxResults": 5},
    "DescribeVolumes": lambda it: absent("attachment.instance-id"),
    "DescribeVpcAttribute": lambda it: {"VpcId": it.vpc, "Attribute": "enableDnsHostnames"},
    "DescribeVpcEndpoints": lambda it: absent(),
    "DescribeVpcPeeringConnections": lambda it: absent(),
    "DescribeVpcs": lambda it: {"VpcIds": [it.vpc]} | filters(),
    "DescribeVpnGateways": lambda it: filters("tag:team", ["blue"]),
    "DetachInternetGateway": Inventory.attached,
    "DisassociateRouteTable": lambda it: {"AssociationId": it.association()},
    "DisassociateSubnetCidrBlock": lambda it: {"AssociationId": it.subnet_association()},
    "DisassociateVpcCidrBlock": lambda it: {"AssociationId": it.vpc_association()},
    "GetManagedPrefixListAssociations": lambda it: {"PrefixListId": it.prefix_list, "MaxResults": 5},
    "GetManagedPrefixListEntries": lambda it: {"PrefixListId": it.prefix_list, "TargetVersion": 1, "MaxResults": 5},
    "GetSecurityGroupsForVpc": lambda it: {"VpcId": it.vpc, "MaxResults": 5} | filters("group-name", ["*"]),
    "ModifyInstanceAttribute": lambda it: {"InstanceId": it.instance, "Groups": [it.group]},
    "ModifyManagedPrefixList": lambda it: {
        "PrefixListId": it.new_prefix_list(),
        "CurrentVersion": 1,
        "PrefixListName": it.name(),
        "AddEntries": [{"Cidr": "198.51.100.0/24", "Description": "walk"}],
        "RemoveEntries": [{"Cidr": "192.0.2.0/24"}],
    },
    "ModifyNetworkInterfaceAttribute": lambda it: {"NetworkInterfaceId": it.interface, "Groups": [it.group]},
    "ModifySecurityGroupRules": rule_change,
    "ModifySubnetAttribute": lambda it: {"SubnetId": it.subnets[0], "MapPublicIpOnLaunch": {"Value": True}},
    "ModifyVpcAttribute": lambda it: {"VpcId": it.vpc, "EnableDnsHostnames": {"Value": True}},
    "ReleaseAddress": lambda it: {"AllocationId": it.allocation()},
    "ReplaceRoute": Inventory.routed,
    "ReplaceRouteTableAssociation": Inventory.other_association,
    "RevokeSecurityGroupEgress": Inventory.authorized,
    "RevokeSecurityGroupIngress": Inventory.authorized,
    "RunInstances": Inventory.machine,
    "StartInstances": lambda it: {"InstanceIds": [it.stopped()]},
    "StopInstances": lambda it: {"InstanceIds": [it.new_instance()]},
    "TerminateInstances": lambda it: {"InstanceIds": [it.new_instance()]},
    "UpdateSecurityGroupRuleDescriptionsEgress": Inventory.authorized,
    "UpdateSecurityGroupRuleDescriptionsIngress": Inventory.authorized,
}

# What elbow can only refuse, with the code: the default VPC and its subnets are always there, and an interface is
# that of a load balancer or of an instance as long as it is there.
EC2_REFUSED = {
    "CreateDefaultSubnet": (
        lambda it: {"AvailabilityZone": "us-east-1a"},
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
    ),
    "CreateDefaultVpc": (lambda it: {}, "DefaultVpcAlreadyExists"),
    "DeleteNetworkInterface": (lambda it: {"NetworkInterfaceId": it.interface}, "InvalidParameterValue"),
    "DetachNetworkInterface": (lambda it: {"AttachmentId": it.attachment}, "OperationNotPermitted"),
}

"""boto3's own paginators over all that elbow lists in pages, and each of its waiters on what it waits for."""

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from harness.model_inputs import FIT, Things, listener, roomy_elbow

SERVICES = ("elbv2", "acm", "ec2", "arc-zonal-shift")
# EC2 has pages of 5 or more.
MANY, SIZES = 6, (1, 5)
INSTANCE_TYPES = ("t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.large", "t3.xlarge")
PATIENCE = {"Delay": 1, "MaxAttempts": 30}
MODELS = botocore.session.get_session().get_component("data_loader")


class Stock(Things):
    """Several things of each kind that is listed in pages."""

    def __init__(self, elbow):
        super().__init__(elbow)
        self.imported()
        # Once it is issued, it changes no more between one page and the next.
        self.names = self.issued(
            DomainName="a.example.com", SubjectAlternativeNames=["b.example.com"], ValidationMethod="DNS"
        )
        self.new_targets()
        self.new_rule()
        self.new_store()
        self.new_revocation(self.store)
        self.secure = self.extra_certificate()["ListenerArn"]
        self.verifying = self.new_store()
        for _ in range(2):
            self.elbv2.create_listener(**listener(self) | self.verify())
        self.shift()
        other = self.new_balancer()
        attributes = [{"Key": "zonal_shift.config.enabled", "Value": "true"}]
        self.elbv2.modify_load_balancer_attributes(LoadBalancerArn=other, Attributes=attributes)
        self.shifts.start_zonal_shift(resourceIdentifier=other, awayFrom="use1-az2", expiresIn="60m", comment="other")
        self.entries = self.ec2.create_managed_prefix_list(
            PrefixListName="entries",
            AddressFamily="IPv4",
            MaxEntries=MANY,
            Entries=[{"Cidr": f"192.0.{number}.0/24"} for number in range(MANY)],
        )["PrefixList"]["PrefixListId"]
        lists = [{"PrefixListId": self.entries}]
        reference = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": lists}
        for kind in INSTANCE_TYPES:
            self.ec2.run_instances(**self.machine() | {"InstanceType": kind})
            self.gateway()
            self.new_prefix_list()
            self.new_subnet()
            self.route_table()
            group = self.security_group()
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[reference])
            self.ec2.create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "blue"}])
        self.allocation()

    def verify(self):
        return {
            "Protocol": "HTTPS",
            "Certificates": [{"CertificateArn": self.certificate}],
            "MutualAuthentication": {"Mode": "verify", "TrustStoreArn": self.verifying},
        }

    def deleted(self):
        balancer = self.new_balancer()
        self.elbv2.delete_load_balancer(LoadBalancerArn=balancer)
        return balancer

    def terminated(self):
        instance = self.new_instance()
        self.ec2.terminate_instances(InstanceIds=[instance])
        return instance


@pytest.fixture(scope="module")
def stock(network, tmp_path_factory):
    with roomy_elbow(tmp_path_factory.mktemp("stock"), network) as elbow:
        yield Stock(elbow)


def listed():
    """Each operation that elbow serves and that boto3 has a paginator for."""
    for service in SERVICES:
        known = MODELS.load_service_model(service, "paginators-1")["pagination"]
        yield from ((service, name) for name in sorted(FIT[service]) if name in known)


# What has to be given.
ARGUMENTS = {
    "DescribeListenerCertificates": lambda it: {"ListenerArn": it.secure},
    "DescribeListeners": lambda it: {"LoadBalancerArn": it.balancer},
    "DescribeRules": lambda it: {"ListenerArn": it.listener},
    "DescribeTrustStoreAssociations": lambda it: {"TrustStoreArn": it.verifying},
    "DescribeTrustStoreRevocations": lambda it: {"TrustStoreArn": it.store},
    "ListCertificateDomainValidations": lambda it: {"CertificateArn": it.names},
    "DescribeAddressesAttribute": lambda it: {"Attribute": "domain-name"},
    "DescribeStaleSecurityGroups": lambda it: {"VpcId": it.vpc},
    "GetManagedPrefixListAssociations": lambda it: {"PrefixListId": it.entries},
    "GetManagedPrefixListEntries": lambda it: {"PrefixListId": it.entries},
    "GetSecurityGroupsForVpc": lambda it: {"VpcId": it.vpc},
}
# Of these elbow has none, or never as many as make two pages.
FEW = {
    "DescribeAddressesAttribute",
    "DescribeDhcpOptions",
    "DescribeEgressOnlyInternetGateways",
    "DescribeImages",
    "DescribeNatGateways",
    "DescribePrefixLists",
    "DescribeSnapshots",
    "DescribeStaleSecurityGroups",
    "DescribeVolumes",
    "DescribeVpcEndpoints",
    "DescribeVpcPeeringConnections",
}


@pytest.mark.parametrize("service, name", list(listed()))
def test_the_pages_are_what_is_answered_at_once(stock, service, name):
    client, method = stock.elbow.client(service), xform_name(name)
    arguments = ARGUMENTS.get(name, lambda _: {})(stock)
    paginator = client.get_paginator(method)
    [result] = paginator.result_keys
    whole = result.search(getattr(client, method)(**arguments))
    pages = [result.search(page) for page in paginator.paginate(**arguments, **smallest(paginator, arguments))]
    assert [item for page in pages for item in page] == whole
    assert (len(pages) > 1) == (name not in FEW), f"{len(whole)} in {len(pages)} pages"


def smallest(paginator, arguments):
    """The smallest page that the operation allows."""
    for size in SIZES:
        config = {"PaginationConfig": {"PageSize": size}}
        try:
            next(iter(paginator.paginate(**arguments, **config)))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidParameterValue", error
        else:
            return config
    raise AssertionError(f"no page of {SIZES} is allowed")


def waiters():
    """Each waiter that asks an operation which elbow serves: (service, name)."""
    for service in ("elbv2", "acm", "ec2"):
        known = MODELS.load_service_model(service, "waiters-2")["waiters"]
        yield from ((service, name) for name, it in sorted(known.items()) if it["operation"] in FIT[service])


# What each of them is to find at once.
FOUND = {
    "CertificateValidated": lambda it: {"CertificateArn": it.exportable()},
    "InstanceExists": lambda it: {"InstanceIds": [it.instance]},
    "InstanceRunning": lambda it: {"InstanceIds": [it.instance]},
    "InstanceStatusOk": lambda it: {"InstanceIds": [it.instance]},
    "InstanceStopped": lambda it: {"InstanceIds": [it.stopped()]},
    "InstanceTerminated": lambda it: {"InstanceIds": [it.terminated()]},
    "InternetGatewayExists": lambda it: {"InternetGatewayIds": [it.gateway()]},
    "LoadBalancerAvailable": lambda it: {"LoadBalancerArns": [it.balancer]},
    "LoadBalancerExists": lambda it: {"LoadBalancerArns": [it.balancer]},
    "LoadBalancersDeleted": lambda it: {"LoadBalancerArns": [it.deleted()]},
    "NatGatewayDeleted": lambda it: {"NatGatewayIds": ["nat-01234567890abcdef"]},
    "SecurityGroupExists": lambda it: {"GroupIds": [it.group]},
    "SubnetAvailable": lambda it: {"SubnetIds": it.subnets},
    "SystemStatusOk": lambda it: {"InstanceIds": [it.instance]},
    "TargetDeregistered": lambda it: {"TargetGroupArn": it.targets, "Targets": it.target()},
    "VolumeDeleted": lambda it: {"VolumeIds": ["vol-01234567890abcdef"]},
    "VpcAvailable": lambda it: {"VpcIds": [it.vpc]},
    "VpcExists": lambda it: {"VpcIds": [it.vpc]},
    "VpcPeeringConnectionDeleted": lambda it: {"VpcPeeringConnectionIds": ["pcx-01234567890abcdef"]},
}
# Why others cannot return here.
NOT_FOUND = {
    "ImageAvailable": "there are no images",
    "ImageExists": "there are no images",
    "KeyPairExists": "there are no key pairs",
    "NatGatewayAvailable": "there are no NAT gateways",
    "NetworkInterfaceAvailable": "an interface is in use as long as it is there",
    "SnapshotCompleted": "there are no snapshots",
    "TargetInService": "it needs a target that answers; the guides of tests/guides have some",
    "VolumeAvailable": "there are no volumes",
    "VolumeInUse": "there are no volumes",
    "VpcPeeringConnectionExists": "there are no peerings",
}


def test_every_waiter_is_called_or_cannot_return():
    assert FOUND.keys() | NOT_FOUND.keys() == {name for _, name in waiters()}
    assert not FOUND.keys() & NOT_FOUND.keys()


@pytest.mark.parametrize("service, name", [it for it in waiters() if it[1] in FOUND])
def test_a_waiter_returns(stock, service, name):
    waiter = stock.elbow.client(service).get_waiter(xform_name(name))
    waiter.wait(**FOUND[name](stock), WaiterConfig=PATIENCE)

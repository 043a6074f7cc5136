"""An input that every operation which elbow serves accepts, made of things that are there."""

import datetime
import itertools
from pathlib import Path

FILES = Path(__file__).resolve().parents[1] / "certificates"
GONE = "arn:aws:{}:us-east-1:123456789012:{}"
BUCKET = "clients"
PERMISSION = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
LATER = datetime.timedelta(hours=1)


def pem(name):
    return (FILES / f"{name}.pem").read_bytes()


class Things:
    """What the inputs are about: one of each kind that stays, and any number of others that may go."""

    def __init__(self, elbow):
        self.elbow = elbow
        self.elbv2, self.ec2 = elbow.client("elbv2"), elbow.client("ec2")
        self.acm, self.shifts = elbow.client("acm"), elbow.client("arc-zonal-shift")
        self._numbers = itertools.count(1)
        self._ports = itertools.count(20_000)
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = [one["SubnetId"] for one in sorted(subnets, key=lambda one: one["AvailabilityZone"])]
        self.vpc = subnets[0]["VpcId"]
        self.certificate = self.imported()
        self.group = self.security_group()
        self.balancer = self.new_balancer()
        self.targets = self.new_targets()
        self.listener = self.new_listener()
        self.rule = self.new_rule()
        self.store = self.new_store()
        self.new_revocation(self.store)
        self.instance = self.new_instance()
        interface = self.ec2.describe_network_interfaces()["NetworkInterfaces"][0]
        self.interface = interface["NetworkInterfaceId"]
        self.attribute("zonal_shift.config.enabled", "true")

    def name(self):
        return f"walk-{next(self._numbers)}"

    def port(self):
        return next(self._ports)

    def attribute(self, key, value):
        attributes = [{"Key": key, "Value": value}]
        self.elbv2.modify_load_balancer_attributes(LoadBalancerArn=self.balancer, Attributes=attributes)

    def imported(self):
        files = {"Certificate": pem("shop"), "CertificateChain": pem("chain"), "PrivateKey": pem("shop.key")}
        return self.acm.import_certificate(**files)["CertificateArn"]

    def requested(self):
        domain = f"{self.name()}.example.com"
        return self.acm.request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"]

    def security_group(self):
        made = self.ec2.create_security_group(GroupName=self.name(), Description="walk", VpcId=self.vpc)
        return made["GroupId"]

    def new_balancer(self):
        [made] = self.elbv2.create_load_balancer(Name=self.name(), Subnets=self.subnets)["LoadBalancers"]
        return made["LoadBalancerArn"]

    def new_targets(self):
        [made] = self.elbv2.create_target_group(
            Name=self.name(), Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip"
        )["TargetGroups"]
        return made["TargetGroupArn"]

    def new_listener(self):
        [made] = self.elbv2.create_listener(**listener(self))["Listeners"]
        return made["ListenerArn"]

    def new_rule(self):
        [made] = self.elbv2.create_rule(**rule(self))["Rules"]
        return made["RuleArn"]

    def new_store(self):
        [made] = self.elbv2.create_trust_store(Name=self.name(), **bundle())["TrustStores"]
        return made["TrustStoreArn"]

    def new_revocation(self, store):
        [made] = self.elbv2.add_trust_store_revocations(TrustStoreArn=store, **revocations())["TrustStoreRevocations"]
        return made["RevocationId"]

    def new_store_with_revocation(self):
        store = self.new_store()
        return {"TrustStoreArn": store, "RevocationId": self.new_revocation(store)}

    def extra_certificate(self):
        secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": self.certificate}]}
        [made] = self.elbv2.create_listener(**listener(self) | secure)["Listeners"]
        other = [{"CertificateArn": self.imported()}]
        self.elbv2.add_listener_certificates(ListenerArn=made["ListenerArn"], Certificates=other)
        return {"ListenerArn": made["ListenerArn"], "Certificates": other}

    def new_subnet(self):
        """In a block behind those of the zones."""
        block = {"VpcId": self.vpc, "CidrBlock": self.block(), "AvailabilityZone": "us-east-1a"}
        return self.ec2.create_subnet(**block)["Subnet"]["SubnetId"]

    def block(self):
        address = self.elbow.network.vpc.split("/")[0].split(".")
        number = next(self._numbers) % 16
        return f"{address[0]}.{address[1]}.255.{16 * number}/28"

    def machine(self):
        address = self.elbow.network.free_host(0)
        return {
            "MinCount": 1,
            "MaxCount": 1,
            "SubnetId": self.subnets[0],
            "PrivateIpAddress": address,
            "SecurityGroupIds": [self.group],
        }

    def new_instance(self):
        [made] = self.ec2.run_instances(**self.machine())["Instances"]
        return made["InstanceId"]

    def target(self):
        return [{"Id": self.elbow.network.free_host(0), "Port": 8080}]

    def registered(self):
        targets = self.target()
        self.elbv2.register_targets(TargetGroupArn=self.targets, Targets=targets)
        return {"TargetGroupArn": self.targets, "Targets": targets}

    def no_shift(self):
        for shift in self.shifts.list_zonal_shifts(status="ACTIVE")["items"]:
            self.shifts.cancel_zonal_shift(zonalShiftId=shift["zonalShiftId"])

    def shift(self):
        self.no_shift()
        return self.shifts.start_zonal_shift(**shift(self))["zonalShiftId"]


def tags():
    return [{"Key": "team", "Value": "blue"}]


def fixed():
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain"}}]


def forward(things):
    stickiness = {"Enabled": True, "DurationSeconds": 60}
    groups = [{"TargetGroupArn": things.targets, "Weight": 5}]
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}
    return [{"Type": "forward", "ForwardConfig": config}]


def listener(things):
    return {
        "LoadBalancerArn": things.balancer,
        "Protocol": "HTTP",
        "Port": things.port(),
        "DefaultActions": fixed(),
        "Tags": tags(),
    }


def rule(things):
    return {
        "ListenerArn": things.listener,
        "Priority": things.port(),
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/walk/*"]}}],
        "Actions": forward(things),
        "Tags": tags(),
    }


def bundle():
    return {"CaCertificatesBundleS3Bucket": BUCKET, "CaCertificatesBundleS3Key": "root.pem"}


def revocations():
    return {"RevocationContents": [{"S3Bucket": BUCKET, "S3Key": "revoked.crl.pem", "RevocationType": "CRL"}]}


def shift(things):
    things.no_shift()
    return {"resourceIdentifier": things.balancer, "awayFrom": "use1-az1", "expiresIn": "60m", "comment": "walk"}


def filters(name="vpc-id", values=("vpc-*",)):
    return {"Filters": [{"Name": name, "Values": list(values)}]}


def authorized(things):
    """A group with a rule that may go."""
    group = {"GroupId": things.security_group(), "IpPermissions": [PERMISSION]}
    things.ec2.authorize_security_group_ingress(**group)
    things.ec2.authorize_security_group_egress(**group)
    return group


def certificate_of(things):
    return {"CertificateArn": things.certificate}


def balancer_of(things):
    return {"LoadBalancerArn": things.balancer}


def targets_of(things):
    return {"TargetGroupArn": things.targets}


def listener_of(things):
    return {"ListenerArn": things.listener}


def store_of(things):
    return {"TrustStoreArn": things.store}


ELBV2 = {
    "AddListenerCertificates": Things.extra_certificate,
    "AddTags": lambda it: {"ResourceArns": [it.balancer, it.rule], "Tags": tags()},
    "AddTrustStoreRevocations": lambda it: store_of(it) | revocations(),
    "CreateListener": listener,
    "CreateLoadBalancer": lambda it: {
        "Name": it.name(),
        "Subnets": it.subnets,
        "SecurityGroups": [it.group],
        "Scheme": "internal",
        "Type": "application",
        "IpAddressType": "ipv4",
        "Tags": tags(),
    },
    "CreateRule": rule,
    "CreateTargetGroup": lambda it: {
        "Name": it.name(),
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 80,
        "VpcId": it.vpc,
        "TargetType": "ip",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "Tags": tags(),
    },
    "CreateTrustStore": lambda it: {"Name": it.name(), "Tags": tags(), **bundle()},
    "DeleteListener": lambda it: {"ListenerArn": it.new_listener()},
    "DeleteLoadBalancer": lambda it: {"LoadBalancerArn": it.new_balancer()},
    "DeleteRule": lambda it: {"RuleArn": it.new_rule()},
    "DeleteTargetGroup": lambda it: {"TargetGroupArn": it.new_targets()},
    "DeleteTrustStore": lambda it: {"TrustStoreArn": it.new_store()},
    "DeregisterTargets": Things.registered,
    "DescribeAccountLimits": lambda it: {"PageSize": 5},
    "DescribeCapacityReservation": balancer_of,
    "DescribeListenerAttributes": listener_of,
    "DescribeListenerCertificates": lambda it: {"ListenerArn": it.extra_certificate()["ListenerArn"]},
    "DescribeListeners": lambda it: {"ListenerArns": [it.listener]},
    "DescribeLoadBalancerAttributes": balancer_of,
    "DescribeLoadBalancers": lambda it: {"LoadBalancerArns": [it.balancer]},
    "DescribeRules": lambda it: {"RuleArns": [it.rule]},
    "DescribeSSLPolicies": lambda it: {"Names": ["ELBSecurityPolicy-2016-08"]},
    "DescribeTags": lambda it: {"ResourceArns": [it.listener, it.store]},
    "DescribeTargetGroupAttributes": targets_of,
    "DescribeTargetGroups": lambda it: {"TargetGroupArns": [it.targets]},
    "DescribeTargetHealth": targets_of,
    "DescribeTrustStoreAssociations": store_of,
    "DescribeTrustStoreRevocations": lambda it: store_of(it) | {"RevocationIds": [1]},
    "DescribeTrustStores": lambda it: {"TrustStoreArns": [it.store]},
    "GetTrustStoreCaCertificatesBundle": store_of,
    "GetTrustStoreRevocationContent": lambda it: store_of(it) | {"RevocationId": 1},
    "ModifyCapacityReservation": lambda it: balancer_of(it) | {"ResetCapacityReservation": True},
    "ModifyIpPools": lambda it: balancer_of(it) | {"RemoveIpamPools": ["ipv4"]},
    "ModifyListener": lambda it: listener_of(it) | {"DefaultActions": forward(it)},
    "ModifyListenerAttributes": lambda it: listener_of(it)
    | {"Attributes": [{"Key": "routing.http.response.server.enabled", "Value": "false"}]},
    "ModifyLoadBalancerAttributes": lambda it: balancer_of(it)
    | {"Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]},
    "ModifyRule": lambda it: {"RuleArn": it.rule, "Actions": fixed()},
    "ModifyTargetGroup": lambda it: targets_of(it) | {"HealthCheckPath": "/other", "Matcher": {"HttpCode": "200-299"}},
    "ModifyTargetGroupAttributes": lambda it: targets_of(it)
    | {"Attributes": [{"Key": "slow_start.duration_seconds", "Value": "30"}]},
    "ModifyTrustStore": lambda it: store_of(it) | bundle(),
    "RegisterTargets": lambda it: targets_of(it) | {"Targets": it.target()},
    "RemoveListenerCertificates": Things.extra_certificate,
    "RemoveTags": lambda it: {"ResourceArns": [it.balancer], "TagKeys": ["team"]},
    "RemoveTrustStoreRevocations": lambda it: (made := it.new_store_with_revocation())
    and {"TrustStoreArn": made["TrustStoreArn"], "RevocationIds": [made["RevocationId"]]},
    "SetIpAddressType": lambda it: balancer_of(it) | {"IpAddressType": "ipv4"},
    "SetRulePriorities": lambda it: {"RulePriorities": [{"RuleArn": it.rule, "Priority": it.port()}]},
    "SetSecurityGroups": lambda it: balancer_of(it) | {"SecurityGroups": [it.group]},
    "SetSubnets": lambda it: balancer_of(it) | {"Subnets": it.subnets, "IpAddressType": "ipv4"},
}

ACM = {
    "AddTagsToCertificate": lambda it: certificate_of(it) | {"Tags": tags()},
    "DeleteCertificate": lambda it: {"CertificateArn": it.imported()},
    "DescribeCertificate": certificate_of,
    "GetAccountConfiguration": lambda it: {},
    "GetCertificate": certificate_of,
    "ImportCertificate": lambda it: {"Certificate": pem("p384"), "PrivateKey": pem("p384.key"), "Tags": tags()},
    "ListCertificates": lambda it: {"CertificateStatuses": ["ISSUED"], "MaxItems": 5, "SortBy": "CREATED_AT",
                                    "SortOrder": "ASCENDING"},
    "ListCertificateDomainValidations": lambda it: {"CertificateArn": it.requested()},
    "ListTagsForCertificate": certificate_of,
    "PutAccountConfiguration": lambda it: {"ExpiryEvents": {"DaysBeforeExpiry": 10}, "IdempotencyToken": "walk"},
    "RemoveTagsFromCertificate": lambda it: certificate_of(it) | {"Tags": tags()},
    "RequestCertificate": lambda it: {
        "DomainName": f"{it.name()}.example.com",
        "ValidationMethod": "DNS",
        "KeyAlgorithm": "EC_prime256v1",
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"},
        "Tags": tags(),
    },
}

ZONAL_SHIFT = {
    "CancelZonalShift": lambda it: {"zonalShiftId": it.shift()},
    "GetManagedResource": lambda it: {"resourceIdentifier": it.balancer},
    "ListManagedResources": lambda it: {"maxResults": 5},
    "ListZonalShifts": lambda it: {"status": "ACTIVE", "maxResults": 5, "resourceIdentifier": it.balancer},
    "StartZonalShift": shift,
    "UpdateZonalShift": lambda it: {"zonalShiftId": it.shift(), "comment": "longer", "expiresIn": "2h"},
}

EC2 = {
    "AuthorizeSecurityGroupEgress": lambda it: {"GroupId": it.security_group(), "IpPermissions": [PERMISSION]},
    "AuthorizeSecurityGroupIngress": lambda it: {"GroupId": it.security_group(), "IpPermissions": [PERMISSION]},
    "CreateSecurityGroup": lambda it: {"GroupName": it.name(), "Description": "walk", "VpcId": it.vpc},
    "CreateSubnet": lambda it: {"VpcId": it.vpc, "CidrBlock": it.block(), "AvailabilityZone": "us-east-1a"},
    "CreateTags": lambda it: {"Resources": [it.group, it.vpc], "Tags": tags()},
    "DeleteSecurityGroup": lambda it: {"GroupId": it.security_group()},
    "DeleteSubnet": lambda it: {"SubnetId": it.new_subnet()},
    "DeleteTags": lambda it: {"Resources": [it.group], "Tags": tags()},
    "DescribeAccountAttributes": lambda it: {"AttributeNames": ["supported-platforms"]},
    "DescribeAvailabilityZones": lambda it: filters("zone-name", ["us-east-1a"]),
    "DescribeInstanceStatus": lambda it: {"InstanceIds": [it.instance]},
    "DescribeInstances": lambda it: {"InstanceIds": [it.instance]} | filters(),
    "DescribeInternetGateways": lambda it: filters("attachment.vpc-id"),
    "DescribeNetworkInterfaces": lambda it: {"NetworkInterfaceIds": [it.interface]} | filters(),
    "DescribeRegions": lambda it: {"RegionNames": ["us-east-1"]},
    "DescribeSecurityGroupRules": lambda it: filters("group-id", [it.group]) | {"MaxResults": 5},
    "DescribeSecurityGroups": lambda it: {"GroupIds": [it.group]} | filters(),
    "DescribeSubnets": lambda it: {"SubnetIds": [it.subnets[0]]} | filters(),
    "DescribeTags": lambda it: filters("resource-id", [it.group]) | {"MaxResults": 5},
    "DescribeVpcs": lambda it: {"VpcIds": [it.vpc]} | filters(),
    "RevokeSecurityGroupEgress": authorized,
    "RevokeSecurityGroupIngress": authorized,
    "RunInstances": Things.machine,
    "TerminateInstances": lambda it: {"InstanceIds": [it.new_instance()]},
}

STS = {"GetCallerIdentity": lambda it: {}}

FIT = {"elbv2": ELBV2, "ec2": EC2, "sts": STS, "acm": ACM, "arc-zonal-shift": ZONAL_SHIFT}

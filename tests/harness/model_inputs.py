"""An input that every operation which elbow serves accepts, made of things that are there."""

import itertools
import shutil
from contextlib import contextmanager
from pathlib import Path

from .elbow import Elbow
from .model_inputs_ec2 import EC2, EC2_REFUSED, Inventory, tags
from .wait import until

FILES = Path(__file__).resolve().parents[1] / "certificates"
BUCKET = "clients"
PASSPHRASE = b"hush hush"


def pem(name):
    return (FILES / f"{name}.pem").read_bytes()


@contextmanager
def roomy_elbow(directory, network):
    """An elbow whose bucket has the files of tests/certificates, with room for a network of each input's own."""
    shutil.copytree(FILES, directory / "objects" / BUCKET)
    config = directory / "elbow.toml"
    limits = "[limits]\nvpcs = 100\ninternet-gateways = 100\n"
    config.write_text(f"{limits}[s3]\ndirectory = '{directory}/objects'\n")
    elbow = Elbow(directory, network, arguments=["--config", str(config)])
    elbow.start()
    try:
        yield elbow
    finally:
        elbow.stop()


class Things(Inventory):
    """What the inputs are about: the inventory of EC2, and load balancers with all that belongs to them."""

    def __init__(self, elbow):
        super().__init__(elbow)
        self.elbv2, self.acm = elbow.client("elbv2"), elbow.client("acm")
        self.shifts = elbow.client("arc-zonal-shift")
        self._ports = itertools.count(20_000)
        self.certificate = self.imported()
        self.balancer = self.new_balancer()
        self.targets = self.new_targets()
        self.listener = self.new_listener()
        self.rule = self.new_rule()
        self.store = self.new_store()
        self.new_revocation(self.store)
        self.attribute("zonal_shift.config.enabled", "true")

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

    def exportable(self):
        """A certificate that has been issued, and that may be exported."""
        return self.issued(DomainName=f"{self.name()}.example.com", Options={"Export": "ENABLED"})

    def issued(self, **request):
        arn = self.acm.request_certificate(**request)["CertificateArn"]
        is_issued = lambda: self.acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
        until(is_issued, f"the issue of {arn}")
        return arn

    def exported(self):
        arn = self.exportable()
        self.acm.export_certificate(CertificateArn=arn, Passphrase=PASSPHRASE)
        return arn

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
    "ExportCertificate": lambda it: {"CertificateArn": it.exportable(), "Passphrase": PASSPHRASE},
    "GetAccountConfiguration": lambda it: {},
    "GetCertificate": certificate_of,
    "ImportCertificate": lambda it: {"Certificate": pem("p384"), "PrivateKey": pem("p384.key"), "Tags": tags()},
    "ListCertificates": lambda it: {"CertificateStatuses": ["ISSUED"], "MaxItems": 5, "SortBy": "CREATED_AT",
                                    "SortOrder": "ASCENDING"},
    "ListCertificateDomainValidations": lambda it: {"CertificateArn": it.requested()},
    "ListTagsForCertificate": certificate_of,
    "PutAccountConfiguration": lambda it: {"ExpiryEvents": {"DaysBeforeExpiry": 10}, "IdempotencyToken": "walk"},
    "RemoveTagsFromCertificate": lambda it: certificate_of(it) | {"Tags": tags()},
    "RenewCertificate": lambda it: {"CertificateArn": it.exported()},
    "RequestCertificate": lambda it: {
        "DomainName": f"{it.name()}.example.com",
        "ValidationMethod": "DNS",
        "KeyAlgorithm": "EC_prime256v1",
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"},
        "Tags": tags(),
    },
    "RevokeCertificate": lambda it: {"CertificateArn": it.exported(), "RevocationReason": "SUPERSEDED"},
    "SearchCertificates": lambda it: {
        "FilterStatement": {
            "And": [
                {"Filter": {"AcmCertificateMetadataFilter": {"Status": "ISSUED"}}},
                {"Not": {"Filter": {"X509AttributeFilter": {"NotAfter": {"End": 1_600_000_000}}}}},
            ]
        },
        "MaxResults": 5,
        "SortBy": "COMMON_NAME",
        "SortOrder": "DESCENDING",
    },
    "UpdateCertificateOptions": lambda it: {
        "CertificateArn": it.exportable(),
        "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
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

STS = {"GetCallerIdentity": lambda it: {}}

FIT = {"elbv2": ELBV2, "ec2": EC2, "sts": STS, "acm": ACM, "arc-zonal-shift": ZONAL_SHIFT}

# What can only be refused, with the code: elbow has one account, and nothing is shared.
ELBV2_REFUSED = {
    "DeleteSharedTrustStoreAssociation": (
        lambda it: store_of(it) | {"ResourceArn": it.listener},
        "AssociationNotFound",
    ),
    "GetResourcePolicy": (lambda it: {"ResourceArn": it.store}, "ResourceNotFound"),
}
REFUSED = {"elbv2": ELBV2_REFUSED, "ec2": EC2_REFUSED}

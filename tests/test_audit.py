"""The audit log: a line of JSON for each call, as CloudTrail has them; and limits on how often one may call."""

import json
import re
from datetime import datetime
from urllib.request import urlopen

import pytest

from harness.certificates import Authority
from harness.elbow import AwsError
from harness.errors import refused
from harness.shop import listener_port
from harness.signed import form, send, signed
from harness.wait import until

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# What each record has, whatever was called.
MEMBERS = {
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion",
    "sourceIPAddress", "userAgent", "requestParameters", "responseElements", "requestID", "eventID",
    "eventType", "managementEvent", "recipientAccountId", "eventCategory",
}
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


class Log:
    """The audit log of an elbow from now on."""

    def __init__(self, elbow, path=None):
        self.path = path or elbow.data / "audit.log"
        self._seen = len(self._lines())

    def _lines(self):
        text = self.path.read_text() if self.path.exists() else ""
        assert text == "" or text.endswith("\n"), "lines are whole"
        return text.splitlines()

    def new(self):
        """The records since the last look."""
        lines = self._lines()[self._seen :]
        self._seen += len(lines)
        records = [json.loads(line) for line in lines]
        for record in records:
            assert MEMBERS <= record.keys(), record
            assert record.keys() - MEMBERS <= {"readOnly", "apiVersion", "errorCode", "errorMessage"}, record
            assert UUID.fullmatch(record["eventID"]) and TIME.fullmatch(record["eventTime"])
            assert record["sourceIPAddress"] == "127.0.0.1"
            assert record["recipientAccountId"] == "123456789012"
        return records

    def names(self):
        return [(record["eventSource"].split(".")[0], record["eventName"]) for record in self.new()]


@pytest.fixture
def started(make_elbow):
    """An elbow whose calls are those of the test alone, and its log."""
    elbow = make_elbow()
    return elbow, Log(elbow)


def test_every_call_has_its_record(started):
    elbow, log = started
    elbv2, ec2 = elbow.client("elbv2"), elbow.client("ec2")
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    made = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc["VpcId"], Tags=[{"Key": "a", "Value": "b"}]
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    elbow.aws("elbv2", "describe-target-health", "--target-group-arn", arn)
    with refused("ValidationError"):
        elbv2.delete_target_group(TargetGroupArn="web")
    vpcs, group, health, deletion = log.new()
    root, _ = elbow.key()
    for record in (vpcs, group, health, deletion):
        assert record["userIdentity"] == {
            "type": "Root",
            "principalId": "123456789012",
            "arn": "arn:aws:iam::123456789012:root",
            "accountId": "123456789012",
            "accessKeyId": root,
        }
    assert (vpcs["eventSource"], vpcs["eventName"]) == ("ec2.amazonaws.com", "DescribeVpcs")
    assert vpcs["readOnly"] is True
    assert vpcs["requestParameters"] is None and vpcs["responseElements"] is None
    assert "Boto3" in vpcs["userAgent"]
    assert group["eventName"] == "CreateTargetGroup" and group["readOnly"] is False
    assert group["requestID"] == made["ResponseMetadata"]["RequestId"]
    assert group["requestParameters"] == {
        "name": "web",
        "protocol": "HTTP",
        "port": 80,
        "vpcId": vpc["VpcId"],
        "tags": [{"key": "a", "value": "b"}],
    }
    assert group["responseElements"]["targetGroups"][0]["targetGroupArn"] == arn
    assert health["eventName"] == "DescribeTargetHealth" and "aws-cli" in health["userAgent"]
    assert health["requestParameters"] == {"targetGroupArn": arn}
    assert deletion["errorCode"] == "ValidationError" and deletion["errorMessage"]
    assert deletion["requestParameters"] == {"targetGroupArn": "web"}


def test_the_commands_of_elbow_say_who_they_are_and_what_they_change(started):
    elbow, log = started
    elbow.run("key", "create")
    elbow.run("key", "list")
    with pytest.raises(AssertionError, match="explain"):
        elbow.run("explain", "GET", "http://nothing.example.com/")
    version = elbow.run("--version").split()[1]
    found = [(record["eventName"], record["readOnly"], record["userAgent"]) for record in log.new()]
    assert found == [
        ("CreateAccessKey", False, f"elbow/{version}"),
        ("ListAccessKeys", True, f"elbow/{version}"),
        ("Explain", True, f"elbow/{version}"),
    ]


def recorded(value):
    """What boto3 takes or gives, with the types of the API's model, as a record has it."""
    match value:
        case dict():
            return {name[0].lower() + name[1:]: recorded(it) for name, it in value.items()}
        case list():
            return [recorded(it) for it in value]
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    return value


def test_requests_and_results_have_the_types_of_the_model(started):
    elbow, log = started
    elbv2, ec2 = elbow.client("elbv2"), elbow.client("ec2")
    subnets = [it["SubnetId"] for it in ec2.describe_subnets()["Subnets"]]

    def call(operation, **parameters):
        log.new()
        made = getattr(elbv2, operation)(**parameters)
        [record] = log.new()
        assert record["apiVersion"] == "2015-12-01"
        assert record["requestParameters"] == recorded(parameters)
        assert (record["responseElements"] or {}) == recorded({n: v for n, v in made.items() if n != "ResponseMetadata"})
        return made

    [group] = call(
        "create_target_group", Name="web", Protocol="HTTP", Port=80, TargetType="ip", HealthCheckPort="8080",
        VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"], HealthCheckTimeoutSeconds=2, HealthCheckEnabled=True,
    )["TargetGroups"]  # fmt: skip
    call("register_targets", TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": "127.0.0.1", "Port": 9}])
    [balancer] = call("create_load_balancer", Name="shop", Subnets=subnets)["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    call("modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=attributes)
    groups = [{"TargetGroupArn": group["TargetGroupArn"], "Weight": 3}]
    stickiness = {"Enabled": True, "DurationSeconds": 60}
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}
    call("modify_target_group", TargetGroupArn=group["TargetGroupArn"], HealthCheckIntervalSeconds=7)
    [listener] = call(
        "create_listener", LoadBalancerArn=arn, Protocol="HTTP", Port=listener_port(), DefaultActions=[action]
    )["Listeners"]
    redirect = {"Type": "redirect", "RedirectConfig": {"Port": "443", "StatusCode": "HTTP_301"}}
    [rule] = call(
        "create_rule", ListenerArn=listener["ListenerArn"], Priority=7, Actions=[redirect],
        Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
    )["Rules"]  # fmt: skip
    call("set_rule_priorities", RulePriorities=[{"RuleArn": rule["RuleArn"], "Priority": 9}])
    call("delete_rule", RuleArn=rule["RuleArn"])


def test_lists_of_ec2_have_items(started):
    elbow, log = started
    ec2 = elbow.client("ec2")
    [vpc, *_] = ec2.describe_vpcs()["Vpcs"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc["VpcId"])["GroupId"]
    log.new()
    http = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[http])
    ec2.create_tags(Resources=[group], Tags=[{"Key": "Name", "Value": "true"}])
    ingress, tags = log.new()
    assert ingress["requestParameters"] == {"groupId": group, "ipPermissions": {"items": [{
        "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
    }]}}  # fmt: skip
    assert ingress["responseElements"]["requestId"] == ingress["requestID"]
    assert ingress["responseElements"]["_return"] is True
    [rule] = ingress["responseElements"]["securityGroupRuleSet"]["items"]
    assert (rule["fromPort"], rule["isEgress"], rule["cidrIpv4"]) == (80, False, "0.0.0.0/0")
    assert tags["requestParameters"] == {
        "resourcesSet": {"items": [{"resourceId": group}]},
        "tagSet": {"items": [{"key": "Name", "value": "true"}]},
    }


def test_private_keys_and_secrets_are_hidden(started):
    elbow, log = started
    certificate, chain, key = Authority().issue("shop.example")
    acm = elbow.client("acm")
    acm.import_certificate(Certificate=certificate, CertificateChain=chain, PrivateKey=key)
    [imported] = log.new()
    arn = acm.request_certificate(DomainName="shop.example", Options={"Export": "ENABLED"})["CertificateArn"]
    describe = acm.describe_certificate
    until(
        lambda: describe(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED",
        "the certificate being issued",
    )
    log.new()
    exported = acm.export_certificate(CertificateArn=arn, Passphrase=b"open sesame")
    [export] = log.new()
    assert export["requestParameters"] == {"certificateArn": arn, "passphrase": HIDDEN}
    assert export["responseElements"]["privateKey"] == HIDDEN
    assert exported["PrivateKey"].splitlines()[1] not in log.path.read_text()
    shown = elbow.run("key", "create", "--name", "ci")
    [created] = log.new()
    assert imported["requestParameters"]["privateKey"] == HIDDEN
    assert imported["responseElements"]["certificateArn"].startswith("arn:aws:acm:")
    assert created["eventName"] == "CreateAccessKey"
    assert created["responseElements"]["accessKey"]["secretAccessKey"] == HIDDEN
    assert created["responseElements"]["accessKey"]["accessKeyId"] in shown
    [secret] = re.findall(r"SECRET_ACCESS_KEY=(\S+)", shown)
    assert secret not in log.path.read_text()


def test_who_was_refused_is_in_the_log(started):
    elbow, log = started
    shown = elbow.run("key", "create", "--name", "ci", "--read-only")
    key_id, secret = re.findall(r"=(\S+)", shown)
    client = elbow.client("elbv2", aws_access_key_id=key_id, aws_secret_access_key=secret)
    with refused("AccessDenied", status=403):
        client.create_target_group(Name="web")
    elbow.run("key", "revoke", key_id)
    with refused("InvalidClientTokenId", status=403):
        client.describe_rules()
    assert send(signed(elbow, form("sts", "GetCallerIdentity"), key=(elbow.key()[0], "wrong"))).status == 403
    _, denied, _, revoked, forged = log.new()
    assert denied["userIdentity"]["type"] == "IAMUser"
    assert denied["userIdentity"]["userName"] == "ci"
    assert denied["userIdentity"]["accessKeyId"] == key_id
    assert (denied["eventName"], denied["errorCode"]) == ("CreateTargetGroup", "AccessDenied")
    assert denied["requestParameters"] == {"name": "web"}
    assert revoked["userIdentity"] == {"type": "Unknown", "accessKeyId": key_id}
    assert (revoked["eventName"], revoked["errorCode"]) == ("DescribeRules", "InvalidClientTokenId")
    assert (forged["eventName"], forged["errorCode"]) == ("GetCallerIdentity", "SignatureDoesNotMatch")
    assert forged["requestParameters"] is None and "Canonical" not in forged["errorMessage"]


def test_a_rotated_log_goes_on_in_a_new_file(started):
    elbow, log = started
    sts = elbow.client("sts")
    sts.get_caller_identity()
    assert log.names() == [("sts", "GetCallerIdentity")]
    log.path.rename(log.path.with_suffix(".1"))
    sts.get_caller_identity()
    assert Log(elbow)._seen == 1
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_stops_nothing(started):
    elbow, log = started
    log.path.unlink()
    log.path.mkdir()
    sts = elbow.client("sts")
    sts.get_caller_identity()
    metrics = urlopen(f"{elbow.url}/_elbow/metrics").read().decode()
    assert "\nelbow_audit_lines_lost_total 1\n" in metrics
    log.path.rmdir()
    sts.get_caller_identity()
    assert log.path.read_text().count("\n") == 1


def write(tmp_path, text):
    path = tmp_path / "elbow.toml"
    path.write_text(text)
    return ["--config", str(path)]


def test_the_log_can_be_elsewhere_or_off(make_elbow, tmp_path):
    elsewhere = tmp_path / "calls.log"
    elbow = make_elbow(arguments=write(tmp_path, f"[audit]\nfile = '{elsewhere}'"))
    log = Log(elbow, elsewhere)
    elbow.client("sts").get_caller_identity()
    assert log.names() == [("sts", "GetCallerIdentity")]
    assert not (elbow.data / "audit.log").exists()
    elbow.stop()
    elbow.arguments = write(tmp_path, "[audit]\nenabled = false")
    elbow.start()
    elbow.client("sts").get_caller_identity()
    assert log.names() == [] and not (elbow.data / "audit.log").exists()


def test_calls_are_throttled_if_told(make_elbow, tmp_path):
    size = "{ capacity = 3, refill_per_second = 0.001 }"
    told = f"[throttle]\nenabled = true\n[throttle.buckets]\nelb-mutating = {size}\nec2-tags = {size}"
    elbow = make_elbow(arguments=write(tmp_path, told))
    elbv2, ec2 = elbow.client("elbv2"), elbow.client("ec2")
    for _ in range(3):
        with refused("ValidationError"):
            elbv2.delete_rule(RuleArn="x")
        with refused("InvalidID"):
            ec2.create_tags(Resources=["x"], Tags=[{"Key": "k", "Value": "v"}])
    with refused("Throttling", "Rate exceeded"):
        elbv2.delete_listener(ListenerArn="x")
    with refused("RequestLimitExceeded", "Request limit exceeded.", 503):
        ec2.create_tags(Resources=["x"], Tags=[{"Key": "k", "Value": "v"}])
    elbv2.describe_target_groups()
    elbow.client("sts").get_caller_identity()
    with pytest.raises(AwsError) as caught:
        elbow.aws("elbv2", "delete-rule", "--rule-arn", "x")
    assert caught.value.code == "Throttling", "the aws command has asked again and again"

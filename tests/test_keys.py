"""Access keys beside the root key: made, listed and revoked with the real command, and what they may do."""

import re

import pytest

from harness.errors import refused
from harness.key import Key


@pytest.fixture
def make_key(elbow):
    """Makes keys that are revoked after the test."""
    keys = []

    def make(*arguments):
        keys.append(Key(elbow, *arguments))
        return keys[-1]

    yield make
    for key in keys:
        if key.id in elbow.run("key", "list"):
            key.revoke()


def arn_of(key):
    return key.client("sts").get_caller_identity()["Arn"]


def test_a_read_only_key_reads_and_changes_nothing(make_key, shop):
    key = make_key("--read-only", "--name", "monitoring")
    assert arn_of(key) == "arn:aws:iam::123456789012:user/monitoring"
    group = shop.group()
    elbv2, ec2, acm, shifts = map(key.client, ["elbv2", "ec2", "acm", "arc-zonal-shift"])
    arns = [found["TargetGroupArn"] for found in elbv2.describe_target_groups()["TargetGroups"]]
    assert group in arns
    assert elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] == []
    assert ec2.describe_vpcs()["Vpcs"]
    acm.list_certificates()
    shifts.list_zonal_shifts()
    denied = "arn:aws:iam::123456789012:user/monitoring is not authorized to perform: "
    with refused("AccessDenied", denied + "elasticloadbalancing:CreateTargetGroup", 403):
        elbv2.create_target_group(Name="mine", Protocol="HTTP", Port=80, VpcId=shop.vpc)
    with refused("AccessDenied", denied + f"elasticloadbalancing:DeleteTargetGroup on resource: {group} because", 403):
        elbv2.delete_target_group(TargetGroupArn=group)
    with refused("UnauthorizedOperation", denied + "ec2:CreateSecurityGroup", 403):
        ec2.create_security_group(GroupName="mine", Description="mine", VpcId=shop.vpc)
    with refused("AccessDeniedException", denied + "acm:DeleteCertificate"):
        acm.delete_certificate(CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/x")
    with refused("AccessDeniedException", denied + "arc-zonal-shift:CancelZonalShift", 403):
        shifts.cancel_zonal_shift(zonalShiftId="00000000-0000-4000-8000-000000000000")
    assert group in [found["TargetGroupArn"] for found in elbv2.describe_target_groups()["TargetGroups"]]


def test_a_full_key_changes_what_it_likes(make_key, shop):
    elbv2 = make_key().client("elbv2")
    made = elbv2.create_target_group(Name="of-full-key", Protocol="HTTP", Port=80, VpcId=shop.vpc)
    elbv2.delete_target_group(TargetGroupArn=made["TargetGroups"][0]["TargetGroupArn"])


def test_keys_are_listed_without_their_secrets(elbow, make_key):
    named, nameless = make_key("--read-only", "--name", "ci"), make_key()
    listed = elbow.run("key", "list")
    lines = dict(line.split("\t", 1) for line in listed.splitlines())
    assert re.fullmatch(r"read-only\t\S+Z\tci\t123456789012", lines[named.id])
    assert re.fullmatch(rf"full\t\S+Z\t{nameless.id}\t123456789012", lines[nameless.id])
    assert named.secret not in listed and nameless.secret not in listed


def test_a_revoked_key_is_refused_at_once(make_key):
    key = make_key()
    clients = {service: key.client(service) for service in ["sts", "ec2", "acm"]}
    clients["sts"].get_caller_identity()
    key.revoke()
    with refused("InvalidClientTokenId", status=403):
        clients["sts"].get_caller_identity()
    with refused("AuthFailure", status=401):
        clients["ec2"].describe_vpcs()
    with refused("UnrecognizedClientException"):
        clients["acm"].list_certificates()


@pytest.mark.parametrize(
    "arguments, saying",
    [
        (["create", "--name", "taken"], "EntityAlreadyExists"),
        (["create", "--name", "not a name"], "use 1 to 64 letters"),
        (["revoke", "AKIAIOSFODNN7EXAMPLE"], "NoSuchEntity"),
    ],
)
def test_what_cannot_be_done_is_refused(make_key, elbow, arguments, saying):
    make_key("--name", "taken")
    with pytest.raises(AssertionError, match=saying):
        elbow.run("key", *arguments)


def test_the_root_key_cannot_be_revoked(elbow):
    root, _ = elbow.key()
    with pytest.raises(AssertionError, match="DeleteConflict"):
        elbow.run("key", "revoke", root)
    assert elbow.client("sts").get_caller_identity()["Arn"].endswith(":root")


def test_what_was_acknowledged_survives_a_crash(make_elbow):
    elbow = make_elbow()
    kept, revoked = Key(elbow, "--name", "kept", "--read-only"), Key(elbow, "--name", "revoked")
    revoked.revoke()
    elbow.kill()
    elbow.start()
    assert arn_of(kept).endswith(":user/kept")
    with refused("AccessDenied", status=403):
        kept.client("elbv2").create_target_group(Name="a")
    with refused("InvalidClientTokenId", status=403):
        arn_of(revoked)
    kept.revoke()
    elbow.kill()
    elbow.start()
    with refused("InvalidClientTokenId", status=403):
        arn_of(kept)
    assert elbow.run("key", "list") == ""


def test_secrets_are_nowhere_in_the_data_directory(make_elbow):
    elbow = make_elbow()
    key = Key(elbow)
    arn_of(key)
    files = [path for path in elbow.data.iterdir() if path.is_file()]
    assert any(path.name == "state.redb" for path in files)
    for path in files:
        assert key.secret.encode() not in path.read_bytes(), path

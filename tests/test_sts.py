"""STS: who the caller is."""


def test_the_root_key_is_the_account(elbow):
    identity = elbow.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == "arn:aws:iam::123456789012:root"
    assert identity["UserId"] == "123456789012"

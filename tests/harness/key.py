"""Access keys beside the root key."""

import re


class Key:
    """A key as `elbow key create` shows it. It stands where tests take an `Elbow` to make clients of."""

    def __init__(self, elbow, *arguments, network=None):
        self.elbow = elbow
        # That of the account that it is a key of.
        self.network = network or elbow.network
        shown = elbow.run("key", "create", *arguments)
        variables = dict(re.findall(r"^export (\w+)=(\S+)$", shown, re.MULTILINE))
        assert sorted(variables) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], shown
        self.id = variables["AWS_ACCESS_KEY_ID"]
        self.secret = variables["AWS_SECRET_ACCESS_KEY"]

    def client(self, service):
        return self.elbow.client(
            service, aws_access_key_id=self.id, aws_secret_access_key=self.secret
        )

    def revoke(self):
        self.elbow.run("key", "revoke", self.id)

"""A stack that Terraform makes, changes and removes (CA33, CA34): after each step a plan has nothing to do.

The AWS provider is on no package registry. The test needs a `terraform` on the PATH and, in ELBOW_TERRAFORM_PLUGINS, the
directory of a filesystem mirror that has hashicorp/aws; it is skipped without them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.certificates import Authority
from harness.http import get
from harness.https import TlsConnection
from harness.load import App, Load
from harness.shop import Shop

STACK = Path(__file__).with_name("shop.tf")
PLUGINS = os.environ.get("ELBOW_TERRAFORM_PLUGINS")
PORT, TARGET_PORT = 80, 8080
# What `terraform plan -detailed-exitcode` says.
NOTHING_TO_DO = 0

pytestmark = [
    pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not on the PATH"),
    pytest.mark.skipif(
        not PLUGINS, reason="ELBOW_TERRAFORM_PLUGINS does not name a mirror of plugins with hashicorp/aws"
    ),
]


class Stack:
    """A directory where Terraform has been initialised with the stack."""

    def __init__(self, elbow, directory, authority):
        self.elbow, self.directory, self.generation = elbow, directory, 0
        for name in ("shop", "api"):
            certificate, _, key = authority.issue(f"{name}.example.com")
            (directory / f"{name}.crt").write_bytes(certificate)
            (directory / f"{name}.key").write_bytes(key)
        shutil.copy(STACK, directory)
        self.terraform("init", f"-plugin-dir={PLUGINS}")

    def terraform(self, command, *arguments, check=True):
        """Runs a command of Terraform without colours; what became of it."""
        own = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        done = subprocess.run(
            ["terraform", command, "-no-color", *arguments],
            cwd=self.directory,
            env=self.elbow.environment | own,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0 or not check, f"{done.stdout}\n{done.stderr}"
        return done

    def with_variables(self, command, *arguments, **options):
        values = {
            "endpoint": self.elbow.url,
            "cidr": self.elbow.network.vpc,
            "certificates": self.directory,
            "generation": self.generation,
        }
        variables = [f"-var={name}={value}" for name, value in values.items()]
        return self.terraform(command, "-input=false", *variables, *arguments, **options)

    def apply(self):
        self.with_variables("apply", "-auto-approve")

    def destroy(self):
        self.with_variables("destroy", "-auto-approve")

    def require_nothing_to_do(self):
        plan = self.with_variables("plan", "-detailed-exitcode", check=False)
        assert plan.returncode == NOTHING_TO_DO, f"{plan.stdout}\n{plan.stderr}"

    def output(self, name):
        return json.loads(self.terraform("output", "-json", name).stdout)

    def apps(self):
        """The machines of this generation; the caller ends them."""
        prefix = self.elbow.network.vpc.rsplit(".", 2)[0]
        addresses = [f"{prefix}.{subnet}.{100 + self.generation}" for subnet in (11, 12)]
        return [App(address, f"web-{self.generation}", port=TARGET_PORT) for address in addresses]


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def stack(make_elbow, tmp_path, authority):
    directory = tmp_path / "stack"
    directory.mkdir()
    return Stack(make_elbow(), directory, authority)


@pytest.fixture
def start_apps(stack):
    started = []

    def start():
        started.extend(stack.apps())

    yield start
    for app in started:
        app.close()


def inventory(elbow):
    """What is there, as far as the stack makes such things."""
    ec2, elbv2, acm = (elbow.client(service) for service in ("ec2", "elbv2", "acm"))
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    return {
        "VPCs": ec2.describe_vpcs()["Vpcs"],
        "subnets": ec2.describe_subnets()["Subnets"],
        "gateways": ec2.describe_internet_gateways()["InternetGateways"],
        "route tables": ec2.describe_route_tables()["RouteTables"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "prefix lists": ec2.describe_managed_prefix_lists()["PrefixLists"],
        "instances": ec2.describe_instances(Filters=running)["Reservations"],
        "load balancers": elbv2.describe_load_balancers()["LoadBalancers"],
        "target groups": elbv2.describe_target_groups()["TargetGroups"],
        "certificates": acm.list_certificates()["CertificateSummaryList"],
    }


@pytest.mark.timeout(1200)
def test_a_stack_is_made_changed_and_removed(stack, start_apps, authority):
    before = inventory(stack.elbow)
    start_apps()
    stack.apply()
    stack.require_nothing_to_do()

    shop = Shop(stack.elbow)
    addresses = shop.addresses({"LoadBalancerArn": stack.output("load_balancer")})
    shop.wait_for_state(stack.output("group"), "healthy")
    moved = get(addresses[0], "/cart/1", PORT, host="shop.example.com")
    assert (moved.status, moved.header("location")) == (301, "https://shop.example.com:443/cart/1")
    for name in ("shop.example.com", "api.example.com"):
        connection = TlsConnection(addresses[1], 443, authority.context(), name)
        assert connection.shown == {name}
        response = connection.request(host=name)
        assert (response.status, response.header("strict-transport-security")) == (200, "max-age=3600")
        connection.close()

    # The instances give way to others while clients go on.
    stack.generation = 1
    start_apps()
    with Load(addresses, PORT, fresh=2) as load:
        load.wait_for_every_client()
        stack.apply()
        load.next_mark()
        load.wait_for_every_client(requests=5)
    assert load.failures == []
    assert set(load.answers) == {"web-0", "web-1"}
    stack.require_nothing_to_do()

    stack.destroy()
    assert inventory(stack.elbow) == before

"""elbow, one worker, set up through its public API as any user would."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from .. import programs
from ..processes import START_SECONDS_MAX, BenchError, Child, free_port
from ..scenarios import GRPC, HTTP, WEBSOCKET, rule_path
from .base import Proxy, Running, first_line, start_program, stopped_on_error

# More rules than this go straight into the data plane: each CreateRule compiles the whole listener
# anew, and a listener has only 50,000 priorities.
API_RULES_MAX = 10_000

# The console's default: TLS 1.2 and 1.3.
SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"

# Parameters of the target group by kind of target. The gRPC target answers every call with status 0.
PROTOCOL_VERSIONS = {
    HTTP: {"ProtocolVersion": "HTTP1"},
    WEBSOCKET: {"ProtocolVersion": "HTTP1"},
    GRPC: {"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "0"}},
}

# Enough to keep the endpoint busy while Python signs the next calls.
CALLS_IN_FLIGHT = 4


class Elbow(Proxy):
    name = "elbow"
    rules_max = 100_000

    def __init__(self, binary=None):
        """Measures this binary, or the one that cargo builds from this tree."""
        self._given_binary = binary

    def start(self, setup):
        rules = setup.configuration.rules
        if rules > API_RULES_MAX:
            return self._start_data_plane(setup)
        command = [self._binary(), "serve", "--data-dir", str(setup.directory), "--listen", "127.0.0.1:0"]
        command += ["--workers", "1", "--log", "warn"]
        if rules:
            command += ["--limit", f"rules-per-application-load-balancer={rules}"]
        child = Child(command, setup.core, setup.directory / "log")
        with stopped_on_error(child):
            variables = wait_for_endpoint(self._binary(), child, setup.directory)
            address = set_up(variables, setup)
            child.wait_until_accepting(address)
        return Running(self.name, address, child, setup.configuration)

    def _start_data_plane(self, setup):
        """The same data plane with its snapshot made by a small program instead of the control plane."""
        address = ("127.0.0.1", free_port())
        command = [programs.plain_proxy(), "%s:%d" % address, setup.target_text, str(setup.configuration.rules)]
        return start_program(self, command, setup, address)

    def version(self):
        return first_line([self._binary(), "--version"])

    def _binary(self):
        return self._given_binary or programs.elbow()


def wait_for_endpoint(binary, child, data_directory):
    """The variables that `elbow env` prints once elbow serves."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        child.check_running()
        command = [binary, "env", "--data-dir", str(data_directory)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            exports = [line.removeprefix("export ") for line in done.stdout.splitlines() if "=" in line]
            return dict(export.split("=", 1) for export in exports)
        if time.monotonic() > deadline:
            raise BenchError(f"elbow does not serve its endpoint: {done.stderr}")
        time.sleep(0.05)


def set_up(variables, setup):
    """Makes the load balancer and returns its listener's address. Raises BenchError if elbow refuses."""
    # Not at the top: bench/run starts before there is a boto3.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return Account(variables).make_load_balancer(setup)
    except (BotoCoreError, ClientError) as error:
        raise BenchError(f"elbow cannot be set up: {error}") from error


class Account:
    """The AWS account of one running elbow."""

    def __init__(self, variables):
        import boto3
        from botocore.config import Config

        session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        config = Config(read_timeout=60, max_pool_connections=CALLS_IN_FLIGHT)
        self._ec2, self._elbv2, self._acm = (
            session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"], config=config)
            for service in ("ec2", "elbv2", "acm")
        )

    def make_load_balancer(self, setup):
        """A load balancer whose listener forwards to the target; returns the listener's address."""
        subnets = self._ec2.describe_subnets()["Subnets"]
        group = self._elbv2.create_target_group(
            Name="bench",
            Protocol="HTTP",
            **PROTOCOL_VERSIONS[setup.configuration.target],
            Port=setup.target[1],
            VpcId=subnets[0]["VpcId"],
            TargetType="ip",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self._elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": setup.target[0]}])
        balancer = self._elbv2.create_load_balancer(
            Name="bench", Subnets=[subnet["SubnetId"] for subnet in subnets]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        host = self._host_of(balancer)
        port = free_port(host)
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        listener = self._elbv2.create_listener(
            LoadBalancerArn=balancer, Port=port, DefaultActions=forward, **self._protocol(setup)
        )["Listeners"][0]["ListenerArn"]
        self._allow(balancer, port)
        self._make_rules(listener, setup.configuration.rules, forward)
        self._elbv2.get_waiter("target_in_service").wait(
            TargetGroupArn=group, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return (host, port)

    def _protocol(self, setup):
        """The listener's protocol, with an imported certificate if it is HTTPS."""
        if not setup.configuration.tls:
            return {"Protocol": "HTTP"}
        imported = self._acm.import_certificate(
            Certificate=setup.certificate.chain.read_bytes(), PrivateKey=setup.certificate.key.read_bytes()
        )
        return {
            "Protocol": "HTTPS",
            "SslPolicy": SSL_POLICY,
            "Certificates": [{"CertificateArn": imported["CertificateArn"]}],
        }

    def _host_of(self, balancer):
        """The address of the load balancer's node in one of its zones."""
        name = balancer.split(":loadbalancer/")[1]
        interfaces = self._ec2.describe_network_interfaces(
            Filters=[{"Name": "description", "Values": [f"ELB {name}"]}]
        )["NetworkInterfaces"]
        return sorted(interface["PrivateIpAddress"] for interface in interfaces)[0]

    def _allow(self, balancer, port):
        """Lets loopback clients in: the default security group allows its own members only."""
        described = self._elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
        self._ec2.authorize_security_group_ingress(
            GroupId=described["SecurityGroups"][0],
            IpPermissions=[{
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "IpRanges": [{"CidrIp": "127.0.0.0/8"}],
            }],
        )

    def _make_rules(self, listener, count, actions):
        def make_rule(index):
            self._elbv2.create_rule(
                ListenerArn=listener,
                Priority=index + 1,
                Conditions=[{"Field": "path-pattern", "Values": [rule_path(index) + "*"]}],
                Actions=actions,
            )

        with ThreadPoolExecutor(CALLS_IN_FLIGHT) as calls:
            # The list asks for each result, so that a refused call is not overlooked.
            list(calls.map(make_rule, range(count)))

"""`elbow serve` and the commands around it: files, refusals, start and stop."""

import signal
import stat
import subprocess

import pytest

from harness.elbow import binary, quiet_environment
from harness.http import get
from harness.shop import Shop, fixed


def elbow(*arguments, **options):
    return subprocess.run(
        [str(binary()), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        env=quiet_environment() | options.pop("env", {}),
        stdin=subprocess.DEVNULL,
        **options,
    )


def test_the_data_directory_is_its_owners_alone(make_elbow):
    server = make_elbow()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data.iterdir()}
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert "credentials" in modes
    assert set(modes.values()) == {0o600}, modes


def test_the_key_stays_and_is_printed(make_elbow):
    server = make_elbow()
    before = server.key()
    assert before[0].startswith("AKIA")
    assert f"export AWS_ENDPOINT_URL={server.url}\n" in server.run("env")
    server.stop()
    server.start()
    assert server.key() == before


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None], ids=["TERM", "INT", "end of input"])
def test_it_stops_in_order(make_elbow, how):
    server = make_elbow()
    if how:
        server.process.send_signal(how)
    else:
        server.process.stdin.close()
    assert server.process.wait(timeout=20) == 0


def test_a_restart_serves_as_before(make_elbow):
    server = make_elbow()
    shop = Shop(server)
    balancer = shop.balancer()
    shop.listener(balancer, fixed(200, "as before", "text/plain"))
    assert server.stop() == 0
    server.start()
    # It served before it said that it was ready.
    assert get(shop.addresses(balancer)[0], port=shop.port).text == "as before"


def test_one_data_directory_has_one_server(make_elbow):
    server = make_elbow()
    second = elbow("serve", "--data-dir", server.data, "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert str(server.data) in second.stderr


@pytest.mark.parametrize(
    "arguments, saying",
    [
        (["--listen", "192.0.2.1:4566"], "--insecure-public-endpoint"),
        (["--zone", "a=127.65.1.0/24"], "two availability zones"),
        (["--vpc-cidr", "10.0.0.0/16"], "127.65.1.0/24"),
        (["--limit", "colours=3"], "colours"),
        (["--workers", "0"], "--workers"),
        (["--region", "mars"], "mars"),
        (["--log", "proxy=loudest"], "proxy=loudest"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_settings_that_are_refused(tmp_path, arguments, saying):
    refused = elbow("serve", "--data-dir", tmp_path / "data", *arguments)
    assert refused.returncode != 0
    assert saying in refused.stderr
    assert not (tmp_path / "data").exists(), "a refusal leaves no trace"


def test_a_configuration_file(tmp_path):
    file = tmp_path / "elbow.toml"
    file.write_text("[topology]\naddresses = 'interface'\n")
    refused = elbow("serve", "--config", file, "--data-dir", tmp_path / "data")
    assert refused.returncode == 1
    assert "interface" in refused.stderr and "routed" in refused.stderr
    file.write_text("colour = 'red'\n")
    refused = elbow("serve", env={"ELBOW_CONFIG": str(file)})
    assert refused.returncode == 1
    assert "colour" in refused.stderr


def test_client_commands_say_what_is_missing(tmp_path):
    for command in (["env"], ["hosts"], ["instance", "list"]):
        refused = elbow(*command, "--data-dir", tmp_path)
        assert refused.returncode == 1
        assert "elbow serve" in refused.stderr


def test_version():
    assert elbow("version").stdout.startswith("elbow 0.")


def test_instances(make_elbow):
    server = make_elbow()
    address = server.network.free_host(1)
    instance = server.run("instance", "add", "--address", address, "--name", "shop-1").strip()
    assert instance.startswith("i-")
    [line] = server.run("instance", "list").splitlines()
    assert line.split("\t") == [instance, address, "us-east-1b", "running", "shop-1"]
    server.run("instance", "remove", instance)
    [line] = server.run("instance", "list").splitlines() or [instance + "\tterminated"]
    assert "terminated" in line
    foreign = elbow("instance", "add", "--data-dir", server.data, "--address", "10.0.0.1")
    assert foreign.returncode == 1
    assert "10.0.0.1 is in none of the subnets" in foreign.stderr

"""`elbow status`: what there is, as a tree for people and as JSON for programs, and an exit status."""

import json
import os
import subprocess
import threading

import pytest

from harness.elbow import binary, quiet_environment
from harness.shop import Shop, fixed, forward


def status(elbow, *arguments):
    """Exit status, output and errors of `elbow status`."""
    return run(elbow, "status", *arguments)


def run(elbow, *arguments):
    """Exit status, output and errors of a command about a running elbow."""
    command = [str(binary()), *arguments, "--data-dir", str(elbow.data)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=quiet_environment()
    )
    return done.returncode, done.stdout, done.stderr


def test_the_tree_has_everything_that_serves_a_request(elbow, shop, target):
    one = target("one")
    group = shop.group(one)
    balancer = shop.balancer()
    listener = shop.listener(balancer, forward(group))
    condition = {"Field": "path-pattern", "Values": ["/old/*"]}
    shop.rule(listener, 20, [condition], fixed(410))
    header = {"HttpHeaderName": "X-A", "Values": ["b"]}
    shop.rule(listener, 5, [{"Field": "http-header", "HttpHeaderConfig": header}], fixed(404))
    shop.wait_for_state(group, "healthy")

    code, text, errors = status(elbow, balancer["LoadBalancerName"])
    assert code == 0, errors
    lines = [line.split() for line in text.splitlines()]
    name = balancer["LoadBalancerName"]
    first, second = shop.addresses(balancer)
    group_name = group.split("/")[1]
    assert lines == [
        [name, "active", balancer["DNSName"]],
        ["us-east-1a", first],
        ["us-east-1b", second],
        [f"HTTP:{shop.port}"],
        ["5", "http-header", "X-A:", "b", "fixed-response", "404"],
        ["20", "path-pattern", "/old/*", "fixed-response", "410"],
        ["default", "forward", group_name],
        ["target", "group", group_name, "HTTP:8080", "1", "of", "1", "healthy"],
        [f"{one.address}:{one.port}", "healthy"],
    ]

    code, text, _ = status(elbow, name, "--json")
    told = json.loads(text)
    assert code == 0 and told["is_well"] is True
    assert [one["name"] for one in told["load_balancers"]] == [name]
    assert told["load_balancers"][0]["listeners"][0]["arn"] == listener
    assert told["target_groups"][0]["targets"][0]["state"] == "healthy"


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_what_is_deleted_while_it_is_read_is_no_failure(make_elbow, command):
    own = Shop(make_elbow())
    is_over = threading.Event()

    def come_and_go():
        while not is_over.is_set():
            passing = Shop(own.elbow)
            group, balancer = passing.group(), passing.balancer()
            passing.listener(balancer, forward(group))
            passing.close()

    traffic = threading.Thread(target=come_and_go)
    traffic.start()
    try:
        for _ in range(15):
            code, _, errors = run(own.elbow, command)
            assert code in (0, 1), errors
    finally:
        is_over.set()
        traffic.join()


def test_a_target_that_is_not_well_gives_status_1(elbow, shop, target):
    sick = target("sick", health="500 Internal Server Error")
    group = shop.group(sick)
    balancer = shop.balancer()
    shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "unhealthy")
    code, text, _ = status(elbow, balancer["LoadBalancerName"])
    assert code == 1
    assert "Target.ResponseCodeMismatch; Health checks failed with these codes: [500]" in text
    code, text, _ = status(elbow)
    assert code == 1 and balancer["DNSName"] in text, "without a name it is about all of them"


def test_without_a_name_it_tells_of_all_of_them(elbow, shop):
    names = [shop.balancer()["LoadBalancerName"] for _ in range(3)]
    unused = shop.group()
    _, text, _ = status(elbow, "--json")
    told = json.loads(text)
    found = [one["name"] for one in told["load_balancers"]]
    assert found == sorted(found) and set(names) <= set(found)
    assert unused in [group["arn"] for group in told["target_groups"]]
    _, text, _ = status(elbow)
    assert f"target group {unused.split('/')[1]}  HTTP:8080  no targets" in text.split("used by no load balancer")[1]


def test_an_error_gives_status_2(elbow, tmp_path):
    code, text, errors = status(elbow, "no-such-load-balancer")
    assert code == 2 and text == "" and "LoadBalancerNotFound" in errors
    command = [str(binary()), "status", "--data-dir", str(tmp_path / "nothing")]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment())
    assert done.returncode == 2 and "elbow serve" in done.stderr


@pytest.mark.parametrize("output", [(), ("--json",)])
@pytest.mark.parametrize("command", ["status", "doctor", "explain"])
def test_a_reader_that_has_enough_is_no_error(elbow, shop, command, output):
    balancer = shop.balancer()
    shop.listener(balancer, fixed())
    question = ("GET", f"http://{balancer['DNSName']}:{shop.port}/") if command == "explain" else ()
    arguments = [str(binary()), command, *question, *output, "--data-dir", str(elbow.data)]
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing) as pipe:
        done = subprocess.run(
            arguments, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60, env=quiet_environment()
        )
    assert done.returncode in (0, 1) and done.stderr == "", "what was found is said by the status"

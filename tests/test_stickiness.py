"""Sticky sessions with a client that keeps cookies."""

import pytest

from harness.browser import Browser
from harness.shop import attributes, forward


def serve(shop, *targets):
    """A load balancer in front of targets that have passed a check; its address and their group.

    Before that, the first target to pass takes the clients of those that have not been checked yet.
    """
    address, group, _ = shop.serve(*targets)
    shop.wait_for_state(group, "healthy")
    return address, group


@pytest.fixture
def targets(target):
    return [target(f"target-{n}", zone=n % 2) for n in range(4)]


def test_the_cookie_of_the_load_balancer_keeps_a_client_with_its_target(shop, targets):
    address, group = serve(shop, *targets)
    attributes(shop, group, stickiness__enabled="true")
    seen = set()
    for _ in range(8):
        browser = Browser(address, shop.port)
        first = browser.get()
        assert set(browser.set) == {"AWSALB", "AWSALBCORS"}
        assert browser.set["AWSALB"].value == browser.set["AWSALBCORS"].value
        assert browser.set["AWSALB"]["path"] == "/" and browser.set["AWSALB"]["expires"]
        assert browser.set["AWSALBCORS"]["samesite"] == "None"
        assert {browser.get() for _ in range(6)} == {first}
        seen.add(first)
    assert len(seen) == 4


def test_a_sticky_client_moves_when_its_target_leaves_and_stays_there(shop, targets):
    address, group = serve(shop, *targets)
    attributes(shop, group, stickiness__enabled="true")
    browser = Browser(address, shop.port)
    first = browser.get()
    leaving = next(target for target in targets if target.name == first)
    shop.deregister(group, leaving)
    second = browser.get()
    assert second != first
    shop.register(group, leaving)
    assert {browser.get() for _ in range(6)} == {second}


def test_the_cookie_of_the_application_keeps_a_client_with_its_target(shop, target):
    def script(name):
        def answer(request):
            cookie = () if request.path != "/login" else (f"Set-Cookie: session={name}; Path=/",)
            request.respond(body=name.encode(), headers=cookie)

        return answer

    targets = [target(f"target-{n}", script=script(f"target-{n}")) for n in range(3)]
    address, group = serve(shop, *targets)
    attributes(
        shop,
        group,
        stickiness__enabled="true",
        stickiness__type="app_cookie",
        stickiness__app_cookie__cookie_name="session",
    )
    browser = Browser(address, shop.port)
    browser.get()
    assert browser.cookies["AWSALBAPP-0"] == "_remove_"
    first = browser.get("/login")
    assert browser.cookies["AWSALBAPP-0"] not in ("", "_remove_")
    assert {browser.get() for _ in range(6)} == {first}
    del browser.cookies["session"]
    assert {browser.get() for _ in range(6)} != {first}


def test_a_client_stays_with_its_target_group(shop, target):
    groups = [shop.group(target(f"group-{n}")) for n in range(3)]
    balancer = shop.balancer()
    [action] = forward(*[(group, 1) for group in groups])
    stickiness = {"Enabled": True, "DurationSeconds": 60}
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness
    shop.listener(balancer, [action])
    address = shop.addresses(balancer)[0]
    seen = set()
    for _ in range(12):
        browser = Browser(address, shop.port)
        first = browser.get()
        assert {"AWSALBTG", "AWSALBTGCORS"} <= set(browser.set)
        assert {browser.get() for _ in range(4)} == {first}
        seen.add(first)
    assert len(seen) > 1


def test_cookies_hold_over_a_restart(shop, elbow, make_elbow):
    del shop, elbow
    from harness.shop import Shop
    from harness.target import Target

    server = make_elbow()
    shop = Shop(server)
    targets = [Target(server.network.free_host(0), f"target-{n}") for n in range(3)]
    try:
        address, group = serve(shop, *targets)
        attributes(shop, group, stickiness__enabled="true")
        browser = Browser(address, shop.port)
        first = browser.get()
        server.kill()
        server.start()
        shop.wait_for_state(group, "healthy")
        assert {browser.get() for _ in range(6)} == {first}
    finally:
        for one in targets:
            one.close()

"""`elbow explain`: what would become of a request, told without one being sent."""

import re
from urllib.request import urlopen

import pytest

from harness.certificates import Authority, import_certificate
from harness.browser import Browser
from harness.explain import explain, run
from harness.guard import EVERYTHING_OUT, Guard, tcp
from harness.http import get
from harness.https import TlsConnection, https_listener
from harness.shop import attributes, fixed, forward
from harness.wait import until


def path(pattern):
    return {"Field": "path-pattern", "Values": [pattern]}


def rule_failures(answer):
    return {rule["priority"]: rule["failed"] for rule in answer["rules"]}


@pytest.fixture
def web(shop, target):
    """A load balancer in front of two healthy targets: (balancer, listener, group, targets)."""
    targets = target("one"), target("two")
    group = shop.group(*targets)
    balancer = shop.balancer()
    listener = shop.listener(balancer, forward(group))
    shop.wait_for_state(group, "healthy")
    return balancer, listener, group, targets


def secure(shop, balancer, group):
    """The ARN of a listener over TLS beside the one of `web`, and the context of its clients."""
    authority = Authority()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    listener = https_listener(shop, balancer, certificate, forward(group), port=shop.port + 1)
    shop.undo(shop.elbv2.delete_listener, ListenerArn=listener)
    return listener, authority.context()


def url_of(shop, balancer, rest="/"):
    return f"http://{balancer['DNSName']}:{shop.port}{rest}"


def test_every_rule_says_why_it_does_not_match(elbow, shop, web):
    balancer, listener, group, targets = web
    shop.rule(listener, 10, [path("/api/*")], fixed(404))
    header = {"HttpHeaderName": "X-Canary", "Values": ["on"]}
    both = [{"Field": "http-header", "HttpHeaderConfig": header}, path("/x*")]
    shop.rule(listener, 20, both, fixed(410))
    shop.rule(listener, 30, [path("/never")], fixed(411))

    code, text, errors = run(elbow, "GET", url_of(shop, balancer, "/x?a=b"))
    assert code == 0, errors
    lines = text.splitlines()
    assert "rule 10: path-pattern /api/* does not match /x" in lines
    assert "rule 20: http-header X-Canary: on does not match: the request has none" in lines
    assert "rule 30: path-pattern /never does not match /x" in lines
    assert any(line.startswith("rule default matches: ") for line in lines)
    assert f"forward to {group.split('/')[1]}" in lines

    canary = ("-H", "X-Canary: on", "-H", "X-Other: 1")
    answer = explain(elbow, "GET", url_of(shop, balancer, "/x"), *canary)
    assert answer["outcome"] == {"type": "fixed-response", "status": 410}
    assert list(rule_failures(answer).items())[1:] == [("20", [])], "rule 30 is not looked at"
    answer = explain(elbow, "GET", url_of(shop, balancer, "/x"), "-H", "X-Canary: off")
    assert rule_failures(answer)["20"] == ["http-header X-Canary: on does not match off"]


def test_it_names_the_target_of_the_next_request_and_takes_no_turn(elbow, shop, web):
    balancer, _, _, _ = web
    node = shop.addresses(balancer)[0]

    def counted():
        """The counters, but for the audit log's, which has a line for each question."""
        lines = urlopen(f"{elbow.url}/_elbow/metrics").read().decode().splitlines()
        is_counted = re.compile(r"(?!elbow_audit_lines_total)[a-z0-9_]+_total\b")
        return [line for line in lines if is_counted.match(line)]

    assert any("requests" in line for line in counted())

    def ask():
        """Three answers, and the counters that have moved: the end of a connection may move one, and not each time."""
        before = counted()
        answers = [explain(elbow, "GET", f"http://{node}:{shop.port}/") for _ in range(3)]
        return answers, [line for line in counted() if line not in before]

    for _ in range(4):
        for _ in range(10):
            answers, moved = ask()
            if not moved:
                break
        assert not moved, "each time"
        told = [answer["outcome"]["target_groups"][0]["next"] for answer in answers]
        assert told == told[:1] * 3
        served = get(node, port=shop.port).text
        by_name = {one.name: f"{one.address}:{one.port}" for one in web[3]}
        assert by_name[served] == told[0]


def test_targets_that_get_nothing_say_why(elbow, shop, web):
    balancer, _, group, (one, two) = web
    two.health = "500 Internal Server Error"
    key = (two.address, two.port)
    until(lambda: shop.health(group)[key][0] == "unhealthy", "the second target is unhealthy")

    def targets():
        group = explain(elbow, "GET", url_of(shop, balancer))["outcome"]["target_groups"][0]
        return group, {target["target"]: target for target in group["targets"]}

    told, by_name = targets()
    sick = by_name[f"{two.address}:{two.port}"]
    assert (sick["state"], sick["is_eligible"]) == ("unhealthy", False)
    assert sick["reason"] == "Target.ResponseCodeMismatch: Health checks failed with these codes: [500]"
    assert by_name[f"{one.address}:{one.port}"]["is_eligible"] and not told["fails_open"]

    one.health = "500 Internal Server Error"
    until(lambda: targets()[0]["fails_open"], "the target group fails open")
    told, by_name = targets()
    assert all(target["is_eligible"] for target in told["targets"])
    assert "fails open" in run(elbow, "GET", url_of(shop, balancer))[1]

    shop.deregister(group, one, two)
    until(lambda: {"draining", "unused"} >= {t["state"] for t in targets()[0]["targets"]}, "both drain")
    code, text, _ = run(elbow, "GET", url_of(shop, balancer))
    assert code == 1 and "answer 503: it has no target that can get requests" in text


def test_who_is_not_admitted_gets_no_connection(elbow, shop, web):
    balancer, listener, _, _ = web
    security_group = shop.ec2.create_security_group(
        GroupName=f"explain-{shop.port}", Description="explain", VpcId=shop.vpc
    )["GroupId"]
    shop.undo(shop.ec2.delete_security_group, GroupId=security_group)
    shop.ec2.authorize_security_group_ingress(
        GroupId=security_group, IpProtocol="tcp", FromPort=shop.port, ToPort=shop.port, CidrIp="10.0.0.0/8"
    )
    before = balancer["SecurityGroups"]
    arn = balancer["LoadBalancerArn"]
    shop.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[security_group])
    shop.undo(shop.elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=before)
    code, text, _ = run(elbow, "GET", url_of(shop, balancer))
    assert code == 1 and f"security groups  {security_group} do not admit 127.0.0.1" in text
    assert "no connection: " in text
    code, _, _ = run(elbow, "GET", url_of(shop, balancer), "--from", "10.1.2.3")
    assert code == 0


def test_a_target_that_security_groups_deny_is_504(elbow, shop, target):
    guard, server = Guard(shop, tcp("0.0.0.0/0")), target("app")
    guard.revoke_egress(EVERYTHING_OUT)
    balancer = shop.balancer(SecurityGroups=[guard.id])
    shop.listener(balancer, forward(shop.group(server)))
    code, text, _ = run(elbow, "GET", url_of(shop, balancer))
    assert code == 1 and "answer 504: security groups drop new connections to its targets" in text
    assert f"no egress rule of {guard.id} lets {balancer['LoadBalancerName']} connect to {server.address}:8080" in text
    guard.admit_egress(EVERYTHING_OUT)
    code, text, _ = run(elbow, "GET", url_of(shop, balancer))
    assert code == 0 and "no egress rule" not in text


def test_sni_chooses_the_certificate(elbow, shop, web):
    balancer, _, group, _ = web
    authority = Authority()
    default = import_certificate(shop, authority.issue("shop.example"))
    other = import_certificate(shop, authority.issue("*.other.example"))
    listener = shop.elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=shop.port + 1,
        Certificates=[{"CertificateArn": default}],
        DefaultActions=forward(group),
    )["Listeners"][0]["ListenerArn"]
    shop.undo(shop.elbv2.delete_listener, ListenerArn=listener)
    shop.elbv2.add_listener_certificates(
        ListenerArn=listener, Certificates=[{"CertificateArn": other}]
    )

    def shown(url):
        certificate = explain(elbow, "GET", url, "--listener", listener)["certificate"]
        return certificate["arn"], certificate["is_default"]

    assert shown("https://shop.example/") == (default, True)
    assert shown("https://www.other.example/") == (other, False)
    assert shown("https://nobody.example/") == (default, True)
    for name, fits in (("shop", True), ("nobody", False)):
        code, text, errors = run(elbow, "GET", f"https://{name}.example/", "--listener", listener)
        assert code == 0, errors
        assert ("which its names do not include" in text) == (not fits), text
    code, text, _ = run(elbow, "GET", "http://shop.example/", "--listener", listener)
    assert code == 1 and "no connection: the listener speaks HTTPS, and the URL says http" in text


def test_transforms_redirects_and_refusals_are_told(elbow, shop, web):
    balancer, listener, group, _ = web
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    shop.rule(listener, 10, [path("/old")], [{"Type": "redirect", "RedirectConfig": redirect}])
    shop.elbv2.create_rule(
        ListenerArn=listener,
        Priority=20,
        Conditions=[path("/v1/*")],
        Actions=forward(group),
        Transforms=[
            {
                "Type": "url-rewrite",
                "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/v1/(.*)$", "Replace": "/v2/$1"}]},
            }
        ],
    )
    told = explain(elbow, "GET", url_of(shop, balancer, "/old?q=1"))["outcome"]
    host = balancer["DNSName"]
    assert told == {"type": "redirect", "status": 301, "location": f"https://{host}:443/old?q=1"}
    told = explain(elbow, "GET", url_of(shop, balancer, "/v1/users?q"))["outcome"]
    assert told["url"] == "/v2/users?q"
    told = explain(elbow, "TRACE", url_of(shop, balancer))["outcome"]
    assert (told["type"], told["status"]) == ("refused", 405)
    long = url_of(shop, balancer, "/" + "x" * 20_000)
    assert explain(elbow, "GET", long)["outcome"]["status"] == 414
    twice = ("-H", "Content-Length: 1", "-H", "Content-Length: 2")
    assert explain(elbow, "POST", url_of(shop, balancer), *twice)["outcome"]["status"] == 400


def test_what_a_group_does_not_speak_comes_before_other_refusals(elbow, shop, web):
    balancer, _, group, _ = web
    listener, context = secure(shop, balancer, group)
    calls = shop.group(ProtocolVersion="GRPC", HealthCheckPath="/", Matcher={"GrpcCode": "0"})
    shop.rule(listener, 10, [path("/calls")], forward(calls))
    too_many = "X-Forwarded-For: " + ", ".join(["127.0.0.1"] * 40)

    def outcome(rest, *options):
        arguments = ("--listener", listener, "-H", too_many, *options)
        return explain(elbow, "POST", f"https://shop.example{rest}", *arguments)["outcome"]

    told = outcome("/calls")
    assert told["target_groups"][0]["refusal"].startswith("464:"), told
    address = shop.addresses(balancer)[0]
    with TlsConnection(address, shop.port + 1, context) as client:
        assert client.request("POST", "/calls", headers=[too_many]).status == 464
    told = outcome("/")
    assert (told["type"], told["status"]) == ("refused", 463)
    assert outcome("/" + "x" * 20_000)["status"] == 414
    assert outcome("/" + "x" * 70_000, "--http2")["status"] == 413


def test_where_nothing_listens_there_is_no_connection(elbow, shop, web):
    balancer, listener, _, _ = web
    node = shop.addresses(balancer)[0]
    for arguments, expected in [
        ((f"http://{balancer['DNSName']}:1/",), "no listener is on port 1; the load balancer has listeners on"),
        ((f"http://{node}:1/",), "no listener is on port 1"),
        (("http://a/", "--listener", listener, "--from", "::1"), "the load balancer has no address of IPv6"),
    ]:
        code, text, errors = run(elbow, "GET", *arguments)
        assert code == 1 and f"no connection: {expected}" in text, errors
        told = explain(elbow, "GET", *arguments)
        assert told["outcome"]["type"] == "no-connection" and "is_admitted" not in told
        assert told["load_balancer"] == balancer["LoadBalancerArn"]


def test_the_path_of_login_callbacks_is_reserved(elbow, shop, web):
    balancer, plain, group, _ = web
    listener, context = secure(shop, balancer, group)
    url = "https://shop.example/oauth2/idpresponse"

    def told(query="", *options, listener=listener, url=url):
        return explain(elbow, "GET", url + query, "--listener", listener, *options)

    assert told()["outcome"]["type"] == "forward", "no rule has a login"
    login = {
        "Issuer": "https://idp.example",
        "AuthorizationEndpoint": "https://idp.example/authorize",
        "TokenEndpoint": "https://idp.example/token",
        "UserInfoEndpoint": "https://idp.example/user",
        "ClientId": "shop",
        "ClientSecret": "secret",
    }
    actions = [{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": login}]
    shop.rule(listener, 1, [path("/app")], actions + [forward(group)[0] | {"Order": 2}])

    nonce = ("-H", "Cookie: AWSALBAuthNonce=x")
    for query, options, status in [
        ("", (), 401),
        ("?code=c", nonce, 401),
        ("?state=s", nonce, 401),
        ("?error=access_denied", (), 401),
        ("?error=server_error", (), 561),
    ]:
        outcome = told(query, *options)["outcome"]
        assert (outcome["type"], outcome["status"]) == ("refused", status), query
        address = shop.addresses(balancer)[0]
        with TlsConnection(address, shop.port + 1, context) as client:
            headers = ["Cookie: AWSALBAuthNonce=x"] if options else []
            answer = client.request("GET", f"/oauth2/idpresponse{query}", headers=headers)
            assert answer.status == status, "explain says what elbow does"
    answer = told("?code=c&state=s", *nonce)
    assert answer["outcome"] == {"type": "login-callback", "issuers": ["https://idp.example"]}
    assert answer["rules"][-1]["priority"] == "default", "the rule of the path, which does not count"
    code, text, errors = run(elbow, "GET", url + "?code=c&state=s", "--listener", listener, *nonce)
    assert code == 0 and "login callback: " in text, errors
    shop.rule(listener, 2, [path("/oauth2/*")], actions + [forward(group)[0] | {"Order": 2}])
    for query, options in (("", ()), ("?code=c&state=s", nonce)):
        assert told(query, *options)["before_action"] == [], "nobody is asked for a login there"
    assert told(url="https://shop.example/oauth2/other")["before_action"] != []
    elsewhere = told(listener=plain, url="http://shop.example/oauth2/idpresponse")
    assert elsewhere["outcome"]["type"] == "forward", "that listener has no logins"


@pytest.mark.parametrize("kind", ["lb_cookie", "app_cookie"])
def test_a_cookie_has_the_request_stay_with_its_target(elbow, shop, target, kind):
    def script(name):
        return lambda request: request.respond(
            body=name.encode(), headers=() if request.path != "/login" else ("Set-Cookie: id=1",)
        )

    targets = [target(f"target-{n}", script=script(f"target-{n}")) for n in range(3)]
    by_name = {one.name: f"{one.address}:{one.port}" for one in targets}
    address, group, _ = shop.serve(*targets)
    shop.wait_for_state(group, "healthy")
    of_application = {"stickiness__app_cookie__cookie_name": "id"} if kind == "app_cookie" else {}
    attributes(shop, group, stickiness__enabled="true", stickiness__type=kind, **of_application)
    name = {"lb_cookie": "AWSALBCORS", "app_cookie": "AWSALBAPP-0"}[kind]
    url = f"http://{address}:{shop.port}/"

    def told(browser):
        """What is told of the request that the browser would make, which it then makes."""
        group = explain(elbow, "GET", url, "-H", browser.field)["outcome"]["target_groups"][0]
        assert group["next"] == by_name[browser.get()], "explain says what elbow does"
        return group

    browsers = [Browser(address, shop.port) for _ in targets]
    first = [by_name[browser.get("/login")] for browser in browsers]
    assert len(set(first)) == 3
    for browser, its in zip(browsers, first):
        code, text, errors = run(elbow, "GET", url, "-H", browser.field)
        assert code == 0, errors
        assert f"  stays with {its} because of the cookie {name}\n" in text and "next by" not in text
        for _ in range(3):
            group_told = told(browser)
            assert (group_told["cookie"], group_told["next"]) == ({"name": name}, its)

    forger, mover, late = browsers
    forger.cookies[name] = forger.cookies[name][::-1]
    code, text, _ = run(elbow, "GET", url, "-H", forger.field)
    assert code == 0 and f"  the cookie {name} does not count: this elbow has not made it\n" in text
    assert re.search(r"^  next by round_robin: ", text, re.MULTILINE)
    assert told(forger)["cookie"]["fault"] == "this elbow has not made it"
    if kind == "app_cookie":
        session = late.cookies.pop("id")
        sealed = late.cookies[name]
        assert told(late)["cookie"]["fault"] == "the request lacks the cookie of the application"
        assert "cookie" not in told(late), "elbow has told the client to forget it"
        late.cookies |= {"id": session, name: sealed}
        assert told(late)["cookie"] == {"name": name}

    leaving = next(one for one in targets if by_name[one.name] == first[1])
    shop.deregister(group, leaving)
    gone = (f"{first[1]}, which it names, is not eligible", "the target that it names is no longer registered")
    assert told(mover)["cookie"]["fault"] in gone
    assert told(mover)["cookie"] == {"name": name}, "it has moved"

    duration = {f"stickiness__{kind}__duration_seconds": "1"}
    attributes(shop, group, **duration)
    mover.get()

    def fault():
        group = explain(elbow, "GET", url, "-H", mover.field)["outcome"]["target_groups"][0]
        return group["cookie"].get("fault")

    assert until(fault, "the end of the cookie") == "it has expired"


def test_a_cookie_has_the_request_stay_with_its_target_group(elbow, shop, target):
    groups = {name: shop.group(target(name)) for name in ("one", "two", "three")}
    balancer = shop.balancer()

    def sticky(*names, weights=(1, 1)):
        [action] = forward(*[(groups[name], weight) for name, weight in zip(names, weights)])
        stickiness = {"Enabled": True, "DurationSeconds": 60}
        action["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness
        return [action]

    listener = shop.listener(balancer, sticky("one", "two"))
    for name in ("one", "two"):
        shop.wait_for_state(groups[name], "healthy")
    address = shop.addresses(balancer)[0]
    url = f"http://{address}:{shop.port}/"

    def told(browser):
        outcome = explain(elbow, "GET", url, "-H", browser.field)["outcome"]
        return outcome["cookie"], [group["arn"] for group in outcome["target_groups"]]

    for _ in range(6):
        browser = Browser(address, shop.port)
        its = groups[browser.get()]
        assert told(browser) == ({"name": "AWSALBTGCORS"}, [its])
        assert groups[browser.get()] == its, "explain says what elbow does"

    kept = next(name for name in groups if groups[name] == its)
    other = {"one": "two", "two": "one"}[kept]
    shop.elbv2.modify_listener(ListenerArn=listener, DefaultActions=sticky(kept, other, weights=(0, 1)))
    code, text, errors = run(elbow, "GET", url, "-H", browser.field)
    assert code == 0, errors
    assert f"forward to {its.split('/')[1]}  because of the cookie AWSALBTGCORS\n" in text
    assert browser.get() == kept, "also with the weight 0"
    shop.elbv2.modify_listener(ListenerArn=listener, DefaultActions=sticky(other, "three", weights=(1, 0)))
    fault = "it names another target group"
    expected = {"name": "AWSALBTGCORS", "fault": fault}, [groups[other], groups["three"]]
    assert told(browser) == expected
    text = run(elbow, "GET", url, "-H", browser.field)[1]
    assert f"the cookie AWSALBTGCORS does not count: {fault}\nforward to " in text
    assert browser.get() == other


def test_a_question_about_nothing_has_status_2(elbow, shop, web):
    address = shop.addresses(web[0])[0]
    for arguments, expected in [
        (("GET", "http://nobody.example/"), "--listener"),
        (("GET", "not-a-url"), "not a URL"),
        (("GET", "http://a/", "--listener", "arn:x"), "no listener arn:x"),
        (("GET", "http://a/", "--listener", web[1], "--address", "192.0.2.1"), "no address of 192.0.2.1"),
        (("GET", "http://a/", "--listener", web[1], "-H", "X: a\nb"), "the header 'X'"),
        (("GET", f"http://{address}/", "--from", "::1"), "which is of the other family"),
    ]:
        code, text, errors = run(elbow, *arguments)
        assert code == 2 and text == "" and expected in errors, errors

"""Logins at a real OpenID Connect provider, and bearer tokens."""

import base64
import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.certificates import Authority, import_certificate, server_context
from harness.https import PORT, TlsConnection, https_listener
from harness.shop import fixed, forward

PROVIDER = Path(__file__).parent / "oidc-provider"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def elbow(make_elbow, authority, tmp_path):
    """An elbow that trusts the test's authority for its own calls."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    configuration = tmp_path / "elbow.toml"
    configuration.write_text(f'[identity_providers]\nca_bundle = "{tmp_path / "ca.pem"}"\n')
    return make_elbow(arguments=["--config", str(configuration)])


class Provider:
    """The certified npm package `oidc-provider`, over TLS."""

    def __init__(self, authority, directory, redirect_uri):
        issued = authority.issue("localhost", "127.0.0.1")
        (directory / "tls.pem").write_bytes(issued[0] + issued[2])
        self.process = subprocess.Popen(
            ["node", "provider.mjs", str(directory / "tls.pem"), redirect_uri],
            cwd=PROVIDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer.startswith("https://"), "the provider does not start"

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def action(self, **options):
        return {
            "Type": "authenticate-oidc",
            "Order": 1,
            "AuthenticateOidcConfig": {
                "Issuer": self.issuer,
                "AuthorizationEndpoint": f"{self.issuer}/auth",
                "TokenEndpoint": f"{self.issuer}/token",
                "UserInfoEndpoint": f"{self.issuer}/me",
                "ClientId": "elbow",
                "ClientSecret": "secret-of-elbow",
                "Scope": "openid email",
            }
            | options,
        }


@pytest.fixture
def site(shop, target, authority, tmp_path):
    """A load balancer behind a login: makes (address, target, provider)."""
    providers = []

    def make(**options):
        one = target("one")
        balancer = shop.balancer()
        address = shop.addresses(balancer)[0]
        certificate = import_certificate(shop, authority.issue("shop.example", address))
        redirect = f"https://{address}:{PORT}/oauth2/idpresponse"
        provider = Provider(authority, tmp_path, redirect)
        providers.append(provider)
        [routing] = forward(shop.group(one))
        actions = [provider.action(**options), routing | {"Order": 2}]
        https_listener(shop, balancer, certificate, actions)
        return address, one, provider

    yield make
    for provider in providers:
        provider.close()


def login(client, url):
    """What a person does in a browser; the last response."""
    response = client.get(url)
    for _ in range(20):
        if response.is_redirect:
            response = client.get(urljoin(str(response.url), response.headers["location"]))
        elif form := re.search(r'<form[^>]*action="([^"]+)"', response.text):
            fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', response.text))
            fields |= {"login": "jeff", "password": "any"} if 'name="login"' in response.text else {}
            response = client.post(urljoin(str(response.url), form[1]), data=fields)
        else:
            return response
    raise AssertionError(f"the login does not end: {response}")


def test_a_person_logs_in_and_the_target_learns_who_it_is(site, authority, elbow):
    address, one, provider = site()
    with httpx.Client(verify=authority.context(), trust_env=False) as client:
        response = login(client, f"https://{address}:{PORT}/private?x=1")
        assert response.status_code == 200 and response.text == "one"
        assert str(response.url).endswith("/private?x=1")
        before = len(one.requests)
        again = client.get(f"https://{address}:{PORT}/again")
        assert again.text == "one" and len(one.requests) == before + 1
        forged = {"x-amzn-oidc-identity": "root"}
        assert client.get(f"https://{address}:{PORT}/forged", headers=forged).text == "one"
    request = one.requests[-1]
    assert request.header("x-amzn-oidc-identity") == "jeff"
    assert request.header("x-amzn-oidc-accesstoken")
    data = request.header("x-amzn-oidc-data")
    header = json.loads(base64.urlsafe_b64decode(data.split(".")[0]))
    assert header["alg"] == "ES256" and header["iss"] == provider.issuer
    key = httpx.get(f"{elbow.url}/_elbow/public-keys/{header['kid']}", trust_env=False).text
    # The parts have base64 padding, also where they are signed; libraries refuse that.
    signed, _, signature = data.rpartition(".")
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    signature = base64.urlsafe_b64decode(signature)
    assert algorithm.verify(signed.encode(), algorithm.prepare_key(key), signature)
    claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1]))
    assert claims["sub"] == "jeff" and claims["email"] == "jeff@shop.example"


def test_without_a_session_the_target_gets_nothing(site, authority):
    address, one, provider = site(OnUnauthenticatedRequest="deny")
    with httpx.Client(verify=authority.context(), trust_env=False) as client:
        url = f"https://{address}:{PORT}/"
        assert client.get(url).status_code == 401
        forged = {"AWSELBAuthSessionCookie-0": "AAAA"}
        assert client.get(url, cookies=forged).status_code in (302, 401)
        assert client.get(f"{url}oauth2/idpresponse?code=x&state=y").status_code == 401
    assert not one.requests


def test_requests_pass_without_a_session_when_that_is_allowed(site, authority):
    address, one, _ = site(OnUnauthenticatedRequest="allow")
    with httpx.Client(verify=authority.context(), trust_env=False) as client:
        forged = {"x-amzn-oidc-identity": "root"}
        assert client.get(f"https://{address}:{PORT}/", headers=forged).text == "one"
    assert one.requests[0].header("x-amzn-oidc-identity") is None


class KeyServer:
    """Publishes the keys of an issuer of tokens."""

    def __init__(self, authority, directory):
        self.key = rsa.generate_private_key(65537, 2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        keys = json.dumps({"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(keys)))
                self.end_headers()
                self.wfile.write(keys)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = server_context(directory, authority.issue("localhost"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, kid="one", algorithm="RS256", key=None, **claims):
        claims = {"iss": self.issuer, "exp": int(time.time()) + 60, "scope": "read write"} | claims
        return jwt.encode(claims, key or self.key, algorithm, headers={"kid": kid})


def test_only_valid_tokens_reach_the_target(shop, target, authority, tmp_path):
    keys = KeyServer(authority, tmp_path)
    one = target("one")
    balancer = shop.balancer()
    certificate = import_certificate(shop, authority.issue("shop.example"))
    validation = {
        "Type": "jwt-validation",
        "Order": 1,
        "JwtValidationConfig": {
            "JwksEndpoint": f"{keys.issuer}/keys",
            "Issuer": keys.issuer,
            "AdditionalClaims": [
                {"Format": "space-separated-values", "Name": "scope", "Values": ["read"]}
            ],
        },
    }
    [routing] = forward(shop.group(one))
    https_listener(shop, balancer, certificate, [validation, routing | {"Order": 2}])
    stranger = rsa.generate_private_key(65537, 2048)
    with TlsConnection(shop.addresses(balancer)[0], PORT, authority.context()) as client:
        for token, status in [
            (keys.token(), 200),
            (None, 401),
            ("nonsense", 401),
            (keys.token(exp=int(time.time()) - 10), 401),
            (keys.token(iss="https://other.example"), 401),
            (keys.token(scope="write"), 401),
            (keys.token(kid="two"), 401),
            (keys.token(key=stranger), 401),
            (keys.token(algorithm="HS256", key="k" * 32), 401),
            (keys.token(), 200),
        ]:
            headers = [f"Authorization: Bearer {token}"] if token else []
            assert client.request(headers=headers).status == status, token
    assert len(one.requests) == 2
    keys.server.shutdown()
    keys.server.server_close()

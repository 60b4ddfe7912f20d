"""Authlib as the relying party of a user store: discovery, code with PKCE, password grant, refresh, userinfo."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from tests.conftest import Rolecall
from tests.server.ciam import Ciam
from tests.server.signin_browser import Browser, query_of

PASSWORD = "Right-Horse-42"
NONCE = "a nonce"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture(scope="module")
def ciam(rolecall: Rolecall) -> Ciam:
    return Ciam(rolecall)


@pytest.fixture(scope="module")
def found(rolecall: Rolecall) -> dict[str, Any]:
    """The provider as it describes itself."""
    issuer = rolecall.tencent["oidc_issuer"]
    metadata = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    assert metadata["issuer"] == issuer
    return dict(metadata)


@pytest.fixture
def client(rolecall: Rolecall) -> Iterator[OAuth2Session]:
    ready = rolecall.tencent
    with OAuth2Session(
        ready["oidc_client_id"],
        redirect_uri=ready["oidc_redirect_uri"],
        scope="openid profile email",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    ) as session:
        session.trust_env = False
        yield session


def verified(
    found: dict[str, Any], client: OAuth2Session, token: dict[str, Any], **options: Any
) -> CodeIDToken:
    """The ID token, by Authlib's own checks, under the keys that the provider publishes."""
    keys = KeySet.import_key_set(httpx.get(found["jwks_uri"]).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": found["issuer"]},
            "aud": {"essential": True, "value": client.client_id},
            "sub": {"essential": True},
        },
        params={"client_id": client.client_id, "access_token": token["access_token"], **options},
    )
    claims.validate()
    return claims


def by_code(found: dict[str, Any], client: OAuth2Session, name: str) -> dict[str, Any]:
    """A browser is sent to the provider and comes back to the redirect URI; Authlib makes a token of that."""
    url, state = client.create_authorization_url(
        found["authorization_endpoint"], code_verifier=VERIFIER, nonce=NONCE
    )
    with Browser() as browser:
        answer = browser.sign_in(url, name, PASSWORD)
    assert answer.headers["location"].startswith(f"{client.redirect_uri}?")
    assert query_of(answer)["state"] == state
    token = client.fetch_token(
        found["token_endpoint"],
        authorization_response=answer.headers["location"],
        state=state,
        code_verifier=VERIFIER,
    )
    return dict(token)


def test_a_user_signs_in_by_code_and_is_refused_after_deleteusers(
    ciam: Ciam, found: dict[str, Any], client: OAuth2Session
) -> None:
    user = ciam.create(Nickname="Ann")
    token = by_code(found, client, user["UserName"])
    claims = verified(found, client, token, nonce=NONCE)
    assert claims["sub"] == user["UserId"]
    told = client.get(found["userinfo_endpoint"]).json()
    assert (told["sub"], told["nickname"]) == (user["UserId"], "Ann")
    assert told["email"].endswith("@example.com")
    fresh = client.refresh_token(found["token_endpoint"])
    assert fresh["refresh_token"] != token["refresh_token"]
    assert verified(found, client, fresh)["sub"] == user["UserId"]
    assert client.get(found["userinfo_endpoint"]).status_code == 200
    ciam.ok("DeleteUsers", UserIds=[user["UserId"]])
    assert client.get(found["userinfo_endpoint"]).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(found["token_endpoint"])
    with Browser() as browser:
        url, _ = client.create_authorization_url(found["authorization_endpoint"], code_verifier=VERIFIER)
        assert browser.sign_in(url, user["UserName"], PASSWORD).status_code == 403


def test_the_password_grant(ciam: Ciam, found: dict[str, Any], client: OAuth2Session) -> None:
    user = ciam.create()
    client.scope = "openid"
    token = client.fetch_token(found["token_endpoint"], username=user["UserName"], password=PASSWORD)
    assert verified(found, client, token)["sub"] == user["UserId"]
    assert client.get(found["userinfo_endpoint"]).json()["preferred_username"] == user["UserName"]
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.fetch_token(found["token_endpoint"], username=user["UserName"], password="wrong")


def test_revoking(ciam: Ciam, found: dict[str, Any], client: OAuth2Session) -> None:
    token = by_code(found, client, ciam.create()["UserName"])
    revoked = client.revoke_token(found["revocation_endpoint"], token["refresh_token"])
    assert revoked.status_code == 200
    assert client.get(found["userinfo_endpoint"]).status_code == 401


def test_another_verifier_is_refused(ciam: Ciam, found: dict[str, Any], client: OAuth2Session) -> None:
    name = ciam.create()["UserName"]
    url, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=VERIFIER)
    with Browser() as browser:
        answer = browser.sign_in(url, name, PASSWORD)
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.fetch_token(
            found["token_endpoint"],
            authorization_response=answer.headers["location"],
            state=state,
            code_verifier="x" * 43,
        )


def test_a_refused_authorization_comes_back_with_its_state(
    found: dict[str, Any], client: OAuth2Session
) -> None:
    url, state = client.create_authorization_url(
        found["authorization_endpoint"], code_verifier=VERIFIER, prompt="none"
    )
    with Browser() as browser:
        answer = query_of(browser.get(url))
    assert (answer["error"], answer["state"], answer["iss"]) == ("login_required", state, found["issuer"])


def test_a_changed_id_token_is_noticed(ciam: Ciam, found: dict[str, Any], client: OAuth2Session) -> None:
    token = by_code(found, client, ciam.create()["UserName"])
    head, body, signature = token["id_token"].split(".")
    other = by_code(found, client, ciam.create()["UserName"])["id_token"].split(".")[1]
    with pytest.raises(BadSignatureError):
        verified(found, client, token | {"id_token": f"{head}.{other}.{signature}"})
    assert body != other


def test_an_application_with_a_secret(rolecall: Rolecall, ciam: Ciam, found: dict[str, Any]) -> None:
    uri = "https://shop.example/callback"
    done = rolecall.cli(
        "application", "add", "--store", ciam.store, "--redirect-uri", uri, "--password-grant", "--json"
    )
    added = json.loads(done.stdout)[0]
    for method in ("client_secret_basic", "client_secret_post"):
        with OAuth2Session(
            added["client_id"],
            added["client_secret"],
            redirect_uri=uri,
            scope="openid",
            code_challenge_method="S256",
            token_endpoint_auth_method=method,
        ) as session:
            session.trust_env = False
            token = by_code(found, session, ciam.create()["UserName"])
            verified(found, session, token, nonce=NONCE)
            asked = session.introspect_token(found["introspection_endpoint"], token["access_token"])
            assert asked.json()["active"] is True
            itself = session.fetch_token(found["token_endpoint"], grant_type="client_credentials")
            assert "refresh_token" not in itself
    with OAuth2Session(added["client_id"], "wrong", redirect_uri=uri, scope="openid") as session:
        session.trust_env = False
        with pytest.raises(OAuthError, match="invalid_client"):
            session.fetch_token(found["token_endpoint"], grant_type="client_credentials")


def test_the_pages_example_runs_as_it_stands(
    rolecall: Rolecall, ciam: Ciam, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text("utf-8")
    (source,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    user = ciam.create()
    shown = "http://127.0.0.1:7653/oidc/0f3c5a1e9d7b4c62a8e01b2c3d4e5f60"
    for text, instead in (
        (shown, rolecall.tencent["oidc_issuer"]),
        ("CLIENT-ID", rolecall.tencent["oidc_client_id"]),
        ('"ada"', f'"{user["UserName"]}"'),
    ):
        assert source.count(text) == 1
        source = source.replace(text, instead)
    exec(compile(source, "sign-in.md", "exec"), {"__name__": "example"})
    assert f"'sub': '{user['UserId']}'" in capsys.readouterr().out

"""Tokens shown, checked and revoked through Identity v3 and v2.0."""

from __future__ import annotations

import json
from typing import Any

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from tests.unit.openstack_cloud import KEY_ID, KEY_SECRET, TENANT, Cloud, listening

from rolecall.values import Reply

V3 = "/v3/auth/tokens"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def ask(cloud: Cloud, method: str, subject: str, own: str = "", target: str = V3) -> Reply:
    headers = {"x-auth-token": own or cloud.token(), "x-subject-token": subject}
    return cloud.send(method, target, headers={name: value for name, value in headers.items() if value})


def issued(cloud: Cloud, **scope: object) -> tuple[str, dict[str, Any]]:
    user = {"name": KEY_ID, "password": KEY_SECRET, "domain": {"id": "default"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, **scope}}
    reply = cloud.send("POST", V3, json.dumps(body), headers={"content-type": "application/json"})
    return dict(reply.headers)["x-subject-token"], json.loads(reply.body)


def test_a_token_is_shown_just_as_it_was_issued(cloud: Cloud) -> None:
    token, document = issued(cloud)
    reply = ask(cloud, "GET", token)
    assert reply.status == 200
    assert dict(reply.headers)["x-subject-token"] == token
    assert json.loads(reply.body) == document
    assert ask(cloud, "HEAD", token).status == 200
    assert json.loads(ask(cloud, "GET", token, own=token).body) == document


@pytest.mark.parametrize("query", ["?nocatalog", "?nocatalog=", "?x=1&nocatalog=false"])
def test_the_catalog_is_left_out_where_it_is_not_wanted(cloud: Cloud, query: str) -> None:
    token, document = issued(cloud)
    del document["token"]["catalog"]
    assert json.loads(ask(cloud, "GET", token, target=V3 + query).body) == document


def test_a_token_of_rackspace_says_so_in_both_versions(cloud: Cloud) -> None:
    token = cloud.token()
    shown = json.loads(ask(cloud, "GET", "", token, f"/v2.0/tokens/{token}").body)["access"]
    assert shown["token"]["id"] == token
    assert shown["token"]["RAX-AUTH:authenticatedBy"] == ["APIKEY"]
    assert shown["token"]["tenant"]["id"] == str(TENANT)
    assert {one["type"] for one in shown["serviceCatalog"]} >= {"rax:database", "database"}
    assert json.loads(ask(cloud, "GET", token).body)["token"]["methods"] == ["password"]
    assert ask(cloud, "HEAD", "", token, f"/v2.0/tokens/{token}").status == 200
    for tenant, status in ((TENANT, 200), (TENANT + 1, 404)):
        asked = f"/v2.0/tokens/{token}?belongsTo={tenant}"
        assert ask(cloud, "GET", "", token, asked).status == status


@pytest.mark.parametrize("target", [V3, "/v2.0/tokens/{}"])
def test_a_revoked_token_is_refused_at_its_next_use_and_can_no_longer_be_shown(
    cloud: Cloud, target: str
) -> None:
    token, other = cloud.token(), cloud.token()
    used = f"/v1.0/{TENANT}/flavors"
    assert cloud.send("GET", used, headers={"x-auth-token": token}).status == 200
    reply = ask(cloud, "DELETE", token, other, target.format(token))
    assert (reply.status, reply.body) == (204, b"")
    assert cloud.send("GET", used, headers={"x-auth-token": token}).status == 401
    assert cloud.send("GET", used, headers={"x-auth-token": other}).status == 200
    for method in ("GET", "DELETE"):
        assert ask(cloud, method, token, other, target.format(token)).status == 404
    assert ask(cloud, "GET", other, token).status == 401


def test_a_token_can_revoke_itself(cloud: Cloud) -> None:
    token = cloud.token()
    assert ask(cloud, "DELETE", token, token).status == 204
    assert ask(cloud, "GET", token, token).status == 401


@pytest.mark.parametrize("subject", ["", "nonsense", "gAAAAABnothing-of-ours_", "é"])
def test_what_is_no_token_of_ours_is_not_found(cloud: Cloud, subject: str) -> None:
    reply = ask(cloud, "GET", subject)
    told = {"code": 404, "message": "Failed to validate token", "title": "Not Found"}
    assert (reply.status, json.loads(reply.body)) == (404, {"error": told})


def test_an_expired_or_foreign_token_is_not_found(cloud: Cloud) -> None:
    foreign, mine, soon = cloud.token("2"), cloud.token(), cloud.token()
    for method in ("GET", "DELETE"):
        assert ask(cloud, method, foreign, mine).status == 404
    cloud.now = cloud.time() + 3601
    assert ask(cloud, "GET", soon, cloud.token()).status == 404


def test_a_token_whose_key_was_disabled_is_not_found(cloud: Cloud) -> None:
    token, other = cloud.token("2"), cloud.token("2")
    del cloud.repository.known[KEY_ID + "2"]
    assert ask(cloud, "GET", token, other).status == 401
    assert ask(cloud, "GET", token).status == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_is_told_of_a_token_to_who_shows_no_good_one(cloud: Cloud, method: str) -> None:
    token = cloud.token()
    for own in ("nonsense", token[:-2]):
        assert ask(cloud, method, token, own).status == 401
        assert ask(cloud, method, "", own, f"/v2.0/tokens/{token}").status == 401
    assert cloud.send(method, V3, headers={"x-subject-token": token}).status == 401


def test_keystoneauth_loses_its_token_and_asks_for_another(cloud: Cloud) -> None:
    """On a 401 it invalidates what it has and tries once more, with a new token."""
    with listening(cloud) as url:
        scope: dict[str, Any] = {"user_domain_id": "default", "project_domain_id": "default"}
        auth = v3.Password(
            f"{url}/v3", username=KEY_ID, password=KEY_SECRET, project_name=str(TENANT), **scope
        )
        session = Session(auth=auth)
        token = session.get_token()
        assert token is not None
        assert ask(cloud, "DELETE", token).status == 204
        answer = session.get(f"{url}/v1.0/{TENANT}/flavors")
        assert answer.status_code == 200
        assert session.get_token() != token

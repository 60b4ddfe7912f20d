"""Tokens shown and revoked on running replicas: what one of them ended no other takes any more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.clients.openstack_live import LiveCloud
from tests.conftest import Rolecall


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


def ask(cloud: LiveCloud, method: str, subject: str, at: str = "") -> httpx.Response:
    headers = {"X-Auth-Token": cloud.token, "X-Subject-Token": subject}
    return cloud.http.request(method, f"{at or cloud.endpoint}/v3/auth/tokens", headers=headers)


def used(cloud: LiveCloud, token: str, at: str) -> int:
    url = f"{at}/v1.0/{cloud.tenant}/flavors"
    return cloud.http.get(url, headers={"X-Auth-Token": token}).status_code


def test_a_token_is_shown_and_checked_on_every_replica(cloud: LiveCloud, strict: Rolecall) -> None:
    token = cloud.new_token()
    for at in (cloud.endpoint, strict.endpoint):
        shown = ask(cloud, "GET", token, at)
        assert shown.headers["x-subject-token"] == token
        assert shown.json()["token"]["project"]["id"] == cloud.tenant
        head = ask(cloud, "HEAD", token, at)
        assert (head.status_code, head.content) == (200, b"")
        url = f"{at}/v2.0/tokens/{token}"
        access = cloud.http.get(url, headers={"X-Auth-Token": cloud.token}).json()["access"]
        assert access["token"]["id"] == token


@pytest.mark.parametrize("version", ["v3", "v2.0"])
def test_a_revoked_token_is_refused_on_every_replica_and_after_a_look_at_the_store(
    cloud: LiveCloud,
    strict: Rolecall,
    store: Callable[..., Any],
    until: Callable[[Callable[[], bool]], None],
    version: str,
) -> None:
    token, other = cloud.new_token(), cloud.new_token()
    replicas = (cloud.endpoint, strict.endpoint)
    assert [used(cloud, token, at) for at in replicas] == [200, 200]  # remembered as good by both
    if version == "v3":
        answer = ask(cloud, "DELETE", token)
    else:
        url = f"{cloud.endpoint}/v2.0/tokens/{token}"
        answer = cloud.http.delete(url, headers={"X-Auth-Token": cloud.token})
    assert (answer.status_code, answer.content) == (204, b"")
    assert used(cloud, token, cloud.endpoint) == 401
    until(lambda: used(cloud, token, strict.endpoint) == 401)
    assert [used(cloud, other, at) for at in replicas] == [200, 200]
    assert [ask(cloud, method, token).status_code for method in ("GET", "HEAD", "DELETE")] == [404] * 3
    ((kept,),) = store("select count(*) from revoked_tokens where expires_at < now() + interval '13 hours'")
    assert kept >= 1


def test_a_token_that_was_revoked_buys_no_other(cloud: LiveCloud) -> None:
    token = cloud.new_token()
    assert ask(cloud, "DELETE", token).status_code == 204
    body = {"auth": {"token": {"id": token}, "tenantId": cloud.tenant}}
    answer = cloud.http.post(f"{cloud.endpoint}/v2.0/tokens", json=body)
    assert (answer.status_code, answer.json()["unauthorized"]["code"]) == (401, 401)


def test_tokens_are_not_logged(cloud: LiveCloud, rolecall: Rolecall) -> None:
    """Not even those that stand in a path."""
    token = cloud.new_token()
    url = f"{cloud.endpoint}/v2.0/tokens/{token}"
    assert cloud.http.get(url, headers={"X-Auth-Token": cloud.token}).status_code == 200
    (log,) = rolecall.data.parent.glob("ready-*.log")
    assert token not in log.read_text()
    rows = json.loads(rolecall.cli("operation", "list", "--json").stdout)
    assert token not in json.dumps(rows)

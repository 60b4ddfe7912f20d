"""A replica that takes tokens of an outside Keystone: who may do what, and what is said while Keystone is away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.clients.openstack_live import PASSWORD, LiveCloud
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.replica import replica
from tests.unit import keystone_server
from tests.unit.keystone_server import PROJECT, SERVICE, KeystonePlay, playing


@dataclass
class Outside:
    """The replica seen by a user of the outside Keystone."""

    play: KeystonePlay
    endpoint: str
    instance: str
    http: httpx.Client
    log: Path

    def __call__(
        self, method: str, path: str, token: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """`path` below the project's own address, as Keystone's catalog would have it."""
        return self.http.request(
            method,
            f"{self.endpoint}/v1.0/{PROJECT}{path}",
            json=body,
            headers={"X-Auth-Token": token, **headers},
        )

    def token(self, name: str = "anybody", role: str = "db_admin") -> str:
        return self.play.issue(name, roles=[{"id": "1", "name": role}])


@pytest.fixture(scope="module")
def outside(rolecall: Rolecall, until: Callable[[Callable[[], bool]], None]) -> Iterator[Outside]:
    play = KeystonePlay()
    with (
        playing(play) as url,
        replica(
            rolecall,
            until,
            keystone_url=url,
            keystone_username=SERVICE,
            keystone_password=keystone_server.PASSWORD,
            keystone_projects=json.dumps({PROJECT: rolecall.ready["owner"]["uin"]}),
            keystone_admin_role="db_admin",
            keystone_cache_seconds="0",
        ) as running,
        httpx.Client(timeout=60, trust_env=False) as http,
    ):
        yield Outside(
            play, running.endpoint, rolecall.ready["openstack"]["instance_id"], http, running.ready["log"]
        )


def fault(answer: httpx.Response) -> tuple[int, str]:
    ((name, inside),) = answer.json().items()
    assert inside["code"] == answer.status_code
    return answer.status_code, name


def test_an_administrator_of_the_project_makes_a_user_that_logs_in(
    outside: Outside, rolecall: Rolecall, name: Callable[[str], str]
) -> None:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    user, token = name("user"), outside.token("carol")
    path = f"/instances/{outside.instance}/users"
    answer = outside("POST", path, token, {"users": [{"name": user, "password": PASSWORD}]})
    assert answer.status_code == 202, answer.text
    assert outside("PUT", f"{path}/{user}/databases", token, {"databases": []}).status_code == 202
    assert live.logs_in(user, PASSWORD)
    shown = outside("GET", f"/instances/{outside.instance}", token).json()["instance"]
    assert shown["links"][0]["href"] == f"{outside.endpoint}/v1.0/{PROJECT}/instances/{outside.instance}"
    assert outside("DELETE", f"{path}/{user}", token).status_code == 202
    rows = json.loads(rolecall.cli("operation", "list", "--json").stdout)
    assert [one["change"] for one in rows if one["target"] == f"{user}@%"] == [
        "account.delete",
        "account.grants",
        "account.create",
    ]
    live.http.close()


def test_our_own_tokens_are_good_beside_those_of_keystone(outside: Outside, rolecall: Rolecall) -> None:
    settings = rolecall.ready["openstack"]
    live = LiveCloud(outside.endpoint, settings, rolecall.ready["engines"]["mysql"])
    assert live("GET", "//flavors").status_code == 200
    own = outside.http.get(
        f"{outside.endpoint}/v3/auth/tokens",
        headers={"X-Auth-Token": outside.token("carol"), "X-Subject-Token": live.token},
    )
    assert own.json()["token"]["project"]["id"] == settings["tenant_id"]
    live.http.close()


@pytest.mark.parametrize("path", ["/flavors", "/instances"])
def test_whom_keystone_does_not_know_is_told_only_that(outside: Outside, path: str) -> None:
    for token in ("nonsense", "gAAAAAB" + "x" * 150, keystone_server.PASSWORD):
        answer = outside("GET", path, token)
        assert fault(answer) == (401, "unauthorized")
        assert "www-authenticate" in answer.headers


def test_a_member_who_is_no_sub_user_is_forbidden_and_so_is_anothers_project(outside: Outside) -> None:
    assert fault(outside("GET", "/flavors", outside.token("carol", "member"))) == (403, "forbidden")
    other = outside.play.issue(project={"id": "f" * 32, "name": "other", "domain": {"id": "default"}})
    assert fault(outside("GET", "/flavors", other)) == (403, "forbidden")
    answer = outside.http.get(
        f"{outside.endpoint}/v1.0/{'f' * 32}/flavors", headers={"X-Auth-Token": outside.token()}
    )
    assert fault(answer) == (403, "forbidden")


def test_a_sub_user_of_the_same_name_may_do_what_its_policies_permit(
    outside: Outside, rolecall: Rolecall, name: Callable[[str], str]
) -> None:
    """Also where the token has the role that would make another the owner."""
    cam, user = Cam(rolecall), name("user").replace("_", "")
    added = cam.add(user)
    token, path = outside.token(user), f"/instances/{outside.instance}/users"
    assert fault(outside("GET", path, token)) == (403, "forbidden")
    document = {
        "version": "2.0",
        "statement": [{"effect": "allow", "action": "trove:ListUsers", "resource": "*"}],
    }
    policy = cam.ok("CreatePolicy", PolicyName=name("p"), PolicyDocument=json.dumps(document))["PolicyId"]
    cam.ok("AttachUserPolicy", PolicyId=policy, AttachUin=added["Uin"])
    assert outside("GET", path, token).status_code == 200
    assert fault(outside("POST", path, token, {"users": []})) == (403, "forbidden")
    assert outside("GET", "/flavors", token).status_code == 200
    cam.ok("DeleteUser", Name=user, Force=1)
    assert outside("GET", path, token).status_code == 200  # the owner, by the role
    assert fault(outside("GET", path, outside.token(user, "member"))) == (403, "forbidden")


def test_while_keystone_cannot_be_asked_nobody_of_its_users_is_let_in(outside: Outside) -> None:
    token = outside.token()
    assert outside("GET", "/flavors", token).status_code == 200
    outside.play.trouble = 503
    try:
        answer = outside("GET", "/flavors", token, Accept="application/xml")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.text.startswith('<serviceUnavailable code="503"')
        assert fault(outside("GET", "/flavors", token)) == (503, "serviceUnavailable")
    finally:
        outside.play.trouble = 0
    assert outside("GET", "/flavors", token).status_code == 200


def test_a_token_that_is_revoked_there_is_refused_here(outside: Outside) -> None:
    """At once where nothing is remembered."""
    token = outside.token()
    assert outside("GET", "/flavors", token).status_code == 200
    del outside.play.tokens[token]
    assert fault(outside("GET", "/flavors", token)) == (401, "unauthorized")


def test_neither_tokens_nor_the_service_users_password_are_logged(outside: Outside) -> None:
    written = outside.log.read_text()
    assert '"service":"database"' in written
    assert "gAAAAAB" not in written
    assert keystone_server.PASSWORD not in written

"""What is recorded of calls that write no operation: refusals by policy, sign-ins, and passwords that are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD, Cam
from tests.server.signin_browser import Browser

WRONG = "Wrong-Horse-99"
Trail = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def trail(store: Callable[..., list[tuple[Any, ...]]]) -> Trail:
    """Records by the value of one column, in order."""

    def found(**wanted: Any) -> list[dict[str, Any]]:
        ((column, value),) = wanted.items()
        rows = store(f"select to_jsonb(a) from audit a where {column} = %s order by id", value)
        return [row[0] for row in rows]

    return found


def test_a_refusal_by_policy_is_recorded_with_the_resource_and_the_request(
    rolecall: Rolecall, trail: Trail
) -> None:
    cam = Cam(rolecall)
    added = cam.add(UseApi=1)
    answer = cam.as_user(added).call("ListUsers")
    assert answer["Error"]["Code"] == "AuthFailure.UnauthorizedOperation"
    (row,) = trail(request_id=answer["RequestId"])
    assert (row["dialect"], row["action"], row["outcome"]) == ("tencent", "ListUsers", "denied")
    assert (row["principal"], row["access_key_id"]) == (added["Uin"], added["SecretId"])
    assert row["reason"] == "not-permitted"
    assert row["target"]
    assert (row["client"], row["detail"]["service"]) == ("127.0.0.1", "cam")


def test_nothing_is_recorded_of_who_is_not_proven(rolecall: Rolecall, trail: Trail) -> None:
    answer = Cam(rolecall, rolecall.tencent["secret_id"], "wrong").call("ListUsers")
    assert "Error" in answer
    assert trail(request_id=answer["RequestId"]) == []


def test_sign_ins_at_the_console_are_recorded_and_their_passwords_are_not(
    rolecall: Rolecall, trail: Trail
) -> None:
    added = Cam(rolecall).add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)
    with Browser(address="198.51.100.251") as browser:
        for password in (WRONG, PASSWORD):
            page = browser.get(f"{rolecall.endpoint}/console/sign-in")
            owner = str(rolecall.ready["owner"]["uin"])
            browser.send(page, owner=owner, name=added["Name"], secret_password=password)
    rows = [row for row in trail(target=added["Name"]) if row["action"] == "sign-in"]
    assert [(row["dialect"], row["outcome"], row["client"]) for row in rows] == [
        ("console", "failed", "198.51.100.251"),
        ("console", "done", "198.51.100.251"),
    ]
    assert {row["principal"] for row in rows} == {added["Uin"]}
    assert not any(secret in json.dumps(rows) for secret in (WRONG, PASSWORD))


def test_openstacks_sign_ins_are_recorded_with_their_requests(rolecall: Rolecall, trail: Trail) -> None:
    added = Cam(rolecall).add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)

    def ask(name: str, password: str) -> list[dict[str, Any]]:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        headers = {"x-forwarded-for": "198.51.100.252"}
        answer = httpx.post(f"{rolecall.endpoint}/v3/auth/tokens", json=body, headers=headers, timeout=60)
        return trail(request_id=answer.headers["x-openstack-request-id"])

    ((right,), (wrong,), (nobody,)) = (
        ask(added["Name"], PASSWORD), ask(added["Name"], WRONG), ask(PASSWORD, WRONG),
    )  # fmt: skip
    assert (right["dialect"], right["action"], right["outcome"]) == ("openstack", "sign-in", "done")
    assert (right["target"], right["principal"]) == (added["Name"], added["Uin"])
    assert (wrong["outcome"], wrong["target"], wrong["client"]) == ("failed", added["Name"], "198.51.100.252")
    assert (nobody["outcome"], nobody["target"]) == ("failed", "")
    assert not any(secret in json.dumps([right, wrong, nobody]) for secret in (WRONG, PASSWORD))


def test_a_database_token_is_recorded_before_it_is_told(
    rolecall: Rolecall, trail: Trail, name: Callable[[str], str]
) -> None:
    user = name("token")
    rolecall.ok("CreateAccount", UserName=user, Type="normal", Password="Managed_password1", OpenCam=True)
    asked = {
        "ResourceId": rolecall.instance_id, "ResourceRegion": rolecall.tencent["region"], "ResourceAccount": user,
    }  # fmt: skip
    answer = Cam(rolecall).ok("BuildDataFlowAuthToken", **asked)
    (row,) = trail(request_id=answer["RequestId"])
    assert (row["action"], row["target"], row["outcome"]) == ("BuildDataFlowAuthToken", user, "done")
    assert row["principal"] == rolecall.ready["owner"]["uin"]
    assert answer["Credentials"]["Token"] not in json.dumps(row)

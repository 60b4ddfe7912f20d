"""What an attacker tries at the console: links and forms that are not what they seem, and pages of others."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD, Cam
from tests.server.visitor import Visitor


@pytest.fixture(scope="module")
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture
def owner(cam: Cam) -> Iterator[Visitor]:
    key = cam.rolecall.tencent
    one = Visitor(cam, **{"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]})
    yield one
    one.browser.client.close()


SubUser = tuple[dict[str, Any], Visitor]


@pytest.fixture
def sub_user(cam: Cam) -> Iterator[SubUser]:
    """Without policies; what AddUser answered, and its browser."""
    added = cam.add(ConsoleLogin=1, UseApi=1, Password=PASSWORD, NeedResetPassword=0)
    number = str(cam.rolecall.ready["owner"]["uin"])
    one = Visitor(cam, owner=number, name=added["Name"], secret_password=PASSWORD)
    yield added, one
    one.browser.client.close()


def policies_of(cam: Cam, uin: int) -> list[int]:
    answer = cam.ok("ListAttachedUserAllPolicies", TargetUin=uin, AttachType=0, Page=1, Rp=20)
    return [int(policy["PolicyId"]) for policy in answer["PolicyList"]]


def test_a_link_that_names_one_sub_user_changes_no_other(cam: Cam, owner: Visitor) -> None:
    shown, other = cam.add(), cam.add()
    policy = cam.ok("ListPolicies", Page=1, Rp=1)["List"][0]["PolicyId"]
    at = f"/console/people/users/{shown['Name']}"
    done = owner.confirm(f"{at}/attach?uin={other['Uin']}&policy={policy}")
    assert done.status_code == 303, done.text
    assert policies_of(cam, other["Uin"]) == []
    assert policies_of(cam, shown["Uin"]) == [policy]
    group = cam.ok("CreateGroup", GroupName=f"g{secrets.token_hex(5)}")["GroupId"]
    assert owner.confirm(f"{at}/join?uin={other['Uin']}&group={group}").status_code == 303
    members = cam.ok("ListUsersForGroup", GroupId=group, Page=1, Rp=20)["UserInfo"]
    assert [member["Name"] for member in members] == [shown["Name"]]
    made = owner.post(f"{at}/keys/new", sent="1", confirm="1", uin=str(other["Uin"]))
    assert made.status_code == 200
    assert cam.ok("ListAccessKeys", TargetUin=other["Uin"])["AccessKeys"] == []
    assert len(cam.ok("ListAccessKeys", TargetUin=shown["Uin"])["AccessKeys"]) == 1


def test_a_link_that_names_one_group_changes_no_other(cam: Cam, owner: Visitor) -> None:
    shown, other = (cam.ok("CreateGroup", GroupName=f"g{secrets.token_hex(5)}")["GroupId"] for _ in "12")
    policy = cam.ok("ListPolicies", Page=1, Rp=1)["List"][0]["PolicyId"]
    done = owner.confirm(f"/console/people/groups/{shown}/attach?uin={other}&policy={policy}")
    assert done.status_code == 303, done.text
    attached = [
        len(cam.ok("ListAttachedGroupPolicies", TargetGroupId=group, Page=1, Rp=20)["List"])
        for group in (shown, other)
    ]
    assert attached == [1, 0]


def test_a_change_carries_no_more_fields_than_its_form_has(cam: Cam, owner: Visitor) -> None:
    name = cam.add()["Name"]
    page = owner.get(f"/console/people/users/{name}/delete?remark=hidden&confirm=1&secret_password=x")
    assert page.status_code == 200
    assert "hidden&quot;" not in page.text
    assert 'value="hidden"' not in page.text
    assert cam.ok("GetUser", Name=name)["Name"] == name


def test_what_a_page_may_not_read_is_recorded(cam: Cam, owner: Visitor, sub_user: SubUser) -> None:
    added, visitor = sub_user
    document = (
        '{"version": "2.0", "statement": [{"effect": "allow", "action":'
        ' ["postgres:DescribeDBInstanceAttribute"], "resource": ["*"]}]}'
    )
    policy = cam.ok("CreatePolicy", PolicyName=f"p{secrets.token_hex(5)}", PolicyDocument=document)
    cam.ok("AttachUserPolicy", PolicyId=policy["PolicyId"], AttachUin=added["Uin"])
    instance = f"/console/instances/{cam.rolecall.instance_id}"
    assert visitor.get(instance).status_code == 200
    trail = f"/console/operations?principal={added['Uin']}&action=DescribeAccounts&outcome=denied"
    assert 'datetime="' in owner.get(trail).text
    assert visitor.get("/console").status_code == 200
    assert 'datetime="' not in owner.get(trail.replace("DescribeAccounts", "GetAccountSummary")).text
    later = owner.get(trail + "&since=2000-01-01T00:00:00%2B08:00&until=2000-01-01T00:00:00")
    assert 'datetime="' not in later.text


def test_a_sub_user_without_policies_sees_nothing_of_others(
    cam: Cam, owner: Visitor, sub_user: SubUser
) -> None:
    added, visitor = sub_user
    policy = cam.ok(
        "CreatePolicy",
        PolicyName=f"p{secrets.token_hex(5)}",
        PolicyDocument='{"version": "2.0", "statement": [{"effect": "allow", "action": ["*"], "resource": ["*"]}]}',
    )["PolicyId"]
    other = cam.add(Remark="a remark of another")
    request = re.findall(r'href="/console/operations/([^"]+)"', owner.get("/console/operations").text)[0]
    at = f"/console/people/users/{other['Name']}"
    instance = cam.rolecall.instance_id
    pages = {
        "/console/operations": 403,
        "/console/operations/export": 403,
        f"/console/operations/{request}": 403,
        f"/console/instances/{instance}": 404,
        f"/console/instances/{instance}/accounts/postgres": 404,
        f"/console/instances/{instance}/databases": 404,
        f"/console/instances/{instance}/new-account": 403,
        at: 403,
        f"{at}/delete": 403,
        f"{at}/keys/new": 403,
        f"{at}/attach?policy={policy}": 403,
        "/console/people/new-user": 403,
        "/console/people/new-policy": 403,
        f"/console/people/policies/{policy}": 403,
        f"/console/people/policies/{policy}/edit": 403,
    }
    assert {path: visitor.get(path).status_code for path in pages} == pages
    lists = [f"/console{path}" for path in ("", "/instances", "/people", "/people/policies", "/directories")]
    for path in (*pages, *lists):
        text = visitor.get(path).text
        assert instance not in text.replace(path, "")
        assert "a remark of another" not in text
    tried = visitor.post(f"{at}/attach", sent="1", confirm="1", policy=str(policy))
    assert tried.status_code == 403
    own = f"/console/people/users/{added['Name']}"
    assert visitor.post(f"{own}/attach", sent="1", confirm="1", policy=str(policy)).status_code in (403, 422)
    assert policies_of(cam, added["Uin"]) == []
    assert visitor.post("/console/operations").status_code == 403
    why = visitor.get(f"/console/people/explain?operation=cam:GetUser&user={other['Name']}").text
    assert added["Name"] in why
    assert other["Name"] not in why


@pytest.mark.parametrize(
    "path",
    [
        "/operations/%00",
        "/instances/%00",
        "/instances/%ff%fe",
        "/people/users/%00",
        "/people/users/%F0%9F%98%80/attach?policy=1",
        "/people/policies/99999999999999999999",
        "/people/groups/-1",
        "/people/explain?operation=x&ip=nowhere",
        "/people/explain?operation=x&resource=qcs:::::",
        "/people/explain?operation=x&user=%27%22",
        "/people?offset=999999999",
        "/people/groups?offset=999999999&name=%27",
        "/people/policies?offset=-1&name=%25",
        "/people/roles?offset=999999999",
        "/operations?since=0001-01-01T00:00&until=9999-12-31T23:59:59",
        "/operations?since=2026-01-01T00:00%2B23:59&principal=999999999999999999&before=999999999999999999",
        "/operations?target=%25%5C&action=%00x",
        "/operations/export?outcome=x",
        "/directories?offset=999999999",
        "/directories/00000000000000000000000000000000/users",
    ],
)
def test_no_address_makes_a_page_crash(owner: Visitor, path: str) -> None:
    assert owner.get(f"/console{path}").status_code < 500

"""`rolecall policy`: what it says is what a call meets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall
from tests.server.cam import Cam


class Person:
    """A sub-user in a group, a role, and two policies."""

    def __init__(self, rolecall: Rolecall) -> None:
        self.rolecall = rolecall
        self.owner = Cam(rolecall)
        self.uin_of_owner = rolecall.ready["owner"]["uin"]
        self.name, self.group, self.role = word("u"), word("g"), word("r")
        self.added = self.owner.add(self.name, UseApi=1)
        group = self.owner.ok("CreateGroup", GroupName=self.group)["GroupId"]
        self.owner.ok("AddUserToGroup", Info=[{"GroupId": group, "Uid": self.added["Uid"]}])
        self.wide, self.narrow = word("wide"), word("narrow")
        wide = self.policy(self.wide, {"effect": "allow", "action": "postgres:*", "resource": "*"})
        self.owner.ok("AttachGroupPolicy", PolicyId=wide, AttachGroupId=group)
        denied = f"qcs::postgres:::DBInstanceId/{rolecall.instance_id}"
        office = {"ip_not_equal": {"qcs:ip": "10.0.0.0/8"}}
        self.policy_id = self.policy(
            self.narrow,
            {"effect": "allow", "action": "cam:Get*", "resource": "*"},
            {"effect": "deny", "action": "postgres:Delete*", "resource": denied, "condition": office},
        )
        self.owner.ok("AttachUserPolicy", PolicyId=self.policy_id, AttachUin=self.added["Uin"])
        trust = {"qcs": f"qcs::cam::uin/{self.uin_of_owner}:root"}
        text = {
            "version": "2.0",
            "statement": {"effect": "allow", "action": "sts:AssumeRole", "principal": trust},
        }
        self.owner.ok("CreateRole", RoleName=self.role, PolicyDocument=json.dumps(text))
        self.owner.ok("AttachRolePolicy", PolicyName="ReadOnlyAccess", AttachRoleName=self.role)

    def policy(self, name: str, *statements: dict[str, Any]) -> int:
        text = json.dumps({"version": "2.0", "statement": statements})
        return int(self.owner.ok("CreatePolicy", PolicyName=name, PolicyDocument=text)["PolicyId"])

    def explained(self, *arguments: str) -> dict[str, Any]:
        done = self.rolecall.cli("policy", "explain", *arguments, "--json")
        (row,) = json.loads(done.stdout)
        return dict(row)

    def decided(self, *arguments: str) -> tuple[bool, str | None, int | None]:
        row = self.explained(*arguments)
        return row["allowed"], row["policy"], row["statement"]


@pytest.fixture(scope="module")
def person(rolecall: Rolecall) -> Person:
    return Person(rolecall)


def test_an_allow_is_told_with_its_policy_and_statement(person: Person) -> None:
    row = person.explained(person.name, "postgres:CreateAccount", person.rolecall.instance_id)
    told = row["allowed"], row["policy"], row["statement"], row["by_group"]
    assert told == (True, person.wide, 1, person.group)
    owner, instance = person.uin_of_owner, person.rolecall.instance_id
    assert row["resource"] == f"qcs::postgres:ap-guangzhou:uin/{owner}:DBInstanceId/{instance}"
    assert row["because"] == f"statement 1 of {person.wide} (by the group {person.group}) allows it"


def test_a_deny_is_told_and_so_is_what_lifts_it(person: Person) -> None:
    asked = person.name, "postgres:DeleteAccount", person.rolecall.instance_id
    assert person.decided(*asked, "--ip", "192.168.1.1") == (False, person.narrow, 2)
    assert person.decided(*asked, "--ip", "10.1.2.3") == (True, person.wide, 1)
    # Over the wire the same.
    key = {"secret_id": person.added["SecretId"], "secret_key": person.added["SecretKey"]}
    params = {"DBInstanceId": person.rolecall.instance_id, "UserName": "nobody_here"}
    refused = person.rolecall.call("DeleteAccount", params, **key)["Error"]
    assert refused["Code"] == "AuthFailure.UnauthorizedOperation"


def test_what_nothing_allows_is_told(person: Person) -> None:
    row = person.explained(person.name, "cam:AddUser")
    assert (row["allowed"], row["verdict"], row["because"]) == (False, "not-allowed", "no policy allows it")


def test_principals_go_by_name_number_key_and_role(person: Person) -> None:
    for principal in (person.name, str(person.added["Uin"]), person.added["SecretId"]):
        assert person.decided(principal, "cam:GetUser") == (True, person.narrow, 1)
    assert person.explained(str(person.uin_of_owner), "cam:AddUser")["because"] == "it is the owner"
    assert person.decided(f"role/{person.role}", "postgres:DescribeDBInstances") == (
        True,
        "ReadOnlyAccess",
        1,
    )
    assert person.decided(f"role/{person.role}", "postgres:CreateAccount")[0] is False


def test_a_sessions_policy_narrows(person: Person) -> None:
    policy = json.dumps(
        {"version": "2.0", "statement": {"effect": "allow", "action": "cam:*", "resource": "*"}}
    )
    row = person.explained(person.name, "postgres:DescribeDBInstances", "--session-policy", policy)
    assert (row["allowed"], row["because"]) == (False, "the session's own policy does not allow it")
    assert person.explained(person.name, "cam:GetUser", "--session-policy", policy)["allowed"]


def test_a_time_can_be_told(person: Person) -> None:
    until = {"date_less_than": {"qcs:current_time": "2026-01-01T00:00:00Z"}}
    text = {"effect": "allow", "action": "ciam:*", "resource": "*", "condition": until}
    policy = person.policy(word("timed"), text)
    person.owner.ok("AttachUserPolicy", PolicyId=policy, AttachUin=person.added["Uin"])
    asked = person.name, "ciam:CreateUser"
    assert person.decided(*asked, "--time", "2025-12-31T23:59:59")[0] is True
    assert person.decided(*asked, "--time", "2026-01-01T00:00:00")[0] is False


def test_policies_are_listed_and_shown(person: Person) -> None:
    listed = {one["name"]: one for one in json.loads(person.rolecall.cli("policy", "list", "--json").stdout)}
    assert (listed[person.narrow]["kind"], listed[person.narrow]["attached"]) == ("own", 1)
    assert listed["AdministratorAccess"]["id"] == 1
    held = json.loads(person.rolecall.cli("policy", "list", "--of", person.name, "--json").stdout)
    assert {(one["name"], one["by_group"]) for one in held} >= {
        (person.narrow, None),
        (person.wide, person.group),
    }
    document = person.rolecall.cli("policy", "show", person.narrow).stdout
    assert document == person.rolecall.cli("policy", "show", str(person.policy_id)).stdout
    assert json.loads(document)["version"] == "2.0"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("explain", "nobody", "cam:GetUser"), "there is no sub-user, role or access key `nobody`"),
        (("explain", "role/nobody", "cam:GetUser"), "there is no role `nobody`"),
        (("explain", "nobody", "GetUser"), "`GetUser` is not an operation"),
        (("explain", "nobody", "cam:GetUser", "--ip", "10.0.0"), "`10.0.0` is not an IP address"),
        (("show", "nobody"), "there is no policy `nobody`"),
        (("list", "--of", "nobody"), "there is no sub-user, role or access key `nobody`"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    rolecall: Rolecall, arguments: tuple[str, ...], told: str
) -> None:
    done = rolecall.cli("policy", *arguments, check=False)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1

"""Policies hold in every dialect: one key, refused and permitted in three of them, with each one's own error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.clients.openstack_live import LiveCloud
from tests.clients.petadata_cloud import PASSWORD, Cloud, word
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.replica import replica

from rolecall.values import Secret

REFUSED = "AuthFailure.UnauthorizedOperation"
TASKS = {
    "StartTime": "2026-01-01T00:00Z",
    "EndTime": "2036-01-01T00:00Z",
    "PageNumbers": "1",
    "MaxRecordsPerPage": "30",
}
TROVE_REFUSED = (403, "forbidden", "You are not authorized to perform the requested action.")


class Person:
    """A sub-user with one key, in all dialects."""

    def __init__(self, rolecall: Rolecall) -> None:
        self.rolecall = rolecall
        self.owner = Cam(rolecall)
        self.added = self.owner.add(UseApi=1)
        self.uin = self.added["Uin"]
        self.cam = self.owner.as_user(self.added)
        key = self.added["SecretId"], self.added["SecretKey"]
        self.petadata = Cloud(rolecall)
        self.petadata.key_id, self.petadata.key = key[0], Secret(key[1])
        settings = rolecall.ready["openstack"] | {"username": key[0], "api_key": key[1]}
        self.trove = LiveCloud(rolecall.endpoint, settings, rolecall.ready["engines"]["mysql"])

    def grant(self, *statements: dict[str, Any]) -> int:
        """A policy of these statements, attached."""
        text = json.dumps({"version": "2.0", "statement": statements})
        made = self.owner.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=text)
        self.owner.ok("AttachUserPolicy", PolicyId=made["PolicyId"], AttachUin=self.uin)
        return int(made["PolicyId"])

    def allow(self, action: Any, resource: Any = "*", **more: Any) -> int:
        return self.grant({"effect": "allow", "action": action, "resource": resource, **more})

    def revoke(self, policy: int) -> None:
        self.owner.ok("DetachUserPolicy", PolicyId=policy, DetachUin=self.uin)

    def postgres(self, action: str = "CreateAccount", **params: Any) -> dict[str, Any]:
        """The content of `Response` of a call on the quickstart instance."""
        asked = {"DBInstanceId": self.rolecall.instance_id, **params}
        if action == "CreateAccount":
            asked = {"UserName": word(), "Type": "normal", **asked}
        key = {"secret_id": self.added["SecretId"], "secret_key": self.added["SecretKey"]}
        return self.rolecall.call(action, asked, **key)

    def list_instances(self) -> dict[str, Any]:
        key = {"secret_id": self.added["SecretId"], "secret_key": self.added["SecretKey"]}
        return self.rolecall.call("DescribeDBInstances", {}, **key)

    def code(self, action: str = "CreateAccount", **params: Any) -> str:
        return str(self.postgres(action, **params).get("Error", {}).get("Code", ""))


@pytest.fixture
def person(rolecall: Rolecall) -> Iterator[Person]:
    person = Person(rolecall)
    yield person
    person.owner.ok("DeleteUser", Name=person.added["Name"], Force=1)
    person.trove.http.close()
    person.petadata.server.close()


def test_without_a_policy_every_dialect_refuses_with_its_own_error(person: Person) -> None:
    owner = person.rolecall.ready["owner"]["uin"]
    answer = person.postgres()
    asked = (
        f"[[request id:{answer['RequestId']}]you are not authorized to perform operation (postgres:CreateAccount)\n"
        f"resource (qcs::postgres:ap-guangzhou:uin/{owner}:DBInstanceId/{person.rolecall.instance_id})"
        " has no permission\n]"
    )
    assert answer["Error"]["Code"] == REFUSED
    assert answer["Error"]["Message"].endswith(asked)
    assert person.postgres("DescribeDBInstanceAttribute")["Error"]["Code"] == REFUSED
    assert person.petadata.refused("DescribeAccounts") == ("Forbidden.RAM", 403)
    assert person.petadata.refused("CreateAccount", AccountName=word(), AccountPassword=PASSWORD) == (
        "Forbidden.RAM",
        403,
    )
    assert person.trove.fault("GET", "/users") == TROVE_REFUSED
    user = {"users": [{"name": word(), "password": PASSWORD}]}
    assert person.trove.fault("POST", "/users", user) == TROVE_REFUSED
    assert person.trove.fault("GET", "//instances") == TROVE_REFUSED
    assert person.cam.code("ListUsers") == REFUSED
    assert person.cam.code("AddUser", Name=word()) == REFUSED


def test_a_refused_call_leaves_no_operation(person: Person) -> None:
    account = word()
    assert person.code(UserName=account) == REFUSED
    assert (
        person.petadata.code("CreateAccount", AccountName=account, AccountPassword=PASSWORD)
        == "Forbidden.RAM"
    )
    listed = json.loads(person.rolecall.cli("operation", "list", "--json").stdout)
    assert account not in json.dumps(listed)
    assert person.rolecall.sql("select 1 from pg_roles where rolname = %s", account) == []


def test_what_is_everybodys_needs_no_policy(person: Person) -> None:
    assert person.cam.ok("GetUserAppId")["Uin"] == str(person.uin)
    assert person.cam.ok("GetCallerIdentity", "sts")["UserId"] == str(person.uin)
    assert person.trove.http.get(f"{person.rolecall.endpoint}/v1.0").status_code == 200
    assert person.trove("GET", "//flavors").status_code == 200


def test_one_key_does_in_three_dialects_what_one_policy_permits(
    person: Person, until: Callable[[Callable[[], bool]], None]
) -> None:
    policy = person.allow(["postgres:*", "petadata:*", "trove:*"])
    account = word()
    assert person.code(UserName=account) == ""
    assert person.rolecall.sql("select 1 from pg_roles where rolname = %s", account) == [(1,)]
    made = word()
    person.trove.accepted("POST", "/users", {"users": [{"name": made, "password": PASSWORD}]})
    until(lambda: person.trove.logs_in(made, PASSWORD))
    assert person.petadata.account(made) is not None
    person.petadata.ok("DeleteAccount", AccountName=made)
    assert not person.trove.logs_in(made, PASSWORD)
    person.revoke(policy)
    assert person.code() == REFUSED
    assert person.petadata.refused("DescribeAccounts") == ("Forbidden.RAM", 403)
    assert person.trove.fault("GET", "/users") == TROVE_REFUSED


@pytest.mark.parametrize("service", ["postgres", "petadata", "trove"])
def test_a_policy_of_one_service_permits_no_other(person: Person, service: str) -> None:
    person.allow(f"{service}:*")
    found = {
        "postgres": person.code("DescribeDBInstanceAttribute") == "",
        "petadata": person.petadata.code("DescribeAccounts") == "",
        "trove": person.trove("GET", "/users").status_code == 200,
    }
    assert found == {one: one == service for one in found}


def test_a_policy_of_one_instance_permits_no_other(person: Person) -> None:
    on = {
        "postgres": f"DBInstanceId/{person.rolecall.instance_id}",
        "petadata": f"instance/{person.petadata.instance}",
        "trove": f"instance/{person.trove.instance}",
    }
    for service, content in on.items():
        person.allow(f"{service}:*", f"qcs::{service}:::{content}")
    assert person.code("DescribeAccounts") == ""
    assert person.petadata.code("DescribeAccounts") == ""
    assert person.trove("GET", "/users").status_code == 200
    assert person.code("DescribeAccounts", DBInstanceId="postgres-notthere") == REFUSED
    assert person.petadata.code("DescribeAccounts", InstanceId="pd-1234567890abcd") == "Forbidden.RAM"
    person.trove.instance = "00000000-0000-0000-0000-000000000000"
    assert person.trove.fault("GET", "/users") == TROVE_REFUSED
    assert person.code("DescribeDBInstances", DBInstanceId=None) == REFUSED
    assert person.petadata.code("DescribeInstances") == "Forbidden.RAM"


def test_an_instances_other_spelling_asks_for_the_same_instance(person: Person) -> None:
    """PetaData takes DBInstanceId and InstanceId for the same in some actions."""
    person.allow("petadata:ModifyAccountDescription", "qcs::petadata:::instance/pd-1234567890abcd")
    changed = {"AccountName": "nobody_here", "AccountDescription": "text12"}
    mine = person.petadata.instance
    for params in ({"InstanceId": mine}, {"DBInstanceId": mine, "InstanceId": ""}):
        assert person.petadata.code("ModifyAccountDescription", **changed, **params) == "Forbidden.RAM"
    both = {"DBInstanceId": "pd-1234567890abcd", "InstanceId": mine}
    assert person.petadata.code("ModifyAccountDescription", **changed, **both) != ""


def test_another_replica_refuses_at_the_next_call(
    person: Person, until: Callable[[Callable[[], bool]], None]
) -> None:
    with replica(person.rolecall, until, rate_limit="off") as other:
        there = replace(other)
        policy = person.allow("postgres:*")
        here, person.rolecall = person.rolecall, there
        until(lambda: person.code() == "")
        person.rolecall = here
        person.revoke(policy)
        assert person.code() == REFUSED
        person.rolecall = there
        until(lambda: person.code() == REFUSED)
        person.rolecall = here


def test_a_sub_user_changes_its_own_keys_if_its_policy_says_its_own(person: Person) -> None:
    person.allow("cam:*AccessKey*", "qcs::cam::uin/${owner_uin}:uin/${uin}")
    assert len(person.cam.ok("ListAccessKeys")["AccessKeys"]) == 1
    assert len(person.cam.ok("ListAccessKeys", TargetUin=person.uin)["AccessKeys"]) == 1
    other = person.owner.add()
    assert person.cam.code("ListAccessKeys", TargetUin=other["Uin"]) == REFUSED
    assert person.cam.code("CreateAccessKey", TargetUin=person.rolecall.ready["owner"]["uin"]) == REFUSED
    person.owner.ok("DeleteUser", Name=other["Name"], Force=1)


def test_a_deny_of_a_number_holds_for_the_name_too(person: Person) -> None:
    person.allow("cam:*")
    other = person.owner.add()
    number = f"qcs::cam::uin/{person.rolecall.ready['owner']['uin']}:uin/{other['Uin']}"
    person.grant({"effect": "deny", "action": "cam:*User", "resource": number})
    assert person.cam.code("GetUser", Name=other["Name"]) == REFUSED
    assert person.cam.code("DeleteUser", Name=other["Name"]) == REFUSED
    assert person.cam.code("GetUser", Name=person.added["Name"]) == ""
    person.owner.ok("DeleteUser", Name=other["Name"], Force=1)


def test_a_deny_of_a_name_holds_for_the_number_too(person: Person) -> None:
    person.allow("*")
    other, place = person.owner.add(), f"qcs::cam::uin/{person.rolecall.ready['owner']['uin']}"
    person.grant(
        {
            "effect": "deny",
            "action": "*",
            "resource": [f"{place}:name/{other['Name']}", f"{place}:policyName/ReadOnlyAccess"],
        }
    )
    assert person.cam.code("ListAccessKeys", TargetUin=other["Uin"]) == REFUSED
    assert person.cam.code("CreateAccessKey", TargetUin=other["Uin"]) == REFUSED
    assert person.cam.code("AttachUserPolicy", AttachUin=other["Uin"], PolicyId=1) == REFUSED
    assert person.cam.code("AttachUserPolicy", AttachUin=person.uin, PolicyId=2) == REFUSED
    assert person.cam.code("ListGroupsForUser", Uid=other["Uid"]) == REFUSED
    group = person.owner.ok("CreateGroup", GroupName=word("g"))["GroupId"]
    for member in ({"Uin": other["Uin"]}, {"Uid": other["Uid"]}):
        assert person.cam.code("AddUserToGroup", Info=[{"GroupId": group, **member}]) == REFUSED
    assert person.cam.code("AddUserToGroup", Info=[{"GroupId": group, "Uid": person.added["Uid"]}]) == ""
    person.owner.ok("DeleteGroup", GroupId=group)
    person.owner.ok("DeleteUser", Name=other["Name"], Force=1)


def test_tags_are_permitted_for_what_they_are_on(person: Person) -> None:
    root, instance = person.rolecall.ready["owner"]["uin"], person.rolecall.instance_id
    person.allow("tag:*")
    person.grant({"effect": "deny", "action": "tag:*", "resource": f"qcs::cam:::uin/{root}"})
    person.grant({"effect": "deny", "action": "tag:Modify*", "resource": f"qcs::postgres:::*/{instance}"})

    def modify(resource: str) -> str:
        return person.cam.code(
            "ModifyResourceTags", "tag", Resource=resource, DeleteTags=[{"TagKey": "never"}]
        )

    def read(*ids: str) -> str:
        return person.cam.code(
            "DescribeResourceTagsByResourceIds",
            "tag",
            ServiceType="cam",
            ResourcePrefix="uin",
            ResourceIds=list(ids),
            ResourceRegion="",
        )

    for spelled in (
        f"qcs::cam:ap-x:uin/:uin/{root}",
        f"qcs::cam::uin/{root}:uin/{root}",
        f"qcs::cam:::uin/{root}",
    ):
        assert modify(spelled) == REFUSED
    assert modify(f"qcs::cam::uin/:uin/{person.uin}") == ""
    for region in ("", "ap-nowhere"):
        assert modify(f"qcs::postgres:{region}:uin/:DBInstanceId/{instance}") == REFUSED
    assert read(str(person.uin)) == ""
    assert read(str(person.uin), str(root)) == REFUSED


def test_a_deny_of_one_policy_holds_however_many_are_named_with_it(person: Person) -> None:
    kept = person.allow("cam:*")
    owner = person.rolecall.ready["owner"]["uin"]
    person.grant({"effect": "deny", "action": "*", "resource": f"qcs::cam::uin/{owner}:policyid/{kept}"})
    assert person.cam.code("DeletePolicy", PolicyId=[kept]) == REFUSED
    assert person.cam.code("DeletePolicy", PolicyId=[10**9, kept, 10**9 + 1]) == REFUSED
    name = person.owner.ok("GetPolicy", PolicyId=kept)["PolicyName"]
    assert person.cam.code("UpdatePolicy", PolicyName=name, Description="x") == REFUSED
    assert person.cam.code("AttachRolePolicy", PolicyName=name, AttachRoleName="x") == REFUSED


def test_a_sub_user_signs_in_to_openstack_by_name_under_the_same_policies(person: Person) -> None:
    added = person.owner.add(ConsoleLogin=1, Password="Right-Horse-42")
    person.owner.ok("AttachUserPolicy", PolicyId=1, AttachUin=added["Uin"])
    settings = person.rolecall.ready["openstack"]
    asked = {"auth": {"passwordCredentials": {"username": added["Name"], "password": "Right-Horse-42"}}}
    answer = person.trove.http.post(f"{person.rolecall.endpoint}/v2.0/tokens", json=asked)
    assert answer.status_code == 200, answer.text
    person.trove.token = answer.json()["access"]["token"]["id"]
    assert person.trove("GET", "/users").status_code == 200, settings
    person.owner.ok("DetachUserPolicy", PolicyId=1, DetachUin=added["Uin"])
    assert person.trove.fault("GET", "/users") == TROVE_REFUSED
    person.owner.ok("DeleteUser", Name=added["Name"], Force=1)


def test_temporary_credentials_sign_alibabas_calls_and_buy_no_openstack_token(person: Person) -> None:
    policy = json.dumps(
        {"version": "2.0", "statement": {"effect": "allow", "action": "petadata:*", "resource": "*"}}
    )
    lent = person.owner.ok("GetFederationToken", "sts", Name="SUN", Policy=policy)["Credentials"]
    cloud = person.petadata
    cloud.key_id, cloud.key = lent["TmpSecretId"], Secret(lent["TmpSecretKey"])
    assert cloud.code("DescribeAccounts", SecurityToken=lent["Token"]) == ""
    mismatch = "InvalidSecurityToken.MismatchWithAccessKey"
    assert cloud.refused("DescribeAccounts") == (mismatch, 400)
    assert cloud.refused("DescribeAccounts", SecurityToken=lent["Token"][:-4]) == (mismatch, 400)
    asked = {"username": lent["TmpSecretId"], "apiKey": lent["TmpSecretKey"]}
    answer = person.trove.http.post(
        f"{person.rolecall.endpoint}/v2.0/tokens", json={"auth": {"RAX-KSKEY:apiKeyCredentials": asked}}
    )
    assert answer.status_code == 401
    assert (
        person.rolecall.call(
            "DescribeDBInstances",
            {},
            headers={"X-TC-Token": lent["Token"]},
            secret_id=lent["TmpSecretId"],
            secret_key=lent["TmpSecretKey"],
        )["Error"]["Code"]
        == REFUSED
    )


def test_an_instance_that_lists_its_callers_answers_no_other_in_any_dialect(person: Person) -> None:
    """A15: renaming, the address list, the tasks and a look at it asked nobody."""
    person.allow(["postgres:*", "petadata:*", "trove:*"])
    owner = Cloud(person.rolecall)
    person.petadata.ok("ModifySecurityIPs", SecurityIPList="10.1.2.3")
    uin = str(person.rolecall.ready["owner"]["uin"])
    for instance in (person.petadata.instance, person.rolecall.instance_id):
        person.rolecall.cli("instance", "set", instance, "--allow", uin)
    try:
        for action, params in {
            "ModifyInstanceName": {"NewInstanceName": "taken"},
            "ModifySecurityIPs": {"SecurityIPList": "0.0.0.0/0"},
            "DescribeSecurityIPs": {},
            "DescribeTasks": TASKS,
            "DescribeAccounts": {},
            "DescribeInstanceInfo": {},
        }.items():
            assert person.petadata.refused(action, **params) == ("ActionUnauthorized", 403), action
        assert owner.code("DescribeAccounts") == ""
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "", {"instance": {"name": "taken"}}),
            ("GET", "/users", None),
        ):
            assert person.trove(method, path, body).status_code == 403, (method, path)
        assert person.trove.shown("//instances") == []
        assert "Error" in person.postgres("DescribeDBInstanceAttribute")
        assert person.rolecall.instance_id not in json.dumps(person.list_instances())
    finally:
        for instance in (person.petadata.instance, person.rolecall.instance_id):
            person.rolecall.cli("instance", "set", instance, "--allow-all")
        owner.server.close()
    assert person.petadata.code("DescribeTasks", **TASKS) == ""


def test_a_name_and_an_address_list_leave_records(person: Person) -> None:
    person.allow("petadata:*")
    name, before = word("n"), person.petadata.ok("DescribeInstanceInfo")["InstanceName"]
    person.petadata.ok("ModifyInstanceName", NewInstanceName=name)
    person.petadata.ok("ModifySecurityIPs", SecurityIPList="10.9.8.7")
    person.petadata.ok("ModifyInstanceName", NewInstanceName=before)
    listed = person.rolecall.cli("operation", "list", "--json", "--limit", "20").stdout
    rows = [one for one in json.loads(listed) if str(one.get("principal")) == str(person.uin)]
    kinds = {one["change"] for one in rows}
    assert {"instance.rename", "instance.addresses"} <= kinds, rows


def test_a_condition_on_the_region_sees_the_instances(person: Person) -> None:
    """A8: the quickstart instance is in ap-guangzhou, whatever region a call names."""
    person.allow("postgres:*", condition={"string_equal": {"qcs:region": "ap-beijing"}})
    key = {"secret_id": person.added["SecretId"], "secret_key": person.added["SecretKey"]}
    asked = {"DBInstanceId": person.rolecall.instance_id}
    for region in ("ap-beijing", "ap-guangzhou"):
        answer = person.rolecall.call("DescribeAccounts", asked, region=region, **key)
        assert answer["Error"]["Code"] == REFUSED, region
    person.allow("postgres:*", condition={"string_equal": {"qcs:region": "ap-guangzhou"}})
    for region in ("ap-beijing", "ap-guangzhou"):
        assert "Error" not in person.rolecall.call("DescribeAccounts", asked, region=region, **key)


def test_only_the_owners_tokens_say_that_they_are_an_administrators(person: Person) -> None:
    """A20: to another service that validates tokens here, every sub-user was one."""
    owner = LiveCloud(
        person.rolecall.endpoint,
        person.rolecall.ready["openstack"],
        person.rolecall.ready["engines"]["mysql"],
    )
    found = {}
    for name, cloud in (("owner", owner), ("sub-user", person.trove)):
        headers = {"X-Auth-Token": cloud.token, "X-Subject-Token": cloud.token}
        token = cloud.http.get(f"{person.rolecall.endpoint}/v3/auth/tokens", headers=headers).json()["token"]
        access = cloud.http.get(
            f"{person.rolecall.endpoint}/v2.0/tokens/{cloud.token}", headers=headers
        ).json()
        found[name] = [
            [one["name"] for one in roles] for roles in (token["roles"], access["access"]["user"]["roles"])
        ]
    owner.http.close()
    assert found == {"owner": [["admin", "member"]] * 2, "sub-user": [["member"]] * 2}

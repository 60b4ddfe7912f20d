"""Verbs of `petadata` 2016-01-01: commands from checked calls, answers from outcomes, and the SDK that reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from rolecall.contracts.aliyun.petadata.contract import CONTRACT
from rolecall.contracts.check import check
from rolecall.dialects.aliyun import Aliyun
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import Access, AccountKind, DatabaseFacts, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.instances.registry import AddressGroup
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import InstanceName
from rolecall.domain.operations.views import OperationView
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Checked, Envelope, Language, Request, Secret, SentParams
from rolecall.verbs import StaticVerb, Verb
from rolecall.verbs.petadata.answers import PRIVILEGES
from rolecall.verbs.petadata.verbs import ACCOUNTS_AT_MOST, VERBS

CALLER = Caller(1, 100000000001, 1250000001, 100000000001, "AKID")
REQUEST_ID = "2FED790E-FB61-4721-8C1C-07C627FA5A19"
INSTANCE = InstanceName("aliyun", "pd-xxxxxxxxxxxxxx")
ID = {"InstanceId": "pd-xxxxxxxxxxxxxx"}
DB_ID = {"DBInstanceId": "pd-xxxxxxxxxxxxxx"}
USER = {**ID, "AccountName": "testacc02"}
NEW = {**USER, "AccountPassword": "Pw123456"}
PASSWORD = Secret("Pw123456")
MOMENT = datetime(2018, 8, 8, 4, 21, 26, tzinfo=UTC)


class NoClaim:
    access_key_id = "AKID"
    token = None

    def prove(self, key: Secret, now: float) -> None:
        """Nothing to prove here."""


def checked(action: str, params: Mapping[str, object], region: str = "") -> Checked:
    request = Request("GET", "/", "", (("host", "h"),), b"", "127.0.0.1", False, 0.0)
    envelope = Envelope(request, REQUEST_ID, Language.ENGLISH)
    call = Call(
        envelope,
        "aliyun",
        "petadata",
        "2016-01-01",
        action,
        region,
        SentParams.parsed(params),
        True,
        NoClaim(),
    )
    return check(call, CALLER, CONTRACT.actions[action])


def command(action: str, params: Mapping[str, object]) -> Any:
    verb = VERBS[action]
    assert isinstance(verb, Verb)
    return verb.command(checked(action, params), lambda secret: secret)


def answer(action: str, params: Mapping[str, object], *outcome: object, region: str = "") -> dict[str, Any]:
    verb = VERBS[action]
    if isinstance(verb, StaticVerb):
        return verb.static(checked(action, params, region))
    return verb.answer(checked(action, params, region), *outcome)


# --- CreateAccount

GRANTS = {
    "read": (DatabaseGrant("mydb", Access.READ_ONLY), DatabaseGrant("mydb2", Access.READ_ONLY)),
    "write": (DatabaseGrant("a", Access.READ_WRITE), DatabaseGrant("b", Access.READ_WRITE)),
    "ddl": (DatabaseGrant("a", Access.DDL_ONLY),),
}
INFO = '{"ReadOnly": ["mydb", "mydb2"]}'


@pytest.mark.parametrize(
    ("own", "grants", "everywhere"),
    [
        # the sample of the page: no version, no privilege, so the old version
        ({}, (), True),
        ({"AccountVersion": "0"}, (), True),
        ({"AccountVersion": "0", "DBInfo": INFO}, (), True),
        ({"AccountVersion": "0", "DBName": "a", "AccountPrivilege": "ReadOnly"}, (), True),
        ({"AccountVersion": "1"}, (), False),
        ({"AccountPrivilege": "ReadOnly"}, (), False),
        ({"DBInfo": INFO}, GRANTS["read"], False),
        ({"DBInfo": "{}"}, (), False),
        ({"DBInfo": INFO, "DBName": "a,b", "AccountPrivilege": "DDLOnly"}, GRANTS["read"], False),
        ({"DBName": "a,b"}, GRANTS["write"], False),
        ({"DBName": "a,b,a", "AccountVersion": "1"}, GRANTS["write"], False),
        ({"DBName": "a", "AccountPrivilege": "DDLOnly"}, GRANTS["ddl"], False),
    ],
)
def test_the_version_and_the_privileges_decide_together(
    own: dict[str, str], grants: tuple[DatabaseGrant, ...], everywhere: bool
) -> None:
    expected = commands.CreateAccount(
        instance=INSTANCE,
        name="testacc02",
        kind=AccountKind.NORMAL,
        password=PASSWORD,
        remark="",
        managed_password=False,
        host="%",
        grants=grants,
        quota=3,
        everywhere=everywhere,
    )
    assert command("CreateAccount", {**NEW, **own}) == expected
    assert ACCOUNTS_AT_MOST == 3


@pytest.mark.parametrize("own", [{}, {"AccountVersion": "0"}, {"DBInfo": INFO}, {"DBName": "a"}])
def test_a_super_account_needs_no_grants(own: dict[str, str]) -> None:
    made = command("CreateAccount", {**NEW, "AccountType": "Super", **own})
    assert (made.kind, made.grants, made.everywhere) == (AccountKind.SUPER, (), False)


def test_the_description_is_the_remark() -> None:
    assert command("CreateAccount", {**NEW, "AccountDescription": "中文"}).remark == "中文"


# --- client tokens


def digest(**own: str) -> str:
    return str(command("CreateAccount", {**NEW, "ClientToken": "t", **own}).token.digest)


def test_the_same_token_with_the_same_parameters_has_the_same_digest() -> None:
    token = command("CreateAccount", {**NEW, "ClientToken": "t"}).token
    assert (token.text, token.digest) == ("t", digest())
    assert digest() == digest(ClientToken="another")
    assert digest() == digest(AccountType="Normal")
    assert digest(DBInfo='{"ReadOnly":["a"]}') == digest(DBInfo='{ "ReadOnly" : ["a"] }')


@pytest.mark.parametrize(
    "own",
    [
        {"AccountPassword": "Pw1234567"},
        {"AccountName": "other"},
        {"DBInfo": '{"ReadOnly":["a"]}'},
        {"AccountVersion": "1"},
        {"AccountDescription": "ab"},
    ],
)
def test_any_other_parameter_changes_the_digest(own: dict[str, str]) -> None:
    assert digest(**own) != digest()


def test_the_digest_tells_nothing_and_is_absent_without_a_token() -> None:
    assert len(digest()) == 64
    assert command("CreateAccount", NEW).token is None


NEW_INSTANCE = {
    "RegionId": "cn-hangzhou", "ZoneId": "z", "DBName": "first", "NodeSpec": "petadata.s2.xlarge",
    "NodeNumber": "2", "AccountName": "test_123", "AccountPassword": "Pw123456", "InstanceName": "Mine",
}  # fmt: skip


@pytest.mark.parametrize(
    ("action", "sent", "expected"),
    [
        ("DescribeAccounts", ID, commands.AllAccounts(INSTANCE)),
        ("DeleteAccount", USER, commands.DeleteAccount(INSTANCE, "testacc02", "%", must_exist=True)),
        (
            "ResetAccountPassword",
            {**USER, "NewPassword": "Pw123456"},
            commands.ResetPassword(INSTANCE, "testacc02", PASSWORD, "%"),
        ),
        (
            "ModifyAccountPassword",
            {**USER, "NewPassword": "Pw123456", "OldPassword": "old"},
            commands.ResetPassword(INSTANCE, "testacc02", PASSWORD, "%", Secret("old")),
        ),
        (
            "ModifyAccountDescription",
            {**DB_ID, "AccountName": "testacc02", "AccountDescription": "ab"},
            commands.ChangeRemark(INSTANCE, "testacc02", "ab", "%"),
        ),
        (
            "GrantAccountPrivilege",
            {**DB_ID, "AccountName": "testacc02", "DBName": "a,b", "AccountPrivilege": "ReadWrite"},
            commands.ChangeGrants(INSTANCE, "testacc02", "%", GRANTS["write"]),
        ),
        (
            "RevokeAccountPrivilege",
            {**USER, "DBName": "a,b"},
            commands.ChangeGrants(INSTANCE, "testacc02", "%", (), ("a", "b")),
        ),
        (
            "CreateDatabase",
            {**ID, "DBName": "mydb"},
            commands.CreateDatabases(INSTANCE, (DatabaseSpec("mydb"),)),
        ),
        ("DeleteDatabase", {**ID, "DBName": "d"}, commands.DeleteDatabase(INSTANCE, "d", must_exist=True)),
        ("DescribeDatabases", ID, commands.AllDatabases(INSTANCE)),
        (
            "CreateInstance",
            NEW_INSTANCE,
            provisioning_commands.ProvisionInstance(
                "aliyun",
                "mysql",
                "Mine",
                "cn-hangzhou",
                (DatabaseSpec("first"),),
                (AccountSpec("test_123", "%", PASSWORD, (DatabaseGrant("first", Access.READ_WRITE),)),),
                zone="z",
                addresses=("127.0.0.1",),
            ),
        ),
        ("DeleteInstance", ID, provisioning_commands.DeprovisionInstance(INSTANCE)),
        ("DescribeInstances", {}, instance_commands.ListInstances("aliyun", databases=True)),
        ("DescribeUserInfo", {}, instance_commands.ListInstances("aliyun")),
        ("DescribeInstanceInfo", ID, instance_commands.ShowInstance(INSTANCE, databases=True)),
        (
            "ModifyInstanceName",
            {**ID, "NewInstanceName": "x"},
            instance_commands.RenameInstance(INSTANCE, "x"),
        ),
        ("DescribeSecurityIPs", ID, instance_commands.ShowAddressList(INSTANCE)),
        (
            "ModifySecurityIPs",
            {**ID, "SecurityIPList": "10.0.0.1,10.0.0.0/8"},
            instance_commands.SetAddressList(INSTANCE, ("10.0.0.1", "10.0.0.0/8")),
        ),
        (
            "ModifySecurityIps",
            {**ID, "Modifymode": "1", "SecurityIps": "10.0.0.1"},
            instance_commands.SetAddressList(INSTANCE, ("10.0.0.1",), "add"),
        ),
        (
            "ModifySecurityIPs",
            {**ID, "ModifyMode": "2", "SecurityIPList": "10.0.0.1"},
            instance_commands.SetAddressList(INSTANCE, ("10.0.0.1",), "remove"),
        ),
        ("DescribeTaskStatus", {**ID, "TaskId": "1"}, instance_commands.ListOperations(INSTANCE, 1000)),
    ],
)
def test_a_call_becomes_a_command(action: str, sent: dict[str, str], expected: object) -> None:
    assert command(action, sent) == expected


def test_an_instance_can_be_asked_for_with_a_token() -> None:
    assert command("CreateInstance", {**NEW_INSTANCE, "ClientToken": "t"}).token.text == "t"


# --- answers

ACCOUNT = AccountView(
    oid=0,
    name="testacc02",
    kind=AccountKind.NORMAL,
    locked=False,
    remark="",
    managed_password=False,
    created_at=None,
    updated_at=None,
    password_updated_at=None,
    standing="managed",
    operation=None,
    host="%",
)


def listed(account: AccountView) -> dict[str, Any]:
    found = answer("DescribeAccounts", ID, (account,))
    assert found["InstanceId"] == ID["InstanceId"]
    (one,) = found["AccountList"]["Account"]
    return one  # type: ignore[no-any-return]


def test_an_account_without_privileges_shows_one_empty_entry() -> None:
    assert listed(ACCOUNT) == {
        "AccountName": "testacc02",
        "AccountStatus": "ACTIVE",
        "AccountDescription": "",
        "AccountType": "Normal",
        "DatabasePrivileges": {"DatabasePrivilege": [{"AccountPrivilege": "", "AccountPrivilegeDetail": ""}]},
    }


@pytest.mark.parametrize(
    ("access", "privilege", "count"),
    [
        (Access.READ_WRITE, "ReadWrite", 17),
        (Access.DDL_ONLY, "DDLOnly", 10),
        (Access.READ_ONLY, "ReadOnly", 2),
        (Access.ALL, "Custom", 1),
    ],
)
def test_privileges_are_told_in_the_manuals_words(access: Access, privilege: str, count: int) -> None:
    account = dataclasses.replace(ACCOUNT, grants=(DatabaseGrant("mydb", access),))
    (one,) = listed(account)["DatabasePrivileges"]["DatabasePrivilege"]
    assert (one["DBName"], one["AccountPrivilege"]) == ("mydb", privilege)
    assert len(one["AccountPrivilegeDetail"].split(",")) == count
    assert set(PRIVILEGES) == set(Access) - {Access.OTHER}


def test_the_detail_of_read_write_is_the_samples() -> None:
    assert PRIVILEGES[Access.READ_WRITE][1] == (
        "SELECT,INSERT,UPDATE,DELETE,CREATE,DROP,INDEX,ALTER,CREATE TEMPORARY TABLES,LOCK TABLES,CREATE VIEW,"
        "SHOW VIEW,CREATE ROUTINE,ALTER ROUTINE,EXECUTE,EVENT,TRIGGER"
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"standing": "foreign"}, "ACTIVE"),
        ({"standing": "changed"}, "ACTIVE"),
        ({"standing": "missing"}, "DELETED"),
        ({"locked": True}, "CREATE"),
    ],
)
def test_the_status_of_an_account_is_one_of_the_manuals(changes: dict[str, Any], status: str) -> None:
    assert listed(dataclasses.replace(ACCOUNT, **changes))["AccountStatus"] == status


def database(name: str) -> DatabaseFacts:
    return DatabaseFacts(name, "", "utf8mb4", "", "", True, -1, "")


def test_databases_are_listed_or_the_one_asked_for() -> None:
    found = (database("a"), database("b"))
    both = answer("DescribeDatabases", ID, found)["Databases"]["Database"]
    assert [one["DBName"] for one in both] == ["a", "b"]
    assert (both[0]["DBStatus"], both[0]["NodeNumber"], both[0]["DBType"]) == ("ACTIVE", 1, "Primary")
    one = answer("DescribeDatabases", {**ID, "DBName": "b"}, found)["Databases"]["Database"]
    assert [each["DBName"] for each in one] == ["b"]
    assert answer("DescribeDatabases", {**ID, "DBName": "c"}, found)["Databases"] == {"Database": []}


def view(public_id: str = "pd-xxxxxxxxxxxxxx", **changes: Any) -> InstanceView:
    one = InstanceView(
        public_id, "Mine", "cn-hangzhou", "z", "running", (11, 4), "11.4", "127.0.0.1", 3306, "utf8mb4",
        MOMENT, 1, 2,
    )  # fmt: skip
    return dataclasses.replace(one, **changes)


def test_instances_are_paged_filtered_and_of_the_region_asked_for() -> None:
    found = [view(f"pd-{number:02}") for number in range(12)] + [view("pd-99", region="x", status="isolated")]
    page = answer("DescribeInstances", {"PageNumber": "2"}, found)
    assert (page["PageNumber"], page["PageSize"], page["TotalCount"]) == (2, 10, 13)
    assert [one["InstanceId"] for one in page["Instances"]["Instance"]] == ["pd-10", "pd-11", "pd-99"]
    assert answer("DescribeInstances", {}, found, region="cn-hangzhou")["TotalCount"] == 12
    inactive = answer("DescribeInstances", {"InstanceStatus": "INACTIVE"}, found)["Instances"]["Instance"]
    assert [one["InstanceId"] for one in inactive] == ["pd-99"]
    assert answer("DescribeInstances", {"InstanceId": "pd-03"}, found)["TotalCount"] == 1
    assert answer("DescribeInstances", {"ChargeType": "PrePaid"}, found)["TotalCount"] == 0


def test_an_instance_tells_where_it_is_with_the_ports_type_of_each_call() -> None:
    (one,) = answer("DescribeInstances", {}, [view()])["Instances"]["Instance"]
    assert (one["ConnectionString"], one["Port"], one["CreateTime"]) == (
        "127.0.0.1",
        3306,
        "2018-08-08T04:21:26Z",
    )
    info = answer("DescribeInstanceInfo", ID, view())
    (network,) = info["NetworkInfoItems"]["NetworkInfoItem"]
    assert (network["ConnectionString"], network["Port"], info["InstanceStatus"]) == (
        "127.0.0.1",
        "3306",
        "ACTIVE",
    )


def test_an_instance_without_a_name_is_called_by_its_moment_and_may_have_addresses() -> None:
    sent = {name: value for name, value in NEW_INSTANCE.items() if name != "InstanceName"}
    made = command("CreateInstance", {**sent, "SecurityIPList": "10.0.0.1,10.1.0.0/16"})
    assert made.name == "Created At: 1970-01-01-00-00-00"
    assert made.addresses == ("10.0.0.1", "10.1.0.0/16")


def test_a_token_of_a_deletion_is_kept() -> None:
    assert command("DeleteInstance", {**ID, "ClientToken": "t"}).token.text == "t"


def test_instances_tell_the_names_of_their_databases() -> None:
    named = {
        "Database": [{"DBName": "one", "ChargeType": "PostPaid"}, {"DBName": "two", "ChargeType": "PostPaid"}]
    }
    (listed,) = answer("DescribeInstances", {}, [view(databases=("one", "two"))])["Instances"]["Instance"]
    assert listed["Databases"] == named
    assert answer("DescribeInstanceInfo", ID, view(databases=("one", "two")))["Databases"] == named


@pytest.mark.parametrize(
    ("status", "told"),
    [("starting", "CREATE"), ("deleting", "DELETE"), ("failed", "INACTIVE"), ("restarting", "MODIFY")],
)
def test_a_server_of_ours_is_told_as_it_is(status: str, told: str) -> None:
    assert answer("DescribeInstanceInfo", ID, view(status=status))["InstanceStatus"] == told


def test_a_new_instance_and_a_new_database_have_an_order() -> None:
    made = answer("CreateInstance", NEW_INSTANCE, view())
    assert made["InstanceId"] == "pd-xxxxxxxxxxxxxx"
    assert made["OrderId"].isdecimal()
    assert answer("CreateDatabase", {**ID, "DBName": "mydb"}, None) == {"OrderId": made["OrderId"]}


def test_addresses_are_told_twice() -> None:
    groups = (AddressGroup("", ("10.0.0.1", "10.0.0.0/8")), AddressGroup("shop", ("10.0.0.2",), "hidden"))
    assert answer("DescribeSecurityIPs", ID, groups) == {
        "InstanceId": "pd-xxxxxxxxxxxxxx",
        "SecurityIPList": "10.0.0.1,10.0.0.0/8",
        "SecurityIPs": {
            "SecurityIpGroup": [
                {
                    "SecurityIPListName": "default",
                    "SecurityIPListAttribute": "",
                    "SecurityIPList": "10.0.0.1,10.0.0.0/8",
                },
                {
                    "SecurityIPListName": "shop",
                    "SecurityIPListAttribute": "hidden",
                    "SecurityIPList": "10.0.0.2",
                },
            ]
        },
    }
    sent = {**ID, "ModifyMode": "1", "SecurityIPList": "10.0.0.1"}
    assert answer("ModifySecurityIPs", sent, ("10.0.0.2", "10.0.0.1")) == {
        "InstanceId": "pd-xxxxxxxxxxxxxx",
        "SecurityIPList": "10.0.0.2,10.0.0.1",
    }


def operation(number: int, state: str, closed: bool = True) -> OperationView:
    return OperationView(
        UUID(int=number), "account.create", "app", state, "", MOMENT, MOMENT if closed else None
    )


OPERATIONS = (
    operation(1, "accepted", closed=False),
    operation(2, "recorded"),
    operation(3, "refused"),
    operation(4, "undone"),
)
TASKS = {
    **ID, "StartTime": "2018-08-08T00:00Z", "EndTime": "2018-08-08T04:21:26Z", "PageNumbers": "1",
    "MaxRecordsPerPage": "30",
}  # fmt: skip


@pytest.mark.parametrize(
    ("own", "statuses"),
    [
        ({}, ["1", "3"]),
        ({"Status": "2"}, ["2"]),
        ({"TaskStatus": "5"}, ["5"]),
        ({"Status": "4"}, []),
        ({"EndTime": "2018-08-08T04:21:25Z"}, []),
        ({"TaskAction": "account.create"}, ["1", "3"]),
        ({"TaskAction": "other"}, []),
        ({"PageNumbers": "2"}, []),
    ],
)
def test_tasks_are_the_operations_of_the_time_and_status_asked_for(
    own: dict[str, str], statuses: list[str]
) -> None:
    command("DescribeTasks", {**TASKS, **own})
    found = answer("DescribeTasks", {**TASKS, **own}, OPERATIONS)["Tasks"]["Task"]
    assert [one["Status"] for one in found] == statuses


def test_a_task_has_a_finish_time_once_it_is_closed() -> None:
    running, failed = answer("DescribeTasks", TASKS, OPERATIONS)["Tasks"]["Task"]
    assert "FinishTime" not in running
    assert (running["Progress"], failed["Progress"]) == ("0", "100")
    assert failed["FinishTime"] == "2018-08-08T04:21:26Z"


def test_one_task_is_told_or_missing() -> None:
    wanted = str(UUID(int=2))
    assert answer("DescribeTaskStatus", {**ID, "TaskId": wanted}, OPERATIONS) == {
        "TaskId": wanted,
        "Message": "",
        "BeginTime": "2018-08-08T04:21:26Z",
        "FinishTime": "2018-08-08T04:21:26Z",
        "Status": "2",
    }
    with pytest.raises(Refused) as refused:
        answer("DescribeTaskStatus", {**ID, "TaskId": "x"}, OPERATIONS)
    assert refused.value.reason is Reason.OBJECT_MISSING


def test_the_user_has_as_many_instances_as_there_are() -> None:
    user = answer("DescribeUserInfo", {}, [view(), view("pd-2")])
    assert user["AlreadyHasResourceNum"] == {"PetaDataBought": 2, "EcsBought": 0}
    assert (user["IsAuthentication"], user["IsFinance"]) == (True, False)


def test_regions_come_from_the_table() -> None:
    regions = answer("DescribeRegions", {})["Regions"]["Region"]
    assert len(regions) == 15
    assert regions[0]["Zones"]["Zone"] == [{"ZoneId": "cn-hangzhou-a", "VpcEnabled": True}]


OUTCOMES: Mapping[str, tuple[dict[str, str], tuple[object, ...]]] = {
    "CreateAccount": (NEW, (None,)),
    "DescribeAccounts": (ID, ((ACCOUNT,),)),
    "DeleteAccount": (USER, (None,)),
    "ResetAccountPassword": ({**USER, "NewPassword": "Pw123456"}, (None,)),
    "ModifyAccountPassword": ({**USER, "NewPassword": "Pw123456", "OldPassword": "o"}, (None,)),
    "ModifyAccountDescription": ({**USER, "AccountDescription": "ab"}, (None,)),
    "GrantAccountPrivilege": ({**USER, "DBName": "a", "AccountPrivilege": "ReadOnly"}, (None,)),
    "RevokeAccountPrivilege": ({**USER, "DBName": "a"}, (None,)),
    "CreateDatabase": ({**ID, "DBName": "mydb"}, (None,)),
    "DeleteDatabase": ({**ID, "DBName": "mydb"}, (None,)),
    "DescribeDatabases": (ID, ((database("a"),),)),
    "CreateInstance": (NEW_INSTANCE, (view(),)),
    "DeleteInstance": (ID, (None,)),
    "DescribeInstances": ({}, ((view(),),)),
    "DescribeInstanceInfo": (ID, (view(),)),
    "ModifyInstanceName": ({**ID, "NewInstanceName": "x"}, (None,)),
    "DescribeSecurityIPs": (ID, ((AddressGroup("", ("10.0.0.1",)),),)),
    "ModifySecurityIPs": ({**ID, "SecurityIPList": "10.0.0.1"}, (("10.0.0.1",),)),
    "ModifySecurityIps": ({**ID, "SecurityIps": "10.0.0.1"}, (("10.0.0.1",),)),
    "DescribeRegions": ({}, ()),
    "DescribeTasks": (TASKS, (OPERATIONS,)),
    "DescribeTaskStatus": ({**ID, "TaskId": str(UUID(int=1))}, (OPERATIONS,)),
    "DescribeUserInfo": ({}, ((),)),
}


@pytest.mark.parametrize("action", CONTRACT.actions)
def test_every_answer_has_the_fields_of_the_contract_and_is_well_formed_xml(action: str) -> None:
    """FinishTime is left out of a task that is under way."""
    params, outcome = OUTCOMES[action]
    made = answer(action, params, *outcome)
    declared = list(CONTRACT.actions[action].output)
    assert list(made) == [name for name in declared if name in made or name != "FinishTime"]
    reply = Aliyun([CONTRACT]).render(checked(action, params).call, made)
    root = ET.fromstring(reply.body)
    assert root.tag == f"{action}Response"
    assert [child.tag for child in root] == ["RequestId", *made]


@pytest.mark.parametrize("name", ["OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount"])
def test_another_owners_things_are_not_the_callers(name: str) -> None:
    assert command("DescribeAccounts", {**ID, name: "100000000001"}) == commands.AllAccounts(INSTANCE)
    with pytest.raises(Refused) as refused:
        command("DescribeAccounts", {**ID, name: "100000000002"})
    assert (refused.value.reason, refused.value.field) == (Reason.TENANT_FOREIGN, name)

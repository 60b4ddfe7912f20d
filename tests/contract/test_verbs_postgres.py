"""Verbs of `postgres` 2017-03-12: commands from checked calls, answers from outcomes."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from tencentcloud.postgres.v20170312 import models

from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import AccountKind, DatabaseFacts, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import InstanceName, Page
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Language, Secret
from rolecall.verbs import StaticVerb, Verb
from rolecall.verbs.postgres.privileges import NEEDED, PRIVILEGES
from rolecall.verbs.postgres.verbs import VERBS

INSTANCE = InstanceName("tencent", "postgres-5cz25tr5")
ID = {"DBInstanceId": "postgres-5cz25tr5"}
USER = {**ID, "UserName": "app"}
NEW = {**USER, "Type": "normal", "Password": "Test_password1", "Remark": "Ordinary account"}
MOMENT = datetime(2024, 5, 6, 13, 0, 12, tzinfo=UTC)


def decipher(cipher: Secret) -> Secret:
    """Stands for RSA: knows one ciphertext per test password."""
    known = {"Z29vZA==": "Test_password1", "d2Vhaw==": "weak"}
    if cipher.reveal() not in known:
        raise Refused(Reason.PASSWORD_UNDECIPHERABLE, "Password")
    return Secret(known[cipher.reveal()])


@pytest.fixture(scope="module")
def command(checked):
    def run(action, params, **how):
        verb = VERBS[action]
        assert isinstance(verb, Verb)
        return verb.command(checked(action, params, **how), decipher)

    return run


@pytest.fixture(scope="module")
def answer(checked):
    def run(action, params, *outcome, **how):
        verb = VERBS[action]
        if isinstance(verb, StaticVerb):
            return verb.static(checked(action, params, **how))
        return verb.answer(checked(action, params, **how), *outcome)

    return run


@pytest.fixture(scope="module")
def refusal(command):
    def run(action, params, **how) -> tuple[Reason, str]:
        with pytest.raises(Refused) as caught:
            command(action, params, **how)
        return caught.value.reason, caught.value.field

    return run


PASSWORD = Secret("Test_password1")


@pytest.mark.parametrize(
    ("action", "sent", "expected"),
    [
        (
            "CreateAccount",
            NEW,
            commands.CreateAccount(INSTANCE, "app", AccountKind.NORMAL, PASSWORD, "Ordinary account", False),
        ),
        (
            "CreateAccount",
            {**USER, "Type": "tencentDBSuper"},
            commands.CreateAccount(INSTANCE, "app", AccountKind.SUPER, None, "", False),
        ),
        (
            "CreateAccount",
            {**NEW, "OpenCam": True},
            commands.CreateAccount(INSTANCE, "app", AccountKind.NORMAL, None, "Ordinary account", True),
        ),
        (
            "CreateAccount",
            {**NEW, "Password": "{RSA-OAEP}Z29vZA=="},
            commands.CreateAccount(INSTANCE, "app", AccountKind.NORMAL, PASSWORD, "Ordinary account", False),
        ),
        ("DescribeAccounts", ID, commands.ListAccounts(INSTANCE, "created", True, 0, 20)),
        (
            "DescribeAccounts",
            {**ID, "OrderBy": "updateTime", "OrderByType": "asc", "Limit": 5, "Offset": 10},
            commands.ListAccounts(INSTANCE, "updated", False, 10, 5),
        ),
        ("DeleteAccount", USER, commands.DeleteAccount(INSTANCE, "app")),
        (
            "ResetAccountPassword",
            {**USER, "Password": "Test_password1"},
            commands.ResetPassword(INSTANCE, "app", PASSWORD),
        ),
        ("ModifyAccountRemark", {**USER, "Remark": "x"}, commands.ChangeRemark(INSTANCE, "app", "x")),
        ("LockAccount", USER, commands.LockAccount(INSTANCE, "app")),
        ("UnlockAccount", USER, commands.UnlockAccount(INSTANCE, "app")),
        ("OpenAccountCAM", USER, commands.OpenManagedPassword(INSTANCE, "app")),
        (
            "CloseAccountCAM",
            {**USER, "Password": "Test_password1", "PasswordEncrypt": False},
            commands.CloseManagedPassword(INSTANCE, "app", PASSWORD),
        ),
        (
            "CloseAccountCAM",
            {**USER, "Password": "Z29vZA==", "PasswordEncrypt": True},
            commands.CloseManagedPassword(INSTANCE, "app", PASSWORD),
        ),
        (
            "CloseAccountCAM",
            {**USER, "Password": "{RSA-OAEP}Z29vZA==", "PasswordEncrypt": True},
            commands.CloseManagedPassword(INSTANCE, "app", PASSWORD),
        ),
        ("RefreshAccountPassword", USER, commands.RefreshManagedPassword(INSTANCE, "app")),
        (
            "CreateDatabase",
            {**ID, "DatabaseName": "d", "DatabaseOwner": "app", "Collate": "C"},
            commands.CreateDatabase(INSTANCE, "d", "app", "UTF8", "C", ""),
        ),
        ("DeleteDatabase", {**ID, "DatabaseName": "d"}, commands.DeleteDatabase(INSTANCE, "d")),
        ("DescribeDatabases", ID, commands.ListDatabases(INSTANCE, (), 0, 20)),
        (
            "DescribeDatabases",
            {**ID, "Filters": [{"Name": "database-name", "Values": ["post", "x"]}], "Offset": 1, "Limit": 2},
            commands.ListDatabases(INSTANCE, ("post", "x"), 1, 2),
        ),
        (
            "DescribeDatabaseObjects",
            {**ID, "ObjectType": "database"},
            commands.ListObjects(INSTANCE, ObjectType.DATABASE, "", "", "", 0, 20),
        ),
        (
            "DescribeDatabaseObjects",
            {
                **ID,
                "ObjectType": "column",
                "DatabaseName": "d",
                "SchemaName": "s",
                "TableName": "t",
                "Limit": 2,
            },
            commands.ListObjects(INSTANCE, ObjectType.COLUMN, "d", "s", "t", 0, 2),
        ),
        (
            "ModifyDatabaseOwner",
            {**ID, "DatabaseName": "d", "DatabaseOwner": "app"},
            commands.ChangeDatabaseOwner(INSTANCE, "d", "app"),
        ),
        ("DescribeDBInstances", {}, instance_commands.ListInstances("tencent")),
        ("DescribeDBInstanceAttribute", ID, instance_commands.ShowInstance(INSTANCE)),
    ],
)
def test_commands(command, action, sent, expected) -> None:
    assert command(action, sent) == expected


@pytest.mark.parametrize(
    ("action", "sent", "reason"),
    [
        ("CreateAccount", {**NEW, "Password": "{RSA-OAEP}nonsense"}, Reason.PASSWORD_UNDECIPHERABLE),
        ("CreateAccount", {**NEW, "Password": "{RSA-OAEP}d2Vhaw=="}, Reason.PASSWORD_LENGTH),
        ("ResetAccountPassword", {**USER, "Password": "{RSA-OAEP}x"}, Reason.PASSWORD_UNDECIPHERABLE),
        ("CloseAccountCAM", {**USER, "Password": "weak"}, Reason.PASSWORD_LENGTH),
        ("CloseAccountCAM", {**USER, "Password": "alllowercase"}, Reason.PASSWORD_CONTENT),
        (
            "CloseAccountCAM",
            {**USER, "Password": "x", "PasswordEncrypt": True},
            Reason.PASSWORD_UNDECIPHERABLE,
        ),
        (
            "CloseAccountCAM",
            {**USER, "Password": "d2Vhaw==", "PasswordEncrypt": True},
            Reason.PASSWORD_LENGTH,
        ),
    ],
)
def test_a_deciphered_password_keeps_the_rules_of_a_plain_one(refusal, action, sent, reason) -> None:
    assert refusal(action, sent) == (reason, "Password")


def test_open_cam_is_refused_outside_its_regions(command, refusal) -> None:
    sent = {**NEW, "OpenCam": True}
    assert refusal("CreateAccount", sent, region="ap-tokyo") == (Reason.REGION_UNSUPPORTED, "Region")
    assert command("CreateAccount", {**NEW, "OpenCam": False}, region="ap-tokyo").managed_password is False


def test_a_filter_without_a_name_is_refused(refusal) -> None:
    sent = {"Filters": [{"Values": ["x"]}]}
    assert refusal("DescribeDBInstances", sent) == (Reason.PARAMETER_MISSING, "Filters.0.Name")


def entry(how: str, object_: dict[str, str], *words: str, **more: object) -> dict[str, object]:
    return {"DatabasePrivilege": {"Object": object_, "PrivilegeSet": list(words)}, "ModifyType": how, **more}


DATABASE = {
    "ObjectType": "database",
    "ObjectName": "d",
    "DatabaseName": "",
    "SchemaName": "",
    "TableName": "",
}
TABLE = {"ObjectType": "table", "ObjectName": "t", "DatabaseName": "d", "SchemaName": "s", "TableName": ""}
ROUTINE = {
    "ObjectType": "function",
    "ObjectName": "f(integer, public.t[])",
    "DatabaseName": "d",
    "SchemaName": "s",
}
ACCOUNT = {"ObjectType": "account", "ObjectName": "app"}


def test_privileges_are_granted_revoked_and_the_kind_is_changed_in_one_call(command) -> None:
    sent = {
        **USER,
        "ModifyPrivilegeSet": [
            entry("grantObject", DATABASE, "CREATE", "CONNECT", IsCascade=True),
            entry("revokeObject", TABLE, "SELECT", IsCascade=True),
            entry("grantObject", ROUTINE, "EXECUTE"),
            entry("alterRole", ACCOUNT, "tencentDBSuper"),
            entry("grantRole", ACCOUNT, "pg_monitor", "crew"),
            entry("revokeRole", ACCOUNT, "old-crew"),
        ],
    }
    routine = DatabaseObject(ObjectType.FUNCTION, "f(integer, public.t[])", "d", "s")
    assert command("ModifyAccountPrivileges", sent) == commands.ChangePrivileges(
        INSTANCE,
        "app",
        (
            PrivilegeChange(DatabaseObject(ObjectType.DATABASE, "d"), ("CREATE", "CONNECT"), True, False),
            PrivilegeChange(DatabaseObject(ObjectType.TABLE, "t", "d", "s"), ("SELECT",), False, True),
            PrivilegeChange(routine, ("EXECUTE",), True, False),
        ),
        AccountKind.SUPER,
        ("pg_monitor", "crew"),
        ("old-crew",),
    )


P = "ModifyPrivilegeSet.0"


@pytest.mark.parametrize(
    ("sent", "reason", "path"),
    [
        ({}, Reason.PARAMETER_MISSING, f"{P}.ModifyType"),
        ({"ModifyType": ""}, Reason.PARAMETER_MISSING, f"{P}.ModifyType"),
        ({"ModifyType": "grantObject"}, Reason.PARAMETER_MISSING, f"{P}.DatabasePrivilege"),
        (
            {"ModifyType": "grantObject", "DatabasePrivilege": {}},
            Reason.PARAMETER_MISSING,
            f"{P}.DatabasePrivilege.Object",
        ),
        (entry("grantObject", DATABASE), Reason.PARAMETER_MISSING, f"{P}.DatabasePrivilege.PrivilegeSet"),
        (
            entry("grantObject", DATABASE, "CREATE", "SELECT"),
            Reason.PRIVILEGE_UNKNOWN,
            f"{P}.DatabasePrivilege.PrivilegeSet.1",
        ),
        (
            entry("grantObject", TABLE, "SELECT; drop table x"),
            Reason.PRIVILEGE_UNKNOWN,
            f"{P}.DatabasePrivilege.PrivilegeSet.0",
        ),
        (
            entry("grantObject", {**TABLE, "SchemaName": ""}, "SELECT"),
            Reason.PARAMETER_MISSING,
            f"{P}.DatabasePrivilege.Object.SchemaName",
        ),
        (
            entry("grantObject", {**TABLE, "ObjectName": 't"'}, "SELECT"),
            Reason.OBJECT_NAME_MALFORMED,
            f"{P}.DatabasePrivilege.Object.ObjectName",
        ),
        (
            entry("grantObject", {**TABLE, "ObjectName": "t(a)"}, "SELECT"),
            Reason.OBJECT_NAME_MALFORMED,
            f"{P}.DatabasePrivilege.Object.ObjectName",
        ),
        (
            entry("grantObject", {**TABLE, "DatabaseName": "d-1"}, "SELECT"),
            Reason.OBJECT_NAME_MALFORMED,
            f"{P}.DatabasePrivilege.Object.DatabaseName",
        ),
        (entry("grantObject", ACCOUNT, "normal"), Reason.PARAMETER_VALUE, f"{P}.ModifyType"),
        (entry("alterRole", DATABASE, "normal"), Reason.PARAMETER_VALUE, f"{P}.ModifyType"),
        (entry("grantRole", DATABASE, "pg_monitor"), Reason.PARAMETER_VALUE, f"{P}.ModifyType"),
        (
            entry("revokeRole", ACCOUNT, "x" * 64),
            Reason.OBJECT_NAME_MALFORMED,
            f"{P}.DatabasePrivilege.PrivilegeSet.0",
        ),
        (
            entry("alterRole", ACCOUNT, "superuser"),
            Reason.PARAMETER_VALUE,
            f"{P}.DatabasePrivilege.PrivilegeSet",
        ),
        (
            entry("alterRole", {**ACCOUNT, "ObjectName": "other"}, "normal"),
            Reason.PARAMETER_VALUE,
            f"{P}.DatabasePrivilege.Object.ObjectName",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_with_its_path(refusal, sent, reason, path) -> None:
    assert refusal("ModifyAccountPrivileges", {**USER, "ModifyPrivilegeSet": [sent]}) == (reason, path)


@pytest.mark.parametrize("type_", list(ObjectType))
def test_each_object_type_needs_its_keys_and_takes_its_privileges(command, refusal, type_) -> None:
    where = dict.fromkeys(NEEDED[type_], "x")
    object_ = {"ObjectType": type_.value, "ObjectName": "o", **where}
    granted = entry("grantObject", object_, *sorted(PRIVILEGES[type_]))
    found = command("ModifyAccountPrivileges", {**USER, "ModifyPrivilegeSet": [granted]})
    assert set(found.changes[0].privileges) == PRIVILEGES[type_]
    for key in where:
        without = {name: value for name, value in object_.items() if name != key}
        path = f"DatabaseObjectSet.0.{key}"
        missing = refusal("DescribeAccountPrivileges", {**USER, "DatabaseObjectSet": [without]})
        assert missing == (Reason.PARAMETER_MISSING, path)


def test_database_objects_need_the_keys_of_their_type(refusal) -> None:
    sent = {**ID, "ObjectType": "column", "DatabaseName": "d", "SchemaName": "s", "TableName": ""}
    assert refusal("DescribeDatabaseObjects", sent) == (Reason.PARAMETER_MISSING, "TableName")
    sent = {**ID, "ObjectType": "schema", "DatabaseName": "d'"}
    assert refusal("DescribeDatabaseObjects", sent) == (Reason.OBJECT_NAME_MALFORMED, "DatabaseName")


ASKED = {**USER, "DatabaseObjectSet": [{**TABLE, "TableName": "unused"}, ACCOUNT]}


def test_privileges_are_asked_in_order_and_the_account_stands_for_itself(command) -> None:
    expected = (DatabaseObject(ObjectType.TABLE, "t", "d", "s"), None)
    assert command("DescribeAccountPrivileges", ASKED) == commands.ShowPrivileges(INSTANCE, "app", expected)


def test_privileges_are_answered_with_all_five_keys(answer) -> None:
    assert answer("DescribeAccountPrivileges", ASKED, (("SELECT",), AccountKind.SUPER)) == {
        "PrivilegeSet": [
            {
                "Object": {
                    "ObjectType": "table",
                    "ObjectName": "t",
                    "DatabaseName": "d",
                    "SchemaName": "s",
                    "TableName": "",
                },
                "PrivilegeSet": ["SELECT"],
            },
            {
                "Object": {
                    "ObjectType": "account",
                    "ObjectName": "app",
                    "DatabaseName": "",
                    "SchemaName": "",
                    "TableName": "",
                },
                "PrivilegeSet": ["tencentDBSuper"],
            },
        ]
    }


def account(**changes: object) -> AccountView:
    facts: dict[str, object] = {
        "oid": 16400,
        "name": "app",
        "kind": AccountKind.SUPER,
        "locked": False,
        "remark": "x",
        "managed_password": True,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "password_updated_at": None,
        "standing": "managed",
        "operation": UUID(int=1),
    }
    return AccountView(**{**facts, **changes})  # type: ignore[arg-type]


def test_create_account_answers_the_oid(answer) -> None:
    assert answer("CreateAccount", NEW, account()) == {"Oid": 16400}


def test_accounts_are_answered_in_the_vendors_shape_and_time(answer) -> None:
    foreign = account(
        kind=AccountKind.NORMAL, locked=True, created_at=None, updated_at=None, managed_password=False
    )
    found = answer("DescribeAccounts", ID, Page((account(), foreign), 7))
    assert found["TotalCount"] == 7
    assert found["Details"][0] == {
        "DBInstanceId": "postgres-5cz25tr5",
        "UserName": "app",
        "Remark": "x",
        "Status": 2,
        "CreateTime": "2024-05-06 21:00:12",
        "UpdateTime": "2024-05-06 21:00:12",
        "PasswordUpdateTime": "0000-00-00 00:00:00",
        "UserType": "tencentDBSuper",
        "OpenCam": True,
        "PGRoles": ["pg_tencentdb_superuser"],
    }
    assert found["Details"][1]["Status"] == 5
    assert found["Details"][1]["UserType"] == "normal"
    assert found["Details"][1]["CreateTime"] == "0000-00-00 00:00:00"


@pytest.mark.parametrize("action", ["DeleteAccount", "LockAccount", "UnlockAccount", "OpenAccountCAM"])
def test_changes_answer_nothing_but_the_request_id(answer, action) -> None:
    assert answer(action, USER, None) == {}


def test_databases_and_objects_are_answered_in_the_vendors_shape(answer) -> None:
    facts = DatabaseFacts("d", "app", "UTF8", "C", "C", True, -1, "=Tc/app")
    assert answer("DescribeDatabases", ID, Page((facts,), 5)) == {
        "Items": ["d"],
        "TotalCount": 5,
        "Databases": [
            {
                "DatabaseName": "d",
                "DatabaseOwner": "app",
                "Encoding": "UTF8",
                "Collate": "C",
                "Ctype": "C",
                "AllowConn": True,
                "ConnLimit": -1,
                "Privileges": "=Tc/app",
            }
        ],
    }
    sent = {**ID, "ObjectType": "database"}
    assert answer("DescribeDatabaseObjects", sent, Page(("a", "b"), 9)) == {
        "ObjectSet": ["a", "b"],
        "TotalCount": 9,
    }


def instance(number: int, **changes: object) -> InstanceView:
    facts: dict[str, object] = {
        "public_id": f"postgres-0000000{number}",
        "name": f"name {9 - number}",
        "region": "ap-guangzhou",
        "zone": "ap-guangzhou-3",
        "status": "running",
        "version": (18, 1),
        "version_text": "PostgreSQL 18.1",
        "host": "127.0.0.1",
        "port": 5432,
        "charset": "UTF8",
        "created_at": MOMENT.replace(day=number),
        "app_id": 1250000001,
        "owner_number": 100000000001,
    }
    return InstanceView(**{**facts, **changes})  # type: ignore[arg-type]


GO_TYPES = {"str": str, "int": int, "bool": bool}


def members(model: str) -> dict[str, str]:
    documentation = getattr(models, model).__init__.__doc__.splitlines()
    pairs = (line.strip().removeprefix(":type ").split(": ") for line in documentation if ":type " in line)
    return {name: type_ for name, type_ in pairs}  # noqa: C416 - pairs are lists


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("DBInstance", lambda answer: answer("DescribeDBInstanceAttribute", ID, instance(1))["DBInstance"]),
        (
            "DBInstanceNetInfo",
            lambda answer: answer("DescribeDBInstanceAttribute", ID, instance(1))["DBInstance"][
                "DBInstanceNetInfo"
            ][0],
        ),
        ("AccountInfo", lambda answer: answer("DescribeAccounts", ID, Page((account(),), 1))["Details"][0]),
        ("RegionInfo", lambda answer: answer("DescribeRegions", {})["RegionSet"][0]),
        ("ZoneInfo", lambda answer: answer("DescribeZones", {})["ZoneSet"][0]),
    ],
)
def test_structures_have_every_member_of_the_sdk_in_its_type(answer, model, found) -> None:
    structure = found(answer)
    declared = members(model)
    assert set(structure) == set(declared)
    for name, type_ in declared.items():
        assert type(structure[name]) is (list if type_.startswith("list of") else GO_TYPES[type_])


def test_an_instance_is_described_by_what_its_server_says(answer) -> None:
    found = answer("DescribeDBInstanceAttribute", ID, instance(1))["DBInstance"]
    assert (found["DBMajorVersion"], found["DBVersion"], found["DBInstanceStatus"]) == (
        "18",
        "18.1",
        "running",
    )
    assert (found["ProjectId"], found["AppId"]) == (0, 1250000001)
    assert found["DBInstanceNetInfo"][0]["Ip"] == "127.0.0.1"
    unknown = instance(1, version=None, status="unreachable", host="db.example")
    found = answer("DescribeDBInstanceAttribute", ID, unknown)["DBInstance"]
    assert (found["DBVersion"], found["DBKernelVersion"], found["DBInstanceStatus"]) == (
        "",
        "",
        "limited run",
    )
    assert found["DBInstanceNetInfo"][0]["Address"] == "db.example"


FLEET = [instance(2), instance(1), instance(3, region="ap-tokyo"), instance(4, host="10.0.0.4")]


@pytest.mark.parametrize(
    ("sent", "numbers", "total"),
    [
        ({}, [1, 2, 4], 3),
        ({"OrderByType": "desc"}, [4, 2, 1], 3),
        ({"OrderBy": "Name"}, [4, 2, 1], 3),
        ({"OrderBy": "DBInstanceId", "Limit": 1, "Offset": 1}, [2], 3),
        ({"OrderBy": "EndTime", "Limit": 0}, [1, 2, 4], 3),
        (
            {"Filters": [{"Name": "db-instance-id", "Values": ["postgres-00000001", "postgres-00000003"]}]},
            [1],
            1,
        ),
        ({"Filters": [{"Name": "db-instance-name", "Values": ["name"]}]}, [1, 2, 4], 3),
        ({"Filters": [{"Name": "db-private-ip", "Values": ["10.0.0.4"]}]}, [4], 1),
        ({"Filters": [{"Name": "db-project-id", "Values": ["0"]}]}, [1, 2, 4], 3),
        ({"Filters": [{"Name": "db-pay-mode", "Values": ["prepaid"]}]}, [], 0),
        ({"Filters": [{"Name": "db-tag-key", "Values": ["k"]}]}, [], 0),
        ({"Filters": [{"Name": "db-tag-key"}]}, [1, 2, 4], 3),
        (
            {
                "Filters": [
                    {"Name": "db-project-id", "Values": ["0"]},
                    {"Name": "db-instance-id", "Values": ["postgres-00000002"]},
                ]
            },
            [2],
            1,
        ),
    ],
)
def test_instances_of_the_region_are_filtered_ordered_and_paged(answer, sent, numbers, total) -> None:
    found = answer("DescribeDBInstances", sent, FLEET)
    assert [int(one["DBInstanceId"][-1]) for one in found["DBInstanceSet"]] == numbers
    assert found["TotalCount"] == total


def test_regions_are_the_contracts_and_zones_those_of_the_calls_region(answer) -> None:
    found = answer("DescribeRegions", {}, region="")
    assert found["TotalCount"] == len(found["RegionSet"]) == 18
    zones = answer("DescribeZones", {}, region="ap-tokyo")["ZoneSet"]
    assert [zone["Zone"] for zone in zones] == ["ap-tokyo-1", "ap-tokyo-2"]


def test_places_are_named_in_the_callers_language(answer) -> None:
    names = {
        one["Region"]: one for one in answer("DescribeRegions", {}, language=Language.CHINESE)["RegionSet"]
    }
    assert names["ap-guangzhou"]["RegionName"] == "华南地区(广州)"
    assert names["ap-guangzhou"]["RegionId"] == 1
    zones = answer("DescribeZones", {}, language=Language.CHINESE)["ZoneSet"]
    seven = next(zone for zone in zones if zone["Zone"] == "ap-guangzhou-7")
    assert (seven["ZoneId"], seven["ZoneName"]) == (100007, "广州七区")


def cli_examples() -> list[tuple[str, dict[str, object], dict[str, object]]]:
    """(action, request, answer) of every example that the vendor's CLI ships for the actions served here."""
    found = importlib.util.find_spec("tccli")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "services" / "postgres" / "v20170312" / "examples.json"
    actions = json.loads(path.read_text(encoding="utf-8"))["actions"]
    return [
        (name, json.loads(one["input"].split("\n\n", 1)[1]), json.loads(one["output"])["Response"])
        for name in VERBS
        for one in actions[name]
    ]


@pytest.mark.parametrize(("action", "request_", "response"), cli_examples())
def test_the_examples_of_the_vendors_cli_are_understood(command, answer, action, request_, response) -> None:
    """But for the passwords, which they print as crosses."""
    request_ |= {"AdminPassword": "Test_password1"} if "AdminPassword" in request_ else {}
    verb = VERBS[action]
    found = answer(action, request_) if isinstance(verb, StaticVerb) else command(action, request_)
    assert found
    assert set(response) - {"RequestId", "Error"} <= set(CONTRACT.actions[action].output)

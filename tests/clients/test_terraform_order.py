"""The calls of the vendor's Terraform provider, in its order and with its odd parameters.

Source: terraform-provider-tencentcloud, tencentcloud/services/postgresql: resources tencentcloud_postgresql_account,
_account_privileges_operation and _database. It sends POST with TC3-HMAC-SHA256, `X-TC-Language: en-US`.
"""

from __future__ import annotations

from typing import Any

FIRST, SECOND = "Test_password1", "Test_password2"
ENGLISH = {"X-TC-Language": "en-US"}


def sent(rolecall: Any, action: str, **params: Any) -> dict[str, Any]:
    of = {"DBInstanceId": rolecall.instance_id}
    response: dict[str, Any] = rolecall.call(action, of | params, headers=dict(ENGLISH))
    assert "Error" not in response, response
    return response


def read_account(rolecall: Any, user: str) -> dict[str, Any] | None:
    """The provider sends nothing but the instance and looks for the exact name in what it gets."""
    rows = sent(rolecall, "DescribeAccounts")["Details"]
    return next((row for row in rows if row["UserName"] == user), None)


def read_database(rolecall: Any, database: str) -> dict[str, Any] | None:
    filters = [{"Name": "database-name", "Values": [database]}]
    rows = sent(rolecall, "DescribeDatabases", Filters=filters)["Databases"]
    return next((row for row in rows if row["DatabaseName"] == database), None)


def test_an_account_resource_lives_from_create_to_destroy(rolecall: Any, engine: Any, name: Any) -> None:
    user = name("tf")
    of = {"UserName": user}
    sent(rolecall, "CreateAccount", **of, Type="normal", Password=FIRST, Remark="by_terraform")
    sent(rolecall, "LockAccount", **of)  # lock_status = true
    state = read_account(rolecall, user)
    assert state is not None
    assert (state["Status"], state["UserType"], state["Remark"]) == (5, "normal", "by_terraform")
    assert not engine.can_log_in(user, FIRST)

    sent(rolecall, "ResetAccountPassword", **of, Password=SECOND)
    sent(rolecall, "ModifyAccountRemark", **of, Remark="changed")
    assert not engine.can_log_in(user, SECOND)  # a new password opens no lock
    sent(rolecall, "UnlockAccount", **of)
    state = read_account(rolecall, user)
    assert state is not None
    assert (state["Status"], state["Remark"]) == (2, "changed")
    assert engine.can_log_in(user, SECOND)

    sent(rolecall, "DeleteAccount", **of)
    assert read_account(rolecall, user) is None
    assert engine.role(user) is None


def test_a_new_account_is_among_the_first_twenty_that_the_provider_reads(rolecall: Any, name: Any) -> None:
    users = [name("tf") for _ in range(21)]
    for user in users:
        sent(rolecall, "CreateAccount", UserName=user, Type="normal")
        assert read_account(rolecall, user) is not None
    assert len(sent(rolecall, "DescribeAccounts")["Details"]) == 20
    for user in users:
        sent(rolecall, "DeleteAccount", UserName=user)


def test_empty_strings_for_unused_keys_of_a_privilege_are_as_if_absent(
    rolecall: Any, engine: Any, name: Any
) -> None:
    user, database = name("tf"), name("tf_db")
    sent(rolecall, "CreateAccount", UserName=user, Type="normal", Password=FIRST)
    sent(rolecall, "CreateDatabase", DatabaseName=database, DatabaseOwner="postgres")
    names = {"DatabaseName": "", "SchemaName": "", "TableName": ""}
    of_database = {"ObjectType": "database", "ObjectName": database, **names}
    of_account = {"ObjectType": "account", "ObjectName": user, **names}
    sent(
        rolecall,
        "ModifyAccountPrivileges",
        UserName=user,
        ModifyPrivilegeSet=[
            {
                "DatabasePrivilege": {
                    "Object": of_database,
                    "PrivilegeSet": ["CREATE", "CONNECT", "TEMPORARY"],
                },
                "ModifyType": "grantObject",
                "IsCascade": False,
            },
            {
                "DatabasePrivilege": {"Object": of_account, "PrivilegeSet": ["tencentDBSuper"]},
                "ModifyType": "alterRole",
            },
        ],
    )
    assert engine.sql("SELECT has_database_privilege(%s, %s, 'CREATE')", user, database) == [(True,)]
    assert engine.is_super_account(user)

    # What the data source tencentcloud_postgresql_account_privileges reads.
    asked = [of_database, of_account]
    told = sent(rolecall, "DescribeAccountPrivileges", UserName=user, DatabaseObjectSet=asked)["PrivilegeSet"]
    assert [entry["Object"] for entry in told] == asked
    assert set(told[0]["PrivilegeSet"]) == {"CREATE", "CONNECT", "TEMPORARY"}
    assert told[1]["PrivilegeSet"] == ["tencentDBSuper"]


def test_a_database_resource_lives_from_create_to_destroy(rolecall: Any, engine: Any, name: Any) -> None:
    database, first, second = name("tf_db"), name("tf"), name("tf")
    for user in (first, second):
        sent(rolecall, "CreateAccount", UserName=user, Type="normal", Password=FIRST)
    sent(
        rolecall,
        "CreateDatabase",
        DatabaseName=database,
        DatabaseOwner=first,
        Encoding="UTF8",
        Collate="C",
        Ctype="C",
    )
    # Names that merely contain the wanted one stand in the list too: the filter is fuzzy.
    sent(rolecall, "CreateDatabase", DatabaseName=f"{database}_longer", DatabaseOwner=first)
    state = read_database(rolecall, database)
    assert state is not None
    columns = ("DatabaseOwner", "Encoding", "Collate", "Ctype")
    assert [state[column] for column in columns] == [first, "UTF8", "C", "C"]
    assert engine.can_log_in(first, FIRST, database=database)

    sent(rolecall, "ModifyDatabaseOwner", DatabaseName=database, DatabaseOwner=second)
    assert engine.database_owner(database) == second
    sent(rolecall, "DeleteDatabase", DatabaseName=database)
    assert read_database(rolecall, database) is None
    assert engine.database_owner(database) is None
    assert read_database(rolecall, f"{database}_longer") is not None
    sent(rolecall, "DeleteDatabase", DatabaseName=f"{database}_longer")

"""Tencent Cloud `postgres` 2017-03-12 (contract: `rolecall.contracts.tencent.postgres.contract`).

| action | command | answer |
|---|---|---|
| CreateAccount | CreateAccount | Oid |
| DescribeAccounts | ListAccounts | TotalCount, Details |
| DeleteAccount | DeleteAccount | - |
| ResetAccountPassword | ResetPassword | - |
| ModifyAccountRemark | ChangeRemark | - |
| LockAccount, UnlockAccount | LockAccount, UnlockAccount | - |
| DescribeAccountPrivileges | ShowPrivileges | PrivilegeSet |
| ModifyAccountPrivileges | ChangePrivileges | - |
| OpenAccountCAM | OpenManagedPassword | - |
| CloseAccountCAM | CloseManagedPassword | - |
| RefreshAccountPassword | RefreshManagedPassword | - |
| CreateDatabase, DeleteDatabase | CreateDatabase, DeleteDatabase | - |
| DescribeDatabases | ListDatabases | Items, TotalCount, Databases |
| DescribeDatabaseObjects | ListObjects | ObjectSet, TotalCount |
| ModifyDatabaseOwner | ChangeDatabaseOwner | - |
| DescribeDBInstances | ListInstances | TotalCount, DBInstanceSet |
| DescribeDBInstanceAttribute | ShowInstance | DBInstance |
| DescribeRegions, DescribeZones | (tables) | TotalCount, RegionSet or ZoneSet |
| CreateInstances and its siblings | `rolecall.verbs.postgres.instances` | |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS
from rolecall.domain.accounts import commands
from rolecall.domain.engine import ObjectType
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Decipher, StaticVerb, Verb, Verbs, nothing, verb, verbs_of
from rolecall.verbs.postgres import answers
from rolecall.verbs.postgres.instances import INSTANCE_VERBS, instance_of, on_instance, plain
from rolecall.verbs.postgres.privileges import KINDS, asked_object, location, modification

_ORDERS: Mapping[str, commands.AccountOrder] = {
    "createTime": "created",
    "updateTime": "updated",
    "name": "name",
}

_T = TypeVar("_T")


def _on_account(
    command: Callable[[InstanceName, str], Command[_T]],
) -> Callable[[parameters.OnAccount], Command[_T]]:
    return lambda params: command(instance_of(params), params.UserName)


def _create_account(checked: Checked[parameters.CreateAccount], decipher: Decipher) -> commands.CreateAccount:
    """With OpenCam the platform makes the password, and one that was sent is checked and then forgotten."""
    managed = checked.params.OpenCam
    if managed and checked.call.region not in CAM_REGIONS:
        raise Refused(Reason.REGION_UNSUPPORTED, "Region", facts={"value": checked.call.region})
    sent = checked.params.Password
    password = None if sent is None else plain(sent, decipher, "Password")
    return commands.CreateAccount(
        instance=instance_of(checked.params),
        name=checked.params.UserName,
        kind=KINDS[checked.params.Type],
        password=None if managed else password,
        remark=checked.params.Remark,
        managed_password=managed,
    )


def _list_accounts(params: parameters.DescribeAccounts) -> commands.ListAccounts:
    return commands.ListAccounts(
        instance=instance_of(params),
        order=_ORDERS[params.OrderBy],
        descending=params.OrderByType == "desc",
        offset=params.Offset,
        limit=params.Limit,
    )


def _reset_password(
    checked: Checked[parameters.ResetAccountPassword], decipher: Decipher
) -> commands.ResetPassword:
    return commands.ResetPassword(
        instance_of(checked.params),
        checked.params.UserName,
        plain(checked.params.Password, decipher, "Password"),
    )


def _change_remark(params: parameters.ModifyAccountRemark) -> commands.ChangeRemark:
    return commands.ChangeRemark(instance_of(params), params.UserName, params.Remark)


def _close_cam(
    checked: Checked[parameters.CloseAccountCAM], decipher: Decipher
) -> commands.CloseManagedPassword:
    encrypted = checked.params.PasswordEncrypt
    password = plain(checked.params.Password, decipher, "Password", encrypted=encrypted)
    return commands.CloseManagedPassword(instance_of(checked.params), checked.params.UserName, password)


def _show_privileges(params: parameters.DescribeAccountPrivileges) -> commands.ShowPrivileges:
    asked = params.DatabaseObjectSet
    objects = (
        asked_object(entry, params.UserName, f"DatabaseObjectSet.{index}")
        for index, entry in enumerate(asked)
    )
    return commands.ShowPrivileges(instance_of(params), params.UserName, tuple(objects))


def _change_privileges(params: parameters.ModifyAccountPrivileges) -> commands.ChangePrivileges:
    """Of several alterRole entries the last one holds."""
    entries = params.ModifyPrivilegeSet
    modifications = [
        modification(entry, params.UserName, f"ModifyPrivilegeSet.{index}")
        for index, entry in enumerate(entries)
    ]
    kinds = [wanted.kind for wanted in modifications if wanted.kind is not None]
    changes = tuple(wanted.change for wanted in modifications if wanted.change is not None)
    return commands.ChangePrivileges(
        instance_of(params),
        params.UserName,
        changes,
        kinds[-1] if kinds else None,
        join=tuple(role for wanted in modifications for role in wanted.join),
        leave=tuple(role for wanted in modifications for role in wanted.leave),
    )


def _create_database(params: parameters.CreateDatabase) -> commands.CreateDatabase:
    return commands.CreateDatabase(
        instance=instance_of(params),
        name=params.DatabaseName,
        owner=params.DatabaseOwner,
        encoding=params.Encoding,
        collate=params.Collate,
        ctype=params.Ctype,
    )


def _delete_database(params: parameters.DeleteDatabase) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(instance_of(params), params.DatabaseName)


def _list_databases(params: parameters.DescribeDatabases) -> commands.ListDatabases:
    return commands.ListDatabases(
        instance=instance_of(params),
        name_contains=tuple(_filter_values(params.Filters or ())),
        offset=params.Offset,
        limit=params.Limit,
    )


def _filter_values(filters: Sequence[parameters.DatabaseFilter]) -> list[str]:
    return [value for filter_ in filters for value in filter_.Values or () if value]


def _list_objects(params: parameters.DescribeDatabaseObjects) -> commands.ListObjects:
    type_ = ObjectType(params.ObjectType)
    where = location(params, type_, "")
    return commands.ListObjects(
        instance=instance_of(params),
        type=type_,
        database=where.database,
        schema=where.schema,
        table=where.table,
        offset=params.Offset,
        limit=params.Limit,
    )


def _change_owner(params: parameters.ModifyDatabaseOwner) -> commands.ChangeDatabaseOwner:
    owner = params.DatabaseOwner
    return commands.ChangeDatabaseOwner(instance_of(params), params.DatabaseName, owner)


def _list_instances(params: parameters.DescribeDBInstances) -> instance_commands.ListInstances:
    for index, filter_ in enumerate(params.Filters or ()):
        if not filter_.Name:
            raise Refused(Reason.PARAMETER_MISSING, f"Filters.{index}.Name")
    return instance_commands.ListInstances("tencent")


VERBS: Verbs = verbs_of(
    Verb(parameters.CreateAccount, _create_account, answers.account_created),
    verb(parameters.DescribeAccounts, _list_accounts, answers.accounts),
    verb(parameters.DeleteAccount, _on_account(commands.DeleteAccount), nothing),
    Verb(parameters.ResetAccountPassword, _reset_password, nothing),
    verb(parameters.ModifyAccountRemark, _change_remark, nothing),
    verb(parameters.LockAccount, _on_account(commands.LockAccount), nothing),
    verb(parameters.UnlockAccount, _on_account(commands.UnlockAccount), nothing),
    verb(parameters.DescribeAccountPrivileges, _show_privileges, answers.privileges),
    verb(parameters.ModifyAccountPrivileges, _change_privileges, nothing),
    verb(parameters.OpenAccountCAM, _on_account(commands.OpenManagedPassword), nothing),
    Verb(parameters.CloseAccountCAM, _close_cam, nothing),
    verb(parameters.RefreshAccountPassword, _on_account(commands.RefreshManagedPassword), nothing),
    verb(parameters.CreateDatabase, _create_database, nothing),
    verb(parameters.DeleteDatabase, _delete_database, nothing),
    verb(parameters.DescribeDatabases, _list_databases, answers.databases),
    verb(parameters.DescribeDatabaseObjects, _list_objects, answers.objects),
    verb(parameters.ModifyDatabaseOwner, _change_owner, nothing),
    verb(parameters.DescribeDBInstances, _list_instances, answers.instances),
    verb(
        parameters.DescribeDBInstanceAttribute, on_instance(instance_commands.ShowInstance), answers.instance
    ),
    StaticVerb(parameters.DescribeRegions, answers.regions),
    StaticVerb(parameters.DescribeZones, answers.zones),
    *INSTANCE_VERBS.values(),
)

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

from collections.abc import Mapping, Sequence

from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS
from rolecall.domain.accounts import commands
from rolecall.domain.engine import ObjectType
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Decipher, StaticVerb, Verb, Verbs, nothing
from rolecall.verbs.postgres import answers
from rolecall.verbs.postgres.instances import INSTANCE_VERBS, plain
from rolecall.verbs.postgres.privileges import KINDS, asked_object, location, modification

_ORDERS: Mapping[str, str] = {"createTime": "created", "updateTime": "updated", "name": "name"}


def _instance(checked: Checked[parameters.OnInstance]) -> InstanceName:
    return InstanceName("tencent", checked.params.DBInstanceId)


def _user(checked: Checked[parameters.OnAccount]) -> str:
    return checked.params.UserName


def _database(checked: Checked[parameters.OnDatabase]) -> str:
    return checked.params.DatabaseName


def _create_account(checked: Checked[parameters.CreateAccount], decipher: Decipher) -> commands.CreateAccount:
    """With OpenCam the platform makes the password, and one that was sent is checked and then forgotten."""
    managed = checked.params.OpenCam
    if managed and checked.call.region not in CAM_REGIONS:
        raise Refused(Reason.REGION_UNSUPPORTED, "Region", facts={"value": checked.call.region})
    sent = checked.params.Password
    password = None if sent is None else plain(sent, decipher, "Password")
    return commands.CreateAccount(
        instance=_instance(checked),
        name=_user(checked),
        kind=KINDS[checked.params.Type],
        password=None if managed else password,
        remark=checked.params.Remark,
        managed_password=managed,
    )


def _list_accounts(checked: Checked[parameters.DescribeAccounts], _: Decipher) -> commands.ListAccounts:
    return commands.ListAccounts(
        instance=_instance(checked),
        order=_ORDERS[checked.params.OrderBy],
        descending=checked.params.OrderByType == "desc",
        offset=checked.params.Offset,
        limit=checked.params.Limit,
    )


def _delete_account(checked: Checked[parameters.DeleteAccount], _: Decipher) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(checked), _user(checked))


def _reset_password(
    checked: Checked[parameters.ResetAccountPassword], decipher: Decipher
) -> commands.ResetPassword:
    return commands.ResetPassword(
        _instance(checked), _user(checked), plain(checked.params.Password, decipher, "Password")
    )


def _change_remark(checked: Checked[parameters.ModifyAccountRemark], _: Decipher) -> commands.ChangeRemark:
    return commands.ChangeRemark(_instance(checked), _user(checked), checked.params.Remark)


def _lock(checked: Checked[parameters.LockAccount], _: Decipher) -> commands.LockAccount:
    return commands.LockAccount(_instance(checked), _user(checked))


def _unlock(checked: Checked[parameters.UnlockAccount], _: Decipher) -> commands.UnlockAccount:
    return commands.UnlockAccount(_instance(checked), _user(checked))


def _open_cam(checked: Checked[parameters.OpenAccountCAM], _: Decipher) -> commands.OpenManagedPassword:
    return commands.OpenManagedPassword(_instance(checked), _user(checked))


def _close_cam(
    checked: Checked[parameters.CloseAccountCAM], decipher: Decipher
) -> commands.CloseManagedPassword:
    encrypted = checked.params.PasswordEncrypt
    password = plain(checked.params.Password, decipher, "Password", encrypted=encrypted)
    return commands.CloseManagedPassword(_instance(checked), _user(checked), password)


def _refresh(
    checked: Checked[parameters.RefreshAccountPassword], _: Decipher
) -> commands.RefreshManagedPassword:
    return commands.RefreshManagedPassword(_instance(checked), _user(checked))


def _show_privileges(
    checked: Checked[parameters.DescribeAccountPrivileges], _: Decipher
) -> commands.ShowPrivileges:
    asked = checked.params.DatabaseObjectSet
    objects = (
        asked_object(entry, _user(checked), f"DatabaseObjectSet.{index}") for index, entry in enumerate(asked)
    )
    return commands.ShowPrivileges(_instance(checked), _user(checked), tuple(objects))


def _change_privileges(
    checked: Checked[parameters.ModifyAccountPrivileges], _: Decipher
) -> commands.ChangePrivileges:
    """Of several alterRole entries the last one holds."""
    entries = checked.params.ModifyPrivilegeSet
    modifications = [
        modification(entry, _user(checked), f"ModifyPrivilegeSet.{index}")
        for index, entry in enumerate(entries)
    ]
    kinds = [wanted.kind for wanted in modifications if wanted.kind is not None]
    changes = tuple(wanted.change for wanted in modifications if wanted.change is not None)
    return commands.ChangePrivileges(
        _instance(checked), _user(checked), changes, kinds[-1] if kinds else None
    )


def _create_database(checked: Checked[parameters.CreateDatabase], _: Decipher) -> commands.CreateDatabase:
    return commands.CreateDatabase(
        instance=_instance(checked),
        name=_database(checked),
        owner=checked.params.DatabaseOwner,
        encoding=checked.params.Encoding,
        collate=checked.params.Collate,
        ctype=checked.params.Ctype,
    )


def _delete_database(checked: Checked[parameters.DeleteDatabase], _: Decipher) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(checked), _database(checked))


def _list_databases(checked: Checked[parameters.DescribeDatabases], _: Decipher) -> commands.ListDatabases:
    return commands.ListDatabases(
        instance=_instance(checked),
        name_contains=tuple(_filter_values(checked.params.Filters or ())),
        offset=checked.params.Offset,
        limit=checked.params.Limit,
    )


def _filter_values(filters: Sequence[parameters.DatabaseFilter]) -> list[str]:
    return [value for filter_ in filters for value in filter_.Values or () if value]


def _list_objects(checked: Checked[parameters.DescribeDatabaseObjects], _: Decipher) -> commands.ListObjects:
    type_ = ObjectType(checked.params.ObjectType)
    where = location(checked.params, type_, "")
    return commands.ListObjects(
        instance=_instance(checked),
        type=type_,
        database=where.database,
        schema=where.schema,
        table=where.table,
        offset=checked.params.Offset,
        limit=checked.params.Limit,
    )


def _change_owner(
    checked: Checked[parameters.ModifyDatabaseOwner], _: Decipher
) -> commands.ChangeDatabaseOwner:
    owner = checked.params.DatabaseOwner
    return commands.ChangeDatabaseOwner(_instance(checked), _database(checked), owner)


def _list_instances(
    checked: Checked[parameters.DescribeDBInstances], _: Decipher
) -> instance_commands.ListInstances:
    for index, filter_ in enumerate(checked.params.Filters or ()):
        if not filter_.Name:
            raise Refused(Reason.PARAMETER_MISSING, f"Filters.{index}.Name")
    return instance_commands.ListInstances("tencent")


def _show_instance(
    checked: Checked[parameters.DescribeDBInstanceAttribute], _: Decipher
) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(checked))


VERBS: Verbs = {
    "CreateAccount": Verb(parameters.CreateAccount, _create_account, answers.account_created),
    "DescribeAccounts": Verb(parameters.DescribeAccounts, _list_accounts, answers.accounts),
    "DeleteAccount": Verb(parameters.DeleteAccount, _delete_account, nothing),
    "ResetAccountPassword": Verb(parameters.ResetAccountPassword, _reset_password, nothing),
    "ModifyAccountRemark": Verb(parameters.ModifyAccountRemark, _change_remark, nothing),
    "LockAccount": Verb(parameters.LockAccount, _lock, nothing),
    "UnlockAccount": Verb(parameters.UnlockAccount, _unlock, nothing),
    "DescribeAccountPrivileges": Verb(
        parameters.DescribeAccountPrivileges, _show_privileges, answers.privileges
    ),
    "ModifyAccountPrivileges": Verb(parameters.ModifyAccountPrivileges, _change_privileges, nothing),
    "OpenAccountCAM": Verb(parameters.OpenAccountCAM, _open_cam, nothing),
    "CloseAccountCAM": Verb(parameters.CloseAccountCAM, _close_cam, nothing),
    "RefreshAccountPassword": Verb(parameters.RefreshAccountPassword, _refresh, nothing),
    "CreateDatabase": Verb(parameters.CreateDatabase, _create_database, nothing),
    "DeleteDatabase": Verb(parameters.DeleteDatabase, _delete_database, nothing),
    "DescribeDatabases": Verb(parameters.DescribeDatabases, _list_databases, answers.databases),
    "DescribeDatabaseObjects": Verb(parameters.DescribeDatabaseObjects, _list_objects, answers.objects),
    "ModifyDatabaseOwner": Verb(parameters.ModifyDatabaseOwner, _change_owner, nothing),
    "DescribeDBInstances": Verb(parameters.DescribeDBInstances, _list_instances, answers.instances),
    "DescribeDBInstanceAttribute": Verb(
        parameters.DescribeDBInstanceAttribute, _show_instance, answers.instance
    ),
    "DescribeRegions": StaticVerb(parameters.DescribeRegions, answers.regions),
    "DescribeZones": StaticVerb(parameters.DescribeZones, answers.zones),
    **INSTANCE_VERBS,
}

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

from collections.abc import Mapping

from rolecall.contracts.tencent.postgres.places import CAM_REGIONS
from rolecall.domain.accounts import commands
from rolecall.domain.engine import ObjectType
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked, Secret
from rolecall.verbs import Decipher, StaticVerb, Verb, Verbs, nothing
from rolecall.verbs.params import Params, flag, number, secret, structures, text, texts
from rolecall.verbs.postgres import answers
from rolecall.verbs.postgres.instances import INSTANCE_VERBS, plain
from rolecall.verbs.postgres.privileges import KINDS, asked_object, modification, parents

_ORDERS: Mapping[str, str] = {"createTime": "created", "updateTime": "updated", "name": "name"}


def _instance(checked: Checked) -> InstanceName:
    return InstanceName("tencent", text(checked.params, "DBInstanceId"))


def _user(checked: Checked) -> str:
    return text(checked.params, "UserName")


def _database(checked: Checked) -> str:
    return text(checked.params, "DatabaseName")


def _required_password(checked: Checked, decipher: Decipher, *, encrypted: bool = False) -> Secret:
    password = secret(checked.params, "Password")
    if password is None:
        raise Refused(Reason.PARAMETER_MISSING, "Password")
    return plain(password, decipher, "Password", encrypted=encrypted)


def _create_account(checked: Checked, decipher: Decipher) -> commands.CreateAccount:
    """With OpenCam the platform makes the password, and one that was sent is checked and then forgotten."""
    managed = flag(checked.params, "OpenCam")
    if managed and checked.call.region not in CAM_REGIONS:
        raise Refused(Reason.REGION_UNSUPPORTED, "Region", facts={"value": checked.call.region})
    sent = secret(checked.params, "Password")
    password = None if sent is None else plain(sent, decipher, "Password")
    return commands.CreateAccount(
        instance=_instance(checked),
        name=_user(checked),
        kind=KINDS[text(checked.params, "Type")],
        password=None if managed else password,
        remark=text(checked.params, "Remark"),
        managed_password=managed,
    )


def _list_accounts(checked: Checked, _: Decipher) -> commands.ListAccounts:
    return commands.ListAccounts(
        instance=_instance(checked),
        order=_ORDERS[text(checked.params, "OrderBy")],
        descending=text(checked.params, "OrderByType") == "desc",
        offset=number(checked.params, "Offset"),
        limit=number(checked.params, "Limit"),
    )


def _delete_account(checked: Checked, _: Decipher) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(checked), _user(checked))


def _reset_password(checked: Checked, decipher: Decipher) -> commands.ResetPassword:
    return commands.ResetPassword(_instance(checked), _user(checked), _required_password(checked, decipher))


def _change_remark(checked: Checked, _: Decipher) -> commands.ChangeRemark:
    return commands.ChangeRemark(_instance(checked), _user(checked), text(checked.params, "Remark"))


def _lock(checked: Checked, _: Decipher) -> commands.LockAccount:
    return commands.LockAccount(_instance(checked), _user(checked))


def _unlock(checked: Checked, _: Decipher) -> commands.UnlockAccount:
    return commands.UnlockAccount(_instance(checked), _user(checked))


def _open_cam(checked: Checked, _: Decipher) -> commands.OpenManagedPassword:
    return commands.OpenManagedPassword(_instance(checked), _user(checked))


def _close_cam(checked: Checked, decipher: Decipher) -> commands.CloseManagedPassword:
    encrypted = flag(checked.params, "PasswordEncrypt")
    password = _required_password(checked, decipher, encrypted=encrypted)
    return commands.CloseManagedPassword(_instance(checked), _user(checked), password)


def _refresh(checked: Checked, _: Decipher) -> commands.RefreshManagedPassword:
    return commands.RefreshManagedPassword(_instance(checked), _user(checked))


def _show_privileges(checked: Checked, _: Decipher) -> commands.ShowPrivileges:
    asked = structures(checked.params, "DatabaseObjectSet")
    objects = (
        asked_object(entry, _user(checked), f"DatabaseObjectSet.{index}") for index, entry in enumerate(asked)
    )
    return commands.ShowPrivileges(_instance(checked), _user(checked), tuple(objects))


def _change_privileges(checked: Checked, _: Decipher) -> commands.ChangePrivileges:
    """Of several alterRole entries the last one holds."""
    entries = structures(checked.params, "ModifyPrivilegeSet")
    wanted = [
        modification(entry, _user(checked), f"ModifyPrivilegeSet.{index}")
        for index, entry in enumerate(entries)
    ]
    kinds = [one.kind for one in wanted if one.kind is not None]
    changes = tuple(one.change for one in wanted if one.change is not None)
    return commands.ChangePrivileges(
        _instance(checked), _user(checked), changes, kinds[-1] if kinds else None
    )


def _create_database(checked: Checked, _: Decipher) -> commands.CreateDatabase:
    return commands.CreateDatabase(
        instance=_instance(checked),
        name=_database(checked),
        owner=text(checked.params, "DatabaseOwner"),
        encoding=text(checked.params, "Encoding"),
        collate=text(checked.params, "Collate"),
        ctype=text(checked.params, "Ctype"),
    )


def _delete_database(checked: Checked, _: Decipher) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(checked), _database(checked))


def _list_databases(checked: Checked, _: Decipher) -> commands.ListDatabases:
    return commands.ListDatabases(
        instance=_instance(checked),
        name_contains=tuple(_filter_values(checked.params)),
        offset=number(checked.params, "Offset"),
        limit=number(checked.params, "Limit"),
    )


def _filter_values(params: Params) -> list[str]:
    return [value for one in structures(params, "Filters") for value in texts(one, "Values") if value]


def _list_objects(checked: Checked, _: Decipher) -> commands.ListObjects:
    type_ = ObjectType(text(checked.params, "ObjectType"))
    where = parents(checked.params, type_, "")
    return commands.ListObjects(
        instance=_instance(checked),
        type=type_,
        database=where.get("DatabaseName", ""),
        schema=where.get("SchemaName", ""),
        table=where.get("TableName", ""),
        offset=number(checked.params, "Offset"),
        limit=number(checked.params, "Limit"),
    )


def _change_owner(checked: Checked, _: Decipher) -> commands.ChangeDatabaseOwner:
    owner = text(checked.params, "DatabaseOwner")
    return commands.ChangeDatabaseOwner(_instance(checked), _database(checked), owner)


def _list_instances(checked: Checked, _: Decipher) -> instance_commands.ListInstances:
    for index, one in enumerate(structures(checked.params, "Filters")):
        if not text(one, "Name"):
            raise Refused(Reason.PARAMETER_MISSING, f"Filters.{index}.Name")
    return instance_commands.ListInstances("tencent")


def _show_instance(checked: Checked, _: Decipher) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(checked))


VERBS: Verbs = {
    "CreateAccount": Verb(_create_account, answers.account_created),
    "DescribeAccounts": Verb(_list_accounts, answers.accounts),
    "DeleteAccount": Verb(_delete_account, nothing),
    "ResetAccountPassword": Verb(_reset_password, nothing),
    "ModifyAccountRemark": Verb(_change_remark, nothing),
    "LockAccount": Verb(_lock, nothing),
    "UnlockAccount": Verb(_unlock, nothing),
    "DescribeAccountPrivileges": Verb(_show_privileges, answers.privileges),
    "ModifyAccountPrivileges": Verb(_change_privileges, nothing),
    "OpenAccountCAM": Verb(_open_cam, nothing),
    "CloseAccountCAM": Verb(_close_cam, nothing),
    "RefreshAccountPassword": Verb(_refresh, nothing),
    "CreateDatabase": Verb(_create_database, nothing),
    "DeleteDatabase": Verb(_delete_database, nothing),
    "DescribeDatabases": Verb(_list_databases, answers.databases),
    "DescribeDatabaseObjects": Verb(_list_objects, answers.objects),
    "ModifyDatabaseOwner": Verb(_change_owner, nothing),
    "DescribeDBInstances": Verb(_list_instances, answers.instances),
    "DescribeDBInstanceAttribute": Verb(_show_instance, answers.instance),
    "DescribeRegions": StaticVerb(answers.regions),
    "DescribeZones": StaticVerb(answers.zones),
    **INSTANCE_VERBS,
}

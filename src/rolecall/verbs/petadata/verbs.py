"""Alibaba Cloud `petadata` 2016-01-01 (contract: `rolecall.contracts.aliyun.petadata.contract`).

| action | command | answer |
|---|---|---|
| CreateAccount | CreateAccount | - |
| DescribeAccounts | AllAccounts | AccountList |
| DeleteAccount | DeleteAccount | - |
| ResetAccountPassword, ModifyAccountPassword | ResetPassword | - |
| ModifyAccountDescription | ChangeRemark | - |
| GrantAccountPrivilege, RevokeAccountPrivilege | ChangeGrants | - |
| CreateDatabase | CreateDatabases | OrderId |
| DeleteDatabase | DeleteDatabase | - |
| DescribeDatabases | AllDatabases | Databases |
| CreateInstance | ProvisionInstance | InstanceId, OrderId |
| DeleteInstance | DeprovisionInstance | - |
| DescribeInstances, DescribeUserInfo | ListInstances | Instances; what the account has |
| DescribeInstanceInfo | ShowInstance | the instance |
| ModifyInstanceName | RenameInstance | - |
| DescribeSecurityIPs | ShowAddressList | SecurityIPList |
| ModifySecurityIPs | SetAddressList | SecurityIPList |
| DescribeTasks, DescribeTaskStatus | ListOperations | Tasks; one task |
| DescribeRegions | (tables) | Regions |

Every account is a name at any host (``'name'@'%'``): the vendor limits addresses by its list alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

from rolecall.contracts.aliyun.petadata.rules import ACCESS, addresses, database_names, grants_of, moment
from rolecall.domain.accounts import commands
from rolecall.domain.engine import Access, AccountKind, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret
from rolecall.verbs import Answer, Decipher, Verb, Verbs, nothing
from rolecall.verbs.params import Checked, Params, loose, loose_static, secret, text
from rolecall.verbs.petadata import answers
from rolecall.verbs.petadata.token import client_token

DIALECT = "aliyun"
HOST = "%"
ACCOUNTS_AT_MOST = 3
"""Accounts of an instance ("you can create a maximum of three accounts for the instance", CreateAccount)."""
_T = TypeVar("_T")
_TASKS_AT_MOST = 1000
_OWN_ADDRESS = "127.0.0.1"
"""The address list of a new instance that is made without one."""

KINDS: Mapping[str, AccountKind] = {"Normal": AccountKind.NORMAL, "Super": AccountKind.SUPER}
_MODES: Mapping[str, Literal["replace", "add", "remove"]] = {"0": "replace", "1": "add", "2": "remove"}


def either(params: Params, name: str, other: str) -> str:
    """A parameter with two spellings, of the SDK and of the manual. PARAMETER_VALUE if they disagree."""
    one, two = text(params, name), text(params, other)
    if one and two and one != two:
        raise Refused(Reason.PARAMETER_VALUE, other)
    return one or two


def _needed(params: Params, name: str, other: str) -> str:
    value = either(params, name, other)
    if not value:
        raise Refused(Reason.PARAMETER_MISSING, name)
    return value


def _instance(checked: Checked) -> InstanceName:
    return InstanceName(DIALECT, text(checked.params, "InstanceId"))


def _either_instance(checked: Checked) -> InstanceName:
    return InstanceName(DIALECT, _needed(checked.params, "DBInstanceId", "InstanceId"))


def _account(checked: Checked) -> str:
    return text(checked.params, "AccountName")


def _database(checked: Checked) -> str:
    return text(checked.params, "DBName")


def _password(checked: Checked, name: str) -> Secret:
    password = secret(checked.params, name)
    if password is None:
        raise Refused(Reason.PARAMETER_MISSING, name)
    return password


def _create_account(checked: Checked) -> commands.CreateAccount:
    """A super account has its rights without grants; the old account version reads and writes everywhere."""
    kind = KINDS[text(checked.params, "AccountType")]
    old = _is_old_version(checked.params)
    plain = kind is AccountKind.NORMAL
    return commands.CreateAccount(
        instance=_instance(checked),
        name=_account(checked),
        kind=kind,
        password=_password(checked, "AccountPassword"),
        remark=text(checked.params, "AccountDescription"),
        managed_password=False,
        host=HOST,
        grants=_grants(checked.params) if plain and not old else (),
        quota=ACCOUNTS_AT_MOST,
        token=client_token(checked),
        everywhere=plain and old,
    )


def _is_old_version(params: Params) -> bool:
    """Version 0 disables granting: what privileges are given is passed over (the manual's Chinese text).

    Where no version is sent, asking for privileges asks for version 1; no page says so.
    """
    version = text(params, "AccountVersion")
    if version:
        return version == "0"
    return not any(name in params for name in ("DBInfo", "DBName", "AccountPrivilege"))


def _grants(params: Params) -> tuple[DatabaseGrant, ...]:
    """DBInfo decides alone where it is sent, else AccountPrivilege on each of DBName; no page ranks them."""
    if "DBInfo" in params:
        return grants_of(params["DBInfo"]) or ()
    return _same_grants(params) if "DBName" in params else ()


def _same_grants(params: Params) -> tuple[DatabaseGrant, ...]:
    access = ACCESS[text(params, "AccountPrivilege") or "ReadWrite"]
    return tuple(DatabaseGrant(name, access) for name in database_names(text(params, "DBName")))


def _all_accounts(checked: Checked) -> commands.AllAccounts:
    return commands.AllAccounts(_instance(checked))


def _delete_account(checked: Checked) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(checked), _account(checked), HOST, must_exist=True)


def _reset_password(checked: Checked) -> commands.ResetPassword:
    """Without an old password (ResetAccountPassword) or with it (ModifyAccountPassword)."""
    return commands.ResetPassword(
        _instance(checked),
        _account(checked),
        _password(checked, "NewPassword"),
        HOST,
        secret(checked.params, "OldPassword"),
    )


def _change_remark(checked: Checked) -> commands.ChangeRemark:
    remark = text(checked.params, "AccountDescription")
    return commands.ChangeRemark(_either_instance(checked), _account(checked), remark, HOST)


def _grant(checked: Checked) -> commands.ChangeGrants:
    """A privilege replaces the account's earlier one on the same database."""
    instance = _either_instance(checked)
    return commands.ChangeGrants(instance, _account(checked), HOST, _same_grants(checked.params))


def _revoke(checked: Checked) -> commands.ChangeGrants:
    names = database_names(_database(checked))
    return commands.ChangeGrants(_either_instance(checked), _account(checked), HOST, (), names)


def _create_database(checked: Checked) -> commands.CreateDatabases:
    return commands.CreateDatabases(_instance(checked), (commands.DatabaseSpec(_database(checked)),))


def _delete_database(checked: Checked) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(checked), _database(checked), must_exist=True)


def _all_databases(checked: Checked) -> commands.AllDatabases:
    return commands.AllDatabases(_instance(checked))


def _create_instance(checked: Checked) -> provisioning_commands.ProvisionInstance:
    """An instance with its first database, and its first account, which reads and writes that one."""
    params = checked.params
    either(params, "ChargeType", "PayType")
    if text(params, "NetworkType") == "VPC":
        _needed(params, "VpcId", "VPCId")
        _needed(params, "VSwitchId", "VSwitchId")
    database = _database(checked)
    first = commands.AccountSpec(
        _account(checked),
        HOST,
        _password(checked, "AccountPassword"),
        (DatabaseGrant(database, Access.READ_WRITE),),
    )
    return provisioning_commands.ProvisionInstance(
        dialect=DIALECT,
        engine="mysql",
        name=text(params, "InstanceName") or f"Created At: {_now(checked):%Y-%m-%d-%H-%M-%S}",
        region=text(params, "RegionId"),
        databases=(commands.DatabaseSpec(database),),
        accounts=(first,),
        token=client_token(checked),
        zone=text(params, "ZoneId"),
        addresses=addresses(text(params, "SecurityIPList") or _OWN_ADDRESS),
    )


def _now(checked: Checked) -> datetime:
    return datetime.fromtimestamp(checked.call.envelope.request.received, UTC)


def _delete_instance(checked: Checked) -> provisioning_commands.DeprovisionInstance:
    return provisioning_commands.DeprovisionInstance(_instance(checked), token=client_token(checked))


def _list_instances(_checked: Checked) -> instance_commands.ListInstances:
    return instance_commands.ListInstances(DIALECT, databases=True)


def _count_instances(_checked: Checked) -> instance_commands.ListInstances:
    return instance_commands.ListInstances(DIALECT)


def _show_instance(checked: Checked) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(checked), databases=True)


def _rename_instance(checked: Checked) -> instance_commands.RenameInstance:
    return instance_commands.RenameInstance(_instance(checked), text(checked.params, "NewInstanceName"))


def _show_addresses(checked: Checked) -> instance_commands.ShowAddressList:
    return instance_commands.ShowAddressList(_instance(checked))


def _set_addresses(checked: Checked) -> instance_commands.SetAddressList:
    mode = either(checked.params, "ModifyMode", "Modifymode") or "0"
    listed = _needed(checked.params, "SecurityIPList", "SecurityIps")
    group = text(checked.params, "SecurityIPListName")
    return instance_commands.SetAddressList(
        _instance(checked),
        addresses(listed),
        _MODES[mode],
        "" if group.lower() == answers.DEFAULT_GROUP else group,
        text(checked.params, "SecurityIPListAttribute") or None,
    )


def _list_tasks(checked: Checked) -> instance_commands.ListOperations:
    start, end = (moment(text(checked.params, name)) for name in ("StartTime", "EndTime"))
    if start is None or end is None or end < start:
        raise Refused(Reason.PARAMETER_RANGE, "EndTime")
    either(checked.params, "Status", "TaskStatus")
    return instance_commands.ListOperations(_instance(checked), _TASKS_AT_MOST)


def _one_task(checked: Checked) -> instance_commands.ListOperations:
    return instance_commands.ListOperations(_instance(checked), _TASKS_AT_MOST)


def _keep_owner(checked: Checked) -> None:
    """The owner that a call names must be the caller's; TENANT_FOREIGN. Both of OwnerId and OwnerAccount: InvalidOwner.

    Accounts have no login names here, so OwnerAccount too is the number.
    """
    params = checked.params
    if "OwnerId" in params and "OwnerAccount" in params:
        raise Refused(Reason.PARAMETER_VALUE, "Owner")
    for name in ("OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount"):
        if name in params and text(params, name) != str(checked.caller.owner_number):
            raise Refused(Reason.TENANT_FOREIGN, name)


def _verb(
    make: Callable[[Checked], Command[_T]], answer: Callable[[Checked, _T], Answer]
) -> Verb[dict[str, object], _T]:
    def command(checked: Checked, _decipher: Decipher) -> Command[_T]:
        _keep_owner(checked)
        return make(checked)

    return loose(command, answer)


def _regions(checked: Checked) -> Answer:
    _keep_owner(checked)
    return answers.regions(checked)


VERBS: Verbs = {
    "CreateAccount": _verb(_create_account, nothing),
    "DescribeAccounts": _verb(_all_accounts, answers.accounts),
    "DeleteAccount": _verb(_delete_account, nothing),
    "ResetAccountPassword": _verb(_reset_password, nothing),
    "ModifyAccountPassword": _verb(_reset_password, nothing),
    "ModifyAccountDescription": _verb(_change_remark, nothing),
    "GrantAccountPrivilege": _verb(_grant, nothing),
    "RevokeAccountPrivilege": _verb(_revoke, nothing),
    "CreateDatabase": _verb(_create_database, answers.ordered),
    "DeleteDatabase": _verb(_delete_database, nothing),
    "DescribeDatabases": _verb(_all_databases, answers.databases),
    "CreateInstance": _verb(_create_instance, answers.instance_created),
    "DeleteInstance": _verb(_delete_instance, nothing),
    "DescribeInstances": _verb(_list_instances, answers.instances),
    "DescribeInstanceInfo": _verb(_show_instance, answers.instance),
    "ModifyInstanceName": _verb(_rename_instance, nothing),
    "DescribeSecurityIPs": _verb(_show_addresses, answers.addresses),
    "ModifySecurityIPs": _verb(_set_addresses, answers.addresses_set),
    "ModifySecurityIps": _verb(_set_addresses, answers.addresses_set),
    "DescribeRegions": loose_static(_regions),
    "DescribeTasks": _verb(_list_tasks, answers.tasks),
    "DescribeTaskStatus": _verb(_one_task, answers.task),
    "DescribeUserInfo": _verb(_count_instances, answers.user),
}

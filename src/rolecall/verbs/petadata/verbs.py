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

from rolecall.contracts.aliyun.petadata import parameters
from rolecall.contracts.aliyun.petadata.rules import ACCESS, addresses, database_names, grants_of, moment
from rolecall.domain.accounts import commands
from rolecall.domain.engine import Access, AccountKind, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Answer, StaticVerb, Verb, Verbs, call_verb, nothing, verbs_of
from rolecall.verbs.petadata import answers
from rolecall.verbs.petadata.token import client_token

DIALECT = "aliyun"
HOST = "%"
ACCOUNTS_AT_MOST = 3
"""Accounts of an instance ("you can create a maximum of three accounts for the instance", CreateAccount)."""
_P = TypeVar("_P", bound=parameters.Owned)
_T = TypeVar("_T")
_TASKS_AT_MOST = 1000
_OWN_ADDRESS = "127.0.0.1"
"""The address list of a new instance that is created without one."""

KINDS: Mapping[str, AccountKind] = {"Normal": AccountKind.NORMAL, "Super": AccountKind.SUPER}
_MODES: Mapping[str, Literal["replace", "add", "remove"]] = {"0": "replace", "1": "add", "2": "remove"}


def either(value: str | None, other: str | None, name: str) -> str:
    """A parameter with two spellings, of the SDK and of the manual. PARAMETER_VALUE for `name` if they disagree."""
    if value and other and value != other:
        raise Refused(Reason.PARAMETER_VALUE, name)
    return value or other or ""


def _require_either(one: str | None, other: str | None, names: tuple[str, str]) -> str:
    value = either(one, other, names[1])
    if not value:
        raise Refused(Reason.PARAMETER_MISSING, names[0])
    return value


def _instance(params: parameters.OnInstance) -> InstanceName:
    return InstanceName(DIALECT, params.InstanceId)


def _on_instance(
    command: Callable[[InstanceName], Command[_T]],
) -> Callable[[parameters.OnInstance], Command[_T]]:
    return lambda params: command(_instance(params))


def _either_instance(params: parameters.OnEitherInstance) -> InstanceName:
    names = ("DBInstanceId", "InstanceId")
    return InstanceName(DIALECT, _require_either(params.DBInstanceId, params.InstanceId, names))


def _create_account(checked: Checked[parameters.CreateAccount]) -> commands.CreateAccount:
    """A super account has its rights without grants; the old account version reads and writes everywhere."""
    kind = KINDS[checked.params.AccountType]
    old = _is_old_version(checked.params)
    plain = kind is AccountKind.NORMAL
    return commands.CreateAccount(
        instance=_instance(checked.params),
        name=checked.params.AccountName,
        kind=kind,
        password=checked.params.AccountPassword,
        remark=checked.params.AccountDescription or "",
        managed_password=False,
        host=HOST,
        grants=_grants(checked.params) if plain and not old else (),
        quota=ACCOUNTS_AT_MOST,
        token=client_token(checked),
        everywhere=plain and old,
    )


def _is_old_version(params: parameters.CreateAccount) -> bool:
    """Version 0 disables granting: privileges that are given are ignored (the Chinese text of the manual).

    Where no version is sent, asking for privileges asks for version 1; no page says so.
    """
    version = params.AccountVersion
    if version:
        return version == "0"
    return params.DBInfo is None and params.DBName is None and params.AccountPrivilege is None


def _grants(params: parameters.CreateAccount) -> tuple[DatabaseGrant, ...]:
    """DBInfo decides alone where it is sent, else AccountPrivilege on each of DBName; no page ranks them."""
    if params.DBInfo is not None:
        return grants_of(params.DBInfo) or ()
    return () if params.DBName is None else _same_grants(params.DBName, params.AccountPrivilege)


def _same_grants(names: str, privilege: str | None) -> tuple[DatabaseGrant, ...]:
    access = ACCESS[privilege or "ReadWrite"]
    return tuple(DatabaseGrant(name, access) for name in database_names(names))


def _delete_account(params: parameters.DeleteAccount) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(params), params.AccountName, HOST, must_exist=True)


def _reset_password(
    params: parameters.ModifyAccountPassword | parameters.ResetAccountPassword,
) -> commands.ResetPassword:
    """Without an old password (ResetAccountPassword) or with it (ModifyAccountPassword)."""
    old = params.OldPassword if isinstance(params, parameters.ModifyAccountPassword) else None
    return commands.ResetPassword(_instance(params), params.AccountName, params.NewPassword, HOST, old)


def _change_remark(params: parameters.ModifyAccountDescription) -> commands.ChangeRemark:
    remark = params.AccountDescription
    return commands.ChangeRemark(_either_instance(params), params.AccountName, remark, HOST)


def _grant(params: parameters.GrantAccountPrivilege) -> commands.ChangeGrants:
    """A privilege replaces the account's earlier one on the same database."""
    granted = _same_grants(params.DBName, params.AccountPrivilege)
    return commands.ChangeGrants(_either_instance(params), params.AccountName, HOST, granted)


def _revoke(params: parameters.RevokeAccountPrivilege) -> commands.ChangeGrants:
    names = database_names(params.DBName)
    return commands.ChangeGrants(_either_instance(params), params.AccountName, HOST, (), names)


def _create_database(params: parameters.CreateDatabase) -> commands.CreateDatabases:
    return commands.CreateDatabases(_instance(params), (commands.DatabaseSpec(params.DBName),))


def _delete_database(params: parameters.DeleteDatabase) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(params), params.DBName, must_exist=True)


def _create_instance(checked: Checked[parameters.CreateInstance]) -> provisioning_commands.ProvisionInstance:
    """An instance with its first database, and its first account, which reads and writes that one."""
    params = checked.params
    either(params.ChargeType, params.PayType, "PayType")
    if params.NetworkType == "VPC":
        _require_either(params.VpcId, params.VPCId, ("VpcId", "VPCId"))
        _require_either(params.VSwitchId, None, ("VSwitchId", "VSwitchId"))
    database = checked.params.DBName
    first = commands.AccountSpec(
        checked.params.AccountName,
        HOST,
        checked.params.AccountPassword,
        (DatabaseGrant(database, Access.READ_WRITE),),
    )
    return provisioning_commands.ProvisionInstance(
        dialect=DIALECT,
        engine="mysql",
        name=params.InstanceName or f"Created At: {_now(checked):%Y-%m-%d-%H-%M-%S}",
        region=params.RegionId,
        databases=(commands.DatabaseSpec(database),),
        accounts=(first,),
        token=client_token(checked),
        zone=params.ZoneId,
        addresses=addresses(params.SecurityIPList or _OWN_ADDRESS),
    )


def _now(checked: Checked[object]) -> datetime:
    return datetime.fromtimestamp(checked.call.envelope.request.received, UTC)


def _delete_instance(
    checked: Checked[parameters.DeleteInstance],
) -> provisioning_commands.DeprovisionInstance:
    return provisioning_commands.DeprovisionInstance(_instance(checked.params), token=client_token(checked))


def _list_instances(_params: object) -> instance_commands.ListInstances:
    return instance_commands.ListInstances(DIALECT, databases=True)


def _show_instance(params: parameters.DescribeInstanceInfo) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(params), databases=True)


def _rename_instance(params: parameters.ModifyInstanceName) -> instance_commands.RenameInstance:
    return instance_commands.RenameInstance(_instance(params), params.NewInstanceName)


def _set_addresses(params: parameters.ModifySecurityIPs) -> instance_commands.SetAddressList:
    mode = either(params.ModifyMode, params.Modifymode, "Modifymode") or "0"
    names = ("SecurityIPList", "SecurityIps")
    listed = _require_either(params.SecurityIPList, params.SecurityIps, names)
    group = params.SecurityIPListName
    return instance_commands.SetAddressList(
        _instance(params),
        addresses(listed),
        _MODES[mode],
        "" if group.lower() == answers.DEFAULT_GROUP else group,
        params.SecurityIPListAttribute or None,
    )


def _list_tasks(params: parameters.DescribeTasks) -> instance_commands.ListOperations:
    start, end = moment(params.StartTime), moment(params.EndTime)
    if start is None or end is None or end < start:
        raise Refused(Reason.PARAMETER_RANGE, "EndTime")
    either(params.Status, params.TaskStatus, "TaskStatus")
    return instance_commands.ListOperations(_instance(params), _TASKS_AT_MOST)


def _one_task(params: parameters.DescribeTaskStatus) -> instance_commands.ListOperations:
    return instance_commands.ListOperations(_instance(params), _TASKS_AT_MOST)


def _require_owner(checked: Checked[parameters.Owned]) -> None:
    """The owner that a call names must be the caller's; TENANT_FOREIGN. Both of OwnerId and OwnerAccount: InvalidOwner.

    Accounts have no login names here, so OwnerAccount is the number as well.
    """
    params = checked.params
    if params.OwnerId is not None and params.OwnerAccount is not None:
        raise Refused(Reason.PARAMETER_VALUE, "Owner")
    for name, owner in (
        ("OwnerId", params.OwnerId),
        ("OwnerAccount", params.OwnerAccount),
        ("ResourceOwnerId", params.ResourceOwnerId),
        ("ResourceOwnerAccount", params.ResourceOwnerAccount),
    ):
        if owner is not None and owner != str(checked.caller.owner_number):
            raise Refused(Reason.TENANT_FOREIGN, name)


def _call_verb(
    params: type[_P], make: Callable[[Checked[_P]], Command[_T]], answer: Callable[[Checked[_P], _T], Answer]
) -> Verb[_P, _T]:
    def command(checked: Checked[_P]) -> Command[_T]:
        _require_owner(checked)
        return make(checked)

    return call_verb(params, command, answer)


def _verb(
    params: type[_P], make: Callable[[_P], Command[_T]], answer: Callable[[Checked[_P], _T], Answer]
) -> Verb[_P, _T]:
    return _call_verb(params, lambda checked: make(checked.params), answer)


def _regions(checked: Checked[parameters.DescribeRegions]) -> Answer:
    _require_owner(checked)
    return answers.regions(checked)


VERBS: Verbs = verbs_of(
    _call_verb(parameters.CreateAccount, _create_account, nothing),
    _verb(parameters.DescribeAccounts, _on_instance(commands.AllAccounts), answers.accounts),
    _verb(parameters.DeleteAccount, _delete_account, nothing),
    _verb(parameters.ResetAccountPassword, _reset_password, nothing),
    _verb(parameters.ModifyAccountPassword, _reset_password, nothing),
    _verb(parameters.ModifyAccountDescription, _change_remark, nothing),
    _verb(parameters.GrantAccountPrivilege, _grant, nothing),
    _verb(parameters.RevokeAccountPrivilege, _revoke, nothing),
    _verb(parameters.CreateDatabase, _create_database, answers.ordered),
    _verb(parameters.DeleteDatabase, _delete_database, nothing),
    _verb(parameters.DescribeDatabases, _on_instance(commands.AllDatabases), answers.databases),
    _call_verb(parameters.CreateInstance, _create_instance, answers.instance_created),
    _call_verb(parameters.DeleteInstance, _delete_instance, nothing),
    _verb(parameters.DescribeInstances, _list_instances, answers.instances),
    _verb(parameters.DescribeInstanceInfo, _show_instance, answers.instance),
    _verb(parameters.ModifyInstanceName, _rename_instance, nothing),
    _verb(parameters.DescribeSecurityIPs, _on_instance(instance_commands.ShowAddressList), answers.addresses),
    _verb(parameters.ModifySecurityIPs, _set_addresses, answers.addresses_set),
    _verb(parameters.ModifySecurityIps, _set_addresses, answers.addresses_set),
    StaticVerb(parameters.DescribeRegions, _regions),
    _verb(parameters.DescribeTasks, _list_tasks, answers.tasks),
    _verb(parameters.DescribeTaskStatus, _one_task, answers.task),
    _verb(
        parameters.DescribeUserInfo, lambda _params: instance_commands.ListInstances(DIALECT), answers.user
    ),
)

"""Outcomes in the answer shapes of `petadata` 2016-01-01.

A list stands under its singular name in a wrapper: ``{"AccountList": {"Account": [...]}}``. Optional fields that
there is nothing to say for are left out. Times are ``2018-08-08T04:21:26Z``.
Sources: PetaData API manual; aliyun-java-sdk-petadata 1.0.0 (unmarshallers), for names and types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from rolecall.contracts.aliyun.petadata import parameters
from rolecall.contracts.aliyun.petadata.places import REGIONS, zone_of
from rolecall.contracts.aliyun.petadata.rules import moment
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import Access, AccountKind, DatabaseFacts, DatabaseGrant
from rolecall.domain.instances.registry import AddressGroup
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.operations.views import OperationView
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Answer

_NEVER_ENDS = "2999-09-08T16:00:00Z"
_POST_PAID = "PostPaid"

_DML = "SELECT,INSERT,UPDATE,DELETE"
_DDL = "CREATE,DROP,INDEX,ALTER,CREATE TEMPORARY TABLES,LOCK TABLES,CREATE VIEW,SHOW VIEW,CREATE ROUTINE,ALTER ROUTINE"

_CUSTOM = "Custom"
"""Privileges that are not a template of the vendor."""

# Word for word and in the order of DescribeAccounts' sample; ReadOnly, which it lacks, as RDS MySQL now has it:
# the older LOCK TABLES would let a reader stop the writers.
PRIVILEGES: Mapping[Access, tuple[str, str]] = {
    Access.READ_WRITE: ("ReadWrite", f"{_DML},{_DDL},EXECUTE,EVENT,TRIGGER"),
    Access.READ_ONLY: ("ReadOnly", "SELECT,SHOW VIEW"),
    Access.DDL_ONLY: ("DDLOnly", _DDL),
    Access.ALL: (_CUSTOM, "ALL PRIVILEGES"),
}
_TYPES: Mapping[AccountKind, str] = {AccountKind.NORMAL: "Normal", AccountKind.SUPER: "Super"}
_INSTANCE_STATUSES: Mapping[str, str] = {
    "running": "ACTIVE",
    "isolated": "INACTIVE",
    "restarting": "MODIFY",
    "unreachable": "INACTIVE",
    "starting": "CREATE",
    "isolating": "MODIFY",
    "reviving": "MODIFY",
    "deleting": "DELETE",
    "failed": "INACTIVE",
}
_IN_PROGRESS, _SUCCESS, _FAILED, _CANCELLED = "1", "2", "3", "5"
_TASK_STATUSES: Mapping[str, str] = {
    "accepted": _IN_PROGRESS,
    "recorded": _SUCCESS,
    "refused": _FAILED,
    "undone": _CANCELLED,
    "superseded": _CANCELLED,
}
_SHOWN_TASKS = frozenset({"0", _IN_PROGRESS, _FAILED})
"""What DescribeTasks lists where no status is asked for."""


def vendor_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def accounts(checked: Checked[parameters.DescribeAccounts], found: Sequence[AccountView]) -> Answer:
    listed = [account_entry(account) for account in found if account.standing != "failed"]
    return {"InstanceId": checked.params.InstanceId, "AccountList": {"Account": listed}}


def account_entry(account: AccountView) -> Answer:
    return {
        "AccountName": account.name,
        "AccountStatus": _account_status(account),
        "AccountDescription": account.remark,
        "AccountType": _TYPES[account.kind],
        "DatabasePrivileges": {
            "DatabasePrivilege": [_privilege(grant) for grant in account.grants] or [_NONE]
        },
    }


# An account without privileges shows one entry all the same, without a database (DescribeAccounts' sample).
_NONE: Answer = {"AccountPrivilege": "", "AccountPrivilegeDetail": ""}


def _account_status(account: AccountView) -> str:
    """DELETED for an account that was dropped outside Rolecall; CREATE for one that cannot log in yet."""
    if account.standing == "missing":
        return "DELETED"
    return "CREATE" if account.locked else "ACTIVE"


def _privilege(grant: DatabaseGrant) -> Answer:
    privilege, detail = PRIVILEGES.get(grant.access) or (_CUSTOM, ",".join(grant.privileges))
    return {"DBName": grant.database, "AccountPrivilege": privilege, "AccountPrivilegeDetail": detail}


def ordered(checked: Checked[object], _outcome: object) -> Answer:
    return {"OrderId": _order(checked)}


def _order(checked: Checked[object]) -> str:
    """Nothing is sold here: a number that belongs to the call."""
    return str(UUID(checked.call.request_id).int % 10**15)


def databases(checked: Checked[parameters.DescribeDatabases], found: Sequence[DatabaseFacts]) -> Answer:
    """All databases, or the one asked for. Sizes and creation times of a registered server are unknown."""
    instance, wanted = checked.params.InstanceId, checked.params.DBName
    listed = [_database(instance, database) for database in found if not wanted or database.name == wanted]
    return {"InstanceId": instance, "Databases": {"Database": listed}}


def _database(instance: str, database: DatabaseFacts) -> Answer:
    return {
        "DBName": database.name,
        "DBStatus": "ACTIVE",
        "NodeSpec": "",
        "NodeNumber": 1,
        "ChargeType": _POST_PAID,
        "EndTime": _NEVER_ENDS,
        "DBType": "Primary",
        "InstanceId": instance,
    }


def instance_created(checked: Checked[object], made: InstanceView) -> Answer:
    return {"InstanceId": made.public_id, "OrderId": _order(checked)}


def instances(checked: Checked[parameters.DescribeInstances], found: Sequence[InstanceView]) -> Answer:
    """A page of those that pass the filters, and of the call's region if it names one."""
    wanted = sorted((view for view in found if _passes(checked, view)), key=lambda view: view.public_id)
    page, size = checked.params.PageNumber, checked.params.PageSize
    shown = wanted[(page - 1) * size : page * size]
    return {
        "PageNumber": page,
        "PageSize": size,
        "TotalCount": len(wanted),
        "Instances": {"Instance": [_listed(view) for view in shown]},
    }


def _passes(checked: Checked[parameters.DescribeInstances], instance: InstanceView) -> bool:
    params = checked.params
    asked = (
        (checked.call.region, instance.region),
        (params.InstanceId, instance.public_id),
        (params.InstanceStatus, _INSTANCE_STATUSES[instance.status]),
        (params.ChargeType, _POST_PAID),
    )
    return all(not wanted or wanted == value for wanted, value in asked)


def _listed(instance: InstanceView) -> Answer:
    return {
        "InstanceId": instance.public_id,
        "InstanceName": instance.name,
        "ConnectionString": instance.host,
        "Port": instance.port,
        "InstanceStatus": _INSTANCE_STATUSES[instance.status],
        "RegionId": instance.region,
        "ZoneId": instance.zone,
        "CreateTime": vendor_time(instance.created_at),
        "EndTime": _NEVER_ENDS,
        "NetworkType": "Classic",
        "Databases": _names(instance),
    }


def _names(instance: InstanceView) -> Answer:
    return {"Database": [{"DBName": name, "ChargeType": _POST_PAID} for name in instance.databases]}


def instance(_checked: Checked[object], instance: InstanceView) -> Answer:
    """The port is text in this answer."""
    network = {"NetworkType": "INTERNAL", "ConnectionString": instance.host, "Port": str(instance.port)}
    return {
        "InstanceId": instance.public_id,
        "InstanceName": instance.name,
        "RegionId": instance.region,
        "ZoneId": instance.zone,
        "InstanceStatus": _INSTANCE_STATUSES[instance.status],
        "NetworkInfoItems": {"NetworkInfoItem": [network]},
        "Databases": _names(instance),
    }


DEFAULT_GROUP = "default"


def addresses(checked: Checked[parameters.DescribeSecurityIPs], groups: Sequence[AddressGroup]) -> Answer:
    """All groups, and the list of the default group beside them."""
    listed = [
        {
            "SecurityIPListName": group.name or DEFAULT_GROUP,
            "SecurityIPListAttribute": group.label,
            "SecurityIPList": ",".join(group.addresses),
        }
        for group in groups
    ]
    return {**addresses_set(checked, groups[0].addresses), "SecurityIPs": {"SecurityIpGroup": listed}}


def addresses_set(checked: Checked[parameters.OnInstance], listed: Sequence[str]) -> Answer:
    return {"InstanceId": checked.params.InstanceId, "SecurityIPList": ",".join(listed)}


def tasks(checked: Checked[parameters.DescribeTasks], found: Sequence[OperationView]) -> Answer:
    params = checked.params
    wanted = [operation for operation in found if _asked_for(checked, operation)]
    page, size = params.PageNumbers, params.MaxRecordsPerPage
    return {
        "InstanceId": params.InstanceId,
        "StartTime": params.StartTime,
        "EndTime": params.EndTime,
        "PageNumbers": page,
        "MaxRecordsPerPage": size,
        "TotalRecords": len(wanted),
        "Tasks": {"Task": [_task(operation) for operation in wanted[(page - 1) * size : page * size]]},
    }


def _asked_for(checked: Checked[parameters.DescribeTasks], operation: OperationView) -> bool:
    params = checked.params
    start, end = moment(params.StartTime), moment(params.EndTime)
    status = params.Status or params.TaskStatus
    statuses = {status} if status else _SHOWN_TASKS
    within = start is not None and end is not None and start <= operation.accepted_at <= end
    return (
        within
        and _TASK_STATUSES[operation.state] in statuses
        and (params.TaskAction or operation.change) == operation.change
    )


def _task(operation: OperationView) -> Answer:
    return {
        "TaskId": str(operation.id),
        **_times(operation),
        "Status": _TASK_STATUSES[operation.state],
        "TaskAction": operation.change,
        "Progress": "0" if operation.closed_at is None else "100",
        "DBName": "",
        "ProgressInfo": operation.reason,
    }


def _times(operation: OperationView) -> Answer:
    times: Answer = {"BeginTime": vendor_time(operation.accepted_at)}
    if operation.closed_at is not None:
        times["FinishTime"] = vendor_time(operation.closed_at)
    return times


def task(checked: Checked[parameters.DescribeTaskStatus], found: Sequence[OperationView]) -> Answer:
    """OBJECT_MISSING if the instance has no such task."""
    wanted = checked.params.TaskId
    for operation in found:
        if str(operation.id) == wanted.lower():
            return {
                "TaskId": wanted,
                "Message": operation.reason,
                **_times(operation),
                "Status": _TASK_STATUSES[operation.state],
            }
    raise Refused(Reason.OBJECT_MISSING, "TaskId", facts={"value": wanted})


def user(_checked: Checked[object], found: Sequence[InstanceView]) -> Answer:
    """Nothing is sold here: the account is authenticated and has no balance."""
    return {
        "IsAuthentication": True,
        "IsFinance": False,
        "BalanceAmount": "0",
        "AlreadyHasResourceNum": {"PetaDataBought": len(found), "EcsBought": 0},
    }


def regions(_checked: Checked[object]) -> Answer:
    return {"Regions": {"Region": [_region(name) for name in REGIONS]}}


def _region(name: str) -> Answer:
    zone = zone_of(name)
    zones = [{"ZoneId": zone, "VpcEnabled": True}]
    return {"RegionId": name, "ZoneId": zone, "Zones": {"Zone": zones}}

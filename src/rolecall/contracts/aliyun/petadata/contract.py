"""The contract of Alibaba Cloud `petadata` 2016-01-01: accounts, databases and instances.

Not served, and answered with InvalidAction.NotFound: backups, monitoring, tags, prices, partitions, public
connections and the network type.
"""

from __future__ import annotations

from dataclasses import replace

from rolecall.contracts.aliyun.petadata import parameters
from rolecall.contracts.aliyun.petadata.errors import CREATE_ACCOUNT_CODES, ERRORS, OWN
from rolecall.contracts.aliyun.petadata.parameters import Owned
from rolecall.contracts.aliyun.petadata.rules import MANUAL, PAGE
from rolecall.contracts.model import Action, Contract
from rolecall.contracts.parameters import shape_of

_ON_INSTANCE = "qcs::petadata:{region}:uin/{owner}:instance/{InstanceId}"


def _action(
    params: type[Owned], *, output: tuple[str, ...] = (), changes: bool = False, source: str = MANUAL
) -> Action:
    """No action needs a region, but CreateInstance, whose own parameter it is. The owner's parameters come last."""
    shape, owners = shape_of(params), shape_of(Owned).fields
    fields = (*(field for field in shape.fields if field not in owners), *owners)
    return Action(
        replace(shape, fields=fields),
        PAGE if source == PAGE else f"{source}: {shape.name}",
        output=output,
        codes=CREATE_ACCOUNT_CODES if params is parameters.CreateAccount else frozenset(),
        errors=OWN.get(shape.name, {}),
        regions=None,
        changes=changes,
        resources=_resources(params),
    )


def _resources(params: type[Owned]) -> tuple[str, ...]:
    """What policies call the instance that is touched; lists, which an id only filters, are asked of ``*``."""
    if issubclass(params, parameters.OnEitherInstance):
        return (_ON_INSTANCE.replace("InstanceId}", "DBInstanceId|InstanceId}"),)
    return (_ON_INSTANCE,) if issubclass(params, parameters.OnInstance) else ("*",)


_ACCOUNT_ACTIONS = (
    _action(parameters.CreateAccount, changes=True, source=PAGE),
    _action(parameters.DescribeAccounts, output=("InstanceId", "AccountList")),
    _action(parameters.DeleteAccount, changes=True),
    _action(parameters.ResetAccountPassword, changes=True),
    _action(parameters.ModifyAccountPassword, changes=True),
    _action(parameters.ModifyAccountDescription, changes=True),
    _action(parameters.GrantAccountPrivilege, changes=True),
    _action(parameters.RevokeAccountPrivilege, changes=True),
)

_DATABASE_ACTIONS = (
    _action(parameters.CreateDatabase, output=("OrderId",), changes=True),
    _action(parameters.DeleteDatabase, changes=True),
    _action(parameters.DescribeDatabases, output=("InstanceId", "Databases")),
)

_INSTANCE_ACTIONS = (
    _action(parameters.CreateInstance, output=("InstanceId", "OrderId"), changes=True),
    _action(parameters.DeleteInstance, changes=True),
    _action(parameters.DescribeInstances, output=("PageNumber", "PageSize", "TotalCount", "Instances")),
    _action(
        parameters.DescribeInstanceInfo,
        output=(
            "InstanceId",
            "InstanceName",
            "RegionId",
            "ZoneId",
            "InstanceStatus",
            "NetworkInfoItems",
            "Databases",
        ),
    ),
    _action(parameters.ModifyInstanceName, changes=True),
    _action(parameters.DescribeSecurityIPs, output=("InstanceId", "SecurityIPList", "SecurityIPs")),
    _action(parameters.ModifySecurityIPs, output=("InstanceId", "SecurityIPList"), changes=True),
    _action(parameters.ModifySecurityIps, output=("InstanceId", "SecurityIPList"), changes=True),
    _action(parameters.DescribeRegions, output=("Regions",), source="aliyun-java-sdk-petadata 1.0.0"),
    _action(
        parameters.DescribeTasks,
        output=(
            "InstanceId",
            "StartTime",
            "EndTime",
            "PageNumbers",
            "MaxRecordsPerPage",
            "TotalRecords",
            "Tasks",
        ),
    ),
    _action(parameters.DescribeTaskStatus, output=("TaskId", "Message", "BeginTime", "FinishTime", "Status")),
    _action(
        parameters.DescribeUserInfo,
        output=("IsAuthentication", "IsFinance", "BalanceAmount", "AlreadyHasResourceNum"),
    ),
)

CONTRACT = Contract(
    dialect="aliyun",
    service="petadata",
    version="2016-01-01",
    actions={action.name: action for action in (*_ACCOUNT_ACTIONS, *_DATABASE_ACTIONS, *_INSTANCE_ACTIONS)},
    errors=ERRORS,
)

"""The contract of Alibaba Cloud `petadata` 2016-01-01: accounts, databases and instances.

Sources: CreateAccount is its page of the API reference. The siblings' parameters are those of
aliyun-python-sdk-petadata 1.2.1, with the requiredness and the rules of the PetaData API manual; a test compares the
names. Where manual and SDK spell a parameter differently, both spellings are taken.

Not served, and answered with InvalidAction.NotFound: backups, monitoring, tags, prices, partitions, public
connections and the network type.
"""

from __future__ import annotations

from rolecall.contracts.aliyun.petadata.errors import CREATE_ACCOUNT_CODES, ERRORS, OWN
from rolecall.contracts.aliyun.petadata.rules import (
    ACCESS,
    ACCOUNT_NAME,
    ADDRESSES,
    CHANGED_PASSWORD,
    CLIENT_TOKEN,
    DATABASE_INFO,
    DATABASE_NAME,
    DATABASE_NAMES,
    DESCRIPTION,
    GROUP_NAME,
    INSTANCE_ID,
    INSTANCE_NAME,
    MANUAL,
    MOMENT,
    NEW_ACCOUNT_NAME,
    NEW_DATABASE_NAME,
    NEW_PASSWORD,
    NODES,
    OLD_PASSWORD,
    OWNER,
    PAGE,
    PAGE_NUMBER,
    REGION,
    TEXT,
    choice,
    sizes,
)
from rolecall.contracts.model import Action, Contract, Field, Kind, Rule

ACCOUNT_TYPES = ("Normal", "Super")
INSTANCE_STATUSES = ("CREATE", "ACTIVE", "MODIFY", "DELETE", "MIGRATE", "APPEND", "INACTIVE")
CHARGE_TYPES = ("PostPaid", "PrePaid")
TASK_STATUSES = ("0", "1", "2", "3", "4", "5")


def _text(name: str, *rules: Rule, required: bool = False, default: str | None = None) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


def _needed(name: str, *rules: Rule) -> Field:
    return _text(name, *rules, required=True)


_ON_INSTANCE = "qcs::petadata:{region}:uin/{owner}:instance/{InstanceId}"
_INSTANCE = _needed("InstanceId", *INSTANCE_ID)
# The SDK's spelling and the manual's; the verb asks for one of them.
_EITHER_INSTANCE = (_text("DBInstanceId", *INSTANCE_ID), _text("InstanceId", *INSTANCE_ID))
_ACCOUNT = _needed("AccountName", *ACCOUNT_NAME)
_DATABASE = _needed("DBName", *DATABASE_NAME)
_DATABASES = _needed("DBName", *DATABASE_NAMES)
_PRIVILEGE = _text("AccountPrivilege", *choice(*ACCESS, source=PAGE))
_CHANGED_PASSWORD = Field("NewPassword", Kind.SECRET, required=True, rules=CHANGED_PASSWORD)
_TOKEN = _text("ClientToken", *CLIENT_TOKEN)
_OWNERS = (
    _text("OwnerId", *OWNER),
    _text("OwnerAccount", *OWNER),
    _text("ResourceOwnerId", *OWNER),
    _text("ResourceOwnerAccount", *OWNER),
)
"""Parameters of every action of the SDK."""


def _action(
    name: str, *params: Field, output: tuple[str, ...] = (), changes: bool = False, source: str = MANUAL
) -> Action:
    """No action needs a region, but CreateInstance, whose own parameter it is."""
    where = PAGE if source == PAGE else f"{source}: {name}"
    errors = OWN.get(name, {})
    codes = CREATE_ACCOUNT_CODES if name == "CreateAccount" else frozenset()
    return Action(
        name,
        where,
        (*params, *_OWNERS),
        output,
        codes,
        errors,
        regions=None,
        changes=changes,
        resources=_resources(name, params),
    )


def _resources(name: str, params: tuple[Field, ...]) -> tuple[str, ...]:
    """What policies call the instance that is touched; lists, which an id only filters, are asked of ``*``."""
    if name == "DescribeInstances":
        return ("*",)
    if params[:2] == _EITHER_INSTANCE:
        return (_ON_INSTANCE.replace("InstanceId}", "DBInstanceId|InstanceId}"),)
    return (_ON_INSTANCE,) if _INSTANCE in params else ("*",)


def _modify_addresses(name: str) -> Action:
    return _action(
        name,
        _INSTANCE,
        _text("ModifyMode", *choice("0", "1", "2")),
        _text("Modifymode", *choice("0", "1", "2")),
        _text("SecurityIPList", *ADDRESSES),
        _text("SecurityIps", *ADDRESSES),
        _text("SecurityIPListName", *GROUP_NAME, default="default"),
        _text("SecurityIPListAttribute", *TEXT),
        output=("InstanceId", "SecurityIPList"),
        changes=True,
    )


_ACCOUNT_ACTIONS = (
    _action(
        "CreateAccount",
        _INSTANCE,
        _needed("AccountName", *NEW_ACCOUNT_NAME),
        Field("AccountPassword", Kind.SECRET, required=True, rules=NEW_PASSWORD),
        _text("AccountType", *choice(*ACCOUNT_TYPES, source=PAGE), default="Normal"),
        Field("DBInfo", Kind.JSON, rules=DATABASE_INFO),
        _text("DBName", *DATABASE_NAMES),
        _PRIVILEGE,
        _text("AccountDescription", *DESCRIPTION),
        _TOKEN,
        _text("AccountVersion", *choice("0", "1", source=PAGE)),
        changes=True,
        source=PAGE,
    ),
    _action("DescribeAccounts", _INSTANCE, output=("InstanceId", "AccountList")),
    _action("DeleteAccount", _INSTANCE, _ACCOUNT, changes=True),
    _action("ResetAccountPassword", _INSTANCE, _ACCOUNT, _CHANGED_PASSWORD, changes=True),
    _action(
        "ModifyAccountPassword",
        _INSTANCE,
        _ACCOUNT,
        Field("OldPassword", Kind.SECRET, required=True, rules=OLD_PASSWORD),
        _CHANGED_PASSWORD,
        changes=True,
    ),
    _action(
        "ModifyAccountDescription",
        *_EITHER_INSTANCE,
        _ACCOUNT,
        _needed("AccountDescription", *DESCRIPTION),
        changes=True,
    ),
    _action(
        "GrantAccountPrivilege",
        *_EITHER_INSTANCE,
        _ACCOUNT,
        _DATABASES,
        _needed("AccountPrivilege", *choice(*ACCESS)),
        changes=True,
    ),
    _action("RevokeAccountPrivilege", *_EITHER_INSTANCE, _ACCOUNT, _DATABASES, changes=True),
)

_DATABASE_ACTIONS = (
    _action(
        "CreateDatabase",
        _INSTANCE,
        _needed("DBName", *NEW_DATABASE_NAME),
        _text("NodeSpec", *TEXT),
        Field("NodeNumber", Kind.INTEGER, rules=NODES),
        _text("Token", *CLIENT_TOKEN),
        output=("OrderId",),
        changes=True,
    ),
    _action("DeleteDatabase", _INSTANCE, _DATABASE, _TOKEN, changes=True),
    _action(
        "DescribeDatabases", _INSTANCE, _text("DBName", *DATABASE_NAME), output=("InstanceId", "Databases")
    ),
)

_INSTANCE_ACTIONS = (
    _action(
        "CreateInstance",
        _needed("RegionId", *REGION),
        _needed("ZoneId", *TEXT),
        _needed("DBName", *NEW_DATABASE_NAME),
        _needed("NodeSpec", *TEXT),
        Field("NodeNumber", Kind.INTEGER, required=True, rules=NODES),
        _needed("AccountName", *NEW_ACCOUNT_NAME),
        Field("AccountPassword", Kind.SECRET, required=True, rules=NEW_PASSWORD),
        _text("ChargeType", *choice(*CHARGE_TYPES)),
        _text("PayType", *choice(*CHARGE_TYPES)),
        _text("NetworkType", *choice("Classic", "VPC"), default="Classic"),
        _text("VpcId", *TEXT),
        _text("VPCId", *TEXT),
        _text("VSwitchId", *TEXT),
        _text("InstanceName", *INSTANCE_NAME),
        _text("SecurityIPList", *ADDRESSES),
        _TOKEN,
        output=("InstanceId", "OrderId"),
        changes=True,
    ),
    _action("DeleteInstance", _INSTANCE, _TOKEN, changes=True),
    _action(
        "DescribeInstances",
        _text("InstanceId", *INSTANCE_ID),
        _text("InstanceStatus", *choice(*INSTANCE_STATUSES)),
        _text("ChargeType", *choice(*CHARGE_TYPES)),
        Field("PageNumber", Kind.INTEGER, default=1, rules=PAGE_NUMBER),
        Field("PageSize", Kind.INTEGER, default=10, rules=sizes(10, 20, 30, 40, 50)),
        output=("PageNumber", "PageSize", "TotalCount", "Instances"),
    ),
    _action(
        "DescribeInstanceInfo",
        _INSTANCE,
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
    _action("ModifyInstanceName", _INSTANCE, _needed("NewInstanceName", *INSTANCE_NAME), changes=True),
    _action("DescribeSecurityIPs", _INSTANCE, output=("InstanceId", "SecurityIPList", "SecurityIPs")),
    _modify_addresses("ModifySecurityIPs"),
    _modify_addresses("ModifySecurityIps"),  # the manual's spelling of the same action
    _action("DescribeRegions", output=("Regions",), source="aliyun-java-sdk-petadata 1.0.0"),
    _action(
        "DescribeTasks",
        _INSTANCE,
        _needed("StartTime", *MOMENT),
        _needed("EndTime", *MOMENT),
        Field("PageNumbers", Kind.INTEGER, required=True, rules=PAGE_NUMBER),
        Field("MaxRecordsPerPage", Kind.INTEGER, required=True, rules=sizes(30, 50, 100, 200, 500, 1000)),
        _text("TaskAction", *TEXT),
        _text("Status", *choice(*TASK_STATUSES)),
        _text("TaskStatus", *choice(*TASK_STATUSES)),
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
    _action(
        "DescribeTaskStatus",
        _INSTANCE,
        _needed("TaskId", *TEXT),
        output=("TaskId", "Message", "BeginTime", "FinishTime", "Status"),
    ),
    _action(
        "DescribeUserInfo",
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

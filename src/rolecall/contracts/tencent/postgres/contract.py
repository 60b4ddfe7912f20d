"""The contract of Tencent Cloud `postgres` 2017-03-12: the account actions and the database actions around them.

Sources: CreateAccount is its page of 2026-04-13. The siblings' parameters, types, requiredness and defaults are those
of tencentcloud-sdk-python-postgres 3.1.194 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract, Field, Kind, ListOf, Rule, Shape
from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.errors import rows
from rolecall.contracts.tencent.postgres.instances import ACTIONS as INSTANCE_ACTIONS
from rolecall.contracts.tencent.postgres.instances import STORAGE_TYPES
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS, REGIONS
from rolecall.contracts.tencent.postgres.rules import (
    ACCOUNT_NAME,
    DATABASE_NAME,
    ENCODING,
    INSTANCE_ID,
    LOCALE,
    NEW_ACCOUNT_NAME,
    NEW_DATABASE_NAME,
    OFFSET,
    PAGE,
    PASSWORD_OR_ENCIPHERED,
    REMARK,
    SDK,
    choice,
    limit,
)

ACCOUNT_TYPES = ("normal", "tencentDBSuper")
OBJECT_TYPES = (
    "database", "schema", "sequence", "procedure", "type", "function", "table", "view", "matview", "column",
)  # fmt: skip
MODIFY_TYPES = ("grantObject", "revokeObject", "alterRole", "grantRole", "revokeRole")
INSTANCE_FILTERS = (
    "db-instance-id", "db-instance-name", "db-project-id", "db-pay-mode", "db-tag-key", "db-private-ip",
    "db-public-address", "db-dedicated-cluster-id",
)  # fmt: skip
_FILTERS_AT_MOST = 100  # ours: the vendor names no bound, an unbounded list is an invitation
_CHANGES_AT_MOST = 50  # SDK: ModifyPrivilegeSet, "at most 50 at a time"


def _text(
    name: str, *, required: bool = False, default: str | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


ON_INSTANCE = "qcs::postgres:{region}:uin/{owner}:DBInstanceId/{DBInstanceId}"
"""What policies call an instance ("Resource-level authorization", product 409); lists are asked of ``*``."""

_INSTANCE = _text("DBInstanceId", required=True, rules=INSTANCE_ID)
_ACCOUNT = _text("UserName", required=True, rules=ACCOUNT_NAME)
_DATABASE = _text("DatabaseName", required=True, rules=DATABASE_NAME)
_OWNER = _text("DatabaseOwner", required=True, rules=ACCOUNT_NAME)
_NEW_PASSWORD = Field("Password", Kind.SECRET, required=True, rules=PASSWORD_OR_ENCIPHERED)
_OFFSET = Field("Offset", Kind.INTEGER, default=0, rules=OFFSET)


def _limit(default: int, low: int) -> Field:
    return Field("Limit", Kind.INTEGER, default=default, rules=limit(low))


def _filters(*names: str, at_most: int) -> Field:
    """Filters are joined by AND, the values of one filter by OR (SDK: Filter)."""
    shape = Shape(
        "Filter",
        (_text("Name", rules=choice(*names)), Field("Values", ListOf(Kind.STRING, _FILTERS_AT_MOST))),
    )
    return Field("Filters", ListOf(shape, at_most))


DATABASE_OBJECT = Shape(
    "DatabaseObject",
    (
        _text("ObjectType", required=True, rules=choice("account", *OBJECT_TYPES)),
        _text("ObjectName", required=True),
        _text("DatabaseName"),
        _text("SchemaName"),
        _text("TableName"),
    ),
)
DATABASE_PRIVILEGE = Shape(
    "DatabasePrivilege",
    (Field("Object", DATABASE_OBJECT), Field("PrivilegeSet", ListOf(Kind.STRING, _CHANGES_AT_MOST))),
)
MODIFY_PRIVILEGE = Shape(
    "ModifyPrivilege",
    (
        Field("DatabasePrivilege", DATABASE_PRIVILEGE),
        _text("ModifyType", rules=choice(*MODIFY_TYPES)),
        Field("IsCascade", Kind.BOOLEAN, default=False),
    ),
)


def _action(
    name: str,
    *params: Field,
    output: tuple[str, ...] = (),
    regions: frozenset[str] | None = REGIONS,
    changes: bool = False,
    source: str = SDK,
) -> Action:
    resources = (ON_INSTANCE,) if _INSTANCE in params else ("*",)
    codes, errors = CODES[name], rows(name)
    return Action(
        name,
        source,
        params,
        output,
        codes,
        errors,
        regions,
        changes,
        resources=resources,
        blank_is_absent=True,
    )


_ACTIONS = (
    _action(
        "CreateAccount",
        _INSTANCE,
        _text("UserName", required=True, rules=NEW_ACCOUNT_NAME),
        _text("Type", required=True, rules=choice(*ACCOUNT_TYPES)),
        Field("Password", Kind.SECRET, rules=PASSWORD_OR_ENCIPHERED),
        _text("Remark", default="", rules=REMARK),
        Field("OpenCam", Kind.BOOLEAN, default=False),
        output=("Oid",),
        changes=True,
        source=PAGE,
    ),
    _action(
        "DescribeAccounts",
        _INSTANCE,
        _limit(20, 1),
        _OFFSET,
        _text("OrderBy", default="createTime", rules=choice("createTime", "name", "updateTime")),
        _text("OrderByType", default="desc", rules=choice("desc", "asc")),
        output=("TotalCount", "Details"),
    ),
    _action("DeleteAccount", _INSTANCE, _ACCOUNT, changes=True),
    _action("ResetAccountPassword", _INSTANCE, _ACCOUNT, _NEW_PASSWORD, changes=True),
    _action(
        "ModifyAccountRemark",
        _INSTANCE,
        _ACCOUNT,
        _text("Remark", required=True, rules=REMARK),
        changes=True,
    ),
    _action("LockAccount", _INSTANCE, _ACCOUNT, changes=True),
    _action("UnlockAccount", _INSTANCE, _ACCOUNT, changes=True),
    _action(
        "DescribeAccountPrivileges",
        _INSTANCE,
        _ACCOUNT,
        Field("DatabaseObjectSet", ListOf(DATABASE_OBJECT, _FILTERS_AT_MOST), required=True),
        output=("PrivilegeSet",),
    ),
    _action(
        "ModifyAccountPrivileges",
        _INSTANCE,
        _ACCOUNT,
        Field("ModifyPrivilegeSet", ListOf(MODIFY_PRIVILEGE, _CHANGES_AT_MOST), required=True),
        changes=True,
    ),
    _action("OpenAccountCAM", _INSTANCE, _ACCOUNT, regions=CAM_REGIONS, changes=True),
    _action(
        "CloseAccountCAM",
        _INSTANCE,
        _ACCOUNT,
        # PasswordEncrypt says what the text is, so its rules are asked by the verb.
        Field("Password", Kind.SECRET, required=True),
        Field("PasswordEncrypt", Kind.BOOLEAN, default=False),
        regions=CAM_REGIONS,
        changes=True,
    ),
    _action("RefreshAccountPassword", _INSTANCE, _ACCOUNT, regions=CAM_REGIONS, changes=True),
    _action(
        "CreateDatabase",
        _INSTANCE,
        _text("DatabaseName", required=True, rules=NEW_DATABASE_NAME),
        _OWNER,
        _text("Encoding", default="UTF8", rules=ENCODING),
        _text("Collate", default="", rules=LOCALE),
        _text("Ctype", default="", rules=LOCALE),
        changes=True,
    ),
    _action("DeleteDatabase", _INSTANCE, _DATABASE, changes=True),
    _action(
        "DescribeDatabases",
        _INSTANCE,
        _filters("database-name", at_most=1),
        _OFFSET,
        _limit(20, 0),
        output=("Items", "TotalCount", "Databases"),
    ),
    _action(
        "DescribeDatabaseObjects",
        _INSTANCE,
        _text("ObjectType", required=True, rules=choice(*OBJECT_TYPES)),
        _limit(20, 0),
        _OFFSET,
        _text("DatabaseName"),
        _text("SchemaName"),
        _text("TableName"),
        output=("ObjectSet", "TotalCount"),
    ),
    _action("ModifyDatabaseOwner", _INSTANCE, _DATABASE, _OWNER, changes=True),
    _action(
        "DescribeDBInstances",
        _filters(*INSTANCE_FILTERS, at_most=_FILTERS_AT_MOST),
        _limit(10, 0),
        _OFFSET,
        _text("OrderBy", default="CreateTime", rules=choice("DBInstanceId", "CreateTime", "Name", "EndTime")),
        _text("OrderByType", default="asc", rules=choice("asc", "desc")),
        output=("TotalCount", "DBInstanceSet"),
    ),
    _action("DescribeDBInstanceAttribute", _INSTANCE, output=("DBInstance",)),
    _action("DescribeRegions", output=("TotalCount", "RegionSet"), regions=None),
    _action(
        "DescribeZones",
        _text("StorageType", default=STORAGE_TYPES[0], rules=choice(*STORAGE_TYPES)),
        output=("TotalCount", "ZoneSet"),
    ),
    *INSTANCE_ACTIONS,
)

CONTRACT = Contract(
    dialect="tencent",
    service="postgres",
    version="2017-03-12",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)

"""The parameters of `postgres` 2017-03-12, a class for each action.

Sources: CreateAccount is its page of 2026-04-13. The siblings' names, types, requiredness and defaults are those of
tencentcloud-sdk-python-postgres 3.1.194 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.model import Rule, at_most, between, matches, one_of
from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.postgres import rules
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

ACCOUNT_TYPES = ("normal", "tencentDBSuper")
OBJECT_TYPES = (
    "database", "schema", "sequence", "procedure", "type", "function", "table", "view", "matview", "column",
)  # fmt: skip
MODIFY_TYPES = ("grantObject", "revokeObject", "alterRole", "grantRole", "revokeRole")
INSTANCE_FILTERS = (
    "db-instance-id", "db-instance-name", "db-project-id", "db-pay-mode", "db-tag-key", "db-private-ip",
    "db-public-address", "db-dedicated-cluster-id",
)  # fmt: skip
_ITEMS_AT_MOST = 100  # ours: the vendor names no bound, an unbounded list is an invitation
_CHANGES_AT_MOST = 50  # rules.SDK: ModifyPrivilegeSet, "at most 50 at a time"
STORAGE_TYPES = ("PHYSICAL_LOCAL_SSD", "CLOUD_PREMIUM", "CLOUD_SSD", "CLOUD_HSSD")


class OnInstance(Params):
    DBInstanceId: Annotated[str, rules.INSTANCE_ID]


class OnAccount(OnInstance):
    UserName: Annotated[str, rules.ACCOUNT_NAME]


class OnDatabase(OnInstance):
    DatabaseName: Annotated[str, rules.DATABASE_NAME]


class CreateAccount(OnAccount):
    UserName: Annotated[str, rules.NEW_ACCOUNT_NAME]
    Type: Annotated[str, rules.choice(*ACCOUNT_TYPES)]
    Password: Annotated[Secret, rules.PASSWORD_OR_ENCIPHERED] | None = None
    Remark: Annotated[str, rules.REMARK] = ""
    OpenCam: bool = False


class DescribeAccounts(OnInstance):
    Limit: Annotated[int, rules.limit(1)] = 20
    Offset: Annotated[int, rules.OFFSET] = 0
    OrderBy: Annotated[str, rules.choice("createTime", "name", "updateTime")] = "createTime"
    OrderByType: Annotated[str, rules.choice("desc", "asc")] = "desc"


class DeleteAccount(OnAccount):
    pass


class ResetAccountPassword(OnAccount):
    Password: Annotated[Secret, rules.PASSWORD_OR_ENCIPHERED]


class ModifyAccountRemark(OnAccount):
    Remark: Annotated[str, rules.REMARK]


class LockAccount(OnAccount):
    pass


class UnlockAccount(OnAccount):
    pass


class DatabaseObject(Params):
    """An object, or the account itself (`account`)."""

    ObjectType: Annotated[str, rules.choice("account", *OBJECT_TYPES)]
    ObjectName: str
    DatabaseName: str | None = None
    SchemaName: str | None = None
    TableName: str | None = None


class DescribeAccountPrivileges(OnAccount):
    DatabaseObjectSet: Annotated[list[DatabaseObject], Most(_ITEMS_AT_MOST)]


class Privileges(Params, shape="DatabasePrivilege"):
    Object: DatabaseObject | None = None
    PrivilegeSet: Annotated[list[str], Most(_CHANGES_AT_MOST)] | None = None


class ModifyPrivilege(Params):
    DatabasePrivilege: Privileges | None = None
    ModifyType: Annotated[str, rules.choice(*MODIFY_TYPES)] | None = None
    IsCascade: bool = False


class ModifyAccountPrivileges(OnAccount):
    ModifyPrivilegeSet: Annotated[list[ModifyPrivilege], Most(_CHANGES_AT_MOST)]


class OpenAccountCAM(OnAccount):
    pass


class CloseAccountCAM(OnAccount):
    # PasswordEncrypt says what the text is, so its rules are asked by the verb.
    Password: Secret
    PasswordEncrypt: bool = False


class RefreshAccountPassword(OnAccount):
    pass


class CreateDatabase(OnDatabase):
    DatabaseName: Annotated[str, rules.NEW_DATABASE_NAME]
    DatabaseOwner: Annotated[str, rules.ACCOUNT_NAME]
    Encoding: Annotated[str, rules.ENCODING] = "UTF8"
    Collate: Annotated[str, rules.LOCALE] = ""
    Ctype: Annotated[str, rules.LOCALE] = ""


class DeleteDatabase(OnDatabase):
    pass


class DatabaseFilter(Params, shape="Filter"):
    """Filters are joined by AND, the values of one filter by OR (rules.SDK: Filter)."""

    Name: Annotated[str, rules.choice("database-name")] | None = None
    Values: Annotated[list[str], Most(_ITEMS_AT_MOST)] | None = None


class DescribeDatabases(OnInstance):
    Filters: Annotated[list[DatabaseFilter], Most(1)] | None = None
    Offset: Annotated[int, rules.OFFSET] = 0
    Limit: Annotated[int, rules.limit(0)] = 20


class DescribeDatabaseObjects(OnInstance):
    ObjectType: Annotated[str, rules.choice(*OBJECT_TYPES)]
    Limit: Annotated[int, rules.limit(0)] = 20
    Offset: Annotated[int, rules.OFFSET] = 0
    DatabaseName: str | None = None
    SchemaName: str | None = None
    TableName: str | None = None


class ModifyDatabaseOwner(OnDatabase):
    DatabaseOwner: Annotated[str, rules.ACCOUNT_NAME]


class InstanceFilter(Params, shape="Filter"):
    Name: Annotated[str, rules.choice(*INSTANCE_FILTERS)] | None = None
    Values: Annotated[list[str], Most(_ITEMS_AT_MOST)] | None = None


class DescribeDBInstances(Params):
    Filters: Annotated[list[InstanceFilter], Most(_ITEMS_AT_MOST)] | None = None
    Limit: Annotated[int, rules.limit(0)] = 10
    Offset: Annotated[int, rules.OFFSET] = 0
    OrderBy: Annotated[str, rules.choice("DBInstanceId", "CreateTime", "Name", "EndTime")] = "CreateTime"
    OrderByType: Annotated[str, rules.choice("asc", "desc")] = "asc"


class DescribeDBInstanceAttribute(OnInstance):
    pass


class DescribeRegions(Params):
    pass


class DescribeZones(Params):
    StorageType: Annotated[str, rules.choice(*STORAGE_TYPES)] = STORAGE_TYPES[0]


# instances

CHARSETS = ("UTF8", "LATIN1")
CHARGE_TYPES = ("PREPAID", "POSTPAID_BY_HOUR", "prepaid", "postpaid")
"""The rules.SDK's two words, and those of the examples."""
PERIODS = (*range(1, 13), 24, 36)

_OURS = "ours: for what is accepted and not used"
_WORD = (at_most(256, Reason.PARAMETER_LENGTH, _OURS),)
_SPEC = (matches(r"[A-Za-z0-9._-]{1,64}", Reason.PARAMETER_VALUE, "ours: the characters of a code"),)


def among(*values: int, reason: Reason, source: str) -> tuple[Rule, ...]:
    """One of some numbers, or flags."""
    return (Rule(lambda value: value in values, reason, source),)


def _is_storage(value: object) -> bool:
    return isinstance(value, int) and value > 0 and value % 10 == 0


_STORAGE = (Rule(_is_storage, Reason.PARAMETER_RANGE, rules.SDK),)
_KERNEL_VERSION = (matches(r"v\d{1,2}(\.\d{1,3})?(_r[\d.]{1,9})?", Reason.PARAMETER_VALUE, rules.SDK),)
_PERIOD = among(*PERIODS, reason=Reason.PARAMETER_RANGE, source=rules.SDK)
_ADMINISTRATOR = (at_most(16, Reason.ACCOUNT_NAME_MALFORMED, rules.SDK), *rules.NEW_ACCOUNT_NAME)
_INSTANCE_NAME = (
    at_most(59, Reason.PARAMETER_LENGTH, rules.SDK),
    matches(f"[A-Za-z0-9_{rules.CHINESE}-]*", Reason.PARAMETER_CHARACTERS, rules.SDK),
)
_FLAG = (between(0, 1, Reason.PARAMETER_RANGE, rules.SDK),)
_NOT_OFFERED = "ours: nothing here does it"
_NO_NUMBER = among(0, reason=Reason.PARAMETER_VALUE, source=_NOT_OFFERED)
_NO_FLAG = among(False, reason=Reason.PARAMETER_VALUE, source=_NOT_OFFERED)


class DBNode(Params):
    Role: Annotated[str, rules.choice("Primary", "Standby")]
    Zone: Annotated[str, _WORD]
    DedicatedClusterId: Annotated[str, _WORD] | None = None


class Tag(Params):
    TagKey: Annotated[str, _WORD]
    TagValue: Annotated[str, _WORD]


class CreateInstances(Params):
    SpecCode: Annotated[str, _SPEC]
    Storage: Annotated[int, _STORAGE]
    InstanceCount: Annotated[int, between(1, 10, Reason.PARAMETER_RANGE, rules.SDK)]
    Period: Annotated[int, _PERIOD]
    Charset: Annotated[str, one_of(CHARSETS, Reason.ENCODING_UNSUPPORTED, rules.SDK)]
    AdminName: Annotated[str, _ADMINISTRATOR]
    AdminPassword: Annotated[Secret, rules.PASSWORD_OR_ENCIPHERED]
    Zone: Annotated[str, _WORD]
    # Whether it is offered is for the domain to say.
    DBMajorVersion: Annotated[str, matches(r"\d{1,2}", Reason.PARAMETER_VALUE, rules.SDK)] | None = None
    DBVersion: (
        Annotated[str, matches(r"\d{1,2}(\.\d{1,3}){0,2}", Reason.PARAMETER_VALUE, rules.SDK)] | None
    ) = None
    DBKernelVersion: Annotated[str, _KERNEL_VERSION] | None = None
    InstanceChargeType: Annotated[str, rules.choice(*CHARGE_TYPES)] | None = None
    VpcId: Annotated[str, _WORD] | None = None
    SubnetId: Annotated[str, _WORD] | None = None
    DBNodeSet: Annotated[list[DBNode], Most(_ITEMS_AT_MOST)] | None = None
    AutoRenewFlag: Annotated[int, _FLAG] | None = None
    AutoVoucher: Annotated[int, _FLAG] | None = None
    VoucherIds: Annotated[list[str], Most(_ITEMS_AT_MOST)] | None = None
    ProjectId: Annotated[int, _NO_NUMBER] | None = None
    ActivityId: int | None = None
    Name: Annotated[str, _INSTANCE_NAME] | None = None
    TagList: Annotated[list[Tag], Most(_ITEMS_AT_MOST)] | None = None
    SecurityGroupIds: Annotated[list[str], Most(_ITEMS_AT_MOST)] | None = None
    NeedSupportTDE: Annotated[int, _NO_NUMBER] | None = None
    KMSKeyId: Annotated[str, _WORD] | None = None
    KMSRegion: Annotated[str, _WORD] | None = None
    KMSClusterId: Annotated[str, _WORD] | None = None
    DBEngine: Annotated[str, one_of(("postgresql",), Reason.PARAMETER_VALUE, _NOT_OFFERED)] | None = None
    DBEngineConfig: Annotated[str, _WORD] | None = None
    SyncMode: Annotated[str, rules.choice("Semi-sync", "Async")] | None = None
    NeedSupportIpv6: Annotated[int, _NO_NUMBER] | None = None
    DeletionProtection: Annotated[bool, _NO_FLAG] | None = None
    StorageType: Annotated[str, rules.choice(*STORAGE_TYPES)] | None = None


class IsolateDBInstances(Params):
    DBInstanceIdSet: Annotated[list[str], Most(_ITEMS_AT_MOST)]


class DisIsolateDBInstances(Params):
    DBInstanceIdSet: Annotated[list[str], Most(_ITEMS_AT_MOST)]
    Period: Annotated[int, _PERIOD] | None = None
    AutoVoucher: bool | None = None
    VoucherIds: Annotated[list[str], Most(_ITEMS_AT_MOST)] | None = None


class DestroyDBInstance(OnInstance):
    pass


class RestartDBInstance(OnInstance):
    pass

"""The instance actions of the contract of `postgres` 2017-03-12: making, isolating, deleting and restarting servers.

Source: as the whole contract's, tencentcloud-sdk-python-postgres 3.1.194 and tccli 3.1.189. What is sold with an
instance and no server of ours has (networks, vouchers, tags, security groups, standby nodes ...) is checked and not
kept; what would be a promise (encryption, deletion protection, IPv6, another engine or version) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import (
    Action,
    ErrorRow,
    Field,
    Kind,
    ListOf,
    Rule,
    Shape,
    at_most,
    between,
    matches,
    one_of,
)
from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.errors import rows
from rolecall.contracts.tencent.postgres.places import REGIONS
from rolecall.contracts.tencent.postgres.rules import (
    CHINESE,
    INSTANCE_ID,
    NEW_ACCOUNT_NAME,
    PASSWORD_OR_ENCIPHERED,
    SDK,
    choice,
)
from rolecall.contracts.tencent.postgres.texts import TEXTS
from rolecall.domain.reasons import Reason

STORAGE_TYPES = ("PHYSICAL_LOCAL_SSD", "CLOUD_PREMIUM", "CLOUD_SSD", "CLOUD_HSSD")
CHARSETS = ("UTF8", "LATIN1")
CHARGE_TYPES = ("PREPAID", "POSTPAID_BY_HOUR", "prepaid", "postpaid")
"""The SDK's two words, and those of the examples."""
PERIODS = (*range(1, 13), 24, 36)

_OURS = "ours: for what is accepted and not used"
_ITEMS_AT_MOST = 100  # ours
_WORD = (at_most(256, Reason.PARAMETER_LENGTH, _OURS),)
_SPEC = (matches(r"[A-Za-z0-9._-]{1,64}", Reason.PARAMETER_VALUE, "ours: what a code could be made of"),)


def among(*values: int, reason: Reason, source: str) -> tuple[Rule, ...]:
    """One of some numbers, or flags."""
    return (Rule(lambda value: value in values, reason, source),)


def _is_storage(value: object) -> bool:
    return isinstance(value, int) and value > 0 and value % 10 == 0


_STORAGE = (Rule(_is_storage, Reason.PARAMETER_RANGE, SDK),)
_PERIOD = among(*PERIODS, reason=Reason.PARAMETER_RANGE, source=SDK)
_ADMINISTRATOR = (at_most(16, Reason.ACCOUNT_NAME_MALFORMED, SDK), *NEW_ACCOUNT_NAME)
_NAME = (
    at_most(59, Reason.PARAMETER_LENGTH, SDK),
    matches(f"[A-Za-z0-9_{CHINESE}-]*", Reason.PARAMETER_CHARACTERS, SDK),
)
_FLAG = (between(0, 1, Reason.PARAMETER_RANGE, SDK),)
_NOT_OFFERED = "ours: nothing here does it"
_NO_NUMBER = among(0, reason=Reason.PARAMETER_VALUE, source=_NOT_OFFERED)
_NO_FLAG = among(False, reason=Reason.PARAMETER_VALUE, source=_NOT_OFFERED)


def _text(name: str, rules: tuple[Rule, ...] = _WORD, *, required: bool = False) -> Field:
    return Field(name, Kind.STRING, required, rules=rules)


def _number(name: str, rules: tuple[Rule, ...] = (), *, required: bool = False) -> Field:
    return Field(name, Kind.INTEGER, required, rules=rules)


def _texts(name: str, *, required: bool = False) -> Field:
    return Field(name, ListOf(Kind.STRING, _ITEMS_AT_MOST), required)


DB_NODE = Shape(
    "DBNode",
    (
        _text("Role", choice("Primary", "Standby"), required=True),
        _text("Zone", required=True),
        _text("DedicatedClusterId"),
    ),
)
TAG = Shape("Tag", (_text("TagKey", required=True), _text("TagValue", required=True)))

_CREATE = (
    _text("SpecCode", _SPEC, required=True),
    _number("Storage", _STORAGE, required=True),
    _number("InstanceCount", (between(1, 10, Reason.PARAMETER_RANGE, SDK),), required=True),
    _number("Period", _PERIOD, required=True),
    _text("Charset", (one_of(CHARSETS, Reason.ENCODING_UNSUPPORTED, SDK),), required=True),
    _text("AdminName", _ADMINISTRATOR, required=True),
    Field("AdminPassword", Kind.SECRET, required=True, rules=PASSWORD_OR_ENCIPHERED),
    _text("Zone", required=True),
    # Whether it is offered is for the domain to say.
    _text("DBMajorVersion", (matches(r"\d{1,2}", Reason.PARAMETER_VALUE, SDK),)),
    _text("DBVersion", (matches(r"\d{1,2}(\.\d{1,3}){0,2}", Reason.PARAMETER_VALUE, SDK),)),
    _text("DBKernelVersion", (matches(r"v\d{1,2}(\.\d{1,3})?(_r[\d.]{1,9})?", Reason.PARAMETER_VALUE, SDK),)),
    _text("InstanceChargeType", choice(*CHARGE_TYPES)),
    _text("VpcId"),
    _text("SubnetId"),
    Field("DBNodeSet", ListOf(DB_NODE, _ITEMS_AT_MOST)),
    _number("AutoRenewFlag", _FLAG),
    _number("AutoVoucher", _FLAG),
    _texts("VoucherIds"),
    _number("ProjectId", _NO_NUMBER),
    _number("ActivityId"),
    _text("Name", _NAME),
    Field("TagList", ListOf(TAG, _ITEMS_AT_MOST)),
    _texts("SecurityGroupIds"),
    _number("NeedSupportTDE", _NO_NUMBER),
    _text("KMSKeyId"),
    _text("KMSRegion"),
    _text("KMSClusterId"),
    _text("DBEngine", (one_of(("postgresql",), Reason.PARAMETER_VALUE, _NOT_OFFERED),)),
    _text("DBEngineConfig"),
    _text("SyncMode", choice("Semi-sync", "Async")),
    _number("NeedSupportIpv6", _NO_NUMBER),
    Field("DeletionProtection", Kind.BOOLEAN, rules=_NO_FLAG),
    _text("StorageType", choice(*STORAGE_TYPES)),
)

_OWN_CODES: Mapping[tuple[Reason, str], str] = {
    (Reason.PARAMETER_VALUE, "Zone"): "InvalidParameterValue.IllegalZone",
    (Reason.PARAMETER_RANGE, "InstanceCount"): "InvalidParameterValue.InvalidInstanceNum",
    (Reason.PARAMETER_VALUE, "InstanceChargeType"): "InvalidParameterValue.IllegalInstanceChargeType",
    (Reason.PARAMETER_VALUE, "ProjectId"): "InvalidParameterValue.IllegalProjectId",
    (Reason.ENCODING_UNSUPPORTED, "Charset"): "InvalidParameterValue.InvalidCharset",
}
"""Codes that CreateInstances has for one parameter."""

_PLACES: Mapping[str, str] = {
    name: "qcs::postgres:{region}:uin/{owner}:DBInstanceId/{" + name + "}"
    for name in ("DBInstanceId", "DBInstanceIdSet")
}
"""What policies call the instances that a parameter names."""

_INSTANCE = _text("DBInstanceId", INSTANCE_ID, required=True)
_INSTANCES = _texts("DBInstanceIdSet", required=True)


def _action(name: str, *params: Field, output: tuple[str, ...] = ()) -> Action:
    errors = rows(name)
    if name == "CreateInstances":
        errors |= {key: ErrorRow(code, *TEXTS[code]) for key, code in _OWN_CODES.items()}
    resources = tuple(_PLACES[field.name] for field in params if field.name in _PLACES) or ("*",)
    return Action(
        name,
        SDK,
        params,
        output,
        CODES[name],
        errors,
        REGIONS,
        True,
        resources=resources,
        blank_is_absent=True,
    )


ACTIONS = (
    _action("CreateInstances", *_CREATE, output=("DealNames", "BillId", "DBInstanceIdSet")),
    _action("IsolateDBInstances", _INSTANCES),
    _action(
        "DisIsolateDBInstances",
        _INSTANCES,
        _number("Period", _PERIOD),
        Field("AutoVoucher", Kind.BOOLEAN),
        _texts("VoucherIds"),
    ),
    _action("DestroyDBInstance", _INSTANCE),
    _action("RestartDBInstance", _INSTANCE, output=("FlowId", "TaskId")),
)

"""Database objects and privileges of `postgres` 2017-03-12, as DescribeAccountPrivileges and its siblings name them.

| ObjectType | needs, beside ObjectName | privileges |
|---|---|---|
| account | (ObjectName is UserName) | normal, tencentDBSuper: the account's type |
| database | - | CREATE CONNECT TEMPORARY |
| schema | DatabaseName | USAGE CREATE |
| table, view, matview | DatabaseName SchemaName | SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER |
| column | DatabaseName SchemaName TableName | SELECT INSERT UPDATE REFERENCES |
| sequence | DatabaseName SchemaName | USAGE SELECT UPDATE |
| function, procedure | DatabaseName SchemaName | EXECUTE |
| type | DatabaseName SchemaName | USAGE |

Empty strings are what the vendor's Terraform provider sends for keys it does not use: they count as absent.
Source: tencentcloud-sdk-python-postgres 3.1.194, DatabaseObject, DatabasePrivilege, ModifyPrivilege;
PostgreSQL documentation, "Privileges".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from rolecall.contracts.check import shown
from rolecall.contracts.tencent.postgres import parameters
from rolecall.domain.engine import AccountKind, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.reasons import Reason, Refused

KINDS: Mapping[str, AccountKind] = {"normal": AccountKind.NORMAL, "tencentDBSuper": AccountKind.SUPER}
TYPES: Mapping[AccountKind, str] = {kind: name for name, kind in KINDS.items()}

_IN_SCHEMA = ("DatabaseName", "SchemaName")
NEEDED: Mapping[ObjectType, tuple[str, ...]] = {
    ObjectType.DATABASE: (),
    ObjectType.SCHEMA: ("DatabaseName",),
    ObjectType.SEQUENCE: _IN_SCHEMA,
    ObjectType.PROCEDURE: _IN_SCHEMA,
    ObjectType.TYPE: _IN_SCHEMA,
    ObjectType.FUNCTION: _IN_SCHEMA,
    ObjectType.TABLE: _IN_SCHEMA,
    ObjectType.VIEW: _IN_SCHEMA,
    ObjectType.MATVIEW: _IN_SCHEMA,
    ObjectType.COLUMN: (*_IN_SCHEMA, "TableName"),
}

_ON_RELATIONS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"})
PRIVILEGES: Mapping[ObjectType, frozenset[str]] = {
    ObjectType.DATABASE: frozenset({"CREATE", "CONNECT", "TEMPORARY"}),
    ObjectType.SCHEMA: frozenset({"USAGE", "CREATE"}),
    ObjectType.SEQUENCE: frozenset({"USAGE", "SELECT", "UPDATE"}),
    ObjectType.PROCEDURE: frozenset({"EXECUTE"}),
    ObjectType.TYPE: frozenset({"USAGE"}),
    ObjectType.FUNCTION: frozenset({"EXECUTE"}),
    ObjectType.TABLE: _ON_RELATIONS,
    ObjectType.VIEW: _ON_RELATIONS,
    ObjectType.MATVIEW: _ON_RELATIONS,
    ObjectType.COLUMN: frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"}),
}

_NAME = re.compile(r"[A-Za-z0-9_\[\]]{1,63}")
# A routine's name may carry its argument types, "f(integer, public.t[])"; 100 types of 63 characters fit.
_ROUTINE = re.compile(r"[A-Za-z0-9_\[\]]{1,63}(\([A-Za-z0-9_\[\], .]{0,8192}\))?")
_ROLE = re.compile(r"[^\x00]{1,63}")
_ROUTINES = frozenset({ObjectType.FUNCTION, ObjectType.PROCEDURE})
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Modification:
    """One entry of ModifyPrivilegeSet: a change on an object, a new kind for the account, or roles."""

    change: PrivilegeChange | None = None
    kind: AccountKind | None = None
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object is; empty for what its type does not need."""

    database: str = ""
    schema: str = ""
    table: str = ""


def asked_object(entry: parameters.DatabaseObject, user: str, path: str) -> DatabaseObject | None:
    """A DatabaseObject; None stands for the account itself.

    PARAMETER_MISSING, OBJECT_NAME_MALFORMED, PARAMETER_VALUE (another account than UserName).
    """
    if entry.ObjectType == _ACCOUNT:
        _require(entry.ObjectName, entry.ObjectName == user, f"{path}.ObjectName")
        return None
    type_ = ObjectType(entry.ObjectType)
    name = _require_name(entry.ObjectName, _ROUTINE if type_ in _ROUTINES else _NAME, f"{path}.ObjectName")
    where = location(entry, type_, f"{path}.")
    return DatabaseObject(type_, name, where.database, where.schema, where.table)


def location(
    entry: parameters.DatabaseObject | parameters.DescribeDatabaseObjects, type_: ObjectType, prefix: str
) -> Location:
    """PARAMETER_MISSING, OBJECT_NAME_MALFORMED. Keys that the type does not need are ignored."""
    given = _location_keys(entry)
    needed = (_require_name(given[key], _NAME, prefix + key) if key in NEEDED[type_] else "" for key in given)
    return Location(*needed)


def _location_keys(entry: parameters.DatabaseObject | parameters.DescribeDatabaseObjects) -> dict[str, str]:
    return {
        "DatabaseName": entry.DatabaseName or "",
        "SchemaName": entry.SchemaName or "",
        "TableName": entry.TableName or "",
    }


def echoed_object(entry: parameters.DatabaseObject) -> dict[str, str]:
    """A DatabaseObject as answers repeat it: all five keys, empty where the type has no use for one."""
    kind = entry.ObjectType
    used = () if kind == _ACCOUNT else NEEDED[ObjectType(kind)]
    where = {key: value if key in used else "" for key, value in _location_keys(entry).items()}
    return {"ObjectType": kind, "ObjectName": entry.ObjectName, **where}


def modification(entry: parameters.ModifyPrivilege, user: str, path: str) -> Modification:
    """One entry of ModifyPrivilegeSet.

    As `asked_object`, and PRIVILEGE_UNKNOWN, PARAMETER_VALUE (a ModifyType that does not go with the object).
    """
    how = _require_given(entry.ModifyType or None, f"{path}.ModifyType")
    inner = f"{path}.DatabasePrivilege"
    privilege = _require_given(entry.DatabasePrivilege, inner)
    object_ = asked_object(_require_given(privilege.Object, f"{inner}.Object"), user, f"{inner}.Object")
    words = privilege.PrivilegeSet
    if not words:
        raise Refused(Reason.PARAMETER_MISSING, f"{inner}.PrivilegeSet")
    if how == "alterRole" and object_ is None:
        return Modification(kind=_new_kind(words[0], len(words), f"{inner}.PrivilegeSet"))
    if how in ("grantRole", "revokeRole") and object_ is None:
        roles = tuple(
            _require_name(word, _ROLE, f"{inner}.PrivilegeSet.{index}") for index, word in enumerate(words)
        )
        return Modification(join=roles) if how == "grantRole" else Modification(leave=roles)
    _require(how, how in ("grantObject", "revokeObject") and object_ is not None, f"{path}.ModifyType")
    change = PrivilegeChange(
        _require_given(object_, inner),
        tuple(_privilege(word, object_, f"{inner}.PrivilegeSet.{index}") for index, word in enumerate(words)),
        grant=how == "grantObject",
        cascade=how == "revokeObject" and entry.IsCascade,
    )
    return Modification(change)


def _new_kind(word: str, words: int, path: str) -> AccountKind:
    _require(word, words == 1 and word in KINDS, path)
    return KINDS[word]


def _privilege(word: str, object_: DatabaseObject | None, path: str) -> str:
    if object_ is None or word not in PRIVILEGES[object_.type]:
        raise Refused(Reason.PRIVILEGE_UNKNOWN, path, facts={"value": shown(word)})
    return word


def _require_name(name: str, pattern: re.Pattern[str], path: str) -> str:
    if not name:
        raise Refused(Reason.PARAMETER_MISSING, path)
    if pattern.fullmatch(name) is None:
        raise Refused(Reason.OBJECT_NAME_MALFORMED, path, facts={"value": shown(name)})
    return name


def _require(value: str, holds: bool, path: str) -> None:
    if not holds:
        raise Refused(Reason.PARAMETER_VALUE, path, facts={"value": shown(value)})


_Found = TypeVar("_Found")


def _require_given(value: _Found | None, path: str) -> _Found:
    if value is None:
        raise Refused(Reason.PARAMETER_MISSING, path)
    return value

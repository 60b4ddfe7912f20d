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
from rolecall.domain.engine import AccountKind, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs.params import Params, flag, structure, text, texts

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
_ROUTINES = frozenset({ObjectType.FUNCTION, ObjectType.PROCEDURE})
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Modification:
    """One entry of ModifyPrivilegeSet: a change on an object, or a new kind for the account."""

    change: PrivilegeChange | None = None
    kind: AccountKind | None = None


def asked_object(entry: Params, user: str, path: str) -> DatabaseObject | None:
    """A DatabaseObject; None stands for the account itself.

    PARAMETER_MISSING, OBJECT_NAME_MALFORMED, PARAMETER_VALUE (another account than UserName).
    """
    if text(entry, "ObjectType") == _ACCOUNT:
        _expect(text(entry, "ObjectName"), text(entry, "ObjectName") == user, f"{path}.ObjectName")
        return None
    type_ = ObjectType(text(entry, "ObjectType"))
    name = _object_name(entry, type_, f"{path}.ObjectName")
    where = parents(entry, type_, f"{path}.")
    return DatabaseObject(
        type_, name, where.get("DatabaseName", ""), where.get("SchemaName", ""), where.get("TableName", "")
    )


def parents(entry: Params, type_: ObjectType, prefix: str) -> dict[str, str]:
    """The keys that say where objects of a type are; keys the type does not need are left out.

    PARAMETER_MISSING, OBJECT_NAME_MALFORMED.
    """
    return {key: _named(entry, key, _NAME, prefix + key) for key in NEEDED[type_]}


def echoed_object(entry: Params) -> dict[str, str]:
    """A DatabaseObject as answers repeat it: all five keys, empty where the type has no use for one."""
    kind = text(entry, "ObjectType")
    used = () if kind == _ACCOUNT else NEEDED[ObjectType(kind)]
    where = {key: text(entry, key) if key in used else "" for key in (*_IN_SCHEMA, "TableName")}
    return {"ObjectType": kind, "ObjectName": text(entry, "ObjectName"), **where}


def modification(entry: Params, user: str, path: str) -> Modification:
    """One entry of ModifyPrivilegeSet.

    As `asked_object`, and PRIVILEGE_UNKNOWN, PARAMETER_VALUE (a ModifyType that does not go with the object;
    grantRole and revokeRole, which change memberships in the vendor's preset roles, are not offered).
    """
    how = _required(entry, "ModifyType", path)
    inner = f"{path}.DatabasePrivilege"
    privilege = _present(structure(entry, "DatabasePrivilege"), inner)
    object_ = asked_object(
        _present(structure(privilege, "Object"), f"{inner}.Object"), user, f"{inner}.Object"
    )
    words = texts(privilege, "PrivilegeSet")
    if not words:
        raise Refused(Reason.PARAMETER_MISSING, f"{inner}.PrivilegeSet")
    if how == "alterRole" and object_ is None:
        return Modification(kind=_new_kind(words[0], len(words), f"{inner}.PrivilegeSet"))
    _expect(how, how in ("grantObject", "revokeObject") and object_ is not None, f"{path}.ModifyType")
    change = PrivilegeChange(
        _present(object_, inner),
        tuple(_privilege(word, object_, f"{inner}.PrivilegeSet.{index}") for index, word in enumerate(words)),
        grant=how == "grantObject",
        cascade=how == "revokeObject" and flag(entry, "IsCascade"),
    )
    return Modification(change)


def _new_kind(word: str, words: int, path: str) -> AccountKind:
    _expect(word, words == 1 and word in KINDS, path)
    return KINDS[word]


def _privilege(word: str, object_: DatabaseObject | None, path: str) -> str:
    if object_ is None or word not in PRIVILEGES[object_.type]:
        raise Refused(Reason.PRIVILEGE_UNKNOWN, path, facts={"value": shown(word)})
    return word


def _object_name(entry: Params, type_: ObjectType, path: str) -> str:
    return _named(entry, "ObjectName", _ROUTINE if type_ in _ROUTINES else _NAME, path)


def _named(entry: Params, key: str, pattern: re.Pattern[str], path: str) -> str:
    name = text(entry, key)
    if not name:
        raise Refused(Reason.PARAMETER_MISSING, path)
    if pattern.fullmatch(name) is None:
        raise Refused(Reason.OBJECT_NAME_MALFORMED, path, facts={"value": shown(name)})
    return name


def _required(entry: Params, key: str, path: str) -> str:
    return _present(text(entry, key) or None, f"{path}.{key}")


def _expect(value: str, holds: bool, path: str) -> None:
    if not holds:
        raise Refused(Reason.PARAMETER_VALUE, path, facts={"value": shown(value)})


_Found = TypeVar("_Found")


def _present(value: _Found | None, path: str) -> _Found:
    if value is None:
        raise Refused(Reason.PARAMETER_MISSING, path)
    return value

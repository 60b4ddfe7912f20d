"""Values that inputs of the explorer begin with: the visitor's own instance and number, else what the rules admit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rolecall.console.explorer.inputs import MARK, fields_of
from rolecall.contracts.model import Action, Field, Kind, ListOf, Shape

_INSTANCE = frozenset({"DBInstanceId", "InstanceId", "instance_id", "DBInstanceIdSet"})
_TEXTS: Mapping[str, str] = {
    "UserName": "app_user",
    "AccountName": "app_user",
    "name": "app_user",
    "Name": "app-user",
    "DatabaseName": "app_db",
    "DatabaseOwner": "app_user",
    "DBName": "app_db",
    "database": "app_db",
    "databases": "app_db",
    "Type": "normal",
    "AccountPrivilege": "ReadOnly",
    "host": "%",
    "flavor": "1",
    "datastore": "mariadb",
    "ServiceType": "cam",
    "ResourcePrefix": "uin",
    "ResourceRegion": "ap-guangzhou",
    "RegionId": "cn-hangzhou",
}
_DOCUMENT = json.dumps(
    {"version": "2.0", "statement": [{"effect": "allow", "action": "postgres:Describe*", "resource": "*"}]},
    indent=2,
)
_TRUST = json.dumps(
    {
        "version": "2.0",
        "statement": [{"effect": "allow", "action": "name/sts:AssumeRole", "principal": {"qcs": "*"}}],
    },
    indent=2,
)
_ANY_TEXT = (
    "example",
    "app-user",
    "app_user",
    "1",
    "ap-guangzhou",
    "2026-01-01T00:00Z",
    "13800000000",
    "a@example.com",
)
_ANY_NUMBER = (1, 0, 10, 20, 3600)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the visitor: the id of an instance in the dialect, or empty, and numbers."""

    instance: str
    owner: int
    principal: int


def samples(action: Action, facts: Facts) -> dict[str, str]:
    """By parameter: what its input holds at first. Only what is required is filled in; secrets are not."""
    filled: dict[str, str] = {}
    for field in fields_of(action):
        if field.required and field.type is not Kind.SECRET:
            value = _value(field, facts)
            if isinstance(field.type, Kind):
                filled[field.name] = str(value).lower() if isinstance(value, bool) else str(value)
            else:
                filled[field.name] = json.dumps(value, ensure_ascii=False, indent=2)
    return filled


def _value(field: Field, facts: Facts) -> object:
    return _of_type(field, field.type, facts)


def _of_type(field: Field, type_: Kind | ListOf | Shape, facts: Facts) -> object:
    if isinstance(type_, ListOf):
        return [_of_type(field, type_.item, facts)]
    if isinstance(type_, Shape):
        required = [member for member in type_.fields if member.required]
        return {member.name: _value(member, facts) for member in required or type_.fields[:2]}
    if type_ is Kind.SECRET:
        return MARK
    if type_ is Kind.BOOLEAN:
        return False
    candidates = _numbers(field, facts) if type_ in (Kind.INTEGER, Kind.FLOAT) else _texts(field, facts)
    found = [value for value in candidates if all(rule.holds(value) for rule in field.rules)]
    return found[0] if found else ""


def _texts(field: Field, facts: Facts) -> Iterator[object]:
    if field.name in _INSTANCE:
        yield facts.instance
    if field.type is Kind.DOCUMENT:
        yield _TRUST if field.name == "AssumeRolePolicy" else _DOCUMENT
    if field.name in ("Resource", "ResourceList", "RoleArn"):
        kind = "uin" if field.name != "RoleArn" else "roleName"
        tail = str(facts.principal) if field.name != "RoleArn" else "example"
        yield f"qcs::cam::uin/{facts.owner}:{kind}/{tail}"
    if field.name in ("ResourceIds", "ResourceId", "ResourceAccount"):
        yield str(facts.principal)
    if field.name in _TEXTS:
        yield _TEXTS[field.name]
    for rule in field.rules:
        yield from rule.choices
    yield from _ANY_TEXT


def _numbers(field: Field, facts: Facts) -> Iterator[object]:
    if field.name.endswith("Uin") or "Uin" in field.name:
        yield facts.principal
    yield from _ANY_NUMBER

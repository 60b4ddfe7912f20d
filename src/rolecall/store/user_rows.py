"""Users as rows: their values, and conditions on them as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from rolecall.domain.directories.model import CustomAttribute, User, UserStatus
from rolecall.domain.directories.queries import Condition, Operator, Order, UserField
from rolecall.domain.directories.views import UserView

_FIELDS: Mapping[UserField, sql.SQL] = {
    UserField.ID: sql.SQL("u.id"),
    UserField.NAME: sql.SQL("u.name"),
    UserField.PHONE: sql.SQL("u.phone"),
    UserField.EMAIL: sql.SQL("u.email"),
    UserField.GROUP: sql.SQL(
        "(select min(m.group_id::text) from user_group_members m where m.user_id = u.id)"
    ),
    UserField.STATUS: sql.SQL("u.status"),
    UserField.NICKNAME: sql.SQL("u.nickname"),
    UserField.ADDRESS: sql.SQL("u.address"),
    UserField.BIRTHDATE: sql.SQL("u.birthdate"),
    UserField.CREATED: sql.SQL("u.created_at"),
    UserField.MODIFIED: sql.SQL("u.modified_at"),
    UserField.INDEXED_1: sql.SQL("u.indexed_1"),
    UserField.INDEXED_2: sql.SQL("u.indexed_2"),
    UserField.INDEXED_3: sql.SQL("u.indexed_3"),
    UserField.INDEXED_4: sql.SQL("u.indexed_4"),
    UserField.INDEXED_5: sql.SQL("u.indexed_5"),
    UserField.PROFILE: sql.SQL("u.profile->>{key}"),
    UserField.CUSTOM: sql.SQL(
        "(select e->>'value' from jsonb_array_elements(u.custom) e where e->>'name' = {key} limit 1)"
    ),
}
"""A field as an expression; ``{key}`` is the parameter with the name of a profile or custom attribute."""

_IN_GROUP = sql.SQL(
    "exists (select from user_group_members m where m.user_id = u.id and m.group_id = any({value}))"
)
_SOMEWHERE = sql.SQL(
    "exists (select from unnest({value}::text[]) asked(part) where replace(u.id::text, '-', '') = part"
    " or position(lower(part) in lower(coalesce(u.name, ''))) > 0"
    " or position(part in coalesce(u.phone, '')) > 0"
    " or position(lower(part) in lower(coalesce(u.email, ''))) > 0)"
)

_MATCHES = {UserField.GROUP: _IN_GROUP, UserField.ANY: _SOMEWHERE}
"""Fields that are compared as a whole: with (=) or without (!=)."""

_NEWEST_FIRST = sql.SQL("u.created_at desc, u.id desc").format()


def where(conditions: Sequence[Condition]) -> tuple[sql.Composed, dict[str, object]]:
    """All conditions, each after an ``and``, with their values."""
    clauses: list[sql.Composed] = []
    values: dict[str, object] = {}
    for number, condition in enumerate(conditions):
        value, key = f"value_{number}", f"key_{number}"
        clauses.append(sql.SQL(" and ") + _clause(condition, value, key))
        values[key] = condition.key
        values[value] = list(condition.values)
        if condition.operator not in (Operator.EQUAL, Operator.UNEQUAL):
            values[value], values[value + "_end"] = condition.values[0], condition.values[-1]
    return sql.SQL("").join(clauses), values


def order_by(order: Order | None) -> tuple[sql.Composed, dict[str, object]]:
    if order is None:
        return _NEWEST_FIRST, {}
    column = _FIELDS[order.field].format(key=sql.Placeholder("order_key"))
    text = "{column} desc, u.id desc" if order.descending else "{column} asc, u.id asc"
    return sql.SQL(text).format(column=column), {"order_key": order.key}


_COMPARISONS: Mapping[Operator, LiteralString] = {
    Operator.EQUAL: "{column} = any({value})",
    Operator.UNEQUAL: "({column} is null or {column} <> all({value}))",
    Operator.BETWEEN: "{column} between {value} and {end}",
}


def _clause(condition: Condition, value: str, key: str) -> sql.Composed:
    given = sql.Placeholder(value)
    equal = condition.operator is Operator.EQUAL
    if (equal or condition.operator is Operator.UNEQUAL) and condition.field in _MATCHES:
        text = _MATCHES[condition.field].format(value=given)
        return text if equal else sql.SQL("not ") + text
    return sql.SQL(_COMPARISONS.get(condition.operator, "{column} {operator} {value}")).format(
        column=_FIELDS[condition.field].format(key=sql.Placeholder(key)),
        operator=sql.SQL(condition.operator.value),
        value=given,
        end=sql.Placeholder(f"{value}_end"),
    )


def values_of(user: User) -> dict[str, object]:
    """A user's own columns as a statement's values."""
    return {
        "id": user.id,
        "store": user.store_id,
        "name": user.name,
        "phone": user.phone,
        "email": user.email,
        "hash": user.password_hash,
        "source": user.source,
        "nickname": user.nickname,
        "address": user.address,
        "birthdate": user.birthdate,
        "custom": Jsonb([asdict(attribute) for attribute in user.custom]),
        **{f"indexed_{number}": text for number, text in enumerate(user.indexed, 1)},
        "profile": Jsonb(dict(user.profile)),
        "groups": list(user.groups),
    }


def view_of(
    *,
    status: str,
    custom: Sequence[Mapping[str, str]],
    indexed: Sequence[str | None],
    group_ids: Sequence[UUID] | None,
    group_names: Sequence[str] | None,
    **rest: Any,
) -> UserView:
    user = User(
        status=UserStatus(status),
        custom=tuple(CustomAttribute(**attribute) for attribute in custom),
        indexed=tuple(indexed),
        groups=tuple(group_ids or ()),
        **rest,
    )
    return UserView(user, tuple(group_names or ()))


def user_of(**row: Any) -> User:
    return view_of(**row).user

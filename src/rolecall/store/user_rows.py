"""Users as rows: the columns, and what is asked of them, as statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from rolecall.domain.directories.model import CustomAttribute, User, UserStatus
from rolecall.domain.directories.queries import Condition, Operator, Order, UserField
from rolecall.domain.directories.views import UserView
from rolecall.store.connection import Row

MINE = (
    "exists (select from user_stores s join owners o on o.id = s.owner_id"
    " where s.id = %(store)s and o.id = %(owner)s and o.directories)"
)
"""The store is the owner's, and it has directories."""

COLUMNS = (
    "u.id, u.store_id, u.name, u.phone, u.email, u.password_hash, u.must_reset, u.status, u.source, u.nickname,"
    " u.address, u.birthdate, u.custom, array[u.indexed_1, u.indexed_2, u.indexed_3, u.indexed_4, u.indexed_5],"
    " u.profile, u.is_primary, u.last_sign_in_at, u.signed_in_before, u.failed_sign_ins, u.locked_until,"
    " u.locked_at, u.version, u.created_at, u.modified_at, g.ids, g.names"
)

GROUPS = (
    "left join lateral (select array_agg(one.id order by one.created_at, one.id) as ids,"
    " array_agg(one.name order by one.created_at, one.id) as names"
    " from user_group_members m join user_groups one on one.id = m.group_id where m.user_id = u.id) g on true"
)

USER = f"select {COLUMNS} from users u {GROUPS}"

_FIELDS: Mapping[UserField, str] = {
    UserField.ID: "u.id",
    UserField.NAME: "u.name",
    UserField.PHONE: "u.phone",
    UserField.EMAIL: "u.email",
    UserField.GROUP: ("(select min(m.group_id::text) from user_group_members m where m.user_id = u.id)"),
    UserField.STATUS: "u.status",
    UserField.NICKNAME: "u.nickname",
    UserField.ADDRESS: "u.address",
    UserField.BIRTHDATE: "u.birthdate",
    UserField.CREATED: "u.created_at",
    UserField.MODIFIED: "u.modified_at",
    UserField.INDEXED_1: "u.indexed_1",
    UserField.INDEXED_2: "u.indexed_2",
    UserField.INDEXED_3: "u.indexed_3",
    UserField.INDEXED_4: "u.indexed_4",
    UserField.INDEXED_5: "u.indexed_5",
    UserField.PROFILE: "u.profile->>%({key})s",
    UserField.CUSTOM: (
        "(select e->>'value' from jsonb_array_elements(u.custom) e where e->>'name' = %({key})s limit 1)"
    ),
}
"""What a field is in a statement; ``{key}`` is the parameter with the family's member."""

_IN_GROUP = (
    "exists (select from user_group_members m where m.user_id = u.id and m.group_id = any(%({value})s))"
)
_SOMEWHERE = (
    "exists (select from unnest(%({value})s::text[]) asked(part) where replace(u.id::text, '-', '') = part"
    " or position(lower(part) in lower(coalesce(u.name, ''))) > 0"
    " or position(part in coalesce(u.phone, '')) > 0"
    " or position(lower(part) in lower(coalesce(u.email, ''))) > 0)"
)

NEWEST_FIRST = "u.created_at desc, u.id desc"


def where(conditions: Sequence[Condition]) -> tuple[str, dict[str, object]]:
    """All conditions, each after an ``and``, with their values."""
    clauses: list[str] = []
    values: dict[str, object] = {}
    for number, condition in enumerate(conditions):
        value, key = f"value_{number}", f"key_{number}"
        clauses.append(" and " + _clause(condition, value, key))
        values[key] = condition.key
        values[value] = list(condition.values)
        if condition.operator not in (Operator.EQUAL, Operator.UNEQUAL):
            values[value], values[value + "_end"] = condition.values[0], condition.values[-1]
    return "".join(clauses), values


def order_by(order: Order | None) -> tuple[str, dict[str, object]]:
    if order is None:
        return NEWEST_FIRST, {}
    direction = "desc" if order.descending else "asc"
    column = _FIELDS[order.field].format(key="order_key")
    return f"{column} {direction}, u.id {direction}", {"order_key": order.key}


def _clause(condition: Condition, value: str, key: str) -> str:
    equal = condition.operator is Operator.EQUAL
    if equal or condition.operator is Operator.UNEQUAL:
        if condition.field in (UserField.GROUP, UserField.ANY):
            text = _IN_GROUP if condition.field is UserField.GROUP else _SOMEWHERE
            return ("" if equal else "not ") + text.format(value=value)
        column = _FIELDS[condition.field].format(key=key)
        if equal:
            return f"{column} = any(%({value})s)"
        return f"({column} is null or {column} <> all(%({value})s))"
    column = _FIELDS[condition.field].format(key=key)
    if condition.operator is Operator.BETWEEN:
        return f"{column} between %({value})s and %({value}_end)s"
    return f"{column} {condition.operator.value} %({value})s"


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
        "custom": Jsonb([{"name": one.name, "value": one.value, "type": one.type} for one in user.custom]),
        **{f"indexed_{number}": text for number, text in enumerate(user.indexed, 1)},
        "profile": Jsonb(dict(user.profile)),
        "groups": list(user.groups),
    }


def view_of(row: Row) -> UserView:
    (
        user_id, store_id, name, phone, email, password_hash, must_reset, status, source, nickname, address,
        birthdate, custom, indexed, profile, is_primary, last_sign_in_at, signed_in_before, failed_sign_ins,
        locked_until, locked_at, version, created_at, modified_at, group_ids, group_names,
    ) = row  # fmt: skip
    groups: Sequence[UUID] = group_ids or ()
    user = User(
        user_id, store_id, name, phone, email, password_hash, must_reset, UserStatus(status), source, nickname,
        address, birthdate, tuple(CustomAttribute(**one) for one in custom), tuple(indexed), profile, is_primary,
        tuple(groups), last_sign_in_at, signed_in_before, failed_sign_ins, locked_until, locked_at, version,
        created_at, modified_at,
    )  # fmt: skip
    return UserView(user, tuple(group_names or ()))

"""Filters and orders of `ciam` as conditions: ListUser's by key and values, DescribeUser's by property and operator."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rolecall.contracts.tencent.ciam import parameters
from rolecall.domain.directories import views
from rolecall.domain.directories.model import UserStatus
from rolecall.domain.directories.queries import Condition, Operator, Order, UserField
from rolecall.domain.reasons import Reason, Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_ID = re.compile(r"[0-9a-f]{32}")
_INTEGER = re.compile(r"-?[0-9]{1,16}", re.ASCII)

WHITELIST: Mapping[str, tuple[UserField, str]] = {
    "id": (UserField.ID, ""),
    "userName": (UserField.NAME, ""),
    "phoneNumber": (UserField.PHONE, ""),
    "email": (UserField.EMAIL, ""),
    "userGroup": (UserField.GROUP, ""),
    "alipayUserId": (UserField.PROFILE, "alipayUserId"),
    "wechatOpenId": (UserField.PROFILE, "wechatOpenId"),
    "wechatUnionId": (UserField.PROFILE, "wechatUnionId"),
    "qqOpenId": (UserField.PROFILE, "qqOpenId"),
    "qqUnionId": (UserField.PROFILE, "qqUnionId"),
    "lastModifiedDate": (UserField.MODIFIED, ""),
    "indexedAttribute1": (UserField.INDEXED_1, ""),
    "indexedAttribute2": (UserField.INDEXED_2, ""),
    "indexedAttribute3": (UserField.INDEXED_3, ""),
    "indexedAttribute4": (UserField.INDEXED_4, ""),
    "indexedAttribute5": (UserField.INDEXED_5, ""),
}
"""What a query must name, and what it may be sorted by (SDK, errorcodes.py: QueryUsersParameterMustInWhitelist)."""

_BESIDE: Mapping[str, tuple[UserField, str]] = {
    "nickname": (UserField.NICKNAME, ""),
    "address": (UserField.ADDRESS, ""),
    "birthdate": (UserField.BIRTHDATE, ""),
    "status": (UserField.STATUS, ""),
    "createdDate": (UserField.CREATED, ""),
}
"""What a query may name besides. Any other key is the name of a custom attribute."""

_UNORDERED = frozenset({UserField.GROUP, UserField.ID, UserField.STATUS})
"""Fields of which no value comes before another."""

_OPERATORS: Mapping[str, Operator] = {operator.value: operator for operator in Operator}
_STATUSES: Mapping[str, str] = {
    "NORMAL": UserStatus.NORMAL.value,
    "LOCK": UserStatus.LOCKED.value,
    "FREEZE": UserStatus.FROZEN.value,
}
_EVENTS: Mapping[str, str] = {
    "SIGNUP": views.USER_SIGNED_UP,
    "USER_UPDATE": views.USER_CHANGED,
    "USER_DELETE": views.USER_DELETED,
    "USER_CREATE": views.USER_CREATED,
    "ACCOUNT_LINKING": views.USERS_LINKED,
    "SIGNIN": views.USER_SIGNED_IN,
}
EVENT_CODES: Mapping[str, str] = {kind: code for code, kind in _EVENTS.items()}


def moment(milliseconds: int) -> datetime:
    """Unix time in milliseconds; what is beyond the calendar is its first or its last day."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return _FIRST if milliseconds < 0 else _LAST


def query_conditions(filters: Sequence[parameters.QueryUserFilter]) -> tuple[Condition, ...]:
    """QUERY_FIELD_REPEATED, QUERY_FIELD_UNKNOWN, PARAMETER_VALUE."""
    keys = [each.PropertyKey or "" for each in filters]
    if len(set(keys)) != len(keys):
        raise Refused(Reason.QUERY_FIELD_REPEATED, "Filters")
    if keys and not any(key in WHITELIST for key in keys):
        raise Refused(Reason.QUERY_FIELD_UNKNOWN, "Filters", facts={"value": keys[0]})
    return tuple(_query(each, f"Filters.{place}") for place, each in enumerate(filters))


def _query(asked: parameters.QueryUserFilter, path: str) -> Condition:
    key, value = asked.PropertyKey or "", asked.PropertyValue or ""
    field, family = WHITELIST.get(key) or _BESIDE.get(key) or (UserField.CUSTOM, key)
    operator = _operator(asked, path)
    if operator not in (Operator.EQUAL, Operator.UNEQUAL) and field in _UNORDERED:
        raise Refused(Reason.PARAMETER_VALUE, f"{path}.OperateLogic", facts={"value": operator.value})
    parts = value.split(",") if operator is Operator.BETWEEN else [value]
    if len(parts) != (2 if operator is Operator.BETWEEN else 1):
        raise Refused(Reason.PARAMETER_VALUE, f"{path}.PropertyValue", facts={"value": value})
    values = tuple(_typed(field, part.strip(), f"{path}.PropertyValue") for part in parts)
    return Condition(field, operator, tuple(value for value in values if value is not None), family)


def _operator(asked: parameters.QueryUserFilter, path: str) -> Operator:
    """OperateLogic, if there is one; else Logic: true is equal, false is not. With both, false turns ``=`` about."""
    logic = asked.Logic is None or asked.Logic
    said = (asked.OperateLogic or "").lower()
    if not said:
        return Operator.EQUAL if logic else Operator.UNEQUAL
    operator = _OPERATORS.get(said)
    if operator is None:
        raise Refused(Reason.PARAMETER_VALUE, f"{path}.OperateLogic", facts={"value": said})
    if not logic and operator is Operator.EQUAL:
        return Operator.UNEQUAL
    return operator


def _typed(field: UserField, value: str, path: str) -> object:
    """A value of the field's own type; None is a value that no user has."""
    match field:
        case UserField.ID | UserField.GROUP:
            return UUID(value) if _ID.fullmatch(value) else None
        case UserField.MODIFIED | UserField.CREATED | UserField.BIRTHDATE:
            if _INTEGER.fullmatch(value) is None:
                raise Refused(Reason.PARAMETER_VALUE, path, facts={"value": value})
            return int(value) if field is UserField.BIRTHDATE else moment(int(value))
        case UserField.STATUS:
            return _STATUSES.get(value)
        case _:
            return value


def query_order(sort: parameters.SortOrder | None) -> Order | None:
    """QUERY_SORT_UNKNOWN, PARAMETER_VALUE."""
    if sort is None or sort == parameters.SortOrder():
        return None
    key, direction = sort.PropertyKey or "", sort.Order or "ASC"
    if key not in WHITELIST:
        raise Refused(Reason.QUERY_SORT_UNKNOWN, "Sort.PropertyKey", facts={"value": key})
    if direction.upper() not in ("ASC", "DESC"):
        raise Refused(Reason.PARAMETER_VALUE, "Sort.Order", facts={"value": direction})
    field, family = WHITELIST[key]
    return Order(field, direction.upper() == "DESC", family)


_LISTED: Mapping[str, UserField] = {
    "condition": UserField.ANY,
    "userGroup": UserField.GROUP,
    "nickname": UserField.NICKNAME,  # the vendor's own example
}
_ORGANIZATIONS = frozenset({"userOrg", "weComUserOrg"})


def list_conditions(filters: Sequence[parameters.Filter]) -> tuple[Condition, ...]:
    """Any of the values of a filter may match. No user is in an organization. PARAMETER_VALUE."""
    conditions = []
    for place, each in enumerate(filters):
        key, operator = each.Key or "", Operator.EQUAL if each.Logic else Operator.UNEQUAL
        given = each.Values or ()
        values: tuple[object, ...] = tuple(given)
        if key in _ORGANIZATIONS:
            conditions.append(Condition(UserField.ID, operator, ()))
            continue
        if key not in _LISTED:
            raise Refused(Reason.PARAMETER_VALUE, f"Filters.{place}.Key", facts={"value": key})
        if not values:
            continue
        field = _LISTED[key]
        if field is UserField.GROUP:
            values = tuple(UUID(value) for value in given if _ID.fullmatch(value))
        conditions.append(Condition(field, operator, values))
    return tuple(conditions)


def group_filter(
    filters: Sequence[parameters.Filter],
) -> tuple[tuple[str, ...], tuple[UUID, ...] | None, bool]:
    """Texts, ids and whether they are excluded. ``UserGroupId`` is the key of the vendor's Terraform provider.

    PARAMETER_VALUE.
    """
    wanted: list[str] = []
    ids: list[UUID] | None = None
    excluded = False
    for place, each in enumerate(filters):
        key, values = each.Key or "", each.Values or ()
        if key not in ("condition", "UserGroupId"):
            raise Refused(Reason.PARAMETER_VALUE, f"Filters.{place}.Key", facts={"value": key})
        excluded = excluded or not each.Logic
        if key == "UserGroupId" and values:
            ids = [*(ids or ()), *(UUID(value) for value in values if _ID.fullmatch(value))]
        elif key == "condition":
            wanted.extend(value for value in values if value)
    return tuple(wanted), None if ids is None else tuple(ids), excluded and bool(wanted or ids is not None)


def event_kinds(filters: Sequence[parameters.Filter]) -> tuple[str, ...]:
    """PARAMETER_VALUE."""
    kinds: list[str] = []
    for place, each in enumerate(filters):
        key, values = each.Key or "", each.Values or ()
        if key != "events":
            raise Refused(Reason.PARAMETER_VALUE, f"Filters.{place}.Key", facts={"value": key})
        for value in values:
            if value not in _EVENTS:
                raise Refused(Reason.PARAMETER_VALUE, f"Filters.{place}.Values", facts={"value": value})
        asked = {_EVENTS[value] for value in values}
        chosen = asked if each.Logic else set(views.EVENT_KINDS) - asked
        kinds.extend(kind for kind in views.EVENT_KINDS if kind in chosen)
    return tuple(kinds)

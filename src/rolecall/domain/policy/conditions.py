"""Conditions of statements: operators over what is known of a call.

An operator is a family and a comparison, ``date_less_than``; before it may stand ``for_any_value:`` or
``for_all_value:``, behind it ``_if_exist``. Several operators, and several keys of one, must all hold. Of several
values one must hold, or for ``not`` operators none must be equal (no page says so of these; any other reading makes a
``deny`` of all addresses but two networks a ``deny`` of all).

A key that the call has nothing for does not hold, unless ``_if_exist`` is asked for. A key that is never supplied here
cannot be known, and a value that is not of the family's form can be compared with nothing: then it is not known
whether the condition holds.

Nothing that is known of a call has several values, so the two quantifiers ask the same here.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rolecall.domain.policy.wildcards import matches

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_MAY_BE_ABSENT = "_if_exist"
SUPPLIED = frozenset(
    {"qcs:ip", "qcs:current_time", "qcs:secure_transport", "qcs:region", "qcs:uin", "qcs:owner_uin"}
)
"""The keys that are known of every call."""

SUPPLIED_TO_TRUST = SUPPLIED | {"sts:external_id", "oidc:iss", "oidc:aud", "oidc:sub", "saml:aud"}
"""The keys of which something may be known when a role is taken.

Those of OIDC and SAML are known only of callers for whom another identity provider vouches; nothing here lets such a
caller take a role, so that they are absent from every call.
"""

_QUANTIFIERS = ("for_any_value:", "for_all_value:")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConditionMalformed(Exception):
    """`part` is ``condition``, ``condition.operator``, ``condition.key`` or ``condition.value``; `value` what stood
    there."""

    def __init__(self, part: str, value: object) -> None:
        super().__init__(part)
        self.part = part
        self.value = value


@dataclass(frozen=True, slots=True)
class Operator:
    """`read` makes a value of a document comparable, `look` a value of a call; both raise ValueError.

    `negated` asks that `holds` be true for none of the values.
    """

    read: Callable[[str], Any]
    look: Callable[[str], Any]
    holds: Callable[[Any, Any], bool]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator` is the bare name; `absent_holds` says that a call without the key passes. `supplied` says that the
    key is one of those that can be known."""

    operator: str
    key: str
    values: tuple[str, ...]
    absent_holds: bool = False
    supplied: bool = True


def _number(text: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def _moment(text: str) -> datetime:
    """ISO 8601; a time without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=False)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address that came over an IPv6 socket is that IPv4 address."""
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _within(address: Any, network: Any) -> bool:
    return bool(address in network)


def _like(text: Any, pattern: Any) -> bool:
    return matches(pattern, text)


def _ordered(family: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    return {
        f"{family}_equal": Operator(read, read, operator.eq),
        f"{family}_not_equal": Operator(read, read, operator.eq, negated=True),
        f"{family}_less_than": Operator(read, read, operator.lt),
        f"{family}_less_than_equal": Operator(read, read, operator.le),
        f"{family}_greater_than": Operator(read, read, operator.gt),
        f"{family}_greater_than_equal": Operator(read, read, operator.ge),
    }


OPERATORS: Mapping[str, Operator] = {
    "string_equal": Operator(str, str, operator.eq),
    "string_not_equal": Operator(str, str, operator.eq, negated=True),
    "string_equal_ignore_case": Operator(str.casefold, str.casefold, operator.eq),
    "string_not_equal_ignore_case": Operator(str.casefold, str.casefold, operator.eq, negated=True),
    "string_like": Operator(str, str, _like),
    "string_not_like": Operator(str, str, _like, negated=True),
    **_ordered("numeric", _number),
    **_ordered("date", _moment),
    "bool_equal": Operator(_truth, _truth, operator.eq),
    "binary_equal": Operator(str, str, operator.eq),
    "ip_equal": Operator(_network, _address, _within),
    "ip_not_equal": Operator(_network, _address, _within, negated=True),
    "null_equal": Operator(_truth, _truth, operator.eq),
}


def read_conditions(given: object, supplied: Collection[str]) -> tuple[Condition, ...]:
    """`supplied` are the keys that can be known. Raises ConditionMalformed."""
    if not isinstance(given, dict):
        raise ConditionMalformed("condition", given)
    return tuple(
        _condition(written, key, values, key in supplied)
        for written, keys in given.items()
        for key, values in _keys(written, keys).items()
    )


def _keys(written: str, keys: object) -> Mapping[str, object]:
    if _bare(written) not in OPERATORS:
        raise ConditionMalformed("condition.operator", written)
    if not isinstance(keys, dict) or not keys or not all(keys):
        raise ConditionMalformed("condition", written)
    return keys


def _bare(written: str) -> str:
    quantifier = next((prefix for prefix in _QUANTIFIERS if written.startswith(prefix)), "")
    return written.removeprefix(quantifier).removesuffix(_MAY_BE_ABSENT)


def _condition(written: str, key: str, given: object, supplied: bool) -> Condition:
    bare = _bare(written)
    listed = given if isinstance(given, list) else [given]
    if not listed:
        raise ConditionMalformed("condition.value", key)
    values = tuple(_text(value) for value in listed)
    for value in values:
        try:
            OPERATORS[bare].read(value)
        except ValueError:
            raise ConditionMalformed("condition.value", value) from None
    return Condition(bare, key, values, written.endswith(_MAY_BE_ABSENT), supplied)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) or (isinstance(value, int) and value.bit_length() < 128):
        return str(value)
    raise ConditionMalformed("condition.value", value)


def holds(condition: Condition, context: Mapping[str, str | None], fill: Callable[[str], str]) -> bool | None:
    """Whether a call keeps a condition; None if that cannot be known. `fill` puts variables into values."""
    found = context.get(condition.key)
    if found is None and (not condition.supplied or condition.key in context):
        return True if condition.absent_holds else None
    if condition.operator == "null_equal":
        return any(_truth(value) == (found is None) for value in condition.values)
    if found is None:
        return condition.absent_holds
    chosen = OPERATORS[condition.operator]
    try:
        seen = chosen.look(found)
        met = any(chosen.holds(seen, chosen.read(fill(value))) for value in condition.values)
    except (ValueError, TypeError):
        return None
    return met != chosen.negated

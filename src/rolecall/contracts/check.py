"""Applies a contract to a call: raw parameters in, typed parameters out, or a `Refused` that names the field.

The order is that of the vendors' gateways: region, then for each structure what is missing, what is unknown and
what is of the wrong type, and only then the rules of the fields. Paths of nested fields are ``Set.0.Name``.

What a value may look like on the wire:

- JSON: a numeric string is accepted where an integer or a float is expected (vendors' own examples send
  ``"UseApi": "1"``); a number is refused where a string is expected; a boolean is never a number; null is absent.
- flat (form or query): every value is text and is coerced; booleans are accepted in any case (``True`` is what
  a Python client's urlencode writes). The dialect has made lists and structures of the flattened names.
- both, where the contract says so (`Action.blank_is_absent`): an optional value that is blank, and that the rules
  refuse, is absent.
- Text with control characters or lone surrogates is refused, unless a rule of the field refuses it first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rolecall.contracts.model import Action, Field, Kind, ListOf, Rule, Shape
from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Checked, Secret

_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_FLOAT = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What is unprintable in a text of several lines."""
_SHOWN_CHARACTERS = 128
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a call's values are read: `flat` values are all text; for `blank_is_absent` see `Action`."""

    flat: bool
    blank_is_absent: bool

    def is_absent(self, value: object, field: Field) -> bool:
        """Whether the value of an optional parameter counts as not sent."""
        if not self.blank_is_absent or field.required or field.type is Kind.SECRET:
            return False
        if value == "" and field.type is Kind.INTEGER:
            return self.flat
        blank = value == "" or (
            value in (0, "0") and not isinstance(value, bool) and field.type is Kind.INTEGER
        )
        return blank and not all(
            rule.holds(0 if field.type is Kind.INTEGER else value) for rule in field.rules
        )


def check(call: Call, caller: Caller, action: Action) -> Checked[object]:
    """PARAMETER_MISSING, PARAMETER_UNKNOWN, PARAMETER_TYPE, REGION_UNSUPPORTED, or what a broken rule says.

    Facts of the refusal: ``value`` (shortened, never a secret), and ``expected`` for a wrong type.
    """
    _require_region(call.region, action.regions)
    reading = _Reading(call.flat, action.blank_is_absent)
    params = _structure(call.params.read(), action.shape, "", reading)
    _require_fields(params, action.params, "")
    return Checked(call, caller, params)


def require_rules(rules: Sequence[Rule], value: object, path: str, *, lines: bool = False) -> None:
    """Refuse by the first rule that is broken. A rule on a `Secret` is given its plain text.

    `lines`: the text may have several lines.
    """
    plain = value.reveal() if isinstance(value, Secret) else value
    for rule in rules:
        if not rule.holds(plain):
            raise Refused(rule.reason, path, facts={"value": shown(value)})
    if isinstance(plain, str) and (_UNWRITABLE if lines else _UNPRINTABLE).search(plain) is not None:
        raise Refused(Reason.PARAMETER_VALUE, path, facts={"value": shown(value)})


def shown(value: object) -> str:
    """A value as answers quote it: short, printable, valid UTF-8; a secret is never quoted."""
    if isinstance(value, Secret):
        return _HIDDEN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _UNPRINTABLE.sub("\ufffd", value[:_SHOWN_CHARACTERS])
    if isinstance(value, int) and value not in _INT64:
        return "..."  # it may have thousands of digits
    if isinstance(value, int | float):
        return str(value)
    return "[...]" if isinstance(value, list) else "{...}"


def _require_region(region: str, regions: frozenset[str] | None) -> None:
    if regions is None:
        return
    if not region:
        raise Refused(Reason.PARAMETER_MISSING, "Region")
    if regions and region not in regions:
        raise Refused(Reason.REGION_UNSUPPORTED, "Region", facts={"value": shown(region)})


def _structure(raw: Mapping[str, object], shape: Shape, prefix: str, reading: _Reading) -> object:
    """An instance of the shape's class."""
    known, fields = 0, shape.fields
    for field in fields:
        known += field.name in raw
        if field.required and raw.get(field.name) is None:
            raise Refused(Reason.PARAMETER_MISSING, prefix + field.name)
    if known != len(raw):
        _require_known(raw, fields, prefix)
    typed: dict[str, object] = {}
    for field in fields:
        value = raw.get(field.name)
        if value is not None and not reading.is_absent(value, field):
            typed[field.name] = _typed(value, field.type, prefix + field.name, reading)
        elif field.default is not None:
            typed[field.name] = field.default
    return shape.type(**typed)


def _require_known(raw: Mapping[str, object], fields: tuple[Field, ...], prefix: str) -> None:
    names = {field.name for field in fields}
    for name, value in raw.items():
        if name not in names and value is not None:
            raise Refused(Reason.PARAMETER_UNKNOWN, prefix + shown(name))


def _typed(value: object, type_: Kind | ListOf | Shape, path: str, reading: _Reading) -> object:
    if isinstance(type_, Kind):
        typed = _SCALARS[type_](value, reading.flat)
        if typed is None:
            # A value of the wrong type in place of a secret may be the secret all the same.
            raise _wrong_type(Secret("") if type_ is Kind.SECRET else value, type_, path)
        return typed
    if isinstance(type_, ListOf):
        return _list(value, type_, path, reading)
    if not isinstance(value, Mapping):
        raise _wrong_type(value, type_, path)
    return _structure(value, type_, path + ".", reading)


def _list(value: object, type_: ListOf, path: str, reading: _Reading) -> list[object]:
    if not isinstance(value, list):
        raise _wrong_type(value, type_, path)
    if type_.at_most is not None and len(value) > type_.at_most:
        raise Refused(Reason.PARAMETER_RANGE, path, facts={"value": len(value), "expected": type_.at_most})
    return [_typed(item, type_.item, f"{path}.{index}", reading) for index, item in enumerate(value)]


def _wrong_type(value: object, type_: Kind | ListOf | Shape, path: str) -> Refused:
    expected = "list" if isinstance(type_, ListOf) else "object"
    if isinstance(type_, Kind):
        expected = "string" if type_ is Kind.SECRET else type_.value
    return Refused(Reason.PARAMETER_TYPE, path, facts={"value": shown(value), "expected": expected})


def _require_fields(values: object, fields: tuple[Field, ...], prefix: str) -> None:
    for field in fields:
        value = getattr(values, field.name)
        if value is not None:
            require_rules(field.rules, value, prefix + field.name, lines=field.type is Kind.DOCUMENT)
            if not isinstance(field.type, Kind):
                _require_inside(value, field.type, prefix + field.name)


def _require_inside(value: object, type_: Kind | ListOf | Shape, path: str) -> None:
    if isinstance(type_, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            _require_inside(item, type_.item, f"{path}.{index}")
    elif isinstance(type_, Shape):
        _require_fields(value, type_.fields, path + ".")
    else:
        require_rules((), value, path)


def _string(value: object, _flat: bool) -> str | None:
    return value if isinstance(value, str) else None


def _secret(value: object, _flat: bool) -> Secret | None:
    return Secret(value) if isinstance(value, str) else None


def _json(value: object, _flat: bool) -> object:
    """The document; None for a text that is not JSON, and for ``null``."""
    if not isinstance(value, str):
        return None
    try:
        document = strict_json.decode(value.encode())
        strict_json.inspect(document)
    except (Refused, UnicodeEncodeError):
        return None
    return document


def _integer(value: object, _flat: bool) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value) is not None:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    return None


def _boolean(value: object, flat: bool) -> bool | None:
    if flat and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _float(value: object, _flat: bool) -> float | None:
    if isinstance(value, str) and _FLOAT.fullmatch(value) is not None:
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value)
    return None


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:  # an integer beyond what a double can hold
        return None
    return number if math.isfinite(number) else None


_SCALARS: Mapping[Kind, Callable[[object, bool], object]] = {
    Kind.STRING: _string,
    Kind.DOCUMENT: _string,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.FLOAT: _float,
    Kind.SECRET: _secret,
    Kind.JSON: _json,
}

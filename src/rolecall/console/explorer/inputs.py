"""The form of an action, made from its contract, and the parameters that a sent form means.

Structures are written as JSON. A secret never returns into a page: inside a structure its place is taken by `MARK`,
and the secret is typed into an input of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rolecall.console.explorer.calls import Hole, Value, json_text
from rolecall.console.sign_in import SECRET
from rolecall.contracts.model import Action, Bounds, Field, Kind, ListOf, Shape
from rolecall.domain import strict_json
from rolecall.domain.reasons import Refused
from rolecall.web.forms import Fields

MARK = "$SECRET"
"""Stands for a secret in a structure."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_NOT_TYPED = frozenset({"decoded_again"})
"""What a dialect adds of its own."""


@dataclass(frozen=True, slots=True)
class ExplorerInput:
    """An input for a parameter. `kind`: ``text``, ``area``, ``code``, ``select`` or ``secret``.

    `name` is that of the form's field; `type` is how the page names the parameter's type. `bounds` are those of its
    value. `sealed`: a structure that holds secrets, for which there is another input."""

    param: str
    name: str
    kind: str
    type: str
    required: bool
    default: str
    choices: tuple[str, ...]
    bounds: tuple[Bounds, ...]
    sealed: bool


class BadInput(Exception):
    """A structure is not JSON; `param` is the parameter, `where` says where the JSON breaks."""

    def __init__(self, param: str, where: str) -> None:
        super().__init__(where)
        self.param = param
        self.where = where


def fields_of(action: Action) -> Sequence[Field]:
    """The parameters that a caller sends."""
    return [field for field in action.params if field.name not in _NOT_TYPED]


def inputs_of(action: Action) -> list[ExplorerInput]:
    """In the contract's order, required parameters first."""
    return [_input(field) for field in sorted(fields_of(action), key=lambda field: not field.required)]


def _input(field: Field) -> ExplorerInput:
    choices = next((rule.choices for rule in field.rules if rule.choices), ())
    kind, sealed = "text", False
    if isinstance(field.type, ListOf | Shape):
        kind, sealed = "code", holds_secret(field.type)
    elif field.type is Kind.SECRET:
        kind = "secret"
    elif field.type in (Kind.DOCUMENT, Kind.JSON):
        kind = "area"
    elif field.type is Kind.BOOLEAN or choices:
        kind = "select"
    return ExplorerInput(
        field.name,
        f"{SECRET}{field.name}" if kind == "secret" else area_name(field) if sealed else field.name,
        kind,
        _type_name(field.type),
        field.required,
        "" if field.default is None else json_text(_tree(field.default)).strip('"'),
        ("true", "false") if field.type is Kind.BOOLEAN else choices,
        tuple(rule.bounds for rule in field.rules if rule.bounds is not None),
        sealed,
    )


def area_name(field: Field) -> str:
    """The form's field for a structure. One with secrets is named as a secret, so that nothing keeps it."""
    is_sealed = isinstance(field.type, ListOf | Shape) and holds_secret(field.type)
    return f"{SECRET}in_{field.name}" if is_sealed else field.name


def _tree(default: object) -> Value:
    return default if isinstance(default, str | bool | int | float) else str(default)


def _type_name(type_: Kind | ListOf | Shape) -> str:
    if isinstance(type_, ListOf):
        return f"list of {_type_name(type_.item)}"
    return type_.name if isinstance(type_, Shape) else type_.value


def holds_secret(type_: Kind | ListOf | Shape) -> bool:
    if isinstance(type_, ListOf):
        return holds_secret(type_.item)
    if isinstance(type_, Shape):
        return any(holds_secret(member.type) for member in type_.fields)
    return type_ is Kind.SECRET


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed. `params` has holes for secrets, `sent` has the secrets; `shown` is what inputs show again."""

    params: Mapping[str, Value]
    sent: Mapping[str, object]
    shown: Mapping[str, str]


def read(action: Action, typed: Fields) -> Given:
    """Raises `BadInput`. An empty input is not sent."""
    params: dict[str, Value] = {}
    sent: dict[str, object] = {}
    shown: dict[str, str] = {}
    for field in fields_of(action):
        secret = typed[f"{SECRET}{field.name}"]
        hole = Hole(variable_of(field.name))
        if field.type is Kind.SECRET:
            if secret or field.required:
                params[field.name] = hole
            if secret:
                sent[field.name] = secret
            continue
        text = typed[area_name(field)]
        if not text.strip():
            continue
        value = (
            _structure(field, text) if isinstance(field.type, ListOf | Shape) else _scalar(field.type, text)
        )
        shown[field.name] = text
        if isinstance(field.type, ListOf | Shape):
            masked = _masked(value, field.type, hole)
            params[field.name] = masked
            sent[field.name] = _filled(value, field.type, secret)
            shown[field.name] = json.dumps(masked, ensure_ascii=False, indent=2, default=lambda _: MARK)
        else:
            params[field.name] = sent[field.name] = value
    return Given(params, sent, shown)


def shown_again(action: Action, typed: Fields) -> dict[str, str]:
    """What inputs show after a structure could not be read: what may hold a secret is lost."""
    return {
        field.name: typed[field.name]
        for field in fields_of(action)
        if field.type is not Kind.SECRET and area_name(field) == field.name
    }


def variable_of(param: str) -> str:
    """The environment variable for a secret: ``NEW_PASSWORD`` of ``NewPassword``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", param).upper()
    return {"USERS": "PASSWORD", "USER": "PASSWORD", "INSTANCE": "PASSWORD", "SUBJECT": "SUBJECT_TOKEN"}.get(
        words, words
    )


def _scalar(type_: Kind, text: str) -> Value:
    """As JSON has it; a text that is not of the type is sent as it is, for the contract to refuse."""
    if type_ is Kind.INTEGER and _INTEGER.fullmatch(text.strip()):
        return int(text)
    if type_ is Kind.FLOAT:
        try:
            return float(text)
        except ValueError:
            return text
    if type_ is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    return text.replace("\r\n", "\n") if type_ is Kind.DOCUMENT else text


def _structure(field: Field, text: str) -> Value:
    try:
        json.loads(text)
        document = strict_json.decode(text.encode())
        strict_json.inspect(document)
    except json.JSONDecodeError as error:  # its message quotes nothing
        where = f"{error.msg}, line {error.lineno}, column {error.colno}"
        raise BadInput(field.name, where) from None
    except Refused as refusal:
        raise BadInput(field.name, refusal.note or str(refusal.reason.value)) from None
    except RecursionError:
        raise BadInput(field.name, "too deep") from None
    if _has_null(document):
        raise BadInput(field.name, "null is not a value: leave the member out")
    return document  # type: ignore[return-value]  # what JSON has


def _has_null(document: object) -> bool:
    if isinstance(document, dict):
        return any(map(_has_null, document.values()))
    return any(map(_has_null, document)) if isinstance(document, list) else document is None


def _masked(value: Value, type_: Kind | ListOf | Shape, hole: Hole) -> Value:
    """The value with holes for its secrets."""
    if type_ is Kind.SECRET:
        return hole
    if isinstance(type_, ListOf) and isinstance(value, list):
        return [_masked(item, type_.item, hole) for item in value]
    if isinstance(type_, Shape) and isinstance(value, dict):
        types = {member.name: member.type for member in type_.fields}
        return {
            name: _masked(item, types[name], hole) if name in types else item for name, item in value.items()
        }
    # What is not of the type could hold a secret in a wrong place.
    return hole if not isinstance(type_, Kind) and holds_secret(type_) else value


def _filled(value: Value, type_: Kind | ListOf | Shape, secret: str) -> object:
    """The value with the typed secret where it is marked."""
    if type_ is Kind.SECRET:
        return secret if value == MARK else value
    if isinstance(type_, ListOf) and isinstance(value, list):
        return [_filled(item, type_.item, secret) for item in value]
    if isinstance(type_, Shape) and isinstance(value, dict):
        types = {member.name: member.type for member in type_.fields}
        return {
            name: _filled(item, types[name], secret) if name in types else item
            for name, item in value.items()
        }
    return value

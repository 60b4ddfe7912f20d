"""What a contract is made of. Declarations only: `check` applies them, tests and docs are generated from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from rolecall.domain.reasons import Reason


class Kind(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    FLOAT = "float"
    SECRET = "secret"
    """A string that is wrapped in `Secret` at once, and never quoted in an answer."""
    DOCUMENT = "document"
    """A string that may have several lines, kept as it was sent."""
    JSON = "json"
    """A string that holds a JSON document, which is the value. A name that an object has twice breaks the type."""


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Kind | Shape
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of an integer, or of the number of characters of a text; both are allowed."""

    of: Literal["number", "characters"]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a value. `holds` is pure; `reason` refuses a value that breaks it, by `source`.

    `choices` are all values that hold, where they are few; `bounds` are all that it asks."""

    holds: Callable[[object], bool]
    reason: Reason
    source: str
    choices: tuple[str, ...] = ()
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a member of a structure. The first of its rules that is broken refuses."""

    name: str
    type: Kind | ListOf | Shape
    required: bool = False
    default: object = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A structure, by the vendor's name for it."""

    name: str
    fields: tuple[Field, ...]
    type: Callable[..., object]
    """The class of its values."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A vendor's answer to a reason. Wordings are templates over ``{field}``, ``{value}`` and the refusal's facts."""

    code: str
    english: str
    chinese: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `codes` are the error codes its vendor page lists; `errors` overrides the service's rows.

    A key of `errors` is a reason, or a (reason, field) pair where one field has its own code.
    `regions` empty means any region, None that the action takes none.
    """

    shape: Shape
    """Its name and its parameters: `rolecall.contracts.parameters.shape_of` a class."""
    source: str
    output: tuple[str, ...] = ()
    codes: frozenset[str] = frozenset()
    errors: Mapping[Reason | tuple[Reason, str], ErrorRow] = field(default_factory=dict)
    regions: frozenset[str] | None = frozenset()
    changes: bool = False
    rate: int = 20
    rate_seconds: int = 1
    """The period of `rate`."""
    rate_group: str = ""
    """Actions of the service with the same group share one rate, counted for the whole owner; else each has its own,
    counted for each caller."""
    public: bool = False
    """Answered without credentials."""
    resources: tuple[str, ...] = ("*",)
    """The names of its resources in policies: six segments with holes ``{region}``, ``{owner}``, ``{caller}`` and
    names of parameters (``{Info.GroupId}`` reaches into structures); a list fills a hole once for each of its items. A
    template that begins with ``?`` is left out if one of its holes is not filled: another then names the resource."""
    free: bool = False
    """Permitted to every caller: its answer is about the caller, or public."""
    blank_is_absent: bool = False
    """An optional text that is sent empty, and an optional integer that is sent as 0, count as not sent if the rules of
    the parameter refuse that value. Clients in Go send both for every field that was not set."""
    mints_secret: bool = False
    """Its answer holds a secret: a new key, a token, a password."""

    @property
    def name(self) -> str:
        return self.shape.name

    @property
    def params(self) -> tuple[Field, ...]:
        return self.shape.fields

    @property
    def carries_secret(self) -> bool:
        """Whether a secret is among its parameters or in its answer: such a call requires TLS."""
        return self.mints_secret or any(_is_secret(param.type) for param in self.params)


@dataclass(frozen=True, slots=True)
class Contract:
    """One service at one version."""

    dialect: str
    service: str
    version: str
    actions: Mapping[str, Action]
    errors: Mapping[Reason | tuple[Reason, str], ErrorRow]
    policy_service: str = ""
    """The name of the service in policies, if it differs from the contract's."""
    region_is_ours: bool = False
    """The region of its calls is ours: callers do not name one."""

    def codes(self) -> Iterator[str]:
        """The codes of all its rows; templates have their holes."""
        for table in (self.errors, *(action.errors for action in self.actions.values())):
            yield from (row.code for row in table.values())

    def row(self, action: str | None, reason: Reason, field: str = "") -> ErrorRow | None:
        """The most specific row: of the action before the service, for the field before any field."""
        tables = [self.errors]
        if action is not None and action in self.actions:
            tables.insert(0, self.actions[action].errors)
        for table in tables:
            for key in ((reason, field), reason):
                if key in table:
                    return table[key]
        return None


def _is_secret(type_: Kind | ListOf | Shape) -> bool:
    if isinstance(type_, ListOf):
        return _is_secret(type_.item)
    if isinstance(type_, Shape):
        return any(_is_secret(member.type) for member in type_.fields)
    return type_ is Kind.SECRET


def matches(pattern: str, reason: Reason, source: str) -> Rule:
    """The whole text matches a regular expression."""
    compiled = re.compile(pattern)
    return Rule(lambda value: compiled.fullmatch(str(value)) is not None, reason, source)


def one_of(values: tuple[str, ...], reason: Reason, source: str) -> Rule:
    return Rule(lambda value: value in values, reason, source, values)


def between(low: int, high: int, reason: Reason, source: str) -> Rule:
    """An integer of low..high, both allowed."""
    bounds = Bounds("number", low, high)
    return Rule(lambda value: isinstance(value, int) and low <= value <= high, reason, source, bounds=bounds)


def at_most(characters: int, reason: Reason, source: str) -> Rule:
    """A text of at most that many characters."""
    bounds = Bounds("characters", 0, characters)
    return Rule(lambda value: len(str(value)) <= characters, reason, source, bounds=bounds)


def spans(low: int, high: int, reason: Reason, source: str) -> Rule:
    """A text of low..high characters, both allowed."""
    bounds = Bounds("characters", low, high)
    return Rule(lambda value: low <= len(str(value)) <= high, reason, source, bounds=bounds)


def none_of(words: frozenset[str], reason: Reason, source: str) -> Rule:
    """Not one of some lower-case words, however it is spelt."""
    return Rule(lambda value: str(value).lower() not in words, reason, source)


def not_starting(prefixes: tuple[str, ...], reason: Reason, source: str) -> Rule:
    """Starting with none of some lower-case prefixes, however they are spelt."""
    return Rule(lambda value: not str(value).lower().startswith(prefixes), reason, source)


def contains_each(classes: tuple[str, ...], reason: Reason, source: str) -> Rule:
    """At least one character of each class; a class is the inside of a regular expression's brackets."""
    searches = tuple(re.compile(f"[{characters}]").search for characters in classes)
    return Rule(lambda value: all(search(str(value)) for search in searches), reason, source)


def unless(exempt: Callable[[object], bool], rule: Rule) -> Rule:
    """The rule, for values that are not exempt from it."""
    return Rule(lambda value: exempt(value) or rule.holds(value), rule.reason, rule.source)

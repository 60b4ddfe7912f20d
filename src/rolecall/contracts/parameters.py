"""Parameters of actions as classes: one declaration of name, type, requiredness, default and rules.

    class DeleteUser(Params):
        Name: Annotated[str, NAME]
        Force: Annotated[int, FLAG] = 0
        Reason: str | None = None

An attribute without a default is a required parameter. One of a type that may be None, with the default None, is
absent if it was not sent. Types are ``str``, ``int``, ``bool``, ``float``, `Secret`, lists of these, and other
classes of this kind, which are structures. ``Annotated`` adds rules, the most items of a list, and a `Kind` that the
type does not determine (``DOCUMENT``, ``JSON``). `contracts.check` makes the instances.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Annotated, Any, ClassVar, dataclass_transform

from rolecall.contracts.model import Field, Kind, ListOf, Rule, Shape
from rolecall.values import Secret


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Params:
    """The parameters of an action, or a structure among them. `shape` is its name, if it is not that of the class.

    Not a dataclass: to generate the methods of 245 of them would take a third of the time in which contracts are
    imported. `contracts.check` gives the values of all attributes that have no default.
    """

    shape: ClassVar[str] = ""

    def __init_subclass__(cls, *, shape: str = "") -> None:
        cls.shape = shape or cls.__name__

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in {*vars(self), *vars(other)}
        )

    __hash__ = None  # type: ignore[assignment]  # lists have none

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
        )


@dataclass(frozen=True, slots=True)
class Most:
    """The most items of a list."""

    items: int


_KINDS: Mapping[object, Kind] = {
    str: Kind.STRING,
    int: Kind.INTEGER,
    bool: Kind.BOOLEAN,
    float: Kind.FLOAT,
    Secret: Kind.SECRET,
}


def shape_of(params: type[Params]) -> Shape:
    """The fields that a class declares, in its order, those of its bases first. TypeError for an unknown type."""
    hints = typing.get_type_hints(params, include_extras=True)
    fields = tuple(
        _field(name, hint, getattr(params, name, MISSING))
        for name, hint in hints.items()
        if typing.get_origin(hint) is not ClassVar
    )
    return Shape(params.shape, fields, params)


def _field(name: str, hint: Any, default: object) -> Field:
    type_, marks = _bare(hint)
    required = default is MISSING
    rules = tuple(mark for mark in marks if isinstance(mark, Rule))
    return Field(name, _type_of(type_, marks), required, None if required else default, rules)


def _bare(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """A type without None and ``Annotated``, and its annotations."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    if typing.get_origin(hint) is Annotated:
        return hint.__origin__, tuple(_flat(hint.__metadata__))
    return hint, ()


def _flat(marks: tuple[object, ...]) -> Iterator[object]:
    for mark in marks:
        if isinstance(mark, tuple):
            yield from mark
        else:
            yield mark


def _type_of(type_: Any, marks: tuple[object, ...]) -> Kind | ListOf | Shape:
    for mark in marks:
        if isinstance(mark, Kind):
            return mark
    if typing.get_origin(type_) is list:
        item, inner = _bare(typing.get_args(type_)[0])
        kind = _type_of(item, inner)
        if isinstance(kind, ListOf):
            raise TypeError("a parameter cannot be a list of lists")
        return ListOf(kind, next((mark.items for mark in marks if isinstance(mark, Most)), None))
    if isinstance(type_, type) and issubclass(type_, Params):
        return shape_of(type_)
    if type_ in _KINDS:
        return _KINDS[type_]
    raise TypeError(f"a parameter cannot be of type {type_}")

"""Typed reading of checked parameters: the contract has seen to the types, these tell the type checker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

from rolecall import values, verbs
from rolecall.domain.messages import Command
from rolecall.values import Secret

_T = TypeVar("_T")

Params = Mapping[str, object]
Checked: TypeAlias = values.Checked[dict[str, object]]


def loose(
    command: Callable[[Checked, verbs.Decipher], Command[_T]], answer: Callable[[Checked, _T], verbs.Answer]
) -> verbs.Verb[dict[str, object], _T]:
    return verbs.Verb(dict, command, answer)


def loose_static(static: Callable[[Checked], verbs.Answer]) -> verbs.StaticVerb[dict[str, object]]:
    return verbs.StaticVerb(dict, static)


def loose_issuing(
    issue: Callable[[Checked, values.TokenIssuer], verbs.Answer],
) -> verbs.IssuingVerb[dict[str, object]]:
    return verbs.IssuingVerb(dict, issue)


def text(params: Params, name: str) -> str:
    """Empty where the parameter is absent."""
    return cast("str", params.get(name, ""))


def number(params: Params, name: str) -> int:
    return cast("int", params[name])


def flag(params: Params, name: str) -> bool:
    """False where the parameter is absent."""
    return cast("bool", params.get(name, False))


def secret(params: Params, name: str) -> Secret | None:
    return cast("Secret | None", params.get(name))


def texts(params: Params, name: str) -> Sequence[str]:
    """Empty where the parameter is absent."""
    return cast("Sequence[str]", params.get(name, ()))


def structures(params: Params, name: str) -> Sequence[Params]:
    """Empty where the parameter is absent."""
    return cast("Sequence[Params]", params.get(name, ()))


def structure(params: Params, name: str) -> Params | None:
    return cast("Params | None", params.get(name))

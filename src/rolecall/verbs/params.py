"""Typed reading of checked parameters: the contract has seen to the types, these tell the type checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from rolecall.values import Secret

Params = Mapping[str, object]


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

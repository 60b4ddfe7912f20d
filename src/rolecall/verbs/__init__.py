"""Verbs translate a checked call to a neutral command, and the outcome of the command to the vendor's answer.

Each service has a package with a literal table `VERBS`. Verbs hold the quirks of a vendor and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from rolecall.contracts.parameters import Params
from rolecall.domain.bus import Bus
from rolecall.domain.messages import Command
from rolecall.values import Checked, Origin, Secret, TokenIssuer

_P = TypeVar("_P", bound=Params)
_T = TypeVar("_T")

Answer: TypeAlias = dict[str, object]
"""The content of the vendor's envelope, without the request id: strings, numbers, booleans, lists and dicts."""

Decipher: TypeAlias = Callable[[Secret], Secret]
"""Base64 text of an RSA-OAEP ciphertext -> the plain text; raises `Refused` (PASSWORD_UNDECIPHERABLE)."""


class Served(Protocol):
    """The answer to a checked call; `issuer` makes tokens where the proven credential can be exchanged for one."""

    @property
    def action(self) -> str: ...
    async def serve(
        self,
        checked: Checked[object],
        decipher: Decipher,
        bus: Bus,
        origin: Origin,
        issuer: TokenIssuer | None,
        /,
    ) -> Answer: ...


Verbs: TypeAlias = Mapping[str, Served]


def verbs_of(*verbs: Served) -> Verbs:
    return {verb.action: verb for verb in verbs}


@dataclass(frozen=True, slots=True)
class _Action(Generic[_P]):
    params: type[_P]

    @property
    def action(self) -> str:
        return self.params.shape


@dataclass(frozen=True, slots=True)
class Verb(_Action[_P], Generic[_P, _T]):
    """`command` may refuse what no rule of a single field can express; `answer` takes the outcome of the command."""

    command: Callable[[Checked[_P], Decipher], Command[_T]]
    answer: Callable[[Checked[_P], _T], Answer]

    async def serve(
        self,
        checked: Checked[object],
        decipher: Decipher,
        bus: Bus,
        origin: Origin,
        _issuer: TokenIssuer | None,
    ) -> Answer:
        typed = checked.of(self.params)
        return self.answer(typed, await bus.execute(self.command(typed, decipher), origin))


def verb(
    params: type[_P], command: Callable[[_P], Command[_T]], answer: Callable[[Checked[_P], _T], Answer]
) -> Verb[_P, _T]:
    """An action whose command depends on its parameters alone."""
    return Verb(params, lambda checked, _: command(checked.params), answer)


def call_verb(
    params: type[_P],
    command: Callable[[Checked[_P]], Command[_T]],
    answer: Callable[[Checked[_P], _T], Answer],
) -> Verb[_P, _T]:
    """An action whose command depends on who calls, when or where, too."""
    return Verb(params, lambda checked, _: command(checked), answer)


@dataclass(frozen=True, slots=True)
class StaticVerb(_Action[_P]):
    """An action that is answered from tables, without the domain."""

    static: Callable[[Checked[_P]], Answer]

    async def serve(
        self,
        checked: Checked[object],
        _decipher: Decipher,
        _bus: Bus,
        _origin: Origin,
        _issuer: TokenIssuer | None,
    ) -> Answer:
        return self.static(checked.of(self.params))


@dataclass(frozen=True, slots=True)
class IssuingVerb(_Action[_P]):
    """An action that exchanges the proven credential for a token."""

    issue: Callable[[Checked[_P], TokenIssuer], Answer]

    async def serve(
        self,
        checked: Checked[object],
        _decipher: Decipher,
        _bus: Bus,
        _origin: Origin,
        issuer: TokenIssuer | None,
    ) -> Answer:
        if issuer is None:
            raise RuntimeError("the credential cannot be exchanged for a token")
        return self.issue(checked.of(self.params), issuer)


def nothing(_checked: Checked[object], _outcome: object) -> Answer:
    """The answer of actions without output."""
    return {}

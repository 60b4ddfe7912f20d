"""Who is permitted what: every call of every dialect asks here before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rolecall.values import Caller


@dataclass(frozen=True, slots=True)
class Ask:
    """`operation` as policies spell it, ``postgres:CreateAccount``; `resources` as six segments, or ``*``.

    Every resource must be permitted. `context` holds the values of condition keys, such as ``qcs:ip``; None is what the
    house does not know, whatever the call says of it.
    """

    operation: str
    resources: tuple[str, ...]
    context: Mapping[str, str | None]


class Permissions(Protocol):
    async def permit(self, caller: Caller, ask: Ask) -> None:
        """NOT_PERMITTED, with the facts ``operation`` and ``resource`` of what was refused."""

"""Permission requests: every call of every dialect makes one before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from rolecall.values import Caller


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """`operation` as policies spell it, ``postgres:CreateAccount``; `resources` as six segments, or ``*``.

    Every resource must be permitted. `context` holds the values of condition keys, such as ``qcs:ip``; None is what the
    server does not know, whatever the call says of it.
    """

    operation: str
    resources: tuple[str, ...]
    context: Mapping[str, str | None]


class Permissions(Protocol):
    async def permit(self, caller: Caller, request: PolicyRequest) -> None:
        """NOT_PERMITTED, with the facts ``operation`` and ``resource`` of what was refused."""


def call_context(
    caller: Caller, *, now: float, client: str, secure: bool, region: str | None
) -> dict[str, str | None]:
    """The condition keys that every call has. `now` in seconds since 1970; `region` None where a service has none that
    could be trusted."""
    return {
        "qcs:ip": client,
        "qcs:current_time": _in_utc(int(now)),
        "qcs:secure_transport": "true" if secure else "false",
        "qcs:region": region,
        "qcs:uin": str(caller.principal),
        "qcs:owner_uin": str(caller.owner_number),
    }


@lru_cache(maxsize=4)
def _in_utc(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

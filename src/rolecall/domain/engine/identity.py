"""Identity: names are reused, so a change is bound to the account or database that it was accepted for.

An engine gives every account an identity that no other account of the server has or will have, and compares it in the
transaction, or under the lock, that changes or drops the account. Only the engine knows what an identity consists of.

The changes of one account have an order, in which they were applied. The engine stores it in the account's marker: each
change gets a higher number than the one before. The clock is a lower bound, so that numbers keep growing after a marker
was lost (a comment overwritten by SQL, a server restored from a backup).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rolecall import ambient
from rolecall.domain.reasons import Reason, Refused

FIRST = 0
"""The order of a creation, and of changes whose marker has no order."""

CLOCKS_DIFFER = 3_600_000_000
"""Microseconds by which clocks may differ."""

EARLIER_KEPT = 8
"""How many operations before the last one a marker remembers."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The account that a change is meant for, as it was when the change was accepted.

    With `order` the change is applied only if no other change was applied since. An empty identity: the account did not
    exist.
    """

    identity: str
    order: int | None = None


NO_ACCOUNT = Expected("")
"""The account did not exist."""

Fence = Callable[[], Awaitable[None]]
"""Called under the lock of what is to be created, which is held until the commit. If it raises a `Refused`, nothing is
created, and that is raised, unless the server shows that the operation has already created it.

So no process creates again what others created for it and deleted since, nor what they took over.
"""


class Superseded(Refused):
    """The account or database that a change was meant for was dropped, and another one has its name."""


class MovedAway(Superseded):
    """The account that was to be deleted has another name now: it stays."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Reason.ACCOUNT_MISSING, facts={"value": name}, note="the account has another name now"
        )


class AppliedBefore(Refused):
    """This operation created the account or database before, and it was dropped since: it is not created again."""

    def __init__(self) -> None:
        super().__init__(Reason.ACCOUNT_MISSING, note="it was created, and dropped since")


class ChangedMeanwhile(Refused):
    """Another change was applied to the account since it was read: ENGINE_BUSY."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Reason.ENGINE_BUSY, facts={"value": name}, note="another change was applied meanwhile"
        )


def superseded_account(name: str) -> Superseded:
    return Superseded(Reason.ACCOUNT_MISSING, facts={"value": name}, note="another account has its name")


def superseded_database(name: str) -> Superseded:
    return Superseded(Reason.DATABASE_MISSING, facts={"value": name}, note="another database has its name")


def next_order(before: int) -> int:
    """The order of a change that is applied now, after one of order `before`.

    An order far ahead of the clock is not Rolecall's: a tenant that may write comments may write markers.
    """
    floor = int(ambient.unix() * 1_000_000)
    return floor if before > floor + CLOCKS_DIFFER else max(before + 1, floor)


def require_identity(expected: Expected | None, name: str, identity: str) -> None:
    """`Superseded` if it is another account. None expects nothing."""
    if expected is not None and expected.identity != identity:
        raise superseded_account(name)


def require_order(expected: Expected | None, name: str, order: int) -> None:
    """`ChangedMeanwhile` if another change was applied since. None expects nothing."""
    if expected is not None and expected.order not in (None, order):
        raise ChangedMeanwhile(name)

"""Identity: names are used again, so a change is bound to the account, or the database, that it was accepted for.

An engine gives every account an identity that no other account of the server has or will have, and compares it in the
transaction, or under the lock, that changes or drops. What the identity is made of is the engine's; it is never read.

The changes of one account have an order, in which they were applied. The engine keeps it in the account's marker: each
change is numbered above the one before it. The clock is a floor and no more, so that the numbers go on above those
given before where a marker was lost (a comment overwritten by SQL, a server restored from a backup).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rolecall import ambient
from rolecall.domain.reasons import Reason, Refused

FIRST = 0
"""The order of a creation, and of changes whose marker has none."""

_AHEAD = 3_600_000_000
"""Microseconds that clocks may differ by."""

EARLIER_KEPT = 8
"""How many operations before the last one a marker remembers."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The account that a change is meant for, as it was when the change was accepted.

    With `order` the change is carried out only if no other change has been applied since. An empty identity: there was
    no such account.
    """

    identity: str
    order: int | None = None


NOBODY = Expected("")

Fence = Callable[[], Awaitable[None]]
"""Asked under the lock of what is to be made, which is held until that is committed. Nothing is made if it raises, and
what it raises, a `Refused`, is raised, unless the server shows that the operation has made it.

So no process makes again what others have made for it, and deleted, since it last asked; nor what they took over.
"""


class Superseded(Refused):
    """The account, or the database, that a change was meant for is gone, and another one has its name."""


class AppliedBefore(Refused):
    """What is to be made was made by this very operation before, and is gone: it is not made again."""

    def __init__(self) -> None:
        super().__init__(Reason.ACCOUNT_MISSING, note="it was made, and is gone since")


class ChangedMeanwhile(Refused):
    """Another change was applied to the account since it was looked at: ENGINE_BUSY."""

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

    One far ahead of the clock was not given here: where a tenant may write comments, it may write markers.
    """
    floor = int(ambient.unix() * 1_000_000)
    return floor if before > floor + _AHEAD else max(before + 1, floor)


def require_identity(expected: Expected | None, name: str, identity: str) -> None:
    """`Superseded` if it is another account. None expects nothing."""
    if expected is not None and expected.identity != identity:
        raise superseded_account(name)


def require_order(expected: Expected | None, name: str, order: int) -> None:
    """`ChangedMeanwhile` if another change was applied since."""
    if expected is not None and expected.order not in (None, order):
        raise ChangedMeanwhile(name)

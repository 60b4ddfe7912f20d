"""Pages of the accounts of one server: what engines and the store read of a long list.

Accounts are in the order of their display names, by code point. A page begins beyond a display name, so that a late
one costs what the first does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:  # which names `AccountListing` in turn
    from rolecall.domain.engine import AccountFacts

AccountPlace: TypeAlias = tuple[str, str]
"""An account's name and host; the host is empty where accounts have none."""

Item = TypeVar("Item")


def display_name(name: str, host: str) -> str:
    """How operations and messages name an account: ``name``, or ``name@host``."""
    return f"{name}@{host}" if host else name


@dataclass(frozen=True, slots=True)
class AccountSlice:
    """Up to `limit` accounts after the display name `start`, or before it; those whose display name has `contains`.

    Without `start` they are the first, or the last if `is_backward`.
    """

    limit: int
    start: str = ""
    is_backward: bool = False
    contains: str = ""

    @property
    def is_text(self) -> bool:
        """Whether a name could have its texts: servers store no NUL and no lone surrogate."""
        text = self.start + self.contains
        return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)

    def is_beyond(self, name: str) -> bool:
        """Whether a display name is on the side of `start` that is read."""
        return not self.start or (name < self.start if self.is_backward else name > self.start)

    def cut(self, items: Iterable[Item], place: Callable[[Item], AccountPlace]) -> list[Item]:
        """The slice of these items, in ascending order."""
        named = ((display_name(*place(item)), item) for item in items)
        held = [pair for pair in named if self.contains in pair[0] and self.is_beyond(pair[0])]
        held.sort(key=lambda pair: pair[0], reverse=self.is_backward)
        ordered = [item for _, item in held[: self.limit]]
        return ordered[::-1] if self.is_backward else ordered


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A slice, ascending. `total` counts all accounts with `contains`, `beyond` those on the side of `start` read."""

    items: tuple[AccountFacts, ...]
    total: int
    beyond: int


class IdentifiedPlace(NamedTuple):
    """A place with the identity of its account (`AccountFacts.identity`). A tuple: there may be 100,000."""

    name: str
    host: str
    identity: str

    @property
    def place(self) -> AccountPlace:
        return self.name, self.host


class AccountListing(Protocol):
    """The accounts that `Engine.accounts` lists, in parts. Refuses as the methods of `Engine` do."""

    async def page(self, asked: AccountSlice) -> AccountPage: ...
    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        """Those of these places that are there, in any order."""

    async def places(self) -> Sequence[IdentifiedPlace]:
        """Of all accounts, by display name."""

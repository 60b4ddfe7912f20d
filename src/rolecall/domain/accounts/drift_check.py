"""Compares the accounts of a server with what was recorded of them, page by page.

Both change meanwhile. So what seems to differ is read again: the record before and after the server, and what is under
way. A difference is reported only if the record stayed the same and nothing that is open concerns it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import UNSET

from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.drift import (
    AccountDrift,
    Changes,
    DatabaseChange,
    DriftStanding,
    StateRow,
    by_database,
    compared,
    with_fingerprint,
)
from rolecall.domain.engine.pages import AccountPlace, display_name
from rolecall.domain.engine.states import GRANTS, MEMBERSHIPS, FoundState, give_way
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.reasons import Reason, Refused

PAGE = 5_000
"""Accounts that are compared at once, while as many are read."""

_ATTEMPTS = 5
_PAUSE = 0.2
"""Seconds until another look at accounts that are being changed."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """An operation that is open, or was interrupted and is looked for (then `is_open` is False)."""

    id: UUID
    kind: str
    target: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """An account, and what it was compared with. The password of `account` is a fingerprint."""

    drift: AccountDrift
    row: StateRow | None
    account: FoundState | None
    changes: Changes


class StateRepository(Protocol):
    """What was recorded of the states of accounts. Rows of deleted accounts are not shown."""

    async def states_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[StateRow]: ...
    async def recorded_places(
        self, instance_id: int, after: AccountPlace | None, limit: int
    ) -> Sequence[AccountPlace]:
        """In some order."""

    async def database_changes(self, instance_id: int) -> Sequence[DatabaseChange]: ...
    async def spans(self, instance_id: int, databases: Sequence[str]) -> Sequence[DatabaseChange]:
        """The changes of these databases, with when they were recorded. Deletions of the same database are one."""

    async def role_changes(self, instance_id: int, names: Sequence[str]) -> Sequence[DatabaseChange]:
        """Of these accounts: when they were deleted, or created."""

    async def open_changes(self, instance_id: int) -> Sequence[OpenChange]: ...


class _Page(NamedTuple):
    """Accounts of a server, and what was recorded of them."""

    found: Sequence[FoundState]
    rows: Mapping[AccountPlace, StateRow]


class DriftCheck:
    def __init__(self, context: AccountContext, repository: StateRepository) -> None:
        self._context = context
        self._repository = repository

    async def check(self, connected: ConnectedInstance) -> AsyncIterator[AccountDrift]:
        """Every account that is not in sync. What the engine refuses.

        Those that are changed again and again meanwhile are left out: their changes are recorded.
        """
        instance_id, seen = connected.instance.id, set[AccountPlace]()
        changes = by_database(await self._repository.database_changes(instance_id))
        async with aclosing(self._pages(connected)) as pages:
            async for found, rows in pages:
                doubtful: list[AccountPlace] = []
                for number, one in enumerate(found):
                    await give_way(number)
                    place = one.facts.name, one.facts.host
                    seen.add(place)
                    drift = compared(rows.get(place), self._known(connected, one), changes)
                    if drift is None or drift.standing is DriftStanding.IN_SYNC:
                        continue
                    if drift.is_drift or one.facts.operations:
                        doubtful.append(place)
                    else:
                        yield drift
                async for drift in self._confirmed(connected, doubtful):
                    yield drift
        async for drift in self._missing(connected, seen):
            yield drift

    async def _pages(self, connected: ConnectedInstance) -> AsyncGenerator[_Page, None]:
        """Each is read while the one before it is compared."""
        reading = asyncio.create_task(self._page(connected, None))
        try:
            while (page := await reading).found:
                last = page.found[-1].facts
                reading = asyncio.create_task(self._page(connected, (last.name, last.host)))
                yield page
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _page(self, connected: ConnectedInstance, after: AccountPlace | None) -> _Page:
        found = await connected.engine.states.page(after, PAGE)
        places = [(account.facts.name, account.facts.host) for account in found]
        rows = await self._repository.states_at(connected.instance.id, places) if places else ()
        return _Page(found, {row.place: row for row in rows})

    async def settled(self, connected: ConnectedInstance, place: AccountPlace) -> Comparison | None:
        """One account, in sync or not. ENGINE_BUSY while it is changed.

        None if neither the server nor the store has it, or if it is protected and was never managed.
        """
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_PAUSE)
            found, left = await self._look(connected, [place])
            if not left:
                return found.get(place)
        raise Refused(Reason.ENGINE_BUSY, note="other changes of the account are under way")

    async def _missing(
        self, connected: ConnectedInstance, seen: set[AccountPlace]
    ) -> AsyncIterator[AccountDrift]:
        after: AccountPlace | None = None
        while places := await self._repository.recorded_places(connected.instance.id, after, PAGE):
            after = places[-1]
            async for drift in self._confirmed(connected, [place for place in places if place not in seen]):
                yield drift

    async def _confirmed(
        self, connected: ConnectedInstance, doubtful: Sequence[AccountPlace]
    ) -> AsyncIterator[AccountDrift]:
        left = list(doubtful)
        for attempt in range(_ATTEMPTS):
            if not left:
                return
            if attempt:
                await asyncio.sleep(_PAUSE)
            certain, left = await self._look(connected, left)
            for found in certain.values():
                if found.drift.standing is not DriftStanding.IN_SYNC:
                    yield found.drift

    async def _look(
        self, connected: ConnectedInstance, places: Sequence[AccountPlace]
    ) -> tuple[Mapping[AccountPlace, Comparison], list[AccountPlace]]:
        """What is certain, and the accounts that are being changed."""
        instance_id, repository = connected.instance.id, self._repository
        before = {row.place: row for row in await repository.states_at(instance_id, places)}
        states = await connected.engine.states.at(places)
        found = {(account.facts.name, account.facts.host): account for account in states}
        under_way = await repository.open_changes(instance_id)
        changes = by_database(await repository.database_changes(instance_id))
        after = {row.place: row for row in await repository.states_at(instance_id, places)}
        roles: set[str] = set()
        databases: set[str] = set()
        for number, place in enumerate(places):
            await give_way(number)
            drift = self._drift(connected, after.get(place), found.get(place), changes)
            differences = () if drift is None else drift.differences
            roles.update(each.subject for each in differences if each.field == MEMBERSHIPS)
            databases.update(each.database for each in differences if each.field == GRANTS)
        if databases:
            spans = by_database(await repository.spans(instance_id, sorted(databases)))
            changes = {**changes, **{name: spans.get(name, ()) for name in databases}}
        if roles:
            changes = {**changes, **by_database(await repository.role_changes(instance_id, sorted(roles)))}
        certain: dict[AccountPlace, Comparison] = {}
        left: list[AccountPlace] = []
        for number, place in enumerate(places):
            await give_way(number)
            row, account = after.get(place), found.get(place)
            known = None if account is None else self._known(connected, account)
            drift = compared(row, known, changes)
            if before.get(place) != row or _is_concerned(place, found.get(place), drift, under_way):
                left.append(place)
            elif drift is not None:
                certain[place] = Comparison(drift, row, known, changes)
        return certain, left

    def _drift(
        self,
        connected: ConnectedInstance,
        row: StateRow | None,
        found: FoundState | None,
        changes: Changes,
    ) -> AccountDrift | None:
        return compared(row, None if found is None else self._known(connected, found), changes)

    def _known(self, connected: ConnectedInstance, found: FoundState) -> FoundState:
        """With the fingerprint of its password."""
        digest = found.state.password
        if digest is UNSET or digest is None:
            return found
        fingerprint = self._context.fingerprint(connected.instance.id, found.facts.identity, digest)
        return with_fingerprint(found, fingerprint)


def _is_concerned(
    place: AccountPlace, found: FoundState | None, drift: AccountDrift | None, under_way: Sequence[OpenChange]
) -> bool:
    """Whether an open change may be what makes an account differ."""
    name = display_name(*place)
    applied = frozenset() if found is None else frozenset(found.facts.operations)
    differences = () if drift is None else drift.differences
    databases = {difference.database for difference in differences}
    roles = {difference.subject for difference in differences if difference.field == MEMBERSHIPS}
    return any(
        change.id in applied
        or (change.is_open and (change.target == name or change.target in roles))
        or (change.is_open and change.kind.startswith("database.") and change.target in databases)
        for change in under_way
    )

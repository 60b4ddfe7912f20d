"""Drift: how an account on a server differs from what was last recorded of it. Pure: nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, Struct, structs

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import CLOCKS_DIFFER
from rolecall.domain.engine.pages import AccountPlace, display_name
from rolecall.domain.engine.states import (
    AWAITED,
    FIELDS,
    GRANT,
    GRANTS,
    MEMBER,
    MEMBERSHIPS,
    NEVER,
    OF,
    PRIVILEGE,
    ROLE,
    UNLIMITED,
    FoundState,
    Recorded,
    Value,
)

RIGHTS = "rights"
"""The field of an account that has more than a tenant may have, and so is protected."""


class DriftStanding(StrEnum):
    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    """It differs from what was recorded."""
    MISSING = "missing"
    """SQL has dropped it."""
    CHANGED = "changed"
    """SQL has dropped it and created another account of its name."""
    UNRECORDED = "unrecorded"
    """Its state, or a part of it, was not recorded yet."""
    FOREIGN = "foreign"
    """SQL created it."""


DRIFT = frozenset({DriftStanding.DRIFTED, DriftStanding.MISSING, DriftStanding.CHANGED})
"""What is reported as drift. Servers have foreign accounts when they are registered, and stores unrecorded ones."""


class StateRow(Struct, frozen=True):
    """What the store holds of an account's state. `state` None: nothing was recorded."""

    name: str
    host: str
    identity: str
    created_at: datetime | None
    applied_order: int
    state: Recorded | None

    @property
    def place(self) -> AccountPlace:
        return self.name, self.host

    @property
    def current(self) -> Recorded:
        """What was recorded, unless an earlier release has recorded changes without states since."""
        state = self.state
        return state if state and tuple(state[OF]) == (self.identity, self.applied_order) else {}

    def is_of(self, facts: AccountFacts) -> bool:
        """As `AccountRow.is_of`."""
        return self.identity == facts.identity if self.identity else facts.marker is not None


@dataclass(frozen=True, slots=True)
class DatabaseChange:
    """A change of a database that took grants on it away. `account` is a display name; empty: every account.

    With MEMBER before a role's name as `database`: the role was deleted, and memberships in it were taken away.
    `identity` is then the role's; empty: any role of that name.

    It was applied after `changed_at`, and before `until` if that is known: whether it came before or after a grant that
    was recorded between the two is not known.
    """

    database: str
    account: str
    awaited: bool
    changed_at: datetime
    identity: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """`field` is of `AccountState`, or RIGHTS. `subject`: the role, database or privilege on a database, if any."""

    field: str
    subject: str
    recorded: str
    found: str
    database: str = ""


@dataclass(frozen=True, slots=True)
class AccountDrift:
    """An account compared with its record. `unrecorded` are fields of which nothing was recorded."""

    name: str
    host: str
    standing: DriftStanding
    differences: tuple[Difference, ...] = ()
    unrecorded: tuple[str, ...] = ()

    @property
    def is_drift(self) -> bool:
        return self.standing in DRIFT

    @property
    def kinds(self) -> Iterator[str]:
        """What it counts as in figures: the fields that differ, or its standing."""
        if self.standing is DriftStanding.DRIFTED:
            yield from sorted({difference.field for difference in self.differences})
        elif self.standing is not DriftStanding.IN_SYNC:
            yield self.standing.value


def compared(
    row: StateRow | None, found: FoundState | None, changes: Sequence[DatabaseChange]
) -> AccountDrift | None:
    """The password of `found` is a fingerprint. None for an account that Rolecall neither manages nor may change."""
    if found is None:
        return None if row is None else AccountDrift(row.name, row.host, DriftStanding.MISSING)
    facts = found.facts
    name, host = facts.name, facts.host
    if row is None:
        return None if facts.is_protected else AccountDrift(name, host, DriftStanding.FOREIGN)
    if not row.is_of(facts):
        is_ours = row.created_at is not None
        return AccountDrift(name, host, DriftStanding.CHANGED if is_ours else DriftStanding.FOREIGN)
    differences = tuple(_differences(row, found, changes))
    unrecorded = tuple(_unrecorded(row.current, found))
    if differences:
        standing = DriftStanding.DRIFTED
    elif unrecorded:
        standing = DriftStanding.FOREIGN if row.created_at is None else DriftStanding.UNRECORDED
    else:
        standing = DriftStanding.IN_SYNC
    return AccountDrift(name, host, standing, differences, unrecorded)


def _differences(row: StateRow, found: FoundState, changes: Sequence[DatabaseChange]) -> Iterator[Difference]:
    recorded, state = without_taken(row, changes), found.state
    if found.facts.is_protected and row.created_at is not None:
        yield Difference(RIGHTS, "", "those of a tenant", "more than a tenant may have")
    for field in FIELDS:
        now = getattr(state, field)
        if now is UNSET or field not in recorded:
            continue
        before = recorded[field][0]
        if before is not None and before != now:
            yield Difference(field, "", *_described(field, before, now))
    expected, is_whole = held(recorded, MEMBER, MEMBERSHIPS)
    for role in sorted(expected.keys() | state.memberships.keys()):
        if role in expected or is_whole:
            yield from _difference(MEMBERSHIPS, role, "", expected.get(role), state.memberships.get(role))
    yield from _grant_differences(recorded, found, in_doubt(row, changes))


def _grant_differences(
    recorded: Recorded, found: FoundState, doubtful: frozenset[str]
) -> Iterator[Difference]:
    expected, is_whole = held(recorded, GRANT, GRANTS)
    grants = found.state.grants
    for database in sorted(expected.keys() | grants.keys()):
        if (database in expected or is_whole) and GRANT + database not in doubtful:
            yield from _difference(GRANTS, database, database, expected.get(database), grants.get(database))
    expected, is_whole = held(recorded, PRIVILEGE, GRANTS)
    there = {f"{word}:{name}": True for name, words in found.state.privileges.items() for word in words}
    for key in sorted(expected.keys() | there.keys()):
        word, _, database = key.partition(":")
        if database in found.owned or PRIVILEGE + key in doubtful:
            continue
        if key in expected or is_whole:
            before, now = expected.get(key) or None, there.get(key)
            yield from _difference(GRANTS, f"{word} on {database}", database, before, now)


def held(recorded: Recorded, prefix: str, whole: str) -> tuple[dict[str, Value], bool]:
    """What was recorded of memberships or grants, by what follows `prefix`; and whether these are all.

    What was recorded before all of them were is gone.
    """
    _, since = recorded.get(whole, (None, -1))
    found = {
        key.removeprefix(prefix): value
        for key, (value, order) in recorded.items()
        if key.startswith(prefix) and order >= since
    }
    return found, whole in recorded


def without_taken(row: StateRow, changes: Sequence[DatabaseChange]) -> Recorded:
    """What was recorded, without grants and memberships that other changes have taken away since."""
    recorded = row.current
    if not changes:
        return recorded
    return {
        key: value
        for key, value in recorded.items()
        if not any(_is_taken(key, row, change) for change in _of_key(key, row, changes))
    }


def in_doubt(row: StateRow, changes: Sequence[DatabaseChange]) -> frozenset[str]:
    """Keys of grants that other changes may have taken away, or come before."""
    spans = [change for change in changes if change.until is not None]
    if not spans:
        return frozenset()
    return frozenset(
        key
        for key in row.current
        if any(
            _time(change.changed_at) <= _since(key, row) <= _time(change.until)
            for change in _of_key(key, row, spans)
            if change.until is not None
        )
    )


def _of_key(key: str, row: StateRow, changes: Sequence[DatabaseChange]) -> Iterator[DatabaseChange]:
    """The changes of what the key of a grant or a membership is about."""
    if key.startswith(GRANT):
        database = key.removeprefix(GRANT)
    elif key.startswith(PRIVILEGE):
        database = key.removeprefix(PRIVILEGE).partition(":")[2]
    elif key.startswith(MEMBER):
        database = key
    else:
        return
    recorded, name = row.current, display_name(row.name, row.host)
    is_awaited = recorded.get(AWAITED + database, (None, -1))[1] == recorded[key][1]
    for change in changes:
        if (
            change.database == database
            and change.account in ("", name)
            and (change.awaited or not is_awaited)
        ):
            yield change


def _is_taken(key: str, row: StateRow, change: DatabaseChange) -> bool:
    recorded, changed_at = row.current, _time(change.changed_at)
    identity, order = recorded.get(key.replace(MEMBER, ROLE, 1), (None, -1))
    if change.identity and key.startswith(MEMBER) and identity is not None and order == recorded[key][1]:
        # A restored server may assign the identity again.
        return change.identity == identity and order < changed_at + CLOCKS_DIFFER
    return _since(key, row) < changed_at


def _since(key: str, row: StateRow) -> int:
    """When a value was recorded. An order is a time in microseconds, but for that of a creation."""
    return max(row.current[key][1], 0 if row.created_at is None else _time(row.created_at))


def _time(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _unrecorded(recorded: Recorded, found: FoundState) -> Iterator[str]:
    for field in FIELDS:
        if getattr(found.state, field) is not UNSET and recorded.get(field, (None, 0))[0] is None:
            yield field
    for whole in (MEMBERSHIPS, GRANTS):
        if whole not in recorded:
            yield whole


def _difference(field: str, subject: str, database: str, before: Value, now: Value) -> Iterator[Difference]:
    if before != now:
        yield Difference(field, subject, _text(before), _text(now), database)


def _text(value: Value) -> str:
    return "none" if value is None else "held" if value is True else str(value)


_WORDS: Mapping[str, Mapping[Value, str]] = {
    "login": {True: "allowed", False: "not allowed"},
    "connection_limit": {UNLIMITED: "no limit"},
    "valid_until": {NEVER: "never expires"},
    "attributes": {"": "those of its kind"},
}


def _described(field: str, before: Value, now: Value) -> tuple[str, str]:
    """In plain words. A fingerprint tells nothing, so it is not shown."""
    if field == "password":
        recorded = "one that Rolecall set" if before else "none"
        return recorded, "another one" if before and now else "one that SQL set" if now else "none"
    words = _WORDS.get(field, {})
    return words.get(before, str(before)), words.get(now, str(now))


def with_fingerprint(found: FoundState, fingerprint: str) -> FoundState:
    return FoundState(found.facts, structs.replace(found.state, password=fingerprint), found.owned)

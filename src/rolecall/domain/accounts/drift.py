"""Drift: how an account on a server differs from what was last recorded of it. Pure: nothing is asked here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, TypeAlias

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
    AccountState,
    FoundState,
    Recorded,
    Value,
)

_NOTHING = (None, -1)
"""In place of a value and its order that were not recorded."""

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


Changes: TypeAlias = Mapping[str, Sequence[DatabaseChange]]
"""By their `database`: each of many accounts is compared with those of its own databases alone."""


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


def by_database(changes: Iterable[DatabaseChange]) -> Changes:
    found: defaultdict[str, list[DatabaseChange]] = defaultdict(list)
    for change in changes:
        found[change.database].append(change)
    return found


def compared(row: StateRow | None, found: FoundState | None, changes: Changes) -> AccountDrift | None:
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
    recorded = without_taken(row, changes)
    differences, unrecorded = _field_differences(recorded, found.state)
    if facts.is_protected and row.created_at is not None:
        differences.insert(0, Difference(RIGHTS, "", "those of a tenant", "more than a tenant may have"))
    differences += _held_differences(recorded, found, in_doubt(row, changes))
    unrecorded += (whole for whole in (MEMBERSHIPS, GRANTS) if whole not in recorded)
    if differences:
        standing = DriftStanding.DRIFTED
    elif unrecorded:
        standing = DriftStanding.FOREIGN if row.created_at is None else DriftStanding.UNRECORDED
    else:
        standing = DriftStanding.IN_SYNC
    return AccountDrift(name, host, standing, tuple(differences), tuple(unrecorded))


_values = attrgetter(*FIELDS)


def _field_differences(recorded: Recorded, state: AccountState) -> tuple[list[Difference], list[str]]:
    """And the fields of which nothing was recorded."""
    differences, unrecorded = list[Difference](), list[str]()
    for field, now in zip(FIELDS, _values(state), strict=True):
        if now is UNSET:
            continue
        before = recorded.get(field, _NOTHING)[0]
        if before is None:
            unrecorded.append(field)
        elif before != now:
            differences.append(Difference(field, "", *_described(field, before, now)))
    return differences, unrecorded


def _held_differences(
    recorded: Recorded, found: FoundState, doubtful: frozenset[str]
) -> Iterator[Difference]:
    state, expected = found.state, held(recorded)
    is_whole = MEMBERSHIPS in recorded
    for role, before, now in _unequal(expected.memberships, state.memberships, is_whole=is_whole):
        yield Difference(MEMBERSHIPS, role, _text(before), _text(now))
    is_whole = GRANTS in recorded
    for database, before, now in _unequal(expected.grants, state.grants, is_whole=is_whole):
        if GRANT + database not in doubtful:
            yield Difference(GRANTS, database, _text(before), _text(now), database)
    there = {f"{word}:{name}": True for name, words in state.privileges.items() for word in words}
    for key, before, now in _unequal(expected.privileges, there, is_whole=is_whole):
        word, _, database = key.partition(":")
        if database in found.owned or PRIVILEGE + key in doubtful:
            continue
        if (before or None) != now:
            yield Difference(GRANTS, f"{word} on {database}", _text(before or None), _text(now), database)


def _unequal(
    expected: Mapping[str, Value], now: Mapping[str, Value], *, is_whole: bool
) -> Iterator[tuple[str, Value, Value]]:
    """The names at which they differ, of those that were recorded or, if all were, of all."""
    if expected == now:
        return
    for name in sorted(expected.keys() | now.keys() if is_whole else expected):
        if (before := expected.get(name)) != (there := now.get(name)):
            yield name, before, there


class RecordedRights(NamedTuple):
    """Memberships by role, grants by database, privileges by word and database (``CONNECT:d``)."""

    memberships: dict[str, Value]
    grants: dict[str, Value]
    privileges: dict[str, Value]


def held(recorded: Recorded) -> RecordedRights:
    """What was recorded of them. What was recorded of each before all of them were is gone."""
    found, all_grants = RecordedRights({}, {}, {}), recorded.get(GRANTS, _NOTHING)[1]
    parts = (
        (MEMBER, found.memberships, recorded.get(MEMBERSHIPS, _NOTHING)[1]),
        (GRANT, found.grants, all_grants),
        (PRIVILEGE, found.privileges, all_grants),
    )
    for key, (value, order) in recorded.items():
        if ":" in key:
            for prefix, part, since in parts:
                if key.startswith(prefix) and order >= since:
                    part[key.removeprefix(prefix)] = value
    return found


def without_taken(row: StateRow, changes: Changes) -> Recorded:
    """What was recorded, without grants and memberships that other changes have taken away since."""
    recorded = row.current
    if not changes:
        return recorded
    return {
        key: value
        for key, value in recorded.items()
        if not any(_is_taken(key, row, change) for change in _of_key(key, row, changes))
    }


def in_doubt(row: StateRow, changes: Changes) -> frozenset[str]:
    """Keys of grants that other changes may have taken away, or come before."""
    if not changes:
        return frozenset()
    return frozenset(
        key
        for key in row.current
        if any(
            _time(change.changed_at) <= _since(key, row) <= _time(change.until)
            for change in _of_key(key, row, changes)
            if change.until is not None
        )
    )


def _of_key(key: str, row: StateRow, changes: Changes) -> Iterator[DatabaseChange]:
    """The changes of what the key of a grant or a membership is about."""
    if key.startswith(GRANT):
        database = key.removeprefix(GRANT)
    elif key.startswith(PRIVILEGE):
        database = key.removeprefix(PRIVILEGE).partition(":")[2]
    elif key.startswith(MEMBER):
        database = key
    else:
        return
    if not (found := changes.get(database)):
        return
    recorded, name = row.current, display_name(row.name, row.host)
    is_awaited = recorded.get(AWAITED + database, _NOTHING)[1] == recorded[key][1]
    for change in found:
        if change.account in ("", name) and (change.awaited or not is_awaited):
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

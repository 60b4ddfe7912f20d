"""`AccountStates` of the engines in memory. What they have beside their accounts' facts is in `Extras`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET

from rolecall.domain.engine import Access, AccountFacts, AccountKind, DatabaseGrant
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.pages import AccountPlace
from rolecall.domain.engine.states import (
    NEVER,
    UNLIMITED,
    AccountState,
    FoundState,
    access_text,
    digest_of,
)
from rolecall.values import Secret


@dataclass(slots=True)
class Extras:
    """What only the state of an account shows."""

    attributes: str = ""
    connection_limit: int = UNLIMITED
    valid_until: str = NEVER
    memberships: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    """Identities of accounts that it is a member of."""


Find: TypeAlias = Callable[[AccountPlace], AccountFacts]
"""A tenant's account. ACCOUNT_PROTECTED, ACCOUNT_MISSING."""


def _no_privileges(_account: str) -> tuple[Mapping[str, Mapping[str, bool]], frozenset[str]]:
    return {}, frozenset()


def _does_nothing(*_: object) -> None:
    """Where accounts have no single privileges, or extras are kept themselves."""


class MemoryStates:
    """`accounts` are in the order of the server. `require` refuses what is not restored. `privileges` are those of an
    account on databases, and the databases that it owns; `set_privilege` changes one of those.
    """

    restores = frozenset(
        {"login", "kind", "attributes", "connection_limit", "valid_until", "memberships", "grants"}
    )

    def __init__(
        self,
        accounts: Callable[[], Awaitable[Sequence[AccountFacts]]],
        verifier: Callable[[AccountPlace], Secret | None],
        extras: Callable[[AccountPlace], Extras],
        find: Find,
        store: Callable[[AccountPlace, AccountFacts], None],
        locked: Callable[..., AbstractAsyncContextManager[None]],
        end_sessions: Callable[[str, str], None],
        require: Callable[[str, AccountState], None],
        privileges: Callable[[str], tuple[Mapping[str, Mapping[str, bool]], frozenset[str]]] = _no_privileges,
        set_privilege: Callable[[str, str, str, bool], None] = _does_nothing,
        keep: Callable[[AccountPlace, Extras], None] = _does_nothing,
    ) -> None:
        self._accounts = accounts
        self._verifier = verifier
        self._extras = extras
        self._keep = keep
        self._privileges = privileges
        self._set_privilege = set_privilege
        self._find = find
        self._store = store
        self._locked = locked
        self._end_sessions = end_sessions
        self._require = require

    async def page(self, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        found = sorted(await self._accounts(), key=_place)
        return [self._state(facts) for facts in found if after is None or _place(facts) > after][:limit]

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        wanted = set(places)
        return [self._state(facts) for facts in await self._accounts() if _place(facts) in wanted]

    def _state(self, facts: AccountFacts) -> FoundState:
        place = _place(facts)
        extras = self._extras(place)
        privileges, owned = self._privileges(facts.name)
        state = AccountState(
            password=digest_of(self._verifier(place)),
            login=facts.may_log_in,
            kind=facts.kind.value,
            attributes=extras.attributes,
            connection_limit=extras.connection_limit,
            valid_until=extras.valid_until,
            memberships=dict(extras.memberships),
            roles=extras.roles,
            grants={grant.database: access_text(grant) for grant in facts.grants},
            privileges=privileges,
            has_all_memberships=True,
            has_all_grants=True,
        )
        return FoundState(facts, state, owned)

    async def restore(
        self, place: AccountPlace, state: AccountState, operation: UUID, expected: Expected | None = None
    ) -> AccountFacts:
        async with self._locked(place[0], *state.memberships):
            after = before = self._find(place)
            if not before.was_changed_by(operation, expected):
                self._require(place[0], state)
                kind = before.kind if state.kind is UNSET else AccountKind(state.kind)
                after = replace(
                    before.changed_by(operation),
                    may_log_in=before.may_log_in if state.login is UNSET else state.login,
                    kind=kind,
                    grants=_granted(before.grants if kind is before.kind else (), state.grants),
                )
                self._store(place, after)
                self._set(place, state)
        if not after.may_log_in:
            self._end_sessions(place[0], after.identity)
        return after

    def _set(self, place: AccountPlace, state: AccountState) -> None:
        extras = self._extras(place)
        if state.attributes is not UNSET:
            extras.attributes = state.attributes
        if state.connection_limit is not UNSET:
            extras.connection_limit = state.connection_limit
        if state.valid_until is not UNSET:
            extras.valid_until = state.valid_until
        for role, options in state.memberships.items():
            if options is None:
                extras.memberships.pop(role, None)
            else:
                extras.memberships[role] = options
        self._keep(place, extras)
        for database, words in state.privileges.items():
            for word, is_held in words.items():
                self._set_privilege(place[0], database, word, is_held)


def _granted(
    before: tuple[DatabaseGrant, ...], wanted: Mapping[str, str | None]
) -> tuple[DatabaseGrant, ...]:
    held = {grant.database: grant for grant in before}
    for database, access in wanted.items():
        held.pop(database, None)
        if access is not None:
            known = access in {template.value for template in Access}
            held[database] = (
                DatabaseGrant(database, Access(access))
                if known
                else DatabaseGrant(database, Access.OTHER, tuple(access.split(", ")))
            )
    return tuple(held[database] for database in sorted(held))


def _place(facts: AccountFacts) -> AccountPlace:
    return facts.name, facts.host

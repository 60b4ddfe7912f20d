"""The state of an account: what is compared between the server and what was last recorded.

A state is known in part: each change that Rolecall applies carries what it sets, and the store keeps for each field the
value with the highest order (`domain.engine.identity`). So records that come late undo nothing, and no clock decides.

Passwords are compared by fingerprints: keyed digests of the verifiers, which tell nothing without the key.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from rolecall.domain.engine import Access, AccountFacts, DatabaseGrant
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.pages import AccountPlace
from rolecall.values import Secret

Value: TypeAlias = str | int | bool | None
Recorded: TypeAlias = Mapping[str, tuple[Value, int]]
"""What the store keeps of a state: for each key of `AccountState.flat` the value and the order of its change.

`OF` has the identity of the account and the order of the last change that was recorded with its state.
"""

OF = "of"
MEMBERSHIPS, GRANTS = "memberships", "grants"
"""True for a state that has them all. What was recorded of them before that does not count."""
MEMBER, ROLE, GRANT, PRIVILEGE, AWAITED = "member:", "role:", "grant:", "privilege:", "awaited:"
"""Before names of roles and databases, in the keys of a flat state. A privilege has its own word before the name.
`ROLE` has the identity of the role that a membership is in.
"""

NO_PASSWORD = ""
UNLIMITED = -1
NEVER = ""


class AccountState(Struct, frozen=True, kw_only=True):
    """What a server has, or what a change sets. Fields that are UNSET are not known, or not changed.

    `password` is a `fingerprint`. `attributes` are those that the account has beyond its kind, or lacks, in the
    server's words: empty for an account as Rolecall makes it. `valid_until` is a `time_text`. `memberships` are options
    by role (`membership_text`), `roles` the identities of those roles that are known. What the account holds on
    databases are `grants` of templates by name, or single `privileges` by name and word. All three have None, or False,
    for what the account does not have. With `has_all_memberships` there are no others, with `has_all_grants` neither.
    `awaited` are databases that grants of this change may be meant for before they exist.
    """

    password: str | UnsetType | None = UNSET
    """None: it was changed, and is not known."""
    login: bool | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    attributes: str | UnsetType = UNSET
    connection_limit: int | UnsetType = UNSET
    valid_until: str | UnsetType = UNSET
    memberships: Mapping[str, str | None] = {}
    roles: Mapping[str, str] = {}
    grants: Mapping[str, str | None] = {}
    privileges: Mapping[str, Mapping[str, bool]] = {}
    awaited: tuple[str, ...] = ()
    has_all_memberships: bool = False
    has_all_grants: bool = False

    def flat(self) -> dict[str, Value]:
        """By key: a field's name, or that of a role or database."""
        fields = ((name, getattr(self, name)) for name in FIELDS)
        found: dict[str, Value] = {name: value for name, value in fields if value is not UNSET}
        found |= {MEMBER + role: options for role, options in self.memberships.items()}
        found |= {ROLE + role: identity for role, identity in self.roles.items()}
        found |= {GRANT + database: access for database, access in self.grants.items()}
        for database, words in self.privileges.items():
            found |= {f"{PRIVILEGE}{word}:{database}": is_held for word, is_held in words.items()}
        found |= dict.fromkeys((AWAITED + database for database in self.awaited), True)
        if self.has_all_memberships:
            found[MEMBERSHIPS] = True
        if self.has_all_grants:
            found[GRANTS] = True
        return found


FIELDS = ("password", "login", "kind", "attributes", "connection_limit", "valid_until")


@dataclass(frozen=True, slots=True)
class FoundState:
    """An account as the server has it now. The `password` of its state is not a fingerprint, but a `digest_of`.

    `owned` are databases that it owns: it holds everything there, whatever it was granted.
    """

    facts: AccountFacts
    state: AccountState
    owned: frozenset[str] = frozenset()


class AccountStates(Protocol):
    """Whole states of the accounts that `Engine.accounts` lists."""

    @property
    def restores(self) -> frozenset[str]:
        """The fields that `restore` can set, by the names of `AccountState`; `grants` with privileges."""

    async def page(self, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        """Up to `limit` accounts, in an order of the server's own, after an account or from the first on. Fewer do not
        mean that there are no more: an empty page does.
        """

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        """Those of these accounts that are there."""

    async def restore(
        self, place: AccountPlace, state: AccountState, operation: UUID, expected: Expected | None = None
    ) -> AccountFacts:
        """Set what `state` has, without a password. Sessions end where something may be taken away.

        ACCOUNT_MISSING, ACCOUNT_PROTECTED, and as the changes of each part. `Superseded` also where another role has
        the name of one of `state.roles`.
        """


_AT_ONCE = 200
"""Accounts that are read or compared before calls that wait have their turn: a few milliseconds."""


async def give_way(number: int) -> None:
    """Before the account of this number of a page: the process that compares serves calls, too."""
    if number % _AT_ONCE == 0:
        await asyncio.sleep(0)


def new_state(
    kind: str, grants: Mapping[str, str | None], awaited: tuple[str, ...], password: str | None
) -> AccountState:
    """Of an account as Rolecall makes it."""
    return AccountState(
        password=password, login=True, kind=kind, attributes="", connection_limit=UNLIMITED, valid_until=NEVER,
        grants=grants, awaited=awaited, has_all_memberships=True, has_all_grants=True,
    )  # fmt: skip


def membership_text(*, inherits: bool, may_become: bool, administers: bool) -> str:
    """The options of a membership. Where the server has none, a member inherits, and the rest is not compared."""
    words = {"inherit": inherits, "set": may_become, "admin": administers}
    return ", ".join(word for word, is_given in words.items() if is_given) or "no options"


def time_text(at: datetime | None) -> str:
    """A time of `valid_until`."""
    return NEVER if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def fingerprint(key: Secret, instance_id: int, identity: str, digest: str) -> str:
    """Of a verifier, by its digest. Bound to the account: equal passwords of two accounts do not show."""
    if digest == NO_PASSWORD:
        return NO_PASSWORD
    message = f"{instance_id}:{identity}:{digest}".encode()
    return hmac.digest(key.reveal().encode(), message, "sha256").hex()[:32]


def digest_of(verifier: Secret | None) -> str:
    """SHA-256 of a verifier in hexadecimal, as servers compute it of what they store."""
    return NO_PASSWORD if verifier is None else hashlib.sha256(verifier.reveal().encode()).hexdigest()


def to_record(state: AccountState | None, identity: str, order: int) -> Recorded:
    """What is to be kept of the state of a change."""
    flat = {} if state is None else state.flat()
    return {**{key: (value, order) for key, value in flat.items()}, OF: (identity, order)}


def merged(before: Recorded | None, identity: str, order: int, after: Recorded) -> Recorded:
    """With the later value of each key. `before` counts if it is of that account's change of that order, its last:
    an earlier release, which records no states, may have recorded others since.
    """
    if before is None or tuple(before.get(OF, ())) != (identity, order):
        return after
    later = {key: value for key, value in after.items() if key not in before or before[key][1] <= value[1]}
    return {**before, **later}


def access_text(grant: DatabaseGrant) -> str:
    """What a grant gives, in a text that is compared."""
    return ", ".join(grant.privileges) if grant.access is Access.OTHER else grant.access.value

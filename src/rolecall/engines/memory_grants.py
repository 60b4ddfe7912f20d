"""`MemoryGrantsEngine`: the MySQL family's semantics in dictionaries, for tests of the domain. It passes the
engine suite.

An account is a name at a host and is granted whole databases by template. Changes have the family's steps: nothing of
an account changes but under the lock of its name, and sessions end after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

from rolecall.domain.engine import (
    NO_DATABASE,
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseFacts,
    DatabaseGrant,
    EngineFacts,
    EngineTraits,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
)
from rolecall.domain.engine.identity import (
    FIRST,
    NO_ACCOUNT,
    Expected,
)
from rolecall.domain.engine.states import AccountState
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.memory_listing import MemoryListing
from rolecall.engines.memory_states import Extras, MemoryStates
from rolecall.engines.memory_steps import Steps, may_remove, retired_by
from rolecall.engines.memory_superuser import ADMINISTRATOR, MemorySuperuser
from rolecall.engines.mysql import control, hashes, names
from rolecall.engines.mysql.flavors import MARIADB
from rolecall.values import Secret

COLLATIONS = {
    "utf8mb4": ("utf8mb4_general_ci", "utf8mb4_bin"),
    "utf8mb3": ("utf8mb3_general_ci", "utf8mb3_bin"),
    "latin1": ("latin1_swedish_ci", "latin1_bin"),
}
"""Character sets with their collations, the default first."""


class MemoryGrantsEngine(Steps):
    """`rolecall.domain.engine.Engine` in memory, with the capabilities of the family."""

    traits = EngineTraits(has_quick_verifier=True, creates_in_steps=True, renames_accounts=True, writers=16)
    objects = ownership = roles = None

    def __init__(self, *, version: tuple[int, int] = (10, 11)) -> None:
        super().__init__()
        self._version = version
        self._accounts: dict[tuple[str, str], AccountFacts] = {}
        self._verifiers: dict[tuple[str, str], Secret] = {}
        self._databases: dict[str, DatabaseFacts] = {}
        self._made_by: dict[str, UUID] = {}
        self._awaited: set[tuple[str, tuple[str, str]]] = set()
        self.superuser = MemorySuperuser(self)
        self.known_roles: dict[str, bool] = {}
        """Roles that SQL made, and whether they have more than a tenant may have."""
        self.extras: defaultdict[tuple[str, str], Extras] = defaultdict(Extras)
        self.states = MemoryStates(
            self.accounts,
            verifier=self._verifiers.get,
            extras=self.extras.__getitem__,
            find=self._changeable,
            store=self._accounts.__setitem__,
            locked=self.locked,
            end_sessions=self.end_sessions,
            require=self._require_roles,
        )

    # For tests, beside the protocol.

    def can_log_in(self, name: str, password: str, host: str = names.ANY_HOST) -> bool:
        facts, verifier = self._accounts.get((name, host)), self._verifiers.get((name, host))
        if facts is None or verifier is None or not facts.may_log_in:
            return False
        return hashes.native(password) == verifier.reveal()

    def protect(self, name: str, host: str = names.ANY_HOST) -> None:
        """Give an account more than a tenant may have."""
        self._accounts[name, host] = replace(self._accounts[name, host], is_protected=True)

    # The protocol.

    @property
    def grants(self) -> Self:
        return self

    @property
    def password_check(self) -> Self:
        return self

    async def facts(self) -> EngineFacts:
        text = ".".join(map(str, self._version))
        return EngineFacts(self._version, text, ADMINISTRATOR, is_superuser=True, can_read_verifiers=True)

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(hashes.native(password.reveal()))

    def canonical_host(self, host: str) -> str:
        return names.host(host)

    def require_new_name(self, name: str) -> None:
        names.require_new_user(name, MARIADB.user_characters, ADMINISTRATOR)

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        for new in accounts:
            self.require_new_name(new.name)
            if (new.name, names.host(new.host)) in self._accounts:
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            self._require_possible([grant.database for grant in new.grants], allow_missing=new.allow_missing)

    async def create_account(self, new: NewAccount) -> AccountFacts:
        self.require_new_name(new.name)
        key = new.name, names.host(new.host)
        _require_single(new.kind, new.grants)
        async with self.locked(new.name):
            there = self._accounts.get(key)
            if there is not None and new.operation in there.operations:
                return there
            if new.fence is not None:
                await new.fence()
            if there is not None:
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            self._require_databases(
                [grant.database for grant in new.grants],
                key,
                allow_missing=new.allow_missing,
            )
            made = AccountFacts(
                0, new.name, new.kind, True, new.verifier is not None, new.operation, key[1], _sorted(new.grants),
                identity=str(new.operation), orders=(FIRST,),
            )  # fmt: skip
            self._store(key, made, new.verifier)
            return made

    async def change_account(self, change: AccountChange) -> AccountFacts:
        key = change.name, change.host or names.ANY_HOST
        new_name = change.name if change.new_name is None else change.new_name
        if new_name != change.name:
            names.require_new_user(new_name, MARIADB.user_characters, ADMINISTRATOR)
        to = new_name, key[1] if change.new_host is None else names.host(change.new_host)
        async with self.locked(change.name, new_name):
            after = self._change(change, key, to)
        if to != key or (change.end_sessions and not after.may_log_in):
            await self.passed("changed")
            if to[0] == change.name:
                await self._end_sessions(after)
            else:
                self.end_sessions_named(change.name)
        return after

    async def _end_sessions(self, account: AccountFacts) -> None:
        """Unless another account has its name by now: the server knows sessions by name."""
        async with self.locked(account.name):
            there = self._accounts.get((account.name, account.host))
            if there is not None and there.identity == account.identity:
                self.end_sessions(account.name, account.identity)

    def _change(self, change: AccountChange, key: tuple[str, str], to: tuple[str, str]) -> AccountFacts:
        moved = self._accounts.get(to) if to != key else None
        if moved is not None and change.operation in moved.operations:
            return moved
        before = self._changeable(key)
        if before.was_changed_by(change.operation, change.expected):
            return before
        if to != key and to in self._accounts:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": to[0]})
        kind = change.kind or before.kind
        after = replace(
            before.changed_by(change.operation),
            name=to[0],
            host=to[1],
            kind=kind,
            may_log_in=before.may_log_in if change.may_log_in is None else change.may_log_in,
            has_password=before.has_password or change.verifier is not None,
            grants=before.grants if kind is AccountKind.NORMAL else (),
        )
        del self._accounts[key]
        self._awaited = {(name, to if whose == key else whose) for name, whose in self._awaited}
        self._store(to, after, change.verifier or self._verifiers.pop(key, None))
        self.extras[to] = self.extras.pop(key, Extras())
        return after

    async def drop_account(
        self,
        name: str,
        operation: UUID,
        host: str = "",
        expected: Expected | None = None,
    ) -> bool:
        """Lock and mark it, end its sessions, drop it. Other changes may come between."""
        key = name, host or names.ANY_HOST
        if names.is_reserved(name, ADMINISTRATOR):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        async with self.locked(name):
            found = self._accounts.get(key)
            if found is not None and found.is_protected:
                raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
            if found is None or expected == NO_ACCOUNT:
                return False
            retired = self._accounts[key] = retired_by(found, operation, expected)
        await self.passed("retired")
        await self._end_sessions(retired)
        async with self.locked(name):
            if may_remove(self._accounts.get(key), retired):
                self._verifiers.pop(key, None)
                self.extras.pop(key, None)
                self._awaited = {(awaited, whose) for awaited, whose in self._awaited if whose != key}
                del self._accounts[key]
        return True

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        async with self.locked(name):
            return self._accounts.get((name, host or names.ANY_HOST))

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self.account(name, host)

    @property
    def listing(self) -> MemoryListing:
        return MemoryListing(self.accounts)

    async def accounts(self) -> Sequence[AccountFacts]:
        return [self._accounts[key] for key in sorted(self._accounts)]

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        allow_missing: bool = False,
        expected: Expected | None = None,
    ) -> AccountFacts:
        key = name, host or names.ANY_HOST
        async with self.locked(name):
            before = self._changeable(key)
            if before.was_changed_by(operation, expected):
                return before
            _require_single(before.kind, (*grant, *revoke))
            self._require_databases([given.database for given in grant], key, allow_missing=allow_missing)
            self._awaited -= {(database, key) for database in revoke}
            changed = {*revoke, *(given.database for given in grant)}
            kept = [held for held in before.grants if held.database not in changed]
            self._accounts[key] = replace(before.changed_by(operation), grants=_sorted((*kept, *grant)))
            return self._accounts[key]

    def may_be_database(self, name: str) -> bool:
        return names.is_database(name) and not names.is_system(name, control.SCHEMA)

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        key = name, host or names.ANY_HOST
        if key not in self._accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        verifier = self._verifiers.get(key)
        return verifier is not None and hashes.is_of(verifier.reveal(), password.reveal())

    async def databases(self) -> Sequence[DatabaseFacts]:
        return [self._databases[name] for name in sorted(self._databases)]

    async def create_database(self, new: NewDatabase) -> None:
        names.require_database(new.name)
        async with self.locked(_lock_of(new.name)):
            await self._create_database(new)

    async def _create_database(self, new: NewDatabase) -> None:
        if self._made_by.get(new.name) == new.operation:
            return
        if new.fence is not None:
            await new.fence()
        if new.name in self._databases or names.is_system(new.name, control.SCHEMA):
            raise Refused(Reason.DATABASE_TAKEN, facts={"value": new.name})
        encoding = (new.encoding or new.collate.partition("_")[0] or "utf8mb4").lower()
        if new.encoding and encoding not in COLLATIONS:
            raise Refused(Reason.ENCODING_UNSUPPORTED, facts={"value": new.encoding})
        collate = new.collate or COLLATIONS[encoding][0]
        if new.ctype or collate not in COLLATIONS.get(encoding, ()):
            raise Refused(Reason.LOCALE_UNSUPPORTED, facts={"value": new.ctype or collate})
        self._revoke_all(new.name, [whose for name, whose in self._awaited if name == new.name])
        self._awaited = {(name, whose) for name, whose in self._awaited if name != new.name}
        self._databases[new.name] = DatabaseFacts(
            new.name, "", encoding, collate, "", True, -1, "", str(new.operation), (new.operation,)
        )
        self._made_by[new.name] = new.operation

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        if names.is_system(name, control.SCHEMA):
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": name})
        async with self.locked(_lock_of(name)):
            return self._drop_database(name, expected)

    def _drop_database(self, name: str, expected: ExpectedDatabase | None) -> bool:
        found = self._databases.get(name)
        if found is not None:
            if expected == NO_DATABASE:
                return False
            found.require(expected)
        self._made_by.pop(name, None)
        if found is None and expected not in (None, NO_DATABASE):
            self._revoke_all(name, [whose for awaited, whose in self._awaited if awaited == name])
            return False
        self._revoke_all(name, ())
        self._awaited = {(awaited, whose) for awaited, whose in self._awaited if awaited != name}
        return self._databases.pop(name, None) is not None

    async def close(self) -> None:
        """Nothing to close."""

    def _store(self, key: tuple[str, str], facts: AccountFacts, verifier: Secret | None) -> None:
        self._accounts[key] = facts
        if verifier is not None:
            self._verifiers[key] = verifier

    def _changeable(self, key: tuple[str, str]) -> AccountFacts:
        there = self._accounts.get(key)
        if there is not None and not there.is_protected:
            return there
        is_protected = there is not None or names.is_reserved(key[0], ADMINISTRATOR)
        reason = Reason.ACCOUNT_PROTECTED if is_protected else Reason.ACCOUNT_MISSING
        raise Refused(reason, facts={"value": key[0]})

    def _require_roles(self, _name: str, state: AccountState) -> None:
        for role, options in state.memberships.items():
            if options is not None and self.known_roles.get(role, True):
                is_known = role in self.known_roles
                reason = Reason.ACCOUNT_PROTECTED if is_known else Reason.ACCOUNT_MISSING
                raise Refused(reason, facts={"value": role})

    def _require_possible(self, wanted: Iterable[str], *, allow_missing: bool) -> set[str]:
        """DATABASE_MISSING. Gives the databases that do not exist."""
        absent = {name for name in wanted if name not in self._databases}
        for name in absent:
            if not (allow_missing and self.may_be_database(name)):
                raise Refused(Reason.DATABASE_MISSING, facts={"value": name})
        return absent

    def _require_databases(self, wanted: Iterable[str], key: tuple[str, str], *, allow_missing: bool) -> None:
        absent = self._require_possible(wanted, allow_missing=allow_missing)
        self._awaited |= {(name, key) for name in absent}

    def _revoke_all(self, name: str, spared: Sequence[tuple[str, str]]) -> None:
        for key, facts in self._accounts.items():
            if key not in spared:
                left = tuple(grant for grant in facts.grants if grant.database != name)
                self._accounts[key] = replace(facts, grants=left)


def _lock_of(database: str) -> str:
    """The name of a lock that no account has."""
    return f"database:{database}"


def _require_single(kind: AccountKind, grants: Sequence[object]) -> None:
    if kind is AccountKind.SUPER and grants:
        raise Refused(Reason.ACCOUNT_PROTECTED, note="a super account holds every database already")


def _sorted(grants: Sequence[DatabaseGrant]) -> tuple[DatabaseGrant, ...]:
    """By name; the last of several on one database."""
    by_name = {grant.database: grant for grant in grants}
    return tuple(by_name[name] for name in sorted(by_name))

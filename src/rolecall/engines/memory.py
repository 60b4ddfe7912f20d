"""`MemoryEngine`: PostgreSQL's semantics in dictionaries, for tests of the domain. It keeps the engine suite.
`memory_grants` has the MySQL family's.

It knows accounts, databases, schemas and the objects that `add_object` puts there. There are no sessions to end and
nothing is ever dependent on a grant.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from uuid import UUID

from rolecall.domain.engine import (
    NO_DATABASE,
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseFacts,
    DatabaseObject,
    EngineFacts,
    EngineTraits,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.identity import FIRST, NOBODY, Expected, require_identity, require_order
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names, scram
from rolecall.engines.postgresql.catalog import PRIVILEGES
from rolecall.values import Secret

ADMINISTRATOR = "postgres"
MAINTENANCE = "postgres"
HEIR = "rolecall_heir"
PROTECTED = frozenset({ADMINISTRATOR, HEIR, "rolecall_super"})

ENCODINGS = frozenset(
    {"UTF8", "LATIN1", "LATIN2", "WIN1250", "WIN1251", "WIN1252", "KOI8R", "EUC_JP", "EUC_KR"}
)
LOCALES = frozenset({"", "C", "POSIX", "C.UTF-8"})


@dataclass(slots=True)
class _Object:
    owner: str
    grants: dict[str, set[str]] = field(default_factory=dict)

    def held_by(self, account: str, item: DatabaseObject) -> tuple[str, ...]:
        """The owner holds everything but a column's privileges, which are never implied."""
        implied = account == self.owner and item.type is not ObjectType.COLUMN
        held = set(PRIVILEGES[item.type]) if implied else set()
        held |= self.grants.get(account, set())
        return tuple(word for word in PRIVILEGES[item.type] if word in held)


class MemoryEngine:
    """`rolecall.domain.engine.Engine` in memory. `version` and `super_min_version` decide on ENGINE_TOO_OLD."""

    traits = EngineTraits()
    grants = superuser = password_check = None

    def __init__(self, *, version: tuple[int, int] = (18, 0), super_min_version: int = 16) -> None:
        self._version = version
        self._super_min_version = super_min_version
        self._oids = itertools.count(16384)
        self._accounts: dict[str, AccountFacts] = {}
        self._verifiers: dict[str, Secret] = {}
        self._databases = {MAINTENANCE: _facts(MAINTENANCE, ADMINISTRATOR)}
        self._made_by: dict[str, UUID] = {}
        self._objects: dict[DatabaseObject, _Object] = {}
        self._add_database(MAINTENANCE, ADMINISTRATOR)

    # What tests may ask and do beside the protocol.

    def can_log_in(self, name: str, password: str) -> bool:
        facts, verifier = self._accounts.get(name), self._verifiers.get(name)
        if facts is None or verifier is None or not facts.may_log_in:
            return False
        return scram.matches(verifier.reveal(), password)

    def add_object(self, item: DatabaseObject, owner: str = ADMINISTRATOR) -> None:
        self._objects[item] = _Object(owner)
        if item.type is ObjectType.TABLE:
            for column in ("id", "text"):
                place = DatabaseObject(ObjectType.COLUMN, column, item.database, item.schema, item.name)
                self._objects[place] = _Object(owner)

    def protect(self, name: str) -> None:
        """Give an account more than a tenant may have."""
        self._accounts[name] = replace(self._accounts[name], is_protected=True)

    def owner_of(self, item: DatabaseObject) -> str:
        return self._objects[item].owner

    # The protocol.

    @property
    def objects(self) -> Self:
        return self

    @property
    def ownership(self) -> Self:
        return self

    async def facts(self) -> EngineFacts:
        text = ".".join(map(str, self._version))
        return EngineFacts(self._version, text, ADMINISTRATOR, is_superuser=True, can_read_verifiers=True)

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(scram.verifier(password.reveal()))

    def canonical_host(self, host: str) -> str:
        _require_no_host(host)
        return host

    def require_new_name(self, name: str) -> None:
        names.require_new_role(name)
        if name in PROTECTED - {ADMINISTRATOR}:
            raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})

    async def create_account(self, new: NewAccount) -> AccountFacts:
        _require_no_host(new.host)
        self.require_new_name(new.name)
        self._require_version(new.kind)
        there = self._accounts.get(new.name)
        if there is not None and new.operation in there.operations:
            return there
        if there is not None or new.name in PROTECTED:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
        oid = next(self._oids)
        made = AccountFacts(
            oid, new.name, new.kind, True, new.verifier is not None, new.operation,
            identity=str(oid), orders=(FIRST,),
        )  # fmt: skip
        self._store(made, new.verifier)
        return made

    async def change_account(self, change: AccountChange) -> AccountFacts:
        _require_no_host(change.host or change.new_host or "")
        self._require_version(change.kind)
        before = self._changeable(change.name)
        if before.was_changed_by(change.operation, change.expected):
            return before
        after = replace(
            before.changed_by(change.operation),
            kind=change.kind or before.kind,
            may_log_in=before.may_log_in if change.may_log_in is None else change.may_log_in,
            has_password=before.has_password or change.verifier is not None,
        )
        self._store(after, change.verifier)
        return after

    async def drop_account(
        self,
        name: str,
        operation: UUID,  # noqa: ARG002 - one step, and so no mark
        host: str = "",
        expected: Expected | None = None,
    ) -> bool:
        _require_no_host(host)
        if _is_protected(name) or (name in self._accounts and self._accounts[name].is_protected):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        found = self._accounts.get(name)
        if found is None or expected == NOBODY:
            return False
        require_identity(expected, name, found.identity)
        require_order(expected, name, found.order)
        del self._accounts[name]
        self._verifiers.pop(name, None)
        for item, held in self._objects.items():
            held.grants.pop(name, None)
            if held.owner == name:
                held.owner = ADMINISTRATOR if item.type is ObjectType.DATABASE else HEIR
        for database in self._databases.values():
            if database.owner == name:
                self._databases[database.name] = replace(database, owner=ADMINISTRATOR)
        return True

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        _require_no_host(host)
        return self._accounts.get(name)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self.account(name, host)

    async def accounts(self) -> Sequence[AccountFacts]:
        return [self._accounts[name] for name in sorted(self._accounts)]

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        if account not in self._accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": account})
        return [self._find(item).held_by(account, item) for item in objects]

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        expected: Expected | None = None,
    ) -> AccountFacts:
        self._require_version(kind)
        for change in changes:
            for word in change.privileges:
                if word not in PRIVILEGES[change.object.type]:
                    raise Refused(Reason.PRIVILEGE_UNKNOWN, facts={"value": word})
        before = self._changeable(account)
        if before.was_changed_by(operation, expected):
            return before
        found = [(change, self._tenants(change.object)) for change in changes]
        for change, item in found:
            held = item.grants.setdefault(account, set())
            held.update(change.privileges) if change.grant else held.difference_update(change.privileges)
        self._accounts[account] = replace(before.changed_by(operation), kind=kind or before.kind)
        return self._accounts[account]

    async def databases(self) -> Sequence[DatabaseFacts]:
        return [self._databases[name] for name in sorted(self._databases)]

    async def create_database(self, new: NewDatabase) -> None:
        names.require(new.name, Reason.DATABASE_NAME_MALFORMED)
        if self._made_by.get(new.name) == new.operation:
            return
        if new.name in self._databases or new.name in {"template0", "template1"}:
            raise Refused(Reason.DATABASE_TAKEN, facts={"value": new.name})
        self._require_owner(new.owner, new.owned_by)
        if new.encoding and new.encoding.upper() not in ENCODINGS:
            raise Refused(Reason.ENCODING_UNSUPPORTED, facts={"value": new.encoding})
        for locale in (new.collate, new.ctype):
            if locale not in LOCALES:
                raise Refused(Reason.LOCALE_UNSUPPORTED, facts={"value": locale})
        made = _facts(new.name, new.owner, new.encoding, new.collate, new.ctype)
        self._databases[new.name] = replace(made, identity=str(next(self._oids)), operations=(new.operation,))
        self._made_by[new.name] = new.operation
        self._add_database(new.name, new.owner)

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        self._require_tenants(name)
        found = self._databases.get(name)
        if found is None or expected == NO_DATABASE:
            return False
        found.require(expected)
        del self._databases[name]
        self._made_by.pop(name, None)
        for item in [i for i in self._objects if name in {i.database, _database(i)}]:
            del self._objects[item]
        return True

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,  # noqa: ARG002 - leaves no mark
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        self._require_tenants(name)
        if name not in self._databases:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": name})
        self._databases[name].require(expected)
        self._require_owner(owner, owned_by)
        self._databases[name] = replace(self._databases[name], owner=owner)
        self._objects[DatabaseObject(ObjectType.DATABASE, name)].owner = owner

    async def names(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        if kind is not ObjectType.DATABASE:
            self._require_place(kind, database, schema, table)
        wanted = DatabaseObject(kind, "", database, schema, table)
        return sorted(item.name for item in self._objects if replace(item, name="") == wanted)

    async def close(self) -> None:
        """Nothing to close."""

    def _store(self, facts: AccountFacts, verifier: Secret | None) -> None:
        self._accounts[facts.name] = facts
        if verifier is not None:
            self._verifiers[facts.name] = verifier

    def _add_database(self, name: str, owner: str) -> None:
        self.add_object(DatabaseObject(ObjectType.DATABASE, name), owner)
        self.add_object(DatabaseObject(ObjectType.SCHEMA, "public", name), "pg_database_owner")

    def _require_version(self, kind: AccountKind | None) -> None:
        if kind is AccountKind.SUPER and self._version[0] < self._super_min_version:
            raise Refused(Reason.ENGINE_TOO_OLD)

    def _changeable(self, name: str) -> AccountFacts:
        there = self._accounts.get(name)
        if there is not None and not there.is_protected:
            return there
        is_protected = there is not None or _is_protected(name)
        reason = Reason.ACCOUNT_PROTECTED if is_protected else Reason.ACCOUNT_MISSING
        raise Refused(reason, facts={"value": name})

    def _require_owner(self, owner: str, expected: Expected | None) -> None:
        if owner == ADMINISTRATOR:
            return
        if owner not in self._accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": owner})
        require_identity(expected, owner, self._changeable(owner).identity)

    def _require_tenants(self, name: str) -> None:
        is_there = name in self._databases or name in {"template0", "template1"}
        if is_there and name not in self._made_by:
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": name})

    def _tenants(self, item: DatabaseObject) -> _Object:
        """An object that a tenant owns. DATABASE_PROTECTED, OBJECT_PROTECTED."""
        found = self._find(item)
        if item.type is ObjectType.DATABASE or found.owner == "pg_database_owner":
            is_tenants = _database(item) in self._made_by
        else:
            owner = self._accounts.get(found.owner)
            is_tenants = found.owner != ADMINISTRATOR and not (owner is not None and owner.is_protected)
        if not is_tenants:
            is_database = item.type is ObjectType.DATABASE
            reason = Reason.DATABASE_PROTECTED if is_database else Reason.OBJECT_PROTECTED
            raise Refused(reason, facts={"value": item.name})
        return found

    def _require_place(self, kind: ObjectType, database: str, schema: str, table: str) -> None:
        self._require_database(database)
        if kind is ObjectType.SCHEMA:
            return
        if DatabaseObject(ObjectType.SCHEMA, schema, database) not in self._objects:
            raise Refused(Reason.OBJECT_MISSING, facts={"value": schema})
        place = DatabaseObject(ObjectType.TABLE, table, database, schema)
        if kind is ObjectType.COLUMN and place not in self._objects:
            raise Refused(Reason.OBJECT_MISSING, facts={"value": table})

    def _require_database(self, name: str) -> None:
        if name not in self._databases:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": name})

    def _find(self, item: DatabaseObject) -> _Object:
        self._require_database(_database(item))
        if item in self._objects:
            return self._objects[item]
        same = [i for i in self._objects if i.type is item.type and _bare(i) == item]
        if len(same) != 1:
            raise Refused(Reason.OBJECT_MISSING, facts={"value": item.name})
        return self._objects[same[0]]


def _require_no_host(host: str) -> None:
    if host:
        raise Refused(Reason.HOST_MALFORMED, facts={"value": host})


def _bare(item: DatabaseObject) -> DatabaseObject:
    """A routine without its signature: its bare name serves where only one has it."""
    return replace(item, name=item.name.partition("(")[0])


def _is_protected(name: str) -> bool:
    return name in PROTECTED or name.startswith("pg_")


def _database(item: DatabaseObject) -> str:
    return item.name if item.type is ObjectType.DATABASE else item.database


def _facts(name: str, owner: str, encoding: str = "", collate: str = "", ctype: str = "") -> DatabaseFacts:
    return DatabaseFacts(name, owner, encoding or "UTF8", collate or "C", ctype or "C", True, -1, "")

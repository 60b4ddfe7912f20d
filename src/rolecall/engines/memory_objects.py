"""The databases, schemas and objects of `memory.MemoryEngine`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from rolecall.domain.engine import (
    NO_DATABASE,
    AccountFacts,
    DatabaseFacts,
    DatabaseObject,
    ExpectedDatabase,
    NewDatabase,
    ObjectType,
)
from rolecall.domain.engine.identity import Expected, require_identity
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.memory_steps import Steps
from rolecall.engines.postgresql.catalog import PRIVILEGES

ADMINISTRATOR = "postgres"
MAINTENANCE = "postgres"
HEIR = "rolecall_heir"
DATABASES = "databases"
"""The name of the lock of all databases."""
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


class MemoryObjects(Steps):
    """`_accounts` are the engine's: they own the objects."""

    def __init__(self) -> None:
        super().__init__()
        self._oids = itertools.count(16384)
        self._accounts: dict[str, AccountFacts] = {}
        self._databases = {MAINTENANCE: _facts(MAINTENANCE, ADMINISTRATOR)}
        self._made_by: dict[str, UUID] = {}
        self._objects: dict[DatabaseObject, _Object] = {}
        self._add_database(MAINTENANCE, ADMINISTRATOR)

    def add_object(self, item: DatabaseObject, owner: str = ADMINISTRATOR) -> None:
        self._objects[item] = _Object(owner)
        if item.type is ObjectType.TABLE:
            for column in ("id", "text"):
                place = DatabaseObject(ObjectType.COLUMN, column, item.database, item.schema, item.name)
                self._objects[place] = _Object(owner)

    def owner_of(self, item: DatabaseObject) -> str:
        return self._objects[item].owner

    async def databases(self) -> Sequence[DatabaseFacts]:
        return [self._databases[name] for name in sorted(self._databases)]

    async def create_database(self, new: NewDatabase) -> None:
        names.require(new.name, Reason.DATABASE_NAME_MALFORMED)
        async with self.locked(DATABASES):
            await self._create_database(new)

    async def _create_database(self, new: NewDatabase) -> None:
        if self._made_by.get(new.name) == new.operation:
            return
        if new.fence is not None:
            await new.fence()
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
        async with self.locked(DATABASES):
            return self._drop_database(name, expected)

    def _drop_database(self, name: str, expected: ExpectedDatabase | None) -> bool:
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
        async with self.locked(DATABASES):
            self._require_tenants(name)
            if name not in self._databases:
                raise Refused(Reason.DATABASE_MISSING, facts={"value": name})
            self._databases[name].require(expected)
            self._require_owner(owner, owned_by)
            self._databases[name] = replace(self._databases[name], owner=owner)
            held = self._objects[DatabaseObject(ObjectType.DATABASE, name)]
            # What either was granted is the new owner's, who holds everything.
            for each in (held.owner, owner):
                held.grants.pop(each, None)
            held.owner = owner

    def on_databases(self, account: str) -> tuple[dict[str, dict[str, bool]], frozenset[str]]:
        """What an account was granted on databases that others own, and those that it owns."""
        items = {item.name: held for item, held in self._objects.items() if item.type is ObjectType.DATABASE}
        granted = {
            name: dict.fromkeys(held.grants[account], True)
            for name, held in items.items()
            if held.owner != account and held.grants.get(account)
        }
        return granted, frozenset(name for name, held in items.items() if held.owner == account)

    def set_on_database(self, account: str, database: str, word: str, is_held: bool) -> None:
        held = self._tenants(DatabaseObject(ObjectType.DATABASE, database)).grants.setdefault(account, set())
        (held.add if is_held else held.discard)(word)

    async def names(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        if kind is not ObjectType.DATABASE:
            self._require_place(kind, database, schema, table)
        wanted = DatabaseObject(kind, "", database, schema, table)
        return sorted(item.name for item in self._objects if replace(item, name="") == wanted)

    def _add_database(self, name: str, owner: str) -> None:
        self.add_object(DatabaseObject(ObjectType.DATABASE, name), owner)
        self.add_object(DatabaseObject(ObjectType.SCHEMA, "public", name), "pg_database_owner")

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

    def _changeable(self, name: str) -> AccountFacts:
        there = self._accounts.get(name)
        if there is not None and not there.is_protected:
            return there
        is_protected = there is not None or is_protected_name(name)
        reason = Reason.ACCOUNT_PROTECTED if is_protected else Reason.ACCOUNT_MISSING
        raise Refused(reason, facts={"value": name})


def is_protected_name(name: str) -> bool:
    return name in PROTECTED or name.startswith("pg_")


def _bare(item: DatabaseObject) -> DatabaseObject:
    """A routine without its signature: its bare name serves where only one has it."""
    return replace(item, name=item.name.partition("(")[0])


def _database(item: DatabaseObject) -> str:
    return item.name if item.type is ObjectType.DATABASE else item.database


def _facts(name: str, owner: str, encoding: str = "", collate: str = "", ctype: str = "") -> DatabaseFacts:
    return DatabaseFacts(name, owner, encoding or "UTF8", collate or "C", ctype or "C", True, -1, "")

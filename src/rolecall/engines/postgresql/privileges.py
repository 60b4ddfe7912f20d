"""Privileges on databases and their objects, and lists of objects."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import catalog, statements
from rolecall.engines.postgresql.accounts import Accounts
from rolecall.engines.postgresql.connections import Connection, commit, transaction
from rolecall.engines.postgresql.roles import RoleAttributes
from rolecall.engines.postgresql.server import MAINTAIN_SINCE, Server, rows

_SYNTAX_ERROR_CLASS = "42"

_WORDS = {
    ObjectType.DATABASE: "DATABASE",
    ObjectType.SCHEMA: "SCHEMA",
    ObjectType.SEQUENCE: "SEQUENCE",
    ObjectType.FUNCTION: "FUNCTION",
    ObjectType.PROCEDURE: "PROCEDURE",
    ObjectType.TYPE: "TYPE",
}


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object as the server has it. `signature` is a routine's full name, quoted by the server itself."""

    object: DatabaseObject
    signature: str | None
    held: frozenset[str]
    is_tenants: bool
    oid: int


class Privileges:
    def __init__(self, server: Server, accounts: Accounts, roles: RoleAttributes) -> None:
        self._server = server
        self._accounts = accounts
        self._roles = roles

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        return await self._server.run(lambda connection: self._held(connection, account, objects))

    async def _held(
        self, connection: Connection, account: str, objects: Sequence[DatabaseObject]
    ) -> list[tuple[str, ...]]:
        oid = (await self._accounts.require_listed(connection, account)).oid
        held: dict[DatabaseObject, tuple[str, ...]] = {}
        for database, some in _by_database(objects):
            async with self._server.in_database(connection, database) as there:
                for item in some:
                    found = await self._find(there, item, oid)
                    held[item] = tuple(w for w in catalog.PRIVILEGES[item.type] if w in found.held)
        return [held[item] for item in objects]

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        memberships: Sequence[MembershipChange] = (),
        expected: Expected | None = None,
    ) -> AccountFacts:
        return await self._server.run(
            lambda connection: self._change(
                connection, account, changes, operation, kind, memberships, expected
            )
        )

    async def _change(
        self,
        connection: Connection,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        kind: AccountKind | None,
        memberships: Sequence[MembershipChange],
        expected: Expected | None,
    ) -> AccountFacts:
        """One transaction per database, all committed at the end; the one with the marker comes last.

        ACL changes take a lock per server: two writers on one catalog row fail with XX000.
        """
        await self._require_words(connection, changes)
        await self._accounts.may_become(connection, kind)
        roles = sorted({account, *(membership.role for membership in memberships)})
        locks = [self._server.lock("acl"), *(self._server.lock("role", role) for role in roles)]
        opening = sql.SQL("; ").join(locks)
        async with contextlib.AsyncExitStack() as held, transaction(connection, opening):
            before = await self._accounts.require_changeable(connection, account)
            if before.was_changed_by(operation, expected):
                return before
            others: list[Connection] = []
            for database, some in _by_database([change.object for change in changes]):
                there = await held.enter_async_context(self._server.in_database(connection, database))
                if there is not connection:
                    await there.execute("BEGIN")
                    others.append(there)
                for change in (change for change in changes if change.object in some):
                    await self.apply(there, account, before.oid, change)
            steps = await self._accounts.kind_change(connection, before, kind)
            for membership in memberships:
                steps += await self._roles.membership(connection, before, membership)
            steps.append(statements.mark(before.changed_by(operation)))
            await connection.execute(sql.SQL("; ").join(steps))
            after = await self._accounts.require_changeable(connection, account)
            for other in others:
                await commit(other)
        return after

    async def apply(self, connection: Connection, account: str, oid: int, change: PrivilegeChange) -> None:
        """In the database of the object, in a transaction that has the lock of ACL changes."""
        found = await self._find(connection, change.object, oid)
        if not found.is_tenants:
            raise _protected(change.object)
        if not change.privileges:
            return
        await connection.execute(_statement(account, change, found))
        touched = catalog.touched(change.object.type)
        if touched is None or not change.grant:
            return
        # A tenant that owns two schemas may swap their names between the query and the grant.
        values = {"oid": found.oid, "name": change.object.name}
        if not any(is_it for (is_it,) in await rows(connection, touched, values)):
            raise Refused(Reason.ENGINE_BUSY, note="the object was moved while it was granted on")

    async def _find(self, connection: Connection, item: DatabaseObject, account: int) -> FoundObject:
        """The object of that path. A routine's bare name is enough if it is unique."""
        missing = Refused(
            Reason.DATABASE_MISSING if item.type is ObjectType.DATABASE else Reason.OBJECT_MISSING,
            facts={"value": item.name},
        )
        values = {**self._server.values, **_values(item), "account": account}
        if not _can_be_asked(item):
            raise missing
        try:
            found = await rows(connection, catalog.finding(item.type), values)
        except psycopg.Error as error:
            # A signature that does not parse. Before 16 to_regprocedure raises, later it answers NULL.
            if values["arguments"] and (error.sqlstate or "").startswith(_SYNTAX_ERROR_CLASS):
                raise missing from None
            raise
        if len(found) != 1:
            raise missing
        signature, held, is_tenants, oid = found[0]
        return FoundObject(item, signature, frozenset(held), is_tenants, oid)

    async def _require_words(self, connection: Connection, changes: Sequence[PrivilegeChange]) -> None:
        version = (await self._server.known(connection)).version[0]
        for change in changes:
            known = set(catalog.PRIVILEGES[change.object.type])
            if version < MAINTAIN_SINCE:
                known.discard("MAINTAIN")
            for word in change.privileges:
                if word not in known:
                    raise Refused(Reason.PRIVILEGE_UNKNOWN, facts={"value": word})

    async def names(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        wanted = DatabaseObject(kind, "", database, schema, table)
        return await self._server.run(lambda connection: self._names(connection, wanted))

    async def _names(self, connection: Connection, wanted: DatabaseObject) -> list[str]:
        database = "" if wanted.type is ObjectType.DATABASE else wanted.database
        if not _can_be_asked(wanted):
            raise Refused(Reason.OBJECT_MISSING, facts={"value": wanted.table or wanted.schema})
        async with self._server.in_database(connection, database) as there:
            await _require_place(there, wanted)
            found = await rows(there, catalog.listing(wanted.type), _values(wanted))
        return sorted(name for (name,) in found)


def _by_database(objects: Sequence[DatabaseObject]) -> list[tuple[str, list[DatabaseObject]]]:
    """Objects by database, sorted so that all writers take the same order. Databases themselves come first ("")."""

    def place(item: DatabaseObject) -> str:
        return "" if item.type is ObjectType.DATABASE else item.database

    return [(database, list(some)) for database, some in groupby(sorted(objects, key=place), key=place)]


def _protected(item: DatabaseObject) -> Refused:
    is_database = item.type is ObjectType.DATABASE
    return Refused(
        Reason.DATABASE_PROTECTED if is_database else Reason.OBJECT_PROTECTED, facts={"value": item.name}
    )


def _values(item: DatabaseObject) -> dict[str, Any]:
    name, arguments = _split_signature(item)
    return {
        "name": name,
        "arguments": arguments,
        "schema": item.name if item.type is ObjectType.SCHEMA else item.schema,
        "table": item.table,
        "kinds": catalog.kinds(item.type),
    }


def _can_be_asked(item: DatabaseObject) -> bool:
    """Whether an object can have this path: no part is too long, has NUL, or is not a text."""
    name, arguments = _split_signature(item)
    parts = [part for part in (name, item.schema, item.table) if part]
    return all(names.fits(part) for part in parts) and names.is_text(arguments or "")


def _split_signature(item: DatabaseObject) -> tuple[str, str | None]:
    """``f(integer, text)`` as ``f`` and ``integer, text``; None for a name without parentheses."""
    if item.type not in catalog.ROUTINE_KINDS or not item.name.endswith(")"):
        return item.name, None
    name, _, arguments = item.name[:-1].partition("(")
    return name, arguments.strip()


async def _require_place(connection: Connection, wanted: DatabaseObject) -> None:
    """OBJECT_MISSING unless the schema, and for columns the table, exists in which to list objects."""
    if wanted.type in {ObjectType.DATABASE, ObjectType.SCHEMA}:
        return
    values = _values(wanted)
    if not await rows(connection, catalog.SCHEMA_EXISTS, values):
        raise Refused(Reason.OBJECT_MISSING, facts={"value": wanted.schema})
    if wanted.type is ObjectType.COLUMN and not await rows(connection, catalog.TABLE_EXISTS, values):
        raise Refused(Reason.OBJECT_MISSING, facts={"value": wanted.table})


def _statement(account: str, change: PrivilegeChange, found: FoundObject) -> sql.Composed:
    words = sql.SQL(", ").join(_privilege(word, change.object) for word in change.privileges)
    verb, way = ("GRANT", "TO") if change.grant else ("REVOKE", "FROM")
    return sql.SQL("{} {} ON {} {} {}{}").format(
        sql.SQL(verb),
        words,
        _target(found),
        sql.SQL(way),
        sql.Identifier(account),
        sql.SQL(" CASCADE" if change.cascade and not change.grant else ""),
    )


def _privilege(word: str, item: DatabaseObject) -> sql.Composable:
    """A word of `catalog.PRIVILEGES`; a column's privilege names the column."""
    known = sql.SQL(word)  # checked against the closed list
    if item.type is ObjectType.COLUMN:
        return sql.SQL("{} ({})").format(known, sql.Identifier(item.name))
    return known


def _target(found: FoundObject) -> sql.Composed:
    item = found.object
    word = sql.SQL(_WORDS.get(item.type, "TABLE"))  # a closed list
    name: sql.Composable
    if found.signature is not None:
        name = sql.SQL(found.signature)  # quoted by the server
    elif item.type in {ObjectType.DATABASE, ObjectType.SCHEMA}:
        name = sql.Identifier(item.name)
    else:
        name = sql.Identifier(item.schema, item.table if item.type is ObjectType.COLUMN else item.name)
    return sql.SQL("{} {}").format(word, name)

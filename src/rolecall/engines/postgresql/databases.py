"""Creating, dropping and listing databases, and changing their owners."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from rolecall.domain.engine import NO_DATABASE, DatabaseFacts, ExpectedDatabase, NewDatabase, require_database
from rolecall.domain.engine.identity import Expected, require_identity
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import errors, statements, tenancy
from rolecall.engines.postgresql.accounts import Accounts
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.server import Server, only_row, rows

LOCALE_PROVIDER_SINCE = 15

_DRAFT = "rolecall_draft_"
"""Prefix of a database that is being created; its operation in 32 hexadecimal digits follows."""

_LIST = """
SELECT d.datname::text, r.rolname::text, pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text,
       d.datallowconn, d.datconnlimit, left(coalesce(array_to_string(d.datacl, ','), ''), 65536), d.oid::text,
       (SELECT left(description, %(marker_length)s) FROM pg_shdescription
        WHERE classoid = 'pg_database'::regclass AND objoid = d.oid)
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
WHERE NOT d.datistemplate AND d.datname !~ '^rolecall_draft_[0-9a-f]{32}$'
ORDER BY d.datname COLLATE "C"
"""

_STATE: LiteralString = (
    tenancy.POWERFUL
    + "SELECT "
    + tenancy.DATABASE_IS_TENANTS
    + """, (SELECT left(description, %(marker_length)s) FROM pg_shdescription
             WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
       d.oid::text, (SELECT rolname::text FROM pg_roles r WHERE r.oid = d.datdba)
FROM pg_database d WHERE datname = %(name)s::text
"""
)

_DRAFTS = "SELECT datname::text FROM pg_database WHERE datname ~ '^rolecall_draft_[0-9a-f]{32}$'"

_ENCODING = """
SELECT pg_char_to_encoding(%(encoding)s), (SELECT encoding FROM pg_database WHERE datname = 'template1')
"""


class Databases:
    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    async def all(self) -> Sequence[DatabaseFacts]:
        values = {"marker_length": statements.MARKER_LENGTH}
        found = await self._server.run(lambda connection: rows(connection, _LIST, values))
        return [
            replace(DatabaseFacts(*row[:-1]), operations=statements.operations_of(row[-1])) for row in found
        ]

    async def create(self, new: NewDatabase) -> None:
        names.require(new.name, Reason.DATABASE_NAME_MALFORMED)
        if not names.is_text(new.encoding):
            raise Refused(Reason.ENCODING_UNSUPPORTED)
        if not names.is_text(new.collate + new.ctype):
            raise Refused(Reason.LOCALE_UNSUPPORTED)
        await self._server.run(lambda connection: self._create(connection, new))

    async def _create(self, connection: Connection, new: NewDatabase) -> None:
        """CREATE DATABASE cannot run in a transaction. So a draft is created that allows no connections, then renamed,
        opened and marked in one transaction: under its own name the database is whole or absent. The next creation
        drops the draft of a crashed one.
        """
        async with self._locked(connection, "databases"):
            state = await self._state(connection, new.name)
            if state and new.operation in statements.operations_of(state[1]):
                return
            if new.fence is not None:
                await new.fence()
            if state:
                raise Refused(Reason.DATABASE_TAKEN, facts={"value": new.name})
            await self._require_owner(connection, new.owner, new.owned_by)
            await _drop_drafts(connection)
            draft = f"{_DRAFT}{new.operation.hex}"
            await self._make(connection, draft, new)
            await _publish(connection, draft, new)

    @contextlib.asynccontextmanager
    async def _locked(self, connection: Connection, kind: str) -> AsyncIterator[None]:
        """Hold an advisory lock outside a transaction. If its release fails, closing the session releases it."""
        key = statements.lock_key(kind, secret=self._server.lock_secret)
        await only_row(connection, "SELECT pg_advisory_lock(%(key)s)", key=key)
        try:
            yield
        finally:
            try:
                await only_row(connection, "SELECT pg_advisory_unlock(%(key)s)", key=key)
            except psycopg.Error:
                await connection.close()

    async def _make(self, connection: Connection, draft: str, new: NewDatabase) -> None:
        options = await self._options(connection, new)
        try:
            await connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} ALLOW_CONNECTIONS false{}").format(
                    sql.Identifier(draft), sql.Identifier(new.owner), options
                )
            )
        except psycopg.Error as error:
            raise _refusal(error, new) or error from None

    async def _options(self, connection: Connection, new: NewDatabase) -> sql.Composable:
        """Another encoding or locale needs template0, the only template without texts of its own."""
        differs = await _differs(connection, new.encoding) if new.encoding else False
        collate = new.collate or ("C" if differs else "")
        ctype = new.ctype or ("C" if differs else "")
        words = {"ENCODING": new.encoding, "LC_COLLATE": collate, "LC_CTYPE": ctype}
        given = [
            sql.SQL(" {} {}").format(sql.SQL(word), sql.Literal(value))  # the three above
            for word, value in words.items()
            if value
        ]
        if not given:
            return sql.SQL("")
        facts = await self._server.known(connection)
        if (collate or ctype) and facts.version[0] >= LOCALE_PROVIDER_SINCE:
            given.append(sql.SQL(" LOCALE_PROVIDER libc").format())
        return sql.SQL(" TEMPLATE template0{}").format(sql.SQL("").join(given))

    async def drop(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        return await self._server.run(lambda connection: self._drop(connection, name, expected))

    async def _drop(self, connection: Connection, name: str, expected: ExpectedDatabase | None) -> bool:
        """Under the lock of creations: DROP DATABASE names its database and cannot run in a transaction."""
        if not names.fits(name):
            return False
        async with self._locked(connection, "databases"):
            state = await self._state(connection, name)
            if state is None:
                return False
            self._require_tenants(name, is_tenants=state[0])
            if expected == NO_DATABASE:
                return False
            require_database(expected, name, *state[2:])
            try:
                await connection.execute(_drop(name))
            except psycopg.errors.InvalidCatalogName:  # another session has just dropped it
                return False
            except psycopg.Error as error:
                if errors.is_lost(error):
                    raise errors.in_commit(error) from None
                raise
        return True

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        """The change can be repeated, so it leaves no mark: the comment belongs to the database's owner."""
        await self._server.run(
            lambda connection: self._change_owner(connection, name, owner, operation, expected, owned_by)
        )

    async def _change_owner(
        self,
        connection: Connection,
        name: str,
        owner: str,
        operation: UUID,
        expected: ExpectedDatabase | None,
        owned_by: Expected | None,
    ) -> None:
        opening = sql.SQL("; ").join((self._server.lock("acl"), self._server.lock("databases")))
        async with transaction(connection, opening):
            state = await self._state(connection, name)
            if state is None:
                raise Refused(Reason.DATABASE_MISSING, facts={"value": name})
            self._require_tenants(name, is_tenants=state[0])
            require_database(expected, name, *state[2:])
            await self._require_owner(connection, owner, owned_by)
            if owner == (await self._server.known(connection)).administrator:
                made_by = statements.operations_of(state[1])
                await connection.execute(statements.take_over_database(name, owner, operation, made_by))
            else:
                await connection.execute(
                    sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                        sql.Identifier(name), sql.Identifier(owner)
                    )
                )

    async def _state(self, connection: Connection, name: str) -> tuple[Any, ...] | None:
        """Whether it is a tenant's, the beginning of its comment, its oid and owner; None if it does not exist."""
        if not names.fits(name):
            return None
        found = await rows(connection, _STATE, {**self._server.values, "name": name})
        return found[0] if found else None

    def _require_tenants(self, name: str, *, is_tenants: bool) -> None:
        if not is_tenants or name == "postgres":
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": name})

    async def _require_owner(self, connection: Connection, owner: str, expected: Expected | None) -> None:
        """The owner must be a tenant's account or the administrator. ACCOUNT_MISSING, ACCOUNT_PROTECTED."""
        if owner == (await self._server.known(connection)).administrator:
            return
        found = await self._accounts.require_listed(connection, owner)
        if found.is_protected:
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": owner})
        require_identity(expected, owner, found.identity)


async def _drop_drafts(connection: Connection) -> None:
    """Under the lock of creations every draft is from a crash."""
    for (draft,) in await rows(connection, _DRAFTS, ()):
        await connection.execute(_drop(draft))


async def _publish(connection: Connection, draft: str, new: NewDatabase) -> None:
    name = sql.Identifier(new.name)
    async with transaction(connection):
        await connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), name)
        )
        await connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        await connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                name, sql.Literal(statements.marker(new.operation))
            )
        )


async def _differs(connection: Connection, encoding: str) -> bool:
    """Whether it is not the default encoding of new databases. ENCODING_UNSUPPORTED if the server does not know it."""
    asked, default = await only_row(connection, _ENCODING, encoding=encoding)
    if asked < 0:
        raise Refused(Reason.ENCODING_UNSUPPORTED, facts={"value": encoding})
    return bool(asked != default)


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))


def _refusal(error: psycopg.Error, new: NewDatabase) -> Refused | None:
    """CREATE DATABASE's own errors: an encoding that databases cannot have, a locale unknown or of another encoding."""
    has_locale = bool(new.collate or new.ctype)
    note = error.diag.message_primary or ""
    if error.sqlstate == "42809" or (error.sqlstate == "22023" and has_locale):
        facts = {"value": new.collate or new.ctype}
        return Refused(Reason.LOCALE_UNSUPPORTED, facts=facts, note=note)
    if error.sqlstate in {"42704", "22023"}:
        return Refused(Reason.ENCODING_UNSUPPORTED, facts={"value": new.encoding}, note=note)
    return None

"""Dropping an account, with what it leaves in every database."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import (
    NO_ACCOUNT,
    ChangedMeanwhile,
    Expected,
    Superseded,
    require_identity,
    require_order,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import errors, sessions, statements, tenancy
from rolecall.engines.postgresql.accounts import CUT_OFF, Accounts, require_no_host
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.group import SuperGroup
from rolecall.engines.postgresql.server import MEMBERSHIP_OPTIONS_SINCE, Server, rows

_DATABASES_WITH_TRACES: LiteralString = (
    tenancy.POWERFUL
    + "SELECT DISTINCT d.datname::text, NOT d.datallowconn AND "
    + tenancy.DATABASE_IS_TENANTS
    + """FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = %(oid)s AND d.datname <> current_database() ORDER BY 1
"""
)
_ALLOW = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
_OWNED_DATABASES = """
SELECT datname::text, (SELECT left(description, %s) FROM pg_shdescription
                       WHERE classoid = 'pg_database'::regclass AND objoid = d.oid)
FROM pg_database d WHERE datdba = %s ORDER BY 1
"""


class Removal:
    def __init__(self, server: Server, group: SuperGroup, accounts: Accounts) -> None:
        self._server = server
        self._group = group
        self._accounts = accounts

    async def drop(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        """Three steps, each of which can be repeated: remove login and sessions; hand over its databases and mark it;
        hand over its objects in every database and drop it.
        """
        require_no_host(host)
        found = await self._server.run(
            lambda connection: self._accounts.cut_off(connection, name, operation, expected)
        )
        if found is None:
            return False
        seen = Expected(found.identity) if expected is None else expected
        try:
            with errors.begun(CUT_OFF):
                retired = await self._server.run(
                    lambda connection: self._retire(connection, name, operation, seen)
                )
        except Superseded:
            if expected is not None:
                raise
            return True  # it was dropped, and another account has its name
        if retired is None:
            return False
        with errors.begun("the account is locked, and perhaps not dropped"):
            return await self._server.run(lambda connection: self._remove(connection, retired))

    async def _retire(
        self, connection: Connection, name: str, operation: UUID, expected: Expected | None
    ) -> AccountFacts | None:
        if not names.fits(name):
            return None
        await self._heir_ready(connection)
        async with transaction(connection, self._both_locks(name)):
            found = await self._accounts.find_tenants(connection, name)
            if found is None or expected == NO_ACCOUNT:
                return None
            require_identity(expected, name, found.identity)
            require_order(expected, name, found.order)
            retired = found.changed_by(operation)
            steps = [statements.change_login(name, may_log_in=False), statements.mark(retired)]
            steps += await self._group.strip_roles_made_by(connection, found.oid)
            steps += await self._take_on(connection, name)
            steps += await self._databases_to_administrator(connection, found.oid, operation)
            await connection.execute(sql.SQL("; ").join(steps))
        await sessions.end(connection, found.oid)
        return retired

    def _both_locks(self, name: str) -> sql.Composed:
        """Handing objects over rewrites ACLs, so it also needs the lock of ACL changes."""
        return sql.SQL("; ").join((self._server.lock("acl"), self._server.lock("role", name)))

    async def _remove(self, connection: Connection, retired: AccountFacts) -> bool:
        name, oid = retired.name, retired.oid
        async with transaction(connection, self._both_locks(name)):
            found = await self._accounts.look_up(connection, name)
            if found is None or found.oid != oid:  # a concurrent run of the same operation has dropped it
                return True
            if found.marker != retired.marker:
                raise ChangedMeanwhile(name)
            elsewhere = await rows(connection, _DATABASES_WITH_TRACES, {**self._server.values, "oid": oid})
            for database, is_closed in elsewhere:
                opened = self._opened(database) if is_closed else contextlib.nullcontext()
                async with opened, self._server.connections.to(database) as other, transaction(other):
                    await other.execute(self._hand_over(name))
            await connection.execute(self._hand_over(name))
            try:
                await connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
            except psycopg.errors.DependentObjectsStillExist as error:  # created meanwhile
                raise Refused(Reason.ENGINE_REFUSED, note=error.diag.message_primary or "") from None
        return True

    @contextlib.asynccontextmanager
    async def _opened(self, database: str) -> AsyncIterator[None]:
        """Allow connections to a database meanwhile: closing it must not protect accounts that own objects in it."""
        which = sql.Identifier(database)
        async with self._server.connections.to(self._server.connections.maintenance) as beside:
            await beside.execute(_ALLOW.format(which, sql.SQL("true")))
            try:
                yield
            finally:
                await beside.execute(_ALLOW.format(which, sql.SQL("false")))

    def _hand_over(self, name: str) -> sql.Composed:
        """Objects go to a role without any power, never to a superuser: a tenant's SECURITY DEFINER function, view or
        index expression runs with its owner's privileges.
        """
        role = sql.Identifier(name)
        return sql.SQL("REASSIGN OWNED BY {} TO {}; DROP OWNED BY {}").format(
            role, sql.Identifier(self._server.heir), role
        )

    async def _heir_ready(self, connection: Connection) -> None:
        group = await self._group.ready(connection)
        if group is None:
            await self._group.require_plain_heir(connection)

    async def _take_on(self, connection: Connection, name: str) -> list[sql.Composed]:
        """An administrator without superuser needs membership in a role to end its sessions and move its objects."""
        facts = await self._server.known(connection)
        if facts.is_superuser:
            return []
        options = " WITH INHERIT TRUE, SET TRUE" if facts.version[0] >= MEMBERSHIP_OPTIONS_SINCE else ""
        grant = sql.SQL("GRANT {}, {} TO CURRENT_USER{}")
        return [grant.format(sql.Identifier(name), sql.Identifier(self._server.heir), sql.SQL(options))]

    async def _databases_to_administrator(
        self, connection: Connection, oid: int, operation: UUID
    ) -> list[sql.Composed]:
        """Nothing runs with the privileges of a database's owner, so databases may go to a superuser."""
        administrator = (await self._server.known(connection)).administrator
        owned = await rows(connection, _OWNED_DATABASES, (statements.MARKER_LENGTH, oid))
        return [
            statements.take_over_database(name, administrator, operation, statements.operations_of(comment))
            for name, comment in owned
        ]

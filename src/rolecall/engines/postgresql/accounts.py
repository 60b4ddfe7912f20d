"""Changing and listing accounts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    EngineFacts,
    VerifierWrite,
)
from rolecall.domain.engine.identity import (
    NO_ACCOUNT,
    Expected,
    superseded_account,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import errors, sessions, statements, tenancy
from rolecall.engines.postgresql.connections import Connection, Rollback, transaction
from rolecall.engines.postgresql.group import SuperGroup
from rolecall.engines.postgresql.server import Server, only_row, rows
from rolecall.values import Secret

CUT_OFF = "the account has lost its login, and is perhaps not marked"


class Accounts:
    def __init__(self, server: Server, group: SuperGroup) -> None:
        self._server = server
        self._group = group

    def require_new_name(self, name: str) -> None:
        names.require_new_role(name)
        if name in {self._group.name, self._server.heir}:
            raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})

    def require_version(self, facts: EngineFacts, kind: AccountKind | None) -> None:
        """ENGINE_TOO_OLD for super accounts."""
        if kind is AccountKind.SUPER and facts.version[0] < self._server.super_min_version:
            note = f"server {facts.version_text}, super accounts from {self._server.super_min_version}"
            raise Refused(Reason.ENGINE_TOO_OLD, note=note)

    async def change(self, change: AccountChange) -> AccountFacts:
        require_no_host(change.host or change.new_host or "")
        if change.new_name is not None:
            raise Refused(Reason.ENGINE_UNSUITED, note="a role keeps its name")
        marking: AbstractContextManager[None] = nullcontext()
        if change.may_log_in is False:
            await self._server.run(
                lambda connection: self.cut_off(
                    connection, change.name, change.operation, change.expected, end=change.end_sessions
                )
            )
            marking = errors.begun(CUT_OFF)
        with marking:
            return await self._server.run(lambda connection: self._change(connection, change))

    async def cut_off(
        self,
        connection: Connection,
        name: str,
        operation: UUID,
        expected: Expected | None,
        *,
        end: bool = True,
    ) -> AccountFacts | None:
        """Remove the login and end the sessions, before anything that takes locks, so that no tenant can delay it.

        Can be repeated; the marker follows in its order. An account without a marker keeps its login: with neither it
        would not be listed. Gives the account as it was, None if it does not exist.
        """
        found = await self.find_tenants(connection, name)
        if (
            found is None
            or expected == NO_ACCOUNT
            or not found.operations
            or found.was_changed_by(operation, expected)
        ):
            return found
        async with transaction(connection):
            await connection.execute(statements.change_login(name, may_log_in=False))
            after = await self.look_up(connection, name)
            if after is None or after.oid != found.oid:
                raise superseded_account(name)
            if operation in after.operations:
                raise Rollback  # another process has applied it: what was changed after that stays
        if end and operation not in after.operations:
            await sessions.end(connection, found.oid)
        return found

    async def _change(self, connection: Connection, change: AccountChange) -> AccountFacts:
        await self.may_become(connection, change.kind)
        write = self._server.connections.verifier_writes.way(connection)
        async with transaction(connection, self._server.lock("role", change.name)):
            before = await self.require_changeable(connection, change.name)
            after = before
            if not before.was_changed_by(change.operation, change.expected):
                after = await self._apply(connection, change, before, write)
        if change.end_sessions and not after.may_log_in:
            await sessions.end(connection, before.oid)
        return after

    async def _apply(
        self, connection: Connection, change: AccountChange, before: AccountFacts, write: VerifierWrite
    ) -> AccountFacts:
        """The statements of a change, in one message, and what they lead to.

        They name the account. If SQL has put another one in its place since it was looked up: `Superseded`.
        """
        steps: list[sql.Composed] = []
        if change.verifier is not None:
            steps.append(await self._password_change(connection, before, change.verifier, write))
        steps += await self.kind_change(connection, before, change.kind)
        if change.may_log_in is not None:
            steps.append(statements.change_login(change.name, may_log_in=change.may_log_in))
        steps.append(statements.mark(before.changed_by(change.operation)))
        cursor = await connection.execute(sql.SQL("; ").join(steps))  # shows the first result
        is_written = change.verifier is None or write is VerifierWrite.STATEMENT or cursor.rowcount == 1
        after = await self.look_up(connection, change.name)
        if after is None or after.oid != before.oid or not is_written:
            raise superseded_account(change.name)
        return after if change.verifier is None else replace(after, verifier_write=write)

    async def _password_change(
        self, connection: Connection, before: AccountFacts, verifier: Secret, write: VerifierWrite
    ) -> sql.Composed:
        if write is VerifierWrite.CATALOG:
            return statements.write_password(before.name, before.oid, verifier)
        change = statements.change_password(before.name, verifier)
        if not (await self._server.known(connection)).can_read_verifiers:
            return change
        return sql.SQL("; ").join((change, statements.check_password(before.name, verifier)))

    async def may_become(self, connection: Connection, kind: AccountKind | None) -> None:
        """To be called before a transaction that changes an account's kind. ENGINE_TOO_OLD."""
        self.require_version(await self._server.known(connection), kind)
        if kind is not None:
            await self._group.ready(connection)

    async def kind_change(
        self, connection: Connection, before: AccountFacts, kind: AccountKind | None
    ) -> list[sql.Composed]:
        """Statements that change the account's kind; none if it has that kind."""
        if kind is None or kind is before.kind:
            return []
        steps: list[sql.Composed] = []
        if kind is AccountKind.NORMAL:
            steps += await self._group.strip_roles_made_by(connection, before.oid)
        return [*steps, statements.change_kind(before.name, kind, self._group.name)]

    async def find(self, name: str, host: str = "") -> AccountFacts | None:
        """Waits for the account's lock, so that it sees a concurrent change either whole or not at all."""
        require_no_host(host)
        if not names.fits(name):
            return None
        return await self._server.run(lambda connection: self._settled(connection, name))

    async def _settled(self, connection: Connection, name: str) -> AccountFacts | None:
        await connection.execute(self._server.lock("role", name))
        return await self.look_up(connection, name)

    async def all(self) -> Sequence[AccountFacts]:
        return await self._server.run(lambda connection: self.read(connection, tenancy.ALL_ACCOUNTS))

    async def require_changeable(self, connection: Connection, name: str) -> AccountFacts:
        """A tenant's account. ACCOUNT_PROTECTED, ACCOUNT_MISSING."""
        found = await self.find_tenants(connection, name)
        if found is None:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return found

    async def require_listed(self, connection: Connection, name: str) -> AccountFacts:
        """The account, protected or not. ACCOUNT_MISSING."""
        found = await self.look_up(connection, name) if names.fits(name) else None
        if found is None:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return found

    async def find_tenants(self, connection: Connection, name: str) -> AccountFacts | None:
        """The account, None if no role has that name. ACCOUNT_PROTECTED if it is not a tenant's."""
        if not names.fits(name):
            return None
        found = await self.look_up(connection, name)
        if found is not None and found.is_protected and found.kind is AccountKind.SUPER:
            # A powerful account in the group makes every super account powerful: remove it from the group.
            await self._group.drop_tainted(connection)
            found = await self.look_up(connection, name)
        if found.is_protected if found is not None else await self._is_protected(connection, name):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        return found

    async def look_up(self, connection: Connection, name: str) -> AccountFacts | None:
        found = await self.read(connection, tenancy.ONE_ACCOUNT, name=name)
        return found[0] if found else None

    async def _is_protected(self, connection: Connection, name: str) -> bool:
        return bool((await only_row(connection, tenancy.IS_PROTECTED, name=name, **self._server.values))[0])

    async def read(
        self, connection: Connection, query: LiteralString, **values: object
    ) -> list[AccountFacts]:
        """The accounts of one of `tenancy`'s queries."""
        facts = await self._server.known(connection)
        # pg_roles shows stars for every password: without access to pg_authid, each role counts as having one.
        passwords = "pg_authid" if facts.can_read_verifiers else "pg_roles"
        composed = query.replace("{passwords}", passwords)
        return [
            tenancy.account_facts(row)
            for row in await rows(connection, composed, values | self._server.values)
        ]


def require_no_host(host: str) -> None:
    """A role has no host: pg_hba.conf says who may connect from where."""
    if host:
        raise Refused(Reason.HOST_MALFORMED, facts={"value": host})

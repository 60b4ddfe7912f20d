"""Grants of whole databases by template, and their revocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from rolecall.domain.engine import Access, AccountFacts, AccountKind, DatabaseGrant, NewAccount
from rolecall.domain.engine.identity import Expected
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import control, names, quoting, sessions, statements, templates
from rolecall.engines.mysql.accounts import Accounts
from rolecall.engines.mysql.catalog import StoredAccount
from rolecall.engines.mysql.connections import Session
from rolecall.engines.mysql.server import Server, account_lock, database_lock, require_databases


class Grants:
    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

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
        """A database in both lists is granted."""
        place = host or names.ANY_HOST
        self._accounts.require_place(name, place)
        wanted: dict[str, Access | None] = dict.fromkeys(revoke)
        wanted |= {given.database: given.access for given in grant}
        return await self._server.change(
            lambda session: self._change(
                session,
                name,
                place,
                wanted,
                operation,
                allow_missing=allow_missing,
                expected=expected,
            )
        )

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        for new in accounts:
            self._accounts.require_new_name(new.name)
        if accounts:
            await self._server.run(lambda session: self._accounts.creations.require_new(session, accounts))

    def may_be_database(self, name: str) -> bool:
        return names.is_database(name) and not names.is_system(name, self._server.control)

    async def _change(
        self,
        session: Session,
        name: str,
        host: str,
        wanted: Mapping[str, Access | None],
        operation: UUID,
        *,
        allow_missing: bool,
        expected: Expected | None,
    ) -> AccountFacts:
        schema = self._server.control
        things = [account_lock(name), *map(database_lock, wanted)]
        asking = self._accounts.looking(name, host)
        async with self._server.locked(session, things, *asking) as answers:
            before = self._accounts.require_changeable(answers, name, host)
            if before.facts.was_changed_by(operation, expected):
                return before.facts
            if before.facts.kind is AccountKind.SUPER and wanted:
                raise Refused(
                    Reason.ACCOUNT_PROTECTED,
                    facts={"value": name},
                    note="a super account holds every database already",
                )
            granted = [database for database, access in wanted.items() if access is not None]
            awaited = await require_databases(session, self._server, granted, allow_missing=allow_missing)
            noted = {"grants": {database: access and access.value for database, access in wanted.items()}}
            changed = before.facts.changed_by(operation)
            giving, taking = self._statements(before, wanted)
            # Grant first, then revoke the surplus: what stays is never missing.
            steps = [
                control.begin(schema, name, host, changed, noted),
                *(control.await_database(schema, database, name, host) for database in awaited),
                *giving,
                *taking,
                *(
                    control.forget_awaited(schema, name, host, database)
                    for database, access in wanted.items()
                    if access is None
                ),
            ]
            after = await self._accounts.carry_out(session, steps, changed, (name, host))
            if taking:  # an open session keeps its privileges in its current database
                await sessions.end(session, name)
            return after

    def _statements(
        self, before: StoredAccount, wanted: Mapping[str, Access | None]
    ) -> tuple[list[str], list[str]]:
        giving: list[str] = []
        taking: list[str] = []
        for database, access in wanted.items():
            if access is not None:
                grant = DatabaseGrant(database, access)
                giving.append(statements.give(before.name, before.host, grant, self._server.columns))
            taking += self._surplus(before, database, access)
        return giving, taking

    def _surplus(self, before: StoredAccount, database: str, access: Access | None) -> list[str]:
        """Revocations of what the account holds on a database beyond a template, in any spelling of its name."""
        kept = frozenset() if access is None else templates.privileges(access, self._server.columns)
        surplus = []
        for held in before.held:
            if held.database != database or names.is_system(database, self._server.control):
                continue
            stays = kept if held.pattern == quoting.escaped(database) else frozenset()
            if more := held.privileges - stays:
                surplus.append(statements.revoke(before.name, before.host, held.pattern, more))
        return surplus

"""Creating, dropping and listing databases. They have no owner here."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from asyncmy.errors import MySQLError

from rolecall.domain.engine import (
    NO_DATABASE,
    DatabaseFacts,
    ExpectedDatabase,
    NewDatabase,
    require_database,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names as any_names
from rolecall.engines.mysql import control, errors, names, quoting, templates
from rolecall.engines.mysql.connections import Session
from rolecall.engines.mysql.server import Server, database_lock, existing

_LIST = """
SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA
"""
_MADE_BY = "SELECT name, operation FROM {control}.`databases`"

# Grants on tables and routines also outlive the database.
_TABLE_GRANTS = "SELECT User, Host, Db, Table_name, '' FROM mysql.tables_priv"
_ROUTINE_GRANTS = "SELECT User, Host, Db, Routine_name, Routine_type FROM mysql.procs_priv"


class Databases:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def all(self) -> Sequence[DatabaseFacts]:
        marks = _MADE_BY.replace("{control}", quoting.name(self._server.control))
        rows, made_by = await self._server.run(lambda session: session.fetch_all(_LIST, marks))
        operations = {name: UUID(operation) for name, operation in made_by}
        found = [
            _facts(name, encoding, collate, operations.get(name))
            for name, encoding, collate in rows
            if not names.is_system(name, self._server.control)
        ]
        return sorted(found, key=lambda facts: facts.name)

    async def create(self, new: NewDatabase) -> None:
        names.require_database(new.name)
        if not any_names.is_text(new.encoding):
            raise Refused(Reason.ENCODING_UNSUPPORTED)
        if not any_names.is_text(new.collate) or new.ctype:
            raise Refused(Reason.LOCALE_UNSUPPORTED, facts={"value": new.ctype})
        await self._server.change(lambda session: self._create(session, new))

    async def _create(self, session: Session, new: NewDatabase) -> None:
        schema = self._server.control
        if self._server.folds_case and new.name != new.name.lower():
            raise Refused(Reason.DATABASE_NAME_MALFORMED, facts={"value": new.name})
        if names.is_system(new.name, schema):
            raise Refused(Reason.DATABASE_TAKEN, facts={"value": new.name})
        async with self._server.locked(session, [database_lock(new.name)]):
            made_by = await session.fetch(control.database(schema, new.name))
            is_there = bool(await existing(session, {new.name}))
            if is_there and made_by and made_by[0][0] == str(new.operation):
                return
            if new.fence is not None:
                await new.fence()
            if is_there:
                raise Refused(Reason.DATABASE_TAKEN, facts={"value": new.name})
            # A database that SQL dropped has left its grants.
            await self._revoke_all(session, new.name, await self._awaiting(session, new.name))
            await session.execute(control.begin_database(schema, new.name, new.operation))
            try:
                await session.execute(_creation(new))
            except MySQLError as error:
                if not errors.is_ended(error):
                    await session.execute(control.forget_database(schema, new.name))
                raise _refusal(error, new) or error from None
            await session.execute(control.forget_awaiting(schema, new.name))

    async def drop(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        if names.is_system(name, self._server.control):
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": name})
        if not names.fits(name, names.DATABASE_CHARACTERS):
            return False
        return await self._server.change(lambda session: self._drop(session, name, expected))

    async def _drop(self, session: Session, name: str, expected: ExpectedDatabase | None) -> bool:
        """The server waits for statements that use tables of the database, not for the ends of their sessions."""
        async with self._server.locked(session, [database_lock(name)]):
            is_there = bool(await existing(session, {name}))
            if is_there:
                if expected == NO_DATABASE:
                    return False
                made_by = await session.fetch(control.database(self._server.control, name))
                require_database(expected, name, made_by[0][0] if made_by else "", "")
                await session.execute(f"DROP DATABASE {quoting.name(name)}")
            schema = self._server.control
            forget = [control.forget_database(schema, name)]
            awaiting = frozenset[tuple[str, str]]()
            if is_there or expected in (None, NO_DATABASE):
                forget.append(control.forget_awaiting(schema, name))
            else:  # dropped before: what is awaited since is not of that database
                awaiting = await self._awaiting(session, name)
            await self._revoke_all(session, name, awaiting)
            await session.execute(*forget)
            return is_there

    async def _awaiting(self, session: Session, name: str) -> frozenset[tuple[str, str]]:
        """Names and hosts of the accounts with grants on a database to come."""
        rows = await session.fetch(control.awaiting(self._server.control, name))
        return frozenset((user, host) for user, host in rows)

    async def _revoke_all(
        self, session: Session, name: str, awaiting: AbstractSet[tuple[str, str]] = frozenset()
    ) -> None:
        """Grants outlive their database: without this a later database of the name would inherit them.

        Grants of accounts that await a future database of the name stay.
        """
        for statement in [
            *await self._on_database(session, name, awaiting),
            *await self._below(session, name),
        ]:
            try:
                await session.execute(statement)
            except MySQLError as error:
                if errors.number(error) not in errors.NO_SUCH_GRANT:  # another session has just revoked it
                    raise

    async def _on_database(
        self, session: Session, name: str, awaiting: AbstractSet[tuple[str, str]]
    ) -> list[str]:
        flags = ", ".join(self._server.columns.values())
        rows = await session.fetch(f"SELECT User, Host, Db, CONCAT({flags}) FROM mysql.db")
        return [
            f"REVOKE {templates.listed(words)} ON {quoting.whole(pattern)} FROM {quoting.account(user, host)}"
            for user, host, pattern, row in rows
            if quoting.unescaped(pattern) == name
            and not quoting.matches_many(pattern)
            and (user, host) not in awaiting
            and (words := templates.from_flags(row, self._server.columns))
        ]

    async def _below(self, session: Session, name: str) -> list[str]:
        rows = [*await session.fetch(_TABLE_GRANTS), *await session.fetch(_ROUTINE_GRANTS)]
        return [
            f"REVOKE {words} ON {kind} {quoting.name(name)}.{quoting.name(item)} FROM {quoting.account(user, host)}"
            for user, host, database, item, kind in rows
            if database == name
            for words in (templates.GRANT_OPTION, "ALL PRIVILEGES")
        ]


def _facts(name: str, encoding: str, collate: str, operation: UUID | None) -> DatabaseFacts:
    """The operation that created a database is its identity; databases that SQL created have none."""
    identity, operations = ("", ()) if operation is None else (str(operation), (operation,))
    return DatabaseFacts(name, "", encoding, collate, "", True, -1, "", identity, operations)


def _creation(new: NewDatabase) -> str:
    words = [f"CREATE DATABASE {quoting.name(new.name)}"]
    if new.encoding:
        words.append(f"CHARACTER SET {quoting.text(new.encoding)}")
    if new.collate:
        words.append(f"COLLATE {quoting.text(new.collate)}")
    return " ".join(words)


def _refusal(error: MySQLError, new: NewDatabase) -> Refused | None:
    reason = errors.BY_NUMBER.get(errors.number(error))
    if reason is Reason.ENCODING_UNSUPPORTED:
        return Refused(reason, facts={"value": new.encoding})
    if reason is Reason.LOCALE_UNSUPPORTED:
        return Refused(reason, facts={"value": new.collate})
    if reason is Reason.DATABASE_TAKEN:
        return Refused(reason, facts={"value": new.name})
    return None

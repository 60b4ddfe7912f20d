"""What the parts of the engine share: a server's address, sessions, locks and facts, and how work runs on it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from typing import TypeVar

import structlog
from asyncmy.errors import MySQLError

from rolecall.domain.engine import EngineAddress, EngineFacts
from rolecall.domain.instances.examination import SOON, Expiries
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import control, errors, names, quoting, sessions, templates
from rolecall.engines.mysql.connections import LOCK_SECONDS, Connections, Row, Session
from rolecall.engines.mysql.flavors import Flavor

T = TypeVar("T")

_log = structlog.get_logger(__name__)

PATIENCE = 1
"""Whole seconds to wait for a lock before its holder's session is ended, if it may be."""

RELEASE = "DO RELEASE_ALL_LOCKS()"
"""Releases what `Server.locked` took. A caller that sends it as its last statement resets `Session.holds_locks`."""

_FACTS = """
SELECT VERSION(), CURRENT_USER(), @@lower_case_table_names,
       (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN ('SUPER', 'SYSTEM_USER')
        AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''))
"""
# An error that ends statements sent together if a condition does not hold.
_OR_FAIL = "SELECT IF({condition}, 1, (SELECT 1 UNION ALL SELECT 2))"
_IS_DATABASE = (
    "EXISTS (SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {name}"
    " AND CONVERT(SCHEMA_NAME USING utf8mb4) COLLATE utf8mb4_bin = {name})"
)
_COLUMNS = """
SELECT COLUMN_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = 'db' AND COLUMN_NAME LIKE '%\\_priv' ORDER BY ORDINAL_POSITION
"""
_EXPIRIES = (
    "SELECT COALESCE(SUM(e.expires <= UNIX_TIMESTAMP()), 0), COALESCE(SUM(e.expires > UNIX_TIMESTAMP()), 0)"
    " FROM (SELECT {expires} AS expires FROM {users} g WHERE {is_account}) e"
    f" WHERE e.expires <= UNIX_TIMESTAMP() + {SOON * 86400}"
)
_PARTIAL_REVOKES = "SELECT @@GLOBAL.partial_revokes"

# MariaDB's plugins check the text of passwords. While it is strict it refuses hashes, which they cannot check.
# MySQL's components do not see hashes, and accept them.
_CHECKERS = """
SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION'
AND PLUGIN_STATUS = 'ACTIVE' AND @@GLOBAL.strict_password_validation
"""

_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)")  # MariaDB once prefixed its version for old replicas


class Server:
    """One registered server of the MySQL family."""

    def __init__(
        self, address: EngineAddress, connections: Connections, flavor: Flavor, *, lock_secret: bytes = b""
    ) -> None:
        self._lock_secret = lock_secret
        self.address = address
        self.connections = connections
        self.flavor = flavor
        self.control = address.options.get("control_schema", control.SCHEMA)
        self.folds_case = False
        self.columns = flavor.columns
        """The privileges on a database with their columns in ``mysql.db``: the server's own, once it was asked."""
        self._is_prepared = False
        self._version = ""
        self.turn = asyncio.Lock()
        """Held during each change: several writers are slower than one, because each locks all accounts."""

    async def refuses_verifiers(self, session: Session, strictness: Sequence[Row]) -> str:
        """For operators: what makes the server refuse hashes; empty if it accepts them. Plugins may change at any time.

        `strictness` are the rows of `Flavor.strictness`, a fast query; the full one takes a millisecond.
        """
        (state,) = strictness
        if session.strictness is None or session.strictness[0] != state:
            rows = await session.fetch(_CHECKERS) if int(state[0]) else []
            plugins = ", ".join(sorted(str(name) for (name,) in rows))
            session.strictness = (state, f"{plugins} with strict_password_validation=ON" if plugins else "")
        return session.strictness[1]

    @property
    def administrator(self) -> str:
        return self.address.user

    def is_administered_as(self, name: str) -> bool:
        """Whether Rolecall itself logs in under that name, however it is cased or padded."""
        return self.administrator.strip().casefold() == name

    async def facts(self) -> EngineFacts:
        return await self.run(self._look)

    async def expiries(self) -> Expiries:
        """Of every account that is not locked."""
        flavor = self.flavor
        query = _EXPIRIES.format(expires=flavor.expires, users=flavor.users, is_account=flavor.is_account)

        async def count(session: Session) -> Expiries:
            return Expiries(*map(int, await only_row(session, query)))

        return await self.run(count)

    async def _look(self, session: Session) -> EngineFacts:
        text, _, folding, powers = await only_row(session, _FACTS)
        version = _VERSION.match(str(text))
        if version is None:
            raise Refused(Reason.ENGINE_REFUSED, note=f"no version in {text!r}")
        self.folds_case = int(folding) != 0
        if not self.flavor.takes_patterns_always:
            await _require_patterns(session)
        self.columns = templates.columns_of(str(name) for (name,) in await session.fetch(_COLUMNS))
        self._version = session.version
        refuses = await self.refuses_verifiers(session, await session.fetch(self.flavor.strictness))
        if refuses:
            _log.warning(
                "a server refuses hashed passwords",
                server=self.address.host,
                port=self.address.port,
                why=refuses,
            )
        return EngineFacts(
            version=(int(version[1]), int(version[2])),
            version_text=str(text).removeprefix("5.5.5-"),
            administrator=self.administrator,
            is_superuser=int(powers) > 0,
            can_read_verifiers=True,
            refuses_verifiers=refuses,
        )

    async def run(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Do `work` in a session. The driver's errors become refusals or unknown outcomes.

        A kept connection that turns out to be dead before anything was written is replaced once.
        """
        for attempt in (1, 2):
            async with self.connections.lease() as session:
                try:
                    await self._prepare(session)
                    return await work(session)
                except errors.Lost:
                    self.connections.forget_idle()
                    if session.has_written:
                        raise OutcomeUnknown("connection lost in a change") from None
                    if session.is_new or attempt == 2:
                        raise Refused(Reason.ENGINE_UNREACHABLE, note="connection lost") from None
                except MySQLError as error:
                    raise self._meaning(error, session) from None
        raise Refused(Reason.ENGINE_UNREACHABLE)

    async def change(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """As `run`, one change of this process at a time."""
        since = time.monotonic()
        async with self.turn:
            self.connections.require_reachable(since)
            return await self.run(work)

    def _meaning(self, error: MySQLError, session: Session) -> Refused | OutcomeUnknown:
        if errors.is_ended(error):
            session.drop()
            if session.has_written:
                return OutcomeUnknown("the server ended the session in a change")
        return errors.refusal(error)

    async def _prepare(self, session: Session) -> None:
        """Read facts and create the control schema, once per engine; read facts again after an upgrade."""
        if self._is_prepared:
            if session.version != self._version:
                await self._look(session)
            return
        await self._look(session)
        for statement in control.making(self.control):
            await session.fetch(statement)  # can be repeated, so no outcome depends on it
        if not await session.fetch(control.has_identities(self.control)):
            try:
                await session.fetch(control.adding_identities(self.control))
            except MySQLError as error:
                if errors.number(error) != errors.COLUMN_THERE:  # another process has just added it
                    raise
        self._is_prepared = True

    @contextlib.asynccontextmanager
    async def locked(
        self, session: Session, things: Collection[str], *looks: str
    ) -> AsyncIterator[list[list[Row]]]:
        """Hold the server-wide locks of some things, such as ``account:x`` and ``database:y``. They are taken in sorted
        order, so that two writers never wait for each other. Source: MySQL Reference Manual, "Locking Functions".

        Gives the rows of `looks`, queries that run under the locks, in the same round trip.
        """
        names = [lock_name(thing, self._lock_secret) for thing in sorted(set(things))]
        try:
            session.holds_locks = True
            yield await self._take(session, names, looks)
        finally:
            await unlock(session)

    async def _take(self, session: Session, names: Sequence[str], looks: Sequence[str]) -> list[list[Row]]:
        """Ends the sessions that hold the locks (`sessions.end_holders`). ENGINE_BUSY."""
        deadline = time.monotonic() + LOCK_SECONDS
        calls = ", ".join(_lock_calls(names, min(PATIENCE, LOCK_SECONDS)))
        while True:
            (got,), *answers = await session.fetch_all(f"SELECT {calls}", *looks)
            if all(got):
                return answers
            if time.monotonic() >= deadline:
                raise Refused(Reason.ENGINE_BUSY, note="another change of the same thing is under way")
            await sessions.end_holders(session, names, self.administrator)

    def lock_or_fail(self, things: Collection[str]) -> str:
        """A statement that takes locks as `locked` does, or fails soon. Its sender sets `Session.holds_locks`."""
        names = [lock_name(thing, self._lock_secret) for thing in sorted(set(things))]
        calls = _lock_calls(names, min(PATIENCE, LOCK_SECONDS))
        return _OR_FAIL.replace("{condition}", " AND ".join(calls))


def _lock_calls(names: Iterable[str], seconds: int) -> list[str]:
    return [f"GET_LOCK('{name}', {seconds})" for name in names]


def databases_or_fail(databases: Collection[str], *, folds_case: bool) -> list[str]:
    """Statements that fail unless each of these databases exists, by exact name."""
    asked = sorted(set(databases))
    if not folds_case:  # the cheapest statement that needs the database
        return [f"SHOW CREATE DATABASE {quoting.name(name)}" for name in asked]
    conditions = [_IS_DATABASE.replace("{name}", quoting.text(name)) for name in asked]
    return [_OR_FAIL.replace("{condition}", " AND ".join(conditions))] if conditions else []


def account_lock(name: str) -> str:
    """One lock for a name at every host: an account may be moved from host to host."""
    return f"account:{name}"


def database_lock(name: str) -> str:
    return f"database:{name}"


def lock_name(thing: str, secret: bytes = b"") -> str:
    """A digest: names have at most 64 characters and no case. Keyed: any account can take a lock it can name."""
    return "rc:" + hashlib.blake2b(thing.encode(), digest_size=16, key=secret).hexdigest()


async def only_row(session: Session, query: str) -> Row:
    """The row of a query that always has one."""
    rows = await session.fetch(query)
    if len(rows) != 1:
        raise Refused(Reason.ENGINE_REFUSED, note="a row was expected")
    return rows[0]


async def existing(session: Session, databases: set[str]) -> set[str]:
    """Which of these databases exist, by exact name."""
    if not databases:
        return set()
    return {row[0] for row in await session.fetch(databases_query(databases))} & databases


def databases_query(databases: Collection[str]) -> str:
    """A query for those of some databases that exist, perhaps in other letters' case."""
    asked = ", ".join(map(quoting.text, sorted(databases))) or "''"
    return f"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ({asked})"


def sound_databases(databases: Iterable[str]) -> set[str]:
    """Those of some names that a database can have."""
    return {name for name in databases if names.is_database(name)}


async def require_databases(
    session: Session, server: Server, databases: Collection[str], *, allow_missing: bool = False
) -> Collection[str]:
    """DATABASE_MISSING unless each exists and is a tenant's, or with `allow_missing` could be; gives the missing ones.

    The server accepts grants on databases that do not exist.
    """
    found = await existing(session, sound_databases(databases))
    return require_found(server, databases, found, allow_missing=allow_missing)


def require_found(
    server: Server, databases: Collection[str], found: Collection[str], *, allow_missing: bool
) -> Collection[str]:
    """The same, where `found` are the databases that exist."""
    sound = sound_databases(databases)
    there = sound.intersection(found)
    absent = sound - there if allow_missing else set()
    awaited = {name for name in absent if not server.folds_case or name == name.lower()}
    for name in databases:
        if name not in there | awaited or names.is_system(name, server.control):
            raise Refused(Reason.DATABASE_MISSING, facts={"value": name})
    return sorted(awaited)


async def unlock(session: Session) -> None:
    """Release the locks; if that fails, close the session, which releases them."""
    if not (session.is_usable and session.holds_locks):
        return
    session.holds_locks = False
    try:
        await session.fetch(RELEASE)
    except (MySQLError, errors.Lost):
        session.drop()
    except BaseException:
        session.drop()
        raise


async def _require_patterns(session: Session) -> None:
    """With partial_revokes on, MySQL takes ``_``, ``%`` and backslashes in GRANT literally: grants would name databases
    that do not exist, and super accounts would have none.
    """
    try:
        (is_on,) = await only_row(session, _PARTIAL_REVOKES)
    except MySQLError:  # a server before 8.0.16, without the variable
        return
    if int(is_on):
        raise Refused(Reason.ENGINE_REFUSED, note="servers with partial_revokes=ON are not supported")

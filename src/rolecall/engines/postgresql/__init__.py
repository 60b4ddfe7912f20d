"""The PostgreSQL engine, for servers from 13 on. docs/super-accounts.md tells how its super accounts are built."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseFacts,
    DatabaseObject,
    EngineAddress,
    EngineFacts,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
    StorePlace,
)
from rolecall.domain.identity import Expected
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import scram
from rolecall.engines.postgresql.accounts import Accounts
from rolecall.engines.postgresql.connections import Connections
from rolecall.engines.postgresql.databases import Databases
from rolecall.engines.postgresql.group import SuperGroup
from rolecall.engines.postgresql.privileges import Privileges
from rolecall.engines.postgresql.server import Server
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.values import Secret


class PostgresEngine:
    """`rolecall.domain.engine.Engine` on one PostgreSQL server. Making one opens no connection.

    Super accounts are refused with ENGINE_TOO_OLD below `super_min_version`: before 16 a role with CREATEROLE
    could make itself all but superuser. The database of `store` and its roles are out of reach on its own server.
    Processes that share a server share `lock_key`, which gives the names of locks on it.
    """

    def __init__(
        self,
        address: EngineAddress,
        *,
        super_min_version: int = 16,
        pool_size: int = 4,
        deadlines: Deadlines = DEFAULTS,
        store: StorePlace | None = None,
        lock_key: Secret | None = None,
    ) -> None:
        self._connections = Connections(address, size=pool_size, deadlines=deadlines)
        self._server = Server(
            address,
            self._connections,
            super_min_version=super_min_version,
            store=store,
            lock_secret=b"" if lock_key is None else hashlib.sha256(lock_key.reveal().encode()).digest(),
        )
        self._accounts = Accounts(self._server, SuperGroup(self._server))
        self._privileges = Privileges(self._server, self._accounts)
        self._databases = Databases(self._server, self._accounts)

    async def facts(self) -> EngineFacts:
        return await self._server.run(self._server.look)

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(scram.verifier(password.reveal()))

    @property
    def has_quick_verifier(self) -> bool:
        return False

    def canonical_host(self, host: str) -> str:
        _require_no_host(host)
        return host

    def require_new_name(self, name: str) -> None:
        self._accounts.require_new_name(name)

    async def create_account(self, new: NewAccount) -> AccountFacts:
        _require_no_host(new.host)
        _require_no_grants(new)
        return await self._accounts.create(new)

    async def change_account(self, change: AccountChange) -> AccountFacts:
        _require_no_host(change.host or change.new_host or "")
        _require_no_new_name(change)
        return await self._accounts.change(change)

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        _require_no_host(host)
        return await self._accounts.drop(name, operation, expected)

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        _require_no_host(host)
        return await self._accounts.one(name)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self.account(name, host)

    async def accounts(self) -> Sequence[AccountFacts]:
        return await self._accounts.all()

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        return await self._privileges.held(account, objects)

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        expected: Expected | None = None,
    ) -> AccountFacts:
        return await self._privileges.change(account, changes, operation, kind, expected)

    async def databases(self) -> Sequence[DatabaseFacts]:
        return await self._databases.all()

    async def create_database(self, new: NewDatabase) -> None:
        await self._databases.create(new)

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        return await self._databases.drop(name, expected)

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        await self._databases.change_owner(name, owner, operation, expected, owned_by)

    async def objects(
        self,
        type: ObjectType,  # noqa: A002 - the protocol's own word
        database: str = "",
        schema: str = "",
        table: str = "",
    ) -> Sequence[str]:
        return await self._privileges.objects(DatabaseObject(type, "", database, schema, table))

    async def close(self) -> None:
        await self._connections.close()


def _require_no_host(host: str) -> None:
    """A role has no host: pg_hba.conf says who may connect from where."""
    if host:
        raise Refused(Reason.HOST_MALFORMED, facts={"value": host})


def _require_no_grants(new: NewAccount) -> None:
    if new.grants:
        raise Refused(Reason.ENGINE_REFUSED, note="this kind of server grants no whole databases")


def _require_no_new_name(change: AccountChange) -> None:
    if change.new_name is not None:
        raise Refused(Reason.ENGINE_REFUSED, note="a role here keeps its name")

"""The MySQL engine: MariaDB from 10.6 on, and MySQL 8 and 9. docs/mysql.md tells how it keeps its promises."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    DatabaseFacts,
    DatabaseGrant,
    EngineAddress,
    EngineFacts,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
    StorePlace,
)
from rolecall.domain.identity import Expected
from rolecall.engines.mysql import hashes, names
from rolecall.engines.mysql.accounts import Accounts
from rolecall.engines.mysql.connections import Connections
from rolecall.engines.mysql.databases import Databases
from rolecall.engines.mysql.grants import Grants
from rolecall.engines.mysql.server import FLAVORS, Server
from rolecall.engines.mysql.superuser import NAME, Superuser
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.values import Secret


class MySqlEngine:
    """`rolecall.domain.engine.DatabaseGrants` on one server. Making one opens no connection.

    Options of the address: ``flavor``, ``mariadb`` (the default) or ``mysql``, decides on the hashes and is compared
    with the server at each connection; ``control_schema``; ``sslmode`` and its companions. `super_min_version` is
    there for every engine and decides nothing here: super accounts are built alike on every version. Processes that
    share a server share `lock_key`, which gives the names of locks on it.
    """

    def __init__(
        self,
        address: EngineAddress,
        *,
        super_min_version: int = 0,  # noqa: ARG002 - see above
        pool_size: int = 4,
        deadlines: Deadlines = DEFAULTS,
        store: StorePlace | None = None,  # noqa: ARG002 - it is on no server of this family
        lock_key: Secret | None = None,
    ) -> None:
        self._flavor = address.options.get("flavor", "mariadb")
        if self._flavor not in FLAVORS:
            raise ValueError(f"flavor must be one of {', '.join(FLAVORS)}")
        self._connections = Connections(address, flavor=self._flavor, size=pool_size, deadlines=deadlines)
        secret = b"" if lock_key is None else hashlib.sha256(lock_key.reveal().encode()).digest()
        self._server = Server(address, self._connections, self._flavor, lock_secret=secret)
        self._accounts = Accounts(self._server)
        self._grants = Grants(self._server, self._accounts)
        self._databases = Databases(self._server)
        self._superuser = Superuser(self._server, self._accounts)

    async def facts(self) -> EngineFacts:
        return await self._server.run(self._server.look)

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        make = hashes.native if self._flavor == "mariadb" else hashes.caching_sha2
        return Secret(make(password.reveal()))

    @property
    def has_quick_verifier(self) -> bool:
        return self._flavor == "mariadb"

    def canonical_host(self, host: str) -> str:
        return names.host(host)

    def require_new_name(self, name: str) -> None:
        self._accounts.require_new_name(name)

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        await self._accounts.require_new(accounts)

    async def create_account(self, new: NewAccount) -> AccountFacts:
        return await self._accounts.create(new)

    async def change_account(self, change: AccountChange) -> AccountFacts:
        return await self._accounts.change(change)

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        return await self._accounts.drop(name, host, operation, expected)

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        return await self._accounts.one(name, host)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self._accounts.identify(name, host)

    async def accounts(self) -> Sequence[AccountFacts]:
        return await self._accounts.all()

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        to_come: bool = False,
        expected: Expected | None = None,
    ) -> AccountFacts:
        return await self._grants.change(
            name, host, grant, revoke, operation, to_come=to_come, expected=expected
        )

    def may_be_database(self, name: str) -> bool:
        return names.is_database(name) and not names.is_system(name, self._server.control)

    def superuser_name(self) -> str:
        return NAME

    async def superuser(self) -> AccountFacts | None:
        return await self._superuser.look()

    async def enable_superuser(self, verifier: Secret, operation: UUID) -> AccountFacts:
        return await self._superuser.enable(verifier, operation)

    async def disable_superuser(self, operation: UUID, expected: Expected | None = None) -> bool:
        return await self._superuser.disable(operation, expected)

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        stored = await self._accounts.stored_verifier(name, host)
        return await asyncio.to_thread(hashes.is_of, stored.reveal(), password.reveal())

    async def databases(self) -> Sequence[DatabaseFacts]:
        return await self._databases.all()

    async def create_database(self, new: NewDatabase) -> None:
        await self._databases.create(new)

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        return await self._databases.drop(name, expected)

    async def close(self) -> None:
        await self._connections.close()

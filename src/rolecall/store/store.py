"""The store as one object: open it, migrate it, use its tables, close it."""

from __future__ import annotations

import asyncio
import secrets

from rolecall.domain.engine import StorePlace
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.store import connection
from rolecall.store.address import guarded, weakness_of
from rolecall.store.audit import AuditTable
from rolecall.store.browser_sessions import FailureTable, SessionTable
from rolecall.store.directories import DirectoryTable
from rolecall.store.groups import GroupTable
from rolecall.store.instances import InstanceTable
from rolecall.store.keys import KeyTable
from rolecall.store.operations import OperationTable
from rolecall.store.people import SubUserTable
from rolecall.store.policies import PolicyTable
from rolecall.store.presence import Presence
from rolecall.store.principal_keys import PrincipalKeyTable
from rolecall.store.provider import ProviderTable
from rolecall.store.revocations import RevocationTable
from rolecall.store.roles import RoleTable
from rolecall.store.rotation import RotationTable
from rolecall.store.scans import SCAN_CONNECTIONS, Scans
from rolecall.store.sealed import SealedTable
from rolecall.store.sign_ins import SignInTable
from rolecall.store.tags import TagTable
from rolecall.store.user_imports import ImportTable
from rolecall.store.users import UserTable
from rolecall.values import Secret

_PING_SECONDS = 1.5
"""Who asks whether the store is there wants to know within two seconds."""


class Store:
    """`keys`, `instances`, `operations` and `sealed` are its tables. One `Store` is one replica."""

    def __init__(
        self,
        dsn: Secret,
        *,
        pool_size: int = 8,
        deadlines: Deadlines = DEFAULTS,
        migration: Secret | None = None,
    ) -> None:
        """`migration` is the address of the role that owns the tables, if another one than serves."""
        self.weakness = weakness_of(dsn)
        dsn = self._dsn = guarded(dsn)
        self._migration = None if migration is None else guarded(migration)
        self._deadlines = deadlines
        self.replica = secrets.randbelow(2**31 - 1)
        self._durable = connection.make_pool(dsn, size=pool_size, durable=True, deadlines=deadlines)
        self._quick = connection.make_pool(dsn, size=pool_size, durable=False, deadlines=deadlines)
        self._scanning = connection.make_pool(dsn, size=SCAN_CONNECTIONS, durable=True, deadlines=deadlines)
        scans = Scans(self._scanning)
        self._presence = Presence(dsn, self.replica, deadlines)
        self.keys = KeyTable(self._durable, self._presence)
        self.principal_keys = PrincipalKeyTable(self._durable, self._quick, self.keys)
        self.sub_users = SubUserTable(self._durable, self._presence)
        self.groups = GroupTable(self._durable, self._presence)
        self.sign_ins = SignInTable(self._durable, self._quick, self._presence, self.sub_users)
        self.tags = TagTable(self._durable)
        self.policies = PolicyTable(self._durable, self._presence)
        self.roles = RoleTable(self._durable, self._presence)
        self.rotation = RotationTable(self._durable)
        self.instances = InstanceTable(self._durable, self._presence)
        self.sealed = SealedTable(self._durable)
        self.revocations = RevocationTable(self._durable, self._presence)
        self.operations = OperationTable(self._durable, self._quick, self.replica)
        self.audit = AuditTable(self._durable, self._quick)
        self.users = UserTable(self._durable, scans)
        self.directories = DirectoryTable(self._durable, scans, self.users)
        self.provider = ProviderTable(self._durable, self._presence)
        self.browser_sessions = SessionTable(self._durable, self._quick)
        self.failures = FailureTable(self._durable)
        self.imports = ImportTable(self._durable)

    async def place(self) -> StorePlace:
        """Where it is, and as whom it is used."""
        return await connection.place(self._durable)

    async def open(self) -> None:
        """Migrate and connect."""
        if self._migration is None:
            await connection.migrate(self._dsn, self._deadlines)
        else:
            await connection.migrate(self._migration, self._deadlines, self._dsn)
        await self._durable.open()
        await self._quick.open()

    async def join(self) -> None:
        """Become a replica: one that serves, lives, and is told of changes."""
        await self._presence.join()

    async def ping(self) -> None:
        """Raises if the store is out of reach, or does not answer soon."""
        async with asyncio.timeout(_PING_SECONDS), self._durable.connection() as one:
            await one.execute("select 1")

    async def clock(self) -> float:
        """Unix time in seconds, by the store's server."""
        async with self._durable.connection() as one:
            row = await (await one.execute("select extract(epoch from clock_timestamp())::float8")).fetchone()
        assert row is not None  # noqa: S101 - a select without from has one row
        return float(row[0])

    async def close(self) -> None:
        await self._presence.leave()
        await self._durable.close()
        await self._scanning.close()
        await self._quick.close()

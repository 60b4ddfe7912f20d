"""The store as one object: open it, migrate it, use its repositories, close it."""

from __future__ import annotations

import asyncio
import secrets

from rolecall.domain.instances.store_place import StorePlace
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.store import connection, schema
from rolecall.store.address import weakness_of
from rolecall.store.audit import PgAuditRepository
from rolecall.store.browser_sessions import PgFailureRepository, PgSessionRepository, PgSignInLinkRepository
from rolecall.store.call_minutes import PgCallMinuteRepository
from rolecall.store.changes import OwnerChanges
from rolecall.store.directories import PgDirectoryRepository
from rolecall.store.drift_reports import PgDriftReportRepository
from rolecall.store.faults import PgFaultRepository
from rolecall.store.groups import PgGroupRepository
from rolecall.store.import_uploads import PgUploadRepository
from rolecall.store.instances import PgInstanceRepository
from rolecall.store.keys import PgKeyRepository
from rolecall.store.operations import PgOperationRepository
from rolecall.store.people import PgSubUserRepository
from rolecall.store.policies import PgPolicyRepository
from rolecall.store.poolers import require_own_process
from rolecall.store.primary import Primary
from rolecall.store.principal_keys import PgPrincipalKeyRepository
from rolecall.store.provider import PgProviderRepository
from rolecall.store.replica import Replica
from rolecall.store.revocations import PgRevocationRepository
from rolecall.store.roles import PgRoleRepository
from rolecall.store.rotation import PgRotationRepository
from rolecall.store.scans import SCAN_CONNECTIONS, Scans
from rolecall.store.sealed import PgSealedValueRepository
from rolecall.store.sign_ins import PgSignInRepository
from rolecall.store.states import PgStateRepository
from rolecall.store.tags import PgTagRepository
from rolecall.store.user_exports import PgUserExportRepository
from rolecall.store.user_imports import PgUserImportRepository
from rolecall.store.users import PgUserRepository
from rolecall.store.webhooks import PgWebhookRepository
from rolecall.values import Secret

_PING_SECONDS = 1.5
"""A health check waits two seconds for an answer."""


class Store:
    """Its attributes are repositories: `keys`, `instances`, `operations`, ... One `Store` is one replica."""

    def __init__(
        self,
        dsn: Secret,
        *,
        pool_size: int = 8,
        deadlines: Deadlines = DEFAULTS,
        migration: Secret | None = None,
    ) -> None:
        """`migration` is the address of the role that owns the tables, if a different one serves."""
        self.weakness = weakness_of(dsn)
        self._dsn, self._migration = dsn, migration
        primary = Primary(dsn)
        self._deadlines = deadlines
        self.replica = secrets.randbelow(2**31 - 1)
        self._durable = connection.make_pool(primary, size=pool_size, durable=True, deadlines=deadlines)
        self._quick = connection.make_pool(primary, size=pool_size, durable=False, deadlines=deadlines)
        self._scanning = connection.make_pool(
            primary, size=SCAN_CONNECTIONS, durable=True, deadlines=deadlines
        )
        self.pools = {"durable": self._durable, "quick": self._quick, "scans": self._scanning}
        scans = Scans(self._scanning)
        self._replica = Replica(primary, self.replica, deadlines)
        self.keys = PgKeyRepository(self._durable, self._replica)
        changes = OwnerChanges(self._durable, self._replica)
        self.principal_keys = PgPrincipalKeyRepository(self._durable, self._quick, self.keys, changes)
        self.sub_users = PgSubUserRepository(self._durable, changes)
        self.groups = PgGroupRepository(self._durable, changes)
        self.sign_ins = PgSignInRepository(self._durable, self._quick, self._replica, self.sub_users)
        self.tags = PgTagRepository(self._durable, changes)
        self.policies = PgPolicyRepository(self._durable, self._replica, changes)
        self.roles = PgRoleRepository(self._durable, self._replica, changes)
        self.rotation = PgRotationRepository(self._durable)
        self.instances = PgInstanceRepository(self._durable, self._replica)
        self.drift_reports = PgDriftReportRepository(self._durable)
        self.states = PgStateRepository(self._durable)
        self.sealed = PgSealedValueRepository(self._durable)
        self.revocations = PgRevocationRepository(self._durable, self._replica)
        self.operations = PgOperationRepository(self._durable, self._quick, self.replica)
        self.durable_operations = PgOperationRepository(self._durable, self._durable, self.replica)
        self.audit = PgAuditRepository(self._durable, self._quick)
        self.webhooks = PgWebhookRepository(self._durable, self._quick, self._replica, self.replica)
        self.users = PgUserRepository(self._durable, scans)
        self.directories = PgDirectoryRepository(self._durable, scans, self.users)
        self.provider = PgProviderRepository(self._durable, self._replica)
        self.browser_sessions = PgSessionRepository(self._durable, self._quick)
        self.sign_in_links = PgSignInLinkRepository(self._durable)
        self.call_minutes = PgCallMinuteRepository(self._quick)
        self.faults = PgFaultRepository(self._durable)
        self.failures = PgFailureRepository(self._durable)
        self.imports = PgUserImportRepository(self._durable)
        self.import_uploads = PgUploadRepository(self._durable)
        self.exports = PgUserExportRepository(self._durable)

    async def place(self) -> StorePlace:
        """Where it is, and which roles use it."""
        return await connection.place(self._durable)

    async def open(self) -> None:
        """Connect and migrate. PoolerMode."""
        await require_own_process(self._durable, self._quick)
        if self._migration is None:
            await schema.migrate(self._dsn, self._deadlines)
        else:
            await schema.migrate(self._migration, self._deadlines, self._dsn)
        await self._quick.open()

    async def join(self) -> None:
        """Become a replica: it serves, holds its lock, and is notified of changes."""
        await self._replica.join()

    async def ping(self) -> None:
        """Raises if the store is out of reach, or does not answer soon."""
        async with asyncio.timeout(_PING_SECONDS):
            await self._durable.execute("select 1")

    async def clock(self) -> float:
        """Unix time in seconds, by the store's server."""
        return float(await self._durable.value("select extract(epoch from clock_timestamp())::float8"))

    async def close(self) -> None:
        await self._replica.leave()
        await self._durable.close()
        await self._scanning.close()
        await self._quick.close()

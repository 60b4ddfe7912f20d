"""Assembly: the one place where the parts are chosen and put together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from rolecall.admission import Admission
from rolecall.auth.keystone import keystone_tokens
from rolecall.contracts.tencent.cam import presets
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.openstack import OpenStack
from rolecall.dialects.tencent import Tencent
from rolecall.domain.access.authenticator import AccessKeys, Authenticator
from rolecall.domain.access.keys import Keys
from rolecall.domain.access.rates import Rates
from rolecall.domain.access.revocations import Revocations
from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.access.tokens import Tokens
from rolecall.domain.accounts.context import Work
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.databases import Databases
from rolecall.domain.accounts.deferred import Promises
from rolecall.domain.accounts.grants import Grants
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.accounts.password_tokens import DatabaseTokens
from rolecall.domain.accounts.superuser import Superusers
from rolecall.domain.bus import Bus
from rolecall.domain.directories.signing_keys import SigningKeys
from rolecall.domain.directories.wiring import Bounds, Directories
from rolecall.domain.engine import EngineAddress, StorePlace
from rolecall.domain.iam.policies import Policies, PolicyQuotas
from rolecall.domain.iam.roles import Roles
from rolecall.domain.iam.sessions import SessionCredentials
from rolecall.domain.iam.sign_in import SubUserPasswords
from rolecall.domain.iam.sub_users import Quotas
from rolecall.domain.iam.tags import Tags
from rolecall.domain.iam.wiring import Books, PeopleRoom
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.domain.instances.registry import EngineRegistry, InstanceResolver, LanedEngine
from rolecall.domain.instances.service import Servers
from rolecall.domain.maintenance.recovery import Recovery
from rolecall.domain.maintenance.resealing import bind_passwords
from rolecall.domain.maintenance.rotation import Rotation
from rolecall.domain.operations.audit_chain import Auditing
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.journal import Journal, Step, no_step
from rolecall.domain.policy.decisions import Decisions
from rolecall.domain.policy.presets import Presets
from rolecall.domain.provisioning.ports import Provisioner
from rolecall.domain.provisioning.service import Provisioning
from rolecall.domain.secrets.deciphering import Deciphering, new_private_key
from rolecall.domain.secrets.imported_hashes import FOREIGN
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import SealBroken, Sealer, check_master_key
from rolecall.engines.base import Watched
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.postgresql import PostgresEngine
from rolecall.intake import Strangers
from rolecall.metrics import Metrics
from rolecall.pipeline import Dialect, Pipeline
from rolecall.services import INSTANCES, REGIONAL, SERVICES, contracts_of
from rolecall.settings import Settings, SettingsError
from rolecall.signin import router as sign_in_room
from rolecall.signin import wiring as signin
from rolecall.signing.replay import Replays
from rolecall.signing.token import TokenClaim
from rolecall.store import Store
from rolecall.values import Secret

_log = structlog.get_logger(__name__)

ENGINES: Mapping[str, type[PostgresEngine | MySqlEngine]] = {
    "postgresql": PostgresEngine,
    "mysql": MySqlEngine,
}


_READERS = 2
"""Threads that read large requests: they share the processor's time with the calls, so more would not be faster."""

_CLIENT_TOKEN_KEY = "client token key"
_SUB_USER_TOKEN_KEY = "sub-user token key"
_AUDIT_KEY = "audit chain key"
_LOCK_KEY = "engine lock key"
_DECIPHERING_KEY = "password deciphering key"


class House:
    """Everything that serves calls, from a store and settings. `open` before use, `close` after."""

    def __init__(
        self,
        settings: Settings,
        dsn: Secret,
        master_keys: Sequence[bytes],
        step: Step = no_step,
        provisioner: Provisioner | None = None,
        migration: Secret | None = None,
    ) -> None:
        self.settings = settings
        size, owner = settings.store_connections, migration or settings.migration_dsn()
        self.store = Store(dsn, pool_size=size, deadlines=settings.store_deadlines(), migration=owner)
        self.sealer = Sealer(master_keys)
        self.revocations = Revocations(self.store.revocations)
        self.keys = Keys(self.store.keys, self.sealer)
        self._store_place: StorePlace | None = None
        self._lock_key: Secret | None = None
        self.metrics = Metrics(shared="PROMETHEUS_MULTIPROC_DIR" in os.environ)
        self.admission = self._admission()
        for dialect, actions in sign_in_room.ACTIONS.items():
            self.metrics.expect(dialect, actions, sign_in_room.CODES)
        self._hashing = ThreadPoolExecutor(settings.hashing_threads, thread_name_prefix="hashing")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")
        self.attachments = EngineRegistry(self._engine, self.sealer)
        self.metrics.watch(self.attachments.all)
        self.reach = InstanceResolver(self.store.instances, self.attachments)
        self.journal = Journal(self.store.operations, step)
        operations = self.store.operations
        work = Work(self.reach, operations, self.journal, self.sealer, self._hashing)
        self.promises = Promises(work, operations, self.journal)
        tokens = ClientTokens(operations, self._token_key)
        self.accounts = Accounts(work, operations, self.promises, tokens)
        self.credentials = Credentials(work)
        self.servers = Servers(self.reach, self.store.instances, operations)
        self.provisioning = Provisioning(
            provisioner,
            settings.provisioned_instances,
            self.store.instances,
            operations,
            work,
            self.attachments,
            tokens,
            self.journal,
        )
        self.passwords = Passwords(settings.password_threads, settings.password_queue, FOREIGN)
        self.presets = Presets(presets.PRESETS)
        self.permissions = Decisions(
            self.store.policies, self.presets, self.store.instances, INSTANCES, REGIONAL
        )
        lending = SessionCredentials(self.sealer, self.store.keys, self.store.roles)
        self.rotation = Rotation(
            work, self.reach, self.credentials, self.store.rotation, settings.rotation_seconds
        )
        self.people = self._people()
        self._addresses = self._address_limit()
        self._outside = keystone_tokens(settings, self.store.keys.owners, self._sub_user_named)
        self.authenticator = self._authenticator(lending)
        self.bus = self._bus(work, lending)
        self.signing_keys = SigningKeys(self.store.provider, self.sealer)
        self.sign_in = self._sign_in()
        self.recovery = Recovery(operations, self.journal, self.reach, self.promises, self.metrics.unresolved)
        self.auditing = Auditing(self.store.audit, self.sealer, settings.audit_retention_days)
        self._tasks: list[asyncio.Task[None]] = []
        self._deciphering: Deciphering | None = None
        self._client_token_key: Secret | None = None
        self._sub_user_token_key: Secret | None = None

    def _bus(self, work: Work, lending: SessionCredentials) -> Bus:
        store = self.store
        period = self.settings.rotation_seconds
        tokens = DatabaseTokens(work, self.credentials, store.rotation, store.audit, period)
        return Bus(
            self.accounts.handlers,
            self.credentials.handlers,
            Grants(work).handlers,
            self.promises.handlers,
            Databases(self.reach, self.journal).handlers,
            self.servers.handlers,
            Superusers(work, self.journal).handlers,
            Tokens(self.authenticator, self.revocations, TokenClaim).handlers,
            Rates(self.admission).handlers,
            self.provisioning.handlers,
            self.people.handlers,
            Policies(store.policies, self.presets, PolicyQuotas()).handlers,
            Roles(store.roles, lending, Tags(store.tags)).handlers,
            tokens.handlers,
            self._directories().handlers,
        )

    def _admission(self) -> Admission:
        settings = self.settings
        return Admission(
            int(settings.rate_limit) if settings.rate_limit.isdecimal() else None,
            contract_rates=settings.rate_limit == "contract",
            store=settings.rate_limit_store,
            alone=self.metrics.counted_alone,
        )

    def _address_limit(self) -> AddressLimit:
        store, settings = self.store, self.settings
        most, seconds = settings.sign_in_address_failures, settings.sign_in_lock_seconds
        return AddressLimit(store.failures, store.audit, most, seconds)

    def _authenticator(self, sessions: SessionCredentials) -> Authenticator:
        keystone = () if self._outside is None else (self._outside,)
        methods = (
            *keystone,
            sessions,
            AccessKeys(self.keys, self.people.uses.note),
            SubUserPasswords(self.people.sign_in, self._addresses),
        )
        return Authenticator(methods, self.revocations)

    def _directories(self) -> Directories:
        settings = self.settings
        pace = 0 if settings.rate_limit == "off" else settings.user_rate
        bounds = Bounds(settings.user_store_quota, settings.user_quota, settings.user_group_quota, pace)
        return Directories(
            self.store.users, self.store.directories, self.passwords, self._token_key, self.admission, bounds
        )

    def _people(self) -> PeopleRoom:
        store, settings = self.store, self.settings
        books = Books(
            store.sub_users,
            store.principal_keys,
            store.principal_keys,
            store.groups,
            store.tags,
            store.tags,
            store.sign_ins,
        )
        quotas = Quotas(settings.sub_user_quota, settings.sub_user_rate or None)
        return PeopleRoom(
            books, self.passwords, self.sealer, self.permissions, quotas, self._token_key_of_sub_users
        )

    def _sign_in(self) -> signin.SignIn:
        store, settings = self.store, self.settings
        return signin.SignIn(
            signin.Books(
                store.directories,
                store.provider,
                store.browser_sessions,
                store.sign_ins,
            ),
            signin.Rules(
                settings.sign_in_failures,
                settings.sign_in_lock_seconds,
                settings.public_url,
            ),
            self._addresses,
            self.signing_keys,
            self.passwords,
            self.people.sign_in,
            self.bus,
            self.metrics.call,
        )

    async def _sub_user_named(self, owner_id: int, name: str) -> int | None:
        found = await self.store.sub_users.named(owner_id, name)
        return None if found is None else found.number

    def _engine(self, kind: str, address: EngineAddress) -> LanedEngine:
        settings = self.settings
        engine = ENGINES[kind](
            address,
            super_min_version=settings.super_min_version,
            pool_size=settings.lane_width,
            deadlines=settings.engine_deadlines(),
            store=self._store_place,
            lock_key=self._lock_key,
        )
        limits = LaneLimits(width=settings.lane_width, depth=settings.lane_depth)
        return Watched(engine, watcher=self.metrics.engine(kind), secrets=(address.password,), limits=limits)

    @property
    def deciphering(self) -> Deciphering:
        assert self._deciphering is not None  # noqa: S101 - open() came first
        return self._deciphering

    async def open(self) -> None:
        """Connect to the store and check that the master key is the one that sealed it."""
        if self.store.weakness:
            _log.warning("the store's connection is not safe", found=self.store.weakness)
        await self.store.open()
        self._store_place = await self.store.place()
        try:
            await check_master_key(self.store.keys, self.sealer)
            self._deciphering = Deciphering(await self._secret_fact(_DECIPHERING_KEY, new_private_key))
            self._lock_key = await self._secret_fact(_LOCK_KEY, _random_secret)
            self.auditing.key = await self._secret_fact(_AUDIT_KEY, _random_secret)
            self._client_token_key = await self._secret_fact(_CLIENT_TOKEN_KEY, _random_secret)
            self._sub_user_token_key = await self._secret_fact(_SUB_USER_TOKEN_KEY, _random_secret)
        except SealBroken:
            raise SettingsError("the master key is not the one that sealed this store's secrets") from None
        if bound := await bind_passwords(self.store.sealed, self.sealer):
            _log.warning("administrators' passwords are sealed for their instances now", instances=bound)

    async def _secret_fact(self, name: str, make: Callable[[], Secret]) -> Secret:
        """A secret of the house, made once, the same on every replica."""
        sealed = await self.store.keys.fact(name)
        if sealed is None:
            fresh = await asyncio.to_thread(make)
            sealed = await self.store.keys.settle_fact(name, self.sealer.seal(fresh, name))
        return self.sealer.open(sealed, name)

    def _token_key(self) -> Secret:
        assert self._client_token_key is not None  # noqa: S101 - open() came first
        return self._client_token_key

    def _token_key_of_sub_users(self) -> Secret:
        assert self._sub_user_token_key is not None  # noqa: S101 - open() came first
        return self._sub_user_token_key

    async def start(self) -> None:
        """Become a replica: resolve what an earlier crash left open, and keep doing so."""
        await self.store.join()
        await self.provisioning.resume()
        left = await self.recovery.round()
        if left:
            _log.warning("operations wait for their servers", unresolved=left)
        self._tasks = [
            asyncio.create_task(self.recovery.run()),
            *([asyncio.create_task(self.rotation.run())] if self.settings.rotation_seconds else ()),
            asyncio.create_task(self.people.uses.run()),
            asyncio.create_task(self.sign_in.run()),
            asyncio.create_task(self.auditing.run()),
        ]

    def pipeline(self, *, require_tls: bool = False) -> Pipeline:
        """`require_tls` refuses secrets by plain HTTP, and Alibaba's calls altogether, as the vendor does."""
        settings = self.settings
        self.sign_in.room.require_tls = require_tls
        window, hosts = settings.clock_window, settings.public_hosts
        dialects: list[Dialect] = [
            Tencent(
                contracts_of("tencent"),
                clock_window=window,
                public_hosts=hosts,
                signed_action=settings.tencent_signed_action,
                v1=settings.tencent_older_signatures,
            ),
            Aliyun(
                contracts_of("aliyun"),
                clock_window=settings.aliyun_clock_window,
                public_hosts=hosts,
                require_tls=require_tls,
            ),
            OpenStack(
                contracts_of("openstack"),
                region=settings.openstack_region,
                outside=self._outside is not None,
            ),
        ]
        services = {
            (one.contract.dialect, one.contract.service, one.contract.version): one for one in SERVICES
        }
        return Pipeline(
            dialects,
            services,
            self.authenticator,
            self.admission,
            self.permissions,
            self.bus,
            self.deciphering.decipher,
            Replays(settings.aliyun_clock_window),
            self.metrics,
            Strangers(settings.stranger_rate),
            self.store.audit,
            self._reading,
            require_tls=require_tls,
        )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.admission.close()
        if self._outside is not None:
            await self._outside.close()
        await self.provisioning.close()
        await self.promises.close()
        await self.attachments.close()
        await self.people.uses.settle()
        await self.store.close()
        self.passwords.close()
        self._hashing.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)


def _random_secret() -> Secret:
    return Secret(secrets.token_urlsafe(32))

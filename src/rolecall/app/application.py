"""The application: every part, built once and whole."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from rolecall import services
from rolecall.app import drifting, limits, measuring, outbox
from rolecall.contracts.tencent.cam import presets
from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.access.authenticator import AccessKeys, Authenticator
from rolecall.domain.access.keys import Keys
from rolecall.domain.access.rates import Rates
from rolecall.domain.access.revocations import Revocations
from rolecall.domain.access.tokens import Tokens
from rolecall.domain.accounts import wiring as accounts
from rolecall.domain.bus import Bus
from rolecall.domain.directories import wiring as directories
from rolecall.domain.iam import wiring as iam
from rolecall.domain.iam.sign_in import SubUserPasswords
from rolecall.domain.instances import wiring as instances
from rolecall.domain.maintenance import wiring as maintenance
from rolecall.domain.operations import wiring as operations
from rolecall.domain.operations.journal import Step
from rolecall.domain.policy.decisions import Decisions
from rolecall.domain.policy.presets import Presets
from rolecall.domain.provisioning import wiring as provisioning
from rolecall.domain.provisioning.ports import Elsewhere, Provisioner
from rolecall.domain.secrets.application_secrets import ApplicationSecrets
from rolecall.domain.secrets.deciphering import Deciphering
from rolecall.domain.secrets.hashing import HashingThreads
from rolecall.domain.secrets.imported_hashes import FOREIGN
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.factory import EngineFactory
from rolecall.metrics import Metrics
from rolecall.settings import Settings
from rolecall.signin import wiring as signin
from rolecall.signing.token import TokenClaim
from rolecall.store import Store

if TYPE_CHECKING:
    from rolecall.auth.keystone import KeystoneTokens

_log = structlog.get_logger(__name__)

_READERS = 2
"""Threads that read large requests: they share the processor's time with the calls, so more would not be faster."""


class Application:
    """`start` makes it a replica that finishes operations; without, it is good for single commands."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sealer: Sealer,
        secrets: ApplicationSecrets,
        engines: EngineFactory,
        metrics: Metrics,
        keystone: KeystoneTokens | None,
        provisioner: Provisioner | Elsewhere | None,
        step: Step,
    ) -> None:
        self.settings, self.store, self.sealer, self.metrics = settings, store, sealer, metrics
        self.deciphering = Deciphering(secrets.deciphering)
        self.admission = limits.admission(settings, metrics)
        self._hashing = HashingThreads(settings.hashing_threads, "hashing")
        self.readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")
        self.passwords = Passwords(settings.password_threads, settings.password_queue, FOREIGN)
        period = settings.rotation_seconds
        self.instances = instances.build(store, engines, sealer)
        self.operations = operations.build(store, secrets, sealer, settings.audit_retention_days, step)
        self.accounts = accounts.build(store, self.instances, self.operations, sealer, self._hashing, period)
        self.provisioning = provisioning.build(
            store, self.instances, self.accounts, self.operations, provisioner, settings.provisioned_instances
        )
        self.maintenance = maintenance.build(
            store, self.instances, self.accounts, self.operations, period, metrics
        )
        self.keys, self.presets = Keys(store.keys, sealer), Presets(presets.PRESETS)
        self.permissions = Decisions(
            store.policies, self.presets, store.instances, services.INSTANCES, services.REGIONAL
        )
        quotas, token_key = limits.sub_users(settings), secrets.sub_user_tokens
        self.iam = iam.build(store, self.passwords, sealer, self.permissions, self.presets, quotas, token_key)
        self.addresses = limits.addresses(settings, store)
        revocations, self.external_tokens = Revocations(store.revocations), keystone is not None
        self.authenticator = Authenticator(
            (
                *(() if keystone is None else (keystone,)),
                self.iam.sessions,
                AccessKeys(self.keys, self.iam.uses.note),
                SubUserPasswords(self.iam.sign_in, self.addresses),
            ),
            revocations,
        )
        key, quota = secrets.client_tokens, limits.directories(settings)
        self.directories = directories.build(
            store, self.passwords, sealer, key, self.admission, quota, PROFILE_KEYS
        )
        self.bus = Bus(
            self.instances.handlers,
            self.accounts.handlers,
            self.provisioning.handlers,
            self.iam.handlers,
            self.directories.handlers,
            Tokens(self.authenticator, revocations, TokenClaim).handlers,
            Rates(self.admission).handlers,
        )
        self.sign_in = signin.SignInEndpoints(
            store, self.addresses, self.passwords, sealer, limits.locks(settings)
        )
        own = self.iam.uses.run, self.sign_in.run, self.directories.uploads.run, self.operations.auditing.run
        posting = outbox.background(settings, store, sealer, metrics)
        drift = drifting.background(settings, store, self.accounts.drift, self.instances.resolver, metrics)
        self._background = (*self.maintenance.background, *own, *posting, *drift, *metrics.background)
        self._tasks: list[asyncio.Task[None]] = []
        hashing = {"accounts": self._hashing, "users": self.passwords.pool}
        measuring.watch(metrics, self.instances.engines.all, store.pools, hashing)

    async def start(self) -> None:
        """Resolve what an earlier crash left open, and keep doing so."""
        await self.store.join()
        await self.provisioning.resume()
        if left := await self.maintenance.recovery.round():
            _log.warning("operations wait for their servers", unresolved=left)
        self._tasks = [asyncio.create_task(run()) for run in self._background]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.admission.close()
        await self.provisioning.close()
        await self.operations.runner.close()
        await self.instances.engines.close()
        await self.iam.uses.settle()
        self.passwords.close()
        for threads in (self._hashing, self.readers):
            threads.shutdown(wait=False, cancel_futures=True)

"""Opens the store, loads what the application needs of it, and builds the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

import structlog

from rolecall.app import limits
from rolecall.app.application import Application
from rolecall.app.traces import traces
from rolecall.domain.maintenance.resealing import bind_passwords
from rolecall.domain.operations.journal import Step, no_step
from rolecall.domain.provisioning.ports import Elsewhere, Provisioner
from rolecall.domain.secrets.application_secrets import load
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.engines.factory import EngineFactory
from rolecall.metrics import Metrics
from rolecall.settings import Settings, SettingsError
from rolecall.store import Store
from rolecall.values import Secret
from rolecall.workers import shared_directory

if TYPE_CHECKING:
    from rolecall.auth.keystone import KeystoneTokens

_log = structlog.get_logger(__name__)


class WrongMasterKey(SettingsError):
    """The store was sealed with another one."""


@asynccontextmanager
async def open_application(
    settings: Settings,
    dsn: Secret,
    master_keys: Sequence[bytes],
    *,
    step: Step = no_step,
    provisioner: Provisioner | Elsewhere | None = None,
    migration: Secret | None = None,
    traced: bool = False,
) -> AsyncIterator[Application]:
    """Over the store at `dsn`, whose schema is brought up to date as `migration`, or as the settings say.

    `traced`: it serves calls, of which traces may be wanted.

    SettingsError, WrongMasterKey, and what the store's driver raises.
    """
    metrics = Metrics(shared_directory())
    async with traces(settings, metrics) if traced else nullcontext():
        opening = _opened(settings, dsn, Sealer(master_keys), metrics, step, provisioner, migration)
        async with opening as application:
            yield application


@asynccontextmanager
async def _opened(
    settings: Settings,
    dsn: Secret,
    sealer: Sealer,
    metrics: Metrics,
    step: Step,
    provisioner: Provisioner | Elsewhere | None,
    migration: Secret | None,
) -> AsyncIterator[Application]:
    store = Store(
        dsn,
        pool_size=settings.store_connections,
        deadlines=settings.store_deadlines(),
        migration=migration or settings.migration_dsn(),
    )
    keystone = _keystone(settings, store)
    if store.weakness:
        _log.warning("the store's connection is not safe", found=store.weakness)
    try:
        await store.open()
        try:
            secrets = await load(store.keys, sealer)
        except SealBroken as error:
            raise WrongMasterKey(str(error)) from None
        if bound := await bind_passwords(store.sealed, sealer):
            _log.warning("administrators' passwords are sealed for their instances now", instances=bound)
        engines = EngineFactory(
            settings.super_min_version,
            limits.lanes(settings),
            settings.engine_deadlines(),
            await store.place(),
            secrets.engine_lock,
            metrics.engine,
        )
        app = Application(settings, store, sealer, secrets, engines, metrics, keystone, provisioner, step)
        try:
            yield app
        finally:
            await app.close()
    finally:
        if keystone is not None:
            await keystone.close()
        await store.close()


def _keystone(settings: Settings, store: Store) -> KeystoneTokens | None:
    """None if the settings name no Keystone: its client is then not imported. SettingsError."""
    if not settings.keystone_url:
        return None
    from rolecall.auth.keystone import keystone_tokens

    return keystone_tokens(settings, store.keys.owners, store.sub_users.named)

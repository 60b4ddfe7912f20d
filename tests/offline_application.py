"""The application over a store that is never opened: for what refuses, or is looked at, before anything is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from rolecall.app.application import Application
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.domain.instances.store_place import StorePlace
from rolecall.domain.operations.journal import no_step
from rolecall.domain.secrets.application_secrets import ApplicationSecrets
from rolecall.domain.secrets.deciphering import new_private_key
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.factory import EngineFactory
from rolecall.metrics import Metrics
from rolecall.settings import Settings
from rolecall.store import Store
from rolecall.values import Secret

_private_key = cache(new_private_key)


@asynccontextmanager
async def offline_application() -> AsyncIterator[Application]:
    settings, metrics, key = Settings(), Metrics(), Secret("key")
    store, sealer = Store(Secret("postgresql://nobody@127.0.0.1:1/none")), Sealer([bytes(32)])
    secrets = ApplicationSecrets(_private_key(), key, key, key, key, key)
    engines = EngineFactory(
        13, LaneLimits(), settings.engine_deadlines(), StorePlace(None, "", ()), key, metrics.engine
    )
    application = Application(settings, store, sealer, secrets, engines, metrics, None, None, no_step)
    try:
        yield application
    finally:
        await application.close()
        await store.close()

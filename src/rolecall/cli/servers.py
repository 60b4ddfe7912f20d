"""What commands open that ask the registered servers, without the application: the store, and the servers' engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rolecall.cli.opening import OpenStore, open_store
from rolecall.domain.instances import wiring
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.secrets.application_secrets import load
from rolecall.engines.factory import EngineFactory
from rolecall.engines.watching import ignore
from rolecall.settings import load_settings


@dataclass(frozen=True, slots=True)
class OpenServers(OpenStore):
    instances: Instances


@asynccontextmanager
async def open_servers(data: Path | None) -> AsyncIterator[OpenServers]:
    """As `open_store`. A server is connected to when it is asked first."""
    async with open_store(data) as opened:
        settings = load_settings()
        factory = EngineFactory(
            settings.super_min_version,
            LaneLimits(width=settings.lane_width, depth=settings.lane_depth),
            settings.engine_deadlines(),
            await opened.store.place(),
            (await load(opened.store.keys, opened.sealer)).engine_lock,
            lambda _: ignore,
        )
        instances = wiring.build(opened.store, factory, opened.sealer)
        try:
            yield OpenServers(opened.store, opened.sealer, instances)
        finally:
            await instances.engines.close()

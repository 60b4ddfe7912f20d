"""`/readyz`: whether the store answers, or the server of one instance."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qs

import structlog

from rolecall.domain.instances.registry import Instance

_log = structlog.get_logger(__name__)

_KEPT_SECONDS = 1.0
"""How long an answer about a server is given again: those who ask have not proven who they are."""

_DIALECTS = ("tencent", "aliyun", "openstack")
_READY = frozenset({"running"})

Answer = tuple[int, Mapping[str, str]]
"""The HTTP status, and the document."""


class Store(Protocol):
    async def ping(self) -> None: ...


class Instances(Protocol):
    async def instance(self, dialect: str, public_id: str, /) -> Instance | None: ...


class Servers(Protocol):
    async def state_of(self, instance: Instance, /) -> tuple[str, object]: ...


class Rates(Protocol):
    @property
    def shares(self) -> bool: ...


class Readiness:
    def __init__(self, store: Store, instances: Instances, servers: Servers, rates: Rates) -> None:
        self._store = store
        self._instances = instances
        self._servers = servers
        self._rates = rates
        self._asked: dict[int, tuple[float, asyncio.Task[str]]] = {}

    async def answer(self, query: str) -> Answer:
        """`query`: empty, or ``instance=ID``, an id of any dialect."""
        try:
            await self._store.ping()
            asked = parse_qs(query).get("instance")
            if asked is not None:
                return await self._instance(asked[-1])
        except Exception as error:  # noqa: BLE001 - any error means not ready
            _log.warning("not ready", error=type(error).__name__)
            return 503, {"status": "the store is out of reach"}
        rates = {} if self._rates.shares else {"rates": "counted per server: their store is out of reach"}
        return 200, {"status": "ready", **rates}

    async def _instance(self, public_id: str) -> Answer:
        for dialect in _DIALECTS:
            if (instance := await self._instances.instance(dialect, public_id)) is not None:
                state = await self._state(instance)
                return (200, {"status": "ready"}) if state in _READY else (503, {"status": state})
        return 404, {"status": "there is no such instance"}

    async def _state(self, instance: Instance) -> str:
        """The state of a server, which is asked once at a time, and once a second at most."""
        at, task = self._asked.get(instance.id, (0.0, None))
        if task is None or (task.done() and time.monotonic() - at > _KEPT_SECONDS):
            task = asyncio.create_task(self._ask(instance))
            self._asked[instance.id] = time.monotonic(), task
        return await asyncio.shield(task)

    async def _ask(self, instance: Instance) -> str:
        state, _ = await self._servers.state_of(instance)
        return state

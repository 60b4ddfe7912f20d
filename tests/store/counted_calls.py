"""Signed calls of an application in this process, and the messages that each sends to the store."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.waiting import reached

from rolecall.app import entry
from rolecall.app.application import Application
from rolecall.app.opening import open_application
from rolecall.domain.secrets.sealing import new_master_key, parse_master_keys
from rolecall.exchanges.postgresql import Connection
from rolecall.settings import Settings
from rolecall.signing import tc3
from rolecall.store import replica
from rolecall.values import Request, Secret

VERSIONS = {"cam": "2019-01-16", "tag": "2018-08-13", "sts": "2018-08-13", "ciam": "2022-03-31"}


class Calls:
    """`sent` is how many messages were sent to the store so far: each is a write that is waited for once."""

    def __init__(self, application: Application, key: tuple[str, Secret], counter: list[int]) -> None:
        self._pipeline = entry.entry(application).pipeline
        self._key = key
        self._counter = counter
        self.application = application
        self._settling = application.store._replica.cache("settled")

    @property
    def sent(self) -> int:
        return self._counter[0]

    async def call(
        self, action: str, params: Mapping[str, object] | None = None, service: str = "cam"
    ) -> dict[str, Any]:
        """The content of ``Response``."""
        payload, now, (key_id, secret) = json.dumps(params or {}).encode(), time.time(), self._key
        headers = tc3.post_headers(
            key_id, secret, service=service, version=VERSIONS[service], action=action, region="ap-guangzhou",
            timestamp=int(now), host="rolecall.test", payload=payload,
        )  # fmt: skip
        lines = tuple((name.lower(), value) for name, value in headers.items())
        reply = await self._pipeline.answer(Request("POST", "/", "", lines, payload, "192.0.2.1", False, now))
        answer: dict[str, Any] = json.loads(reply.body)["Response"]
        return answer

    async def ok(
        self, action: str, params: Mapping[str, object] | None = None, service: str = "cam"
    ) -> dict[str, Any]:
        answer = await self.call(action, params, service)
        assert "Error" not in answer, (action, answer)
        return answer

    async def settled(self) -> None:
        """Wait until the application was notified of all changes so far, which clear what it has cached."""

        async def read() -> bool:
            return True

        await self._settling.get_or_read("changes", read)
        await self.application.store._durable.execute("notify rolecall_changes, 'settled'")
        await reached(lambda: self._settling.get("changes") is None)

    def as_user(self, added: Mapping[str, str]) -> Calls:
        """The sub-user that AddUser answered, calling with its own key."""
        return Calls(self.application, (added["SecretId"], Secret(added["SecretKey"])), self._counter)


@asynccontextmanager
async def counted_calls(dsn: Secret, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Calls]:
    """An owner's calls. The application is a replica, so that it caches, and does nothing of its own accord."""
    counter, wait = [0], Connection.wait

    async def counted(self: Connection, gen: Any, *how: Any, **named: Any) -> Any:
        return await wait(self, _noting(gen, counter) if self.pool is not None else gen, *how, **named)

    monkeypatch.setattr(Connection, "wait", counted)
    monkeypatch.setattr(replica, "_HEARTBEAT", 3600.0)  # a probe of a silent connection clears the caches
    settings = Settings(rate_limit="off", sub_user_rate=0)
    async with open_application(settings, dsn, parse_master_keys(new_master_key())) as application:
        owner = await application.keys.create_owner()
        key = await application.keys.create(owner)
        await application.store.join()
        yield Calls(application, key, counter)


def _noting(gen: Any, counter: list[int]) -> Any:
    """The driver's generator; what never waits has sent nothing."""
    try:
        wanted = next(gen)
        counter[0] += 1
        while True:
            wanted = gen.send((yield wanted))
    except StopIteration as ended:
        return ended.value

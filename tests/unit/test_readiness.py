"""`/readyz` of one instance: a server that is down, and how often it is asked."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from tests.waiting import reached

from rolecall.readiness import Readiness


class Servers:
    """Answers when it is let go."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.asked = 0
        self.released = asyncio.Event()

    async def state_of(self, instance: Any, /) -> tuple[str, object]:
        self.asked += 1
        await self.released.wait()
        return self.state, None


class Store:
    async def ping(self) -> None:
        pass

    async def instance(self, dialect: str, public_id: str) -> Any:
        return SimpleNamespace(id=1) if (dialect, public_id) == ("aliyun", "pd-1") else None


class Lost(Store):
    async def ping(self) -> None:
        raise OSError


def readiness(servers: Servers, store: Any = None) -> Readiness:
    store = store or Store()
    return Readiness(store, store, servers, SimpleNamespace(shares=True))


async def test_a_server_that_is_down_is_not_ready_and_says_its_state() -> None:
    servers = Servers("unreachable")
    servers.released.set()
    assert await readiness(servers).answer("instance=pd-1") == (503, {"status": "unreachable"})


async def test_many_who_ask_at_once_ask_the_server_once() -> None:
    servers = Servers("running")
    ready = readiness(servers)
    waiting = [asyncio.create_task(ready.answer("instance=pd-1")) for _ in range(20)]
    await reached(lambda: servers.asked)
    waiting[0].cancel()  # a client that goes away takes the answer from no other
    servers.released.set()
    answers = await asyncio.gather(*waiting[1:])
    assert set(map(str, answers)) == {"(200, {'status': 'ready'})"}
    assert servers.asked == 1


async def test_an_unknown_instance_and_a_lost_store() -> None:
    servers = Servers("running")
    assert (await readiness(servers).answer("instance=pd-2"))[0] == 404
    assert (await readiness(servers, Lost()).answer("instance=pd-1"))[0] == 503
    assert servers.asked == 0

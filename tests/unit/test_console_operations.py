"""The audit trail in the console: what reads much of it, one at a time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.console.operations import OperationPages
from rolecall.values import Reply, Request
from rolecall.web.forms import fields


class Slow:
    """A trail, and a verifier, that answer when they are let go."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def recent(self, *_: object) -> list[Any]:
        return await self.verify()

    async def verify(self) -> Any:
        self.asked.set()
        await self.go.wait()
        return []


def header(reply: Reply, name: str) -> str:
    return dict(reply.headers)[name]


@pytest.mark.parametrize("first", ["_verify", "_export"])
async def test_a_second_verification_or_export_is_asked_to_come_back(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    shown: Any = OperationPages(slow, slow, slow)  # type: ignore[arg-type]

    async def listed(*_: object) -> Reply:
        return Reply(200, (), b"")

    monkeypatch.setattr(shown, "_list", listed)
    request = Request("GET", "/console/operations", "", (), b"", "127.0.0.1", secure=False, received=0.0)
    caller = SimpleNamespace(is_owner=True)
    visit = SimpleNamespace(visitor=SimpleNamespace(caller=caller), request=request, query=fields(""))
    running = asyncio.create_task(getattr(shown, first)(visit))
    await slow.asked.wait()
    for other in ("_verify", "_export"):
        refused = await getattr(shown, other)(visit)
        assert (refused.status, header(refused, "retry-after")) == (503, "5")
    slow.go.set()
    assert (await running).status == 200
    assert (await getattr(shown, first)(visit)).status == 200

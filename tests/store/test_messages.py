"""How many messages to the store a call sends in all, once its caller is known: reads, the change and its record."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
from tests.store.counted_calls import Calls, counted_calls

from rolecall.values import Secret


@pytest.fixture
async def calls(dsn: Secret, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Calls]:
    async with counted_calls(dsn, monkeypatch) as made:
        yield made


def fresh() -> str:
    return f"n{secrets.token_hex(6)}"


async def test_a_new_sub_user_is_one_message(calls: Calls) -> None:
    await calls.ok("AddUser", {"Name": fresh()})
    before = calls.sent
    added = await calls.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    assert calls.sent - before == 1
    assert added["SecretId"]

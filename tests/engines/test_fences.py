"""The engine suite, fences: what a process asks before it makes something is asked under the lock of what is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from rolecall.domain.engine import AccountKind, NewAccount, NewDatabase
from rolecall.domain.engine.identity import AppliedBefore
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.values import Secret


@dataclass
class Asked:
    """A fence that refuses, or looks at what is there in a task that is given time to end."""

    engine: Any
    look: Callable[[], Awaitable[Any]]
    refuses: bool = False
    times: int = 0
    looks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def __call__(self) -> None:
        self.times += 1
        if self.refuses:
            raise AppliedBefore
        self.looks.append(asyncio.ensure_future(self.look()))
        for _ in range(5):
            await self.engine.databases()


@pytest.fixture(params=["account", "database", "superuser"])
def making(harness: Any, unique: Any, request: pytest.FixtureRequest) -> Any:
    """(make, look, take away) of one thing of a kind; `make(operation, fence)`."""
    engine, name = harness.engine, unique("f")
    match request.param:
        case "account":
            verifier = engine.verifier(name, Secret("Pass-w0rd"))
            return (
                lambda operation, fence: engine.create_account(
                    NewAccount(name, AccountKind.NORMAL, verifier, operation, harness.host, fence=fence)
                ),
                lambda: engine.account(name, harness.host),
                lambda: engine.drop_account(name, uuid4(), harness.host),
            )
        case "database":

            async def there() -> Any:
                return next((one for one in await engine.databases() if one.name == name), None)

            owner = harness.administrator if harness.host == "" else ""
            return (
                lambda operation, fence: engine.create_database(
                    NewDatabase(name, owner, operation, fence=fence)
                ),
                there,
                lambda: engine.drop_database(name),
            )
        case _:
            if not isinstance(engine, MemoryGrantsEngine):
                pytest.skip("not on this server: see test_mysql_superuser.py")
            superuser = engine.superuser
            verifier = engine.verifier(superuser.name, Secret("Pass-w0rd"))
            return (
                lambda operation, fence: superuser.enable(verifier, operation, fence),
                superuser.find,
                lambda: superuser.disable(uuid4()),
            )


async def test_what_a_fence_refuses_is_not_made_and_its_lock_is_given_back(harness, making):
    make, look, remove = making
    await remove()
    refusing = Asked(harness.engine, look, refuses=True)
    with pytest.raises(AppliedBefore):
        await make(uuid4(), refusing)
    assert refusing.times >= 1
    assert await look() is None
    await make(uuid4(), None)
    assert await look() is not None
    await remove()


async def test_what_shows_its_operation_is_there_whatever_a_fence_says_and_another_is_not_touched(
    harness, making
):
    make, look, remove = making
    await remove()
    operation = uuid4()
    await make(operation, Asked(harness.engine, look))
    made = await look()
    refusing = Asked(harness.engine, look, refuses=True)
    await make(operation, refusing)
    assert await look() == made
    with pytest.raises(AppliedBefore):
        await make(uuid4(), refusing)
    assert await look() == made
    await remove()


async def test_an_account_that_is_looked_at_while_its_fence_is_asked_is_seen_made(harness, unique):
    """The look waits for the lock, so recovery that has taken the operation over sees what came of it."""
    engine, name = harness.engine, unique("f")
    asked = Asked(engine, lambda: engine.account(name, harness.host))
    verifier = engine.verifier(name, Secret("Pass-w0rd"))
    made = await engine.create_account(
        NewAccount(name, AccountKind.NORMAL, verifier, uuid4(), harness.host, fence=asked)
    )
    assert asked.times == 1
    assert await asked.looks[0] == made
    await engine.drop_account(name, uuid4(), harness.host)


async def test_a_fence_that_cannot_be_asked_refuses_as_it_says(harness, unique):
    async def busy() -> None:
        raise Refused(Reason.ENGINE_BUSY)

    name = unique("f")
    with pytest.raises(Refused) as caught:
        await harness.engine.create_account(
            NewAccount(name, AccountKind.NORMAL, None, uuid4(), harness.host, fence=busy)
        )
    assert caught.value.reason is Reason.ENGINE_BUSY
    assert await harness.engine.account(name, harness.host) is None

"""How far it is from a command to its statement: each frame of ours on the way must decide something."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.engines.conftest import MariaHarness, PostgresHarness

import rolecall
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.bus import Bus
from rolecall.domain.engine import AccountKind, EngineAddress
from rolecall.domain.instances.registry import EngineRegistry, InstanceResolver, NewInstance, register
from rolecall.domain.messages import InstanceName
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.runner import OperationRunner
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.base import Watched
from rolecall.engines.mysql.connections import Session
from rolecall.exchanges.postgresql import Connection
from rolecall.store.memory import MemoryStore
from rolecall.values import Caller, Origin, Secret

PACKAGE = Path(rolecall.__file__).parent
MOST = 12
"""Frames between the last one of the pipeline and the driver."""


def frames() -> list[str]:
    """The names of our own functions on the stack, the outermost first."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        if Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
            found.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return found[::-1]


async def create(engine: Any, kind: str, name: str) -> None:
    """As the pipeline does it, on a store in memory."""
    replica, sealer = MemoryStore().replica(), Sealer((bytes(32),))
    owner = await replica.keys.add_owner(1, 1)
    new = NewInstance(
        owner.id, kind, "one", "127.0.0.1", 1, "admin", Secret("x"), "", {}, "", "", {"red": "red-1"}
    )
    await register(replica.instances, sealer, new)

    def connect(_kind: str, _address: EngineAddress) -> Watched:
        return Watched(engine)

    with ThreadPoolExecutor(1) as hashing:
        ledger = replica.operations
        journal = Journal(ledger)
        resolver = InstanceResolver(replica.instances, EngineRegistry(connect, sealer))
        context = AccountContext(
            resolver, ledger, journal, OperationRunner(journal), sealer, hashing, Secret("k")
        )
        tokens = ClientTokens(ledger, lambda: Secret("token key"))
        bus = Bus(Accounts(context, ledger, DeferredCreates(context, ledger, journal), tokens).handlers)
        caller = Caller(owner.id, owner.number, owner.app_id, 1, "AKIDx")
        command = commands.CreateAccount(
            InstanceName("red", "red-1"), name, AccountKind.NORMAL, Secret("Corr3ct-horse"), "", False
        )
        await bus.execute(command, Origin(caller, "red", "CreateAccount", "tag"))


async def test_a_new_account_on_postgresql_is_few_frames_from_its_statement(
    postgres: PostgresHarness, unique: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, stacks = unique("frames"), []
    last_row = Connection.last_row

    def noted(self: Connection, script: bytes) -> Any:
        if f'CREATE ROLE "{name}"' in script.decode():
            stacks.append(frames())
        return last_row(self, script)

    monkeypatch.setattr(Connection, "last_row", noted)
    await create(postgres.engine, "postgresql", name)
    (stack,) = stacks
    assert len(stack) <= MOST, stack


async def test_a_new_account_on_mariadb_is_few_frames_from_its_statement(
    maria: MariaHarness, unique: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call waits for a batch, which is a task of its own: so there are two stacks."""
    name, stacks = unique("frames"), []
    run = Session._run

    def noted(self: Any, statements: Any) -> Any:
        if any(f"CREATE USER '{name}'" in text for text in statements):
            stacks.append(frames())
        return run(self, statements)

    monkeypatch.setattr(Session, "_run", noted)
    await create(maria.engine, "mysql", name)
    (stack,) = stacks
    assert len(stack) <= MOST, stack

"""The kinds of create that are measured: by whom each is made, and what it is made on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from bench import mysql_load
from bench.costs import owner_url
from bench.load import Make, wire_clients
from bench.people_load import CAM, calling, connections, new_user
from bench.rounds import Settle

Ready = Mapping[str, Any]
Clients = Callable[[Ready, int], AbstractAsyncContextManager[list[Make]]]


@dataclass(frozen=True)
class Create:
    """`engine`: the key of its server in the ready file; empty where only the store is changed."""

    name: str
    clients: Clients
    engine: str = ""
    password: bool = True
    settled: Callable[[Ready], Settle] | None = None
    """Waits for what was promised."""
    clear: Callable[[Ready], None] | None = None
    """Removes what was made, where creating costs more the more there is."""

    def cleared(self, ready: Ready) -> Callable[[], None] | None:
        return None if self.clear is None else partial(self.clear, ready)

    async def prepare(self, ready: Ready) -> None:
        """What its accounts are granted."""
        if self.engine == "mysql":
            await mysql_load.prepare(ready)

    def settle(self, ready: Ready) -> Settle | None:
        return None if self.settled is None else self.settled(ready)


@asynccontextmanager
async def sub_user_clients(ready: Ready, count: int) -> AsyncIterator[list[Make]]:
    """AddUser with a key for the API."""
    async with connections(ready["endpoint"], count) as wires:
        yield [
            calling(wire, ready, "AddUser", lambda name: {"Name": name, "UseApi": 1}, CAM) for wire in wires
        ]


@asynccontextmanager
async def user_clients(ready: Ready, count: int) -> AsyncIterator[list[Make]]:
    """CreateUser in a user store, with a password."""
    params = new_user(ready["tencent"]["user_store_id"])
    async with connections(ready["endpoint"], count) as wires:
        yield [calling(wire, ready, "CreateUser", params) for wire in wires]


def clear_sub_users(ready: Ready) -> None:
    """Remove all of them. Their quota is counted at every AddUser, and is 1,000 by default: a batch stays below it."""
    with psycopg.connect(owner_url(ready), autocommit=True) as store:
        store.execute(
            "delete from rolecall.access_keys where principal in (select number from rolecall.sub_users)"
        )
        store.execute("delete from rolecall.sub_users")


def _settled(ready: Ready) -> Settle:
    return partial(mysql_load.settle, ready)


CREATES = {
    create.name: create
    for create in (
        Create("CreateAccount, password", wire_clients, "postgres"),
        Create("CreateAccount, no password", wire_clients, "postgres", password=False),
        Create("OpenStack users", mysql_load.openstack_clients, "mysql", settled=_settled),
        Create("PetaData", mysql_load.petadata_clients, "mysql", settled=_settled),
        Create("AddUser with key", sub_user_clients, clear=clear_sub_users),
        Create("CIAM CreateUser", user_clients),
    )
}


def possible(ready: Ready) -> list[Create]:
    """Those whose server this machine has."""
    return [create for create in CREATES.values() if not create.engine or create.engine in ready["engines"]]

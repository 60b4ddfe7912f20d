"""Users of a store: how much of the bare hashing rate comes through, and what a million of them cost."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import keystone_load
from bench.load import Batch, Make, new_name
from bench.people_load import (
    Params,
    Wire,
    call,
    calling,
    connections,
    hashing_clients,
    load,
    new_user,
    signing_in,
)
from bench.rounds import alternate, in_turn, percentile, rate
from rolecall.domain.directories.rows import NewUser
from rolecall.settings import Settings

_SMALL = 1000
_BARE, _CREATE, _SIGN_IN = "argon2id, bare", "CreateUser", "password grant"
_OPERATIONS = ("create", "by id", "by phone", "first page")


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Iterator[Table]:
    users = asyncio.run(load(ready, ready["tencent"]["user_store_id"], _SMALL))
    yield asyncio.run(_speed(ready, users, options))
    yield asyncio.run(_sizes(ready, options))
    try:
        trouble = keystone_load.missing(options.keystone)
        if not trouble:
            yield asyncio.run(_keystone(ready, users, options))
    except RuntimeError as refused:
        trouble = str(refused)
    if trouble:
        Console(stderr=True).print(f"Keystone is left out: {trouble}")


async def _speed(ready: Mapping[str, Any], users: Sequence[NewUser], options: argparse.Namespace) -> Table:
    """Making and signing in, beside hashing alone with the same parameters and threads."""
    threads = Settings().password_threads
    table = Table(
        "case", "way", "per s", "p50 ms", "p99 ms", "rate / bare",
        title=f"Users through the wire, and their hashes alone ({threads} threads)",
    )  # fmt: skip
    for clients in options.clients:
        async with (
            hashing_clients(clients, threads) as bare,
            connections(ready["endpoint"], clients) as wires,
        ):
            makers = {_BARE: bare, **_ours(ready, wires, users)}
            batches = await in_turn(f"users, {clients} client(s)", makers, options.accounts, options.rounds)
        _report(table, f"{clients} client(s)", batches, _BARE)
    return table


def _ours(ready: Mapping[str, Any], wires: Sequence[Any], users: Sequence[NewUser]) -> dict[str, list[Make]]:
    create = new_user(ready["tencent"]["user_store_id"])
    return {
        _CREATE: [calling(wire, ready, "CreateUser", create) for wire in wires],
        _SIGN_IN: [signing_in(wire, ready, users) for wire in wires],
    }


def _report(table: Table, label: str, batches: Mapping[str, list[Batch]], base: str) -> None:
    for way, taken in batches.items():
        ratios = [rate(batch) / rate(other) for batch, other in zip(taken, batches[base], strict=True)]
        table.add_row(
            label,
            way,
            f"{statistics.median(map(rate, taken)):.1f}",
            f"{statistics.median(percentile(batch, 0.5) for batch in taken):.1f}",
            f"{statistics.median(percentile(batch, 0.99) for batch in taken):.1f}",
            f"{statistics.median(ratios):.2f}",
        )


async def _sizes(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    """The same calls on a small and on a large store: one client, each call on the one and then on the other."""
    table = Table(
        "call", f"p50 ms at {_SMALL:,}", f"p50 ms at {options.users:,}", "large / small",
        title="What the size of a user store costs",
    )  # fmt: skip
    taken: dict[str, list[tuple[Batch, Batch]]] = {operation: [] for operation in _OPERATIONS}
    async with connections(ready["endpoint"], 1) as (wire,):
        small, large = [await _filled(wire, ready, size) for size in (_SMALL, options.users)]
        label = f"stores of {_SMALL:,} and {options.users:,}"
        for counted in track(range(options.rounds + 1), description=label, console=Console(stderr=True)):
            for operation in _OPERATIONS:
                pair = await alternate(small[operation], large[operation], options.accounts)
                if counted:
                    taken[operation].append(pair)
    for operation, pairs in taken.items():
        medians = [(percentile(before, 0.5), percentile(after, 0.5)) for before, after in pairs]
        table.add_row(
            operation,
            f"{statistics.median(before for before, _ in medians):.2f}",
            f"{statistics.median(after for _, after in medians):.2f}",
            f"{statistics.median(after / before for before, after in medians):.2f}",
        )
    return table


async def _filled(wire: Wire, ready: Mapping[str, Any], size: int) -> dict[str, Make]:
    """A client for each operation on a new store of that size."""
    answer = json.loads(await call(wire, ready, "CreateUserStore", {"UserPoolName": new_name(f"of {size}")}))
    store = answer["Response"]["UserStoreId"]
    users = await load(ready, store, size)
    return {
        operation: calling(wire, ready, action, params)
        for operation, (action, params) in zip(_OPERATIONS, _asked(store, users), strict=True)
    }


def _asked(store: str, users: Sequence[NewUser]) -> list[tuple[str, Params]]:
    shuffled = random.sample(list(users), len(users))
    ids, phones = (itertools.cycle(shuffled) for _ in range(2))
    page = {"PageSize": 20, "PageNumber": 1}
    return [
        ("CreateUser", new_user(store)),
        ("DescribeUserById", lambda _: {"UserStoreId": store, "UserId": next(ids).id.hex}),
        (
            "ListUserByProperty",
            lambda _: {
                "UserStoreId": store,
                "PropertyCode": "phoneNumber",
                "PropertyValue": next(phones).phone,
            },
        ),
        ("ListUser", lambda _: {"UserStoreId": store, "Pageable": page}),
    ]


async def _keystone(ready: Mapping[str, Any], users: Sequence[NewUser], options: argparse.Namespace) -> Table:
    """The same work on Keystone: with a hash as strong by OWASP's sheet, and with one that takes it no longer."""
    table = Table(
        "case", "way", "per s", "p50 ms", "p99 ms", "rate / Keystone",
        title=f"The same on Keystone, {max(options.clients)} client(s)",
    )  # fmt: skip
    fair = keystone_load.bcrypt_cost()
    for cost, why in ((keystone_load.OWASP_COST, "OWASP's least"), (fair, "no slower than argon2id here")):
        with keystone_load.running_keystone(options.keystone, ready, cost) as keystone:
            await _beside(keystone, ready, users, options, table, f"bcrypt {cost}, {why}")
    return table


async def _beside(
    keystone: keystone_load.Keystone,
    ready: Mapping[str, Any],
    users: Sequence[NewUser],
    options: argparse.Namespace,
    table: Table,
    label: str,
) -> None:
    clients = max(options.clients)
    async with (
        connections(ready["endpoint"], clients) as wires,
        keystone_load.clients(keystone, clients) as (creating, signing_in_there),
    ):
        ours = _ours(ready, wires, users)
        for way, theirs in ((_CREATE, creating), (_SIGN_IN, signing_in_there)):
            makers = {f"Keystone, {way}": theirs, f"Rolecall, {way}": ours[way]}
            batches = await in_turn(f"{label}: {way}", makers, options.accounts, options.rounds)
            _report(table, label, batches, f"Keystone, {way}")

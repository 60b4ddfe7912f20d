"""The goals for speed, with what is measured beside them: every way of a create in turn, in one run.

Each way's rate, median and processor time are medians of rounds; ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import moto_load, mysql_load
from bench.costs import ENGINE, HASH, PYTHON, STORE, Server
from bench.creates import CREATES, Clients
from bench.load import Batch, engine_clients, wire_clients
from bench.people_load import hashing_clients
from bench.rounds import Meter, in_turn, percentile, rate
from rolecall.settings import Settings

ONE, EIGHT = 1, 8
GROUP = "pg_tencentdb_superuser"
"""The role that statements of Rolecall's on PostgreSQL name."""

OURS, REGISTERED = "Rolecall", "Rolecall, registered server"
RAW, VERIFIER = "bare statements", "bare statements, the client computing the verifier"
HASHED, MOTO = "argon2id alone", "moto, CreateUser and CreateAccessKey"

WITH, WITHOUT = "CreateAccount, password", "CreateAccount, no password"
OPENSTACK, PETADATA, SUB_USER, USER = "OpenStack users", "PetaData", "AddUser with key", "CIAM CreateUser"

EVERY_WAY = "Every way; processor time of one create, ms"

_BASES = {WITH: RAW, WITHOUT: RAW, OPENSTACK: RAW, PETADATA: RAW, SUB_USER: MOTO, USER: HASHED}
"""What each create is compared with."""


class Figures:
    """Batches by create, clients and way."""

    def __init__(self) -> None:
        self._batches: dict[tuple[str, int], Mapping[str, list[Batch]]] = {}

    def add(self, create: str, clients: int, batches: Mapping[str, list[Batch]]) -> None:
        self._batches[create, clients] = batches

    def __iter__(self) -> Iterator[tuple[str, int, str, list[Batch]]]:
        for (create, clients), ways in self._batches.items():
            for way, batches in ways.items():
                yield create, clients, way, batches

    def of(self, create: str, clients: int, way: str) -> list[Batch]:
        """None where the way was not measured."""
        return self._batches.get((create, clients), {}).get(way, [])

    def median(
        self, value: Callable[[Batch], float], create: str, clients: int, way: str = OURS
    ) -> float | None:
        taken = [value(batch) for batch in self.of(create, clients, way)]
        return statistics.median(taken) if taken else None

    def ratio(
        self, value: Callable[[Batch], float], create: str, clients: int, base: str, way: str = OURS
    ) -> float | None:
        """Of a way to another, round by round."""
        taken, other = self.of(create, clients, way), self.of(create, clients, base)
        ratios = [value(one) / value(beside) for one, beside in zip(taken, other, strict=False)]
        return statistics.median(ratios) if ratios else None


def median_of(batch: Batch) -> float:
    return percentile(batch, 0.5)


def own(batch: Batch) -> float:
    """Rolecall's own processor time of one create, ms: Python and store."""
    return batch.costs[PYTHON] + batch.costs[STORE]


@dataclass(frozen=True)
class Goal:
    """`before`: measured by hand before the work on speed, on a quiet machine with two processors."""

    text: str
    before: str
    bound: float
    most: bool
    """Whether `bound` is the most that it may be, else the least."""
    value: Callable[[Figures], float | None]
    digits: int = 2

    def row(self, figures: Figures) -> tuple[str, ...]:
        value = self.value(figures)
        sign = "at most" if self.most else "at least"
        bound = f"{sign} {self.bound:,.{0 if self.bound >= 100 else 2}f}"
        if value is None:
            return self.text, self.before, "not measured", bound, ""
        met = value <= self.bound if self.most else value >= self.bound
        return self.text, self.before, f"{value:,.{self.digits}f}", bound, "yes" if met else "no"


def _moto_against_ours(figures: Figures) -> float | None:
    theirs = figures.median(lambda batch: batch.costs[moto_load.PART], SUB_USER, EIGHT, MOTO)
    ours = figures.median(own, SUB_USER, EIGHT)
    return None if theirs is None or ours is None else theirs / ours


GOALS = (
    Goal(
        f"{WITHOUT}, 8 clients: Python + store, ms", "1.35", 0.8, True,
        lambda found: found.median(own, WITHOUT, EIGHT),
    ),
    Goal(
        f"{WITHOUT}, 8 clients: per second", "820", 1200, False,
        lambda found: found.median(rate, WITHOUT, EIGHT), 0,
    ),
    Goal(
        f"{SUB_USER}, 8 clients: Python + store, ms", "2.2", 1.1, True,
        lambda found: found.median(own, SUB_USER, EIGHT),
    ),
    Goal(f"{SUB_USER}, 8 clients: moto's processor time against Rolecall's", "2.4", 4, False, _moto_against_ours),
    Goal(
        f"{SUB_USER}, 8 clients: per second", "526", 650, False,
        lambda found: found.median(rate, SUB_USER, EIGHT), 0,
    ),
    Goal(
        f"{USER}, 8 clients: Python + store, beside the hash, ms", "3.2", 1.6, True,
        lambda found: found.median(own, USER, EIGHT),
    ),
    Goal(
        f"{USER}, 8 clients: rate against argon2id alone", "0.82 to 0.95", 0.95, False,
        lambda found: found.ratio(rate, USER, EIGHT, HASHED),
    ),
    Goal(
        f"{WITH}, quickstart server, 1 client: p50 against the bare statements", "1.6", 0.6, True,
        lambda found: found.ratio(median_of, WITH, ONE, RAW),
    ),
    Goal(
        f"{WITH}, quickstart server, 8 clients: rate against the bare statements", "0.64", 1.4, False,
        lambda found: found.ratio(rate, WITH, EIGHT, RAW),
    ),
    Goal(
        f"{WITH}, registered server, 1 client: p50 against {VERIFIER}", "1.4", 1.3, True,
        lambda found: found.ratio(median_of, WITH, ONE, VERIFIER, REGISTERED),
    ),
    Goal(
        f"{WITH}, registered server, 8 clients: rate against {VERIFIER}", "0.84", 0.9, False,
        lambda found: found.ratio(rate, WITH, EIGHT, VERIFIER, REGISTERED),
    ),
    Goal(
        f"{OPENSTACK}, 8 clients: rate against a raw CREATE USER and GRANT", "0.47", 0.65, False,
        lambda found: found.ratio(rate, OPENSTACK, EIGHT, RAW),
    ),
    Goal(
        f"{OPENSTACK}, 1 client: p50 against a raw CREATE USER and GRANT", "3.1", 2.2, True,
        lambda found: found.ratio(median_of, OPENSTACK, ONE, RAW),
    ),
)  # fmt: skip


def bench(server: Server, options: argparse.Namespace) -> Iterator[Table]:
    figures = Figures()
    with ExitStack() as stack:
        reason = moto_load.missing(options.moto)
        moto = None if reason else stack.enter_context(moto_load.running_moto(options.moto))
        if reason:
            Console(stderr=True).print(f"moto is left out: {reason}")
        for clients in options.clients:
            for create, ways in _ways(server, moto).items():
                if options.create not in create:
                    continue
                batches = asyncio.run(_measure(server, create, ways, clients, options))
                figures.add(create, clients, batches)
    yield goals(figures)
    yield table(figures)


@dataclass(frozen=True)
class _Way:
    clients: Clients
    meter: Meter


def _ways(server: Server, moto: moto_load.Moto | None) -> Mapping[str, Mapping[str, _Way]]:
    """By create. Rolecall comes first where its first call makes what the bare statements name."""
    ours = {name: _Way(create.clients, server.meter(create.engine)) for name, create in CREATES.items()}
    postgres, mysql = server.engine_meter("postgres"), server.engine_meter("mysql")

    def there(ready: Mapping[str, Any], count: int) -> Any:
        return wire_clients(ready, count, ready["registered"])

    def bare(ready: Mapping[str, Any], count: int, *, hashing: bool = False) -> Any:
        return engine_clients(ready, count, GROUP, hashing=hashing)

    ways: dict[str, dict[str, _Way]] = {
        WITH: {
            OURS: ours[WITH],
            REGISTERED: _Way(there, server.meter("postgres")),
            RAW: _Way(bare, postgres),
            VERIFIER: _Way(lambda ready, count: bare(ready, count, hashing=True), postgres),
        },
        WITHOUT: {OURS: ours[WITHOUT], RAW: _Way(bare, postgres)},
    }
    if "mysql" in server.ready["engines"]:
        raw = _Way(mysql_load.engine_clients, mysql)
        ways[OPENSTACK] = {OURS: ours[OPENSTACK], RAW: raw}
        ways[PETADATA] = {OURS: ours[PETADATA], RAW: raw}
    ways[SUB_USER] = {OURS: ours[SUB_USER]}
    if moto is not None:
        ways[SUB_USER][MOTO] = _Way(lambda _, count: moto_load.clients(moto, count), moto.times)
    threads = Settings().password_threads
    ways[USER] = {OURS: ours[USER], HASHED: _Way(lambda _, count: hashing_clients(count, threads), dict)}
    return ways


async def _measure(
    server: Server, create: str, ways: Mapping[str, _Way], clients: int, options: argparse.Namespace
) -> dict[str, list[Batch]]:
    known = CREATES[create]
    await known.prepare(server.ready)
    async with AsyncExitStack() as stack:
        return await in_turn(
            f"{create}, {clients} client(s)",
            {
                name: await stack.enter_async_context(way.clients(server.ready, clients))
                for name, way in ways.items()
            },
            options.accounts,
            options.rounds,
            password=known.password,
            settle=known.settle(server.ready),
            clear=known.cleared(server.ready),
            meters={name: way.meter for name, way in ways.items()},
        )


def goals(figures: Figures) -> Table:
    table = Table("goal for", "before", "now", "goal", "met", title="Goals")
    for goal in GOALS:
        table.add_row(*goal.row(figures))
    return table


def table(figures: Figures) -> Table:
    """Every way that was measured."""
    made = Table(
        "create", "clients", "way", "per s", "p50 ms", "p99 ms", "rate / base", "p50 / base", PYTHON, HASH,
        STORE, ENGINE, title=EVERY_WAY,
    )  # fmt: skip
    for create, clients, way, batches in figures:
        base = _BASES[create]
        made.add_row(
            create,
            str(clients),
            way,
            f"{statistics.median(map(rate, batches)):.0f}",
            f"{statistics.median(map(median_of, batches)):.2f}",
            f"{statistics.median(percentile(batch, 0.99) for batch in batches):.2f}",
            _or_dash(figures.ratio(rate, create, clients, base, way)),
            _or_dash(figures.ratio(median_of, create, clients, base, way)),
            *(_cost(batches, part) for part in (PYTHON, HASH, STORE, ENGINE)),
        )
    return made


def _cost(batches: list[Batch], part: str) -> str:
    """What moto uses stands in the engine's place."""
    names = (ENGINE, moto_load.PART) if part == ENGINE else (part,)
    return _or_dash(
        statistics.median(sum(batch.costs.get(name, 0.0) for name in names) for batch in batches) or None
    )


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

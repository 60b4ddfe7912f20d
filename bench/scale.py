"""A model of many replicas over one store: what bounds creates a second, carried on from measured points.

Each part spends a measured time on one create, its demand, and has a number of processors. The part that first has no
processor left bounds the whole. Assumptions:

1. On the machine of the measurement all parts share its processors. The share of them that was busy with one replica
   (`use`) holds for more replicas, so the first point is the measured one.
2. Elsewhere replicas, store and engines have machines of their own, with processors like those of the measurement. No
   more than `BUSY` of them is used: beyond it, waiting grows faster than work.
3. A replica is one process. Python uses one of its processors, hashing the others.
4. The store's demand is the greatest that was measured, as more replicas share less of a batch.
5. A flush of the store's log takes `FLUSH` seconds, a synchronous standby included, and serves all that wait for it. A
   replica sends its next batch of at most `BATCH` statements when the last is committed.
6. Creates are spread evenly over `INSTANCES` servers with `ENGINE_PROCESSORS` each, and over many owners. The last row
   is for a single owner.
7. Network, load balancer, shared rates and the chain of audit records are not the first to bound: docs/scale.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

BUSY = 0.7
FLUSH = 0.002
"""Seconds."""
BATCH = 64
REPLICA_PROCESSORS = 4
STORE_PROCESSORS = 16
INSTANCES = 1000
ENGINE_PROCESSORS = 2
LOCKED = ("AddUser with key",)
"""Creates that hold a lock of their owner."""
REPLICAS = (1, 2, 3, 10, 30, 100)


@dataclass(frozen=True)
class Demands:
    """Of one create, milliseconds of a processor; `commits` in the store, a count."""

    python: float
    hashing: float
    store: float
    engine: float
    clients: float
    commits: float

    def total(self) -> float:
        return self.python + self.hashing + self.store + self.engine + self.clients


@dataclass(frozen=True)
class Point:
    create: str
    replicas: int
    per_second: float
    demands: Demands


def shared(demands: Demands, processors: int, use: float) -> float:
    """Creates a second where all parts share one machine (assumption 1)."""
    return use * processors * 1000 / demands.total()


def use_of(point: Point, processors: int) -> float:
    return point.per_second * point.demands.total() / (processors * 1000)


def bounds(replicas: int, demands: Demands) -> Mapping[str, float]:
    """Creates a second that each part can do on machines of its own; a part without a demand has no bound."""
    found = {
        "Python": replicas * BUSY * 1000 / demands.python,
        "store": STORE_PROCESSORS * BUSY * 1000 / demands.store,
        "commits": replicas * BATCH / FLUSH / max(demands.commits, 1),
    }
    if demands.hashing:
        found["hashing"] = replicas * (REPLICA_PROCESSORS - 1) * BUSY * 1000 / demands.hashing
    if demands.engine:
        found["engine"] = INSTANCES * ENGINE_PROCESSORS * BUSY * 1000 / demands.engine
    return found


def one_owner(demands: Demands) -> float:
    """Changes of identity a second of one owner: each batch holds the owner's lock until it is committed."""
    return BATCH / (FLUSH + BATCH * demands.store / 1000)


def dearest(points: Sequence[Point]) -> Demands:
    """The demands of one replica, with the greatest of the store's (assumption 4)."""
    one = min(points, key=lambda point: point.replicas).demands
    store = max(point.demands.store for point in points)
    commits = max(point.demands.commits for point in points)
    return Demands(one.python, one.hashing, store, one.engine, one.clients, commits)


def tables(points: Sequence[Point], processors: int) -> Iterator[Table]:
    """The model beside what was measured, and carried on."""
    creates = list(dict.fromkeys(point.create for point in points))
    here = Table(
        "create", "replicas", "measured per s", "model per s", "model / measured",
        title="The model on the machine of the measurement",
        caption=f"All parts share its {processors} processors.",
    )  # fmt: skip
    there = Table(
        "replicas", *creates,
        title="Creates a second on machines of their own, and what bounds them",
        caption=f"{REPLICA_PROCESSORS} processors a replica, {STORE_PROCESSORS} for the store, {INSTANCES:,} instances,"
        f" no part busier than {BUSY:.0%}.",
    )  # fmt: skip
    for create in creates:
        mine = [point for point in points if point.create == create]
        use = use_of(mine[0], processors)
        for point in mine:
            modelled = shared(point.demands, processors, use)
            here.add_row(
                create,
                str(point.replicas),
                f"{point.per_second:.0f}",
                f"{modelled:.0f}",
                f"{modelled / point.per_second:.2f}",
            )
    for replicas in REPLICAS:
        cells = []
        for create in creates:
            found = bounds(replicas, dearest([point for point in points if point.create == create]))
            part = min(found, key=lambda name: found[name])
            cells.append(f"{found[part]:,.0f} ({part})")
        there.add_row(str(replicas), *cells)
    there.add_row("any, one owner", *(_alone(points, create) for create in creates))
    yield here
    yield there


def _alone(points: Sequence[Point], create: str) -> str:
    if create not in LOCKED:
        return "the same"
    return f"{one_owner(dearest([point for point in points if point.create == create])):,.0f} (lock)"

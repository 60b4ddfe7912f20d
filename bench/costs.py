"""What work costs: the processor time of a Rolecall of the benchmark's own, of its store and of its engines."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.processes import listener, process_ns, tree_ns
from bench.rounds import Meter
from bench.server import running_rolecall

PYTHON, HASH, STORE, ENGINE = "Python", "hash", "store", "engine"
"""Parts of a cost: the serving process but for its hashing threads; these; the store's server; the engine's."""

_HASHING = ("hashing", "passwords")
"""Prefixes of the names of threads that do nothing but hash."""

_ASKING = ("profile",)


@contextmanager
def measured_rolecall(settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="rolecall-asking-") as place:
        asking = Path(place) / "ask"
        with running_rolecall([sys.executable, "-m", "bench.profiled_server", asking], settings) as ready:
            server = Server(ready, asking)
            try:
                yield server
            finally:
                server.close()


@dataclass(frozen=True)
class Written:
    """Transactions that wrote, and bytes of write-ahead log, of a PostgreSQL server since it was created."""

    transactions: int
    log: int


class Server:
    """A running Rolecall that can be asked where its time goes."""

    def __init__(self, ready: Mapping[str, Any], asking: Path) -> None:
        self.ready = ready
        self._asking = socket.socket(socket.AF_UNIX)
        self._asking.connect(str(asking))
        self._lines = self._asking.makefile("rw")
        self.store = owner_url(ready)
        self.store_port = int(str(conninfo_to_dict(self.store)["port"]))
        self.store_pid = listener(self.store_port)
        self.engine_pids = {name: listener(engine["port"]) for name, engine in ready["engines"].items()}

    def close(self) -> None:
        self._lines.close()
        self._asking.close()

    def ask(self, question: str) -> Any:
        self._lines.write(f"{question}\n")
        self._lines.flush()
        return json.loads(self._lines.readline())

    def meter(self, engine: str) -> Meter:
        """`engine`: its key in the ready file; empty for what needs none."""
        return partial(self._times, engine)

    def engine_meter(self, engine: str) -> Meter:
        """For what goes straight to the engine."""
        return lambda: {ENGINE: tree_ns(self.engine_pids[engine])}

    def _times(self, engine: str) -> Mapping[str, int]:
        threads = self.ask("times")
        hashing = _sum_of(threads, _HASHING)
        return {
            PYTHON: process_ns(self.ready["pid"]) - hashing - _sum_of(threads, _ASKING),
            HASH: hashing,
            STORE: tree_ns(self.store_pid),
            ENGINE: tree_ns(self.engine_pids[engine]) if engine else 0,
        }

    def written(self) -> Mapping[str, Written]:
        """By the store and by the PostgreSQL engine."""
        engine = self.ready["engines"]["postgres"]
        url = make_conninfo(
            host=engine["host"], port=engine["port"], user=engine["user"], password=engine["password"],
            dbname=engine["database"],
        )  # fmt: skip
        return {"store": _written(self.store), "postgres": _written(url)}


def owner_url(ready: Mapping[str, Any]) -> str:
    """The store of a `rolecall up`, as its owner."""
    data = Path(ready["data"])
    url = json.loads((data / "connection.json").read_text())["database_url"]
    password = json.loads((data / "secrets.json").read_text())["store_password"]
    return make_conninfo(url, user="rolecall", password=password)


def _sum_of(threads: Mapping[str, int], prefixes: tuple[str, ...]) -> int:
    return sum(time for name, time in threads.items() if name.startswith(prefixes))


def _written(url: str) -> Written:
    asks = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_insert_lsn() - '0/0'"
    with psycopg.connect(url) as connection:
        row = connection.execute(asks).fetchone()
    if row is None:
        raise LookupError("no row")
    return Written(int(row[0]), int(row[1]))

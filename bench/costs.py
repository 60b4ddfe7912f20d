"""What work costs: the processor time of a Rolecall of the benchmark's own, of its store and of its engines."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.processes import listener, process_ms, tree_ms
from bench.rounds import Meter
from bench.server import running_rolecall

PYTHON, HASH, STORE, ENGINE = "Python", "hash", "store", "engine"
"""Parts of a cost: the serving process but for its hashing threads; these; the store's server; the engine's."""

_HASHING = ("hashing", "passwords")
"""Prefixes of the names of threads that do nothing but hash."""

_ASKING = ("profile",)


COMMITS = "store commits"
"""Transactions that wrote in the store."""


class Asking:
    """A program that runs in `bench.profiled_server`, asked for its times and samples."""

    def __init__(self, pid: int, path: Path) -> None:
        self.pid = pid
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rw")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, question: str) -> Any:
        self._lines.write(f"{question}\n")
        self._lines.flush()
        return json.loads(self._lines.readline())

    def times(self) -> Mapping[str, float]:
        threads = self.ask("times")
        hashing = _sum_of(threads, _HASHING)
        return {PYTHON: process_ms(self.pid) - hashing - _sum_of(threads, _ASKING), HASH: hashing}


def launcher(asking: Path) -> list[str | Path]:
    """The command that runs `rolecall` so that it can be asked."""
    return [sys.executable, "-m", "bench.profiled_server", asking]


@contextmanager
def measured_rolecall(settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="rolecall-asking-") as place:
        path = Path(place) / "ask"
        with (
            running_rolecall(launcher(path), settings) as ready,
            closing(Asking(ready["pid"], path)) as asking,
            closing(Server(ready, asking)) as server,
        ):
            yield server


@dataclass(frozen=True)
class Written:
    """Transactions that wrote, and bytes of write-ahead log, of a PostgreSQL server since it was created."""

    transactions: int
    log: int


class Server:
    """A running Rolecall that can be asked where its time goes."""

    def __init__(self, ready: Mapping[str, Any], asking: Asking) -> None:
        self.ready = ready
        self.ask, self.own = asking.ask, asking.times
        self.store = owner_url(ready)
        self.store_port = int(str(conninfo_to_dict(self.store)["port"]))
        self.store_pid = listener(self.store_port)
        self.engine_pids = {name: listener(engine["port"]) for name, engine in ready["engines"].items()}
        engine = ready["engines"]["postgres"]
        url = make_conninfo(
            host=engine["host"], port=engine["port"], user=engine["user"], password=engine["password"],
            dbname=engine["database"],
        )  # fmt: skip
        self._connections = {
            name: psycopg.connect(place, autocommit=True)
            for name, place in (("store", self.store), ("postgres", url))
        }

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def meter(self, engine: str) -> Meter:
        """`engine`: its key in the ready file; empty for what needs none."""
        return lambda: {**self.own(), **self.servers(engine)}

    def engine_meter(self, engine: str) -> Meter:
        """For what goes straight to the engine."""
        return lambda: {ENGINE: tree_ms(self.engine_pids[engine])}

    def servers(self, engine: str) -> Mapping[str, float]:
        return {
            STORE: tree_ms(self.store_pid),
            ENGINE: tree_ms(self.engine_pids[engine]) if engine else 0.0,
        }

    def written(self) -> Mapping[str, Written]:
        """By the store and by the PostgreSQL engine."""
        return {name: _written(connection) for name, connection in self._connections.items()}


def owner_url(ready: Mapping[str, Any]) -> str:
    """The store of a `rolecall up`, as its owner."""
    data = Path(ready["data"])
    url = json.loads((data / "connection.json").read_text())["database_url"]
    password = json.loads((data / "secrets.json").read_text())["store_password"]
    return make_conninfo(url, user="rolecall", password=password)


def _sum_of(threads: Mapping[str, int], prefixes: tuple[str, ...]) -> float:
    return sum(time for name, time in threads.items() if name.startswith(prefixes)) / 1e6


def _written(connection: psycopg.Connection) -> Written:
    asks = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_insert_lsn() - '0/0'"
    row = connection.execute(asks).fetchone()
    if row is None:
        raise LookupError("no row")
    return Written(int(row[0]), int(row[1]))

"""What tests do with a running Rolecall: ask where it is, ask it for faults, and bring back an earlier state of it."""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

PATIENCE = 120.0
"""Seconds that a start or a stop may take on a busy machine."""

POLL_SECONDS = 0.02


class NotReady(Exception):
    """`rolecall up` did not start, did not stop, or a command failed. The text has what it printed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the data of a Rolecall under a name: the store, the servers' data, and the secrets.

    `faults` are the numbers of those that were asked for before, which the store of the copy has.
    """

    name: str
    faults: tuple[int, ...]


class Rolecall(ABC):
    """One running `rolecall up`. `ready` is the content of its ready file, as docs/configuration.md lists it.

    Ports of the database servers may change with `restore` and `reset`, and nothing else that `ready` has: the
    endpoint, the keys and the instances' ids stay.
    """

    def __init__(self) -> None:
        self.ready: Mapping[str, Any] = {}
        self._pristine: Snapshot | None = None
        self._faults: list[int] = []

    @property
    def endpoint(self) -> str:
        """Such as ``http://127.0.0.1:43211``."""
        return str(self.ready["endpoint"])

    @property
    def secret_id(self) -> str:
        """The owner's access key, which signs in every dialect."""
        return str(self.ready["tencent"]["secret_id"])

    @property
    def secret_key(self) -> str:
        return str(self.ready["tencent"]["secret_key"])

    @property
    def postgres_instance(self) -> str:
        """The id of the PostgreSQL server in Tencent's API."""
        return str(self.ready["tencent"]["postgres_instance_id"])

    @property
    def mysql_instance(self) -> str | None:
        """The id of the MariaDB server in Alibaba's API; None where MariaDB is not installed."""
        found = self.ready.get("aliyun")
        return None if found is None else str(found["instance_id"])

    def environment(self) -> dict[str, str]:
        """The variables by which the vendors' clients find it, as `rolecall env` prints them."""
        from rolecall.cli.env import variables

        return variables(self.ready)

    @abstractmethod
    def run(self, *arguments: str) -> str:
        """What a command of `rolecall` prints, run on this data. NotReady if it fails."""

    @abstractmethod
    def logs(self) -> str:
        """What it printed until now, the end of it."""

    def fault(self, service: str, action: str, code: str, *, count: int = 1, after: bool = False) -> int:
        """Refuse the next `count` calls of an action with an error code of its contract. Returns the fault's number.

        `after`: each call is carried out first, and only its answer is replaced. NotReady names the codes if the
        action has no such code.
        """
        wanted = ["--service", service, "--action", action, "--code", code, "--count", str(count)]
        [added] = json.loads(self.run("fault", "add", *wanted, *(["--after"] if after else []), "--json"))
        self._faults.append(added["id"])
        return int(added["id"])

    def clear_faults(self) -> None:
        """Remove the faults that were asked for here; those that others asked for stay."""
        faults, self._faults = self._faults, []
        self._clear(faults)

    @contextmanager
    def faults(self, service: str, action: str, code: str, *, count: int = 1_000_000) -> Iterator[None]:
        """Refuse the calls of an action within a block."""
        fault = self.fault(service, action, code, count=count)
        try:
            yield
        finally:
            if fault in self._faults:
                self._faults.remove(fault)
                self._clear([fault])

    def _clear(self, faults: list[int]) -> None:
        if faults:
            self.run("fault", "clear", *map(str, faults))

    def snapshot(self) -> Snapshot:
        """The present state of all of it: Rolecall stops, its data is copied, and it starts again."""
        snapshot = Snapshot(f"snapshot-{secrets.token_hex(4)}", tuple(self._faults))
        with self._ended():
            self._save(snapshot.name)
        return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back the state of a snapshot, in the store and on the servers. What was done since is lost."""
        with self._ended():
            self._load(snapshot.name)
        self._faults = list(snapshot.faults)

    def reset(self) -> None:
        """Bring back the state after the first start. ValueError if it was started without `pristine`."""
        if self._pristine is None:
            raise ValueError("there is no first state to bring back; start it with pristine=True")
        self.restore(self._pristine)

    def start(self, *, pristine: bool = False) -> None:
        """Start it and wait until it serves. `pristine` keeps a copy of the first state, for `reset`. NotReady."""
        self._begin()
        if pristine:
            self._pristine = self.snapshot()

    def stop(self) -> None:
        """Stop it and its servers. NotReady if it had crashed."""
        self._end()

    @contextmanager
    def started(self, *, pristine: bool = False) -> Iterator[Self]:
        """Started for a block."""
        try:
            self.start(pristine=pristine)
            yield self
        finally:
            self.stop()

    @contextmanager
    def _ended(self) -> Iterator[None]:
        self._end()
        yield
        self._begin()

    @abstractmethod
    def _begin(self) -> None:
        """Start `rolecall up`, wait until it serves, and set `ready`."""

    @abstractmethod
    def _end(self) -> None:
        """Stop `rolecall up`, if it runs."""

    @abstractmethod
    def _save(self, name: str) -> None:
        """Copy the data, which nothing uses."""

    @abstractmethod
    def _load(self, name: str) -> None:
        """Replace the data by a copy."""

"""A `rolecall up` of a test run: start and stop it, ask it for faults, and bring back an earlier state of all of it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rolecall.local.children import set_parent_death_signal

PATIENCE = 120.0
"""Seconds that a start or a stop may take on a busy machine."""

_POLL_SECONDS = 0.02


class NotReady(Exception):
    """`rolecall up` did not start, did not stop, or a command failed. The text has what it printed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the data of a Rolecall: the store, the servers' data, and the secrets."""

    directory: Path


class Rolecall:
    """One running `rolecall up`. `ready` is the content of its ready file, as docs/configuration.md lists it.

    Ports of the database servers may change with `restore` and `reset`, and nothing else that `ready` has: the
    endpoint, the keys and the instances' ids stay.
    """

    def __init__(
        self, home: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """`home` holds the data and its snapshots. `environment` is added to that of this process."""
        self.data = home / "data"
        self.log = home / "rolecall.log"
        self._home = home
        self._arguments = tuple(arguments)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._listen = "127.0.0.1:0"
        self._pristine: Snapshot | None = None
        self.ready: Mapping[str, Any] = {}
        self.has_faults = False
        """Whether faults were asked for and not cleared."""

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
        variables: dict[str, str] = json.loads(self.run("env", "--json"))
        return variables

    def run(self, *arguments: str) -> str:
        """What a command of `rolecall` prints, run on this data. NotReady if it fails."""
        command = [sys.executable, "-m", "rolecall", *arguments, "--data", str(self.data)]
        done = subprocess.run(  # noqa: S603 - our own program
            command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            raise NotReady(f"rolecall {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def fault(self, service: str, action: str, code: str, *, count: int = 1, after: bool = False) -> None:
        """Refuse the next `count` calls of an action with an error code of its contract.

        `after`: each call is carried out first, and only its answer is replaced. NotReady names the codes if the
        action has no such code.
        """
        wanted = ["--service", service, "--action", action, "--code", code, "--count", str(count)]
        self.has_faults = True
        self.run("fault", "add", *wanted, *(["--after"] if after else []))

    def clear_faults(self) -> None:
        self.run("fault", "clear")
        self.has_faults = False

    @contextmanager
    def faults(self, service: str, action: str, code: str, *, count: int = 1_000_000) -> Iterator[None]:
        """Refuse the calls of an action within a block."""
        self.fault(service, action, code, count=count)
        try:
            yield
        finally:
            self.clear_faults()

    def snapshot(self) -> Snapshot:
        """The present state of all of it: Rolecall stops, its data is copied, and it starts again."""
        with self._stopped():
            directory = self._home / f"snapshot-{secrets.token_hex(4)}"
            _save(self.data, directory)
            return Snapshot(directory)

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back the state of a snapshot, in the store and on the servers. What was done since is lost."""
        with self._stopped():
            _load(snapshot.directory, self.data)

    def reset(self) -> None:
        """Bring back the state after the first start. ValueError if it was started without `pristine`."""
        if self._pristine is None:
            raise ValueError("there is no first state to bring back; start it with pristine=True")
        self.restore(self._pristine)

    def start(self, *, pristine: bool = False) -> None:
        """Start it and wait until it serves. `pristine` keeps a copy of the first state, for `reset`. NotReady."""
        self._start()
        if pristine:
            self._pristine = self.snapshot()

    def stop(self) -> None:
        """Stop it and its servers. NotReady if it had crashed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise NotReady(f"rolecall up did not stop:\n{self._printed()}") from None
        if status:
            raise NotReady(f"rolecall up ended with status {status}:\n{self._printed()}")

    def _start(self) -> None:
        ready_file = self._home / "ready.json"
        ready_file.unlink(missing_ok=True)
        options = [
            "--listen",
            self._listen,
            "--data",
            str(self.data),
            "--ready-file",
            str(ready_file),
            "--faults",
        ]
        with self.log.open("ab") as output:
            self._process = process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "rolecall", "up", *options, *self._arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=set_parent_death_signal(signal.SIGTERM),  # a killed test run leaves nothing behind
            )
        deadline = time.monotonic() + PATIENCE
        while not ready_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise NotReady(f"rolecall up did not start:\n{self._printed()}")
            time.sleep(_POLL_SECONDS)
        self.ready = json.loads(ready_file.read_text("utf-8"))
        self._listen = urlsplit(self.endpoint).netloc

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        self.stop()
        yield
        self._start()

    def _printed(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-8000:]


def _save(data: Path, directory: Path) -> None:
    """Copy a data directory. As root, the servers' clusters are elsewhere, and the data directory has links to them."""
    directory.mkdir()
    _copy(data, directory / "data")
    for link in _links(data):
        saved = directory / "clusters" / link.relative_to(data)
        saved.parent.mkdir(parents=True)
        _copy(link.resolve(), saved)


def _load(directory: Path, data: Path) -> None:
    """Make a data directory what it was when it was saved, with the clusters of its links."""
    for link in _links(data):
        shutil.rmtree(link.resolve())
    # A start of another Rolecall deletes clusters whose temporary directory is gone: this one is never gone for long.
    new, old = data.with_name("data-new"), data.with_name("data-old")
    _copy(directory / "data", new)
    data.rename(old)
    new.rename(data)
    shutil.rmtree(old)
    for link in _links(data):
        _copy(directory / "clusters" / link.relative_to(data), link.readlink())


def _links(data: Path) -> list[Path]:
    """Those to clusters, whether these exist or not."""
    return [path for path in data.rglob("*") if path.name == "cluster" and path.is_symlink()]


def _copy(source: Path, target: Path) -> None:
    """A tree with modes and, as root, owners."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S603, S607 - of the system


@contextmanager
def start(
    home: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    pristine: bool = False,
) -> Iterator[Rolecall]:
    """A running Rolecall with its data below `home`, an existing directory. `arguments` are those of `rolecall up`."""
    running = Rolecall(home, arguments, environment)
    try:
        running.start(pristine=pristine)
        yield running
    finally:
        running.stop()

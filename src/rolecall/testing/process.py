"""A `rolecall up` of a test run, as a process of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rolecall.local.children import set_parent_death_signal
from rolecall.testing.copies import load, save
from rolecall.testing.interface import PATIENCE, POLL_SECONDS, NotReady, Rolecall


class RolecallProcess(Rolecall):
    """`rolecall up` of the installed package, with its data below a directory."""

    def __init__(
        self, home: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """`home` holds the data and its snapshots. `environment` is added to that of this process."""
        super().__init__()
        self.data = home / "data"
        self._log = home / "rolecall.log"
        self._home = home
        self._arguments = tuple(arguments)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._listen = "127.0.0.1:0"

    def logs(self) -> str:
        return self._log.read_text("utf-8", errors="replace")[-8000:]

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "rolecall", *arguments, "--data", str(self.data)]
        done = subprocess.run(  # noqa: S603 - our own program
            command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            raise NotReady(f"rolecall {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise NotReady(f"rolecall up did not stop:\n{self.logs()}") from None
        if status:
            raise NotReady(f"rolecall up ended with status {status}:\n{self.logs()}")

    def _begin(self) -> None:
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
        with self._log.open("ab") as output:
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
                raise NotReady(f"rolecall up did not start:\n{self.logs()}")
            time.sleep(POLL_SECONDS)
        self.ready = json.loads(ready_file.read_text("utf-8"))
        self._listen = urlsplit(self.endpoint).netloc

    def _save(self, name: str) -> None:
        save(self.data, self._home / name)

    def _load(self, name: str) -> None:
        load(self.data, self._home / name)


@contextmanager
def start(
    home: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    pristine: bool = False,
) -> Iterator[Rolecall]:
    """A running Rolecall with its data below `home`, an existing directory. `arguments` are those of `rolecall up`."""
    with RolecallProcess(home, arguments, environment).started(pristine=pristine) as running:
        yield running

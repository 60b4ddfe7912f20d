"""Rolecall's image in tests, as a module of testcontainers is used: `RolecallContainer`.

The container runs `rolecall.testing.relay`, and `rolecall up` beside it. So `rolecall up` is started when the ports by
which clients reach it are known, and can be stopped and started without them changing.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import httpx

from rolecall.testing.interface import PATIENCE, POLL_SECONDS, NotReady, Rolecall

API, ADMIN = "api", "admin"
SERVERS = ("postgres", "mysql")
"""The names of ports that a container publishes; `SERVERS` are also those of the ready file."""

_UP = 'rolecall up "$@" >>"$0/rolecall.log" 2>&1 & echo $! >"$0/pid"; wait $!; echo $? >"$0/status"'
"""Leaves the process id and, at the end, the exit status in the directory that is the first argument."""

_END = 'kill -TERM "$(cat "$0/pid")"'


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str


class Machine(Protocol):
    """A container with Rolecall's package, or what a test has in its place."""

    @property
    def home(self) -> PurePosixPath:
        """Where the data is to be, in a directory of Rolecall's account."""

    @property
    def ports(self) -> Mapping[str, int]:
        """Ports in it that it publishes, by the names above."""

    @property
    def listens(self) -> str:
        """The address in it to which its ports lead."""

    def start(self, command: Sequence[str]) -> None:
        """Create it, with a first process that lives as long as it."""

    def stop(self) -> None:
        """Remove it with its data. Nothing, if it was not started."""

    def address(self, port: int) -> tuple[str, int]:
        """Host and port by which this process reaches one of its `ports`."""

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done:
        """Run a command to its end."""

    def spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a command whose output is of no interest, and do not wait for it."""


class RolecallContainer(Rolecall):
    """A container of Rolecall's image between `start` and `stop`, or for a `with` block.

    >>> with RolecallContainer("rolecall").with_env("ROLECALL_RATE_LIMIT", "off") as rolecall:
    ...     rolecall.endpoint, rolecall.secret_id, rolecall.secret_key
    """

    def __init__(self, image: str = "rolecall", *, machine: Machine | None = None, **options: Any) -> None:
        """`options` are those of testcontainers' `DockerContainer`, such as `name`, `network` and `volumes`."""
        super().__init__()
        self._machine = machine or _docker(image, options)
        self._arguments: list[str] = []
        self._environment = {"ROLECALL_REQUIRE_TLS": "off"}
        self._seed: Path | None = None
        self._is_pristine = False
        self._runs = False
        self._block = ExitStack()

    def with_env(self, key: str, value: str) -> Self:
        """A setting of the server, such as ROLECALL_RATE_LIMIT."""
        self._environment[key] = value
        return self

    def with_envs(self, **variables: str) -> Self:
        self._environment |= variables
        return self

    def with_arguments(self, *arguments: str) -> Self:
        """Further arguments of `rolecall up`. Files that they name are the container's, but for ``--seed FILE``."""
        if "--seed" in arguments:
            place = arguments.index("--seed")
            self.with_seed(Path(arguments[place + 1]))
            arguments = arguments[:place] + arguments[place + 2 :]
        self._arguments += arguments
        return self

    def with_seed(self, file: Path) -> Self:
        """A file of this machine for `rolecall up --seed`; it is copied into the container."""
        self._seed = file
        return self

    def with_reset(self) -> Self:
        """Keep the first state for `reset()`, which costs one restart of Rolecall in the container."""
        self._is_pristine = True
        return self

    def __enter__(self) -> Self:
        return self._block.enter_context(self.started())

    def __exit__(self, *_: object) -> None:
        self._block.close()

    def start(self, *, pristine: bool = False) -> None:
        machine = self._machine
        relayed = [f"{name}={machine.listens}:{machine.ports[name]}" for name in SERVERS]
        machine.start(["python", "-m", "rolecall.testing.relay", str(self._ready_file), *relayed])
        self._must(["mkdir", "-m", "700", str(machine.home)])
        if self._seed is not None:
            write = ["sh", "-c", 'umask 077; printf %s "$SEED" >"$0"', str(self._seed_file)]
            self._must(write, {"SEED": self._seed.read_text("utf-8")})
        super().start(pristine=pristine or self._is_pristine)

    def stop(self) -> None:
        try:
            super().stop()
        finally:
            self._machine.stop()

    def get_container_host_ip(self) -> str:
        return self._machine.address(self._machine.ports[API])[0]

    def get_exposed_port(self, port: int) -> int:
        """The port of this machine by which one of the container is reached: 7653 (API), 7654, 5432, 3306."""
        return self._machine.address(port)[1]

    def run(self, *arguments: str) -> str:
        command = ["rolecall", *arguments, "--data", str(self._machine.home / "data")]
        return self._must(command, self._environment)

    def _must(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """What a command in the container prints. NotReady if it fails."""
        done = self._machine.run(command, environment)
        if done.status:
            raise NotReady(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def logs(self) -> str:
        return self._machine.run(["cat", str(self._machine.home / "rolecall.log")]).stdout[-8000:]

    @property
    def _ready_file(self) -> PurePosixPath:
        return self._machine.home / "data" / "ready.json"

    @property
    def _seed_file(self) -> PurePosixPath:
        return self._machine.home / "seed.toml"

    def _begin(self) -> None:
        machine, home = self._machine, str(self._machine.home)
        machine.run(["rm", "-f", f"{home}/status", f"{home}/pid"])
        listen = [
            f"--{name}={machine.listens}:{machine.ports[port]}"
            for name, port in (("listen", API), ("admin-listen", ADMIN))
        ]
        options = [*listen, "--data", f"{home}/data", "--faults", *self._arguments]
        if self._seed is not None:
            options += ["--seed", str(self._seed_file)]
        # Beyond the container's loopback an issuer has to be stated (docs/configuration.md).
        secure = "--tls" in self._arguments or "ROLECALL_TLS_CERT" in self._environment
        public = {"ROLECALL_PUBLIC_URL": self._url(API, secure=secure)}
        machine.spawn(["sh", "-c", _UP, home, *options], public | self._environment)
        self._runs = True
        self._wait("start", self._is_ready)
        self.ready = self._from_outside(json.loads(self._must(["cat", str(self._ready_file)])))

    def _end(self) -> None:
        if not self._runs:
            return
        self._runs = False
        if self._status() is None:
            self._machine.run(["sh", "-c", _END, str(self._machine.home)])
        self._wait("stop", lambda: self._status() is not None)
        if status := self._status():
            raise NotReady(f"rolecall up ended with status {status}:\n{self.logs()}")

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise NotReady(f"rolecall up did not {what}:\n{self.logs()}")
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        """Whether `/readyz` says so, and the ready file is there, which is written when calls are answered."""
        try:
            answered = httpx.get(f"{self._url(ADMIN)}/readyz").status_code == 200
        except httpx.TransportError:
            answered = False
        if not answered and self._status() is not None:
            self._runs = False
            raise NotReady(f"rolecall up did not start:\n{self.logs()}")
        return answered and self._machine.run(["test", "-s", str(self._ready_file)]).status == 0

    def _status(self) -> int | None:
        """The exit status of `rolecall up`; None while it runs."""
        done = self._machine.run(["cat", str(self._machine.home / "status")])
        return int(done.stdout) if done.status == 0 and done.stdout.strip() else None

    def _url(self, name: str, *, secure: bool = False) -> str:
        host, port = self._machine.address(self._machine.ports[name])
        return f"{'https' if secure else 'http'}://{host}:{port}"

    def _from_outside(self, ready: dict[str, Any]) -> dict[str, Any]:
        """A ready file with the addresses by which this process reaches what is in the container."""
        urls = {ready["endpoint"]: self._url(API, secure=urlsplit(ready["endpoint"]).scheme == "https")}
        urls[ready["admin_endpoint"]] = self._url(ADMIN)
        ready = _replaced(ready, urls)
        for name, server in ready["engines"].items():
            server["host"], server["port"] = self._machine.address(self._machine.ports[name])
        if "ca_file" in ready:
            ready["ca_file"] = self._copied(ready["ca_file"])
        return ready

    def _copied(self, file: str) -> str:
        """A file of the container on this machine."""
        with tempfile.NamedTemporaryFile("w", prefix="rolecall-", suffix=".pem", delete=False) as copy:
            copy.write(self._must(["cat", file]))
        return copy.name

    def _save(self, name: str) -> None:
        self._copy("save", name)

    def _load(self, name: str) -> None:
        self._copy("load", name)

    def _copy(self, what: str, name: str) -> None:
        home = self._machine.home
        self._must(["python", "-m", "rolecall.testing.copies", what, str(home / "data"), str(home / name)])


def _replaced(value: Any, urls: Mapping[str, str]) -> Any:
    """JSON in which texts that begin with one of the URLs begin with another."""
    if isinstance(value, dict):
        return {key: _replaced(each, urls) for key, each in value.items()}
    if isinstance(value, str):
        for inside, outside in urls.items():
            if value == inside or value.startswith(f"{inside}/"):
                return outside + value.removeprefix(inside)
    return value


def _docker(image: str, options: Mapping[str, Any]) -> Machine:
    try:
        from rolecall.testing.docker_machine import DockerMachine
    except ImportError as error:
        raise NotReady("a container needs testcontainers: pip install testcontainers") from error
    return DockerMachine(image, options)

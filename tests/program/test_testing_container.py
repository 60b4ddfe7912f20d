"""`rolecall.testing.container`: over processes of this machine, and over Docker by the signatures of its API."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from unittest.mock import Mock, create_autospec

import psycopg
import pytest
from docker.errors import ImageNotFound
from docker.models.containers import Container, ExecResult
from docker.types import HostConfig
from docker.utils import convert_port_bindings  # type: ignore[attr-defined]
from testcontainers.core.config import ConnectionMode
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from tests.conftest import PATIENCE

from rolecall.local.children import set_parent_death_signal
from rolecall.testing import NotReady, docker_machine
from rolecall.testing.container import Done, RolecallContainer

SEED = """
[[sub_users]]
name = "seeded"
"""


class Processes:
    """A machine whose commands are processes here, with the programs of this environment."""

    listens = "127.0.0.1"

    def __init__(self, directory: Path) -> None:
        self.home = PurePosixPath(directory / "home")
        self.ports = dict(zip(("api", "admin", "postgres", "mysql"), free_ports(4), strict=True))
        self.first: subprocess.Popen[bytes] | None = None
        self.spawned: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str]) -> None:
        self.first = self._popen(command, {})

    def stop(self) -> None:
        if self.first is not None:
            self.first.terminate()
            assert self.first.wait(PATIENCE) == 0
            self.first = None

    def address(self, port: int) -> tuple[str, int]:
        return "127.0.0.1", port

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done:
        done = subprocess.run(
            command,
            env=self._environment(environment or {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.spawned.append(self._popen(command, environment))

    def _popen(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self._environment(environment),
            preexec_fn=set_parent_death_signal(signal.SIGTERM),
        )

    @staticmethod
    def _environment(variables: Mapping[str, str]) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "PATH": programs, **variables}


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Processes]:
    machine = Processes(tmp_path)
    yield machine
    machine.stop()
    for process in machine.spawned:
        process.wait(PATIENCE)


def test_a_container_is_used_as_a_process_is(machine: Processes, tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED)
    container = RolecallContainer(machine=machine).with_env("ROLECALL_RATE_LIMIT", "off")
    with container.with_arguments("--seed", str(seed)) as rolecall:
        endpoint = f"http://127.0.0.1:{machine.ports['api']}"
        assert rolecall.endpoint == endpoint
        assert rolecall.get_exposed_port(machine.ports["api"]) == machine.ports["api"]
        assert rolecall.ready["tencent"]["oidc_issuer"].startswith(f"{endpoint}/oidc/")
        assert rolecall.environment()["TENCENTCLOUD_SECRET_ID"] == rolecall.secret_id
        assert "Rolecall is ready" in rolecall.logs()
        assert "seed.toml: 1 created" in rolecall.logs()
        server = rolecall.ready["engines"]["postgres"]
        assert server["port"] == machine.ports["postgres"]
        address = {name: server[name] for name in ("host", "port", "user", "password")}
        snapshot = rolecall.snapshot()
        with psycopg.connect(**address, dbname="postgres") as connection:
            connection.execute("create table lost ()")
        rolecall.fault("postgres", "DeleteAccount", "InternalError")
        rolecall.restore(snapshot)
        with psycopg.connect(**address, dbname="postgres") as connection:
            assert connection.execute("select to_regclass('lost')").fetchone() == (None,)
        rolecall.clear_faults()  # of those that are lost there is none
        others = rolecall.run("fault", "add", "--service=cam", "--action=AddUser", "--code=InternalError")
        with rolecall.faults("postgres", "CreateAccount", "InternalError"):
            pass
        assert rolecall.run("fault", "list").splitlines()[1:] == others.splitlines()[1:]
    assert machine.first is None


def test_what_rolecall_prints_says_why_it_did_not_start(machine: Processes) -> None:
    container = RolecallContainer(machine=machine).with_env("ROLECALL_RATE_LIMIT", "none")
    with pytest.raises(NotReady, match="ROLECALL_RATE_LIMIT"), container:
        pass
    assert machine.first is None


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> DockerContainer:
    """testcontainers' own object over a client that refuses what Docker's does not take."""
    client = create_autospec(DockerClient, instance=True)
    client.get_connection_mode.return_value = ConnectionMode.docker_host
    client.client = Mock()
    client.host.return_value = "localhost"
    client.port.return_value = "43211"
    client.create.return_value = create_autospec(Container, instance=True, id="0123", status="running")
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda **_: client)
    monkeypatch.setattr("testcontainers.core.container.c.ryuk_disabled", True, raising=False)
    return client


def test_docker_gets_what_its_interface_takes(docker: DockerClient) -> None:
    machine = docker_machine.DockerMachine("rolecall", {"name": "mine"})
    machine.start(["python", "-m", "module"])
    (image,), created = docker.create.call_args
    assert (image, created["name"], created["command"]) == ("rolecall", "mine", ["-m", "module"])
    assert (created["entrypoint"], created["init"]) == (["python"], True)
    bindings = convert_port_bindings(created["ports"])
    assert all(bound == [{"HostIp": "127.0.0.1", "HostPort": ""}] for bound in bindings.values())
    assert sorted(bindings) == sorted(f"{port}/tcp" for port in machine.ports.values())
    HostConfig(version="1.44", port_bindings=created["ports"], init=created["init"])
    assert machine.address(7653) == ("127.0.0.1", 43211)

    wrapped = docker.create.return_value
    wrapped.exec_run.return_value = ExecResult(3, (b"printed", None))
    assert machine.run(["rolecall", "env"], {"A": "b"}) == Done(3, "printed", "")
    machine.spawn(["sh"], {})
    assert wrapped.exec_run.call_args.kwargs["detach"]
    machine.stop()
    wrapped.remove.assert_called_once_with(force=True, v=True)


def test_ports_are_published_beyond_the_machine_only_for_an_engine_elsewhere(docker: DockerClient) -> None:
    docker.host.return_value = "build.example"
    machine = docker_machine.DockerMachine("rolecall", {})
    machine.start(["python"])
    assert set(docker.create.call_args.kwargs["ports"].values()) == {None}
    assert machine.address(7653) == ("build.example", 43211)


def test_what_docker_lacks_is_named(docker: DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.create.side_effect = ImageNotFound("rolecall")
    with pytest.raises(NotReady, match="no image `rolecall`"), RolecallContainer():
        pass
    monkeypatch.undo()
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(NotReady, match="no Docker engine"), RolecallContainer():
        pass

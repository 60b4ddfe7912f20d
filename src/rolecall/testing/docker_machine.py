"""A container of Rolecall's image, by testcontainers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from docker.errors import DockerException, NotFound  # type: ignore[import-untyped]
from testcontainers.core.config import ConnectionMode
from testcontainers.core.container import DockerContainer

from rolecall.testing.container import ADMIN, API, Done
from rolecall.testing.interface import NotReady

_LOOPBACK = "127.0.0.1"


class DockerMachine:
    """A `Machine` whose `container` is testcontainers' own object, created by `start`."""

    home = PurePosixPath("/var/lib/rolecall/testing")
    """Beside the image's volume: a directory in its place could not be replaced by a copy."""

    listens = "0.0.0.0"  # noqa: S104 - in the container

    ports: Mapping[str, int] = {API: 7653, ADMIN: 7654, "postgres": 5432, "mysql": 3306}

    def __init__(self, image: str, options: Mapping[str, Any]) -> None:
        self._image = image
        self._options = options
        self.container: DockerContainer | None = None

    def start(self, command: Sequence[str]) -> None:
        try:
            self._start(command)
        except NotFound as error:
            raise NotReady(
                f"Docker has no image `{self._image}`; docs/install.md builds it: {error}"
            ) from error
        except DockerException as error:
            raise NotReady(f"no Docker engine can be used: {error}") from error

    def _start(self, command: Sequence[str]) -> None:
        self.container = container = DockerContainer(self._image, **self._options)
        client = container.get_docker_client()
        # Published on this machine only, where that is the machine of the Docker engine.
        local = client.get_connection_mode() is ConnectionMode.docker_host and client.host() == "localhost"
        for port in self.ports.values():
            container.ports[str(port)] = (_LOOPBACK,) if local else None  # type: ignore[assignment]  # as docker's
        entrypoint, *arguments = command
        container.with_kwargs(**{"init": True, **container._kwargs, "entrypoint": [entrypoint]})
        container.with_command(arguments)
        container.start()

    def stop(self) -> None:
        container, self.container = self.container, None
        if container is not None:
            container.stop()

    def address(self, port: int) -> tuple[str, int]:
        container = self._started()
        host = container.get_container_host_ip()
        return _LOOPBACK if host == "localhost" else host, container.get_exposed_port(port)

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done:
        wrapped = self._started().get_wrapped_container()
        status, (stdout, stderr) = wrapped.exec_run(
            list(command), demux=True, environment=dict(environment or {})
        )
        return Done(
            int(status or 0), *((part or b"").decode("utf-8", "replace") for part in (stdout, stderr))
        )

    def spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        wrapped = self._started().get_wrapped_container()
        wrapped.exec_run(list(command), detach=True, environment=dict(environment))

    def _started(self) -> DockerContainer:
        if self.container is None:
            raise RuntimeError("the container was not started")
        return self.container

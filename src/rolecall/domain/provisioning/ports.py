"""What runs servers for us, and where it is kept that they are ours."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.instances.registry import Instance, InstanceRepository
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a new server is registered as. `faces` are fresh public ids by dialect."""

    administrator: str
    database: str
    options: Mapping[str, str]
    region: str
    zone: str
    faces: Mapping[str, str]


class Offers(Protocol):
    """What servers there can be."""

    @property
    def engines(self) -> Mapping[str, str]:
        """Kinds of server that it can start, with the version of each, the major one perhaps; empty if not known."""

    def blueprint(self, engine: str, region: str, zone: str) -> Blueprint:
        """Empty `region` and `zone` stand for the kind's own."""


class Provisioner(Offers, Protocol):
    """Runs servers. A place names one server with its data. What fails is any exception; its text holds no secret."""

    async def start(self, place: str, engine: str, password: Secret, encoding: str) -> tuple[str, int, str]:
        """Make the server if there is none, start it if it does not run; once it takes connections, its host, its port,
        and the directory of its Unix socket, empty if it has none.

        `password` is its administrator's, always the same; so is `encoding`, that of its first database.
        """

    async def stop(self, place: str) -> None:
        """Return when it is gone; nothing to do if it does not run."""

    async def destroy(self, place: str, engine: str) -> None:
        """Stop it and delete its data; nothing to do if there is none."""


class Turn(Protocol):
    """While a turn lasts, no other caller, of any process, has one."""

    def schedule(self, instance: Instance) -> object:
        """What the instance's phase says is done, from the end of the turn on."""


class Turns(Protocol):
    def turn(self) -> AbstractAsyncContextManager[Turn]: ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Servers that another process runs: what it offers, and the turns that it gives."""

    offers: Offers
    turns: Turns


class ProvisionRepository(InstanceRepository, Protocol):
    """Where instances are kept, and how far their servers are."""

    async def change_instance(self, instance_id: int, **changes: object) -> None: ...
    async def remove_instance(self, instance_id: int) -> None: ...

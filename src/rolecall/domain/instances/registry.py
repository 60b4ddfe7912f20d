"""Instances: the registered servers, and the engines that connect to them."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rolecall import ambient
from rolecall.domain.engine import Engine, EngineAddress
from rolecall.domain.instances.lanes import Lane
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.values import Caller, Secret


class Phase(StrEnum):
    """The state of a server that Rolecall runs. It is stored before anything is done to the server."""

    CREATING = "creating"
    RUNNING = "running"
    RESTARTING = "restarting"
    ISOLATING = "isolating"
    ISOLATED = "isolated"
    """Stopped, with its data."""
    REVIVING = "reviving"
    """Being started after it was isolated."""
    DELETING = "deleting"
    FAILED = "failed"
    """Its creation failed; no server exists."""


@dataclass(frozen=True, slots=True)
class Provision:
    """Of a server that Rolecall itself runs; `place` names where."""

    place: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class AddressGroup:
    """A named list of addresses; the default one, whose name is empty, always exists."""

    name: str
    addresses: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """A registered server. `faces` are its public ids by dialect; every change increases `revision`.

    `addresses` and `address_groups` are the owner's notes of which clients the server should accept: Rolecall is not in
    the data path. `provision` is None for a server that Rolecall does not run. `port` is 0 until the server has
    listened once.
    """

    id: int
    owner_id: int
    engine: str
    name: str
    host: str
    port: int
    administrator: str
    sealed_password: bytes
    database: str
    options: Mapping[str, str]
    region: str
    zone: str
    isolated: bool
    listed_callers: tuple[int, ...] | None
    revision: int
    created_at: datetime
    addresses: tuple[str, ...]
    faces: Mapping[str, str]
    provision: Provision | None = None
    address_groups: tuple[AddressGroup, ...] = ()

    def lists(self, caller: Caller) -> bool:
        """Whether a caller of its owner may name it. All may, unless the instance lists callers."""
        return self.listed_callers is None or caller.principal in self.listed_callers


@dataclass(frozen=True, slots=True)
class NewInstance:
    owner_id: int
    engine: str
    name: str
    host: str
    port: int
    administrator: str
    password: Secret
    database: str
    options: Mapping[str, str]
    region: str
    zone: str
    faces: Mapping[str, str]
    addresses: tuple[str, ...] = ()
    provision: Provision | None = None


class FaceTaken(Exception):
    """Another instance has that public id already."""


class InstanceRepository(Protocol):
    """Stores instances."""

    async def instance(self, dialect: str, public_id: str) -> Instance | None: ...
    async def instance_by_id(self, instance_id: int) -> Instance | None: ...
    async def instances(self, owner_id: int | None = None) -> Sequence[Instance]: ...
    async def add_instance(self, new: NewInstance, seal: Callable[[int], bytes]) -> Instance:
        """`seal` gives the sealed password for the new instance's id. Raises `FaceTaken`; then nothing was added."""


def password_purpose(
    owner_id: int | str, instance_id: int | str, administrator: str, host: str, port: int | str
) -> str:
    """What an administrator's password is sealed for: one instance at one address."""
    return f"administrator password:{json.dumps([str(owner_id), str(instance_id), administrator, host, str(port)])}"


def older_password_purpose(administrator: str) -> str:
    """What earlier releases sealed it for; opening the store seals such values again."""
    return f"administrator password:{administrator}"


def open_password(sealer: Sealer, instance: Instance) -> Secret:
    """SealBroken."""
    return sealer.open(instance.sealed_password, _purpose(instance))


def moved(sealer: Sealer, instance: Instance, host: str, port: int) -> dict[str, object]:
    """Column values that move an instance to another address; its password is sealed for that. SealBroken."""
    sealed = sealer.seal(open_password(sealer, instance), _purpose(replace(instance, host=host, port=port)))
    return {"host": host, "port": port, "sealed_password": sealed}


def _purpose(instance: Instance) -> str:
    return password_purpose(
        instance.owner_id, instance.id, instance.administrator, instance.host, instance.port
    )


def engine_address(sealer: Sealer, instance: Instance) -> EngineAddress:
    """SealBroken."""
    return EngineAddress(
        kind=instance.engine,
        host=instance.host,
        port=instance.port,
        user=instance.administrator,
        password=open_password(sealer, instance),
        database=instance.database,
        options=instance.options,
        public_ids=tuple(sorted(instance.faces.values())),
    )


async def register(repository: InstanceRepository, sealer: Sealer, new: NewInstance) -> Instance:
    """Add an instance; its administrator's password is stored sealed."""

    def seal(instance_id: int) -> bytes:
        purpose = password_purpose(new.owner_id, instance_id, new.administrator, new.host, new.port)
        return sealer.seal(new.password, purpose)

    return await repository.add_instance(new, seal)


def new_public_id(prefix: str, characters: int = 8) -> str:
    """A public id such as ``postgres-5cz25tr5``: a prefix, then random lower-case letters and digits."""
    alphabet = string.ascii_lowercase + string.digits
    return prefix + ambient.random_text(alphabet, characters)


class LanedEngine(Engine, Protocol):
    """An engine with the lane in which its calls queue."""

    @property
    def lane(self) -> Lane: ...


@dataclass(frozen=True, slots=True)
class ConnectedInstance:
    """An instance and the engine that connects to it. Its server may be unreachable."""

    instance: Instance
    engine: LanedEngine

    @property
    def id(self) -> int:
        return self.instance.id

    @property
    def lane(self) -> Lane:
        return self.engine.lane


EngineFactory = Callable[[str, EngineAddress], LanedEngine]
"""(engine kind, address) -> engine. Constructing must not need the server."""


class EngineRegistry:
    """One engine per instance, constructed at first use and again when the instance changes."""

    def __init__(self, factory: EngineFactory, sealer: Sealer) -> None:
        self._factory = factory
        self._sealer = sealer
        self._connected: dict[int, ConnectedInstance] = {}

    async def connect(self, instance: Instance) -> ConnectedInstance:
        """ENGINE_UNREACHABLE while no listed master key opens its administrator's password."""
        known = self._connected.get(instance.id)
        if known is not None and known.instance.revision == instance.revision:
            return known
        try:
            address = self.address(instance)
        except SealBroken as error:
            raise Refused(Reason.ENGINE_UNREACHABLE, note=str(error)) from None
        connected = ConnectedInstance(instance, self._factory(instance.engine, address))
        self._connected[instance.id] = connected
        if known is not None:
            await known.engine.close()
        return connected

    def address(self, instance: Instance) -> EngineAddress:
        """SealBroken."""
        return engine_address(self._sealer, instance)

    def moved(self, instance: Instance, host: str, port: int) -> dict[str, object]:
        """Column values that move an instance to another address. SealBroken."""
        return moved(self._sealer, instance, host, port)

    def all(self) -> Sequence[ConnectedInstance]:
        return tuple(self._connected.values())

    async def forget(self, instance_id: int) -> None:
        """Close the engine of an instance that was removed."""
        if (known := self._connected.pop(instance_id, None)) is not None:
            await known.engine.close()

    async def close(self) -> None:
        for connected in self.all():
            await connected.engine.close()
        self._connected.clear()


_NOT_READY: Mapping[Phase, Reason] = {
    Phase.CREATING: Reason.INSTANCE_STARTING,
    Phase.RESTARTING: Reason.INSTANCE_RESTARTING,
    Phase.ISOLATING: Reason.INSTANCE_ISOLATED,
    Phase.ISOLATED: Reason.INSTANCE_ISOLATED,
    Phase.REVIVING: Reason.INSTANCE_RESTARTING,
    Phase.DELETING: Reason.INSTANCE_MISSING,
    Phase.FAILED: Reason.INSTANCE_FAILED,
}


def not_ready(instance: Instance) -> Reason | None:
    """Why an instance takes no commands now; None if it does. The server is not asked."""
    if instance.provision is not None and (reason := _NOT_READY.get(instance.provision.phase)) is not None:
        return reason
    return Reason.INSTANCE_ISOLATED if instance.isolated else None


class InstanceResolver:
    """Finds the instance that a command names, and refuses callers that may not use it."""

    def __init__(self, repository: InstanceRepository, registry: EngineRegistry) -> None:
        self._repository = repository
        self._registry = registry

    async def find_listed(self, name: InstanceName, caller: Caller) -> Instance:
        """INSTANCE_MISSING, INSTANCE_FORBIDDEN (another owner's), CALLER_NOT_LISTED."""
        instance = await self._repository.instance(name.dialect, name.public_id)
        facts = {"value": name.public_id}
        if instance is None:
            raise Refused(Reason.INSTANCE_MISSING, facts=facts)
        if instance.owner_id != caller.owner_id:
            raise Refused(Reason.INSTANCE_FORBIDDEN, facts=facts)
        if not instance.lists(caller):
            raise Refused(Reason.CALLER_NOT_LISTED, facts={"value": caller.principal})
        return instance

    async def connect(self, name: InstanceName, caller: Caller) -> ConnectedInstance:
        """As `find_listed`, and INSTANCE_ISOLATED, INSTANCE_STARTING, INSTANCE_RESTARTING, INSTANCE_FAILED."""
        instance = await self.find_listed(name, caller)
        if (reason := not_ready(instance)) is not None:
            raise Refused(reason, facts={"value": name.public_id})
        return await self._registry.connect(instance)

    async def all(self, caller: Caller) -> Sequence[Instance]:
        """The instances of the caller's owner that the caller may name."""
        return [
            instance
            for instance in await self._repository.instances(caller.owner_id)
            if instance.lists(caller)
        ]

    async def connect_instance(self, instance: Instance) -> ConnectedInstance:
        return await self._registry.connect(instance)

    async def by_id(self, instance_id: int) -> Instance | None:
        return await self._repository.instance_by_id(instance_id)

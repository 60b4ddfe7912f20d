"""Commands on servers that Rolecall starts, stops and deletes (`domain.provisioning.service`)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import ClientToken, Command, InstanceName


@dataclass(frozen=True, slots=True)
class RestartInstance(Command[UUID]):
    """The outcome is the operation's id. PROVISIONER_MISSING unless Rolecall runs the server itself."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ProvisionInstance(Command[InstanceView]):
    """Start a server for a new instance; the outcome comes while the server is still starting.

    Empty `region`, `zone`, `encoding` (of the first database) and `version` (the first parts of its number) stand for
    the defaults of its kind.
    PROVISIONER_MISSING, VERSION_UNOFFERED, INSTANCE_QUOTA.
    """

    dialect: str
    engine: str
    name: str
    region: str
    databases: tuple[DatabaseSpec, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()
    token: ClientToken | None = None
    zone: str = ""
    encoding: str = ""
    version: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvisionInstances(Command[tuple[InstanceView, ...]]):
    """Several alike, all or none."""

    alike: ProvisionInstance
    count: int


@dataclass(frozen=True, slots=True)
class DeprovisionInstance(Command[None]):
    """Stop and delete a server that Rolecall started; PROVISIONER_MISSING for any other.

    `isolated`: it must be isolated (INSTANCE_RUNNING); without it, it must be running.
    """

    instance: InstanceName
    isolated: bool = False
    token: ClientToken | None = None


@dataclass(frozen=True, slots=True)
class IsolateInstances(Command[None]):
    """Stop servers that Rolecall started and keep their data. PROVISIONER_MISSING. All are checked before the first."""

    instances: tuple[InstanceName, ...]


@dataclass(frozen=True, slots=True)
class ReviveInstances(Command[None]):
    """Start isolated ones again. INSTANCE_RUNNING, PROVISIONER_MISSING. All are checked before the first."""

    instances: tuple[InstanceName, ...]

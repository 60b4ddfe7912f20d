"""Instances as callers see them: status, name, address lists, operations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from rolecall.domain.engine import EngineFacts
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.instances.registry import AddressGroup, Instance, InstanceResolver, Phase
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.model import Change, Operation
from rolecall.domain.operations.records import Record
from rolecall.domain.operations.views import OperationView
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Caller, Origin

_GLANCE = 1.5
"""Seconds to wait for a server when only its status is asked for."""


class InstanceChangeRepository(Protocol):
    """Stores changes of instances."""

    async def change_recorded(self, instance_id: int, record: Record, **changes: object) -> None: ...


class OperationRepository(Protocol):
    """Finds operations."""

    async def operations(
        self, *, limit: int, state: str | None = None, instance_id: int | None = None
    ) -> Sequence[Operation]: ...


class Servers:
    def __init__(
        self,
        resolver: InstanceResolver,
        repository: InstanceChangeRepository,
        operations: OperationRepository,
    ) -> None:
        self._resolver = resolver
        self._repository = repository
        self._operations = operations
        self.handlers: Handlers = (
            instance_commands.ListInstances.handled_by(self.all),
            instance_commands.ShowInstance.handled_by(self.show),
            instance_commands.RenameInstance.handled_by(self.rename),
            instance_commands.SetAddressList.handled_by(self.set_addresses),
            instance_commands.ShowAddressList.handled_by(self.addresses),
            instance_commands.ListOperations.handled_by(self.operations),
        )

    async def all(self, command: instance_commands.ListInstances, origin: Origin) -> Sequence[InstanceView]:
        instances = await self._resolver.all(origin.caller)
        faced = [instance for instance in instances if command.dialect in instance.faces]
        return await asyncio.gather(
            *(
                self._look(instance, command.dialect, origin, databases=command.databases)
                for instance in faced
            )
        )

    async def show(self, command: instance_commands.ShowInstance, origin: Origin) -> InstanceView:
        instance = await self._resolver.find_listed(command.instance, origin.caller)
        return await self._look(instance, command.instance.dialect, origin, databases=command.databases)

    async def rename(self, command: instance_commands.RenameInstance, origin: Origin) -> None:
        instance = await self._resolver.find_listed(command.instance, origin.caller)
        detail = {"instance": instance.id, "name": command.name}
        record = Record(Change.INSTANCE_RENAME, command.instance.public_id, origin, detail)
        await self._repository.change_recorded(instance.id, record, name=command.name)

    async def set_addresses(
        self, command: instance_commands.SetAddressList, origin: Origin
    ) -> tuple[str, ...]:
        """The resulting list, without duplicates, in the given order. PARAMETER_RANGE for too many groups."""
        instance = await self._resolver.find_listed(command.instance, origin.caller)
        groups = {group.name: group for group in _address_groups(instance)}
        before = groups.get(command.group) or AddressGroup(command.group, ())
        match command.mode:
            case "replace":
                wanted: tuple[str, ...] = command.addresses
            case "add":
                wanted = before.addresses + command.addresses
            case "remove":
                wanted = tuple(address for address in before.addresses if address not in command.addresses)
        addresses = tuple(dict.fromkeys(wanted))
        label = before.label if command.label is None else command.label
        groups[command.group] = AddressGroup(command.group, addresses, label)
        if len(groups) > command.groups_at_most:
            raise Refused(Reason.PARAMETER_RANGE, facts={"limit": command.groups_at_most})
        detail = {"instance": instance.id, "addresses": list(addresses), "group": command.group}
        record = Record(Change.INSTANCE_ADDRESSES, command.instance.public_id, origin, detail)
        if command.group:
            kept = tuple(group for name, group in groups.items() if name and group.addresses)
            await self._repository.change_recorded(instance.id, record, address_groups=kept)
        else:
            await self._repository.change_recorded(instance.id, record, addresses=list(addresses))
        return addresses

    async def addresses(
        self, command: instance_commands.ShowAddressList, origin: Origin
    ) -> tuple[AddressGroup, ...]:
        return _address_groups(await self._resolver.find_listed(command.instance, origin.caller))

    async def operations(
        self, command: instance_commands.ListOperations, origin: Origin
    ) -> tuple[OperationView, ...]:
        instance = await self._resolver.find_listed(command.instance, origin.caller)
        found = await self._operations.operations(limit=command.limit, instance_id=instance.id)
        return tuple(
            OperationView(
                operation.id,
                operation.change.value,
                operation.target,
                operation.state.value,
                operation.reason,
                operation.accepted_at,
                operation.closed_at,
            )
            for operation in found
        )

    async def _look(
        self, instance: Instance, dialect: str, origin: Origin, *, databases: bool
    ) -> InstanceView:
        status, facts, names = await self._ask(instance, databases=databases)
        return _view(instance, dialect, origin.caller, status, facts, names)

    async def state_of(self, instance: Instance) -> tuple[str, EngineFacts | None]:
        """The status as in `InstanceView`, and the server's facts; None if it cannot be asked."""
        status, facts, _ = await self._ask(instance, databases=False)
        return status, facts

    async def _ask(
        self, instance: Instance, *, databases: bool
    ) -> tuple[str, EngineFacts | None, tuple[str, ...]]:
        if (status := _stored_status(instance)) is not None:
            return status, None, ()
        try:
            connected = await self._resolver.connect_instance(instance)
            async with asyncio.timeout(_GLANCE):
                facts = await connected.engine.facts()
                found = await connected.engine.databases() if databases else ()
                return "running", facts, tuple(database.name for database in found)
        except Refused as refusal:
            restarting = refusal.reason is Reason.INSTANCE_RESTARTING
            return ("restarting" if restarting else "unreachable"), None, ()
        except (TimeoutError, OutcomeUnknown):
            return "unreachable", None, ()


def _address_groups(instance: Instance) -> tuple[AddressGroup, ...]:
    return (AddressGroup("", instance.addresses), *instance.address_groups)


_STATUSES: Mapping[Phase, str] = {
    Phase.CREATING: "starting",
    Phase.RESTARTING: "restarting",
    Phase.ISOLATING: "isolating",
    Phase.ISOLATED: "isolated",
    Phase.REVIVING: "reviving",
    Phase.DELETING: "deleting",
    Phase.FAILED: "failed",
}


def _stored_status(instance: Instance) -> str | None:
    """The status that the store knows; None if the server has to be asked."""
    if instance.provision is not None and instance.provision.phase in _STATUSES:
        return _STATUSES[instance.provision.phase]
    return "isolated" if instance.isolated else None


def view_in_phase(instance: Instance, dialect: str, caller: Caller) -> InstanceView:
    """An instance as the store knows it; its server is not asked."""
    return _view(instance, dialect, caller, _stored_status(instance) or "running", None, ())


def _view(
    instance: Instance,
    dialect: str,
    caller: Caller,
    status: str,
    facts: EngineFacts | None,
    databases: tuple[str, ...],
) -> InstanceView:
    return InstanceView(
        public_id=instance.faces[dialect],
        name=instance.name,
        region=instance.region,
        zone=instance.zone,
        status=status,
        version=None if facts is None else facts.version,
        version_text="" if facts is None else facts.version_text,
        host=instance.host if instance.port else "",
        port=instance.port,
        charset="" if facts is None else instance.options.get("charset", "UTF8"),
        created_at=instance.created_at,
        app_id=caller.app_id,
        owner_number=caller.owner_number,
        databases=databases,
    )

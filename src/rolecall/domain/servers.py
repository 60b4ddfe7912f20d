"""Instances as their users see them: how they are, what they are called, what was done on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rolecall.domain import commands
from rolecall.domain.engine import EngineFacts
from rolecall.domain.instances import Instance, Reach
from rolecall.domain.operations import Operation
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.views import InstanceView, OperationView
from rolecall.values import Origin

_GLANCE = 1.5
"""Seconds to wait for a server when only its state is asked for."""


class ServerBook(Protocol):
    """Where what is changeable about instances is kept."""

    async def change_instance(self, instance_id: int, **changes: object) -> None: ...


class OperationBook(Protocol):
    """Where operations are looked up."""

    async def operations(
        self, *, limit: int, state: str | None = None, instance_id: int | None = None
    ) -> Sequence[Operation]: ...


class Servers:
    def __init__(self, reach: Reach, book: ServerBook, operations: OperationBook) -> None:
        self._reach = reach
        self._book = book
        self._operations = operations

    async def all(self, command: commands.ListInstances, origin: Origin) -> Sequence[InstanceView]:
        instances = await self._reach.all(origin.caller.owner_id)
        faced = [instance for instance in instances if command.dialect in instance.faces]
        return await asyncio.gather(*(self._look(instance, command.dialect, origin) for instance in faced))

    async def show(self, command: commands.ShowInstance, origin: Origin) -> InstanceView:
        instance = await self._reach.find(command.instance, origin.caller)
        return await self._look(instance, command.instance.dialect, origin)

    async def rename(self, command: commands.RenameInstance, origin: Origin) -> None:
        instance = await self._reach.find(command.instance, origin.caller)
        await self._book.change_instance(instance.id, name=command.name)

    async def set_addresses(self, command: commands.SetAddressList, origin: Origin) -> tuple[str, ...]:
        """The list as it is then, without doubles, in the order given."""
        instance = await self._reach.find(command.instance, origin.caller)
        match command.mode:
            case "replace":
                wanted: tuple[str, ...] = command.addresses
            case "add":
                wanted = instance.addresses + command.addresses
            case "remove":
                wanted = tuple(one for one in instance.addresses if one not in command.addresses)
        addresses = tuple(dict.fromkeys(wanted))
        await self._book.change_instance(instance.id, addresses=list(addresses))
        return addresses

    async def addresses(self, command: commands.ShowAddressList, origin: Origin) -> tuple[str, ...]:
        return (await self._reach.find(command.instance, origin.caller)).addresses

    async def operations(self, command: commands.ListOperations, origin: Origin) -> tuple[OperationView, ...]:
        instance = await self._reach.find(command.instance, origin.caller)
        found = await self._operations.operations(limit=command.limit, instance_id=instance.id)
        return tuple(
            OperationView(
                one.id,
                one.change.value,
                one.target,
                one.state.value,
                one.reason,
                one.accepted_at,
                one.closed_at,
            )
            for one in found
        )

    async def superuser_state(self, command: commands.SuperuserState, origin: Origin) -> bool:
        """Never enabled: the server's own superuser is Rolecall's, and no tenant's."""
        await self._reach.attach(command.instance, origin.caller)
        return False

    async def no_superuser(
        self, command: commands.EnableSuperuser | commands.DisableSuperuser, origin: Origin
    ) -> None:
        """ENGINE_UNSUITED: engines keep the name of the server's superuser for its administrator."""
        await self._reach.attach(command.instance, origin.caller)
        raise Refused(Reason.ENGINE_UNSUITED)

    async def unprovided(self, _command: object, _origin: Origin) -> None:
        """Starting, stopping and deleting servers takes a provisioner, and none is configured."""
        raise Refused(Reason.PROVISIONER_MISSING)

    async def _look(self, instance: Instance, dialect: str, origin: Origin) -> InstanceView:
        status, facts = await self.state_of(instance)
        return InstanceView(
            public_id=instance.faces[dialect],
            name=instance.name,
            region=instance.region,
            zone=instance.zone,
            status=status,
            version=None if facts is None else facts.version,
            version_text="" if facts is None else facts.version_text,
            host=instance.host,
            port=instance.port,
            charset="" if facts is None else "UTF8",
            created_at=instance.created_at,
            app_id=origin.caller.app_id,
            owner_number=origin.caller.owner_number,
        )

    async def state_of(self, instance: Instance) -> tuple[str, EngineFacts | None]:
        """``running``, ``isolated``, ``restarting`` or ``unreachable``, with what the server says of itself."""
        if instance.isolated:
            return "isolated", None
        attached = await self._reach.attach_instance(instance)
        try:
            async with asyncio.timeout(_GLANCE):
                return "running", await attached.engine.facts()
        except Refused as refusal:
            restarting = refusal.reason is Reason.INSTANCE_RESTARTING
            return ("restarting" if restarting else "unreachable"), None
        except (TimeoutError, OutcomeUnknown):
            return "unreachable", None

"""Control: the domain's front door. One literal table says which handler carries out which command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rolecall.domain import commands
from rolecall.domain.accounts import Accounts
from rolecall.domain.databases import Databases
from rolecall.domain.engine import EngineFacts
from rolecall.domain.instances import Instance, Reach
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.views import InstanceView
from rolecall.values import Origin

_GLANCE = 1.5
"""Seconds to wait for a server when only its state is asked for."""

Handler = Callable[[Any, Origin], Awaitable[object]]


class Control:
    def __init__(self, reach: Reach, accounts: Accounts, databases: Databases) -> None:
        self._reach = reach
        self.accounts = accounts
        self._handlers: Mapping[type, Handler] = {
            commands.CreateAccount: accounts.create,
            commands.DeleteAccount: accounts.delete,
            commands.ListAccounts: accounts.page,
            commands.ResetPassword: accounts.reset_password,
            commands.ChangeRemark: accounts.change_remark,
            commands.LockAccount: accounts.lock,
            commands.UnlockAccount: accounts.unlock,
            commands.OpenManagedPassword: accounts.open_managed_password,
            commands.CloseManagedPassword: accounts.close_managed_password,
            commands.RefreshManagedPassword: accounts.refresh_managed_password,
            commands.ShowPrivileges: accounts.show_privileges,
            commands.ChangePrivileges: accounts.change_privileges,
            commands.CreateDatabase: databases.create,
            commands.DeleteDatabase: databases.delete,
            commands.ListDatabases: databases.page,
            commands.ListObjects: databases.objects,
            commands.ChangeDatabaseOwner: databases.change_owner,
            commands.ListInstances: self._list_instances,
            commands.ShowInstance: self._show_instance,
        }

    async def carry_out(self, command: object, origin: Origin) -> object:
        """The outcome of a command, or `Refused`."""
        return await self._handlers[type(command)](command, origin)

    async def _list_instances(
        self, command: commands.ListInstances, origin: Origin
    ) -> Sequence[InstanceView]:
        instances = await self._reach.all(origin.caller.owner_id)
        faced = [instance for instance in instances if command.dialect in instance.faces]
        return await asyncio.gather(*(self._look(instance, command.dialect, origin) for instance in faced))

    async def _show_instance(self, command: commands.ShowInstance, origin: Origin) -> InstanceView:
        instance = await self._reach.find(command.instance, origin.caller)
        return await self._look(instance, command.instance.dialect, origin)

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
            charset="UTF8",
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

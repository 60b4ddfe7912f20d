"""Control: the domain's front door. One literal table says which handler carries out which command.

Rooms with a subject of their own (superusers, provisioning, tokens, people, directories) bring tables of their own:
`Handlers`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.accounts import commands
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.databases import Databases
from rolecall.domain.accounts.deferred import Promises
from rolecall.domain.accounts.grants import Grants
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.instances.service import Servers
from rolecall.domain.messages import Command, Handlers
from rolecall.values import Origin


class Control:
    def __init__(
        self,
        accounts: Accounts,
        credentials: Credentials,
        grants: Grants,
        promises: Promises,
        databases: Databases,
        servers: Servers,
        rooms: Sequence[Handlers] = (),
    ) -> None:
        self._handlers: Handlers = {
            commands.CreateAccount: accounts.create,
            commands.DeleteAccount: accounts.delete,
            commands.ListAccounts: accounts.page,
            commands.AllAccounts: accounts.all,
            commands.ShowAccount: accounts.show,
            commands.ChangeRemark: accounts.change_remark,
            commands.PromiseAccounts: promises.accept,
            commands.ResetPassword: credentials.reset_password,
            commands.ResetPasswords: credentials.reset_passwords,
            commands.MoveAccount: credentials.move,
            commands.LockAccount: credentials.lock,
            commands.UnlockAccount: credentials.unlock,
            commands.OpenManagedPassword: credentials.open_managed_password,
            commands.CloseManagedPassword: credentials.close_managed_password,
            commands.RefreshManagedPassword: credentials.refresh_managed_password,
            commands.ShowPrivileges: grants.show_privileges,
            commands.ChangePrivileges: grants.change_privileges,
            commands.ChangeGrants: grants.change_grants,
            commands.CreateDatabase: databases.create,
            commands.CreateDatabases: databases.create_several,
            commands.DeleteDatabase: databases.delete,
            commands.ListDatabases: databases.page,
            commands.AllDatabases: databases.all,
            commands.ListObjects: databases.objects,
            commands.ChangeDatabaseOwner: databases.change_owner,
            instance_commands.ListInstances: servers.all,
            instance_commands.ShowInstance: servers.show,
            instance_commands.RenameInstance: servers.rename,
            instance_commands.SetAddressList: servers.set_addresses,
            instance_commands.ShowAddressList: servers.addresses,
            instance_commands.ListOperations: servers.operations,
            **_joined(rooms),
        }

    async def carry_out(self, command: Command, origin: Origin) -> object:
        """The outcome of a command, or `Refused`."""
        return await self._handlers[type(command)](command, origin)


def _joined(rooms: Sequence[Handlers]) -> Handlers:
    return {command: handler for room in rooms for command, handler in room.items()}

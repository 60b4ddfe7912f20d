"""The tenants' superuser of an instance: an account of a fixed name that can be had and given back."""

from __future__ import annotations

import string
from uuid import UUID

from rolecall import ambient
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext, Target
from rolecall.domain.accounts.removal import remove_superuser
from rolecall.domain.engine.capabilities import TenantSuperuser, required
from rolecall.domain.engine.identity import NO_ACCOUNT, Expected
from rolecall.domain.messages import Handlers, InstanceName
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change
from rolecall.values import Origin, Secret

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_CHARACTERS = 32


class TenantSuperusers:
    def __init__(self, context: AccountContext, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self.handlers: Handlers = (
            commands.SuperuserState.handled_by(self.state),
            commands.EnableSuperuser.handled_by(self.enable),
            commands.DisableSuperuser.handled_by(self.disable),
        )

    async def state(self, command: commands.SuperuserState, origin: Origin) -> bool:
        """Whether it is enabled now; the server itself tells. False where there is no such thing."""
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        superuser = connected.engine.superuser
        return superuser is not None and await superuser.find() is not None

    async def enable(self, command: commands.EnableSuperuser, origin: Origin) -> Secret:
        """Its password, made here unless one is given. ENGINE_UNSUITED, ACCOUNT_PROTECTED."""
        target, superuser = await self._target(command.instance, origin)
        password = command.password or _new_password()
        verifier = self._context.verifier(target, password)

        async def apply(operation: UUID) -> None:
            fence = self._journal.fence(operation, always=True)
            await superuser.enable(await verifier, operation, fence)

        await self._journal.run(target.connected, target.intent(Change.SUPERUSER_ENABLE, origin), apply)
        return password

    async def disable(self, command: commands.DisableSuperuser, origin: Origin) -> None:
        """Disabling what is not enabled succeeds. ENGINE_UNSUITED, ACCOUNT_PROTECTED."""
        target, superuser = await self._target(command.instance, origin)
        facts = await superuser.find()
        accepted = NO_ACCOUNT if facts is None else facts.expected
        intent = target.intent(Change.SUPERUSER_DISABLE, origin, expected=accepted)
        expected = Expected(accepted.identity)

        async def apply(operation: UUID) -> None:
            await remove_superuser(self._journal.ledger, superuser, operation, expected)

        await self._journal.run(target.connected, intent, apply)

    async def _target(self, instance: InstanceName, origin: Origin) -> tuple[Target, TenantSuperuser]:
        """ENGINE_UNSUITED."""
        connected = await self._context.resolver.connect(instance, origin.caller)
        superuser = required(connected.engine.superuser)
        return self._context.at(connected, superuser.name), superuser


def _new_password() -> Secret:
    """Letters and digits: it is typed into shells and option files."""
    return Secret(ambient.random_text(_ALPHABET, _PASSWORD_CHARACTERS))

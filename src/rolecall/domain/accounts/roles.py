"""Accounts as roles: limits, memberships, default privileges, and what every account may do on a database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from rolecall.domain.accounts import role_commands as commands
from rolecall.domain.accounts.context import AccountContext, Target
from rolecall.domain.engine import AccountFacts, ExpectedDatabase, ObjectType
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.roles import (
    DefaultPrivileges,
    DefaultsChange,
    Expiry,
    MembershipChange,
    PublicFacts,
    RoleChange,
    RoleFacts,
    Roles,
)
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.details import Detail
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change, Intent
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin

_Found = TypeVar("_Found")
_Step = Callable[[UUID, Expected], Awaitable[AccountFacts]]
"""The engine's part of a change, for an operation and the account that it was accepted for."""


class AccountRoles:
    def __init__(self, context: AccountContext, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self.handlers: Handlers = (
            commands.ShowRoles.handled_by(self.show),
            commands.ChangeConnectionLimit.handled_by(self.change_limit),
            commands.ChangeExpiry.handled_by(self.change_expiry),
            commands.GrantMembership.handled_by(self.grant_membership),
            commands.RevokeMembership.handled_by(self.revoke_membership),
            commands.ListDefaults.handled_by(self.list_defaults),
            commands.ChangeDefaults.handled_by(self.change_defaults),
            commands.ListPublic.handled_by(self.list_public),
            commands.ChangePublic.handled_by(self.change_public),
        )

    async def show(self, command: commands.ShowRoles, origin: Origin) -> tuple[RoleFacts, ...]:
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        return tuple(await required(connected.engine.roles).role_facts(command.name))

    async def change_limit(self, command: commands.ChangeConnectionLimit, origin: Origin) -> None:
        target, roles = await self._target(command, origin)
        detail = details.ChangeLimit(connection_limit=command.limit)

        def apply(operation: UUID, expected: Expected) -> Awaitable[AccountFacts]:
            change = RoleChange(target.name, operation, expected, connection_limit=command.limit)
            return roles.change_role(change)

        await self._change(target, Change.ACCOUNT_LIMIT, origin, detail, apply)

    async def change_expiry(self, command: commands.ChangeExpiry, origin: Origin) -> None:
        target, roles = await self._target(command, origin)
        detail = details.ChangeExpiry(valid_until=command.at)

        def apply(operation: UUID, expected: Expected) -> Awaitable[AccountFacts]:
            return roles.change_role(RoleChange(target.name, operation, expected, expiry=Expiry(command.at)))

        await self._change(target, Change.ACCOUNT_EXPIRY, origin, detail, apply)

    async def grant_membership(self, command: commands.GrantMembership, origin: Origin) -> None:
        """ACCOUNT_MISSING and ACCOUNT_PROTECTED of either role, MEMBERSHIP_CIRCULAR, ENGINE_TOO_OLD."""
        target, roles = await self._target(command, origin)
        identity = await roles.role(command.role, to_join=True)
        change = MembershipChange(
            command.role, identity, grant=True, inherits=command.inherits, may_become=command.may_become
        )
        await self._change_membership(target, roles, change, origin)

    async def revoke_membership(self, command: commands.RevokeMembership, origin: Origin) -> None:
        """ACCOUNT_MISSING and ACCOUNT_PROTECTED of either role, GRANT_MISSING, PRIVILEGE_DEPENDENT."""
        target, roles = await self._target(command, origin)
        change = MembershipChange(command.role, await roles.role(command.role), grant=False)
        await self._change_membership(target, roles, change, origin)

    async def _change_membership(
        self, target: Target, roles: Roles, change: MembershipChange, origin: Origin
    ) -> None:
        detail = details.ChangeMembership(change=change)

        def apply(operation: UUID, expected: Expected) -> Awaitable[AccountFacts]:
            return roles.change_role(RoleChange(target.name, operation, expected, membership=change))

        await self._change(target, Change.MEMBERSHIP, origin, detail, apply)

    async def list_defaults(
        self, command: commands.ListDefaults, origin: Origin
    ) -> tuple[DefaultPrivileges, ...]:
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        read = required(connected.engine.roles).default_privileges
        found = await _in_databases(connected, command.database, read)
        return tuple(defaults for several in found for defaults in several)

    async def change_defaults(self, command: commands.ChangeDefaults, origin: Origin) -> None:
        """PARAMETER_VALUE for schemas within a schema, and as `Roles.change_default_privileges`."""
        defaults = command.defaults
        if defaults.type is ObjectType.SCHEMA and defaults.schema:
            raise Refused(Reason.PARAMETER_VALUE, "schema", facts={"value": defaults.schema})
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        roles = required(connected.engine.roles)
        target = await self._context.target(command.instance, origin, defaults.account)
        owned_by = await roles.role(defaults.owner)
        detail = details.ChangeDefaults(defaults=defaults, owned_by=owned_by, grant=command.grant)

        def apply(operation: UUID, expected: Expected) -> Awaitable[AccountFacts]:
            change = DefaultsChange(defaults, owned_by, command.grant, operation, expected)
            return roles.change_default_privileges(change)

        await self._change(target, Change.DEFAULT_PRIVILEGES, origin, detail, apply)

    async def list_public(self, command: commands.ListPublic, origin: Origin) -> tuple[PublicFacts, ...]:
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        read = required(connected.engine.roles).public_privileges
        return tuple(await _in_databases(connected, command.database, read))

    async def change_public(self, command: commands.ChangePublic, origin: Origin) -> None:
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        roles = required(connected.engine.roles)
        found = await roles.public_privileges(command.database)
        detail = details.ChangePublic(privileges=command.privileges, grant=command.grant)
        intent = Intent(
            Change.DATABASE_PUBLIC,
            command.database,
            origin,
            detail.encode(),
            expected=Expected(found.identity),
        )

        async def apply(_operation: UUID) -> None:
            await roles.change_public_privileges(
                command.database,
                command.privileges,
                grant=command.grant,
                expected=ExpectedDatabase(found.identity),
            )

        await self._journal.run(connected, intent, apply)

    async def _target(
        self,
        command: commands.ChangeConnectionLimit
        | commands.ChangeExpiry
        | commands.GrantMembership
        | commands.RevokeMembership,
        origin: Origin,
    ) -> tuple[Target, Roles]:
        """ENGINE_UNSUITED."""
        target = await self._context.target(command.instance, origin, command.name)
        return target, required(target.connected.engine.roles)

    async def _change(
        self, target: Target, change: Change, origin: Origin, detail: Detail, apply: _Step
    ) -> None:
        facts = await self._context.changeable(target)

        async def applied(operation: UUID) -> AccountFacts:
            return await apply(operation, Expected(facts.identity))

        intent = target.intent(change, origin, detail, expected=facts.expected)
        await self._context.change(target, intent, applied)


async def _in_databases(
    connected: ConnectedInstance, database: str | None, read: Callable[[str], Awaitable[_Found]]
) -> list[_Found]:
    """What is read in a database; or in each that is not protected, was not dropped meanwhile and can be read."""
    if database is not None:
        return [await read(database)]
    found = []
    for facts in await connected.engine.databases():
        if not facts.allows_connections:
            continue
        try:
            found.append(await read(facts.name))
        except Refused as refusal:
            if refusal.reason not in (Reason.DATABASE_MISSING, Reason.DATABASE_PROTECTED):
                raise
    return found

"""What accounts may do: privileges on objects, and templates on whole databases."""

from __future__ import annotations

from uuid import UUID

from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class Grants:
    def __init__(self, context: AccountContext) -> None:
        self._context = context
        self.handlers: Handlers = (
            commands.ShowPrivileges.handled_by(self.show_privileges),
            commands.ChangePrivileges.handled_by(self.change_privileges),
            commands.ChangeGrants.handled_by(self.change_grants),
        )

    async def show_privileges(
        self, command: commands.ShowPrivileges, origin: Origin
    ) -> tuple[tuple[str, ...] | AccountKind, ...]:
        """One answer per object asked, in order; the account itself is answered by its kind."""
        target = await self._context.target(command.instance, origin, command.name)
        asked = [object_ for object_ in command.objects if object_ is not None]
        objects = required(target.connected.engine.objects)
        account = await self._context.existing(target)
        found = iter(await objects.privileges(command.name, asked))
        return tuple(account.kind if object_ is None else next(found) for object_ in command.objects)

    async def change_privileges(self, command: commands.ChangePrivileges, origin: Origin) -> None:
        target = await self._context.target(command.instance, origin, command.name)
        if command.changes:
            required(target.connected.engine.objects)
        facts = await self._context.changeable(target)
        detail = details.ChangePrivileges(
            changes=command.changes,
            kind=command.kind,
            former_kind=command.kind and facts.kind,
            memberships=await _memberships(target.connected, command),
        )

        async def apply(operation: UUID) -> AccountFacts:
            return await apply_privileges(
                target.connected, target.name, detail, operation, Expected(facts.identity)
            )

        intent = target.intent(Change.PRIVILEGES, origin, detail, expected=facts.expected)
        await self._context.change(target, intent, apply)

    async def change_grants(self, command: commands.ChangeGrants, origin: Origin) -> None:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED (a super account), DATABASE_MISSING, GRANT_MISSING."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        grants = required(target.connected.engine.grants)
        facts = await self._context.changeable(target)
        if facts.kind is AccountKind.SUPER:
            raise Refused(Reason.ACCOUNT_PROTECTED, note="a super account holds every database already")
        if command.must_exist:
            held = {grant.database for grant in facts.grants}
            for database in command.revoke:
                if database not in held:
                    raise Refused(Reason.GRANT_MISSING, facts={"value": database})
        detail = details.ChangeGrants(
            grant=command.grant,
            revoke=command.revoke,
            allow_missing=command.allow_missing,
        )

        async def apply(operation: UUID) -> AccountFacts:
            return await grants.change_grants(
                target.name,
                target.host,
                command.grant,
                command.revoke,
                operation,
                allow_missing=command.allow_missing,
                expected=Expected(facts.identity),
            )

        intent = target.intent(Change.GRANTS, origin, detail, expected=facts.expected)
        await self._context.change(target, intent, apply)


async def _memberships(
    connected: ConnectedInstance, command: commands.ChangePrivileges
) -> tuple[MembershipChange, ...]:
    """ACCOUNT_MISSING, ACCOUNT_PROTECTED; ENGINE_UNSUITED."""
    wanted = [*((role, True) for role in command.join), *((role, False) for role in command.leave)]
    if not wanted:
        return ()
    roles = required(connected.engine.roles)
    return tuple(
        [MembershipChange(role, await roles.role(role, to_join=grant), grant) for role, grant in wanted]
    )


async def apply_privileges(
    connected: ConnectedInstance,
    name: str,
    detail: details.ChangePrivileges,
    operation: UUID,
    expected: Expected,
) -> AccountFacts:
    """The engine's part of a change of privileges, or only of the kind; recovery repeats it."""
    if not (detail.changes or detail.memberships):
        change = AccountChange(name, operation, kind=detail.kind, expected=expected)
        return await connected.engine.change_account(change)
    return await required(connected.engine.objects).change_privileges(
        name,
        detail.changes,
        operation,
        kind=detail.kind,
        memberships=detail.memberships,
        expected=expected,
    )

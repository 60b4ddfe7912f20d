"""What is done about drift: the server's state is adopted as the recorded one, or the recorded one is put back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from uuid import UUID

from msgspec import UNSET, structs

from rolecall.domain.accounts import drift_commands as commands
from rolecall.domain.accounts.context import AccountContext, Target
from rolecall.domain.accounts.drift import (
    AccountDrift,
    Difference,
    DriftStanding,
    held,
    without_taken,
)
from rolecall.domain.accounts.drift_check import Comparison, DriftCheck
from rolecall.domain.engine import AccountChange, AccountFacts
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import superseded_account
from rolecall.domain.engine.states import GRANTS, MEMBER, MEMBERSHIPS, ROLE, AccountState
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class Adoption:
    def __init__(self, context: AccountContext, check: DriftCheck) -> None:
        self._context = context
        self._check = check
        self.handlers: Handlers = (
            commands.CompareAccount.handled_by(self.compare),
            commands.AdoptAccount.handled_by(self.adopt),
            commands.ReassertAccount.handled_by(self.reassert),
        )

    async def compare(self, command: commands.CompareAccount, origin: Origin) -> AccountDrift:
        """ACCOUNT_MISSING if neither the server nor the store has it; ENGINE_BUSY while it is changed."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        return (await self._compared(target)).drift

    async def adopt(self, command: commands.AdoptAccount, origin: Origin) -> AccountDrift:
        """ACCOUNT_MISSING, also for one that was recreated, ACCOUNT_PROTECTED, ENGINE_BUSY."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        if not command.dry_run:
            await self._context.changeable(target)  # an account that SQL created gets an identity
        found = await self._comparison(target, recreated=command.recreated)
        if command.dry_run or found.drift.standing is DriftStanding.IN_SYNC:
            return found.drift
        assert found.account is not None  # noqa: S101 - `_comparison` requires it
        facts, state = found.account.facts, found.account.state
        password = None if state.password is UNSET else state.password
        detail = details.AdoptAccount(
            state=structs.replace(state, password=UNSET), has_recorded_password=_has_recorded_password(found)
        )

        async def apply(operation: UUID) -> AccountFacts:
            """Nothing but the mark, which puts it in order with other changes, and only if none was applied since."""
            change = AccountChange(target.name, operation, host=target.host, expected=facts.expected)
            after = await target.connected.engine.change_account(change)
            return self._context.with_fingerprint(after, password)

        intent = target.intent(Change.ACCOUNT_ADOPT, origin, detail, expected=facts.expected)
        await self._context.change(target, intent, apply)
        return found.drift

    async def reassert(self, command: commands.ReassertAccount, origin: Origin) -> commands.Reassertion:
        """As `adopt`. ENGINE_UNSUITED if nothing of what differs can be put back."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        found = await self._comparison(target, recreated=False)
        assert found.account is not None  # noqa: S101 - `_comparison` requires it
        facts, restores = found.account.facts, target.connected.engine.states.restores
        differences = found.drift.differences
        lost = await _lost_memberships(target, found)
        done = tuple(each for each in differences if each.field in restores and each not in lost)
        left = tuple(each for each in differences if each not in done)
        outcome = commands.Reassertion(found.drift, done, left)
        if command.dry_run or not found.drift.differences:
            return outcome
        if facts.is_protected:
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": target.display_name})
        if not done:
            fields = ", ".join(sorted({difference.field for difference in left}))
            raise Refused(Reason.ENGINE_UNSUITED, note=f"{fields} cannot be put back")
        wanted = _wanted(found, done)

        async def apply(operation: UUID) -> AccountFacts:
            place = target.name, target.host
            return await target.connected.engine.states.restore(place, wanted, operation, facts.expected)

        intent = target.intent(
            Change.ACCOUNT_REASSERT, origin, details.ReassertAccount(state=wanted), expected=facts.expected
        )
        await self._context.change(target, intent, apply)
        return outcome

    async def _compared(self, target: Target) -> Comparison:
        place = (target.name, target.host)
        found = await self._check.settled(target.connected, place)
        if found is None:
            raise target.missing()
        return found

    async def _comparison(self, target: Target, *, recreated: bool) -> Comparison:
        """Of an account that is there, and is not another one than was recorded."""
        found = await self._compared(target)
        if found.account is None:
            raise target.missing()
        if found.drift.standing is DriftStanding.CHANGED and not recreated:
            raise superseded_account(target.name)
        return found


def _has_recorded_password(found: Comparison) -> bool:
    row, account = found.row, found.account
    if row is None or account is None or not row.is_of(account.facts):
        return False
    password, _ = row.current.get("password", (None, 0))
    return password is not None and password == account.state.password


def _known_roles(found: Comparison) -> dict[str, str]:
    """The identities of the roles of memberships that differ, as far as they were recorded."""
    recorded = {} if found.row is None else found.row.current
    roles: dict[str, str] = {}
    for difference in found.drift.differences:
        if difference.field == MEMBERSHIPS and MEMBER + difference.subject in recorded:
            identity, order = recorded.get(ROLE + difference.subject, (None, -1))
            if identity is not None and order == recorded[MEMBER + difference.subject][1]:
                roles[difference.subject] = str(identity)
    return roles


async def _lost_memberships(target: Target, found: Comparison) -> set[Difference]:
    """Those that differ and whose role is gone, whatever role has the name now."""
    known, lost = _known_roles(found), set[Difference]()
    for difference in found.drift.differences:
        if difference.field != MEMBERSHIPS or (identity := known.get(difference.subject)) is None:
            continue
        try:
            is_lost = await required(target.connected.engine.roles).role(difference.subject) != identity
        except Refused as refusal:
            is_lost = refusal.reason is Reason.ACCOUNT_MISSING
        if is_lost:
            lost.add(difference)
    return lost


def _wanted(found: Comparison, differences: Iterable[Difference]) -> AccountState:
    """What was recorded of the fields that differ."""
    assert found.row is not None  # noqa: S101 - what was not recorded does not differ
    recorded = without_taken(found.row, found.changes)
    fields: dict[str, object] = {}
    memberships: dict[str, str | None] = {}
    grants: dict[str, str | None] = {}
    privileges: dict[str, dict[str, bool]] = defaultdict(dict)
    expected = held(recorded)
    for difference in differences:
        if difference.field == MEMBERSHIPS:
            memberships[difference.subject] = _text(expected.memberships.get(difference.subject))
        elif difference.field != GRANTS:
            fields[difference.field] = recorded[difference.field][0]
        elif difference.subject == difference.database:
            grants[difference.database] = _text(expected.grants.get(difference.database))
        else:
            word = difference.subject.removesuffix(f" on {difference.database}")
            is_held = bool(expected.privileges.get(f"{word}:{difference.database}"))
            privileges[difference.database][word] = is_held
    more: Callable[..., AccountState] = AccountState
    known = {role: identity for role, identity in _known_roles(found).items() if role in memberships}
    return more(**fields, memberships=memberships, roles=known, grants=grants, privileges=privileges)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
